"""How even the control loop is while a policy streams, how soon a person drives, how soon the past is back.

    python -m benchmarks.stream [--seconds 20] [--takeovers 20] [--rewinds 40] [--pages 1] [--busy 1] [--seed 0]

The arm runs `peg-and-button` in a session of its own and records; chunks of a second come at 30 rows a second, each
when half of the one before is done; `--pages` processes read its live pictures; `--busy` processes multiply matrices
at nice 19 like a training.
Prints one line of JSON:

- period_ms: from tick to tick of the stream; bar: p99 within 10 ms of 1/60 s;
- period_filmed_ms: the same while two cameras are kept five times a second; the same bar;
- film: pictures of each camera a second, those that came too late, and megabytes per hour;
- takeover_ms: from the key to the first tick under the person's hand; bar: p95 ≤ 150 ms;
- jump: the largest joint step over the arm's limit per tick, across all hand-overs; bar: ≤ 1;
- stored_ms, any_ms: from asking over the link to being told that the past is back; stored_arm_ms, any_arm_ms: how long
  of that the arm itself took, by the clock; bars: ≤ 5 ms and ≤ 50 ms, physics alone, which `stored_cpu_ms` and
  `any_cpu_ms` measure in this process as time of the processor;
- tick_cpu_ms: a tick with inverse kinematics, physics, rules and recording, as time of the processor;
- megabytes_per_hour: states and columns, from what was kept.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stop import BUSY, ORIGIN, Page, child
from robot_io.flow import Flow
from robot_io.launch import launch
from robot_io.memory import Memory
from robot_io.remote_stream import StreamArm
from robot_io.safety import SafeArm
from robot_io.sim.table import SimTable
from teaching.rollout_film import RolloutFilm

TASK = "peg-and-button"
WATCH = "import sys, pathlib, benchmarks.stop as stop\nstop.watch(pathlib.Path(sys.argv[1]), sys.argv[2])"


def sway(tick: int, rows: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows (T, 5) of a tip that goes round and round."""
    at = tick / 2 + np.arange(rows)
    return np.column_stack([0.004 * np.cos(at / 15), 0.006 * np.sin(at / 15), *np.zeros((3, rows))])


def shares(values: list[float]) -> dict[str, float]:
    """Median and tails."""
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "p99": round(float(p99), 2)}


def stream(arm: StreamArm, seconds: float) -> list[float]:
    """Milliseconds from tick to tick."""
    begun = arm.now()["tick"]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        arm.stream(sway(arm.now()["tick"], 15), every=2, kind="tip", wait=30)
    times = arm.frames(begun + 30, 20_000)["time"]
    return list(1000 * np.diff(times))


def filmed(arm: StreamArm, seconds: float) -> dict[str, Any]:
    """As `stream`, with a lesson's film of it; what that kept."""
    beats = itertools.count()
    film = RolloutFilm(arm, arm.features.cameras, lambda: next(beats))
    film.begin()
    first = int(arm.now()["tick"])
    try:
        periods = stream(arm, seconds)
    finally:
        film.close()
    pictures, facts = film.take(range(first, int(arm.now()["tick"]) + 1))
    kept = () if pictures is None else pictures.jpegs
    told = {
        "pictures_per_second": round(len(kept) / len(film.cameras) / seconds, 2),
        "dropped": facts.get("film", {}).get("dropped", 0),
        "megabytes_per_hour": round(sum(map(len, kept)) / seconds * 3600 / 1e6, 1),
    }
    return {"period_filmed_ms": shares(periods), "film": told}


def take_overs(arm: StreamArm, page: Page, count: int) -> tuple[list[float], float]:
    """Milliseconds from the key to the first tick under a person's hand; the largest step over the limit."""
    waits, limit = [], arm.features.limits.speed / arm.features.rate
    page.tell(type="lease", do="take")
    page.hear("state", you="drive")
    first = arm.now()["tick"]
    for count_up in range(count):
        there = 1 - 2 * (count_up % 2)
        arm.stream(sway(0, 90) * there, every=2, kind="tip")
        time.sleep(0.3)
        before, pressed, beating = arm.now()["tick"], time.monotonic(), threading.Event()
        page.tell(type="drive", on=True)
        for beat in range(8):
            page.tell(type="beat", n=1000 * count_up + beat)
            page.tell(type="drive", delta=[0.0, 0.0, 0.002 * there, 0.0], t=time.time())
            beating.wait(0.04)
        frames = arm.frames(before)
        human = frames["time"][frames["controller"] == frames["controllers"].index("human")]
        waits.append(1000 * (float(human[0]) - pressed))
        page.tell(type="drive", on=False)
        page.hear("state", controller="nobody")
    executed = arm.frames(first, 20_000)["executed"][:, :-1]
    return waits, float(np.max(np.abs(np.diff(executed, axis=0)) / limit))


