"""What rounds of rollouts show: section 7 of our notes on RaC (Hu et al. 2025, arXiv 2509.07953). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from teaching.metrics import Rate
from teaching.segments import End, SegmentKind, Timeline
from teaching.types import Array, BadInput


@dataclass(frozen=True)
class Supervision:
    """What some supervised episodes cost and brought."""

    episodes: int
    """Watched, fumbled ones left out."""
    discarded: int
    interventions: int
    human_frames: int
    recovery_frames: int
    correction_frames: int
    retraced_frames: int
    watched_frames: int
    """All frames, the policy's included: a person had to be there."""
    unaided: Rate
    """Episodes that the policy finished by itself."""
    marked: Rate
    """Interventions with a recovery whose end the teacher marked."""

    @property
    def corrections_per_recovery(self) -> float:
        """n of a recovery:correction ratio of 1:n, in frames; infinite without recoveries, NaN of nothing."""
        if self.recovery_frames:
            return self.correction_frames / self.recovery_frames
        return float("inf") if self.correction_frames else float("nan")

    def seconds(self, rate: float) -> tuple[float, float]:
        """Seconds of driving, and of driving and watching, at so many frames per second."""
        if rate <= 0:
            raise BadInput(f"expected a positive number of frames per second, got {rate}")
        return self.human_frames / rate, self.watched_frames / rate


def supervision(timelines: Sequence[Timeline]) -> Supervision:
    """Add up supervised episodes; those that were discarded only count as such."""
    kept = [t for t in timelines if t.end is not End.DISCARDED]
    interventions = sum(t.interventions for t in kept)
    marks = sum(len({s.intervention for s in t.segments if s.marked}) for t in kept)
    return Supervision(
        episodes=len(kept),
        discarded=len(timelines) - len(kept),
        interventions=interventions,
        human_frames=sum(t.human_frames for t in kept),
        recovery_frames=sum(t.count(SegmentKind.RECOVERY) for t in kept),
        correction_frames=sum(t.count(SegmentKind.CORRECTION) for t in kept),
        retraced_frames=sum(t.count(SegmentKind.RECOVERY_AUTO) for t in kept),
        watched_frames=sum(t.frames for t in kept),
        unaided=Rate(sum(t.success for t in kept), len(kept)),
        marked=Rate(marks, interventions),
    )


@dataclass(frozen=True)
class Evaluation:
    """Unaided rollouts of one policy. Time-outs are failures that count."""

    success: Rate
    progress: float
    """Mean subtasks done."""
    recoveries: float
    """Mean recoveries of a rollout."""
    recoveries_of_successes: float
    """Mean recoveries of a successful rollout; NaN without one."""
    stalled: Rate
    """Rollouts that ended stalled."""
    median_length: float
    """Frames of a successful rollout; NaN without one."""
    mean_length: float


def evaluation(success: Array, subtasks: Array, recoveries: Array, stalled: Array, length: Array) -> Evaluation:
    """Sum up N rollouts.

    Args:
        success: (N,) bool.
        subtasks: (N,) how many were done.
        recoveries: (N,) counted, as by `teaching.recoveries`.
        stalled: (N,) bool, as by `stalls`.
        length: (N,) frames.
    """
    given = [np.asarray(a) for a in (success, subtasks, recoveries, stalled, length)]
    if any(a.shape != given[0].shape or a.ndim != 1 for a in given):
        raise BadInput(f"expected five arrays of one shape (N,), got {[a.shape for a in given]}")
    good = given[0].astype(bool)
    return Evaluation(
        success=Rate(int(good.sum()), len(good)),
        progress=_mean(given[1]),
        recoveries=_mean(given[2]),
        recoveries_of_successes=_mean(given[2][good]),
        stalled=Rate(int(given[3].sum()), len(good)),
        median_length=float(np.median(given[4][good])) if good.any() else float("nan"),
        mean_length=_mean(given[4][good]),
    )


def _mean(values: Array) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def stalls(positions: Array, *, window: int, radius: float) -> bool:
    """Whether a rollout ended stalled: it stayed within `radius` of one place for its last `window` frames.

    Args:
        positions: (T, D) of the gripper, metres.
        window: frames.
        radius: metres.
    """
    last = np.asarray(positions, dtype=np.float64)[-window:]
    if len(last) < window:
        return False
    return bool(np.linalg.norm(last - last.mean(axis=0), axis=1).max() <= radius)


def handover_jumps(actions: Array, timeline: Timeline) -> Array:
    """How far the executed action jumped at each change between policy and person.

    Args:
        actions: (T, A) as executed, of one episode.
        timeline: its segments.

    Returns:
        (K,) norms ‖a_t − a_{t−1}‖, take-overs and hand-backs alike.
    """
    given = np.asarray(actions, dtype=np.float64)
    if given.ndim != 2 or len(given) != timeline.frames:
        raise BadInput(f"expected actions ({timeline.frames}, A), got {given.shape}")
    places = np.flatnonzero(np.diff(timeline.columns()["control"].astype(int))) + 1
    jumps: Array = np.linalg.norm(given[places] - given[places - 1], axis=1)
    return jumps
