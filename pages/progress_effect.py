"""What a lesson changed: right plans against the teacher's minutes, goals early and late, models on fresh scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from pages.components.chart import COLOURS, Layer, axis, band, bars, chart, line
from teaching.effect import against_minutes, shifts
from teaching.evaluations import evaluations, pooled
from teaching.metrics import Rate
from teaching.promise import ENOUGH
from teaching.replay.glance import Glance
from teaching.types import Array

LATEST = 4
"""Evaluated models that are told."""


def minutes_chart(decisions: Array) -> None:
    """Right plans over the latest 50 random checks, against the minutes spent answering."""
    found = against_minutes(decisions)
    if not len(found.at):
        st.caption(f"Fewer than {ENOUGH} random checks were judged so far: too few to draw a curve.")
        return
    layers = [
        band(found.at, found.low, found.high, COLOURS[0], name="95 % interval"),
        line(found.at, found.share, COLOURS[0], name="right, of the latest 50 random checks"),
    ]
    high = max(float(found.at[-1]) * 1.02, 0.1)
    chart(
        axis("minutes of your time", 0, high), axis("share", 0, 1.02), layers, key="minutes", height=200,
        alt=f"Right plans against minutes: {found.share[0]:.0%} at first, {found.share[-1]:.0%} at last",
    )  # fmt: skip


def told(rate: Rate) -> str:
    """A share with its count."""
    return f"{rate.hits} of {rate.n}"


def half(name: str, hue: str, aside: float, rates: list[Rate], goals: list[str]) -> Layer:
    """The bars of one half of the lesson, a goal each."""
    edges = [r.interval for r in rates]
    return bars(
        np.arange(len(rates)) + aside, np.array([r.value for r in rates]), hue, name=name, width=0.3,
        low=np.array([e.low for e in edges]), high=np.array([e.high for e in edges]), text=[str(r.n) for r in rates],
        says=[f"{goal}: {told(r)} right" for goal, r in zip(goals, rates, strict=True)],
    )  # fmt: skip


def goals_chart(found: Glance) -> None:
    """Goal by goal, early and late, with intervals."""
    rows = [s for s in shifts(found.columns.decisions) if s.before.n and s.after.n]
    if not rows:
        st.caption("No goal was checked at random both early and late yet.")
        return
    goals = distinct([found.columns.word(s.goal) for s in rows if s.goal >= 0])
    names = [*goals, *("others" for s in rows if s.goal < 0)]
    layers = [
        half("earlier half", COLOURS[5], -0.17, [s.before for s in rows], names),
        half("later half", COLOURS[0], 0.17, [s.after for s in rows], names),
    ]
    width = 150 // len(rows)
    ticks = [(float(i), name if len(name) <= width else f"{name[: width - 1]}…") for i, name in enumerate(names)]
    spoken = "; ".join(f"{n}: {told(s.before)} early, {told(s.after)} late" for n, s in zip(names, rows, strict=True))
    chart(
        axis("", -0.5, len(rows) - 0.5, ticks), axis("right plans", 0, 1.12), layers, key="goals", height=210,
        alt=f"Right plans by goal. {spoken}",
    )  # fmt: skip
    few = sum(not s.known for s in rows)
    if few:
        st.caption(
            f"{few} of {len(rows)} have fewer than {ENOUGH} checks on a side: their bars say little, see the whiskers."
        )


def models_told(path: Path, found: Glance) -> None:
    """What is stored by now, and how models did on fresh scenes."""
    stored, trainings = int(found.columns.in_force.sum()), len(found.diary("training", most=100_000))
    st.markdown(f"**{stored:,}** examples are stored, **{trainings:,}** trainings were run.")
    done = evaluations(path)
    models = sorted({e.model for e in done if e.success is not None})[-LATEST:]
    lines = []
    for model in models:
        rate = pooled(done, model)
        if rate is not None:
            low, high = rate.interval
            lines.append(f"model {int(model)}: **{rate.value:.0%}** ({low:.0%} to {high:.0%}, {rate.n} fresh scenes)")
    st.markdown("  \n".join(lines) if lines else "No model was evaluated on fresh scenes yet; the Training page does.")


def effect(path: Path, found: Glance) -> None:
    """Goal by goal, and the models."""
    st.markdown("**What the lesson changed**")
    left, right = st.columns([2.6, 1], gap="medium")
    with left:
        goals_chart(found)
    with right:
        models_told(path, found)


def distinct(goals: list[str]) -> list[str]:
    """Goals without the words that all of them begin with."""
    words = [goal.split() for goal in goals]
    same = 0
    while len(words) > 1 and all(len(w) > same + 1 and w[same] == words[0][same] for w in words):
        same += 1
    return [" ".join(w[same:]) for w in words]
