"""Training a flow policy from a lesson's rollouts: what counts, cut where the driver changes, from fresh weights.

The same face as `teaching.training.Training`, so that one trainer process serves both kinds of lesson.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from teaching.lesson import LessonConfig
from teaching.policies import checkpoint
from teaching.policies.base import CheckpointError
from teaching.policies.chunks import ChunkData
from teaching.policies.flow import FlowLearner, read_info
from teaching.policies.flow_network import FlowConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_glimpse import GLIMPSE
from teaching.rollout_rows import branch_of, in_rows, span_name
from teaching.rollout_shape import flow_config
from teaching.rollout_states import EVERY, read_of, states_of, summed
from teaching.rollout_task import RolloutTask, make_rollout_task
from teaching.segment_shares import TRAINED_ON, selection_of
from teaching.segments import End, Timeline
from teaching.selection import Selection
from teaching.training import Cancelled, Report, TrainingFailed
from teaching.types import Array, BadInput

CURVE = 20
"""Optimiser steps to a point of a curve."""
SEEN = "observation."


class Example:
    """One episode, at the policy's rate: its timeline, states (T, D) and rows of moves (T, A)."""

    def __init__(
        self, timeline: Timeline, states: Array, actions: Array, spans: Array | None = None, names: Sequence[str] = (),
        pictures: Array | None = None,
    ) -> None:  # fmt: skip
        """Args: spans: (T,) which of `names`, the segments of the episode's facts, each row begins in; pictures:
        (T, H, W, C) uint8, if the policy reads them.
        """
        self.pictures = pictures
        self.timeline, self.states, self.actions, self.names = timeline, states, actions, names
        self.spans = np.zeros(len(states), np.int64) if spans is None else spans


def example(
    task: RolloutTask,
    facts: Mapping[str, Any],
    columns: Mapping[str, Array],
    phase: int,
    episode: str = "",
    sees: bool = False,
) -> Example | None:
    """An episode's branch in rows of `EVERY` ticks that begin at tick `phase`; None if none of it can be learned from.

    That is so where nothing is left, and where a person helped for less than a whole row.

    Args:
        task: whose states.
        facts: of the episode, with what a person made of its segments since.
        columns: of its file.
        phase: 0 … EVERY − 1.
        episode: its id.
        sees: the policy reads pictures; BadInput if none were recorded.
    """
    live = np.flatnonzero(columns["live"])
    branch = branch_of(facts, columns, live)
    rows = (len(live) - phase) // EVERY
    if rows < 1 or "move" not in columns:
        return None
    ticks = live[phase : phase + rows * EVERY].reshape(rows, EVERY)
    forked = np.zeros(rows, bool)
    forked[1:] = columns["parent"][ticks[1:, 0]] != columns["tick"][ticks[:-1, -1]]
    segments = _split(in_rows(branch, phase), np.flatnonzero(forked).tolist())
    end = End(str(facts["end"]))
    if end is End.INTERVENED and all(s.intervention < 0 for s in segments):
        return None
    actions = summed(columns["move"][ticks])
    seen = {n.removeprefix(SEEN): c[ticks[:, 0]] for n, c in columns.items() if n.startswith(SEEN)}
    timeline = Timeline(segments, end, resumes=True)
    names = [span_name(episode, s["start"], s["stop"]) for s in facts["segments"]]
    states = read_of(task, seen) if sees else states_of(task, seen)
    pictures = seen[GLIMPSE] if sees else None
    return Example(timeline, states, actions, branch.spans[phase::EVERY][:rows], names, pictures)


def _split(segments: tuple[Any, ...], forks: list[int]) -> tuple[Any, ...]:
    """Nothing to cut where the time machine did not act; else a place without frames keeps chunks apart."""
    from teaching.rollout_draft import with_places

    found: list[Any] = []
    for segment in segments:
        inside = {p: segment.intervention for p in forks if segment.start <= p < segment.stop}
        found += with_places(segment, inside) if segment.intervention >= 0 else [segment]
    return tuple(found)


def examples(
    buffer: ReplayBuffer, task: RolloutTask, sees: bool = False, only: frozenset[str] | None = None
) -> list[Example]:
    """All episodes that count, or those of them that are in `only`.

    Each once for every phase of its rows; those with pictures, which are large, once.
    """
    found = []
    for summary in buffer.rollouts():
        facts = summary.rollout
        if facts is None or facts["end"] not in TRAINED_ON or (only is not None and summary.id not in only):
            continue
        columns = buffer.frames(summary.id)
        for phase in range(1 if sees else EVERY):
            one = example(task, facts, columns, phase, summary.id, sees)
            if one is not None:
                found.append(one)
    return found


