"""What other settings would draw, before anything is trained: the next batch before and after, and who gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from pages import history, table_picture
from pages.components.chart import COLOURS, axis, bars, chart
from robot_io.arm import TableView
from teaching.replay.glance import Glance
from teaching.sampling import Sampling
from teaching.shares import Group, Shares, batch, groups, shares
from teaching.types import Array, AskbackError

BATCH = 8
STYLE = """<style>
.batch { display: grid; grid-template-columns: repeat(8, 1fr); gap: 6px; margin: 2px 0 8px; font-size: 0.75rem; }
.batch figure { margin: 0; min-width: 0; }
.batch img, .batch i { display: block; width: 100%; aspect-ratio: 2; border-radius: 4px; background: #8883; }
.batch figcaption { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.batch .new { outline: 3px solid #e69f00; border-radius: 4px; }
</style>"""


def sliders(now: Sampling) -> Sampling:
    """The setting that a person tries."""
    told = {name: field.metadata.get("help", "") for name, field in Sampling.__dataclass_fields__.items()}
    one, two, three, four, last = st.columns([1, 1, 1, 1, 0.7], vertical_alignment="bottom", gap="medium")
    b = one.slider("b, sharpness", 1.0, 50.0, now.b, 0.5, key="b", help=told["b"])
    lam = two.slider("λ, uncertainty against age", 0.0, 1.0, now.lam, 0.05, key="lam", help=told["lam"])
    alpha = three.slider("α, preference", 0.0, 4.0, now.alpha, 0.1, key="alpha", help=told["alpha"])
    beta = four.slider("β, correction", 0.0, 1.0, now.beta, 0.05, key="beta", help=told["beta"])
    last.number_input("Luck (seed)", 0, 10_000, 0, key="luck", help="The same luck is drawn under both settings.")
    return replace(now, b=b, lam=lam, alpha=alpha, beta=beta, prioritised=True)


@st.cache_data(max_entries=400, show_spinner=False)
def _thumbnail(path: str, number: int, _found: Glance) -> tuple[str, str]:
    card = _found.card(number)
    try:
        seen = _found.observation(card.episode, card.demonstration.decision)
        image = table_picture.drawn(seen, card.demonstration.actions, TableView(), table_picture.SMALL)
        return card.demonstration.goal, table_picture.data_url(image)
    except (AskbackError, OSError, KeyError, IndexError):
        return card.demonstration.goal, ""


def row_of(path: Path, found: Glance, drawn: Shares, positions: Array, marked: Sequence[bool], name: str) -> str:
    """A batch as a row of pictures, for `st.html`."""
    parts = []
    for position, new in zip(positions, marked, strict=True):
        number = int(found.columns.demonstrations["number"][drawn.rows[position]])
        goal, url = _thumbnail(str(path), number, found)
        picture = f'<img src="{url}" alt="" class="{"new" if new else ""}">' if url else "<i></i>"
        share = f"{100 * drawn.probability[position]:.2g} %"
        parts.append(
            f'<figure title="{escape(goal)}">{picture}<figcaption>{share} {escape(goal)}</figcaption></figure>'
        )
    return f'<div class="batch" data-batch="{name}">{"".join(parts)}</div>'


def effective(found: Shares) -> str:
    """How many different ones it amounts to: 1 / Σ P²."""
    return f"as varied as {1 / float(np.sum(found.probability**2)):,.0f} even ones of {len(found):,}"


def share_bars(one: list[Group], other: list[Group], key: str) -> None:
    """Shares of what is stored, drawn before, drawn after."""
    after = {g.name: g.drawn for g in other}
    x = np.arange(len(one), dtype=float)
    layers = [
        bars(x - 0.26, np.array([g.stored for g in one]), COLOURS[5], name="of what is stored", width=0.24),
        bars(x, np.array([g.drawn for g in one]), COLOURS[0], name="of what is drawn now", width=0.24),
        bars(
            x + 0.26, np.array([after.get(g.name, 0.0) for g in one]), COLOURS[1], name="of what would be", width=0.24
        ),
    ]
    high = max([0.05, *(max(g.stored, g.drawn, after.get(g.name, 0.0)) for g in one)])
    width = 120 // max(len(one), 1)
    ticks = [(float(i), g.name if len(g.name) <= width else f"{g.name[: width - 1]}…") for i, g in enumerate(one)]
    alt = "; ".join(
        f"{g.name}: {g.stored:.0%} stored, {g.drawn:.0%} drawn, {after.get(g.name, 0.0):.0%} would be" for g in one
    )
    chart(axis("", -0.5, len(one) - 0.5, ticks), axis("share", 0, 1.1 * high), layers, key=key, alt=alt, height=200)


@st.fragment
def what_if(path: Path) -> None:
    """Sliders, and the batch that they would give."""
    found = history.of(path)
    now = history.shares_of(path, found)
    tried = sliders(now.how)
    then = shares(found.columns, tried)
    seed = int(st.session_state["luck"])
    before, after = batch(now, BATCH, seed), batch(then, BATCH, seed)
    changed = before != after
    rows = [
        f"<div>The next batch <b>now</b>, {effective(now)}</div>",
        row_of(path, found, now, before, [False] * BATCH, "before"),
        f"<div><b>With these sliders</b>, {effective(then)} · {int(changed.sum())} of {BATCH} would change</div>",
        row_of(path, found, then, after, changed.tolist(), "after"),
    ]
    st.html(STYLE + "".join(rows))
    by = (
        st.segmented_control("Who is drawn, by", ["kind", "goal", "teacher", "age"], default="kind", key="by") or "kind"
    )
    share_bars(groups(found.columns, now, by), groups(found.columns, then, by), f"shares by {by}")
