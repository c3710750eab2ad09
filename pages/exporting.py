"""Export: a lesson's recordings for other people's tools, written by a process of its own beside the page."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import streamlit as st

from pages.addresses import home
from teaching.export import FORMS, beside

FOLDER = ".exports"
WORDS = {"lerobot": "LeRobotDataset v3.0", "robomimic": "robomimic HDF5"}


@st.cache_resource
def _running() -> dict[Path, Future[dict[str, Any]]]:
    """Exports that this app started, by where they go."""
    return {}


def target(path: Path, form: str) -> Path:
    """A free name for an export."""
    folder, end = home() / FOLDER, ".hdf5" if form == "robomimic" else ""
    names = (folder / f"{path.name}-{form}{f'-{n}' if n else ''}{end}" for n in range(10_000))
    return next(p for p in names if not p.exists() and p not in _running())


def begin(path: Path) -> None:
    """Start what was chosen."""
    form = str(st.session_state["export form"])
    out = target(path, form)
    out.parent.mkdir(parents=True, exist_ok=True)
    _running()[out] = beside(form, path, out)
    st.session_state["export"] = str(out)


@st.fragment(run_every=1.0)
def _going(out: Path) -> None:
    """How an export goes; drawn again until it is over."""
    future = _running()[out]
    if not future.done():
        st.caption(f"Writing {out} …")
    elif error := future.exception():
        st.error(f"Nothing was written: {error}", icon=":material/error:")
    else:
        told = future.result()
        left = f", {told['left_out']} left out (deleted, or they count nowhere)" if told.get("left_out") else ""
        st.success(f"{told['episodes']} episodes{left} are in {out}", icon=":material/check:")


def export(path: Path) -> None:
    """The menu."""
    with st.popover("Export", icon=":material/download:", width="stretch"):
        st.segmented_control(
            "As", FORMS, default=FORMS[0], format_func=WORDS.__getitem__, key="export form", required=True
        )
        st.button("Export this lesson", key="export now", on_click=begin, args=(path,), type="primary")
        st.caption(f"Deleted episodes stay out. It goes into {home() / FOLDER}, and says here when it is done.")
        out = Path(str(st.session_state.get("export", "")))
        if out in _running():
            _going(out)
