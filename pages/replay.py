"""Replay: every stored demonstration, why it is replayed as often as it is, and what would change that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from pages import changes, history, processes, replay_card, replay_segments
from pages.components.chart import COLOURS, Layer, axis, chart, inside, points
from pages.what_if import what_if
from teaching.replay.columns import Columns
from teaching.replay.glance import Glance
from teaching.shares import Bins, Shares, binned
from teaching.supervisor import kind_of
from teaching.types import Array

MANY = 20_000
"""Above so many points they are put together on a grid."""
LISTED = 200
OUTCOMES = ((1, "its plan was right", "circle"), (-1, "its plan was wrong", "cross"), (0, "no decision", "diamond"))
"""In the order in which they are drawn, so that the fewer wrong ones are seen; in Progress's colours."""


def spots(columns: Columns, found: Shares) -> tuple[Array, Array, Array]:
    """x, y and outcome of every demonstration on the plot."""
    u = found.terms.u_scaled
    return np.where(np.isnan(u), -0.06, u), found.terms.age_scaled, columns.demonstrations["outcome"][found.rows]


def radius(mass: Array, most: float, least: float = 2.5, more: float = 9.0) -> Array:
    """Of a mark, in pixels: its area goes with how likely it is drawn."""
    return np.asarray(least + more * np.sqrt(mass / most)) if len(mass) else np.zeros(0)


def single_marks(columns: Columns, found: Shares) -> tuple[list[Layer], list[Array]]:
    """One mark per demonstration; per layer, the positions that its marks stand for."""
    x, y, outcome = spots(columns, found)
    goals, code = np.unique(columns.demonstrations["goal"][found.rows], return_inverse=True)
    names = [columns.word(g) for g in goals]
    layers, members = [], []
    most = float(found.probability.max())
    for n, (sign, name, symbol) in enumerate(OUTCOMES):
        rows = np.flatnonzero(outcome == sign)
        size = radius(found.probability[rows], most)
        layers.append(
            points(x[rows], y[rows], COLOURS[n], name=name, symbol=symbol, size=size, says=names, say=code[rows])
        )
        members.append(rows)
    return layers, members


def grid_marks(columns: Columns, found: Shares) -> tuple[list[Layer], list[Bins]]:
    """One mark per cell of a grid."""
    x, y, outcome = spots(columns, found)
    cells = [binned(x, y, found.probability, outcome == sign) for sign, _, _ in OUTCOMES]
    most = max(float(c.mass.max()) for c in cells if len(c.mass))
    layers = [
        points(
            c.x, c.y, COLOURS[n], name=name, symbol=symbol, size=radius(c.mass, most, 0.8, 4.0),  # its cell holds it
            says=[f"{k:,} examples, {m:.2%} of all draws" for k, m in zip(c.size, c.mass, strict=True)],
        )
        for n, (c, (_, name, symbol)) in enumerate(zip(cells, OUTCOMES, strict=True))
    ]  # fmt: skip
    return layers, cells


@st.cache_resource(max_entries=4, show_spinner=False)
def marks(path: str, sequence: int, _columns: Columns, _found: Shares) -> tuple[list[Layer], list[Array] | list[Bins]]:
    """The layers of the plot, and what their marks stand for."""
    return grid_marks(_columns, _found) if len(_found) > MANY else single_marks(_columns, _found)


def chosen(picked: dict | None, columns: Columns, found: Shares, members: list[Array] | list[Bins]) -> Array:  # type: ignore[type-arg]
    """Positions that a person chose on the plot, the likeliest first; empty for none."""
    if not picked:
        return np.zeros(0, np.int64)
    if "path" in picked:
        x, y, _ = spots(columns, found)
        rows = np.flatnonzero(inside(picked["path"], x, y))
    else:
        layer, mark = (int(v) for v in picked["point"])
        group = members[layer] if layer < len(members) else np.zeros(0, np.int64)
        rows = np.flatnonzero(group.member == mark) if isinstance(group, Bins) else group[mark : mark + 1]
    return np.asarray(rows[np.argsort(-found.probability[rows], kind="stable")])


def asked_for(found: Glance, shares: Shares) -> int | None:
    """The example that the page's address names (`?example=`), by its position."""
    name = st.query_params.get("example")
    if not name:
        return None
    number = found.number("demonstrations", name)
    where = np.flatnonzero(found.columns.demonstrations["number"][shares.rows] == number)
    return int(where[0]) if len(where) else None


def choice(found: Glance, shares: Shares, rows: Array) -> int:
    """Which of the chosen ones, or of the latest ones, is shown."""
    linked = asked_for(found, shares)
    label = f"{len(rows):,} chosen, the likeliest first" if len(rows) else "the latest first"
    listed = rows[:LISTED] if len(rows) else np.arange(len(shares) - 1, max(len(shares) - 1 - LISTED, -1), -1)
    options = listed.tolist()
    if linked is not None and not len(rows) and linked not in options:
        options.insert(0, linked)
    goals = found.columns.demonstrations["goal"]
    index = options.index(linked) if linked is not None and linked in options and not len(rows) else 0
    key = f"example {rows[:3].tolist()} {len(rows)} {linked}"
    picked = st.selectbox(
        f"Example ({label})", options, index=index, key=key,
        format_func=lambda i: f"{i + 1}: {found.columns.word(int(goals[shares.rows[i]]))}",
    )  # fmt: skip
    return int(picked)


@st.fragment
def look(path: Path) -> None:
    """The plot and the chosen card."""
    found = history.of(path)
    shares = history.shares_of(path, found)
    columns = found.columns
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        excluded = int((~columns.in_force).sum())
        st.markdown(f"### {len(shares):,} stored examples" + (f", {excluded} excluded" if excluded else ""))
        layers, members = marks(str(path), columns.sequence, columns, shares)
        picked = chart(
            axis("uncertainty, over the largest (left edge: none)", -0.1, 1.05), axis("age, 0 newest", -0.05, 1.05),
            layers, key="scatter", height=400, select=True, alt=f"{len(shares)} stored examples by uncertainty and age",
        )  # fmt: skip
        behind = f" · {columns.behind} events newer than this" if columns.behind else ""
        st.caption(f"larger: drawn more often · as of event {columns.sequence}{behind}")
        n = choice(found, shares, chosen(picked, columns, shares, members))
    with right, st.container(key="card"):
        card(path, found, shares, n)


def card(path: Path, found: Glance, shares: Shares, n: int) -> None:
    """The example at a position."""
    row = found.columns.demonstrations[shares.rows[n]]
    shown = found.card(int(row["number"]))
    st.markdown(f"### {shown.demonstration.goal}")
    replay_card.picture(found, shown)
    st.caption(replay_card.said(shown))
    replay_card.by_hand(path, shown, row)
    replay_card.why(shares, n, row)


def main() -> None:
    """Draw the page of the open lesson."""
    path = processes.chosen()
    if path is None:
        st.title("Replay")
        st.write("No lesson is open.")
        return
    changes.refused()
    found = history.of(path)
    if kind_of(path) == "rollout":
        replay_segments.look(path)
        changes.standing(path, found, "segments", "drop")
        return
    if not found.columns.in_force.any():
        st.title("Replay")
        st.write("Nothing is stored yet. Every yes, relabel and demonstration on the Teach page adds something here.")
        changes.standing(path, found, "delete", "pin", "weight")
        return
    look(path)
    changes.standing(path, found, "delete", "pin", "weight")
    st.markdown("### What if it drew otherwise?")
    what_if(path)


main()
