"""Which answers taught it what: two models on the same frozen scenes, films of both, and the answers in between."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from pages.components.films import films
from pages.left_out import leave_out
from teaching import films as kept
from teaching.between import Between, Taught, about, between
from teaching.comparing import Comparison, Pair, Scene, comparisons, film_path, scenes, start
from teaching.comparing import difference as filmed_difference
from teaching.evaluations import Difference, Evaluation, difference
from teaching.models import Model
from teaching.replay.glance import Glance
from teaching.types import AskbackError

CHANGES = {"fixed": "fixed", "broken": "broken", "unsolved": "by neither", "solved": "by both"}
"""In the order in which a person wants to see them."""


def compared(path: Path, model: Model, known: list[Model], found: list[Evaluation], glance: Glance) -> None:
    """Compare this model with an earlier one; what is there already, with its films."""
    st.markdown("### Which answers taught it what")
    asked(path, model, known)
    ready = {label(c): c for c in comparisons(path) if c.pair.after == model.name and scenes(path, c.pair)}
    pairs = evaluated(model, found)
    choices = [*ready, *pairs]
    if not choices:
        st.caption("Compare this model with an earlier one, or evaluate both on the same scenes (seed and objects).")
        return
    chosen = st.selectbox("Compared with model", choices, key=f"against {model.name}")
    names = {m.name: m for m in known}
    if chosen in ready:
        comparison = ready[chosen]
        with_films(path, comparison, glance, _between(comparison.pair.before, model, names, glance))
        return
    earlier, later = pairs[chosen]
    try:
        told(difference(earlier, later), None)
    except AskbackError as error:
        st.caption(str(error))
        return
    in_between(_between(earlier.model, model, names, glance))


def asked(path: Path, model: Model, known: list[Model]) -> None:
    """Have it compared with an earlier model, on the scenes that the widgets above say."""
    earlier = sorted(m.name for m in known if m.name < model.name)
    if not earlier:
        st.caption("There is no earlier model on disk to compare it with.")
        return
    left, right, words = st.columns([1.4, 1.1, 4], vertical_alignment="bottom")
    left.selectbox("Earlier model", earlier, index=len(earlier) - 1, key="earlier")
    right.button("Compare", key="compare", on_click=compare, args=(path, model.name), width="stretch")
    words.caption(
        "Both play the same scenes, as many as are said above, beside everything else; films are taken of both."
    )


def compare(path: Path, after: str) -> None:
    """Start a comparison with what the widgets say."""
    state = st.session_state
    try:
        pair = Pair(str(state["earlier"]), after, str(state["split"]), int(state["seed"]), int(state["scenes"]))
        start(path, pair)
    except (AskbackError, OSError) as error:
        state["refused"] = str(error)


def label(comparison: Comparison) -> str:
    """A comparison in the list."""
    pair = comparison.pair
    return f"{pair.before}, seed {pair.seed}, {pair.split} objects, {pair.scenes} scenes, with films"


def evaluated(model: Model, found: list[Evaluation]) -> dict[str, tuple[Evaluation, Evaluation]]:
    """Earlier models that were evaluated on scenes that this one was, too."""
    mine = {(e.seed, e.split): e for e in found if e.model == model.name and e.success is not None}
    return {
        f"{e.model}, seed {e.seed}, {e.split} objects": (e, mine[e.seed, e.split])
        for e in found
        if e.model < model.name and e.success is not None and (e.seed, e.split) in mine
    }


def _between(before: str, after: Model, names: dict[str, Model], glance: Glance) -> Between | None:
    return between(names[before], after, list(names.values()), glance) if before in names else None


def told(change: Difference, wanted: int | None) -> None:
    """The counts, the difference with its interval, and how likely it is by luck."""
    low, high = change.interval
    missing = f" ({wanted - change.n} are still to come)" if wanted and wanted > change.n else ""
    st.markdown(
        f"Of {change.n} frozen scenes{missing} **{len(change.fixed)} fixed**, **{len(change.broken)} broken**, "
        f"{len(change.solved)} solved by both, {len(change.unsolved)} by neither: success changed by "
        f"**{100 * change.value:+.0f} points** ({100 * low:+.0f} to {100 * high:+.0f}, 95 % interval, paired). "
        f"Were both equally good, so uneven a change would come about with a chance of {change.chance:.2f}."
    )
    st.caption(f"scenes fixed: {listed(change.fixed)} · broken: {listed(change.broken)}")


def with_films(path: Path, comparison: Comparison, glance: Glance, found: Between | None) -> None:
    """The table of scenes, the chosen one's films, and the answers that are about its goal."""
    pair = comparison.pair
    played = scenes(path, pair)
    told(filmed_difference(played), pair.scenes)
    ordered = [s for change in CHANGES for s in played if s.change == change]
    left, right = st.columns([1, 1.9], gap="medium")
    with left:
        scene = ordered[table(ordered, pair)]
    with right:
        show(path, pair, scene)
    task = str(glance.columns.lesson.get("task", ""))
    in_between(found, scene, task)
    leave_out(path, pair, found, [t.example for t, _ in about(task, scene.before.goal, found.taught)] if found else [])


