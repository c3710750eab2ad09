"""Arms: what is plugged in, in words; connect, calibrate, jog; several arms at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages import processes
from pages.addresses import home
from pages.arm_change import arm_words, changing, used
from pages.arm_shape import figure
from pages.components.arm_panel import arm_panel
from pages.diagnosing import link
from robot_io.camera_names import EMULATED, find_cameras
from robot_io.errors import ArmError
from robot_io.fleet import Entry, running
from robot_io.glance import Glance, glance, shape
from robot_io.port import LEADER, LED, Found, find_ports
from robot_io.remote import RemoteArm
from teaching.supervisor import asks, list_lessons

PHASES = {
    "idle": ("ready", "blue"),
    "moving": ("moving", "green"),
    "held": ("holding still", "blue"),
    "stopped": ("STOPPED", "orange"),
    "fault": ("something is wrong", "red"),
    "silent": ("does not answer", "red"),
}
KINDS = {
    "feetech": "SO-101 or SO-100, quick (Feetech's SDK)",
    "so101": "SO-101 through LeRobot",
    "so100": "SO-100 through LeRobot",
    "dynamixel": "six X-series servos of Robotis', as in the Koch arms",
    "line": "home-built, on the line protocol",
}
DIAGNOSTICS = """<a href="{link}" download style="display: inline-block; padding: 0.3rem 0.75rem; border-radius: 0.5rem;
border: 1px solid rgba(127, 127, 127, 0.4); color: inherit; text-decoration: none" title="One file: the log, versions,
settings, and the last minute of what the arm did. It holds no secret.">Save diagnostics</a>"""
LEADS = "A second arm that a hand moves, and this one follows."
LIKELY = {"so101": ("feetech", "so101", "so100"), "dynamixel": ("dynamixel",), "line": ("line",), "": tuple(KINDS)}


@dataclass(frozen=True)
class Row:
    """One arm of the list: a kept one, or a lesson's own."""

    path: Path
    title: str
    what: str
    glance: Glance | None
    entry: Entry | None = None
    asks: str = ""


def rows() -> list[Row]:
    """Every arm that is kept, and every arm that a running lesson uses."""
    kept = [Row(e.path, e.title, e.name, glance(e.path), e) for e in processes.fleet().entries()]
    lessons = [lesson for lesson in list_lessons(home()) if running(lesson.path)]
    used = [
        Row(
            lesson.path,
            arm_words(lesson.arm),
            f"in the lesson “{lesson.name}”",
            glance(lesson.path),
            asks=asks(lesson.path),
        )
        for lesson in lessons
    ]
    return kept + used


def who(told: Glance) -> str:
    """Who drives, and who waits."""
    mine = processes.session()
    words = {"": "nobody drives", mine: "you drive"}.get(told.driver, "somebody else drives")
    if told.controller == "policy":
        words = "it drives itself"
    asked = {"": "", mine: "you asked to drive"}.get(told.asking, "somebody asks to drive")
    return " · ".join(filter(None, (words, asked)))


def state_words(row: Row) -> tuple[str, str]:
    """What it does, and in which colour."""
    if row.entry is not None and processes.fleet().parting(row.entry):
        return "parks and lets go…", "blue"
    if row.glance is not None:
        return PHASES.get(row.glance.phase, (row.glance.phase, "grey"))
    if row.entry is not None and processes.fleet().starting(row.entry):
        return "connecting…", "blue"
    return "not connected", "gray"


def line(row: Row) -> None:
    """One arm and what can be done with it."""
    shown = processes.shown_arm() == row.path
    words, colour = state_words(row)
    with st.container(border=True):
        st.markdown(f"{'**▸** ' if shown else ''}**{row.title}**  :{colour}-badge[{words}]  \n:small[{row.what}]")
        if row.glance is not None:
            st.markdown(f":small[{who(row.glance)}{f' · {row.glance.watchers} watching' * bool(row.glance.watchers)}]")
        if row.asks:
            st.markdown(f":small[asks: *{row.asks}*]")
        trouble = processes.fleet().trouble(row.entry) if row.entry is not None and row.glance is None else None
        if trouble:
            do = trouble["do"].replace("press Release", "press Connect")
            st.error(f"**{trouble['title']}.** {trouble['message']}  \n{do}", icon=":material/error:")
        acts(row, shown)


def acts(row: Row, shown: bool) -> None:
    """Show, connect, disconnect, calibrate, remove."""
    name, entry, on = row.path.name, row.entry, row.glance is not None
    with st.container(horizontal=True):
        if on and not shown:
            if st.button("Show", key=f"show-{name}", type="primary"):
                choose(row.path)
            if st.button("STOP", key=f"stop-{name}", help="The strip's STOP is quicker: show it for that."):
                stop(row.path)
        if entry is None:
            return
        if not on and not processes.fleet().starting(entry):
            if st.button("Connect", key=f"connect-{name}", type="primary"):
                processes.fleet().connect(entry)
                choose(row.path)
        elif st.button(
            "Disconnect", key=f"disconnect-{name}", help="It parks first, and lets go where it cannot fall."
        ):
            processes.fleet().disconnect(entry, wait=False)
        walking = row.glance is not None and "calibrate" in row.glance.capabilities
        if entry.can_be_calibrated and not walking and st.button("Calibrate", key=f"calibrate-{name}"):
            processes.fleet().connect(entry, calibrate=True)
            choose(entry.path)
        if entry.leader and not walking and st.button("Calibrate leader", key=f"calibrate-leader-{name}"):
            processes.fleet().connect(entry, leader=True)
            choose(entry.path)
        if not on and not shown and st.button("Change", key=f"show-{name}", type="tertiary"):
            choose(entry.path)
        if not on and st.button("Remove", key=f"remove-{name}", type="tertiary"):
            processes.fleet().forget(entry)
            choose(None)


