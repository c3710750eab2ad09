"""Progress: is the gate keeping its promise, and what did the teacher's minutes buy. Read-only."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages import history, processes, progress_effect, progress_moving
from pages.components.chart import COLOURS, Layer, axis, band, bars, chart, level, line, points
from teaching import promise
from teaching.gating import Gate
from teaching.metrics import ANSWERS, Rate
from teaching.replay.glance import Glance
from teaching.types import Array

FEW = 3_000
"""Up to so many decisions each is a mark; above, quantiles of pieces of the lesson."""
LATEST = 100
PROMISES = {
    "sensitivity": "of plans that would fail, asked about",
    "specificity": "of right plans, left alone",
    "success": "of plans, right or asked about",
}
PARTS = {
    "validate": "yes", "wrong": "wrong", "unknown": "can't tell", "relabel": "right for another goal",
    "demonstrate": "shown by hand",
}  # fmt: skip
GREY = COLOURS[5]


def told(rate: Rate, what: str = "random checks") -> str:
    """A share's interval in words, or that there are too few cases."""
    if rate.n < promise.ENOUGH:
        return f"too few cases to know: {rate.n} {what}"
    low, high = rate.interval
    return f"{100 * low:.0f} to {100 * high:.0f} %, {rate.n} {what}"


def share(rate: Rate) -> str:
    """A share in percent; its counts where they are few, a dash where nothing is known."""
    if 0 < rate.n < promise.ENOUGH:
        return f"{rate.hits} of {rate.n}"
    return f"{100 * rate.value:.0f} %" if rate.n else "–"


def figures(decisions: Array, gate: Gate) -> None:
    """The four numbers."""
    rate, right = promise.kept(decisions, gate.mode), promise.kept(decisions, "success")
    checked = promise.checks(decisions)
    right = Rate(int(np.sum(checked["outcome"] > 0)), len(checked))
    latest = decisions[-LATEST:]
    asked = Rate(int(np.sum(latest["gated"] | latest["random"])), len(latest))
    gained = promise.gain(decisions)
    promised = f"{100 * gate.target:.0f} % promised" if gate.kind == "sag" else "no promise"
    first, second, third, fourth = st.columns(4)
    first.metric(f"Kept: {PROMISES[gate.mode]}", share(rate), promised, delta_color="off", delta_arrow="off")
    first.caption(told(rate))
    second.metric(
        f"Asked, of the latest {LATEST}", f"{asked.hits}", f"{asked.n} plans", delta_color="off", delta_arrow="off"
    )
    second.caption(f"{100 * asked.interval.low:.0f} to {100 * asked.interval.high:.0f} %")
    third.metric("Right, in random checks", share(right), "all of the lesson", delta_color="off", delta_arrow="off")
    third.caption(told(right))
    minutes = float(np.nansum(decisions["seconds"])) / 60
    value = f"{gained.per_minute:+.1f} points" if gained.known else "–"
    fourth.metric(
        "Success gained per minute", value, f"{minutes:.0f} minutes in all", delta_color="off", delta_arrow="off"
    )
    low, high = gained.interval if gained.known else (0.0, 0.0)
    few = f"too few cases to know: {gained.before.n + gained.after.n} random checks"
    fourth.caption(f"{low:+.1f} to {high:+.1f} points a minute, early against late checks" if gained.known else few)
    advice(rate, gate)


def advice(rate: Rate, gate: Gate) -> None:
    """What it would take to know more."""
    if gate.p_rand <= 0:
        st.caption("Without random questions nothing here is unbiased: set a share of them on the Teach page.")
    elif more := promise.more_checks(rate):
        st.caption(
            f"{more} more random questions that count narrow the promise to ± 5 %; they come whatever the gate says."
        )


def over_time(decisions: Array) -> list[Layer]:
    """Uncertainty and threshold, plan by plan, or in pieces where there are many."""
    n, u = np.arange(1, len(decisions) + 1), decisions["uncertainty"]
    threshold = np.where(np.isfinite(decisions["threshold"]), decisions["threshold"], np.nan)
    if len(decisions) > FEW:
        piece, gate = promise.trend(u), promise.trend(threshold)
        return [
            band(piece.at, piece.low, piece.high, COLOURS[0], name="8 of 10 plans"),
            line(piece.at, piece.middle, COLOURS[0], name="median uncertainty"),
            line(gate.at, gate.middle, GREY, name="asks from here", dash=True),
        ]
    outcome = decisions["outcome"]
    kinds = (("right", 1, "circle"), ("wrong", -1, "cross"), ("not judged", 0, "ring"))
    marks = [
        points(n[outcome == sign], u[outcome == sign], COLOURS[k], name=name, symbol=symbol)
        for k, (name, sign, symbol) in enumerate(kinds)
        if np.any(outcome == sign)
    ]
    return [*marks, line(n, threshold, GREY, name="asks from here", dash=True)]


def plans(decisions: Array) -> dict[str, object]:
    """The axis of plans."""
    return axis("plan", 0, len(decisions) + 1)


def promise_chart(decisions: Array, gate: Gate) -> None:
    """What was kept over the latest 50 random checks, with its interval, beside what was promised."""
    mode = st.segmented_control("Kept over time", list(PROMISES), default=gate.mode, key="mode") or gate.mode
    found = promise.course(decisions, mode)
    layers = [
        band(found.at, found.low, found.high, COLOURS[0], name="95 % interval"),
        line(found.at, found.share, COLOURS[0], name=PROMISES[mode]),
    ]
    if gate.kind == "sag" and mode == gate.mode:
        layers.append(level(gate.target, COLOURS[1], name="promised"))
    chart(
        plans(decisions), axis("share of the latest 50", 0, 1.02), layers, key="kept", height=230,
        alt=f"{PROMISES[mode]}, over the latest 50 random checks",
    )  # fmt: skip
    rate = promise.kept(decisions, mode)
    more = promise.more_checks(rate)
    st.caption(f"All of the lesson: {share(rate)} ({told(rate)}). {more} more that count narrow it to ± 5 %.")


