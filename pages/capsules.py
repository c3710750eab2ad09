"""A lesson as one file that plays in any browser: made beside everything else, then taken along."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from teaching import jobs
from teaching.types import AskbackError

FOLDER = "capsules"


def make(path: Path) -> None:
    """Start making one of a lesson as it is now."""
    folder = path / FOLDER
    out = folder / f"{path.name}-{time.strftime('%Y%m%d-%H%M%S')}.html"
    try:
        jobs.start(folder / "making.log", ["capsule", str(path), str(out), "--lines"])
    except (AskbackError, OSError) as error:
        st.session_state["capsule refused"] = str(error)


def newest(path: Path) -> Path | None:
    """The latest that was made."""
    found = sorted((path / FOLDER).glob("*.html")) if (path / FOLDER).is_dir() else []
    return found[-1] if found else None


def capsule(path: Path) -> None:
    """The button, how far it is, and the file."""
    log = path / FOLDER / "making.log"
    busy = jobs.running(log)
    st.button(
        "Make a capsule", key=f"capsule-{path.name}", disabled=busy, on_click=make, args=(path,), width="stretch",
        icon=":material/movie:", help="One file that plays the whole lesson in any browser, without a network: every "
        "question with its picture, plan and answer, and who gave it.",
    )  # fmt: skip
    if refused := st.session_state.pop("capsule refused", ""):
        st.error(refused)
    if busy:
        _watch(log)
        return
    done, said = newest(path), jobs.words(log).last
    if said and not said.startswith("{"):
        st.error(f"No capsule was made: {said}")
    elif done is not None:
        st.download_button(
            f"Download {done.name} ({done.stat().st_size / 2**20:.1f} MB)", done.read_bytes(), done.name, "text/html",
            key=f"take-{path.name}", width="stretch",
        )  # fmt: skip


@st.fragment(run_every=1.0)
def _watch(log: Path) -> None:
    words = jobs.words(log)
    if not jobs.running(log):
        st.rerun()
    share = words.done / words.of if words.of else 0.0
    st.progress(share, f"making it: {words.done} of {words.of} episodes" if words.of else "making it")
