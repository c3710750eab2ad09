"""The commands `python -m teaching train`, `evaluate` and `compare`: what happens to the models of a lesson."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from teaching import rollout_command

Figures = Mapping[str, Any]
Bar = Callable[[], Callable[[str, int, int], None]]
"""Makes a report of progress."""
QUEUED = "as a job of the lesson: after its other jobs, telling progress in lines"


def add(commands: Any, bar: Bar) -> None:
    """The commands among `commands`."""
    train = commands.add_parser("train", help="train the novice on what a lesson stored")
    train.add_argument("directory", type=Path, metavar="DIR")
    train.add_argument("--steps", type=int)
    train.add_argument("--threads", type=int, default=2)
    train.set_defaults(do=partial(_train, bar))
    evaluate = commands.add_parser("evaluate", help="success of a lesson's novice on fresh scenes")
    evaluate.add_argument("directory", type=Path, metavar="DIR")
    evaluate.add_argument("--checkpoint", default="last", help='"last", a name among the checkpoints, or a path')
    evaluate.add_argument("--task")
    evaluate.add_argument("--split", default="seen")
    evaluate.add_argument("--episodes", type=int, default=100)
    evaluate.add_argument("--seed", type=int, default=0)
    evaluate.add_argument("--threads", type=int, default=1)
    evaluate.add_argument("--max-recoveries", type=int, help="in motion: also the success with at most 0 … so many")
    evaluate.add_argument("--oracle", action="store_true", help="the scripted teacher acts instead, on the same scenes")
    evaluate.add_argument("--queued", action="store_true", help=QUEUED)
    evaluate.set_defaults(do=partial(_evaluate, bar))
    two = commands.add_parser("compare", help="two of a lesson's models on the same frozen scenes, on film")
    two.add_argument("directory", type=Path, metavar="DIR")
    two.add_argument("--before", required=True, metavar="MODEL", help="the earlier one, by its number")
    two.add_argument("--after", default="last", metavar="MODEL", help="the later one, by its number, or last")
    two.add_argument("--split", default="seen")
    two.add_argument("--episodes", type=int, default=20)
    two.add_argument("--seed", type=int, default=0)
    two.add_argument("--threads", type=int, default=1)
    two.add_argument(
        "--without", metavar="ANSWER",
        help="train again from the earlier one, with and without this answer (a decision, or an episode in motion)",
    )  # fmt: skip
    two.add_argument("--queued", action="store_true", help=QUEUED)
    two.set_defaults(do=partial(_compare, bar))


def _train(bar: Bar, given: argparse.Namespace) -> Figures:
    import torch

    from teaching.curves import Curves
    from teaching.lesson import LessonConfig
    from teaching.replay import ReplayBuffer
    from teaching.rollout_training import RolloutTraining
    from teaching.training import Training

    torch.set_num_threads(given.threads)
    report = bar()
    with ReplayBuffer(given.directory, readonly=True) as buffer:
        training = RolloutTraining(buffer) if rollout_command.is_rollout(given.directory) else Training(buffer)
        steps = given.steps or LessonConfig.from_json(buffer.lesson).training.steps
        path, figures = training.train(
            steps=steps, seed=training.seed, update=training.version + 1,
            report=lambda step, of, loss: report("optimiser steps", step, of),
        )  # fmt: skip
        curves = Curves(given.directory, buffer.lesson, tell=lambda words: print(words, file=sys.stderr))  # noqa: T201
        curves.trained(path)
        curves.close()
    return {"checkpoint": str(path), **figures}


def _evaluate(bar: Bar, given: argparse.Namespace) -> Figures:
    with _in_turn(bar, given) as report:
        return _evaluated(given, report)


@contextlib.contextmanager
def _in_turn(bar: Bar, given: argparse.Namespace) -> Iterator[Any]:
    """How progress is told: a bar at once, or as a job of a lesson lines when it is its turn."""
    from teaching import jobs

    if not given.queued:
        yield bar()
        return
    with jobs.turn(given.directory):
        yield jobs.tell


def _evaluated(given: argparse.Namespace, report: Any) -> Figures:
    import torch

    from teaching import headless

    torch.set_num_threads(given.threads)
    if rollout_command.is_rollout(given.directory):
        from teaching import rollout_evaluate

        return rollout_evaluate.evaluate(
            given.directory, given.checkpoint, given.split, given.episodes, given.seed,
            most=given.max_recoveries, report=report,
        )  # fmt: skip
    return headless.evaluate_directory(
        given.directory, given.checkpoint, given.task, given.split, given.episodes, given.seed,
        report=report, oracle=given.oracle,
    )  # fmt: skip


def _compare(bar: Bar, given: argparse.Namespace) -> Figures:
    import torch

    from teaching import compare, comparing

    torch.set_num_threads(given.threads)
    before, after = (comparing.model_name(given.directory, model) for model in (given.before, given.after))
    pair = comparing.Pair(before, after, given.split, given.seed, given.episodes)
    if given.without:
        return _left_out(bar, given, pair)
    with _in_turn(bar, given) as report:
        told = compare.compare(given.directory, pair, report=report)
    if not given.queued:
        comparing.keep(given.directory, pair, told)
    return told


def _left_out(bar: Bar, given: argparse.Namespace, pair: Any) -> Figures:
    from teaching import leaving_out, retraining

    wanted = leaving_out.LeftOut(pair, given.without)
    with _in_turn(bar, given) as report:
        told = retraining.leave_out(given.directory, wanted, report=report)
    if not given.queued:
        leaving_out.keep(given.directory, wanted, told)
    return told