def data_of(found: list[Example], horizon: int, selection: Selection) -> ChunkData:
    """What a training draws from; BadInput if nothing counts."""
    if not found:
        raise BadInput("expected something to train on, got no episode that counts: show the task first")
    return ChunkData(
        [e.timeline for e in found], [e.states for e in found], [e.actions for e in found], horizon, selection,
        [e.pictures for e in found if e.pictures is not None],
    )  # fmt: skip


def draws_of(found: list[Example], data: ChunkData) -> dict[str, int]:
    """How often chunks were drawn that begin in each segment, by `span_name`."""
    starts = np.cumsum([0, *(len(e.states) for e in found)])
    frames = data.index.frames[:, 0]
    which = np.searchsorted(starts, frames, side="right") - 1
    counts: dict[str, int] = {}
    for n in np.flatnonzero(data.drawn):
        one = found[which[n]]
        if one.names:
            name = one.names[int(one.spans[frames[n] - starts[which[n]]])]
            counts[name] = counts.get(name, 0) + int(data.drawn[n])
    return counts


class RolloutTraining:
    """Trains and publishes flow policies of one replay buffer."""

    def __init__(self, buffer: ReplayBuffer, *, keep: int = 5, parent: Path | None = None) -> None:
        """Args: keep: checkpoints kept; parent: where they are, by default in the buffer's own directory."""
        self.buffer, self.keep, self.checkpoints = buffer, keep, parent or buffer.checkpoints
        self.config = LessonConfig.from_json(buffer.lesson)
        self.task = make_rollout_task(self.config.task)
        self.seed = self.config.seed
        self.only: frozenset[str] | None = None
        """The episodes that are trained on, by id; None: all that count."""
        self.last: Path | None = None
        self.problems: list[str] = []
        self.restore()

    def restore(self) -> None:
        """Back to the newest whole checkpoint."""
        self.last, self.problems = None, []
        for path in reversed(checkpoint.checkpoints(self.checkpoints)):
            try:
                read_info(path)
                self.last = path
                return
            except CheckpointError as error:
                self.problems.append(str(error))

    @property
    def version(self) -> int:
        """The number of the newest policy; 0 before the first training."""
        return 0 if self.last is None else int(read_info(self.last)["lineage"].get("update", 0))

    def flow(self, steps: int) -> FlowConfig:
        """The policy's shape."""
        return flow_config(self.task, steps, self.config.observe)

    def train(
        self,
        *,
        steps: int,
        seed: int,
        update: int,
        settings: Mapping[str, Any] | None = None,
        report: Report = lambda step, steps, loss: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[Path, dict[str, float]]:
        """Train on what is committed now, from fresh weights, and publish; the checkpoint and its figures.

        Raises:
            Cancelled: called off.
            BadInput: nothing to train on.
            TrainingFailed: the loss is not a finite number.
        """
        self.buffer.refresh()
        read = self.buffer.last_sequence
        selection, flow = selection_of(LessonConfig.from_json(self.buffer.lesson)), self.flow(steps)
        found = examples(self.buffer, self.task, self.config.observe == "pictures", self.only)
        data = data_of(found, flow.horizon, selection)
        learner = FlowLearner(flow, seed=seed)
        learner.fit(data.states, data.actions)
        rng = np.random.default_rng([abs(seed), update, 6])
        losses = []
        for step in range(steps):
            if cancelled():
                raise Cancelled
            losses.append(learner.update(data.draw(self.config.training.batch, rng), rng)["loss"])
            if not math.isfinite(losses[-1]):
                raise TrainingFailed(f"expected a finite loss, got {losses[-1]} in step {step + 1} of {steps}")
            if step % CURVE == CURVE - 1 or step + 1 == steps:
                report(step + 1, steps, losses[-1])
        figures = {"loss": float(np.mean(losses)), "last_loss": float(np.mean(losses[-50:])), "rows": float(len(data))}
        more = {
            "read": read,
            "draws": draws_of(found, data),
            "curve": [round(loss, 6) for loss in losses[CURVE - 1 :: CURVE]] or [round(losses[-1], 6)],
        }
        return self._publish(learner, figures, selection, steps, seed, update, more), figures

    def _publish(
        self, learner: FlowLearner, figures: Mapping[str, float], selection: Selection, steps: int, seed: int,
        update: int, more: Mapping[str, Any],
    ) -> Path:  # fmt: skip
        path = self.checkpoints / f"{update:06d}"
        lineage = {
            "update": update,
            "parent": self.last.name if self.last else None,
            "seed": seed,
            "steps": steps,
            "config": asdict(selection),
            "figures": dict(figures),
            **more,
            "episodes": [
                s.id
                for s in self.buffer.rollouts()
                if s.rollout and s.rollout["end"] in TRAINED_ON and (self.only is None or s.id in self.only)
            ],
        }
        learner.save(path, lineage)
        self.last = path
        checkpoint.prune(self.checkpoints, self.keep)
        return path
