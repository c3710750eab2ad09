"""Trains from an older model once more, with and without one answer, and plays both: `teaching compare --without`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from teaching.compare import play_all
from teaching.headless import Report, silent
from teaching.leaving_out import MODELS, OTHER, WITH, WITHOUT, LeftOut, figures
from teaching.lesson import LessonConfig
from teaching.models import INFO, Model, models
from teaching.replay import ReplayBuffer
from teaching.rollout_training import RolloutTraining
from teaching.training import Report as TrainingReport
from teaching.training import Training
from teaching.types import BadInput

TRAININGS = 3


def leave_out(lesson: Path, wanted: LeftOut, *, report: Report = silent) -> dict[str, Any]:
    """Three trainings and five models on the same frozen scenes; what is there from a call that was cut short stays.

    Args:
        lesson: its directory; may be running.
        wanted: the models, the scenes and the answer.
        report: told (what, how many, of how many).

    Raises:
        BadInput: no such models, or an answer that the later one did not learn from or the earlier one had already.
    """
    with ReplayBuffer(lesson, readonly=True) as buffer:
        known = {m.name: m for m in models(buffer.checkpoints)}
        for name in (wanted.pair.before, wanted.pair.after):
            if name not in known:
                raise BadInput(f"expected a model among {', '.join(known) or 'none'}, got {name}; it was pruned")
        steps = way(known[wanted.pair.before], known[wanted.pair.after], known)
        gone = brought(buffer, steps, wanted, known[wanted.pair.before])
        folder = wanted.folder(lesson)
        places = {"before": buffer.checkpoints / wanted.pair.before, "after": buffer.checkpoints / wanted.pair.after}
        nothing = frozenset[str]()
        for number, (name, left_out, shift) in enumerate(((WITH, nothing, 0), (OTHER, nothing, 1), (WITHOUT, gone, 0))):
            counted = _counted(report, number, steps)
            places[name] = _trained(buffer, folder / name, steps, left_out, shift, counted)
    play_all(lesson, wanted.pair, places, lambda model, scene: wanted.film(lesson, model, scene), report)
    return figures(lesson, wanted, {"examples": sorted(gone), "trainings": len(steps), "left": list(MODELS)})


def way(before: Model, after: Model, known: Mapping[str, Model]) -> list[Model]:
    """The trainings that led from one model to the other, in order; BadInput if a model of the way is gone.

    A lesson in motion trains from fresh weights each time: there the last one is the whole way.
    """
    if "episodes" in after.lineage and not after.demonstrations:
        return [after]
    found: list[Model] = []
    at: Model | None = after
    while at is not None and at.name != before.name:
        if not at.promoted:
            found.insert(0, at)
        at = known.get(at.parent or "")
    if at is None or not found:
        raise BadInput(
            f"expected every model from {before.name} to {after.name} on disk, got a gap; compare two of the last ones"
        )
    return found


def brought(buffer: ReplayBuffer, steps: list[Model], wanted: LeftOut, before: Model) -> frozenset[str]:
    """What an answer brought into the trainings of a way: examples, or the episode; BadInput if nothing."""
    learnt = {name for model in steps for name in _data(model)}
    decision = {d.id: d.decision for d in buffer.demonstrations()}
    answer = decision.get(wanted.answer, wanted.answer)
    gone = frozenset(n for n in learnt if n == answer or decision.get(n, "") == answer)
    if not gone:
        raise BadInput(f"expected an answer that {wanted.pair.after} learnt from, got {wanted.answer!r}; see Replay")
    if "episodes" not in before.lineage and gone <= set(_data(before)):
        raise BadInput(
            f"expected an answer that came after {before.name}, got {wanted.answer!r}, which is in it; "
            "compare with an earlier model"
        )
    return gone


def _data(model: Model) -> tuple[str, ...]:
    return model.demonstrations or tuple(model.lineage.get("episodes", ()))


def _counted(report: Report, number: int, steps: list[Model]) -> Report:
    """Progress over all trainings."""
    each = sum(int(m.lineage["steps"]) for m in steps)
    return lambda what, done, of: report(what, number * each + done, TRAININGS * each)


def _trained(
    buffer: ReplayBuffer, folder: Path, steps: list[Model], left_out: frozenset[str], shift: int, report: Report
) -> Path:
    """The last model of a way that was gone once more; taken as it is if it is there.

    Args:
        buffer: of the lesson.
        folder: where the models go.
        steps: the trainings of the way.
        left_out: of what they learnt from.
        shift: added to their seeds.
        report: told (what, how many, of how many).
    """
    end = folder / steps[-1].name
    if (end / INFO).is_file():
        return end
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    moving = LessonConfig.from_json(buffer.lesson).kind == "rollout"
    parent = buffer.checkpoints / str(steps[0].parent)
    if not moving and steps[0].parent:
        shutil.copytree(parent, folder / parent.name)
    training = (RolloutTraining if moving else Training)(buffer, keep=len(steps) + 1, parent=folder)
    done = 0
    for model in steps:
        training.only = frozenset(_data(model)) - left_out
        if training.only:
            _train_as(model, training, shift, partial(_after, report, done))
        done += int(model.lineage["steps"])
    if not (end / INFO).is_file():
        raise BadInput("expected something else to train on beside this answer, got nothing; choose a later model")
    return end


def _train_as(model: Model, training: RolloutTraining | Training, shift: int, report: TrainingReport) -> None:
    """With what its training was told: steps, seed, number, and how batches were drawn."""
    told = model.lineage
    training.train(
        steps=int(told["steps"]), seed=int(told["seed"]) + shift, update=model.update,
        settings=dict(told.get("config") or {}), report=report,
    )  # fmt: skip


def _after(report: Report, done: int, step: int, of: int, loss: float) -> None:
    report("optimiser steps", done + step, of)
