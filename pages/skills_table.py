"""What the novice can and cannot do yet: success by skill, from answers and from evaluations, with intervals."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from teaching.comparing import played
from teaching.evaluations import Evaluation
from teaching.metrics import Rate
from teaching.replay.glance import Glance
from teaching.skills import RECENT, profile

ENOUGH = 10
"""Cases below which a share is not to be trusted."""


def judged(found: Glance) -> Iterable[tuple[str, int]]:
    """Goals and outcomes of the plans that were judged, oldest first."""
    rows = found.columns.decisions
    known = rows[rows["outcome"] != 0][-100 * RECENT :]
    return [
        (found.columns.word(code), int(outcome)) for code, outcome in zip(known["goal"], known["outcome"], strict=True)
    ]


def evaluated(path: Path, model: str, found: list[Evaluation]) -> Iterable[tuple[str, int]]:
    """Goals of the frozen scenes that a model was evaluated or filmed on, each once, and whether it solved them."""
    scenes = {(h.split, h.scene, h.seed): (h.goal, 1 if h.solved else -1) for h in played(path, model)}
    for e in found:
        figures = e.figures or {}
        if e.model == model and "goals" in figures:
            results = zip(figures["goals"], figures["rewards"], strict=False)
            scenes |= {(e.split, n, int(figures["seeds"][n])): (g, 1 if r >= 0.9999 else -1)
                       for n, (g, r) in enumerate(results)}  # fmt: skip
    return list(scenes.values())


def told(rate: Rate | None) -> str:
    """A share with its interval."""
    if rate is None or not rate.n:
        return "not seen"
    low, high = rate.interval
    few = ", too few to know" if rate.n < ENOUGH else ""
    return f"{100 * rate.value:.0f} % ({100 * low:.0f}–{100 * high:.0f} %, {rate.n}{few})"


def skills_table(path: Path, model: str, found: list[Evaluation], glance: Glance) -> None:
    """Skill by skill, the weakest first."""
    task = str(glance.columns.lesson.get("task", ""))
    answers = profile(task, judged(glance))
    scenes = profile(task, evaluated(path, model, found), recent=10_000)
    if not answers and not scenes:
        return
    st.markdown("### What it can and cannot do yet")
    names = sorted({*answers, *scenes}, key=lambda name: _weakness(answers.get(name), scenes.get(name)))
    rows = [{"skill": n, "by your answers": told(answers.get(n)), f"model {model} on fresh scenes": told(scenes.get(n))}
            for n in names]  # fmt: skip
    st.dataframe(rows, hide_index=True)
    st.caption(
        f"By your answers: its newest {RECENT} judged plans of each skill, those that the gate chose among them. "
        "On fresh scenes: evaluations and comparisons of the chosen model. A lesson can choose its scenes by this; "
        "that is set when it is made."
    )


def _weakness(*rates: Rate | None) -> float:
    """The share that is known best; what was never seen comes last."""
    known = [rate for rate in rates if rate is not None and rate.n]
    return max(known, key=lambda rate: rate.n).value if known else 2.0
