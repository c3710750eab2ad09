"""An episode of plans as a recording: one row per plan that was carried out, with what was said of it.

What was said is as it stands now, after undo and late verdicts, not as it was when the episode ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from teaching.export.recording import Recording
from teaching.replay.episode import Episode, Step
from teaching.types import Answer, Array, BadInput, Demonstration

if TYPE_CHECKING:
    from teaching.replay import ReplayBuffer

RATE = 1
"""Nominal: a plan has no duration of its own. The column `time` has the real ones."""
HIGHEST = 0.30
"""Metres that are 255 in the picture of heights."""
_AXES = ("x", "y", "z", "yaw")
_OWN = ("joints", "gripper")
_PICTURES = {"colour": "top", "picture": "table"}


def counting(buffer: ReplayBuffer) -> list[str]:
    """Ids of the episodes that were not left out."""
    gone = buffer.dropped()
    return [s.id for s in buffer.episodes() if s.id not in gone and s.rollout is None]


def _usable(step: Step) -> bool:
    return step.executed is not None and "joints" in step.observation


def reader(buffer: ReplayBuffer) -> Callable[[str], Recording | None]:
    """Makes recordings of one lesson's episodes."""
    answers = buffer.answers()
    stored: dict[str, list[Demonstration]] = {}
    for demonstration in buffer.demonstrations():
        stored.setdefault(demonstration.decision, []).append(demonstration)
    return lambda name: recording(buffer.read(name), answers, stored)


def recording(
    episode: Episode, answers: Mapping[str, Answer], stored: Mapping[str, Sequence[Demonstration]]
) -> Recording | None:
    """One episode with what was said and stored of it; None if nothing was done in it."""
    pairs = [(k, s) for k, s in zip(episode.keys(), episode.steps, strict=True) if _usable(s)]
    if not pairs:
        return None
    steps = [s for _, s in pairs]
    executed = np.stack([np.asarray(s.executed) for s in steps])
    many = executed.shape[1]
    names = ("pick", "place") if many == 2 else tuple(f"point_{i}" for i in range(many))
    said = [answers.get(k) for k, _ in pairs]
    goals = tuple(s.decision.plan.goal if s.decision else episode.goal for s in steps)
    told = {n: getattr(episode, n) for n in ("task", "split", "seed", "teacher", "end", "reason", "started", "ended")}
    return Recording(
        episode.id, RATE, goals, _sensed(steps, _OWN), _flat(executed),
        tuple(f"{name}.{axis}" for name in names for axis in _AXES[: executed.shape[2]]),
        columns={**_decided(steps, many), **_said(said, executed), "reward": _column(s.reward for s in steps),
                 "next.done": np.arange(len(steps)) == len(steps) - 1},
        words={
            "relabel": tuple((a.feedback.relabel or "") if a else "" for a in said),
            "stored": tuple("+".join(d.kind.value for d in stored.get(k, ())) for k, _ in pairs),
            "decision": tuple(k for k, _ in pairs),
        },
        pictures=_pictures(steps),
        exact={"height": np.stack([s.observation["height"] for s in steps])} if _all(steps, "height") else {},
        facts={**told, "goal": episode.goal},
    )  # fmt: skip


def _flat(actions: Array) -> Array:
    return np.asarray(actions, np.float32).reshape(len(actions), -1)


def _column(values: Any, kind: Any = np.float32) -> Array:
    return np.array(list(values), kind)


def _all(steps: Sequence[Step], name: str) -> bool:
    return all(name in s.observation for s in steps)


def _sensed(steps: Sequence[Step], names: Sequence[str]) -> Array:
    rows = [np.concatenate([np.ravel(s.observation[n]) for n in names if n in s.observation]) for s in steps]
    return np.array(rows, np.float32)


def _decided(steps: Sequence[Step], many: int) -> dict[str, Array]:
    """What the novice meant to do, and whether it was asked about."""
    made = [s.decision for s in steps]
    width = next((d.plan.actions.size for d in made if d), many * len(_AXES))
    plans = [np.ravel(d.plan.actions) if d else np.zeros(width) for d in made]
    if any(len(p) != width for p in plans):
        raise BadInput("expected plans of one length through an episode")
    return {
        "plan": np.array(plans, np.float32),
        "uncertainty": _column(d.plan.uncertainty if d else -1.0 for d in made),
        "asked": _column((d is not None and d.asked for d in made), bool),
        "random": _column((d is not None and d.random for d in made), bool),
        "update": _column((d.update if d else 0 for d in made), np.int64),
        "time": _column((s.observation.time for s in steps), np.float64),
    }


def _said(said: Sequence[Answer | None], executed: Array) -> dict[str, Array]:
    """The teacher's part; a demonstration that was not given is zeros."""
    shown = [a.feedback.demonstration if a else None for a in said]
    blank = np.zeros(executed[0].size)
    fits = [d is not None and d.actions.size == blank.size for d in shown]
    return {
        "answered": _column((a is not None for a in said), bool),
        "outcome": _column((int(a.feedback.outcome) if a else 0 for a in said), np.int64),
        "seconds": _column(a.seconds if a else 0.0 for a in said),
        "demonstrated": _column(fits, bool),
        "demonstration": np.array([np.ravel(d.actions) if d and f else blank for d, f in zip(shown, fits, strict=True)],
                                  np.float32),
    }  # fmt: skip


def _pictures(steps: Sequence[Step]) -> dict[str, Array]:
    found = {new: np.stack([s.observation[old] for s in steps]) for old, new in _PICTURES.items() if _all(steps, old)}
    if _all(steps, "height"):
        height = np.stack([s.observation["height"] for s in steps])
        grey = np.round(np.clip(height / HIGHEST, 0, 1) * 255).astype(np.uint8)
        found["height"] = np.repeat(grey[..., None], 3, axis=-1)
    return found
