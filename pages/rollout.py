"""Rollout: watch the arm work, take over, rewind, correct."""

from __future__ import annotations

from dataclasses import fields

import streamlit as st

from pages import keymap, processes
from pages.addresses import home
from pages.components.rollout import rollout
from teaching.gating import Gate
from teaching.types import BadInput


def table() -> tuple[keymap.Binding, ...]:
    """The keys as this person has them; the default ones, and a word about it, if the file is damaged."""
    try:
        return keymap.load(home() / "keys.json")
    except BadInput as error:
        st.warning(str(error), icon=":material/keyboard:")
        return keymap.DEFAULT


def main() -> None:
    """Draw the card of the open lesson, or say how to open one."""
    path = processes.chosen()
    if path is None:
        st.title("Rollout")
        st.write("No lesson is open.")
        st.page_link("lessons.py", label="Open or start one", icon=":material/arrow_forward:")
        return
    processes.keep_open(path)
    found = processes.addresses(path)
    explained = {f.name: f.metadata["help"] for f in fields(Gate) if "help" in f.metadata}
    rollout(found["arm"], found["host"], keymap.as_data(table(), "rollout"), explained)


main()
