"""The figures of `teaching.experiments.rac` as a page of tables and as a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from teaching.experiments import intervals
from teaching.experiments.experiment import Finding
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.metrics import wilson
from teaching.types import BadInput

Row = Mapping[str, Any]
NAMES = {
    "demos": "full demonstrations", "hg-dagger": "HG-DAgger", "rule2": "Rule 2 only", "rule1": "Rule 1 only",
    "rac": "RaC (both rules)",
}  # fmt: skip
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
    test = intervals.paired(a.tolist(), b.tolist()) if len(seeds) > 1 else None
    return {
        "seeds": seeds, "difference": float(np.mean(a - b)), "ratio": float(a.mean() / b.mean()) if b.any() else None,
        "ratios": [round(float(x / y), 2) if y else None for x, y in zip(a, b, strict=True)],
        "told": test.told(0, 100.0) if test else "one seed", "p": test.p if test else 1.0,
    }  # fmt: skip


def found(rows: Sequence[Row], settings: Mapping[str, Any], caveats: str = CAVEATS) -> Finding:
    """Tables, plot and the main figures, after what has to be known of the scenes."""
    parts = [caveats, ""]
    for scene, own in _scenes(rows).items():
        parts += [f"## Scene `{scene}`", "", *_success(own), "", *_effort(own), "", *_pairs(own), "", *_capped(own), ""]
    told = ", ".join(f"{k} {v}" for k, v in settings.items() if not isinstance(v, Mapping))
    parts += ["## Settings", "", f"{told}; policy {settings['flow']}; person {settings['expert']}.", ""]
    parts += _spent(rows)
    seconds = round(sum(r.get("wall_seconds", 0.0) for r in rows), 1)
    return Finding("\n".join(parts), _figures(rows), rows, {"success": figure(rows)}, seconds or None)


def rules(rows: Sequence[Row], settings: Mapping[str, Any]) -> Finding:
    """What each rule does: success, frames of both kinds, and the arms in pairs."""
    parts = [CAVEATS, ""]
    for scene, own in _scenes(rows).items():
        parts += [f"## Scene `{scene}`", "", *_success(own), "", *_effort(own), "", *_pairs(own), ""]
    each = _scenes(rows)
    panels = [Panel(scene, "human frames", "success, %", _over_frames(own), y_range=(0.0, 100.0))
              for scene, own in each.items()]  # fmt: skip
    return _part("\n".join([*parts, _told(settings)]), rows, {"rounds": svg(panels, columns=len(panels), width=460)})


def test_time(rows: Sequence[Row], settings: Mapping[str, Any]) -> Finding:
    """Success over the recoveries that are allowed, same checkpoints and rollouts."""
    parts = [CAVEATS, ""]
    for scene, own in _scenes(rows).items():
        parts += [f"## Scene `{scene}`", "", *_capped(own), ""]
    each = _scenes(rows)
    panels = [Panel(scene, "recoveries allowed", "success, %", _over_caps(own), y_range=(0.0, 100.0))
              for scene, own in each.items()]  # fmt: skip
    return _part("\n".join([*parts, _told(settings)]), rows, {"capped": svg(panels, columns=len(panels), width=460)})


def _part(text: str, rows: Sequence[Row], plots: Mapping[str, str]) -> Finding:
    """A page about some of what the runs say; they took what `rac` tells."""
    seconds = round(sum(r.get("wall_seconds", 0.0) for r in rows), 1)
    return Finding(text, _figures(rows), rows, plots, seconds or None)


def _told(settings: Mapping[str, Any]) -> str:
    plain = ", ".join(f"{k} {v}" for k, v in settings.items() if not isinstance(v, Mapping))
    return f"Settings as of [rac](rac.md): {plain}."


def _figures(rows: Sequence[Row]) -> dict[str, float]:
    """Share of successes after the last round, by scene and arm."""
    shares = {}
    for scene, own in _scenes(rows).items():
        for arm in _arms(own):
            hits, n = pooled(own, arm, _rounds(own)[-1])
            shares[f"{scene}/{arm}"] = round(hits / n, 4)
    return shares


def _scenes(rows: Sequence[Row]) -> dict[str, list[Row]]:
    return {scene: [r for r in rows if r["scene"] == scene] for scene in dict.fromkeys(str(r["scene"]) for r in rows)}


def _spent(rows: Sequence[Row]) -> list[str]:
    """What one arm with one seed takes, where it was measured."""
    known = [(r["cpu_seconds"], r["wall_seconds"]) for r in rows if "cpu_seconds" in r]
    if not known:
        return []
    cpu, wall = zip(*known, strict=True)
    return [f"One arm with one seed, all rounds: {min(cpu):.0f} to {max(cpu):.0f} s of one core, {min(wall):.0f} to "
            f"{max(wall):.0f} s by the clock; {len(known)} of them."]  # fmt: skip


def _arms(rows: Sequence[Row]) -> list[str]:
    return [arm for arm in NAMES if any(r["arm"] == arm for r in rows)]


def _rounds(rows: Sequence[Row]) -> list[int]:
    """Those that were evaluated, in order."""
    return sorted({r["round"] for r in rows})


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
        each = ", ".join(str(x) for x in found["ratios"])
        lines.append(f"- RaC against {NAMES[other]}: {ratio}; by seed {each}; points more: {found['told']}.")
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


def figure(rows: Sequence[Row]) -> str:
    """Success over human frames, and over recoveries allowed, one column per scene; SVG."""
    each = _scenes(rows)
    over = [Panel(f"{scene}: round by round", "human frames", "success, %", _over_frames(own), y_range=(0.0, 100.0))
            for scene, own in each.items()]  # fmt: skip
    capped = [Panel(f"{scene}: last round, capped", "recoveries allowed", "success, %", _over_caps(own),
                    y_range=(0.0, 100.0)) for scene, own in each.items()]  # fmt: skip
    return svg([*over, *capped], columns=len(each), width=460, height=320)


def _over_frames(rows: Sequence[Row]) -> list[Line]:
    lines = []
    for arm in _arms(rows):
        frames = [_mean(rows, arm, k, "human_frames") for k in _rounds(rows)]
        lines.append(_line(arm, frames, [pooled(rows, arm, k) for k in _rounds(rows)]))
        own = [r for r in rows if r["arm"] == arm]
        dots = [100 * r["successes"] / r["rollouts"] for r in own]
        lines.append(Line(NAMES[arm], [r["human_frames"] for r in own], dots, joined=False))
    return lines


def _over_caps(rows: Sequence[Row]) -> list[Line]:
    lines = []
    for arm in _arms(rows):
        ended = [r for r in rows if r["arm"] == arm and r["round"] == _rounds(rows)[-1]]
        caps, n = list(ended[0]["capped"]), sum(r["rollouts"] for r in ended)
        counts = [(sum(r["capped"][cap] for r in ended), n) for cap in caps]
        lines.append(_line(arm, [float(cap) for cap in caps], counts))
    return lines


def _line(arm: str, x: Sequence[float], counts: Sequence[tuple[int, int]]) -> Line:
    spans = [wilson(hits, n) for hits, n in counts]
    shares = [100 * hits / n for hits, n in counts]
    return Line(NAMES[arm], x, shares, [100 * s.low for s in spans], [100 * s.high for s in spans], dots=False)
