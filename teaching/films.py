"""A film of one scene: what was planned, seen and done while a model was evaluated, as pictures with their seconds.

A file of two lines of JSON: everything but the pictures, then the pictures as base64 JPEG. So that a table of many
scenes reads no picture, and a film is there whole or not at all.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from teaching.types import Array, BadInput

FORMAT, SCHEMA = "askback-film", 1
MOST_BYTES = 64 * 2**20
"""Of a file that is read at all."""


@dataclass(frozen=True)
class Shot:
    """One picture, from a second to another."""

    at: float
    until: float
    picture: int
    """Which of the film's pictures."""
    plan: int = -1
    """Which of its plans is drawn over it; −1: none."""


@dataclass(frozen=True)
class Band:
    """A stretch of the scrub bar."""

    at: float
    until: float
    said: str
    kind: str = ""
    """ "right", "wrong" or "" """


@dataclass(frozen=True)
class Drawn:
    """A plan as it is drawn over a picture from above."""

    spots: tuple[tuple[float, float], ...]
    """Where it picks and places, as shares of the picture's width and height."""
    uncertainty: float


@dataclass(frozen=True)
class Head:
    """A film without its pictures."""

    scene: int
    """Counted from 0 within its seed."""
    seed: int
    """Of the simulated scene."""
    task: str
    split: str
    goal: str
    model: str
    policy: str
    """SHA-256 of the weights."""
    reward: float
    solved: bool
    said: str
    """How it ended, in words."""
    shots: tuple[Shot, ...] = ()
    bands: tuple[Band, ...] = ()
    plans: tuple[Drawn, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.reward) and self.scene >= 0):
            raise BadInput(f"expected a finite reward and a scene from 0, got {self.reward} and {self.scene}")

    @property
    def length(self) -> float:
        """Seconds."""
        return max((shot.until for shot in self.shots), default=0.0)


@dataclass
class Reel:
    """A film while it is taken; time passes only by what is put into it."""

    now: float = 0.0
    pictures: list[bytes] = field(default_factory=list)
    """JPEG."""
    shots: list[Shot] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    plans: list[Drawn] = field(default_factory=list)

    def show(self, picture: bytes, seconds: float, plan: int = -1) -> None:
        """A picture for so long."""
        self.pictures.append(picture)
        self.shots.append(Shot(round(self.now, 3), round(self.now + seconds, 3), len(self.pictures) - 1, plan))
        self.now += seconds

    def mark(self, since: float, said: str, kind: str = "") -> None:
        """A band from a second until now."""
        self.bands.append(Band(round(since, 3), round(self.now, 3), said, kind))

    def parts(self) -> dict[str, Any]:
        """What a Head takes."""
        return {"shots": tuple(self.shots), "bands": tuple(self.bands), "plans": tuple(self.plans)}


def write(path: Path, head: Head, pictures: list[bytes]) -> None:
    """Beside, synced, renamed."""
    first = json.dumps({"format": FORMAT, "schema": SCHEMA, **asdict(head)}, allow_nan=False)
    second = json.dumps([base64.b64encode(p).decode() for p in pictures])
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("w", encoding="utf-8") as file:
        file.write(f"{first}\n{second}\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_head(path: Path) -> Head:
    """A film without its pictures; BadInput if it is none."""
    return _head(*_lines(path, 1))


def for_browser(path: Path) -> dict[str, Any]:
    """A whole film as the player takes it; BadInput if it is none."""
    first, second = _lines(path, 2)
    head = _head(first)
    try:
        pictures = json.loads(second)
        if not all(isinstance(p, str) for p in pictures) or max((s.picture for s in head.shots), default=-1) >= len(
            pictures
        ):
            raise ValueError("pictures are missing")
    except (ValueError, TypeError) as error:
        raise BadInput(f"expected a film in {path.name}, got a damaged one: {error}; compare anew") from error
    return {**asdict(head), "length": head.length, "pictures": pictures}


def _lines(path: Path, count: int) -> list[str]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"expected a film of at most {MOST_BYTES} bytes, got {path.stat().st_size} in {path.name}")
        with path.open(encoding="utf-8") as file:
            return [file.readline() for _ in range(count)]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"expected a film in {path.name}, got none: {error}; compare anew") from error


def _head(line: str) -> Head:
    try:
        value = json.loads(line)
        if (value.pop("format"), value.pop("schema")) != (FORMAT, SCHEMA):
            raise ValueError("it is of another form")
        value["shots"] = tuple(Shot(**s) for s in value["shots"])
        value["bands"] = tuple(Band(**b) for b in value["bands"])
        value["plans"] = tuple(Drawn(tuple((float(u), float(v)) for u, v in p["spots"]), p["uncertainty"])
                               for p in value["plans"])  # fmt: skip
        return Head(**value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"expected a film, got something else: {error}; compare anew") from error


def policy_hash(checkpoint: Path) -> str:
    """What tells one model's weights from another's; BadInput if there is no such model."""
    try:
        info: Mapping[str, Any] = json.loads((checkpoint / "checkpoint.json").read_text())
        return str(info["files"]["model.safetensors"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"expected a model in {checkpoint}, got none that can be read: {error}; take another") from error


def spots(actions: Array, x: tuple[float, float], y: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Where actions (T, A ≥ 2) lie in a picture from above, as shares of its width and height."""
    return tuple(
        (round(float((a[1] - y[0]) / (y[1] - y[0])), 4), round(float((a[0] - x[0]) / (x[1] - x[0])), 4))
        for a in (actions[0], actions[-1])
    )
