"""Keys: what each key does, and moving an action to another key."""

from __future__ import annotations

import streamlit as st

from pages import keymap
from pages.addresses import home
from teaching.types import BadInput

PATH = home() / "keys.json"
WHERE = {
    "teach": {"asking": "question", "relabelling": "goal list", "demonstrating": "showing", "idle": "no question"},
    "rollout": {
        "resting": "between episodes",
        "watching": "the arm works",
        "recovering": "you bring it back",
        "correcting": "you show how",
        "showing": "you show it all",
        "looking": "in the past",
        "waiting": "saving",
    },
}
PAGES = {"teach": "Teach", "rollout": "Rollout"}


def current() -> tuple[keymap.Binding, ...]:
    """The saved table; the default one, and a word about it, if the file is damaged."""
    try:
        return keymap.load(PATH)
    except BadInput as error:
        st.warning(str(error))
        return keymap.DEFAULT


def keep(changes: dict[str, str]) -> None:
    """Save what was typed, or say what is wrong with it."""
    try:
        keymap.save(PATH, keymap.rebound(changes))
    except (BadInput, OSError) as error:
        st.error(str(error), icon=":material/error:")
    else:
        st.toast("Keys saved", icon=":material/check:")


def draw(page: str, bindings: list[keymap.Binding], changes: dict[str, str]) -> None:
    """The fields of one page, in two columns; what is typed goes to `changes`."""
    columns = st.columns(2, gap="large")
    for n, binding in enumerate(bindings):
        field, words = columns[2 * n // len(bindings)].columns([1, 4], vertical_alignment="center")
        typed = field.text_input(binding.label, binding.key, key=f"key-{binding.action}", label_visibility="collapsed")
        always = len(binding.states) == len(keymap.STATES[page])
        where = "" if always else " · " + ", ".join(WHERE[page][s] for s in binding.states)
        words.markdown(f"**{binding.label}** {binding.help}:gray[{where}]")
        changes[binding.action] = typed.strip() if typed.strip() in keymap.NAMED else typed.strip().lower()


def main() -> None:
    """Draw the table as fields, and save it on a press."""
    st.title("Keys")
    st.write("Esc is STOP on every page and cannot be moved. Named keys: " + ", ".join(keymap.NAMED[:3]) + ".")
    table = current()
    with st.form("keys", border=False, enter_to_submit=False):
        changes: dict[str, str] = {}
        for page, title in PAGES.items():
            st.subheader(title)
            draw(page, [binding for binding in table if binding.page == page], changes)
        if st.form_submit_button("Save", type="primary"):
            keep(changes)
    if st.button("Back to the defaults"):
        keymap.save(PATH, keymap.DEFAULT)
        for binding in keymap.DEFAULT:
            st.session_state.pop(f"key-{binding.action}", None)
        st.rerun()


main()
