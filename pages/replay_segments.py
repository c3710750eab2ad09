"""Replay of a lesson in motion: every recorded segment, how much it weighs, how often it was drawn, and its film."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from pages import changes, history
from pages.components.chart import COLOURS, CORRECTION, Layer, axis, bars, chart, inside, points
from pages.episode_film import DRIVEN, driven, moving
from teaching.lesson import LessonConfig
from teaching.replay.episode import Summary
from teaching.replay.glance import Glance
from teaching.retelling import MOST
from teaching.segment_shares import Span, selection_of, spans
from teaching.segments import SegmentKind
from teaching.selection import SELECTIONS, Selection
from teaching.types import Array, BadInput

LISTED = 200
KINDS = (
    (SegmentKind.POLICY, "circle"), (SegmentKind.RECOVERY, "diamond"), (SegmentKind.CORRECTION, "cross"),
    (SegmentKind.DEMO, "ring"), (SegmentKind.RECOVERY_AUTO, "diamond"),
)  # fmt: skip
HUES = (COLOURS[0], COLOURS[1], CORRECTION, COLOURS[2], COLOURS[5])
WORDS = {"rac": "uniform (RaC)", "iwr": "IWR", "sirius": "Sirius"}
ENDS = {
    "demonstrated": "shown by a person", "intervened": "a person took over", "auto_success": "unaided",
    "failed": "failed", "discarded": "fumbled: counts nowhere", "truncated": "broken off: counts nowhere",
}  # fmt: skip


@st.cache_resource(max_entries=12, show_spinner="Weighing the segments…")
def _weighed(
    path: str, sequence: int, name: str, _how: Selection, _found: Glance
) -> tuple[list[Span], dict[str, Summary]]:
    episodes = _found.rollouts()
    return spans(episodes, _how, _found.draws()), {s.id: s for s in episodes}


def weighed(path: Path, found: Glance, name: str, how: Selection) -> tuple[list[Span], dict[str, Summary]]:
    """All segments under one weighting; none if nothing counts under it, and why."""
    try:
        return _weighed(str(path), found.columns.sequence, f"{name} {how}", how, found)
    except BadInput as error:
        st.warning(str(error))
        return [], {s.id: s for s in found.rollouts()}


def by_kind(found: list[Span]) -> list[tuple[Array, str, str, str]]:
    """Per kind that is there: its positions, name, mark and colour."""
    kinds = np.array([s.segment.kind for s in found])
    rows = [(np.flatnonzero(kinds == k), DRIVEN[k], mark, hue) for (k, mark), hue in zip(KINDS, HUES, strict=True)]
    return [row for row in rows if len(row[0])]


def plot(found: list[Span]) -> Array:
    """Every segment by its episode and its length; the positions of those that were chosen."""
    order = {name: n for n, name in enumerate(dict.fromkeys(s.episode for s in found))}
    x, y = np.array([order[s.episode] + 1.0 for s in found]), np.array([max(s.seconds, 0.02) for s in found])
    share = np.array([s.share for s in found])
    size, groups = 3.0 + 9.0 * np.sqrt(share / max(float(share.max()), 1e-12)), by_kind(found)
    layers: list[Layer] = [
        points(x[rows], np.log10(y[rows]), hue, name=name, symbol=mark, size=size[rows],
               says=[f"{found[i].episode}: {found[i].seconds:.1f} s, {found[i].share:.2%} of draws" for i in rows])
        for rows, name, mark, hue in groups
    ]  # fmt: skip
    low, high = np.floor(np.log10(y.min())), np.ceil(np.log10(y.max()))
    ticks = [(float(v), f"{10.0**v:g}") for v in np.arange(low, high + 1)]
    picked = chart(
        axis("episode, oldest first", 0, len(order) + 1), axis("seconds", low - 0.1, high + 0.1, ticks),
        layers, key="segments", height=330, select=True,
        alt=f"{len(found)} segments by episode and length",
    )  # fmt: skip
    if not picked:
        return np.zeros(0, np.int64)
    if "path" in picked:
        rows = np.flatnonzero(inside(picked["path"], x, np.log10(y)))
    else:
        layer, mark = (int(v) for v in picked["point"])
        rows = groups[layer][0][mark : mark + 1] if layer < len(groups) else np.zeros(0, np.int64)
    return rows[np.argsort(-share[rows], kind="stable")]


def shown(found: list[Span], rows: Array) -> Span:
    """Which of the chosen ones, or of the latest, is looked at."""
    options = rows[:LISTED].tolist() if len(rows) else list(range(len(found) - 1, max(len(found) - 1 - LISTED, -1), -1))
    label = f"{len(rows):,} chosen, the likeliest first" if len(rows) else "the latest first"
    picked = st.selectbox(
        f"Segment ({label})", options, key=f"span {rows[:3].tolist()} {len(rows)}",
        format_func=lambda i: f"{found[i].episode} · {driven(found[i].segment)} from {found[i].begins:.1f} s",
    )  # fmt: skip
    return found[int(picked)]


def card(path: Path, found: Glance, span: Span, episodes: dict[str, Summary]) -> None:
    """The film at the segment's second, its figures, and what a person may change."""
    moving(path, found, episodes[span.episode], span.begins)
    link = urlencode({"lesson": path.name, "episode": span.episode, "t": f"{span.begins:.1f}"})
    st.caption(
        f"episode {span.episode}, round {span.round}, {ENDS[str(span.end)]} · {span.begins:.1f} to "
        f"{span.begins + span.seconds:.1f} s · [open it on Episodes](/episodes?{link})"
    )
    drawn = (
        f"drawn **{span.drawn:,}** times, last for model {span.latest}" if span.drawn else "never drawn, as far as told"
    )
    st.markdown(
        f"**{driven(span.segment)}**, {span.seconds:.1f} s · weight **{span.weight:.2f}** (even: 1) · "
        f"chance **{span.share:.2%}** a draw · {drawn}"
    )
    by_hand(path, span)


