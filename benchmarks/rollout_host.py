"""A rollout lesson as processes: how even the arm's ticks are while its host streams and trains, how soon it notices.

    python -m benchmarks.rollout_host [--seconds 15] [--takeovers 20] [--seed 0]

The simulated arm does `peg-and-button`, the host streams an untaught policy (as large as a taught one), the trainer is
the real one, at nice 19. Prints one line of JSON:

- period_ms: from tick to tick while the host streams; bar: p99 within 10 ms of 1/60 s;
- period_training_ms: the same while a training runs; the same bar;
- takeover_ms: from a page's key to the first tick under its hand; bar: p95 ≤ 150 ms;
- noticed_ms: from the key to the host's view that says recovery;
- refused_ms: an intent that means nothing now, until it is refused;
- load: what else the machine did (runnable processes, a minute's mean).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stop import ORIGIN, Page
from benchmarks.stream import shares
from robot_io.remote_stream import StreamArm
from teaching.channel import Channel
from teaching.supervisor import Supervisor, _found, create_lesson
from teaching.types import AskbackError

STEPS = 20_000
"""Of the training: longer than it is measured."""


def periods(arm: StreamArm, seconds: float) -> list[float]:
    """Milliseconds from tick to tick of the policy."""
    begun = int(arm.now()["tick"])
    time.sleep(seconds)
    frames = arm.frames(begun + 10, 20_000)
    return list(1000 * np.diff(frames["time"]))


def drive(page: Page, seconds: float, **delta: float) -> None:
    """A held key."""
    end, beats = time.monotonic() + seconds, 0
    move = [delta.get(axis, 0.0) for axis in ("x", "y", "z", "yaw")]
    while time.monotonic() < end:
        beats += 1
        page.tell(type="beat", n=int(1e6 * time.monotonic()))
        page.tell(type="drive", delta=move, t=time.time())
        threading.Event().wait(0.04)


def help_once(arm: StreamArm, page: Page, channel: Channel) -> tuple[float, float]:
    """One intervention; milliseconds from the key to the first tick by hand, and to the host's word."""
    channel.wait(lambda v: v["phase"] == "ready")
    channel.intend("start")
    channel.wait(lambda v: v["phase"] == "policy" and v["episode"]["tick"] > v["episode"]["first"] + 20)
    before, pressed = int(arm.now()["tick"]), time.monotonic()
    page.tell(type="drive", on=True)
    page.tell(type="beat", n=int(1e6 * pressed))
    page.tell(type="drive", delta=[0.0, 0.0, 0.002, 0.0], t=time.time())
    while channel.view["phase"] == "policy":
        page.tell(type="beat", n=int(1e6 * time.monotonic()))
        channel.hear(0.03)
    noticed = 1000 * (time.monotonic() - pressed)
    drive(page, 0.4, z=0.002)
    frames = arm.frames(before, 5000)
    human = frames["time"][frames["controller"] == frames["controllers"].index("human")]
    channel.intend("recovered")
    drive(page, 0.3, x=0.002)
    page.tell(type="drive", on=False)
    page.hear("state", controller="nobody")
    channel.intend("done")
    return 1000 * (float(human[0]) - pressed), noticed


def refusal(channel: Channel) -> float:
    """Milliseconds until a word that means nothing now is refused."""
    begun = time.monotonic()
    with contextlib.suppress(AskbackError):
        channel.intend("failed_again")
    return 1000 * (time.monotonic() - begun)


def main(arguments: list[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rollout_host", description=str(__doc__).splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--takeovers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        training = {"steps": STEPS}
        path = create_lesson(Path(home), "bench", kind="rollout", wanted=1000, seed=given.seed, training=training)
        supervisor = Supervisor([ORIGIN])
        stack.callback(supervisor.close, path)
        supervisor.open(path)
        while _found(path, "host") is None:
            time.sleep(0.1)
        arm = StreamArm(path)
        arm.connect()
        stack.callback(arm.disconnect)
        channel = stack.enter_context(Channel(path, session="driver"))
        page = stack.enter_context(closing(Page(path, "driver")))
        page.tell(type="lease", do="take")
        page.hear("state", you="drive")
        waits = [help_once(arm, page, channel) for _ in range(given.takeovers)]
        figures["takeover_ms"], figures["noticed_ms"] = (shares([w[i] for w in waits]) for i in (0, 1))
        channel.wait(lambda v: v["phase"] == "ready")
        figures["refused_ms"] = shares([refusal(channel) for _ in range(20)])
        channel.intend("start")
        channel.wait(lambda v: v["phase"] == "policy")
        figures["period_ms"] = shares(periods(arm, given.seconds))
        channel.intend("train")
        channel.wait(lambda v: v["training"]["state"] == "running" and v["training"]["progress"] > 0, timeout=120)
        if channel.view["phase"] != "policy":
            channel.wait(lambda v: v["phase"] == "ready")
            channel.intend("start")
        figures["period_training_ms"] = shares(periods(arm, given.seconds))
        channel.intend("cancel")
    figures["load"] = round(os.getloadavg()[0], 1)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
