"""Goes through a capsule's lesson once more: same seeds, recorded answers, trained before the next question is asked.

It tells of every plan whether it came out the same, to the bit, or by how much not. A lesson that was run with `--sync`
on this machine's versions should; one that a person taught trained beside its questions, so its models came in at other
moments.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from teaching import novice
from teaching.capsule.as_then import AsThen, LessonAsThen, schedule
from teaching.capsule.contents import digest, policies, versions
from teaching.capsule.file import read
from teaching.capsule.motion_again import drive
from teaching.capsule.recorded import Diverged, Recorded
from teaching.films import policy_hash
from teaching.headless import NOT_REAL, Report, known, silent
from teaching.learning import Learning
from teaching.lesson import LessonConfig, starter
from teaching.plan_lesson import PlanLesson
from teaching.replay import ReplayBuffer
from teaching.replay.nouns import decision_of
from teaching.trainer import Trainer
from teaching.types import BadInput, Decision

Json = dict[str, Any]


def again(path: Path, *, threads: int = 1, report: Report = silent) -> Json:
    """Go through a capsule.

    Args:
        path: the file.
        threads: of the trainer; the lesson's own (1 unless it was told otherwise).
        report: told (what, how many, of how many).

    Raises:
        BadInput: no capsule, a damaged one, or a lesson whose arm is not simulated.
    """
    capsule = read(path)
    config = LessonConfig.from_json(capsule.get("created") or capsule["lesson"])
    if config.arm.partition(":")[0] not in NOT_REAL:
        raise BadInput(f"expected a lesson with a simulated arm, got one with {config.arm}; it can be watched only")
    told: Json = {"capsule": str(path), "lesson": config.name, "versions_differ": _differences(capsule["versions"])}
    if config.kind == "rollout":
        return told | drive(capsule, config, report)
    told["starter_same"] = _starter_same(capsule, config)
    with tempfile.TemporaryDirectory() as work:
        return told | _plans(capsule, config, Path(work) / "again", threads, report)


def _differences(then: Mapping[str, str]) -> Json:
    now = versions()
    return {
        name: [then.get(name), now.get(name)] for name in then.keys() | now.keys() if then.get(name) != now.get(name)
    }


def _starter_same(capsule: Json, config: LessonConfig) -> bool:
    place = starter(config.task) if config.start == "starter" else None
    return bool((policy_hash(place) if place is not None else "") == capsule["starter"])


def _plans(capsule: Json, config: LessonConfig, directory: Path, threads: int, report: Report) -> Json:
    recorded = [item for item in capsule["items"] if item.get("kind") == "question"]
    stopped = ""
    with ReplayBuffer.create(directory, config.to_json()) as buffer, known(config.arm, directory) as arm:
        novice.prepare(buffer, config)
        policy, _ = novice.load_novice(buffer.checkpoints, arm.features.table, config.seed)
        trainer, then = Trainer(directory, threads=threads, nice=0), schedule(capsule["trainings"])
        teacher = Recorded(capsule)
        learning = (Learning if then is None else AsThen)(
            trainer, config.training, config.seed, sync=True, version=policy.version
        )
        lesson = (PlanLesson if then is None else LessonAsThen)(
            buffer, arm, policy, learning, teacher=teacher, ahead=False
        )
        teacher.lesson = lesson
        if isinstance(lesson, LessonAsThen):
            lesson.left, lesson.updates = list(then or ()), {item["id"]: int(item["update"]) for item in recorded}
            teacher.before = lesson.before
        of = len(teacher.answers)
        lesson.changed = lambda: report("answers", of - teacher.left, of)
        try:
            lesson.run(until=lambda: teacher.left == 0)
            if not lesson.ended:
                lesson.end()
        except Diverged as error:
            stopped = str(error)
        finally:
            learning.close()
        found = {d.id: d for d in buffer.decisions()}
        seen = {name: digest(buffer.observation(name)) for name in found if any(i["id"] == name for i in recorded)}
        return compare(recorded, found, seen) | {"stopped": stopped, "models": _models(capsule, policies(directory))}


def _models(capsule: Json, now: Mapping[str, str]) -> Json:
    """Of the models that are in both, whose weights are the same to the bit."""
    both = sorted(capsule.get("policies", {}).keys() & now.keys())
    return {name: capsule["policies"][name] == now[name] for name in both}


def compare(recorded: list[Json], found: Mapping[str, Decision], seen: Mapping[str, str]) -> Json:
    """Plan by plan.

    Args:
        recorded: a capsule's questions.
        found: decisions made now, by id.
        seen: decision id → digest of what was seen now.
    """
    same, scenes, metres, unsure, first = 0, 0, 0.0, 0.0, ""
    both = [item for item in recorded if item["id"] in found]
    for item in both:
        then, now = decision_of(item), found[item["id"]]
        scenes += seen.get(item["id"]) == item["seen"]
        apart, doubt = _apart(then, now)
        metres, unsure = max(metres, apart), max(unsure, doubt)
        if apart == doubt == 0.0 and (then.asked, then.threshold) == (now.asked, now.threshold):
            same += 1
        else:
            first = first or item["id"]
    return {
        "plans": len(recorded), "gone_through": len(both), "same": same, "scenes_same": scenes,
        "all_same": same == len(recorded), "first_different": first, "largest_difference_m_or_rad": metres,
        "largest_difference_of_uncertainty": unsure,
    }  # fmt: skip


def _apart(then: Decision, now: Decision) -> tuple[float, float]:
    """How far two plans lie apart: in any number of their actions, and in uncertainty; 0 only of the same bits."""
    one, other = then.plan, now.plan
    if one.actions.shape != other.actions.shape or one.goal != other.goal:
        return float("inf"), float("inf")
    return float(np.max(np.abs(one.actions - other.actions))), abs(one.uncertainty - other.uncertainty)
