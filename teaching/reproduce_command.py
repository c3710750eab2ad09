"""`python -m teaching reproduce`: run an experiment, or all."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def add(commands: Any, bar: Callable[[], Any]) -> None:
    """The command's arguments; `bar` makes a progress bar."""
    again = commands.add_parser("reproduce", help="run an experiment of docs/results and rewrite its table and plot")
    again.add_argument("name", metavar="NAME", help="all, or one; a wrong name lists them")
    length = again.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="the setting for minutes (the default)")
    length.add_argument("--full", action="store_true", help="the setting for days")
    again.add_argument("--seeds", type=int, nargs="+", help="instead of the setting's own")
    again.add_argument("--out", type=Path, default=Path("docs/results"), metavar="DIR", help="where page and plot go")
    again.add_argument("--work", type=Path, default=Path("runs/reproduce"), metavar="DIR", help="what long runs keep")
    again.add_argument("--jobs", type=int, default=2, help="with all: how many at a time")
    again.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an experiment's own setting")
    again.set_defaults(do=lambda given: _reproduce(given, bar()))


def _reproduce(given: argparse.Namespace, report: Any) -> Mapping[str, Any]:
    from teaching.reproduce import everything, reproduce
    from teaching.types import BadInput

    if wrong := [text for text in given.set if "=" not in text]:
        raise BadInput(f"expected --set NAME=VALUE, got {' '.join(wrong)}")
    options = dict(text.split("=", 1) for text in given.set)
    if given.name != "all":
        return reproduce(
            given.name, given.out, full=given.full, seeds=given.seeds, work=given.work, options=options, report=report
        )
    if given.seeds or options:
        raise BadInput("expected --seeds and --set with one experiment, got them with all")
    return everything(given.out, full=given.full, work=given.work, jobs=given.jobs)
