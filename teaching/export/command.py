"""`python -m teaching export` and `import`: to and from other people's files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from teaching.export import FORMS


def add(commands: Any, bar: Callable[[], Any]) -> None:
    """The commands' arguments; `bar` makes a progress bar."""
    out = commands.add_parser("export", help="a lesson's recordings for other tools")
    out.add_argument("form", choices=FORMS, help="LeRobotDataset v3.0, a directory; or robomimic's HDF5, one file")
    out.add_argument("directory", type=Path, metavar="DIR", help="the lesson")
    out.add_argument("out", type=Path, metavar="OUT", help="what must not exist yet")
    out.set_defaults(do=lambda given: _export(given, bar()))
    back = commands.add_parser("import", help="other people's recordings as demonstrations of a lesson in motion")
    back.add_argument("form", choices=("lerobot",), help="LeRobotDataset v3.0")
    back.add_argument("source", type=Path, metavar="SRC", help="the dataset's directory")
    back.add_argument("directory", type=Path, metavar="DIR", help="the lesson; made if it is not there")
    back.add_argument("--task", help="of a new lesson, such as peg-and-button")
    back.add_argument("--arm", default="sim:panda", help="of a new lesson")
    back.set_defaults(do=lambda given: _import(given, bar()))


def _export(given: argparse.Namespace, report: Any) -> Mapping[str, Any]:
    from teaching.export import export_lesson

    return export_lesson(given.form, given.directory, given.out, report)


def _import(given: argparse.Namespace, report: Any) -> Mapping[str, Any]:
    from teaching.export.importing import import_lerobot

    return import_lerobot(given.source, given.directory, task=given.task, arm=given.arm, report=report)
