"""`python -m teaching reproduce NAME`: run an experiment and rewrite its part of its page in docs/results.

A page has words that people wrote, and between two marks what the last run found. Only that part is rewritten.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from teaching.experiments.experiment import EXPERIMENTS, Finding, Given, Report, experiment, silent
from teaching.experiments.plotly_plot import figure
from teaching.experiments.svg_plot import Drawing
from teaching.types import AskbackError, BadInput

BEGIN = "<!-- from here to the end mark: rewritten by python -m teaching reproduce -->"
END = "<!-- end mark -->"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread for each of several experiments at a time: small matrices are quickest so."""


def reproduce(
    name: str,
    out: Path,
    *,
    full: bool = False,
    seeds: Sequence[int] | None = None,
    work: Path = Path("runs/reproduce"),
    options: Mapping[str, Any] | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """Run one experiment and write NAME.md, NAME.json and its plots.

    Args:
        name: among EXPERIMENTS.
        out: the directory of pages.
        full: the long setting.
        seeds: instead of the setting's own.
        work: where long runs keep what they have.
        options: what this experiment alone understands.
        report: told (what, how many, of how many).

    Returns:
        Its figures, its page and the seconds it took.
    """
    chosen = experiment(name)
    given = Given(work / name, tuple(seeds) if seeds is not None else None, full, report, dict(options or {}))
    begun, resumed = time.perf_counter(), given.work.is_dir()
    found = chosen.run(given)
    seconds, took = _took(found, given.work, time.perf_counter() - begun, resumed)
    out.mkdir(parents=True, exist_ok=True)
    page = out / f"{name}.md"
    part = _part(name, found, command(name, given), took)
    for shown, text in found.plots.items():
        _write(out / f"{name}-{shown}.svg", text)
        if isinstance(text, Drawing):
            _write(out / f"{name}-{shown}.plotly.json", json.dumps(figure(text.panels, columns=text.columns)))
    _write(out / f"{name}.json", _rows(found, command(name, given), seconds))
    _write(page, placed(page.read_text(encoding="utf-8") if page.is_file() else "", part, chosen.question))
    return {"experiment": name, **found.figures, "page": str(page), "wall_seconds": seconds}


def _took(found: Finding, work: Path, now: float, resumed: bool) -> tuple[float, str]:
    """Seconds by the clock of all runs that ended, kept beside their work, and as words."""
    if found.seconds is not None:
        return found.seconds, f"{found.seconds:,.0f} s"
    path = work / "seconds.json"
    before: list[float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    every = [*before, round(now, 1)]
    work.mkdir(parents=True, exist_ok=True)
    _write(path, json.dumps(every))
    more = f", in {len(every)} runs that went on from each other" if before else ""
    if resumed and not before:
        more = ", going on from what runs that were broken off had kept"
    return round(sum(every), 1), f"{sum(every):,.0f} s{more}"


def command(name: str, given: Given) -> str:
    """The command that does the same again."""
    words = ["python", "-m", "teaching", "reproduce", name, "--full" if given.full else "--quick"]
    if given.seeds is not None:
        words += ["--seeds", *map(str, given.seeds)]
    for key, value in given.options.items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def placed(page: str, part: str, question: str) -> str:
    """A page with its rewritten part; a new page has the question as its title."""
    block = f"{BEGIN}\n\n{part.strip()}\n\n{END}"
    if not page:
        return f"# {question}\n\n{block}\n"
    before, mark, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        return f"{page.rstrip()}\n\n{block}\n"
    return f"{before}{block}{after}"


def _part(name: str, found: Finding, how: str, took: str) -> str:
    plots = [
        f"![{shown}]({name}-{shown}.svg)"
        + (
            f"\n\nThe same as a Plotly figure: [{shown}]({name}-{shown}.plotly.json)."
            if isinstance(text, Drawing)
            else ""
        )
        for shown, text in found.plots.items()
    ]
    made = f"Made by `{how}` in {took}; every run is in [{name}.json]({name}.json)."
    return "\n\n".join([made, *plots, found.markdown.strip()])


def _rows(found: Finding, how: str, seconds: float) -> str:
    """One row a line, so that two runs can be compared line by line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in found.rows)
    head = json.dumps({"command": how, "wall_seconds": seconds, "figures": found.figures}, ensure_ascii=False)
    return f'{head[:-1]},\n"rows": [\n{lines}\n]}}\n'


def _write(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def everything(out: Path, *, full: bool, work: Path, jobs: int = 2) -> dict[str, Any]:
    """All experiments, each a process of its own, the longest first, `jobs` at a time.

    Returns:
        Seconds of each, of all, and which failed.
    """
    if jobs < 1:
        raise BadInput(f"expected at least 1 job at a time, got {jobs}")
    begun, waiting = time.perf_counter(), sorted(EXPERIMENTS, key=lambda name: EXPERIMENTS[name].minutes)
    running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
    seconds: dict[str, float] = {}
    failed: list[str] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop()
                process = subprocess.Popen(_child(name, out, full, work), env=os.environ | dict.fromkeys(THREADS, "1"))
                running[name] = (process, time.perf_counter())
            time.sleep(0.2)
            for name, (process, since) in list(running.items()):
                if process.poll() is not None:
                    seconds[name] = round(time.perf_counter() - since, 1)
                    failed += [name] if process.returncode else []
                    del running[name]
    finally:
        for process, _ in running.values():
            process.terminate()
    if failed:
        raise AskbackError(f"these experiments failed, their messages are above: {', '.join(failed)}")
    return {"experiments": seconds, "wall_seconds": round(time.perf_counter() - begun, 1)}


def _child(name: str, out: Path, full: bool, work: Path) -> list[str]:
    base = [sys.executable, "-m", "teaching", "reproduce", name, "--out", str(out), "--work", str(work)]
    return [*base, "--full" if full else "--quick"]
