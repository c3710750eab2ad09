"""Would it have become the same without this answer? Asked of two compared models, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pages.counting import counted
from teaching.between import Between
from teaching.comparing import Pair
from teaching.leaving_out import OTHER, WITH, WITHOUT, Asked, LeftOut, asked, start
from teaching.types import AskbackError

WORDS = {"before": "the earlier model", "after": "the later one", WITH: "trained again, with it",
         OTHER: "again, other draws", WITHOUT: "trained again, without it"}  # fmt: skip


def leave_out(path: Path, pair: Pair, found: Between | None, near: list[str]) -> None:
    """Choose an answer, have both trained again, and see what became of it.

    Args:
        path: of the lesson.
        pair: the models and the scenes on which they were compared.
        found: what lies between them.
        near: examples that are about the chosen scene's goal, to be offered first.
    """
    if found is None:
        return
    answers = list(dict.fromkeys([*near, *(t.example for t in found.taught), *found.episodes]))
    if not answers:
        return
    st.markdown("#### Did one answer cause it?")
    left, right, words = st.columns([1.6, 1.2, 3.2], vertical_alignment="bottom")
    answer = left.selectbox("Answer", answers, key=f"without {pair.name}")
    right.button("Train without it", key="leave out", on_click=begin, args=(path, pair, str(answer)), width="stretch")
    words.caption(
        "Trains anew from the earlier model, with this answer and without it, and once with other draws, to tell what "
        "training again changes by itself. All play the same scenes."
    )
    told = [one for one in asked(path) if one.figures is not None and _about(one, pair)]
    for one in told:
        assert one.figures is not None
        result(one.figures)


def begin(path: Path, pair: Pair, answer: str) -> None:
    """Start the job."""
    try:
        start(path, LeftOut(pair, answer))
    except (AskbackError, OSError) as error:
        st.session_state["refused"] = str(error)


def _about(one: Asked, pair: Pair) -> bool:
    told = one.figures or {}
    return (told["before"], told["after"], told["split"], told["seed"], told["episodes"]) == (
        pair.before, pair.after, pair.split, pair.seed, pair.scenes,
    )  # fmt: skip


def result(told: Mapping[str, Any]) -> None:
    """What an answer changed, what training again changed, and which scenes each of the four models solved."""
    with st.container(border=True):
        out = told["examples"]
        st.markdown(f"**Without {told['without']}** ({counted(len(out), 'example')} left out: {', '.join(out)})")
        st.markdown(
            f"- With it against without it: {change(told['answer'])}\n"
            f"- With it, but drawn by another seed: {change(told['noise'])}"
        )
        same = len(told["repeat"]["fixed"]) + len(told["repeat"]["broken"])
        st.caption(
            f"Trained again on the same with the same seed, {counted(same, 'scene')} came out otherwise than before."
        )
        st.caption(verdict(told))
        solved = {name: set(told["solved"][name]) for name in WORDS}
        rows = [
            {"scene": n, **{WORDS[m]: "solved" if n in solved[m] else "" for m in WORDS}, "goal": goal}
            for n, goal in enumerate(told["goals"])
            if len({n in solved[m] for m in WORDS}) > 1
        ]
        if rows:
            st.dataframe(rows, hide_index=True, height=min(250, 38 + 35 * len(rows)))


def change(one: Mapping[str, Any]) -> str:
    """A difference in words."""
    low, high = one["interval"]
    return (
        f"{counted(len(one['fixed']), 'scene')} solved by the first only, {len(one['broken'])} by the second only, "
        f"**{100 * one['difference']:+.0f} points** ({100 * low:+.0f} to {100 * high:+.0f}, 95 % interval, paired); "
        f"so uneven by luck: {one['chance']:.2f}"
    )


def verdict(told: Mapping[str, Any]) -> str:
    """What may be said of it."""
    mine, noise = told["answer"], told["noise"]
    low, high = mine["interval"]
    changed = len(mine["fixed"]) + len(mine["broken"])
    again = len(noise["fixed"]) + len(noise["broken"])
    if not changed:
        return "Without this answer the same scenes were solved: on these scenes it caused nothing that can be seen."
    if low <= 0.0 <= high or changed <= again:
        return (
            f"The answer changed {counted(changed, 'scene')}, other draws alone {again}: "
            "too few to tell one from the other. More scenes tell more."
        )
    return f"The answer changed {counted(changed, 'scene')}, other draws alone {again}: it caused part of the change."
