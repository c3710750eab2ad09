"""What a capsule holds of a lesson: every question with its picture, plan and answer, what moved, what was trained."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from robot_io.arm import Observation, TableView
from robot_io.pictures import jpeg
from teaching.capsule.motion import motion
from teaching.films import policy_hash, spots
from teaching.lesson import LessonConfig, starter
from teaching.models import models
from teaching.replay import Episode, Event, ReplayBuffer
from teaching.replay.nouns import answer_json, decision_json
from teaching.types import Answer, Array, AskbackError, BadInput, Decision

FORMAT, SCHEMA = "askback-capsule", 1
PACKAGES = ("numpy", "torch", "pybullet", "h5py", "streamlit", "lerobot")
Report = Callable[[str, int, int], None]
TABLE = TableView()


def contents(
    path: Path, *, report: Report = lambda what, done, of: None, clock: Callable[[], float] = time.time
) -> dict[str, Any]:
    """Everything, as plain values; pictures as base64 JPEG.

    Args:
        path: the lesson's directory; may be running.
        report: told (what, how many, of how many).
        clock: Unix seconds.

    Raises:
        NotABuffer: no lesson there.
        BadInput: nothing was asked or driven in it yet.
    """
    with ReplayBuffer(path, readonly=True) as buffer:
        log, history = (path / "events.log").read_bytes(), buffer.history()
        config = LessonConfig.from_json(buffer.lesson)
        pictures: list[str] = []
        items: list[dict[str, Any]] = []
        episodes = buffer.episodes()
        if not episodes:
            raise BadInput(f"expected a lesson with at least one episode in {path}, got none; teach it first")
        first = {e.answer.decision: e.answer for e in reversed(history) if e.kind == "answer" and e.answer}
        problems = []
        for number, summary in enumerate(episodes):
            try:
                items += _episode(buffer, summary.id, first, buffer.answers(), pictures)
            except AskbackError as error:
                problems.append(f"episode {summary.id} was left out: {error}")
            report("episodes", number + 1, len(episodes))
        return {
            "format": FORMAT, "schema": SCHEMA, "made": clock(), "name": config.name, "kind": config.kind,
            "lesson": buffer.lesson, "created": created(path), "versions": versions(),
            "policies": policies(path), "starter": _starter(config), "items": items, "pictures": pictures,
            "trainings": [training(e) for e in history if e.kind == "training"],
            "dropped": sorted(buffer.dropped()), "problems": [*buffer.problems, *problems],
            "log": base64.b64encode(log).decode(), "log_sha256": hashlib.sha256(log).hexdigest(),
        }  # fmt: skip


def created(path: Path) -> dict[str, Any]:
    """What the lesson was created with, before any change of its settings."""
    found = json.loads((path / "lesson.json").read_text(encoding="utf-8"))["lesson"]
    return dict(found)


def versions() -> dict[str, str]:
    """Of what the lesson's plans depend on, as installed here."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "askback": source()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def source() -> str:
    """What tells one version of this project's own code from another: SHA-256 of what plans and moves."""
    root, found = Path(__file__).resolve().parents[2], hashlib.sha256()
    for file in sorted(f for room in ("robot_io", "teaching") for f in (root / room).rglob("*.py")):
        found.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return found.hexdigest()[:16]


def policies(path: Path) -> dict[str, str]:
    """Model → SHA-256 of its weights, of those on disk."""
    found = {}
    for model in models(path / "checkpoints"):
        try:
            found[model.name] = policy_hash(path / "checkpoints" / model.name)
        except BadInput:
            continue  # just pruned
    return found


def _starter(config: LessonConfig) -> str:
    place = starter(config.task) if config.start == "starter" else None
    return policy_hash(place) if place is not None else ""


def training(event: Event) -> dict[str, Any]:
    """A training as the viewer shows it."""
    names = ("update", "why", "parent", "seed", "steps", "seconds", "demonstrations", "promoted", "failed", "cancelled",
             "read")  # fmt: skip
    body = event.body
    return {
        "seq": event.seq, "time": event.time, **{n: body[n] for n in names if n in body},
        "loss": (body.get("figures") or {}).get("loss"), "curve": list(body.get("curve") or [])[:200],
    }  # fmt: skip


def _episode(
    buffer: ReplayBuffer, name: str, first: Mapping[str, Answer], now: Mapping[str, Answer], pictures: list[str]
) -> list[dict[str, Any]]:
    episode = buffer.read(name)
    if episode.rollout is not None:
        return [motion(episode, pictures)]
    shown = [_picture(step.observation, pictures) for step in episode.steps]
    items = []
    for index, step in enumerate(episode.steps):
        if step.decision is None:
            continue
        after = shown[index + 1] if index + 1 < len(shown) else -1
        items.append(
            question(step.decision, first.get(step.decision.id), now.get(step.decision.id))
            | {"picture": shown[index], "after": after, "reward": step.reward, "seen": digest(step.observation)}
            | facts(episode)
        )
    return items


def facts(episode: Episode) -> dict[str, Any]:
    """Of the episode that a question belongs to."""
    return {"scene": episode.seed, "split": episode.split, "end": episode.end, "ending": episode.reason}


def question(decision: Decision, answer: Answer | None, now: Answer | None) -> dict[str, Any]:
    """One plan, weighed, and what was first said of it; `changed` if that was superseded later."""
    value = decision_json(decision)
    plan = decision.plan
    value["spots"] = spots(plan.actions, TABLE.x, TABLE.y)
    value["ghosts"] = [{"spots": spots(a.actions, TABLE.x, TABLE.y), "weight": a.weight} for a in plan.alternatives]
    value["answer"] = said(answer if answer is not None else now)
    value["changed"] = answer is not None and answer != now
    return {"kind": "question", **value}


def said(answer: Answer | None) -> dict[str, Any] | None:
    """An answer with where its demonstration lies."""
    if answer is None:
        return None
    shown = answer.feedback.demonstration
    return answer_json(answer) | {"spots": None if shown is None else spots(shown.actions, TABLE.x, TABLE.y)}


def _picture(observation: Observation, pictures: list[str]) -> int:
    """Its number among the pictures; −1 if nothing was seen."""
    seen: Array | None = next((observation[n] for n in ("picture", "colour") if n in observation), None)
    if seen is None:
        return -1
    pictures.append(base64.b64encode(jpeg(np.asarray(seen), 78)).decode())
    return len(pictures) - 1


def digest(observation: Observation) -> str:
    """What tells one thing seen from another: SHA-256 of the map that the novice plans from."""
    found = hashlib.sha256()
    for name in ("colour", "height"):
        if name in observation:
            found.update(np.ascontiguousarray(observation[name]).tobytes())
    return found.hexdigest()
