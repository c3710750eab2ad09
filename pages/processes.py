"""The web process's one supervisor, and the few facts of a browser that pages share."""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from pages.addresses import Address, allowed_origins, arm_address, home, lesson_addresses
from robot_io.access import own_origins
from robot_io.arm import ArmError
from robot_io.fleet import Fleet
from teaching.supervisor import Supervisor, lesson_path, running
from teaching.types import BadInput


@functools.cache
def supervisor() -> Supervisor:
    """Starts, finds and looks after the processes of lessons; made once per web process."""
    origins = sorted(own_origins(int(st.get_option("server.port")), allowed_origins()))
    made = Supervisor(
        origins,
        arm_port=int(os.environ.get("ASKBACK_SIDE_PORT", "0")),
        host_port=int(os.environ.get("ASKBACK_HOST_PORT", "0")),
    )
    made.attach(home())
    made.watch()
    return made


@functools.cache
def fleet() -> Fleet:
    """The arms that are kept beside the lessons, and their processes; made once per web process."""
    made = Fleet(home() / ".arms", sorted(own_origins(int(st.get_option("server.port")), allowed_origins())))
    made.attach()
    made.watch()
    return made


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Finds what runs when the web process starts; ends it in order when the web process is ended in order."""
    keeper, arms = supervisor(), fleet()
    try:
        yield {}
    finally:
        keeper.stop(lessons=True)
        arms.stop()


def session() -> str:
    """Who this browser is: the same after a reload, and in every tab. The strip keeps it in a cookie."""
    if "session" not in st.session_state:
        st.session_state["session"] = str(st.context.cookies.get("askback_session") or secrets.token_hex(12))[:64]
    return str(st.session_state["session"])


def teacher(fallback: str = "teacher") -> str:
    """What the person in front calls themselves."""
    return str(st.session_state.get("teacher") or st.context.cookies.get("askback_teacher") or fallback)


def chosen() -> Path | None:
    """The lesson that this browser has open; it survives a reload."""
    name = st.session_state.get("lesson")
    if name is None:
        name = st.query_params.get("lesson") or st.context.cookies.get("askback_lesson") or ""
    if not name:
        return None
    try:
        path = lesson_path(home(), str(name))
    except BadInput:
        return None
    if not (path / "lesson.json").is_file():
        return None
    st.session_state["lesson"] = path.name  # an address names it on its first page only
    return path


def choose(path: Path | None) -> None:
    """Open a lesson in this browser, or none."""
    st.session_state["lesson"] = path.name if path else ""
    st.session_state.pop("addresses", None)
    if path is not None:
        keep_open(path)


def keep_open(path: Path) -> None:
    """Start what does not run of a lesson, unless it has been tried in this session just now."""
    if st.session_state.get("kept open") != str(path) or not running(path):
        st.session_state["kept open"] = str(path)
        supervisor().open(path)


def cookies(path: Path | None) -> dict[str, str]:
    """What the strip keeps in this browser, so that a reload is the same person in the same lesson."""
    arm = shown_arm()
    kept = arm.name if arm is not None and arm.parent == home() / ".arms" else ""
    return {"session": session(), "lesson": path.name if path else "", "teacher": teacher(""), "arm": kept}


def addresses(path: Path, *, fresh: bool = False) -> dict[str, Address | None]:
    """Component data of the open lesson's sockets; kept, so that a rerun of the page does not open new sockets."""
    kept = st.session_state.get("addresses")
    if kept and not fresh and kept["path"] == str(path):
        return dict(kept["found"])
    try:
        found = lesson_addresses(path, session(), teacher())
    except ArmError:  # it is just starting, or just ended: the next look will tell
        found = {"arm": None, "host": None}
    st.session_state["addresses"] = {"path": str(path), "found": found}
    return found


def shown_arm() -> Path | None:
    """The folder of the arm that the Arms page shows: one that is kept, or a lesson's. A kept one survives a reload."""
    place = st.session_state.get("arm")
    if place is None and (slug := st.context.cookies.get("askback_arm")):
        entry = fleet().entry(str(slug))
        place = st.session_state["arm"] = str(entry.path) if entry is not None else ""
    return Path(place) if place else None


def show_arm(path: Path | None) -> None:
    """Show another arm, or none."""
    st.session_state["arm"] = str(path) if path else ""
    st.session_state.pop("arm address", None)


def arm_socket(path: Path, *, fresh: bool = False) -> Address | None:
    """Component data of the side port of an arm's folder; kept, so that a rerun opens no new socket."""
    kept = st.session_state.get("arm address")
    if kept and not fresh and kept["path"] == str(path):
        return dict(kept["found"])
    try:
        found = arm_address(path, session())
    except ArmError:  # it is just starting, or just ended: the next look will tell
        found = None
    st.session_state["arm address"] = {"path": str(path), "found": found} if found else None
    return found
