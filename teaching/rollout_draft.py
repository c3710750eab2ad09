"""A supervised episode while it happens: every tick with what it was, branches that were left included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from teaching.replay import Episode
from teaching.replay.frames import Rollout
from teaching.replay.pictures import Pictures
from teaching.rollout_states import per_tick
from teaching.rollout_task import ROW
from teaching.segments import NONE, End, Segment, SegmentKind, Timeline, segments_of
from teaching.types import Array, BadInput, Plan

ENDS = {End.TRUNCATED: "interrupted", End.FAILED: "truncated", End.DISCARDED: "truncated"}
"""How an episode file calls them; the others were ended by the task."""


@dataclass
class Point:
    """What was known at one beat."""

    tick: int
    doubt: float
    familiar: float | None


@dataclass
class RolloutDraft:
    """Grows with every beat of the arm."""

    id: str
    seed: int
    goal: str
    started: float
    """Unix seconds."""
    round: int
    version: int
    """Of the policy."""
    arms: int = 1
    first: int = 0
    """The tick that the episode begins after."""
    head: int = 0
    """The last tick of the branch under way."""
    seen: int = 0
    """The last tick that was taken in."""
    stage: int = 0
    progress: float = 0.0
    success: bool | None = None
    intervention: int = NONE
    """The one under way, or the last."""
    points: list[Point] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)
    """Interventions whose recovery ended by a person's word."""
    restored: list[tuple[int, int]] = field(default_factory=list)
    """(tick, intervention) of every way back by the time machine: the place is after that tick."""
    end: End | None = None
    reason: str = ""
    kept: bool = False
    rows: dict[str, list[Array]] = field(default_factory=dict)
    kinds: list[int] = field(default_factory=list)
    interventions: list[int] = field(default_factory=list)
    doubts: list[float] = field(default_factory=list)
    stages: list[int] = field(default_factory=list)
    novice: list[Array] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    pictures: Pictures | None = None
    """What was filmed of it."""
    _facts: dict[str, Any] | None = None
    _places: Array | None = None
    _grips: tuple[int, ...] = (-1,)

    @property
    def moments(self) -> Sequence[int]:
        """What makes it worth keeping: its ticks."""
        return self.ticks

    def add(self, rows: Mapping[str, Any], kind: SegmentKind, plan: Plan | None) -> None:
        """Take in ticks of one kind.

        Args:
            rows: columns of `StreamArm.frames`, cut to these ticks.
            kind: what they are.
            plan: the novice's at the time, if it was asked.
        """
        ticks = np.asarray(rows["tick"]).tolist()
        own = kind in (SegmentKind.DEMO, SegmentKind.POLICY)
        move = np.zeros(ROW * self.arms) if plan is None else per_tick(plan.actions[0])
        for name, column in _columns(rows).items():
            self.rows.setdefault(name, []).append(column)
        self.ticks += ticks
        self.parents += np.asarray(rows["parent"]).tolist()
        self.kinds += [int(kind)] * len(ticks)
        self.interventions += [NONE if own else self.intervention] * len(ticks)
        self.doubts += [float("nan") if plan is None else doubt_of(plan)] * len(ticks)
        self.stages += [self.stage] * len(ticks)
        self.novice += [move] * len(ticks)
        self.seen = self.head = ticks[-1]

    def point(self, doubt: float, familiar: float | None) -> None:
        """What is known now."""
        if self.points and self.points[-1].tick == self.head:
            self.points.pop()
        self.points.append(Point(self.head, doubt, familiar))

    def live(self) -> Array:
        """(T,) bool: the ticks on the branch under way."""
        index = {tick: i for i, tick in enumerate(self.ticks)}
        on: Array = np.zeros(len(self.ticks), dtype=bool)
        at = index.get(self.head)
        while at is not None:
            on[at] = True
            at = index.get(self.parents[at])
        return on

    def on_branch(self) -> Array:
        """The ticks on the branch under way."""
        on: Array = np.array(self.ticks, dtype=np.int64)[self.live()]
        return on

    def length(self) -> int:
        """Ticks of the branch under way."""
        return int(self.live().sum())

    def rewound(self, tick: int) -> None:
        """The time machine put the state after a tick back."""
        self.head = tick
        self.restored.append((tick, self.intervention))

    def drove(self, tick: int) -> None:
        """BadInput unless the intervention under way had begun by a tick that has passed."""
        mine = self._mine()
        if not mine or not self.ticks[mine[0]] <= tick <= self.head:
            begun = self.ticks[mine[0]] if mine else self.head
            raise BadInput(f"expected a tick from {begun} to {self.head}, where you drove, got {tick}")

    def relabel(self, tick: int) -> None:
        """The recovery of the intervention under way ended after that tick."""
        for i in self._mine():
            if self.ticks[i] > tick and self.kinds[i] == SegmentKind.RECOVERY:
                self.kinds[i] = int(SegmentKind.CORRECTION)

    def _mine(self) -> list[int]:
        """Ticks of the intervention under way, on this branch."""
        on = np.flatnonzero(self.live()).tolist()
        return [i for i in on if self.interventions[i] == self.intervention]

    def segments(self, *, ticks: bool = False) -> list[dict[str, Any]]:
        """The branch under way as plain values; [start, stop) counts its frames, or with `ticks` the arm's ticks."""
        on = np.array(self.ticks, dtype=int)[self.live()]
        found = []
        for s in self._segments():
            start, stop = s.start, s.stop
            if ticks:
                start = int(on[s.start]) if len(s) else self._before(on, s.start)
                stop = int(on[s.stop - 1]) + 1 if len(s) else start
            told = {"kind": s.kind.name.lower(), "start": start, "stop": stop, "intervention": s.intervention}
            found.append({**told, "marked": s.marked})
        return found

    def _before(self, on: Array, place: int) -> int:
        return int(on[place - 1]) if place else self.first

    def _segments(self) -> tuple[Segment, ...]:
        """Of the branch under way; interventions that were left with their branch are not counted."""
        live = self.live()
        kinds, which = np.array(self.kinds, dtype=int)[live], np.array(self.interventions, dtype=int)[live]
        places = self._places_back(np.array(self.ticks, dtype=int)[live])
        cut: list[Segment] = []
        for segment in segments_of(kinds, which, self.marked):
            cut += with_places(segment, places)
        cut += [Segment(SegmentKind.RESTORED, p, p, n) for p, n in places.items() if p >= len(kinds)]
        order = {n: i for i, n in enumerate(dict.fromkeys(s.intervention for s in cut if s.intervention >= 0))}
        return tuple(replace(s, intervention=order.get(s.intervention, NONE)) for s in cut)

    def _places_back(self, on: Array) -> dict[int, int]:
        """Frame → intervention of the ways back that this branch took."""
        found = {}
        for tick, number in self.restored:
            place = int(np.searchsorted(on, tick, side="right"))
            here = tick == self._before(on, place)
            forks = place == len(on) or int(on[place]) != tick + 1
            if here and forks:
                found[place] = number
        return found

    def timeline(self, resumes: bool) -> Timeline:
        """The branch under way as its episode's timeline."""
        assert self.end is not None
        return Timeline(self._segments(), self.end, resumes)

    def episode(self, ended: float) -> Episode:
        """The episode as it is kept; `facts` and `places` were put in by `finish`."""
        assert self.end is not None and self._facts is not None
        end = ENDS.get(self.end, "terminated")
        rollout = Rollout(self._table(), self._facts, self.pictures)
        teacher, task, split = (str(self._facts[n]) for n in ("operator", "task", "split"))
        return Episode(
            self.id, task, self.goal, self.seed, split, (), teacher, end, self.reason or str(self.end),
            started=self.started, ended=ended, rollout=rollout,
        )  # fmt: skip

    def finish(
        self, end: End, reason: str, facts: Mapping[str, Any], places: Array | None, grips: Sequence[int] = (-1,)
    ) -> None:
        """It is over.

        Args:
            end: how.
            reason: in words.
            facts: plain values of the lesson.
            places: (T + 1, 4 per arm) of the tip as told, before the first tick and on each; None: unknown.
            grips: where in `executed` the grippers are, arm by arm.
        """
        self.end, self.reason, self._places, self._grips = end, reason, places, tuple(grips)
        self._facts = {**facts, "end": str(end), "segments": self.segments(), "success": self.success}

    def joints(self) -> Array:
        """(T + 1, J): where the arm was before the first tick, and was told to be on each."""
        executed = np.concatenate(self.rows["executed"])[:, :-1]
        begin = np.concatenate(self.rows["observation.joints"])[:1]
        return np.concatenate([begin, executed])

    def _table(self) -> dict[str, Array]:
        table = {name: np.concatenate(parts) for name, parts in self.rows.items()}
        timeline = np.array(self.kinds, np.uint8)
        table |= {
            "control": np.array([SegmentKind(k).control for k in self.kinds], np.uint8),
            "segment": timeline,
            "intervention_id": np.array(self.interventions, np.int32),
            "round": np.full(len(self.ticks), self.round, np.int32),
            "policy_id": np.full(len(self.ticks), self.version, np.int32),
            "novice_action": np.array(self.novice, np.float64).reshape(len(self.ticks), ROW * self.arms),
            "uncertainty": np.array(self.doubts, np.float64),
            "stage": np.array(self.stages, np.uint8),
            "live": self.live(),
        }
        if self._places is not None:
            grips = table["executed"][:, list(self._grips)]
            table["move"] = moves(self._places, np.array(self.ticks), np.array(self.parents), grips)
        return table