def stop(path: Path) -> None:
    """Stop an arm that is not shown."""
    arm = RemoteArm(path, session=processes.session(), timeout=5.0)
    try:
        arm.connect()
        arm.stop()
    except ArmError as error:
        st.error(f"It could not be stopped from here: {error}. Use its hardware stop.", icon=":material/error:")
    finally:
        arm.disconnect()


def choose(path: Path | None) -> None:
    """Show another arm in the panel and the strip."""
    processes.show_arm(path)
    st.rerun()


@st.fragment(run_every=1.0)
def overview() -> None:
    """All arms, looked at again every second; the page is drawn anew when the one it shows has come or gone."""
    found = rows()
    for row in found:
        line(row)
    if not found:
        st.write("No arm is kept here yet. Plug one in, or start an emulated one, and look for it below.")
    path = processes.shown_arm()
    before = st.session_state.get("arm address") is not None
    run = running(path) if path is not None else None
    known = st.session_state.get("arm run")
    st.session_state["arm run"] = (run.pid, run.port) if run else None
    if path is not None and (known != st.session_state["arm run"] or (run is not None) != before):
        processes.arm_socket(path, fresh=True)
        st.rerun()


def free_ports() -> list[Found]:
    """Ports that no kept arm has."""
    taken = {port for entry in processes.fleet().entries() for port in (entry.port, entry.leader)}
    return [port for port in find_ports() if port.path not in taken]


def finder() -> None:
    """Ports with something behind them, and a way to keep what is there."""
    st.markdown("**Plugged in**")
    if st.button("Look again", key="look", icon=":material/refresh:"):
        st.rerun()
    ports = [port for port in free_ports() if port.likely != LEADER]
    for port in ports:
        with st.container(border=True):
            st.markdown(f"**{port.what}**  \n:small[`{port.path}`]")
            keep(port.path, port.path, LIKELY[port.likely], "My arm")
    if not ports:
        st.write("Nothing new. Plug the arm's USB cable in, switch its supply on, and look again.")
        st.caption("Without an arm: `python -m robot_io.emulate so101` in a terminal, and look again.")
    with st.expander("Practise with a simulated arm"):
        keep("sim", "", ("sim:panda",), "Practice arm")


def leader_words(path: str) -> str:
    """A leader's port, for a person."""
    return path or "none: it is driven from the page"


def own_camera(port: str, sources: list[str]) -> list[str]:
    """The camera of an emulated bench, for the arm that stands there."""
    return [source for source in sources if source == f"{EMULATED}{Path(port).parent}"]


def keep(key: str, port: str, kinds: tuple[str, ...], title: str) -> None:
    """Name an arm, say what it is, and connect it."""
    kind = st.selectbox("It is", kinds, format_func=lambda k: KINDS.get(k, k), key=f"kind-{key}") if port else kinds[0]
    named = st.text_input("Call it", title, max_chars=40, key=f"title-{key}")
    sources = find_cameras() if port else []
    seen = st.multiselect("Its cameras", sources, own_camera(port, sources), key=f"cameras-{key}") if sources else []
    leaders = [other.path for other in free_ports() if other.path != port] if kind in LED else []
    leader = ""
    if leaders:
        leader = st.selectbox(
            "Its leader arm", ["", *leaders], format_func=leader_words, key=f"leader-{key}", help=LEADS
        )
    if st.button("Connect it", key=f"keep-{key}", type="primary"):
        cameras = {f"camera {n}": s for n, s in enumerate(seen, 1)}
        try:
            entry = processes.fleet().add(named, str(kind), port, cameras, str(leader or ""))
        except ArmError as error:
            st.error(str(error), icon=":material/error:")
            return
        processes.fleet().connect(entry)
        choose(entry.path)


def close_up(path: Path | None) -> None:
    """The panel of the arm that was chosen, its shape, and its diagnostics."""
    address: dict[str, Any] | None = processes.arm_socket(path) if path is not None else None
    if path is None:
        st.info("Choose an arm on the left: its joints, limits, temperatures and cameras appear here.")
        return
    if address is not None:
        arm_panel(f"{path}:{address['port']}")
        in_space(path)
    entry = processes.fleet().entry(path.name) if path.parent == processes.fleet().home else None
    if entry is not None:
        used(entry)
        changing(entry)
    st.html(DIAGNOSTICS.format(link=link(path)))


def in_space(path: Path) -> None:
    """Its workspace in 3D, on demand: the arm as it is when it is opened."""
    with st.expander("Workspace in 3D"):
        if not st.toggle("Show", key="in-space", help="Drawn again when it is switched on: the arm as it then stands."):
            return
        told = shape(path)
        drawn = figure(told) if told is not None else None
        if drawn is None:
            st.write("This arm tells no lengths, so there is nothing to draw; its joints' limits hold all the same.")
        else:
            st.plotly_chart(drawn, key="space", alt="The arm, the points that its gripper reaches, and its workspace")


def main() -> None:
    """Draw the page."""
    left, right = st.columns([1, 2.3], gap="medium")
    with left:
        overview()
        finder()
    with right:
        close_up(processes.shown_arm())


main()