def rewinds(arm: StreamArm, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Milliseconds of rewinds to stored ticks, and to any: as the asker sees them, and as the arm itself took."""
    moments = arm.moments()
    kinds = {"stored": moments["stored"], "any": range(moments["first"], moments["last"])}
    seen: dict[str, list[float]] = {kind: [] for kind in kinds}
    own: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(count):
        for kind, ticks in kinds.items():
            tick = int(rng.choice(ticks))
            begun = time.perf_counter()
            told = arm.rewind(tick)
            seen[kind].append(1000 * (time.perf_counter() - begun))
            own[kind].append(float(told["ms"]))
    return {f"{kind}_ms": shares(seen[kind]) for kind in kinds} | {
        f"{kind}_arm_ms": shares(own[kind]) for kind in kinds
    }


def alone(rng: np.random.Generator) -> dict[str, Any]:
    """The same without a link, in time of the processor, with states as sparse as old ones; and bytes an hour."""
    from robot_io import time_machine

    table = SimTable()
    arm = SafeArm(table)
    arm.connect()
    try:
        table.reset(0, TASK, "seen")
        arm.moved()
        flow, memory = Flow(arm, time.monotonic), Memory(arm, time.monotonic)
        machine = memory._machine = time_machine.TimeMachine(arm, memory.recording, every=time_machine.SPARSE)
        memory.record(True, 0)
        flow.stream(sway(0, 300), 0, start=None, every=2, kind="tip")
        begun = time.thread_time()
        for tick in range(600):
            action, before = flow.next(), memory.before(tick)
            assert action is not None
            memory.after(before, tick + 1, "policy", action, arm.send(action))
        each = 1000 * (time.thread_time() - begun) / 600
        found: dict[str, list[float]] = {"stored": [], "any": []}
        for _ in range(30):
            for kind, ticks in (("stored", machine.moments()["stored"]), ("any", range(1, 601))):
                tick = int(rng.choice(ticks))
                begun = time.thread_time()
                memory.rewind(tick)
                found[kind].append(1000 * (time.thread_time() - begun))
        moments = machine.moments()
        block = memory.recording.since(-1, 600)
        row = sum(
            c.nbytes for c in [*block["observation"].values(), *(v for v in block.values() if hasattr(v, "nbytes"))]
        )
        states = moments["bytes"] / len(moments["stored"]) * (time_machine.YOUNG / 8 + 216_000 / time_machine.SPARSE)
        hour = (states + row / 600 * 216_000) / 1e6
        return {
            "stored_cpu_ms": shares(found["stored"]), "any_cpu_ms": shares(found["any"]),
            "megabytes_per_hour": round(hour), "tick_cpu_ms": round(each, 2),
        }  # fmt: skip
    finally:
        table.disconnect()


def main(arguments: list[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stream", description=str(__doc__).splitlines()[0])
    for name, default in (("takeovers", 20), ("rewinds", 40), ("pages", 1), ("busy", 1), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args(arguments)
    rng = np.random.default_rng(given.seed)
    figures: dict[str, Any] = alone(rng)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        directory = Path(folder)
        process = launch("sim:panda", directory, origins=[ORIGIN], own_session=True)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        arm = StreamArm(directory)
        arm.connect()
        stack.callback(arm.disconnect)
        arm.reset(given.seed, TASK, "seen")
        arm.record()
        for _ in range(given.busy):
            stack.enter_context(child("-c", BUSY, "19"))
        for number in range(given.pages):
            stack.enter_context(child("-c", WATCH, folder, f"watcher {number}"))
        page = stack.enter_context(closing(Page(directory, "driver")))
        figures["period_ms"] = shares(stream(arm, given.seconds))
        figures |= filmed(arm, given.seconds)
        waits, jump = take_overs(arm, page, given.takeovers)
        figures |= {"takeover_ms": shares(waits), "jump": round(jump, 3)}
        figures |= rewinds(arm, given.rewinds, rng)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
