"""The commands of `python -m teaching`, from run to reproduce. Each prints a last line of JSON."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from teaching import reproduce_command, rollout_command
from teaching.capsule import command as capsule_command
from teaching.export import command as export_command

os.environ.setdefault("OMP_NUM_THREADS", "2")

Figures = Mapping[str, Any]
QUEUED = "as a job of the lesson: after its other jobs, telling progress in lines"


def _bar() -> Any:
    """A progress bar on a terminal, silence elsewhere."""
    from tqdm import tqdm

    bar = tqdm(disable=not sys.stderr.isatty(), leave=False)

    def report(what: str, done: int, of: int) -> None:
        bar.total = of
        bar.desc = what
        bar.update(done - bar.n)

    return report


def _run(given: argparse.Namespace) -> Figures:
    from teaching import headless
    from teaching.gating import Gate
    from teaching.lesson import LessonConfig
    from teaching.types import BadInput

    if given.teacher not in ("oracle", "browser"):
        raise BadInput(f"expected --teacher oracle (scripted) or browser (a person), got {given.teacher!r}")
    training = {k: getattr(given, k) for k in ("steps", "batch") if getattr(given, k) is not None}
    promise = {k: getattr(given, k) for k in ("target", "n_min") if getattr(given, k) is not None}
    gate = Gate(kind=given.gate, mode=given.mode, p_rand=given.p_rand, **promise)
    config = LessonConfig.from_json(
        {
            "name": given.out.name, "task": given.task, "arm": given.arm, "split": given.split, "scenes": given.scenes,
            "stage_episodes": given.stage_episodes,
            "text_encoder": str(given.text_encoder.absolute()) if given.text_encoder else "",
            "teacher": "oracle" if given.teacher == "oracle" else "teacher", "start": given.start,
            "seed": given.seed, "gate": vars(gate), "training": training,
            "validation": not given.no_validation, "relabelling": not given.no_relabelling,
        }
    )  # fmt: skip
    if given.teacher == "browser":
        from teaching.attended import attend

        return attend(given.out, config, given.storing_episodes, report=_bar())
    return headless.run(
        given.out, config, given.storing_episodes, sync=given.sync, threads=given.threads, report=_bar()
    )


def _train(given: argparse.Namespace) -> Figures:
    import torch

    from teaching.curves import Curves
    from teaching.lesson import LessonConfig
    from teaching.replay import ReplayBuffer
    from teaching.rollout_training import RolloutTraining
    from teaching.training import Training

    torch.set_num_threads(given.threads)
    report = _bar()
    with ReplayBuffer(given.directory, readonly=True) as buffer:
        training = RolloutTraining(buffer) if rollout_command.is_rollout(given.directory) else Training(buffer)
        steps = given.steps or LessonConfig.from_json(buffer.lesson).training.steps
        path, figures = training.train(
            steps=steps, seed=training.seed, update=training.version + 1,
            report=lambda step, of, loss: report("optimiser steps", step, of),
        )  # fmt: skip
        curves = Curves(given.directory, buffer.lesson, tell=lambda words: print(words, file=sys.stderr))
        curves.trained(path)
        curves.close()
    return {"checkpoint": str(path), **figures}


def _evaluate(given: argparse.Namespace) -> Figures:
    with _in_turn(given) as report:
        return _evaluated(given, report)


@contextlib.contextmanager
def _in_turn(given: argparse.Namespace) -> Iterator[Any]:
    """How progress is told: a bar at once, or as a job of a lesson lines when it is its turn."""
    from teaching import jobs

    if not given.queued:
        yield _bar()
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


def _compare(given: argparse.Namespace) -> Figures:
    import torch

    from teaching import compare, comparing

    torch.set_num_threads(given.threads)
    before, after = (comparing.model_name(given.directory, model) for model in (given.before, given.after))
    pair = comparing.Pair(before, after, given.split, given.seed, given.episodes)
    with _in_turn(given) as report:
        told = compare.compare(given.directory, pair, report=report)
    if not given.queued:
        comparing.keep(given.directory, pair, told)
    return told


def _verify(given: argparse.Namespace) -> Figures:
    from teaching.replay import LogError, ReplayBuffer

    try:
        buffer = ReplayBuffer(given.directory)
    except LogError:  # its host has it open: look without touching
        buffer = ReplayBuffer(given.directory, readonly=True)
    with buffer:
        report = buffer.verify()
        found = {**vars(report), "whole": report.whole, "problems": list(buffer.problems)}
    for line in [*found["problems"], *found.get("notes", ())]:
        print(line)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}


def _backup(given: argparse.Namespace) -> Figures:
    from teaching.replay.backup import backup

    return {"backup": str(given.out), "bytes": backup(given.directory, given.out)}


def _starter(given: argparse.Namespace) -> Figures:
    from teaching.experiments.starter import StarterConfig, build

    told = {name: getattr(given, name) for name in ("task", "pairs", "steps") if getattr(given, name) is not None}
    return build(given.out, tuple(given.without), seed=given.seed, config=StarterConfig(**told), report=_bar())


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="run a lesson with a scripted teacher")
    run.add_argument("--task", default="put-block-in-bowl", help="sequence: several, one after the other")
    run.add_argument("--arm", default="sim:panda")
    run.add_argument("--teacher", default="oracle", help="oracle: scripted; browser: a person, in the app")
    run.add_argument("--storing-episodes", type=int, required=True, help="stop when so many episodes stored something")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="the replay buffer; resumed if it is there")
    run.add_argument("--split", default="seen")
    run.add_argument("--stage-episodes", type=int, default=150, help="of a sequence's stages, like --storing-episodes")
    run.add_argument("--scenes", choices=("random", "weak", "unsure"), default="random", help="what goals are about")
    run.add_argument("--gate", choices=("sag", "fixed", "always", "never"), default="sag")
    modes = ("sensitivity", "specificity", "success")
    told = "what is promised: mistakes asked about, right plans left alone, or good endings"
    run.add_argument("--mode", choices=modes, default="sensitivity", help=told)
    run.add_argument("--target", type=float, help="the gate's promise, from 0 to 1 (default 0.9)")
    run.add_argument("--n-min", type=int, help="mistakes (or right plans) to know before it is computed (default 15)")
    run.add_argument("--p-rand", type=float, default=0.2, help="share of plans asked about at random")
    run.add_argument("--start", choices=("starter", "nothing"), default="starter")
    run.add_argument(
        "--text-encoder", type=Path, metavar="DIR", help="a pretrained one of the BERT family to read goals"
    )
    run.add_argument("--sync", action="store_true", help="train before the next question: reproducible")
    run.add_argument("--steps", type=int, help="optimiser steps of one training")
    run.add_argument("--batch", type=int, help="demonstrations in one step")
    run.add_argument("--threads", type=int, default=1, help="threads of the trainer")
    run.add_argument("--no-validation", action="store_true", help="do not store confirmed plans")
    run.add_argument("--no-relabelling", action="store_true", help="do not store relabelled plans")
    run.set_defaults(do=_run)


def _add_novice(commands: Any) -> None:
    train = commands.add_parser("train", help="train the novice on what a lesson stored")
    train.add_argument("directory", type=Path, metavar="DIR")
    train.add_argument("--steps", type=int)
    train.add_argument("--threads", type=int, default=2)
    train.set_defaults(do=_train)
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
    evaluate.set_defaults(do=_evaluate)
    two = commands.add_parser("compare", help="two of a lesson's models on the same frozen scenes, on film")
    two.add_argument("directory", type=Path, metavar="DIR")
    two.add_argument("--before", required=True, metavar="MODEL", help="the earlier one, by its number")
    two.add_argument("--after", default="last", metavar="MODEL", help="the later one, by its number, or last")
    two.add_argument("--split", default="seen")
    two.add_argument("--episodes", type=int, default=20)
    two.add_argument("--seed", type=int, default=0)
    two.add_argument("--threads", type=int, default=1)
    two.add_argument("--queued", action="store_true", help=QUEUED)
    two.set_defaults(do=_compare)


def _add_files(commands: Any) -> None:
    verify = commands.add_parser("verify", help="compare every byte with what was acknowledged; exit 1 if damaged")
    verify.add_argument("directory", type=Path, metavar="DIR")
    verify.set_defaults(do=_verify)
    backup = commands.add_parser("backup", help="a lesson as one tar file")
    backup.add_argument("directory", type=Path, metavar="DIR")
    backup.add_argument("out", type=Path, metavar="OUT")
    backup.set_defaults(do=_backup)
    start = commands.add_parser("starter", help="rebuild the starter checkpoint from the scripted teacher")
    start.add_argument("out", type=Path, metavar="OUT")
    start.add_argument("--task", help="what it is taught (default put-block-in-bowl)")
    start.add_argument("--without", action="append", default=[], help="a word that no goal shall name; repeatable")
    start.add_argument("--pairs", type=int, help="demonstrations (default 320)")
    start.add_argument("--steps", type=int, help="optimiser steps (default 1200)")
    start.add_argument("--seed", type=int, default=0)
    start.set_defaults(do=_starter)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m teaching", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    rollout_command.add(commands, _bar)
    capsule_command.add(commands, _bar)
    _add_novice(commands)
    _add_files(commands)
    export_command.add(commands, _bar)
    reproduce_command.add(commands, _bar)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: done; 1: something acknowledged is damaged; 2: what was given cannot be used."""
    given = _parser().parse_args(arguments)
    from robot_io.arm import ArmError
    from teaching.policies.base import CheckpointError
    from teaching.types import AskbackError

    try:
        figures = given.do(given)
    except (AskbackError, ArmError, CheckpointError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; what was stored stays, the same command goes on from here", file=sys.stderr)
        return 130
    print(json.dumps(figures, default=str))
    return 1 if figures.get("whole") is False else 0


if __name__ == "__main__":
    sys.exit(main())
