"""The fields of a lesson that asks: its promise, what its scenes are about, and what looks at the teacher."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

import streamlit as st

from teaching.blinding import Blinding
from teaching.gating import KINDS, MODES, Gate
from teaching.lesson import PERSON_GATE, LessonConfig

MODE_WORDS = {"sensitivity": "ask before mistakes", "specificity": "leave good plans alone", "success": "end well"}
SCENE_WORDS = {
    "random": "whatever comes",
    "weak": "what it is weak in",
    "unsure": "what is least known of it",
}


def explained(config: type, name: str) -> str:
    """The one-line explanation of a setting."""
    return next((str(f.metadata.get("help", "")) for f in fields(config) if f.name == name), "")


def gate_fields() -> dict[str, Any]:
    """The promise about asking."""
    gate = PERSON_GATE
    first, second = st.columns(2)
    kind = first.selectbox("It asks by", KINDS, help=explained(Gate, "kind"))
    mode = second.selectbox(
        "It promises to",
        MODES,
        MODES.index(gate.mode),
        format_func=MODE_WORDS.__getitem__,
        help=explained(Gate, "mode"),
    )
    target = first.slider("Promised share", 0.5, 1.0, gate.target, 0.01, help=explained(Gate, "target"))
    p_rand = second.slider("Random checks", 0.0, 1.0, gate.p_rand, 0.05, help=explained(Gate, "p_rand"))
    level = 0.5
    if kind == "fixed":
        level = first.slider("Asks from uncertainty", 0.0, 1.0, 0.5, 0.01, help=explained(Gate, "level"))
    return asdict(replace(gate, kind=kind, mode=mode, target=target, p_rand=p_rand, level=level))


def scene_field() -> str:
    """What every second scene is about."""
    chosen: str = st.radio(
        "Every second scene is about",
        list(SCENE_WORDS),
        format_func=SCENE_WORDS.__getitem__,
        horizontal=True,
        help=explained(LessonConfig, "scenes"),
        key="scenes-of",
    )
    return chosen


def blinding_fields() -> dict[str, float]:
    """How many questions hide how sure it is, and how many come twice."""
    usual = Blinding()
    first, second = st.columns(2)
    hidden = first.slider(
        "Hides how sure it is, of 100 questions", 0, 100, round(100 * usual.hidden), 5, key="hidden",
        help=explained(Blinding, "hidden") + " Whoever sees it tends to agree with it; Progress tells by how much.",
    )  # fmt: skip
    told = " The second answer changes nothing; Progress tells how often both agree."
    repeated = second.slider(
        "Asked once more, after so many of 100 answers", 0, 50, round(100 * usual.repeated), 5, key="repeated",
        help=explained(Blinding, "repeated") + told,
    )  # fmt: skip
    return {"hidden": hidden / 100, "repeated": repeated / 100}
