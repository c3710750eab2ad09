"""How soon is the wire of a real arm quiet after a STOP, and what does the arm do when its process is killed?

    python -m benchmarks.so101 [--stops 40] [--kills 5] [--busy 0] [--kind feetech] [--seed 0]

An emulated SO-101 with a body, a bench and a camera performs plans in real time, in its own arm process under all
limits, with a lesson's own trainer at work beside it (nice 19, one thread); `--busy` processes multiply matrices, too.
A stop takes some seconds and a kill some twenty; progress goes to stderr. The emulator writes down when each command
came over the wire and how far it asked a joint to go. Prints one line of JSON:

- stop_to_wire_ms: from the page's STOP to the last command on the wire that asks for a motion (0 if none came any
  more); the hold that follows asks joints to stay where they are;
- period_ms: between two commands on the wire while the arm moves; late_ms: by how much that differs from 1 / 30 s;
- stop_to_ack_ms: until the page has read the acknowledgement;
- killed_to_still_ms: from `kill -9` of the arm process in motion until every joint turns slower than 0.05 rad/s. An
  STS3215 has no watchdog: it goes to its last goal, at most 0.2 s of motion ahead, and holds there;
- line_killed_to_hold_ms: the same for a home-built arm, whose firmware has a watchdog of 0.5 s: until it says so.

Bars: p99 of the first ≤ 50 ms, of late_ms ≤ 10 ms; killed arms still within 500 ms, where a firmware's watchdog can
see to it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import numpy as np

from benchmarks.novice import stored
from benchmarks.stop import BUSY, ORIGIN, Page, child, figures
from robot_io.arm import Action, ArmError, Scene, make_arm
from robot_io.emulation.back_door import BackDoor
from robot_io.launch import launch
from robot_io.remote import RemoteArm
from robot_io.so import RATE
from robot_io.watching import Watch
from teaching.experiments.starter import collect
from teaching.task import make_task
from teaching.trainer import Trainer

TASK = "put-block-in-bowl"
MOVING = 12
"""Steps (one degree) from which a goal asks for a motion."""
STILL = 0.05
"""Radians per second."""
NOMINAL = 1000 / RATE
"""Milliseconds between two commands."""
WINDOW = 0.03
"""Seconds over which speed is measured."""


@contextmanager
def emulator(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m robot_io.emulate …` in a session of its own, like electronics."""
    command = [sys.executable, "-m", "robot_io.emulate", *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def told(process: subprocess.Popen[str]) -> str:
    """One line of it."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def training(directory: Path) -> Iterator[None]:
    """A lesson's trainer at work for as long as the block runs."""
    arm = make_arm("fake:table")
    arm.connect()
    task = make_task(TASK)
    stored(collect(cast(Scene, arm), task, (), 16, lambda what, done, of: None), directory)
    arm.disconnect()
    trainer, said = Trainer(directory, threads=1, nice=19), list[str]()
    trainer.post = lambda message: said.append(str(message.get("type")))
    trainer.train(100_000, 0, 1)
    try:
        end = time.monotonic() + 300
        while "progress" not in said:
            if "failed" in said or time.monotonic() > end:
                raise RuntimeError(f"expected the trainer to make progress, got {said[-3:]}")
            time.sleep(0.1)
        yield
        if "failed" in said or "done" in said:
            raise RuntimeError("expected the training to go on to the end of the measurement, but it ended")
    finally:
        trainer.cancel()
        trainer.close()


def progress(what: str, done: int, of: int) -> None:
    """Where it is, on stderr."""
    sys.stderr.write(f"{what}: {done} of {of}\n")
    sys.stderr.flush()


class Mover:
    """Performs plans one after the other, whatever comes between."""

    def __init__(self, directory: Path) -> None:
        self.arm, self.ending = RemoteArm(directory), Event()
        self.arm.connect()
        self.plan = self._plan()
        self.thread = Thread(target=self._run)
        self.thread.start()

    def _plan(self) -> Any:
        truth = self.arm.reset(3, TASK, "seen")
        first, second = truth["objects"][0]["position"], truth["objects"][-1]["position"]
        return np.array([[*first, 0.0], [*second[:2], 0.0, 0.0]])

    def _run(self) -> None:
        while not self.ending.is_set():
            try:
                self.arm.perform(self.plan, anyway=True)
            except ArmError:
                time.sleep(0.02)

    def close(self) -> None:
        """End it."""
        self.ending.set()
        with suppress(ArmError):
            self.arm.hold()
        self.thread.join()
        self.arm.disconnect()


def in_motion(door: BackDoor, patience: float = 30.0) -> None:
    """Wait until commands ask for a motion."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if sum(far > 3 * MOVING for _, far in door.ask("goals", start=time.monotonic() - 0.15)) >= 3:
            return
        time.sleep(0.01)
    raise ArmError(f"expected the arm to move within {patience:g} s")


def stops(page: Page, door: BackDoor, count: int, rng: np.random.Generator) -> tuple[list[float], ...]:
    """Milliseconds from STOP to the last motion command on the wire, to the acknowledgement, and between commands."""
    wire, acknowledged, periods = [], [], []
    for number in range(count):
        in_motion(door)
        moving = time.monotonic()
        time.sleep(float(rng.uniform(0.3, 0.6)))
        times = np.array([when for when, _ in door.ask("goals", start=moving)])
        periods += (1000 * np.diff(times)).tolist()
        start = time.monotonic()
        page.tell(type="stop", id=number, t=time.time())
        page.hear("stopped", id=number)
        acknowledged.append(1000 * (time.monotonic() - start))
        time.sleep(0.3)
        after = [1000 * (when - start) for when, far in door.ask("goals", start=start) if far > MOVING]
        wire.append(max(after, default=0.0))
        page.tell(type="release", id=number)
        page.hear("released", id=number)
        progress("stops", number + 1, count)
    return wire, acknowledged, periods


def until_still(door: BackDoor, patience: float = 5.0) -> float:
    """The time at which every joint stood still."""
    end = time.monotonic() + patience
    before, at = np.array(door.ask("angles")), time.monotonic()
    while at < end:
        time.sleep(WINDOW)
        now, then = np.array(door.ask("angles")), time.monotonic()
        if np.max(np.abs(now - before)) / (then - at) < STILL:
            return at
        before, at = now, then
    raise ArmError(f"expected the arm to stand still within {patience:g} s of its process's end")


def kills(name: str, folder: Path, door: BackDoor, count: int) -> list[float]:
    """Milliseconds from `kill -9` in motion until the arm stands still."""
    times = []
    for number in range(count):
        directory = folder / f"kill-{number}"
        process = launch(name, directory, origins=[ORIGIN], own_session=True)
        with Watch(directory):
            mover = Mover(directory)
            in_motion(door)
            start = time.monotonic()
            process.kill()
            times.append(1000 * (until_still(door) - start))
            process.wait()
            mover.close()
        progress("kills", number + 1, count)
    return times


def line_kills(folder: Path, count: int) -> list[float]:
    """The same for a home-built arm: until its firmware says that it holds."""
    times = []
    with emulator("line") as board:
        name = told(board)
        for number in range(count):
            directory = folder / f"line-{number}"
            process = launch(name, directory, origins=[ORIGIN], own_session=True)
            with Watch(directory):
                times.append(_line_kill(directory, process, board))
    return times


def _line_kill(directory: Path, process: subprocess.Popen[bytes], board: subprocess.Popen[str]) -> float:
    arm = RemoteArm(directory)
    arm.connect()
    start = arm.observe()["joints"]
    for tick in range(20):
        arm.send(Action(start + 0.01 * tick))
    begun = time.monotonic()
    process.kill()
    process.wait()
    arm.disconnect()
    assert board.stdin is not None
    while time.monotonic() - begun < 5.0:
        board.stdin.write("show\n")
        board.stdin.flush()
        if json.loads(told(board))["state"] == "W":
            break
        time.sleep(0.005)
    return 1000 * (time.monotonic() - begun)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    rng = np.random.default_rng(options.seed)
    load_before = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        bench = stack.enter_context(emulator("so101", "--bench", str(folder / "bench")))
        name = f"{options.kind}:{told(bench).partition(':')[2]}"
        door = BackDoor(folder / "bench")
        stack.callback(door.close)
        while not (folder / "bench" / "frame").exists():
            time.sleep(0.1)
        for number in range(options.busy):
            stack.enter_context(child("-c", BUSY, "0" if number else "19"))
        stack.enter_context(training(folder / "lesson"))
        wire, acknowledged, periods = _stopped(name, folder / "stop", door, options.stops, rng)
        killed = kills(name, folder, door, options.kills)
        line = line_kills(folder, options.kills)
    return {
        "kind": options.kind,
        "busy": options.busy,
        "cores": os.cpu_count(),
        "load_before": load_before,
        "stop_to_wire_ms": figures(wire),
        "period_ms": figures(periods),
        "late_ms": figures([abs(period - NOMINAL) for period in periods]),
        "stop_to_ack_ms": figures(acknowledged),
        "killed_to_still_ms": figures(killed),
        "line_killed_to_hold_ms": figures(line),
    }


def _stopped(
    name: str, directory: Path, door: BackDoor, count: int, rng: np.random.Generator
) -> tuple[list[float], ...]:
    process = launch(name, directory, origins=[ORIGIN], own_session=True)
    try:
        with Watch(directory):
            mover = Mover(directory)
            with closing(Page(directory, "anna")) as page:
                found = stops(page, door, count, rng)
            mover.close()
        return found
    finally:
        process.terminate()
        process.wait(60)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=40)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--kind", choices=("feetech", "so101"), default="feetech")
    parser.add_argument("--seed", type=int, default=0)
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
