"""The commands of `python -m teaching`, from run to reproduce. Each prints a last line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from teaching import novice_command, reproduce_command, rollout_command, run_command
from teaching.capsule import command as capsule_command
from teaching.export import command as export_command

os.environ.setdefault("OMP_NUM_THREADS", "2")

Figures = Mapping[str, Any]


def _bar() -> Any:
    """A progress bar on a terminal, silence elsewhere."""
    from tqdm import tqdm

    bar = tqdm(disable=not sys.stderr.isatty(), leave=False)

    def report(what: str, done: int, of: int) -> None:
        bar.total = of
        bar.desc = what
        bar.update(done - bar.n)

    return report


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
    run_command.add(commands, _bar)
    rollout_command.add(commands, _bar)
    capsule_command.add(commands, _bar)
    novice_command.add(commands, _bar)
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
