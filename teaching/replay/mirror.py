"""The training mirror: pictures and actions of every demonstration in force, in memory, ready for fancy indexing.

HDF5 is the durable copy; a random batch read from it would cost a hundred times more than one from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from teaching.policies.base import Batch
from teaching.replay.episode import Step
from teaching.replay.file import read_pictures
from teaching.sampling import Drawer, Sampling, Stock
from teaching.types import Array, BadInput, Demonstration

if TYPE_CHECKING:
    from teaching.replay.reading import Reading

_BLOCK = 64
"""Pictures that room is made for at first; doubled when it is used up."""


class Mirror:
    """One picture per decision, shared by its demonstrations. Grows with `refresh`."""

    def __init__(self, buffer: Reading) -> None:
        self._buffer = buffer
        self._colour: Array = np.zeros((0, 0, 0, 3), np.uint8)
        self._height: Array = np.zeros((0, 0, 0), np.float32)
        self._used = 0
        self._picture: dict[str, int] = {}
        """Decision id → row of its picture."""
        self._row: dict[str, int] = {}
        """Demonstration id → row in the arrays below."""
        self.demonstrations: tuple[Demonstration, ...] = ()
        self._actions: Array = np.zeros((0, 0, 0))
        self._where: Array = np.zeros(0, np.int64)
        self._goals: tuple[str, ...] = ()
        self._stock: Stock | None = None
        self._drawers: dict[Sampling, tuple[Drawer, Array]] = {}
        self._drawn: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self.demonstrations)

    @property
    def bytes(self) -> int:
        """Memory that its pictures fill."""
        return 0 if not self._used else self._used * (self._colour[0].nbytes + self._height[0].nbytes)

    def refresh(self) -> None:
        """Take in what the buffer holds now; pictures that are here are not read again."""
        self._take(self._buffer.demonstrations())

    def keep_only(self, demonstrations: Iterable[str]) -> None:
        """Of what it holds, these alone, by id, until it is refreshed; ids that it has not are passed by."""
        wanted = set(demonstrations)
        self._take([d for d in self.demonstrations if d.id in wanted])

    def _take(self, demonstrations: Sequence[Demonstration]) -> None:
        self._load([d.decision for d in demonstrations if d.decision not in self._picture])
        shapes = {d.actions.shape for d in demonstrations}
        if len(shapes) > 1:
            raise BadInput(f"expected demonstrations of one shape (T, A) to train on, got {sorted(shapes)}")
        self.demonstrations = tuple(demonstrations)
        self._row = {d.id: i for i, d in enumerate(demonstrations)}
        self._actions = np.array([d.actions for d in demonstrations]) if demonstrations else np.zeros((0, 0, 0))
        self._where = np.array([self._picture[d.decision] for d in demonstrations], np.int64)
        self._goals = tuple(d.goal for d in demonstrations)
        self._stock = self._stocked()
        self._drawers = {}
        self._drawn = Counter()

    def _stocked(self) -> Stock:
        """What is drawn from, as of now."""
        rows, factors, pins = self._buffer.rows(), self._buffer.weights(), self._buffer.pins()
        where = {d: i for i, d in enumerate(rows.demonstration) if d is not None}
        names = [d.id for d in self.demonstrations]
        return Stock(
            rows,
            np.array([where[d] for d in names], np.int64),
            np.array([factors.get(d, 1.0) for d in names]),
            np.array([d in pins for d in names], bool),
        )

    def _load(self, decisions: Sequence[str]) -> None:
        """Read the pictures of some decisions, each file once."""
        files: dict[str, list[tuple[int, str]]] = {}
        commits = {c.episode: c for c in self._buffer.commits()}
        for name in dict.fromkeys(decisions):
            found = self._buffer.find(name)
            if isinstance(found, Step):
                self._keep(name, found.observation["colour"], found.observation["height"])
            else:
                files.setdefault(found[0].episode, []).append((found[1], name))
        for episode, wanted in files.items():
            path = self._buffer.file_of(commits[episode])
            for (_, name), (colour, height) in zip(wanted, read_pictures(path, [i for i, _ in wanted]), strict=True):
                self._keep(name, colour, height)

    def _keep(self, decision: str, colour: Array, height: Array) -> None:
        if not self._used:
            self._colour = np.empty((_BLOCK, *colour.shape), np.uint8)
            self._height = np.empty((_BLOCK, *height.shape), np.float32)
        if colour.shape != self._colour.shape[1:] or height.shape != self._height.shape[1:]:
            raise BadInput(
                f"expected pictures of shape {self._colour.shape[1:]} like the first, got {colour.shape} at {decision}"
            )
        if self._used == len(self._colour):
            self._colour, self._height = _doubled(self._colour), _doubled(self._height)
        self._colour[self._used], self._height[self._used] = colour, height
        self._picture[decision] = self._used
        self._used += 1

    def batch(self, demonstrations: Sequence[str]) -> tuple[Array, Array, tuple[str, ...], Array]:
        """By id: colour (B, H, W, 3) uint8, height (B, H, W) float32 in metres, goals (B,), actions (B, T, A)."""
        try:
            rows = np.array([self._row[d] for d in demonstrations], np.int64)
        except KeyError as error:
            raise BadInput(f"expected ids of demonstrations in force, got {error}") from error
        return self._gather(rows)

    def _gather(self, rows: Array) -> tuple[Array, Array, tuple[str, ...], Array]:
        where = self._where[rows]
        return self._colour[where], self._height[where], tuple(self._goals[i] for i in rows), self._actions[rows]

    def distribution(
        self, *, alpha: float = 1.5, beta: float = 1.0, lam: float = 0.5, b: float = 10.0, prioritised: bool = True
    ) -> tuple[Array, Array]:
        """Probability (M,) and weight (M,) of each demonstration (PIER, section 4 of the paper).

        A person's factor multiplies the priority; a pinned demonstration has at least the priority 1 of a neutral one.
        """
        stock = self._stock or self._stocked()
        return stock.distribution(Sampling(alpha=alpha, beta=beta, lam=lam, b=b, prioritised=prioritised))

    def sample(
        self,
        n: int,
        rng: np.random.Generator,
        *,
        alpha: float = 1.5,
        beta: float = 1.0,
        lam: float = 0.5,
        b: float = 10.0,
        prioritised: bool = True,
    ) -> Batch:
        """`n` demonstrations drawn with replacement by priority, with their importance weights."""
        if not self.demonstrations:
            raise BadInput("expected at least one demonstration to train on, got none; answer a question first")
        how = Sampling(alpha=alpha, beta=beta, lam=lam, b=b, prioritised=prioritised)
        if how not in self._drawers:
            probability, weight = self.distribution(alpha=alpha, beta=beta, lam=lam, b=b, prioritised=prioritised)
            self._drawers[how] = Drawer(probability), weight
        drawer, weight = self._drawers[how]
        rows = drawer.draw(n, rng)
        self._drawn.update(rows.tolist())
        colour, height, goals, actions = self._gather(rows)
        return Batch(colour, height, goals, actions, weight[rows])

    def draws(self) -> dict[str, int]:
        """Demonstration id → how often it was drawn since the last refresh."""
        return {self.demonstrations[row].id: n for row, n in sorted(self._drawn.items())}


def _doubled(array: Array) -> Array:
    bigger = np.empty((2 * len(array), *array.shape[1:]), array.dtype)
    bigger[: len(array)] = array
    return bigger
