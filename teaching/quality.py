"""What is unusual about a recorded episode: very short or long, still for most of it, jerky. Pure.

Rules of thumb for whoever looks through recordings, against the lesson's own median; nothing is left out by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from teaching.types import Array

STILL = 0.002
"""Metres per second of the tip below which it stands."""
MOSTLY = 0.6
"""Share of an episode that it may stand."""
FAR = 2.5
"""Times the median, up or down, from which a figure is unusual."""
FEW = 5
"""Episodes below which there is no median to compare with."""


def stillness(tip: Array, rate: float) -> float:
    """Share of the ticks in which the tip stands.

    Args:
        tip: (T, 3) metres.
        rate: ticks per second.
    """
    if len(tip) < 2:
        return 0.0
    speed = np.linalg.norm(np.diff(tip, axis=0), axis=1) * rate
    return float(np.mean(speed < STILL))


def jerk(tip: Array, rate: float) -> float:
    """Root mean square of the tip's jerk, m/s³, of a path smoothed over a tenth of a second.

    Args:
        tip: (T, 3) metres.
        rate: ticks per second.
    """
    width = max(int(rate / 10), 1)
    if len(tip) < width + 4:
        return 0.0
    kernel = np.full(width, 1.0 / width)
    smooth = np.stack([np.convolve(tip[:, k], kernel, mode="valid") for k in range(3)], axis=1)
    third = np.diff(smooth, n=3, axis=0) * rate**3
    return float(np.sqrt(np.mean(np.sum(third**2, axis=1))))


def unusual(figures: Sequence[Mapping[str, float]]) -> list[list[str]]:
    """Words per episode: short, long, still, jerky. Figures: `seconds`, and if it moved `still` and `jerk`."""
    middle = {}
    for name in ("seconds", "jerk"):
        known = [f[name] for f in figures if f.get(name, 0.0) > 0.0]
        if len(known) >= FEW:
            middle[name] = float(np.median(known))
    return [_words(f, middle) for f in figures]


def _words(figures: Mapping[str, float], middle: Mapping[str, float]) -> list[str]:
    found = []
    seconds = figures.get("seconds", 0.0)
    if "seconds" in middle and seconds > 0.0:
        found += ["short"] if seconds < middle["seconds"] / FAR else []
        found += ["long"] if seconds > middle["seconds"] * FAR else []
    if figures.get("still", 0.0) > MOSTLY:
        found.append("still")
    if "jerk" in middle and figures.get("jerk", 0.0) > FAR * middle["jerk"]:
        found.append("jerky")
    return found
