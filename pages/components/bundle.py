"""Scripts and styles of the components, read from the files beside this one when a component is registered.

A component is one module to the browser, so its files are joined in order; the last one exports the mount function.
The Worker's source travels inside as a string, since a page may not load a Worker from another origin's port.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

import teaching.capsule

HERE = Path(__file__).parent
SHARED = Path(teaching.capsule.__file__).parent
"""What a capsule plays with, and pages, too."""


def text(name: str) -> str:
    """A file of this folder, or one that is shared."""
    place = HERE if (HERE / name).exists() else SHARED
    return (place / name).read_text(encoding="utf-8")


def constant(name: str, value: Any) -> str:
    """A line of JavaScript that names a value."""
    return f"const {name} = {json.dumps(value)};\n"


def script(*names: str, **constants: Any) -> str:
    """One module of several files, with constants before them."""
    head = "".join(constant(name, value) for name, value in constants.items())
    return head + "\n".join(f"// {name}\n{text(name)}" for name in names)


def register(name: str, *scripts: str, styles: tuple[str, ...] = (), **constants: Any) -> Callable[..., Any]:
    """A component `askback-NAME` of NAME.html, NAME.css after other styles, and some scripts; call it to mount it."""
    css = "\n".join(text(style) for style in (*styles, f"{name}.css"))
    mount: Callable[..., Any] = st.components.v2.component(
        f"askback-{name}", html=text(f"{name}.html"), css=css, js=script(*scripts, **constants)
    )
    return mount
