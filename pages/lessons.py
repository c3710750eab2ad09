"""The start page: begin at once, make a lesson, go on with one, back one up."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from pages import processes
from pages.addresses import home
from pages.arm_change import arm_words
from pages.asking_fields import blinding_fields, explained, gate_fields, scene_field
from pages.capsules import capsule
from pages.counting import counted
from teaching.lesson import KINDS as KINDS_OF
from teaching.lesson import PERSON_GATE, LessonConfig
from teaching.rollout_task import rollout_tasks
from teaching.supervisor import LessonSummary, backup_command, create_lesson, kind_of, list_lessons, remove_lesson
from teaching.task import tasks
from teaching.types import BadInput

PAGES = {"plans": "teach.py", "rollout": "rollout.py"}
WIDTH = 900  # pixels, so that lines stay readable
LOW_DISK = 2 * 2**30
START = {"starter": "the starter, which knows some colours", "nothing": "nothing learnt yet"}
SPLITS = {
    "seen": "colours and shapes of the usual set",
    "unseen": "another set, in part new",
    "only:purple": "goals about purple only, which the starter does not know",
}
FIRST = {
    "task": "put-block-in-bowl",
    "arm": "sim:panda",
    "start": "starter",
    "split": "only:purple",
    "gate": asdict(PERSON_GATE),
}
KIND_WORDS = {
    "plans": "it asks before it moves, you answer",
    "rollout": "it moves, you watch and take over",
}
PROTOCOL_WORDS = {
    "rac": "bring it back, then show how; that ends the episode",
    "rule1": "bring it back, then show how; then it goes on",
    "rule2": "show how; that ends the episode",
    "hg-dagger": "show how; then it goes on",
    "demos": "you show everything, it never works",
}
WEIGHTINGS = {
    "rac": "what you showed, all of it alike",
    "iwr": "what you showed half, all else half (IWR)",
    "sirius": "nothing of what led to a take-over (Sirius)",
}
READS = {"state": "what it perceives, as numbers", "pictures": "small pictures, 10 a second"}
SMALL = "block-in-bowl"
"""The task in motion that a small arm's jaws can do; the others are the simulated arms'."""
LOOKS = {"seen": "what it sees can be wrong", "without:errors": "what it sees is right"}


def go(path: Path) -> None:
    """Open a lesson on the page on which it is taught."""
    processes.choose(path)
    st.switch_page(PAGES.get(kind_of(path), PAGES["plans"]))


def made(name: str, **config: Any) -> Path | None:
    """A new lesson, or a sentence on what was wrong with it."""
    try:
        return create_lesson(home(), name, **config)
    except (BadInput, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return None


def first_visit() -> None:
    """One button."""
    st.title("Teach a robot arm by answering its questions")
    st.write(
        "The arm shows what it plans and how sure it is. You say yes, show it, or tell it what else that would be "
        "right for. It learns from every answer within seconds."
    )
    st.write(
        "The one that you begin with is simulated: nothing can break. It can put blocks of ten colours into bowls, and "
        "has never heard of *purple*: teach it, and watch it learn from each answer."
    )
    if st.button("Start teaching now", type="primary", icon=":material/play_arrow:", key="start"):
        path = made("teach it purple", **FIRST, teacher=who())
        if path is not None:
            go(path)
    st.write("Or watch an arm do a long task in motion, take over before it fails, and show it the way back.")
    if st.button("Supervise an arm in motion", icon=":material/gesture:", key="start-rollout"):
        path = made("peg and button", kind="rollout", teacher=who())
        if path is not None:
            go(path)


def who() -> str:
    """The name of the person in front, kept in this browser."""
    return processes.teacher()


def name_field() -> None:
    """Who answers."""
    given = st.text_input(
        "Your name",
        value=processes.teacher(""),
        max_chars=60,
        key="teacher-field",
        help=explained(LessonConfig, "teacher"),
    )
    if given.strip() and given.strip() != st.session_state.get("teacher"):
        st.session_state["teacher"] = given.strip()
        st.session_state.pop("addresses", None)
        st.rerun()


def line(lesson: LessonSummary) -> None:
    """One lesson and what can be done with it."""
    with st.container(border=True):
        words, act, more = st.columns([8, 1.4, 0.7], vertical_alignment="center")
        state = ":green-badge[running]" if lesson.running else ""
        words.markdown(f"**{lesson.name}** {state}  \n{lesson.task} · {arm_words(lesson.arm)} · {counts(lesson)}")
        if lesson.problem:
            words.warning(lesson.problem, icon=":material/error:")
        elif act.button("Go on", key=f"go-{lesson.path.name}", type="primary", width="stretch"):
            go(lesson.path)
        with more.popover("", icon=":material/more_vert:", key=f"more-{lesson.path.name}"):
            details(lesson)


def counts(lesson: LessonSummary) -> str:
    """What was said in it so far."""
    if lesson.kind == "rollout":
        return f"in motion, {counted(lesson.episodes, 'episode')}"
    said = counted(lesson.answers, "answer"), counted(lesson.demonstrations, "stored example")
    return ", ".join([*said, counted(lesson.episodes, "scene")])


def details(lesson: LessonSummary) -> None:
    """Back up, close, remove."""
    st.write("To back it up, run:")
    st.code(backup_command(lesson.path), language="bash", wrap_lines=True)
    if lesson.episodes:
        capsule(lesson.path)
    if lesson.running and st.button(
        "Close it", key=f"close-{lesson.path.name}", help="Ends its arm and its host in order."
    ):
        if processes.chosen() == lesson.path:
            processes.choose(None)
        processes.supervisor().close(lesson.path)
        st.rerun()
    if not lesson.running and st.button("Move to the trash", key=f"remove-{lesson.path.name}"):
        remove_lesson(lesson.path)
        st.rerun()


def new_lesson() -> None:
    """A lesson of one's own making."""
    name = st.text_input("Name of the lesson", max_chars=60, key="name", help=explained(LessonConfig, "name"))
    kind = st.radio(
        "How you teach it",
        KINDS_OF,
        format_func=KIND_WORDS.__getitem__,
        key="kind",
        help=explained(LessonConfig, "kind"),
    )
    config = moving_fields() if kind == "rollout" else asking_fields()
    if st.button("Create and open", type="primary", key="create"):
        path = made(name, kind=kind, teacher=who(), **config)
        if path is not None:
            go(path)


