"""Which answers taught it what: two models on the same frozen scenes, and the examples learnt in between."""

from __future__ import annotations

import streamlit as st

from teaching.evaluations import Evaluation, difference
from teaching.models import Model
from teaching.types import AskbackError


def compared(model: Model, known: list[Model], found: list[Evaluation]) -> None:
    """What this model solves that an earlier one did not, on the same scenes, and the examples learnt in between."""
    mine = {(e.seed, e.split): e for e in found if e.model == model.name and e.success is not None}
    pairs = {
        f"{e.model}, seed {e.seed}, {e.split} objects": (e, mine[e.seed, e.split])
        for e in found
        if e.model < model.name and e.success is not None and (e.seed, e.split) in mine
    }
    st.markdown("**Which answers taught it what**")
    if not pairs:
        st.caption(
            "Evaluate this model and an earlier one on the same scenes (the same seed and objects) to compare them."
        )
        return
    earlier, later = pairs[st.selectbox("Compared with model", list(pairs), key="against")]
    try:
        change = difference(earlier, later)
    except AskbackError as error:
        st.caption(str(error))
        return
    n = sum(map(len, (change.fixed, change.broken, change.solved, change.unsolved)))
    st.markdown(
        f"Of {n} frozen scenes **{len(change.fixed)} fixed**, **{len(change.broken)} broken**, {len(change.solved)} "
        f"solved by both, {len(change.unsolved)} by neither. Were both equally good, so uneven a change would come "
        f"about with a chance of {change.chance:.2f}."
    )
    st.caption(f"fixed: scenes {listed(change.fixed)} · broken: scenes {listed(change.broken)}")
    names = {m.name: m for m in known}
    before = set(names[earlier.model].demonstrations) if earlier.model in names else None
    if before is None:
        st.caption("The earlier model is no longer on disk, so what was learnt in between is not known.")
        return
    new = [d for d in model.demonstrations if d not in before]
    links = " · ".join(f"[{d}](/replay?example={d})" for d in new[:20])
    st.caption(f"{len(new)} examples came in between: {links}" + (" …" if len(new) > 20 else ""))


def listed(scenes: tuple[int, ...]) -> str:
    """Scenes by number."""
    return ", ".join(map(str, scenes[:20])) + (" …" if len(scenes) > 20 else "") if scenes else "none"
