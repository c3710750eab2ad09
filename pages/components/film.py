"""An episode as a film of its recorded pictures, with a scrub bar of bands."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pages.components.bundle import register
from pages.components.chart import packed
from teaching.rollout_picture import Seen, Tracks
from teaching.segments import Timeline

_MOUNT = register("film", "film_scene.js", "film_seen.js", "film.js")


class Shot(NamedTuple):
    """One picture and for how long it is shown."""

    at: float
    """Seconds from the beginning."""
    until: float
    url: str
    goal: str
    said: str
    kind: str
    """ "right", "wrong" or ""; in motion the segment's kind."""


def scene(found: Tracks, timeline: Timeline, rate: float, watched: Sequence[Seen] = ()) -> dict[str, Any]:
    """An episode in motion as what the component draws, and what cameras saw of it."""
    names = [s.kind.name.lower() for s in timeline.segments for _ in range(len(s))]
    drivers = ["retraced" if names[t].startswith("recovery_auto") else names[t] for t in found.ticks.tolist()]
    return {
        "seconds": packed(found.ticks / rate),
        "drivers": drivers,
        "tips": [{"at": packed(a), "grip": packed(g)} for a, g in zip(found.tips, found.grippers, strict=True)],
        "seen": [
            {"camera": one.camera, "at": list(one.seconds), "jpegs": [base64.b64encode(j).decode() for j in one.jpegs]}
            for one in watched
        ],
        "things": [{"name": n, "at": packed(a)} for n, a in found.things.items()],
    }


def film(
    name: str, shots: Sequence[Shot], *, at: float = 0.0, moving: Mapping[str, Any] | None = None, key: str = ""
) -> float:
    """Draw a film.

    Args:
        name: of the episode; another one starts the film anew.
        shots: in order, at least one.
        at: where it begins, in seconds.
        moving: made by `scene`, of an episode in motion; its shots are segments and have no pictures.
        key: sets films of one episode apart on a page that shows it twice.

    Returns:
        Where it stands, in seconds: after a pause, a jump or a scrub.
    """
    told = {"name": name, "shots": [s._asdict() for s in shots], "length": shots[-1].until, "at": at}
    told |= {"what": "segment" if moving else "plan", "scene": moving}
    result = _MOUNT(data={"text": json.dumps(told)}, key=f"film {name}{key}", on_at_change=lambda: None)
    return float(at if result.at is None else result.at)
