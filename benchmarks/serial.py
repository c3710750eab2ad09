"""How quick is a real arm's wire? `python -m benchmarks.serial [--reads 2000] [--seconds 20] [--library]`, prints JSON.

An emulated SO-101 in a process of its own, over a pseudo-terminal; real USB adapters add a latency of their own. As in
the arm process, this one asks the system to go first.

- ratio: a checked sync read of six servos through our bus, beside the vendor's SDK called directly, by turns, medians;
- dead_servo_ms: until a servo that says nothing is an error of one reading (the arm forgives for 250 ms);
- loop_ms: how far ticks of a 30 Hz loop that reads, limits and sends are from 33.3 ms, median and p99;
- stop_ms: what a stop takes while another thread sends as fast as it can; when it returns, the hold is on the wire.

`--library` measures the loop through LeRobot as well, whose import takes a while. Bars: ratio ≤ 1.3; p99 of the loop
within 10 ms.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from robot_io import feetech, so
from robot_io.arm import Action, Stopped, make_arm
from robot_io.errors import NoReply, WireError
from robot_io.feetech_bus import FeetechBus
from robot_io.priority import be_first

RATE = 30.0


class Emulator:
    """`python -m robot_io.emulate so101`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "robot_io.emulate", "so101"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._line().partition(":")[2]

    def say(self, command: str) -> str:
        """Type a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def percentiles(values: list[float]) -> dict[str, float]:
    """Median and p99."""
    return {"median": round(statistics.median(values), 3), "p99": round(float(np.percentile(values, 99)), 3)}


def vendor_read(group: Any) -> float:
    """Milliseconds of one sync read by the vendor's own calls."""
    start = time.perf_counter()
    assert group.txRxPacket() == 0
    _ = [group.getData(number, *feetech.PRESENT) for number in so.NUMBERS.values()]
    return 1e3 * (time.perf_counter() - start)


def our_read(bus: FeetechBus) -> float:
    """Milliseconds of one checked sync read."""
    start = time.perf_counter()
    bus.read_all(so.NUMBERS.values(), feetech.PRESENT)
    return 1e3 * (time.perf_counter() - start)


def reads(port: str, count: int) -> dict[str, Any]:
    """Both by turns, on ports of their own, so that neither runs with the other's settings."""
    import scservo_sdk as sdk

    theirs, ours, failed = [], [], 0
    bus = FeetechBus(port)
    bus.open()
    handler = sdk.PortHandler(port)
    handler.openPort()
    group = sdk.GroupSyncRead(handler, sdk.PacketHandler(0), *feetech.PRESENT)
    for number in so.NUMBERS.values():
        group.addParam(number)
    for _ in range(count):
        try:
            theirs.append(vendor_read(group))
            ours.append(our_read(bus))
        except (AssertionError, WireError):
            failed += 1
    handler.closePort()
    bus.close()
    ratio = statistics.median(ours) / statistics.median(theirs)
    return {"vendor_ms": percentiles(theirs), "ours_ms": percentiles(ours), "ratio": round(ratio, 3), "failed": failed}


def dead_servo(emulator: Emulator, times: int = 20) -> dict[str, Any]:
    """Milliseconds until silence is an error."""
    bus = FeetechBus(emulator.port)
    bus.open()
    emulator.say("dead 3")
    single = []
    for _ in range(times):
        start = time.perf_counter()
        try:
            bus.read_all(so.NUMBERS.values(), feetech.PRESENT)
        except NoReply:
            single.append(1e3 * (time.perf_counter() - start))
    bus.close()
    emulator.say("alive 3")
    return percentiles(single)


def loop(name: str, seconds: float) -> dict[str, Any]:
    """A 30 Hz loop that moves the arm to and fro."""
    arm = make_arm(name)
    arm.connect()
    middle = arm.observe()["joints"]
    ticks, work = [], []
    due = last = time.perf_counter()
    for tick in range(int(seconds * RATE)):
        due += 1 / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        now = time.perf_counter()
        ticks.append(abs(1e3 * (now - last - 1 / RATE)))
        last = now
        arm.send(Action(middle + 0.2 * np.sin(tick / 20) * np.eye(5)[0], 0.5))
        work.append(1e3 * (time.perf_counter() - now))
    arm.disconnect()
    return {"off_ms": percentiles(ticks[1:]), "work_ms": percentiles(work)}


def stops(emulator: Emulator, times: int = 50) -> dict[str, float]:
    """Milliseconds that a stop takes while another thread sends as fast as it can."""
    arm = make_arm(f"feetech:{emulator.port}")
    arm.connect()
    middle, taken = arm.observe()["joints"], []
    for _ in range(times):

        def send() -> None:
            try:
                while True:
                    arm.send(Action(middle))
            except Stopped:
                return

        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(0.05)
        start = time.perf_counter()
        arm.stop()
        taken.append(1e3 * (time.perf_counter() - start))
        thread.join()
        arm.release()
    arm.disconnect()
    return percentiles(taken)


def main() -> None:
    """All figures, one JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serial")
    parser.add_argument("--reads", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--library", action="store_true", help="the loop through LeRobot, too")
    options = parser.parse_args()
    be_first()
    emulator = Emulator()
    try:
        figures = {
            "sync_read": reads(emulator.port, options.reads),
            "dead_servo_ms": dead_servo(emulator),
            "loop": loop(f"feetech:{emulator.port}", options.seconds),
            "stop_ms": stops(emulator),
        }
        if options.library:
            figures["loop_lerobot"] = loop(f"so101:{emulator.port}", options.seconds)
    finally:
        emulator.process.terminate()
        emulator.process.wait()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
