"""What a person changes of an arm that is kept: its name, its port, its cameras; and its way into a lesson."""

from __future__ import annotations

import streamlit as st

from pages import processes
from robot_io.camera_names import find_cameras
from robot_io.errors import ArmError
from robot_io.fleet import Entry
from robot_io.port import find_ports
from robot_io.sighting import sight_file


def changing(entry: Entry) -> None:
    """A form; what is saved is taken up at once: an arm that is connected parks and is taken anew."""
    slug = entry.path.name
    with st.expander("Change its name, port or cameras", icon=":material/edit:"):
        title = st.text_input("Call it", entry.title, max_chars=40, key=f"change-title-{slug}")
        port = port_field(entry)
        sources = list(dict.fromkeys([*entry.cameras.values(), *find_cameras()]))
        seen = st.multiselect("Its cameras", sources, list(entry.cameras.values()), key=f"change-cameras-{slug}")
        if st.button("Save", key=f"change-{slug}", type="primary"):
            save(entry, title, port, seen)


def port_field(entry: Entry) -> str:
    """Its port, or another one that no kept arm has."""
    if not entry.port:
        return ""
    taken = {other.port for other in processes.fleet().entries()}
    ports = [entry.port, *(found.path for found in find_ports() if found.path not in taken)]
    return str(st.selectbox("Plugged in at", ports, key=f"change-port-{entry.path.name}"))


def save(entry: Entry, title: str, port: str, seen: list[str]) -> None:
    """Keep it, and take the arm anew if it is connected."""
    fleet = processes.fleet()
    changes = {"title": title, "cameras": {f"camera {n}": source for n, source in enumerate(seen, 1)}}
    try:
        changed = fleet.change(entry, **changes, **({"port": port} if port != entry.port else {}))
    except ArmError as error:
        st.error(str(error), icon=":material/error:")
        return
    if fleet.wanted(entry):
        fleet.disconnect(entry, wait=False)
        fleet.connect(changed)
    st.rerun()


def lesson_name(entry: Entry) -> str:
    """The name by which a lesson uses it, with its first calibrated camera; "" if none is calibrated."""
    for source in entry.cameras.values():
        file = sight_file(entry.path.resolve(), source)
        if file.is_file():
            return f"{entry.name},camera={source},sight={file}"
    return ""


def arm_words(name: str) -> str:
    """An arm's name for people: what they call it if it is kept here, else its kind and port."""
    plain = name.partition(",")[0]
    return next((entry.title for entry in processes.fleet().entries() if entry.name == plain), plain)


def used(entry: Entry) -> None:
    """Teach it: a lesson takes the arm for itself, so it is let go of here."""
    name = lesson_name(entry)
    if not name:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Make a lesson with it", key=f"teach-{entry.path.name}", icon=":material/school:", type="primary"):
            processes.fleet().disconnect(entry, wait=False)
            st.session_state["lesson arm"] = name
            st.switch_page("lessons.py")
        st.caption("Its camera is calibrated, so it can pick and place. It parks first: a lesson takes it for itself.")