def by_hand(path: Path, span: Span) -> None:
    """Exclude, weigh."""
    first, second = st.columns([1, 1.4], vertical_alignment="bottom")
    out = span.segment.factor == 0.0
    where = {"episode": span.episode, "segment": span.number}
    first.button(
        "Take in again" if out else "Exclude", icon=":material/block:", width="stretch", key="exclude segment",
        help="Excluded: the next training goes without it. It stays stored.", on_click=changes.change,
        args=(path, "weigh_segment"), kwargs={**where, "factor": 1.0 if out else 0.0},
    )  # fmt: skip
    key = f"factor {span.episode} {span.number} {span.segment.factor:g}"

    def weigh() -> None:
        if float(st.session_state[key]) != span.segment.factor:
            changes.change(path, "weigh_segment", **where, factor=float(st.session_state[key]))

    second.number_input(
        "Weight by hand (a factor)", 0.0, MOST, span.segment.factor, 0.5, key=key, on_change=weigh,
    )  # fmt: skip


def compare(now: list[Span], then: list[Span], name: str) -> None:
    """Shares by kind: of what is recorded, drawn now, drawn under the other weighting."""
    seconds = sum(s.seconds for s in now) or 1.0
    groups = by_kind(now)
    x = np.arange(len(groups), dtype=float)
    stored = np.array([sum(now[i].seconds for i in rows) / seconds for rows, *_ in groups])
    before = np.array([sum(now[i].share for i in rows) for rows, *_ in groups])
    after = np.array([sum(then[i].share for i in rows) if then else 0.0 for rows, *_ in groups])
    layers = [
        bars(x - 0.26, stored, COLOURS[5], name="of what is recorded", width=0.24),
        bars(x, before, COLOURS[0], name="of what is drawn now", width=0.24),
        bars(x + 0.26, after, COLOURS[1], name=f"of what {name} would draw", width=0.24),
    ]
    ticks = [(float(i), label) for i, (_, label, *_) in enumerate(groups)]
    spoken = "; ".join(
        f"{label}: {stored[i]:.0%} recorded, {before[i]:.0%} drawn, {after[i]:.0%} would be"
        for i, (_, label, *_) in enumerate(groups)
    )
    high = float(max(stored.max(), before.max(), after.max())) * 1.1
    chart(
        axis("", -0.5, len(groups) - 0.5, ticks), axis("share", 0, high), layers, key="by kind", height=200, alt=spoken
    )


@st.fragment
def look(path: Path) -> None:
    """The plot, the card, and what another weighting would draw."""
    found = history.of(path)
    config = LessonConfig.from_json(found.columns.lesson)
    own = selection_of(config)
    now, episodes = weighed(path, found, config.weighting, own)
    if not now:
        st.title("Replay")
        st.write(
            "Nothing is recorded yet that counts. Every demonstration and correction on the Rollout page adds to it."
        )
        return
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        count = sum(s.share > 0 for s in now)
        st.markdown(f"### {len(now):,} recorded segments, {count:,} are trained on")
        chosen = plot(now)
        st.caption(
            f"larger: drawn more often · weighed by {WORDS[config.weighting]} · as of event {found.columns.sequence}"
        )
        span = shown(now, chosen)
        others = [name for name in WORDS if name != config.weighting]
        st.markdown("**What if it weighed otherwise?**")
        other = (
            st.segmented_control("By", others, default=others[0], format_func=WORDS.__getitem__, key="other")
            or others[0]
        )
        how = replace(SELECTIONS[other], recovery_auto=own.recovery_auto)
        then, _ = weighed(path, found, other, how)
        compare(now, then, WORDS[other])
    with right, st.container(key="card"):
        card(path, found, span, episodes)
