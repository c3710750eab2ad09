"""What a person changes by hand on the pages that tell why, and the list of what stands, each with a way back."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from pages import processes
from robot_io.arm import ArmError
from teaching.amending import amend_lesson
from teaching.replay.columns import Entry
from teaching.replay.glance import Glance
from teaching.types import AskbackError

LISTED = 20
DID = {"split": "a segment cut", "merge": "two segments joined", "rename": "a segment renamed",
       "weigh_segment": "a segment weighed", "end": "its end said anew"}  # fmt: skip


def change(path: Path, do: str, **values: object) -> None:
    """Say a change by hand; what went wrong is told at the top of the next drawing."""
    try:
        amend_lesson(path, do, values, session=processes.session(), teacher=processes.teacher())
    except (AskbackError, ArmError, OSError) as error:
        st.session_state["refused"] = str(error)


def refused() -> None:
    """What went wrong with the last change, once."""
    if text := st.session_state.pop("refused", ""):
        st.error(f"Nothing was changed: {text}", icon=":material/error:")


def told(entry: Entry) -> str:
    """One change in words."""
    body = entry.body
    what = str(body.get("demonstration") or f"episode {body.get('episode')}")
    if entry.kind == "segments":
        verb = DID.get(str(body.get("what")), "changed")
    elif entry.kind == "drop":
        verb = "deleted"
    elif entry.kind == "delete":
        verb = "excluded"
    elif entry.kind == "pin":
        verb = "pinned" if body.get("pinned", True) else "unpinned"
    else:
        verb = f"weighed × {body.get('weight')}"
    when = time.strftime("%d %b %H:%M", time.localtime(entry.time))
    return f"**{what}** {verb} · {body.get('by') or 'somebody'}, {when}"


def standing(path: Path, found: Glance, *kinds: str, open: bool = False) -> None:
    """What was changed by hand and stands; of an episode's segments only the latest can be taken back."""
    entries = found.diary(*kinds, most=LISTED)
    if not entries:
        return
    with st.expander(f"Changed by hand: {len(entries)}" + (" latest" if len(entries) == LISTED else ""), expanded=open):
        st.caption("The next training goes by these. Taking one back is recorded as well; nothing is lost.")
        seen: set[str] = set()
        for entry in entries:
            left, right = st.columns([6, 1], vertical_alignment="center")
            left.markdown(told(entry))
            covered = entry.kind == "segments" and entry.body["episode"] in seen
            if entry.kind == "segments":
                seen.add(entry.body["episode"])
            right.button(
                "Take back", key=f"back {entry.seq}", on_click=change, args=(path, "take_back"), disabled=covered,
                kwargs={"event": entry.seq}, width="stretch",
                help="A later change of the same episode comes first." if covered else None,
            )  # fmt: skip
