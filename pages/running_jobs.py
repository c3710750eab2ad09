"""Evaluations, comparisons, trainings without an answer: those under way or in the queue, and calling them off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from teaching import jobs
from teaching.comparing import comparisons
from teaching.evaluations import evaluations
from teaching.leaving_out import asked
from teaching.types import AskbackError


@dataclass(frozen=True)
class Job:
    """One that lives."""

    what: str
    log: Path
    words: jobs.Words


def living(path: Path) -> list[Job]:
    """A lesson's."""
    found = [
        Job(f"Evaluation of {e.model} on {e.scenes} scenes, {e.split} objects, seed {e.seed}", e.log, e.words)
        for e in evaluations(path)
        if e.running
    ]
    for c in comparisons(path):
        if c.running:
            pair = c.pair
            what = f"Comparison of {pair.before} and {pair.after} on {pair.scenes} scenes, {pair.split} objects"
            found.append(Job(f"{what}, seed {pair.seed}", c.log, c.words))
    for one in asked(path):
        if one.running:
            found.append(Job(f"Training again without {one.answer}", one.log, one.words))
    return found


def call_off(log: Path) -> None:
    """Call a job off; what it had kept stays. One that has ended meanwhile is no trouble."""
    try:
        if jobs.running(log):
            jobs.cancel(log)
    except (AskbackError, OSError) as error:
        st.session_state["refused"] = str(error)


def under_way(path: Path) -> None:
    """All jobs of a lesson that live; the page is drawn anew when one of them ends."""
    if living(path):
        _watch(path, len(living(path)))


@st.fragment(run_every=2.0)
def _watch(path: Path, before: int) -> None:
    found = living(path)
    if len(found) != before:
        st.rerun()
    for job in found:
        left, right = st.columns([5, 1], vertical_alignment="center")
        share = job.words.done / job.words.of if job.words.of else 0.0
        said = f"{job.words.done} of {job.words.of}" if job.words.of else job.words.last[-80:] or "it starts"
        left.progress(min(share, 1.0), f"{job.what}: {said}")
        right.button(
            "Call off",
            key=f"off {job.log.parent.name} {job.log.name}",
            on_click=call_off,
            args=(job.log,),
            width="stretch",
        )
