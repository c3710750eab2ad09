"""How long from a STOP to the arm's acknowledgement, and from a lost heartbeat to a held arm, on a busy machine.

    python -m benchmarks.stop [--arm sim:panda] [--stops 200] [--losses 20] [--pages 3] [--busy 2] [--seed 0]

The arm runs in a session of its own, as under the app, and performs plans in real time; `--pages` processes read its
live pictures; `--busy` processes multiply matrices, the first at nice 19 like a training, the others at nice 0. Prints
one line of JSON:

- stop_to_latched_ms: from the event's time stamp to the arm process's own time stamp in its acknowledgement;
- stop_to_ack_ms: until the client has read the acknowledgement, its own waiting for a core included;
- lost_to_held_ms, lost_to_latched_ms: from the last beat to the arm process's own time stamp of the phase.

Bars: p99 of the first ≤ 50 ms; held ≤ 150 ms and latched ≤ 500 ms after the last beat.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from websockets import Origin
from websockets.sync.client import ClientConnection, connect

from robot_io.arm import ArmError
from robot_io.launch import launch
from robot_io.remote import RemoteArm, ask_token
from robot_io.run_files import read_run_file

ORIGIN = "http://localhost:8501"
BUSY = "import os, sys, numpy; os.nice(int(sys.argv[1]))\nx = numpy.ones((512, 512), 'float32')\nwhile True: x @ x"
BEAT_SECONDS = 0.05


class Page:
    """A browser tab's socket, and nothing of the browser."""

    def __init__(self, directory: Path, session: str) -> None:
        run = read_run_file(directory, "arm")
        assert run is not None
        token = ask_token(run.port, run.secret, session, "drive")
        url = f"ws://127.0.0.1:{run.port}/live"
        self.socket: ClientConnection = connect(
            url, origin=Origin(ORIGIN), compression=None, proxy=None, close_timeout=0.5
        )
        self.tell(token=token, session=session)
        self.hear("hello")

    def tell(self, **message: Any) -> None:
        """Send."""
        self.socket.send(json.dumps(message))

    def close(self) -> None:
        """Close the tab."""
        self.socket.close()

    def hear(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """The next message of a kind that looks as wanted."""
        while True:
            data = self.socket.recv(timeout=20)
            if isinstance(data, str):
                message: dict[str, Any] = json.loads(data)
                if message["type"] == kind and all(message[k] == v for k, v in wanted.items()):
                    return message


def watch(directory: Path, name: str) -> None:
    """Read pictures for ever, as one browser would; prints a line once the first came."""
    page = Page(directory, name)
    page.tell(type="view", cameras=["side"], fps=15)
    with suppress(TimeoutError):
        while not isinstance(page.socket.recv(timeout=5), bytes):
            pass
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in page.socket:
        pass


@contextmanager
def child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that ends with the block."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Mover:
    """Performs one plan after the other until it is told to end."""

    def __init__(self, arm: RemoteArm) -> None:
        self.arm, self.ending = arm, threading.Event()
        truth = arm.reset(3, "put-block-in-bowl", "seen")
        first, second = truth["objects"][0]["position"], truth["objects"][1]["position"]
        self.plan = np.array([[*first, 0.0], [second[0], second[1], 0.1, 0.0]])
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self.ending.is_set():
            try:
                self.arm.perform(self.plan)
            except ArmError:
                time.sleep(0.005)


def times_of_stops(page: Page, count: int, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Milliseconds from the event until it was latched, and acknowledged, of stops at random moments of a motion."""
    latched, acknowledged = [], []
    for number in range(count):
        page.hear("state", phase="moving")
        time.sleep(float(rng.uniform(0.02, 0.15)))
        start, stamp = time.perf_counter(), time.time()
        page.tell(type="stop", id=number, t=stamp)
        stopped = page.hear("stopped", id=number)
        acknowledged.append(1000 * (time.perf_counter() - start))
        latched.append(1000 * (stopped["time"] - stamp))
        page.tell(type="release", id=number)
        page.hear("released", id=number)
    return latched, acknowledged


def times_of_losses(page: Page, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the last beat until the arm is held, and until it is latched."""
    held, latched = [], []
    page.tell(type="lease", do="take")
    page.hear("state", you="drive")
    for round_ in range(count):
        page.hear("state", phase="moving")
        page.tell(type="drive", on=True)
        for beat in range(10):
            page.tell(type="beat", n=100 * round_ + beat)
            last = time.time()
            time.sleep(BEAT_SECONDS if beat < 9 else 0.0)
        while (since := page.hear("state", phase="held")["since"]) < last:
            pass
        held.append(1000 * (since - last))
        latched.append(1000 * (page.hear("state", phase="stopped")["since"] - last))
        page.tell(type="release", id=round_)
        page.hear("released")
    return held, latched


def figures(times: list[float]) -> dict[str, float]:
    """Median, 99th percentile and largest, milliseconds."""
    return {
        "n": len(times),
        "p50": round(float(np.percentile(times, 50)), 2),
        "p99": round(float(np.percentile(times, 99)), 2),
        "max": round(max(times), 2),
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Load the machine, stop, lose the heartbeat; the figures."""
    rng = np.random.default_rng(options.seed)
    load_before = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        directory = Path(folder)
        process = launch(options.arm, directory, origins=[ORIGIN], own_session=True)
        stack.callback(process.wait, 15)
        stack.callback(process.terminate)
        arm = RemoteArm(directory)
        arm.connect()
        stack.callback(arm.disconnect)
        mover = Mover(arm)
        mover.thread.start()
        stack.callback(mover.thread.join)
        stack.callback(mover.ending.set)
        for number in range(options.pages):
            browser = stack.enter_context(child("-m", "benchmarks.stop", "--watch", folder, f"browser {number}"))
            assert browser.stdout is not None
            browser.stdout.readline()
        for number in range(options.busy):
            stack.enter_context(child("-c", BUSY, "0" if number else "19"))
        time.sleep(1.0)
        with closing(Page(directory, "anna")) as page:
            stopped, acknowledged = times_of_stops(page, options.stops, rng)
        with closing(Page(directory, "bela")) as page:
            held, latched = times_of_losses(page, options.losses)
    load = {name: getattr(options, name) for name in ("arm", "pages", "busy", "seed")}
    return {
        **load,
        "cores": os.cpu_count(),
        "load_before": load_before,
        "stop_to_latched_ms": figures(stopped),
        "stop_to_ack_ms": figures(acknowledged),
        "lost_to_held_ms": figures(held),
        "lost_to_latched_ms": figures(latched),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arm", default="sim:panda")
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--losses", type=int, default=20)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--busy", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--watch", nargs=2, metavar=("DIR", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        watch(Path(options.watch[0]), options.watch[1])
    else:
        print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
