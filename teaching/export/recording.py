"""An episode as other tools want it: rows at a fixed rate, with a state, an action, a goal and further columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from teaching.types import Array, BadInput

if TYPE_CHECKING:
    from teaching.replay import ReplayBuffer


@dataclass(frozen=True)
class Recording:
    """One episode in T rows."""

    id: str
    rate: int
    """Rows per second; 1 where a row is one plan, which takes as long as it takes."""
    goals: tuple[str, ...]
    """(T,) in words."""
    state: Array
    """(T, S) float32: joints in radians, and grippers."""
    action: Array
    """(T, A) float32: what was carried out."""
    action_names: tuple[str, ...]
    """(A,)."""
    sensed: Mapping[str, Array] = field(default_factory=dict)
    """Name → (T, n) float32: what else was sensed."""
    columns: Mapping[str, Array] = field(default_factory=dict)
    """Name → (T,) or (T, n): float, integer or bool; finite, since LeRobot's statistics take nothing else."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name → (T,) text."""
    pictures: Mapping[str, Array] = field(default_factory=dict)
    """Name → (T, H, W, 3) uint8."""
    exact: Mapping[str, Array] = field(default_factory=dict)
    """Name → (T, …): large arrays that only a form that keeps them cheaply takes."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Of the whole, plain values."""

    def __post_init__(self) -> None:
        rows = len(self.goals)
        if not rows:
            raise BadInput(f"expected at least one row in episode {self.id}, got none")
        arrays = {"state": self.state, "action": self.action, **self.sensed, **self.columns, **self.pictures}
        for name, array in arrays.items():
            if len(array) != rows:
                raise BadInput(f"expected {rows} rows of {name} in episode {self.id}, got {len(array)}")
            if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
                raise BadInput(f"expected finite numbers in {name} of episode {self.id}, got NaN or infinity")
        for name in ("sensed", "columns", "words", "pictures", "exact"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __len__(self) -> int:
        return len(self.goals)

    @property
    def shape(self) -> dict[str, tuple[Any, ...]]:
        """What has to be the same in every recording of one export."""
        named: dict[str, tuple[Any, ...]] = {
            "rate": (self.rate,),
            "state": self.state.shape[1:],
            "action": self.action.shape[1:],
        }
        for name, array in {**self.sensed, **self.columns, **self.pictures}.items():
            named[name] = (array.dtype.str, *array.shape[1:])
        return named | dict.fromkeys(self.words, ("text",))


@dataclass(frozen=True)
class Chosen:
    """Which episodes of a lesson are exported; they are read one at a time."""

    lesson: Mapping[str, Any]
    ids: tuple[str, ...]
    read: Callable[[str], Recording | None]
    """None: nothing was done in it."""

    def __iter__(self) -> Iterator[Recording]:
        """In order; BadInput if there is none, or names the first that is not like those before it."""
        first: Recording | None = None
        for recording in filter(None, map(self.read, self.ids)):
            shape, wanted = recording.shape, (first or recording).shape
            if shape != wanted:
                other = sorted(n for n in {*shape, *wanted} if shape.get(n) != wanted.get(n))
                raise BadInput(
                    f"expected the same columns in every episode, but {recording.id} differs in {', '.join(other)} "
                    "from those before it; other tools know one set of columns per file"
                )
            first = first or recording
            yield recording
        if first is None:
            raise BadInput("expected episodes to export, found none that count; teach first")

    def __len__(self) -> int:
        return len(self.ids)


def chosen(buffer: ReplayBuffer) -> Chosen:
    """The episodes of a lesson that count, of whichever kind it is."""
    from teaching.export import plans, rollouts

    if buffer.lesson.get("kind") == "rollout":
        return Chosen(buffer.lesson, tuple(rollouts.counting(buffer)), lambda name: rollouts.recording(buffer, name))
    return Chosen(buffer.lesson, tuple(plans.counting(buffer)), plans.reader(buffer))