def moves(places: Array, ticks: Array, parents: Array, grips: Array) -> Array:
    """What each tick told the tips to do.

    Args:
        places: (T + 1, 4 per arm) x, y, z, yaw: before the first tick, and as told on each.
        ticks: (T,) numbers of the ticks.
        parents: (T,) the tick before each.
        grips: (T, arms) as told.

    Returns:
        (T, 5 per arm) dx, dy, dz, dyaw, gripper.
    """
    index = {int(tick): i + 1 for i, tick in enumerate(ticks)}
    before = places[[index.get(int(parent), 0) for parent in parents]]
    change = (places[1:] - before).reshape(len(ticks), -1, 4)
    change[:, :, 3] = (change[:, :, 3] + np.pi) % (2 * np.pi) - np.pi
    told: Array = np.concatenate([change, grips[:, :, None]], axis=2).reshape(len(ticks), -1)
    return told


def doubt_of(plan: Plan) -> float:
    """A plan's uncertainty; `ChunkPlan` brings it into [0, 1)."""
    return float(plan.uncertainty)


_OWN = ("tick", "parent", "time", "controller", "requested", "executed", "clipped")


def _columns(rows: Mapping[str, Any]) -> dict[str, Array]:
    """What is kept of the arm's own columns."""
    plain = {n: np.asarray(rows[n]) for n in _OWN}
    seen = {f"observation.{n}": np.asarray(c) for n, c in rows["observation"].items()}
    return plain | seen


def with_places(segment: Segment, places: dict[int, int]) -> list[Segment]:
    """A segment, cut where the time machine put a moment in place."""
    inside = sorted(p for p in places if segment.start <= p < segment.stop)
    found: list[Segment] = []
    start = segment.start
    for place in inside:
        if place > start:
            found.append(replace(segment, start=start, stop=place))
        found.append(Segment(SegmentKind.RESTORED, place, place, places[place]))
        start = place
    found.append(replace(segment, start=start))
    return found