def reliability_chart(decisions: Array) -> None:
    """Share of wrong plans by uncertainty, with intervals and counts."""
    found = promise.reliability(decisions)
    known = [i for i, r in enumerate(found.rates) if r.n]
    rates = [found.rates[i] for i in known]
    middle = (found.edges[:-1] + found.edges[1:]) / 2
    layer = bars(
        middle[known], np.array([r.value for r in rates]), COLOURS[0], width=0.1,
        low=np.array([r.interval.low for r in rates]), high=np.array([r.interval.high for r in rates]),
        text=[str(r.n) for r in rates], says=[f"{r.hits} of {r.n} wrong" for r in rates],
    )  # fmt: skip
    spoken = ", ".join(f"{middle[i]:.2f}: {r.hits} of {r.n}" for i, r in zip(known, rates, strict=True))
    chart(
        axis("uncertainty", 0, 1), axis("share that was wrong", 0, 1.08), [layer], key="reliability", height=230,
        alt=f"Wrong plans by uncertainty. {spoken}",
    )  # fmt: skip


def kinds_chart(decisions: Array) -> None:
    """What was answered, piece by piece of the lesson."""
    at, found = promise.kinds_over_time(decisions)
    base: Array = np.zeros(len(at))
    layers = []
    for n, name in enumerate(ANSWERS):
        layers.append(bars(at, base + found[name], COLOURS[n], base=base, name=PARTS[name], width=0.92))
        base = base + found[name]
    chart(
        axis("pieces of the lesson, oldest first", 0.5, len(at) + 0.5), axis("share of answers", 0, 1.0), layers,
        key="kinds", height=210, alt="Kinds of answers over the lesson",
    )  # fmt: skip


def pace_chart(decisions: Array) -> None:
    """Seconds per answer."""
    seconds = decisions["seconds"][decisions["answered"] & (decisions["seconds"] > 0)]
    if not len(seconds):
        st.caption("No answer was timed yet.")
        return
    piece = promise.trend(seconds, 40)
    layers = [
        band(piece.at, piece.low, piece.high, COLOURS[3], name="8 of 10 answers"),
        line(piece.at, piece.middle, COLOURS[3], name="median"),
    ]
    high = float(np.nanmax(piece.high)) * 1.1
    chart(
        axis("answer", 0, len(seconds) + 1),
        axis("seconds", 0, high),
        layers,
        key="pace",
        height=210,
        alt="Seconds per answer",
    )
    st.caption(f"median {np.median(seconds):.1f} s over {len(seconds):,} answers")


def asked_chart(decisions: Array) -> None:
    """How often it asks."""
    found = promise.asked_share(decisions)
    at = np.unique(np.linspace(0, len(found) - 1, 400).astype(int))
    layer = line(at + 1, found[at], COLOURS[1], name="asked, of the latest 100")
    chart(
        plans(decisions),
        axis("share", 0, 1.02),
        [layer],
        key="asked",
        height=210,
        alt="Share of plans that were asked about",
    )


def teacher(found: Glance) -> None:
    """The teacher's own consistency, and whether confidence sways the answers."""
    notes = [e.body for e in found.diary("note", most=5_000) if e.body.get("what") == "repeat"]
    same = promise.consistency([bool(n.get("same")) for n in notes])
    hidden, shown = promise.blind_against_shown(found.columns.decisions)
    st.markdown("**The teacher**")
    if same.n:
        st.markdown(f"Asked the same twice, you said the same **{share(same)}** of times ({told(same, 'repeats')}).")
    else:
        st.caption("No question was asked twice yet; a small share of them is, to tell how steady your answers are.")
    if hidden.n:
        st.markdown(
            f"You said that plans were right **{share(hidden)}** of times with its confidence hidden ({told(hidden)}), "
            f"**{share(shown)}** with it shown ({told(shown)})."
        )
    else:
        st.caption("No random check was answered with its confidence hidden yet.")


def main() -> None:
    """Draw the page of the open lesson."""
    path = processes.chosen()
    found = history.of(path) if path else None
    if found is not None and found.columns.lesson.get("kind") == "rollout":
        progress_moving.progress(found)
        return
    if found is None or not len(found.columns.decisions):
        st.title("Progress")
        st.write("No lesson is open." if found is None else "Nothing has been decided yet.")
        return
    decisions = found.columns.decisions
    gate = Gate(**found.columns.lesson.get("gate", {}))
    figures(decisions, gate)
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        st.markdown("**How unsure it was, plan by plan**")
        layers = over_time(decisions)
        chart(plans(decisions), axis("uncertainty", -0.02, 1.05), layers, key="over-time", height=250, alt="Uncertainty of every plan, and the threshold")  # fmt: skip # noqa: E501
        promise_chart(decisions, gate)
    with right:
        st.markdown("**Is it wrong more often when it is unsure?**")
        reliability_chart(decisions)
        st.markdown("**What your minutes bought**")
        progress_effect.minutes_chart(decisions)
        teacher(found)
    for column, title, draw in zip(
        st.columns(3, gap="medium"),
        ("How often it asks", "What you answered", "How long you took"),
        (asked_chart, kinds_chart, pace_chart),
        strict=True,
    ):
        with column:
            st.markdown(f"**{title}**")
            draw(decisions)
    assert path is not None
    progress_effect.effect(path, found)


main()
