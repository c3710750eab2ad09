"""`python -m teaching capsule`: write one, or go through one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from teaching import jobs


def add(commands: Any, bar: Callable[[], Any]) -> None:
    """The command's arguments; `bar` makes a progress bar."""
    capsule = commands.add_parser("capsule", help="a lesson as one file that plays in any browser, or going through it")
    capsule.add_argument("directory", type=Path, nargs="?", metavar="DIR")
    capsule.add_argument("out", type=Path, nargs="?", metavar="OUT", help="an HTML file")
    capsule.add_argument("--replay", type=Path, metavar="FILE", help="do the plans of a capsule come out the same?")
    capsule.add_argument("--threads", type=int, default=1, help="of the trainer, with --replay")
    capsule.add_argument("--lines", action="store_true", help="tell progress in lines, not by a bar")
    capsule.set_defaults(do=lambda given: _capsule(given, jobs.tell if given.lines else bar()))


def _capsule(given: argparse.Namespace, report: Any) -> Mapping[str, Any]:
    from teaching.types import BadInput

    if given.replay is not None:
        from teaching.capsule.again import again

        return again(given.replay, threads=given.threads, report=report)
    if given.directory is None or given.out is None:
        raise BadInput("expected a lesson and a file to write, or --replay with a capsule; see capsule --help")
    from teaching.capsule.contents import contents
    from teaching.capsule.file import write

    if given.out.exists():
        raise BadInput(f"expected a new file, but {given.out} is there; give another name")
    lesson = contents(given.directory, report=report)
    size = write(given.out, lesson)
    return {"capsule": str(given.out), "bytes": size, "items": len(lesson["items"]), "problems": lesson["problems"]}
