"""An episode as a film of its recorded pictures, with a scrub bar of bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pages.components.bundle import register

_MOUNT = register("film", "film.js")


class Shot(NamedTuple):
    """One picture and for how long it is shown."""

    at: float
    """Seconds from the beginning."""
    until: float
    url: str
    goal: str
    said: str
    kind: str
    """ "right", "wrong" or "" """


def film(name: str, shots: Sequence[Shot], *, at: float = 0.0) -> float:
    """Draw a film.

    Args:
        name: of the episode; another one starts the film anew.
        shots: in order, at least one.
        at: where it begins, in seconds.

    Returns:
        Where it stands, in seconds: after a pause, a jump or a scrub.
    """
    data = {"name": name, "shots": [s._asdict() for s in shots], "length": shots[-1].until, "at": at}
    result = _MOUNT(data=data, key=f"film {name}", on_at_change=lambda: None)
    return float(at if result.at is None else result.at)
