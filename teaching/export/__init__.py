"""Recordings for other people's tools, and theirs for ours: LeRobotDataset v3.0 and robomimic's HDF5.

`export_lesson` is the whole of it; `beside` does the same in a process of its own, for whoever may not be held up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from teaching.types import BadInput

FORMS = ("lerobot", "robomimic")
_PROJECT = Path(__file__).resolve().parents[2]
Report = Callable[[str, int, int], None]
"""Told (what, how many, of how many)."""


def silent(what: str, done: int, of: int) -> None:
    """A Report that tells nobody."""


def export_lesson(form: str, directory: Path, out: Path, report: Report = silent) -> dict[str, Any]:
    """Write a lesson's recordings in another form; its figures.

    Under its name there is either nothing or all of it: it is written beside and renamed at the end.

    Args:
        form: one of FORMS.
        directory: the lesson; it may be under way, committed episodes are read.
        out: what must not exist yet: a directory for lerobot, a file for robomimic.
        report: told of every episode.

    Raises:
        BadInput: `out` is there, nothing to export, recordings that do not fit together, or LeRobot is not installed.
    """
    from teaching.export.recording import chosen
    from teaching.export.whole import appearing
    from teaching.replay import ReplayBuffer

    if form not in FORMS:
        raise BadInput(f"expected one of {', '.join(FORMS)}, got {form!r}")
    with ReplayBuffer(directory, readonly=True) as buffer, appearing(out) as place:
        found = chosen(buffer)
        if form == "lerobot":
            from teaching.export import lerobot_files

            figures = lerobot_files.write(found, place, report)
        else:
            from teaching.export import robomimic_file

            figures = robomimic_file.write(found, place, report)
        left_out = len(buffer.episodes()) - figures["episodes"]
    return {"out": str(out), "form": form, **figures, "left_out": left_out}


def beside(form: str, directory: Path, out: Path) -> Future[dict[str, Any]]:
    """`export_lesson` in a process of its own, since LeRobot brings torch and takes its time; never waits.

    The future holds the figures, or a BadInput with what the command complained of.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="export")
    future = thread.submit(_in_child, form, directory, out)
    thread.shutdown(wait=False)
    return future


def _in_child(form: str, directory: Path, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "teaching", "export", form, str(directory.resolve()), str(out.absolute())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_PROJECT)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"the export ended ({done.returncode})"]
        raise BadInput(lines[-1])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