def table(ordered: list[Scene], pair: Pair) -> int:
    """Scenes, what changed first; the position of the chosen one."""
    rows = [
        {
            "scene": s.before.scene,
            "": CHANGES[s.change],
            pair.before: round(s.before.reward, 2),
            pair.after: round(s.after.reward, 2),
            "goal": s.before.goal,
        }
        for s in ordered
    ]
    event = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"scenes {pair.name}",
        height=min(330, 38 + 35 * len(rows)),
    )
    chosen = event.selection.rows
    return int(chosen[0]) if chosen and chosen[0] < len(ordered) else 0


def show(path: Path, pair: Pair, scene: Scene) -> None:
    """Both films."""
    number = scene.before.scene
    try:
        both = [kept.for_browser(film_path(path, m, pair.split, pair.seed, number)) for m in (pair.before, pair.after)]
    except AskbackError as error:
        st.warning(str(error))
        return
    if not all(one["shots"] for one in both):
        st.write("No pictures were taken: this arm is seen by nobody while it moves.")
        return
    captions = (caption("before", scene.before), caption("after", scene.after))
    films(f"{pair.name} {number}", both[0], both[1], captions)


def caption(when: str, head: kept.Head) -> str:
    """Over a film."""
    word = "solved" if head.solved else "not solved"
    return f"{when}: model {head.model}, scene {head.scene}, {word} ({head.said})"


def in_between(found: Between | None, scene: Scene | None = None, task: str = "") -> None:
    """The answers that lie between the two models, those that are about this scene first."""
    if found is None:
        st.caption("The earlier model is no longer on disk, so what was learnt in between is not known.")
        return
    if found.episodes:
        links = " · ".join(f"[{e}](/episodes?episode={e})" for e in found.episodes[:30])
        st.caption(f"{len(found.episodes)} episodes came in between: {links}")
        return
    near = about(task, scene.before.goal, found.taught) if scene is not None else []
    if near:
        st.markdown(f"**In between, about this scene's goal: {len(near)} of {found.total} answers**")
        st.markdown("\n".join(line(one, shared) for one, shared in near[:8]))
        st.caption(
            "About the same things, not proven to be the cause: that takes a training without one of them, below."
        )
    names = " · ".join(f"[{t.example}](/replay?example={t.example})" for t in found.taught[:20])
    more = " …" if found.total > 20 else ""
    st.caption(f"{found.total} examples came in between: {names}{more}")
    if found.unlearnt:
        st.caption(f"{len(found.unlearnt)} of the earlier model's examples were taken out in between.")


def line(one: Taught, shared: tuple[str, ...]) -> str:
    """One answer, with where to see it."""
    episode = urlencode({"episode": one.episode, "t": f"{one.second:.1f}"})
    return (
        f"- [{one.example}](/replay?example={one.example}) “{one.goal}”, {one.kind}, drawn {one.drawn} × "
        f"({', '.join(shared)}) · [its episode](/episodes?{episode})"
    )


def listed(numbers: tuple[int, ...]) -> str:
    """Scenes by number."""
    return ", ".join(map(str, numbers[:20])) + (" …" if len(numbers) > 20 else "") if numbers else "none"
