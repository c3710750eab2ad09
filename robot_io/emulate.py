"""`python -m robot_io.emulate so101|line`: an arm's electronics on a pseudo-terminal, faults included.

Prints the port to connect to and runs until Ctrl-C or `quit`. Type `help` for what can go wrong.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from robot_io.emulation.console import BadCommand, Console
from robot_io.emulation.line_board import LineBoard
from robot_io.emulation.so101 import physical, so101
from robot_io.emulation.terminal import Board, Terminal

KINDS = ("so101", "line")


def board(kind: str, now: float, *, body: bool = False) -> Board:
    """The electronics of a kind, with a simulated body behind them if asked for."""
    if kind == "so101":
        return physical(now) if body else so101(now=now)
    return LineBoard(now=now)


def clock(pace: float) -> Callable[[], float]:
    """Seconds that pass `pace` times as fast as real ones, for the wire and what turns behind it."""
    return lambda: time.monotonic() * pace


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m robot_io.emulate", description="An arm's electronics, emulated.")
    parser.add_argument("kind", choices=KINDS, help="an SO-101's servo bus, or a home-built arm's board")
    parser.add_argument("--link", type=Path, help="where the port shall appear (default: a fresh temporary folder)")
    parser.add_argument("--seed", type=int, default=0, help="of the faults' chance")
    parser.add_argument("--pace", type=float, default=1.0, help="emulated seconds per second (default: 1)")
    parser.add_argument("--body", action="store_true", help="so101: with gravity and a table, by PyBullet")
    got = parser.parse_args(arguments)
    if not 0 < got.pace <= 1000:
        parser.error(f"expected --pace above 0 and up to 1000, got {got.pace}")
    if got.link is not None and got.link.exists() and not got.link.is_symlink():
        parser.error(f"expected --link to name nothing yet, got {got.link}; choose another path")
    return got


def serve(terminal: Terminal, kind: str) -> None:
    """Answer typed commands until the end of input, `quit`, or Ctrl-C; without input run until a signal."""
    console = Console(terminal)
    print(f"{kind}:{terminal.path}", flush=True)
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ticking = clock(got.pace)
    made = board(got.kind, ticking(), body=got.body)
    try:
        with Terminal(made, ticking, np.random.default_rng(got.seed), name=got.kind, link=got.link) as terminal:
            serve(terminal, got.kind)
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
