"""`python -m robot_io.emulate so101|dynamixel|line`: an arm's electronics on a pseudo-terminal, faults included.

Prints the port to connect to and runs until Ctrl-C or `quit`. Type `help` for what can go wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from robot_io.emulation.back_door import LINK
from robot_io.emulation.console import BadCommand, Console
from robot_io.emulation.goal_log import GoalLog
from robot_io.emulation.koch import koch
from robot_io.emulation.line_board import LineBoard
from robot_io.emulation.so101 import leader, physical, so101
from robot_io.emulation.terminal import Board, Terminal
from robot_io.port import BENCH, BENCH_ARM
from robot_io.priority import be_first

KINDS = ("so101", "dynamixel", "line")


def board(kind: str, now: float, *, body: bool = False, bench: bool = False) -> Board:
    """The electronics of a kind, with a simulated body behind them if asked for, and a bench before that."""
    if kind == "so101":
        return physical(now, bench=bench) if body or bench else so101(now=now)
    return koch(now=now) if kind == "dynamixel" else LineBoard(now=now)


@contextlib.contextmanager
def benched(terminal: Terminal, directory: Path | None, seed: int, deep: bool) -> Iterator[None]:
    """The door behind a bench, and its camera in a process of its own."""
    motors = getattr(terminal.board, "motors", None)
    if directory is None or motors is None:
        yield
        return
    from robot_io.sim.so_bench import door

    shown = tempfile.TemporaryDirectory(prefix="askback-")  # by which the Arms page finds it
    (Path(shown.name) / BENCH).symlink_to(directory)
    log = GoalLog(terminal.board)  # type: ignore[arg-type]
    porter = door(motors, directory, terminal.lock, {"goals": log.since, "angles": log.angles})
    command = [sys.executable, "-m", "robot_io.sim.so_camera", str(directory), "--seed", str(seed)]
    command += ["--depth"] if deep else []
    root = Path(__file__).resolve().parent.parent
    camera = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        yield
    finally:
        camera.terminate()
        camera.wait()
        porter.close()
        shown.cleanup()


def clock(pace: float) -> Callable[[], float]:
    """Seconds that pass `pace` times as fast as real ones, for the wire and what turns behind it."""
    return lambda: time.monotonic() * pace


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m robot_io.emulate", description="An arm's electronics, emulated.")
    parser.add_argument(
        "kind",
        choices=KINDS,
        help="an SO-101's servo bus, one of Robotis' X-series servos, or a home-built arm's board",
    )
    parser.add_argument("--link", type=Path, help="where the port shall appear (default: a fresh temporary folder)")
    parser.add_argument("--seed", type=int, default=0, help="of the faults' chance")
    parser.add_argument("--pace", type=float, default=1.0, help="emulated seconds per second (default: 1)")
    parser.add_argument("--body", action="store_true", help="so101: with gravity and a table, by PyBullet")
    parser.add_argument(
        "--bench",
        type=Path,
        metavar="DIR",
        help="so101: with a body, things to pick, a camera named emulated:DIR, and its port at DIR/arm",
    )
    parser.add_argument("--depth", action="store_true", help="with --bench: its camera tells how deep each pixel lies")
    parser.add_argument(
        "--leader", action="store_true", help="so101: with a leader arm at a port of its own, for a hand to turn"
    )
    got = parser.parse_args(arguments)
    if got.leader and got.kind != "so101":
        parser.error(f"expected so101 with --leader, got {got.kind}")
    if got.depth and got.bench is None:
        parser.error("expected --bench with --depth: the depth is its camera's")
    if got.bench is not None:
        if got.kind != "so101":
            parser.error(f"expected so101 with --bench, got {got.kind}")
        got.bench = got.bench.absolute()
        if (got.bench / LINK).exists():
            parser.error(
                f"expected nobody at the bench {got.bench}, but an emulator is; end it, or take another folder"
            )
        got.link = got.link or got.bench / BENCH_ARM
    got.link = got.link and got.link.absolute()
    if not 0 < got.pace <= 1000:
        parser.error(f"expected --pace above 0 and up to 1000, got {got.pace}")
    if got.link is not None and got.link.exists() and not got.link.is_symlink():
        parser.error(f"expected --link to name nothing yet, got {got.link}; choose another path")
    return got


@contextlib.contextmanager
def beside(ticking: Callable[[], float], got: argparse.Namespace) -> Iterator[Terminal | None]:
    """The leader arm beside it, if there is to be one."""
    if not got.leader:
        yield None
        return
    link = got.link and got.link.with_name(f"{got.link.name}-leader")
    rng = np.random.default_rng(got.seed + 1)
    with Terminal(leader(ticking()), ticking, rng, name="leader", link=link) as terminal:
        yield terminal


def serve(terminal: Terminal, name: str, second: Terminal | None = None) -> None:
    """Answer typed commands until the end of input, `quit`, or Ctrl-C; without input run until a signal."""
    console = Console(terminal, Console(second) if second is not None else None)
    print(name, flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            return
        if not line.strip():
            continue
        try:
            answer = console.obey(line)
        except BadCommand as error:
            answer = {"error": str(error)}
        print(answer if isinstance(answer, str) else json.dumps(answer), flush=True)
    if not sys.stdin.isatty():
        signal.pause()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0; 2 for a command line that cannot be used."""
    got = parse(sys.argv[1:] if arguments is None else arguments)
    sys.setswitchinterval(0.0005)
    be_first()  # electronics are never late because a computer is busy
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if got.bench is not None:
        got.bench.mkdir(parents=True, exist_ok=True)
    ticking = clock(got.pace)
    made = board(got.kind, ticking(), body=got.body, bench=got.bench is not None)
    try:
        with (
            Terminal(made, ticking, np.random.default_rng(got.seed), name=got.kind, link=got.link) as terminal,
            benched(terminal, got.bench, got.seed, got.depth),
            beside(ticking, got) as second,
        ):
            eye = f",camera=emulated:{got.bench}" if got.bench else ""
            led = f",leader={second.path}" if second is not None else ""
            serve(terminal, f"{got.kind}:{terminal.path}{eye}{led}", second)
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