def chosen_arm() -> str:
    """The arm of the Arms page that a lesson is to be made with, "" if there is none."""
    return str(st.session_state.get("lesson arm") or "")


def asking_fields() -> dict[str, Any]:
    """What a lesson of questions is made with."""
    first, second = st.columns(2)
    task = first.selectbox("Task", tasks(), help=explained(LessonConfig, "task"))
    arm = second.text_input("Arm", chosen_arm() or "sim:panda", help=explained(LessonConfig, "arm"))
    split = first.radio("Scenes", ("seen", "unseen"), horizontal=True, help=explained(LessonConfig, "split"))
    start = second.radio(
        "Start from", list(START), format_func=START.__getitem__, help=explained(LessonConfig, "start")
    )
    scenes = scene_field()
    with st.expander("When it asks"):
        gate = gate_fields()
    with st.expander("Questions that tell how steady your answers are"):
        blinding = blinding_fields()
    return {
        "task": task,
        "arm": arm,
        "split": split,
        "start": start,
        "scenes": scenes,
        "gate": gate,
        "blinding": blinding,
    }


def moving_fields() -> dict[str, Any]:
    """What a lesson in motion is made with."""
    first, second = st.columns(2)
    small = bool(chosen_arm())  # an arm of the Arms page that has a table is a small one
    names = sorted(rollout_tasks(), key=lambda name: (name == SMALL) != small)
    task = first.selectbox("Task", names, help=explained(LessonConfig, "task"))
    arm = second.text_input("Arm", chosen_arm() or "sim:panda", help=explained(LessonConfig, "arm"))
    protocol = first.selectbox(
        "When you take over",
        list(PROTOCOL_WORDS),
        format_func=PROTOCOL_WORDS.__getitem__,
        help=explained(LessonConfig, "protocol"),
    )
    wanted = second.number_input("Trained after", 1, 200, 10, help=explained(LessonConfig, "wanted"))
    rounds = second.number_input("Rounds planned", 0, 100, 6, help=explained(LessonConfig, "rounds"))
    split = first.radio("Scenes", list(LOOKS), format_func=LOOKS.__getitem__, help=explained(LessonConfig, "split"))
    with st.expander("What it is trained on"):
        learns = training_fields()
    observe = second.radio(
        "It reads", list(READS), format_func=READS.__getitem__, help=explained(LessonConfig, "observe")
    )
    film = second.checkbox("Keep pictures of what happens", value=True, help=explained(LessonConfig, "film"))
    asked = {"wanted": int(wanted), "rounds": int(rounds), "split": split, "observe": observe, "film": film, **learns}
    return {"task": task, "arm": arm, "protocol": protocol, **asked}


def training_fields() -> dict[str, Any]:
    """Which frames of a lesson in motion count, and how much."""
    weighting = st.selectbox(
        "Weights", list(WEIGHTINGS), format_func=WEIGHTINGS.__getitem__, help=explained(LessonConfig, "weighting")
    )
    auto = st.checkbox("Also ways back that it retraced by itself", help=explained(LessonConfig, "recovery_auto"))
    return {"weighting": weighting, "recovery_auto": auto}


def disk() -> None:
    """Free space where the lessons lie."""
    place = next(p for p in (home(), *home().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < LOW_DISK:
        st.warning(f"Only {free / 2**30:.1f} GB of disk left in {home()}: make room before it runs out.")
    else:
        st.caption(f"Lessons lie in {home()} · {free / 2**30:.0f} GB free")


def main() -> None:
    """Draw the page."""
    lessons = list_lessons(home())
    with st.container(width=WIDTH):
        draw(lessons)


def draw(lessons: list[LessonSummary]) -> None:
    """The lessons, or the one button of a first visit; then what it takes to make another."""
    if not lessons:
        first_visit()
    else:
        st.title("Lessons")
        for lesson in lessons:
            line(lesson)
    with st.expander("Make a lesson of your own", expanded=bool(chosen_arm()), icon=":material/add:"):
        name_field()
        new_lesson()
    disk()


main()
