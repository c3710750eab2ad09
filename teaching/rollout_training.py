"""Training a flow policy from a lesson's rollouts: what counts, cut where the driver changes, from fresh weights.

The same face as `teaching.training.Training`, so that one trainer process serves both kinds of lesson.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
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
from teaching.rollout_states import EVERY, flow_config, states_of, summed
from teaching.rollout_task import RolloutTask, make_rollout_task
from teaching.segments import NONE, End, SegmentKind, Timeline, segments_of
from teaching.selection import SELECTIONS, Selection
from teaching.training import Cancelled, Report, TrainingFailed
from teaching.types import Array, BadInput

TRAINED_ON = (End.DEMONSTRATED, End.INTERVENED, End.AUTO_SUCCESS)
"""Ends of the episodes whose frames may count; which of them, `teaching.selection` says."""
SEEN = "observation."


class Example:
    """One episode, at the policy's rate: its timeline, states (T, D) and rows of moves (T, A)."""

    def __init__(self, timeline: Timeline, states: Array, actions: Array) -> None:
        self.timeline, self.states, self.actions = timeline, states, actions


def example(task: RolloutTask, facts: Mapping[str, Any], columns: Mapping[str, Array], phase: int) -> Example | None:
    """An episode's branch in rows of `EVERY` ticks that begin at tick `phase`; None if nothing is left of it.

    A row in which the driver changed counts as the policy's, whatever followed, so that no one learns from it.

    Args:
        task: whose states.
        facts: of the episode.
        columns: of its file.
        phase: 0 … EVERY − 1.
    """
    live = np.flatnonzero(columns["live"])[phase:]
    rows = len(live) // EVERY
    if not rows or "move" not in columns:
        return None
    ticks = live[: rows * EVERY].reshape(rows, EVERY)
    kinds, which = columns["segment"][ticks], columns["intervention_id"][ticks]
    mixed = (kinds != kinds[:, :1]).any(axis=1) | (which != which[:, :1]).any(axis=1)
    forked = np.zeros(rows, bool)
    forked[1:] = columns["parent"][ticks[1:, 0]] != columns["tick"][ticks[:-1, -1]]
    kind, number = kinds[:, 0].astype(int), which[:, 0].astype(int)
    human = kinds[:, 0] != SegmentKind.POLICY
    cut = mixed & (kinds == SegmentKind.POLICY).any(axis=1)
    kind[cut & human], number[cut] = int(SegmentKind.POLICY), NONE
    actions = summed(columns["move"][ticks])
    seen = {n.removeprefix(SEEN): c[ticks[:, 0]] for n, c in columns.items() if n.startswith(SEEN)}
    segments = _split(segments_of(kind, _consecutive(number)), np.flatnonzero(forked).tolist())
    timeline = Timeline(segments, End(str(facts["end"])), resumes=True)
    return Example(timeline, states_of(task, seen), actions)


def _consecutive(number: Array) -> Array:
    """Interventions that are left, counted from 0."""
    order = {n: i for i, n in enumerate(dict.fromkeys(number[number >= 0].tolist()))}
    return np.array([order.get(n, NONE) for n in number.tolist()])


def _split(segments: tuple[Any, ...], forks: list[int]) -> tuple[Any, ...]:
    """Nothing to cut where the time machine did not act; else a place without frames keeps chunks apart."""
    from teaching.rollout_draft import with_places

    found: list[Any] = []
    for segment in segments:
        inside = {p: segment.intervention for p in forks if segment.start <= p < segment.stop}
        found += with_places(segment, inside) if segment.intervention >= 0 else [segment]
    return tuple(found)


def examples(buffer: ReplayBuffer, task: RolloutTask) -> list[Example]:
    """All episodes that count, each once for every phase of its rows."""
    found = []
    for summary in buffer.rollouts():
        facts = summary.rollout
        if facts is None or facts["end"] not in TRAINED_ON:
            continue
        columns = buffer.frames(summary.id)
        for phase in range(EVERY):
            one = example(task, facts, columns, phase)
            if one is not None:
                found.append(one)
    return found


def data_of(found: list[Example], horizon: int, selection: Selection) -> ChunkData:
    """What a training draws from; BadInput if nothing counts."""
    if not found:
        raise BadInput("expected something to train on, got no episode that counts: show the task first")
    return ChunkData(
        [e.timeline for e in found], [e.states for e in found], [e.actions for e in found], horizon, selection
    )


def selection_of(config: LessonConfig) -> Selection:
    """What a lesson trains on."""
    return replace(SELECTIONS[config.weighting], recovery_auto=config.recovery_auto)


class RolloutTraining:
    """Trains and publishes flow policies of one replay buffer."""

    def __init__(self, buffer: ReplayBuffer, *, keep: int = 5, parent: Path | None = None) -> None:
        """Args: keep: checkpoints kept; parent: where they are, by default in the buffer's own directory."""
        self.buffer, self.keep, self.checkpoints = buffer, keep, parent or buffer.checkpoints
        self.config = LessonConfig.from_json(buffer.lesson)
        self.task = make_rollout_task(self.config.task)
        self.seed = self.config.seed
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
        return flow_config(self.task, steps)

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
        selection, flow = selection_of(LessonConfig.from_json(self.buffer.lesson)), self.flow(steps)
        data = data_of(examples(self.buffer, self.task), flow.horizon, selection)
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
            if step % 20 == 19 or step + 1 == steps:
                report(step + 1, steps, losses[-1])
        figures = {"loss": float(np.mean(losses)), "last_loss": float(np.mean(losses[-50:])), "rows": float(len(data))}
        return self._publish(learner, figures, selection, steps, seed, update), figures

    def _publish(
        self, learner: FlowLearner, figures: Mapping[str, float], selection: Selection, steps: int, seed: int,
        update: int,
    ) -> Path:  # fmt: skip
        path = self.checkpoints / f"{update:06d}"
        lineage = {
            "update": update,
            "parent": self.last.name if self.last else None,
            "seed": seed,
            "steps": steps,
            "config": asdict(selection),
            "figures": dict(figures),
            "episodes": [s.id for s in self.buffer.rollouts() if s.rollout and s.rollout["end"] in TRAINED_ON],
        }
        learner.save(path, lineage)
        self.last = path
        checkpoint.prune(self.checkpoints, self.keep)
        return path
