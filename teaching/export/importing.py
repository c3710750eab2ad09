"""A LeRobot dataset becomes demonstrations of a lesson in motion.

A policy in motion reads named things (where the tip is, how far the slot) and answers with moves of the tip. So the
dataset has to hold both: `observation.NAME`, or one `observation.environment_state` whose `names` are NAME.0, NAME.1, …
and `move`, or an `action` whose names are dx, dy, dz, dyaw, gripper. Our own export comes back with its segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from teaching.export import Report, silent
from teaching.export.foreign import Foreign, read_dataset
from teaching.lesson import LessonConfig
from teaching.replay import Episode, ReplayBuffer
from teaching.replay.frames import Rollout
from teaching.rollout_facts import timeline_of
from teaching.rollout_states import EVERY, per_tick, states_of
from teaching.rollout_task import RATE, ROW, RolloutTask, make_rollout_task
from teaching.segments import NONE, End, SegmentKind
from teaching.types import Array, BadInput, checked_goal

TICKS = RATE * EVERY
"""Ticks of our recordings per second."""
MOVES = ("dx", "dy", "dz", "dyaw", "gripper")
_KEPT = ("executed", "requested", "clipped", "time", "novice_move", "uncertainty", "stage")


def import_lerobot(
    source: Path, directory: Path, *, task: str | None = None, arm: str = "sim:panda", report: Report = silent
) -> dict[str, Any]:
    """Take in every episode of a dataset; the figures. Twice the same dataset is taken in once.

    Args:
        source: the dataset's directory.
        directory: a lesson in motion that nobody has open; made if it is not there.
        task: of a new lesson.
        arm: of a new lesson.
        report: told of every episode.

    Raises:
        BadInput: it is refused, and why; nothing was taken in then.
    """
    foreign = read_dataset(source)
    there = (directory / "lesson.json").is_file()
    if not there:
        made = {"name": directory.name, "kind": "rollout", "arm": arm, **({"task": task} if task else {})}
        config = LessonConfig.from_json(made)
        episodes = _episodes(foreign, make_rollout_task(config.task), source.name)  # before anything is made
    with ReplayBuffer(directory) if there else ReplayBuffer.create(directory, config.to_json()) as buffer:
        config = LessonConfig.from_json(buffer.lesson)
        if config.kind != "rollout":
            raise BadInput(
                f"expected a lesson in motion in {directory}, got one of plans; its demonstrations are plans"
            )
        if task not in (None, config.task):
            raise BadInput(f"expected the task of the lesson, {config.task}, got {task}")
        if there:
            episodes = _episodes(foreign, make_rollout_task(config.task), source.name)
        taken = _take(buffer, episodes, report)
        if taken:
            buffer.say("note", {"text": f"{taken} episodes imported from {source.name}"})
        return {"lesson": str(directory), "episodes": taken, "already_there": len(episodes) - taken}


def _take(buffer: ReplayBuffer, episodes: list[Episode], report: Report) -> int:
    known = [dict(s.rollout.get("imported") or {}) for s in buffer.rollouts() if s.rollout is not None]
    taken = 0
    for number, episode in enumerate(episodes):
        assert episode.rollout is not None
        if episode.rollout.facts["imported"] not in known:
            buffer.append(_renamed(episode, buffer.next_episode()))
            taken += 1
        report("episodes", number + 1, len(episodes))
    return taken


def _renamed(episode: Episode, name: str) -> Episode:
    return replace(episode, id=name)


def _episodes(foreign: Foreign, task: RolloutTask, name: str) -> list[Episode]:
    """All of them, checked against what the task reads."""
    rate = float(foreign.info["fps"])
    if rate not in (TICKS, RATE):
        raise BadInput(
            f"expected {TICKS:g} or {RATE:g} frames per second, got {rate:g}; the policy acts {RATE:g} times a second"
        )
    found = []
    for number, rows in enumerate(foreign.episodes()):
        columns = {n: c[rows] for n, c in foreign.columns.items()}
        imported = {"source": name, "fingerprint": foreign.fingerprint, "episode": number}
        found.append(_episode(foreign, task, columns, round(TICKS / rate), imported))
    return found


def _episode(
    foreign: Foreign, task: RolloutTask, columns: Mapping[str, Array], repeat: int, imported: Mapping[str, Any]
) -> Episode:
    number = int(imported["episode"])
    side = foreign.told(number)
    ours = side if repeat == 1 and {"segment", "intervention_id"} <= set(columns) and "segments" in side else {}
    table = _table(foreign, task, columns, repeat, ours=bool(ours))
    rows = len(table["live"])
    facts: dict[str, Any] = {
        "end": str(End.DEMONSTRATED), "success": True, "stage": len(task.subtasks), "progress": 1.0,
        "n_interventions": 0, "labelled_boundary": False, "protocol": "rac",
        "segments": [{"kind": "demo", "start": 0, "stop": rows, "intervention": NONE, "marked": False}],
        **{k: ours[k] for k in _OURS if k in ours},
        "task": task.name, "split": "imported", "operator": str(side.get("operator", "imported"))[:80],
        "round": 0, "policy": 0, "rate": TICKS, "every": EVERY, "subtasks": list(task.subtasks), "frames": rows,
        "left_frames": 0, "imported": dict(imported),
    }  # fmt: skip
    _check(task, table, facts, number)
    said = foreign.tasks.get(int(columns["task_index"][0]), task.goal)
    return Episode(
        "imported", task.name, checked_goal(said or task.goal), 0, "imported", (), str(facts["operator"]),
        "terminated", f"imported from {imported['source']}", rollout=Rollout(table, facts),
    )  # fmt: skip


_OURS = ("end", "success", "stage", "progress", "n_interventions", "labelled_boundary", "protocol", "segments")


def _check(task: RolloutTask, table: Mapping[str, Array], facts: Mapping[str, Any], number: int) -> None:
    """Segments that make sense and agree with the rows, and everything that the task reads."""
    try:
        if timeline_of(facts).frames != len(table["live"]):
            raise BadInput("expected segments of as many frames as there are")
        seen = {n.removeprefix("observation."): c[:1] for n, c in table.items() if n.startswith("observation.")}
        states = states_of(task, seen)
    except (BadInput, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"episode {number} of the dataset cannot be used for {task.name}: {error}") from error
    if not np.all(np.isfinite(states)):
        raise BadInput(f"expected finite numbers in episode {number} of the dataset, got others")


def _table(
    foreign: Foreign, task: RolloutTask, columns: Mapping[str, Array], repeat: int, *, ours: bool
) -> dict[str, Array]:
    """Columns as our own episodes have them, tick by tick."""
    rows = len(columns["episode_index"]) * repeat
    table = {f"observation.{n}": c for n, c in _sensed(foreign, columns).items()}
    table |= {n: columns[n] for n in _KEPT if n in columns and repeat == 1}
    if "action" in columns and foreign.names("action")[-1:] == ["gripper"] and repeat == 1:
        table["executed"] = columns["action"].astype(np.float64)
    table = {n: np.repeat(c, repeat, axis=0) for n, c in table.items()}
    moves = _moves(foreign, task, columns)
    table["move"] = moves if repeat == 1 else np.repeat(np.array([per_tick(m) for m in moves]), repeat, axis=0)
    order = np.arange(rows, dtype=np.int64)
    table |= {"tick": order, "parent": order - 1, "live": np.ones(rows, bool)}
    table |= {"round": np.zeros(rows, np.int32), "policy_id": np.zeros(rows, np.int32)}
    kinds: Array = np.full(rows, int(SegmentKind.DEMO))
    which: Array = np.full(rows, NONE)
    if ours:
        table |= {n: columns[n].astype(np.int64) for n in ("tick", "parent") if n in columns}
        kinds, which = _kinds(columns["segment"]), columns["intervention_id"]
    if "novice_move" in table:
        table["novice_action"] = table.pop("novice_move").astype(np.float64)
    doubt = table.get("uncertainty", np.full(rows, np.nan)).astype(np.float64).reshape(rows)
    return table | {
        "segment": kinds.astype(np.uint8),
        "control": np.array([SegmentKind(int(k)).control for k in kinds], np.uint8),
        "intervention_id": which.astype(np.int32).reshape(rows),
        "uncertainty": np.where(doubt < 0, np.nan, doubt),
    }


def _kinds(words: Array) -> Array:
    names = {kind.name.lower(): int(kind) for kind in SegmentKind}
    if strange := sorted(set(words.tolist()) - set(names)):
        raise BadInput(f"expected segments among {', '.join(names)}, got {', '.join(strange[:3])}")
    return np.array([names[word] for word in words.tolist()])


def _sensed(foreign: Foreign, columns: Mapping[str, Array]) -> dict[str, Array]:
    """What was sensed by name: (T, n) float64."""
    found: dict[str, Array] = {}
    state, names = columns.get("observation.state"), foreign.names("observation.state")
    if state is not None and state.ndim == 2 and names[-1:] == ["gripper"]:
        found |= {"joints": state[:, :-1], "gripper": state[:, -1:]}
    parts: dict[str, list[int]] = {}
    for at, name in enumerate(foreign.names("observation.environment_state")):
        parts.setdefault(name.rpartition(".")[0] or name, []).append(at)
    things = columns.get("observation.environment_state")
    if things is not None and things.ndim == 2:
        found |= {name: things[:, at] for name, at in parts.items() if max(at) < things.shape[1]}
    for name, column in columns.items():
        if name.startswith("observation.") and name not in ("observation.state", "observation.environment_state"):
            found[name.removeprefix("observation.")] = column
    return {n: np.asarray(c, np.float64).reshape(len(c), -1) for n, c in found.items()}


def _moves(foreign: Foreign, task: RolloutTask, columns: Mapping[str, Array]) -> Array:
    """(T, 5 per arm) moves of the tip."""
    width = ROW * task.arms
    named = [name.rsplit(".", 1)[-1].rsplit("/", 1)[-1] for name in foreign.names("action")]
    moves = columns.get("action") if named == list(MOVES) * task.arms else columns.get("move")
    if moves is None or moves.shape[1:] != (width,):
        told = ", ".join(foreign.names("action")[:8]) or "without names"
        raise BadInput(
            f"expected moves of the tip: a column `move` of {width} numbers, or an `action` named {', '.join(MOVES)} "
            f"(metres, radians, 0 open … 1 closed) for each of {task.arms} arm(s); got an action of {told}. Joint "
            "targets alone do not say where a tip is: add `move` with your arm's kinematics (LeRobot's add_features)"
        )
    moves = moves.astype(np.float64)
    if not np.all(np.isfinite(moves)):
        raise BadInput("expected finite moves, got others")
    return moves
