"""The main script of the app: the style, the strip with STOP on every page, and the navigation."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages import processes
from pages.components.strip import strip
from teaching.supervisor import kind_of

ICON = Path(__file__).parent / "components" / "icon.png"
STYLE = """
<style>
.stMainBlockContainer { padding: 3.75rem 1.25rem 1rem !important; max-width: 1900px !important; }
.stMainBlockContainer > div > .stVerticalBlock { gap: 0.75rem; }
.stMainBlockContainer h1 { font-size: 2rem; padding: 0.5rem 0; }
[data-testid="stStatusWidget"] { display: none; }
</style>
"""


def navigation() -> StreamlitPage:
    """The pages; with a lesson open, the one on which it is taught comes first."""
    path = processes.chosen()
    moving = path is not None and kind_of(path) == "rollout"
    here = Path(__file__).parent
    return st.navigation(
        [
            st.Page(
                here / "lessons.py", title="Lessons", icon=":material/home:", default=path is None, url_path="lessons"
            ),
            st.Page(
                here / "teach.py",
                title="Teach",
                icon=":material/school:",
                default=path is not None and not moving,
                url_path="teach",
            ),
            st.Page(
                here / "rollout.py", title="Rollout", icon=":material/gesture:", default=moving, url_path="rollout"
            ),
            st.Page(here / "replay.py", title="Replay", icon=":material/history:", url_path="replay"),
            st.Page(here / "progress.py", title="Progress", icon=":material/trending_up:", url_path="progress"),
            st.Page(here / "episodes.py", title="Episodes", icon=":material/video_library:", url_path="episodes"),
            st.Page(here / "training.py", title="Training", icon=":material/model_training:", url_path="training"),
            st.Page(here / "arms.py", title="Arms", icon=":material/precision_manufacturing:", url_path="arms"),
            st.Page(here / "keys.py", title="Keys", icon=":material/keyboard:", url_path="keys"),
        ],
        position="top",
    )


@st.fragment(run_every=0.5)
def wait_for_processes() -> None:
    """While the arm and the host of the open lesson start, look again; draw the page anew when they answer."""
    path = processes.chosen()
    if path is None:
        return
    before = processes.addresses(path)
    found = processes.addresses(path, fresh=True)
    if any(found[kind] and not before[kind] for kind in ("arm", "host")):
        st.rerun()
    trouble = processes.supervisor().trouble(path)
    if trouble:
        st.error(f"The lesson does not start: {trouble}", icon=":material/error:")


def head(on_arms: bool) -> None:
    """The strip, drawn before the page so that it stays mounted across pages.

    On the Arms page, and while no lesson is open, it is about the arm that was chosen there: STOP stops that one.
    """
    path, arm = processes.chosen(), processes.shown_arm()
    found = processes.addresses(path) if path else {"arm": None, "host": None}
    if arm is not None and (on_arms or path is None):
        found = {**found, "arm": processes.arm_socket(arm)}
    stale = strip(found["arm"], found["host"], processes.cookies(path))
    if arm is not None and stale:
        processes.arm_socket(arm, fresh=True)
    if path and stale:
        processes.addresses(path, fresh=True)
    if stale and (path or arm):
        st.rerun()
    if path and not on_arms and not (found["arm"] and found["host"]):
        wait_for_processes()


st.set_page_config(page_title="Askback", page_icon=str(ICON), layout="wide")
st.html(STYLE)
page = navigation()
head(page.url_path == "arms")
page.run()
