"""What a page may know of a lesson: plain frozen values, drawn anew whenever something changed."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from robot_io.arm import Observation, TableView
from teaching import history_view
from teaching.question import Question
from teaching.types import Array

if TYPE_CHECKING:
    from teaching.plan_lesson import PlanLesson

CONFIDENCE = ("words", "frequency")
"""Details that a blind question does not tell."""
LOW_DISK = 2 * 2**30
"""Bytes of free space under which the page warns."""


def data_url(pixels: Array, kind: str = "PNG") -> str:
    """An (H, W) or (H, W, 3) uint8 picture as a data URL."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, kind, quality=88)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def picture(observation: Observation) -> str:
    """The top-down picture, the finest that there is."""
    pixels = observation["picture"] if "picture" in observation else observation["colour"]
    return data_url(pixels, "JPEG" if pixels.shape[0] > 200 else "PNG")


def _pose(actions: Array) -> dict[str, list[float]]:
    return {"pick": [round(float(v), 4) for v in actions[0]], "place": [round(float(v), 4) for v in actions[-1]]}


def question_view(question: Question, table: TableView, pictures: dict[str, Any]) -> dict[str, Any]:
    """One question as the page draws it; `pictures` caches what is costly, by question."""
    plan = question.decision.plan
    key = question.decision.id
    if key not in pictures:
        pictures.clear()
        maps = {name: data_url((255 * np.clip(m, 0, 1)).astype(np.uint8)) for name, m in plan.maps.items()}
        pictures[key] = {"image": picture(question.moment.observation), "maps": maps}
    threshold = question.decision.threshold if not question.blind else np.inf
    return {
        "id": key,
        "goal": plan.goal,
        "reason": "" if question.blind else question.decision.reason,
        **pictures[key],
        "table": {"x": list(table.x), "y": list(table.y), "shape": list(table.shape)},
        "plan": _pose(plan.actions),
        "ghosts": [_pose(a.actions) | {"weight": round(a.weight, 4)} for a in plan.alternatives],
        "uncertainty": None if question.blind else plan.uncertainty,
        "threshold": threshold if np.isfinite(threshold) else None,
        "relabels": list(question.relabels[:5]),
        "draft": question.draft,
        "shown": question.shown,
        "again": question.again and not question.repeat,
        "blind": question.blind,
        "practice": False,
        **{n: v for n, v in question.details.items() if not (question.blind and n in CONFIDENCE)},
    }


def disk_view(path: Path) -> dict[str, Any]:
    """Free space where the lesson lies, and a warning when it runs short."""
    free = shutil.disk_usage(path).free
    short = free < LOW_DISK
    return {
        "free_bytes": free,
        "warning": f"only {free / 2**30:.1f} GB of disk left: make room before it runs out" if short else "",
    }


def lesson_view(lesson: PlanLesson, table: TableView, pictures: dict[str, Any]) -> dict[str, Any]:
    """The whole view (docs/design/0002-wires.md). Called on the lesson's thread only."""
    question = lesson.revisits[-1] if lesson.revisits else lesson.question
    memory, config, learning, acting = lesson.memory, lesson.config, lesson.learning, lesson.course.acting
    decisions, answers = memory.decisions, lesson.buffer.answers()
    return {
        "lesson": {"name": config.name, "task": config.task, "arm": config.arm, "teacher": config.teacher},
        "phase": str(lesson.phase),
        "message": lesson.message,
        "question": question_view(question, table, pictures) if question else None,
        "recent": history_view.recent(decisions, answers, 20),
        "acting": {"decision": acting.id, "goal": acting.plan.goal, "asked": acting.asked} if acting else None,
        "gate": history_view.gate_view(lesson.gate, decisions),
        "training": {
            "state": learning.status.state,
            "progress": learning.status.progress,
            "message": learning.status.message,
            "version": learning.status.version,
            "running_version": lesson.policy.version,
            "curve": [round(loss, 5) for loss in learning.status.curve],
            "queued": learning.due,
        },
        "counts": {
            "decisions": len(decisions),
            "asked": sum(d.asked for d in decisions),
            "answers": len(answers),
            "demonstrations": sum(d is not None for d in memory.rows().demonstration),
            "storing_episodes": memory.storing_episodes,
            "episodes": memory.begun,
        },
        "effect": history_view.effect(decisions, answers),
        "disk": disk_view(lesson.buffer.path),
        "saved": lesson.buffer.last_sequence,
        "paused": lesson.paused,
    }
