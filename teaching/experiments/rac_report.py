"""The figures of `teaching.experiments.rac` as a page of tables and as a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from teaching.metrics import wilson
from teaching.types import BadInput

Row = Mapping[str, Any]
NAMES = {
    "demos": "full demonstrations", "hg-dagger": "HG-DAgger", "rule2": "Rule 2 only", "rule1": "Rule 1 only",
    "rac": "RaC (both rules)",
}  # fmt: skip
COLOURS = {"demos": "#7f7f7f", "hg-dagger": "#d95f02", "rule2": "#e6ab02", "rule1": "#66a61e", "rac": "#1b6ca8"}
CAVEATS = """The scripted person knows the truth, never fumbles and recovers perfectly. In the scene `looks` what is
perceived near the goal can be wrong and stays so until the gripper has backed out, so that a direct correction cannot
be imitated and a retry can: that is the condition under which recovering pays. `perfect` is the control without it.
Without a retry `looks` allows 30 % at most. Intervals of pooled rollouts leave out how much seeds differ, so every seed
is shown."""


def pooled(rows: Sequence[Row], arm: str, number: int) -> tuple[int, int]:
    """Successes and rollouts of an arm in a round, over all seeds."""
    found = [r for r in rows if r["arm"] == arm and r["round"] == number]
    return sum(r["successes"] for r in found), sum(r["rollouts"] for r in found)


def paired(rows: Sequence[Row], better: str, other: str) -> dict[str, Any]:
    """Two arms in the last round, seed by seed, with an exact sign-flip test of the mean difference, two-sided."""
    last = max(r["round"] for r in rows)
    share = {(r["arm"], r["seed"]): r["successes"] / r["rollouts"] for r in rows if r["round"] == last}
    seeds = sorted({seed for arm, seed in share if arm == better} & {seed for arm, seed in share if arm == other})
    if not seeds:
        raise BadInput(f"expected seeds that both {better} and {other} were run with, got none")
    a, b = (np.array([share[arm, seed] for seed in seeds]) for arm in (better, other))
    means = [abs(np.mean(np.array(signs) * (a - b))) for signs in product((1, -1), repeat=len(seeds))]
    return {
        "seeds": seeds, "difference": float(np.mean(a - b)), "ratio": float(a.mean() / b.mean()) if b.any() else None,
        "ratios": [round(float(x / y), 2) if y else None for x, y in zip(a, b, strict=True)],
        "p": float(np.mean(np.array(means) >= abs(np.mean(a - b)) - 1e-12)),
    }  # fmt: skip


def page(rows: Sequence[Row], settings: Mapping[str, Any], command: str) -> str:
    """The page, in Markdown."""
    parts = ["# Recovery and correction at equal human frames", "", f"Made by `{command}`.", "", CAVEATS, ""]
    for scene in dict.fromkeys(str(r["scene"]) for r in rows):
        own = [r for r in rows if r["scene"] == scene]
        parts += [f"## Scene `{scene}`", "", *_success(own), "", *_effort(own), "", *_pairs(own), "", *_capped(own), ""]
    told = ", ".join(f"{k} {v}" for k, v in settings.items() if not isinstance(v, Mapping))
    return "\n".join(
        [*parts, "## Settings", "", f"{told}; policy {settings['flow']}; person {settings['expert']}.", ""]
    )


def _arms(rows: Sequence[Row]) -> list[str]:
    return [arm for arm in NAMES if any(r["arm"] == arm for r in rows)]


def _rounds(rows: Sequence[Row]) -> range:
    return range(max(r["round"] for r in rows) + 1)


def _mean(rows: Sequence[Row], arm: str, number: int, name: str) -> float:
    found = [r[name] for r in rows if r["arm"] == arm and r["round"] == number]
    return float(np.nanmean(found)) if np.any(np.isfinite(found)) else float("nan")


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *body]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _success(rows: Sequence[Row]) -> list[str]:
    body = []
    for arm in _arms(rows):
        cells = []
        for number in _rounds(rows):
            hits, n = pooled(rows, arm, number)
            low, high = wilson(hits, n)
            cells.append(f"{100 * hits / n:.0f} [{100 * low:.0f}, {100 * high:.0f}]")
        last = [r for r in rows if r["arm"] == arm and r["round"] == _rounds(rows)[-1]]
        each = ", ".join(f"{100 * r['successes'] / r['rollouts']:.0f}" for r in sorted(last, key=lambda r: r["seed"]))
        progress = " ".join(f"{_mean(rows, arm, k, 'progress'):.2f}" for k in _rounds(rows))
        frames = (
            f"{_mean(rows, arm, 0, 'human_frames'):.0f} → {_mean(rows, arm, _rounds(rows)[-1], 'human_frames'):.0f}"
        )
        body.append([NAMES[arm], *cells, each, progress, frames])
    head = ["arm", *(f"round {k}, % [Wilson 95 %]" for k in _rounds(rows)), "last round, each seed", "subtasks of 3",
            "human frames"]  # fmt: skip
    return _table(head, body)


def _effort(rows: Sequence[Row]) -> list[str]:
    body = []
    for arm in _arms(rows):
        later = [[r["collected"] for r in rows if r["arm"] == arm and r["round"] == k] for k in _rounds(rows)][1:]
        sums = [{name: sum(c[name] for c in found) for name in found[0]} for found in later]
        if not sums:
            continue
        ratio = ", ".join(
            f"1:{s['correction_frames'] / s['recovery_frames']:.1f}" if s["recovery_frames"] else "–" for s in sums
        )
        n = len({r["seed"] for r in rows if r["arm"] == arm})
        helped, episodes = sum(s["interventions"] for s in sums), sum(s["episodes"] for s in sums)
        each = f"{sum(s['human_frames'] for s in sums) / helped:.0f}" if helped else "–"
        last = _rounds(rows)[-1]
        body.append(
            [
                NAMES[arm], ratio, f"{helped / n:.0f}", each, f"{episodes / n:.0f}",
                f"{sum(s['watched_frames'] for s in sums) / n:.0f}",
                f"{_mean(rows, arm, last, 'median_length'):.0f}", f"{_mean(rows, arm, last, 'recoveries'):.2f}",
                f"{_mean(rows, arm, 0, 'stalled'):.0f} → {_mean(rows, arm, last, 'stalled'):.0f}",
            ]
        )  # fmt: skip
    head = ["arm", "recovery:correction by round", "interventions", "frames each", "supervised episodes",
            "frames watched", "median length of successes", "recoveries per rollout", "stalled"]  # fmt: skip
    return _table(head, body)


def _pairs(rows: Sequence[Row]) -> list[str]:
    others = [arm for arm in _arms(rows) if arm != "rac"]
    if "rac" not in _arms(rows):
        return []
    lines = []
    for other in others:
        found = paired(rows, "rac", other)
        ratio = "–" if found["ratio"] is None else f"{found['ratio']:.2f} ×"
        lines.append(
            f"- RaC against {NAMES[other]}: {ratio}, {100 * found['difference']:+.0f} points; by seed "
            f"{', '.join(str(x) for x in found['ratios'])}; sign-flip test over {len(found['seeds'])} seeds p = "
            f"{found['p']:.3f}."
        )
    return lines


def _capped(rows: Sequence[Row]) -> list[str]:
    last = [r for r in rows if r["round"] == _rounds(rows)[-1]]
    caps = list(last[0]["capped"])
    body = []
    for name, what in (("capped", "phase"), ("capped_looks", "looks")):
        for arm in _arms(rows):
            own = [r for r in last if r["arm"] == arm]
            n = sum(r["rollouts"] for r in own)
            hits = [sum(r[name][cap] for r in own) for cap in caps]
            cells = [f"{100 * h / n:.0f} [{100 * wilson(h, n).low:.0f}, {100 * wilson(h, n).high:.0f}]" for h in hits]
            body.append([NAMES[arm], what, *cells])
    return ["Success in % when a rollout ends at the recovery after so many, same checkpoints and rollouts.",
            "Recoveries are counted by the phase detector, and as new looks that began a subtask again:", "",
            *_table(["arm", "counted by", *caps], body)]  # fmt: skip


def figure(rows: Sequence[Row]) -> Any:
    """Success over human frames, and over recoveries allowed, one column per scene; a Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    scenes = list(dict.fromkeys(str(r["scene"]) for r in rows))
    titles = [f"{scene}: {what}" for what in ("success over human frames", "recoveries allowed") for scene in scenes]
    shown = make_subplots(rows=2, cols=len(scenes), subplot_titles=titles, shared_yaxes=True)
    for column, scene in enumerate(scenes, 1):
        own = [r for r in rows if r["scene"] == scene]
        last = _rounds(own)[-1]
        for arm in _arms(own):
            counts = [pooled(own, arm, k) for k in _rounds(own)]
            frames = [_mean(own, arm, k, "human_frames") for k in _rounds(own)]
            shown.add_trace(_line(go, arm, frames, counts, column == 1), row=1, col=column)
            single = [r for r in own if r["arm"] == arm]
            dots = go.Scatter(
                x=[r["human_frames"] for r in single], y=[100 * r["successes"] / r["rollouts"] for r in single],
                mode="markers", marker={"color": COLOURS[arm], "size": 5, "opacity": 0.4}, showlegend=False,
            )  # fmt: skip
            shown.add_trace(dots, row=1, col=column)
            ended = [r for r in single if r["round"] == last]
            caps = list(ended[0]["capped"])
            n = sum(r["rollouts"] for r in ended)
            capped = [(sum(r["capped"][cap] for r in ended), n) for cap in caps]
            shown.add_trace(_line(go, arm, [int(cap) for cap in caps], capped, False), row=2, col=column)
    shown.update_yaxes(title_text="success, %", range=[0, 100], col=1)
    shown.update_layout(template="plotly_white", height=760, width=520 * len(scenes) + 180)
    return shown


def _line(go: Any, arm: str, x: Sequence[float], counts: Sequence[tuple[int, int]], legend: bool) -> Any:
    y = [100 * h / n for h, n in counts]
    spans = [wilson(h, n) for h, n in counts]
    error = {
        "array": [100 * s.high - v for s, v in zip(spans, y, strict=True)],
        "arrayminus": [v - 100 * s.low for s, v in zip(spans, y, strict=True)],
    }
    return go.Scatter(
        x=list(x), y=y, error_y=error, name=NAMES[arm], legendgroup=arm, showlegend=legend, line={"color": COLOURS[arm]}
    )


def write(rows: Sequence[Row], settings: Mapping[str, Any], command: str, docs: Path) -> tuple[Path, Path]:
    """`rac.md` and `rac.html` in a directory; the plot loads Plotly from its network address."""
    docs.mkdir(parents=True, exist_ok=True)
    text, plot = docs / "rac.md", docs / "rac.html"
    text.write_text(page(rows, settings, command), encoding="utf-8")
    figure(rows).write_html(plot, include_plotlyjs="cdn", div_id="rac")
    return text, plot
