"""Progress: is the gate keeping its promise, and what did the teacher's minutes buy. Read-only."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages import history, processes
from pages.history import History
from teaching.metrics import Rate
from teaching.types import Array

LATEST = 100
PROMISES = {
    "sensitivity": "of plans that would fail, asked about",
    "specificity": "of right plans, left alone",
    "success": "of plans, right or asked about",
}


def arrays(found: History) -> tuple[Array, Array, Array, Array]:
    """Per decision: uncertainty, gated, random, and outcome (0: nobody judged it)."""
    said = found.answers
    outcome = [int(said[d.id].feedback.outcome) if d.id in said else 0 for d in found.decisions]
    columns = zip(*((d.plan.uncertainty, d.gated, d.random) for d in found.decisions), strict=True)
    uncertainty, gated, random = (np.array(c) for c in columns)
    return uncertainty, gated.astype(bool), random.astype(bool), np.array(outcome)


def kept(mode: str, gated: Array, outcome: Array) -> Rate:
    """How often the gate alone kept its promise, over decisions that were checked at random and judged."""
    relevant, hit = {
        "sensitivity": (outcome < 0, gated),
        "specificity": (outcome > 0, ~gated),
        "success": (outcome != 0, gated | (outcome > 0)),
    }[mode]
    return Rate(int(np.sum(hit & relevant)), int(np.sum(relevant)))


def told(rate: Rate) -> str:
    """A rate and its interval in words."""
    if not rate.n:
        return "not known yet"
    low, high = rate.interval
    return f"{100 * low:.0f} to {100 * high:.0f} %, {rate.n} checks"


def more_checks(rate: Rate, half: float = 0.05) -> int:
    """Random checks that it would take, in all, to know the rate to ± `half`."""
    share = rate.value if rate.n and 0 < rate.hits < rate.n else 0.5
    return int(np.ceil(1.96**2 * share * (1 - share) / half**2))


def figures(found: History) -> None:
    """The four numbers."""
    _, gated, random, outcome = arrays(found)
    gate = found.config.gate
    rate = kept(gate.mode, gated[random], outcome[random])
    right = kept("success", np.zeros(int(random.sum()), dtype=bool), outcome[random])
    asked = (gated | random)[-LATEST:]
    minutes = sum(a.seconds for a in found.answers.values()) / 60
    first, second, third, fourth = st.columns(4)
    promised = f"{100 * gate.target:.0f} % promised" if gate.kind == "sag" else "no promise"
    first.metric(
        f"Kept: {PROMISES[gate.mode]}",
        f"{100 * rate.value:.0f} %" if rate.n else "–",
        promised,
        delta_color="off",
        delta_arrow="off",
    )
    first.caption(told(rate))
    second.metric(
        "Asked, of the latest 100",
        f"{100 * asked.mean():.0f}",
        f"{len(asked)} plans",
        delta_color="off",
        delta_arrow="off",
    )
    third.metric(
        "Right, in random checks",
        f"{100 * right.value:.0f} %" if right.n else "–",
        told(right),
        delta_color="off",
        delta_arrow="off",
    )
    said = f"{len(found.answers)} answers"
    fourth.metric("Your time", f"{minutes:.1f} min", said, delta_color="off", delta_arrow="off")
    missing = more_checks(rate) - rate.n
    if gate.kind == "sag" and missing > 0:
        st.caption(
            "The promise is measured on random checks alone, which are drawn whatever the gate says. "
            f"About {missing} more that count would tell it to ± 5 %."
        )


def over_time(found: History) -> go.Figure:
    """Uncertainty and threshold per decision, answers as marks."""
    uncertainty, _, _, outcome = arrays(found)
    n = np.arange(1, len(uncertainty) + 1)
    threshold = np.array([d.threshold if np.isfinite(d.threshold) else np.nan for d in found.decisions])
    figure = go.Figure()
    for name, rows, symbol in (
        ("right", outcome > 0, "circle"),
        ("wrong", outcome < 0, "x"),
        ("not judged", outcome == 0, "circle-open"),
    ):
        if rows.any():
            marker = {"symbol": symbol, "size": 8}
            figure.add_trace(go.Scattergl(x=n[rows], y=uncertainty[rows], mode="markers", name=name, marker=marker))
    line = {"dash": "dash", "color": "#7f7f7f"}
    figure.add_trace(go.Scattergl(x=n, y=threshold, mode="lines", name="asks from here", line=line))
    figure.update_layout(
        colorway=history.COLOURS,
        xaxis_title="plan", yaxis={"title": "uncertainty, 0 to 1", "range": [-0.05, 1.05]}, height=330,
        legend={"orientation": "h", "y": 1.15}, margin={"l": 10, "r": 10, "t": 10, "b": 10},
    )  # fmt: skip
    return figure


def reliability(found: History, bins: int = 5) -> go.Figure:
    """Share of wrong plans by uncertainty, with Wilson intervals and counts."""
    uncertainty, _, _, outcome = arrays(found)
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(uncertainty, edges) - 1, 0, bins - 1)
    rates = [
        Rate(int(np.sum((outcome < 0) & (place == b))), int(np.sum((outcome != 0) & (place == b)))) for b in range(bins)
    ]
    known = [b for b, rate in enumerate(rates) if rate.n]
    share = np.array([rates[b].value for b in known])
    low, high = (np.array([rates[b].interval[side] for b in known]) for side in (0, 1))
    figure = go.Figure(
        go.Bar(
            x=[f"{edges[b]:.1f} to {edges[b + 1]:.1f}" for b in known],
            y=share,
            text=[f"{rates[b].n} judged" for b in known],
            error_y={"type": "data", "symmetric": False, "array": high - share, "arrayminus": share - low},
        )
    )  # fmt: skip
    figure.update_layout(
        colorway=history.COLOURS,
        xaxis_title="uncertainty", yaxis={"title": "share that was wrong", "range": [0, 1.05]}, height=330,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
    )  # fmt: skip
    return figure


def main() -> None:
    """Draw the page of the open lesson."""
    path = processes.chosen()
    found = history.of(path) if path else None
    if found is None or not found.decisions:
        st.title("Progress")
        st.write("No lesson is open." if found is None else "Nothing has been decided yet.")
        return
    figures(found)
    left, right = st.columns([1.6, 1])
    left.markdown("**How unsure it was, plan by plan**")
    left.plotly_chart(over_time(found), key="over-time", alt="Uncertainty and threshold of every plan")
    right.markdown("**Is it wrong more often when it is unsure?**")
    right.plotly_chart(reliability(found), key="reliability", alt="Share of wrong plans by uncertainty")


main()
