"""The figures of `teaching.experiments.robot_gated` as a page: human seconds per success, and what a call may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from teaching.experiments.experiment import Finding
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.metrics import wilson
from teaching.types import Array, BadInput

Row = Mapping[str, Any]
TICKS_PER_SECOND = 10.0
"""The bench moves 4 cm per tick at most: 0.4 m/s."""
COSTS = (0.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds that being called costs, beside those at the controls."""
BAR, MARGIN = 0.3, 0.02
"""Seconds to be saved, as a share; and how much less success still counts as equal."""
FIELDS = ("success", "ticks", "driven", "doubt", "late")


def seconds(rollouts: Array, watched: bool, cost: float) -> Array:
    """Human seconds of rollouts (…, 5), columns `FIELDS`: all of it if watched; else at the controls, and the calls."""
    _, ticks, driven, doubt, late = np.moveaxis(rollouts, -1, 0)
    found: Array = ticks / TICKS_PER_SECOND if watched else driven / TICKS_PER_SECOND + cost * (doubt + late)
    return found


def per_success(rollouts: Array, watched: bool, cost: float) -> float:
    """Human seconds per success; infinite without one."""
    successes = rollouts[..., 0].sum()
    return float(seconds(rollouts, watched, cost).sum() / successes) if successes else float("inf")


def saving(ours: Array, theirs: Array, cost: float, rng: np.random.Generator, draws: int = 1000) -> tuple[float, ...]:
    """Share of human seconds per success saved against watching, and its 95 % interval.

    Args:
        ours, theirs: (S, N, 5) rollouts of S seeds in the same scenes; `theirs` was watched.
        cost: seconds per call.
        rng: draws seeds, and scenes within them, anew (bootstrap, both regimes alike).
        draws: how often.
    """
    if ours.shape != theirs.shape or ours.ndim != 3:
        raise BadInput(f"expected two arrays (seeds, scenes, {len(FIELDS)}), got {ours.shape} and {theirs.shape}")
    s, n = ours.shape[:2]
    found = []
    for _ in range(draws):
        seed, scene = rng.integers(s, size=s), rng.integers(n, size=(s, n))
        a, b = ours[seed[:, None], scene], theirs[seed[:, None], scene]
        if b[..., 0].any():
            found.append(1 - per_success(a, False, cost) / per_success(b, True, 0.0))
    low, high = np.quantile(found, [0.025, 0.975], method="nearest")
    return 1 - per_success(ours, False, cost) / per_success(theirs, True, 0.0), float(low), float(high)


def dearest(ours: Array, theirs: Array, share: float) -> float:
    """The cost of a call in seconds up to which a share of the seconds per success is saved; negative: none."""
    calls = ours[..., 3:5].sum() / max(ours[..., 0].sum(), 1)
    allowed = (1 - share) * per_success(theirs, True, 0.0) - per_success(ours, False, 0.0)
    return float(allowed / calls) if calls else float("inf")


def table(rows: Sequence[Row], regime: str) -> Array:
    """(S, N, 5) the rollouts of a regime, seed by seed."""
    own = sorted((r for r in rows if r["regime"] == regime), key=lambda r: r["seed"])
    if not own:
        raise BadInput(f"expected rows of {regime}, got none")
    return np.array([[r["rollouts"][name] for name in FIELDS] for r in own], dtype=np.float64).transpose(0, 2, 1)


def section(rows: Sequence[Row]) -> list[str]:
    """The tables of one scene, policy and person."""
    regimes = list(dict.fromkeys(r["regime"] for r in rows))
    theirs, rng = table(rows, "watching"), np.random.default_rng(0)
    head = ["regime", "success, %", "by seed", "against watching", "calls per rollout (by doubt + late)",
            "called before it failed", "called needlessly",
            *(f"s per success, a call {c:g} s" for c in COSTS)]  # fmt: skip
    body, saved = [], []
    for regime in regimes:
        own, watched = [r for r in rows if r["regime"] == regime], regime == "watching"
        ours = table(rows, regime)
        body.append([regime, *_success(ours, theirs), *_calls(own, ours, watched),
                     *(f"{per_success(ours, watched, c):.1f}" for c in COSTS)])  # fmt: skip
        if not watched:
            each = [saving(ours, theirs, c, rng) for c in COSTS]
            limits = [f"{dearest(ours, theirs, share):.1f}" for share in (BAR, 0.0)]
            saved.append([regime, *(f"{100 * x:.0f} [{100 * a:.0f}, {100 * b:.0f}]" for x, a, b in each), *limits])
    named = ["seconds saved, % [95 %]", *(f"a call {c:g} s" for c in COSTS), "30 % up to, s", "anything up to, s"]
    return [*_lines(head, body), "", *_lines(named, saved)]


def _success(ours: Array, theirs: Array) -> list[str]:
    hits, n = int(ours[..., 0].sum()), ours[..., 0].size
    low, high = wilson(hits, n)
    each = (ours[..., 0] - theirs[..., 0]).mean(axis=1)
    seeds = ", ".join(f"{100 * x:.0f}" for x in ours[..., 0].mean(axis=1))
    against = f"{100 * each.mean():+.1f} ({100 * each.min():+.0f} to {100 * each.max():+.0f})"
    return [f"{100 * hits / n:.0f} [{100 * low:.0f}, {100 * high:.0f}]", seeds, against]


def _calls(own: Sequence[Row], ours: Array, watched: bool) -> list[str]:
    doubt, late = ours[..., 3].mean(), ours[..., 4].mean()
    if watched:
        return [f"{late:.2f} times stepped in", "–", "–"]
    cells = []
    for hits, of in (("forestalled", "failing"), ("needless", "fine")):
        k, n = sum(r[hits] for r in own), sum(r[of] for r in own)
        low, high = wilson(k, n)
        cells.append(f"{k} of {n}: {100 * k / max(n, 1):.0f} % [{100 * low:.0f}, {100 * high:.0f}]")
    return [f"{doubt:.2f} + {late:.2f}", *cells]


def _lines(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *body)]


def found(rows: Sequence[Row]) -> Finding:
    """Tables, plot and the shares saved when a call costs five seconds."""
    parts, panels, figures = [], [], {}
    for scene, policy, person in dict.fromkeys((r["scene"], r["policy"], r["person"]) for r in rows):
        own = [r for r in rows if (r["scene"], r["policy"], r["person"]) == (scene, policy, person)]
        parts += [f"## Scene `{scene}`, policy `{policy}`, {person} person", "", *section(own), ""]
        panels.append(_panel(f"{scene}, {policy}, {person}", own))
        for regime in dict.fromkeys(r["regime"] for r in own if r["regime"] != "watching"):
            share = 1 - per_success(table(own, regime), False, 5.0) / per_success(table(own, "watching"), True, 0.0)
            figures[f"{scene}/{policy}/{person}/{regime}"] = round(share, 3)
    return Finding("\n".join(parts), figures, rows, {"seconds": svg(panels, columns=2, width=460, height=280)})


def _panel(title: str, rows: Sequence[Row]) -> Panel:
    lines = []
    for regime in dict.fromkeys(r["regime"] for r in rows):
        ours, watched = table(rows, regime), regime == "watching"
        lines.append(Line(regime, COSTS, [per_success(ours, watched, c) for c in COSTS], dashed=watched))
    return Panel(title, "seconds that a call costs", "human seconds per success", lines)
