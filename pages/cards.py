"""What the pages of one open lesson have in common: which lesson, which keys, what the gate's settings mean."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import streamlit as st

from pages import keymap, processes
from pages.addresses import home
from teaching.gating import Gate
from teaching.types import BadInput


def keys() -> tuple[keymap.Binding, ...]:
    """The keys as this person has them; the default ones, and a word about it, if the file is damaged."""
    try:
        return keymap.load(home() / "keys.json")
    except BadInput as error:
        st.warning(str(error), icon=":material/keyboard:")
        return keymap.DEFAULT


def opened(title: str) -> Path | None:
    """The open lesson, its processes looked after; None, and how to open one, if none is."""
    path = processes.chosen()
    if path is None:
        st.title(title)
        st.write("No lesson is open.")
        st.page_link("lessons.py", label="Open or start one", icon=":material/arrow_forward:")
        return None
    processes.keep_open(path)
    return path


def explained() -> dict[str, str]:
    """One line about each setting of the gate, for its tooltip."""
    return {f.name: f.metadata["help"] for f in fields(Gate) if "help" in f.metadata}
