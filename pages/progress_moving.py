"""Progress of a lesson in motion: unaided success round by round, against what it cost the person who watched."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from pages.components.chart import COLOURS, CORRECTION, axis, bars, chart
from teaching.metrics import Rate
from teaching.promise import ENOUGH, more_checks
from teaching.replay.glance import Glance
from teaching.rollout_progress import Round, rounds


def told(rate: Rate) -> str:
    """An interval in words, or that there are too few cases."""
    if rate.n < ENOUGH:
        return f"too few cases to know: {rate.n} episodes"
    low, high = rate.interval
    return f"{100 * low:.0f} to {100 * high:.0f} %, {rate.n} episodes"


def share(rate: Rate) -> str:
    """A share, or its counts where they are few."""
    if not rate.n:
        return "–"
    return f"{100 * rate.value:.0f} %" if rate.n >= ENOUGH else f"{rate.hits} of {rate.n}"


def figures(found: list[Round]) -> None:
    """The four numbers."""
    last = next((r for r in reversed(found) if r.unaided.n), found[-1])
    driven, watched = sum(r.driven for r in found), sum(r.watched for r in found)
    ratio = last.cost.corrections_per_recovery
    first, second, third, fourth = st.columns(4)
    first.metric("Unaided, in the latest round", share(last.unaided), f"round {last.number}", delta_color="off",
                 delta_arrow="off")  # fmt: skip
    first.caption(told(last.unaided))
    second.metric("You drove", f"{driven:.1f} min", f"{watched:.1f} min watched", delta_color="off", delta_arrow="off")
    second.caption(
        f"{sum(r.cost.interventions for r in found)} take-overs in {sum(r.cost.episodes for r in found)} episodes"
    )
    third.metric("Correction to recovery", f"{ratio:.1f} : 1" if math.isfinite(ratio) else "–", f"round {last.number}",
                 delta_color="off", delta_arrow="off")  # fmt: skip
    third.caption("frames of showing how, for each of bringing it back")
    gained, known = gain(found)
    fourth.metric("Success gained per minute driven", gained, "first against latest round", delta_color="off",
                  delta_arrow="off")  # fmt: skip
    fourth.caption(known)
    if more := more_checks(last.unaided):
        narrow = f"{more} more episodes of one policy would narrow its success to ± 5 %"
        st.caption(f"{narrow}; evaluating it on the Training page runs them without you.")


def gain(found: list[Round]) -> tuple[str, str]:
    """Points of unaided success for a minute of driving, and its interval, or why it is not known."""
    begun = [r for r in found if r.unaided.n]
    if len(begun) < 2 or min(begun[0].unaided.n, begun[-1].unaided.n) < ENOUGH:
        return "–", "too few cases to know: two rounds of ten episodes are needed"
    before, after = begun[0].unaided, begun[-1].unaided
    spent = sum(r.driven for r in found if begun[0].number <= r.number < begun[-1].number)
    if spent <= 0:
        return "–", "nobody drove in between"
    low = after.value - before.value - np.hypot(after.value - after.interval.low, before.interval.high - before.value)
    high = after.value - before.value + np.hypot(after.interval.high - after.value, before.value - before.interval.low)
    points = 100 * (after.value - before.value) / spent
    return f"{points:+.1f} points", f"{100 * low / spent:+.1f} to {100 * high / spent:+.1f} points a minute"


def success_chart(found: list[Round]) -> None:
    """Unaided success by round, with intervals and counts."""
    begun = [r for r in found if r.unaided.n]
    if not begun:
        st.caption("The policy has not driven yet: only demonstrations were recorded.")
        return
    edges = [r.unaided.interval for r in begun]
    layer = bars(
        np.array([r.number for r in begun], float), np.array([r.unaided.value for r in begun]), COLOURS[0], width=0.6,
        low=np.array([e.low for e in edges]), high=np.array([e.high for e in edges]),
        text=[str(r.unaided.n) for r in begun], says=[f"{r.unaided.hits} of {r.unaided.n} unaided" for r in begun],
    )  # fmt: skip
    chart(
        axis("round", found[0].number - 0.6, found[-1].number + 0.6, [(float(r.number), str(r.number)) for r in found]),
        axis("unaided success", 0, 1.12), [layer], key="unaided", height=240,
        alt="; ".join(f"round {r.number}: {r.unaided.hits} of {r.unaided.n} unaided" for r in begun),
    )  # fmt: skip


def cost_chart(found: list[Round]) -> None:
    """Seconds of a person's driving by round and by what for."""
    x = np.array([r.number for r in found], float)
    base = np.zeros(len(found))
    layers = []
    parts = (("recovery", COLOURS[1]), ("correction", CORRECTION), ("demonstration", COLOURS[2]))
    for name, hue in parts:
        seconds = np.array([_seconds(r, name) for r in found])
        layers.append(bars(x, base + seconds, hue, base=base, name=name, width=0.6))
        base = base + seconds
    chart(
        axis("round", x[0] - 0.6, x[-1] + 0.6, [(v, f"{v:.0f}") for v in x.tolist()]),
        axis("seconds driven", 0, max(float(base.max()) * 1.1, 1.0)), layers, key="driven", height=240,
        alt="; ".join(f"round {r.number}: {60 * r.driven:.0f} s driven" for r in found),
    )  # fmt: skip


def _seconds(one: Round, name: str) -> float:
    cost, rate = one.cost, one.cost.human_frames / (60 * one.driven) if one.driven else 60.0
    own = {"recovery": cost.recovery_frames, "correction": cost.correction_frames}
    frames = own.get(name, cost.human_frames - sum(own.values()))
    return frames / rate


def progress(found: Glance) -> None:
    """The page of a lesson in motion."""
    made = rounds(found.rollouts())
    if not made:
        st.title("Progress")
        st.write("Nothing was recorded yet.")
        return
    figures(made)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Does it do it by itself?**")
        success_chart(made)
    with right:
        st.markdown("**What it cost you**")
        cost_chart(made)
