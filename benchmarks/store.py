"""What the replay buffer costs beside the least that the same promise could cost: `python -m benchmarks.store`.

Ours and the other are measured in turn within one run, so that the machine's load meets both; ratios are of medians.
Pictures are 80 × 160 as the table's, synthetic but smooth. About a minute and a half, and 200 MB in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from robot_io.arm import Observation
from teaching.replay import Episode, ReplayBuffer
from teaching.replay.disk import Disk
from teaching.replay.file import record_of
from teaching.replay.log import encode
from teaching.replay.nouns import to_bytes
from teaching.types import Answer, Decision, Plan
from tests.teaching.replay_maker import LESSON, Maker

SHAPE = (80, 160)
Figures = dict[str, float]


class Unsynced(Disk):
    """To fill a buffer quickly; never what is measured."""

    def sync(self, descriptor: int) -> None:
        """Nothing."""

    def sync_data(self, descriptor: int) -> None:
        """Nothing."""

    def sync_directory(self, path: Path) -> None:
        """Nothing."""


def timed(call: Callable[[], Any]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def in_turn(n: int, ours: Callable[[int], Any], other: Callable[[int], Any]) -> tuple[list[float], list[float]]:
    """Both, `n` times, one after the other; which goes first alternates."""
    times: tuple[list[float], list[float]] = ([], [])
    for i in range(n):
        for which in (0, 1) if i % 2 else (1, 0):
            times[which].append(timed(lambda: (ours, other)[which](i)))  # noqa: B023 - called at once
    return times


def ratio(name: str, ours: list[float], other: list[float], bar: float) -> Figures:
    """Print one line and return its figures."""
    a, b = statistics.median(ours), statistics.median(other)
    print(f"{name}: {a:.2f} ms, the other {b:.2f} ms, ratio {a / b:.2f} (bar {bar}), n = {len(ours)}", flush=True)
    return {"ms": round(a, 3), "other_ms": round(b, 3), "ratio": round(a / b, 3), "bar": bar}


def answered(maker: Maker, decision: Decision, kind: str) -> Answer:
    """An answer as a page makes it: what a person demonstrates is actions and a goal, without a novice's doubts."""
    answer = maker.answer(decision, kind)
    shown = answer.feedback.demonstration
    if shown is None:
        return answer
    return replace(answer, feedback=replace(answer.feedback, demonstration=Plan(shown.actions, shown.goal)))


def answers(folder: Path, n: int, kind: str) -> Figures:
    """`say` of an answer, beside one write and one fdatasync of the same bytes."""
    maker = Maker(0, SHAPE)
    with ReplayBuffer.create(folder / f"answers-{kind}", LESSON) as buffer:
        decision = maker.decision("e0", 0)
        buffer.ask(decision, maker.observation())
        answer = answered(maker, decision, kind)
        buffer.say("answer", answer)
        record = encode(1, to_bytes({"kind": "answer", "time": time.time(), "body": buffer.history()[0].body}))
        raw = os.open(folder / f"raw-{kind}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def plain(_: int) -> None:
            os.write(raw, record)
            os.fdatasync(raw)

        times = in_turn(n, lambda _: buffer.say("answer", answer), plain)
        os.close(raw)
        begun = time.thread_time()
        for _ in range(n):
            buffer.say("answer", answer)
        own = 1000 * (time.thread_time() - begun) / n
    figures = ratio(f"answer ({kind}, {len(record)} bytes) made durable beside raw write + fdatasync", *times, bar=1.5)
    print(f"  of that time of the processor, system calls included: {own:.3f} ms", flush=True)
    return figures | {"cpu_ms": round(own, 4)}


def raw_commit(folder: Path, episode: Episode, log: int) -> None:
    """What one would write by hand: the same arrays, codec, chunks, text and number of syncs."""
    path = folder / f"{episode.id}.h5"
    with h5py.File(f"{path}.tmp", "w") as file:
        file.attrs["schema"] = 1
        file["record"] = np.frombuffer(to_bytes(record_of(episode)), np.uint8)
        file["reward"] = np.array([s.reward for s in episode.steps])
        for name in episode.steps[0].observation.arrays:
            column = np.stack([s.observation[name] for s in episode.steps])
            gzip = {"chunks": (1, *column.shape[1:]), "compression": "gzip", "compression_opts": 1, "shuffle": True}
            file.create_dataset(f"observations/{name}", data=column, **(gzip if column[0].nbytes >= 4096 else {}))
        executed = [s.executed for s in episode.steps if s.executed is not None]  # all of them were carried out
        file["actions/executed"] = np.stack(executed)
    descriptor = os.open(f"{path}.tmp", os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    Path(f"{path}.tmp").rename(path)
    directory = os.open(folder, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
    os.write(log, b"x" * 200)
    os.fdatasync(log)


def episode_of(maker: Maker, name: str, steps: int = 3) -> Episode:
    """An episode whose questions were not asked one by one."""
    pairs: list[tuple[Decision, Observation]] = [
        (maker.decision(name, s, asked=False), maker.observation()) for s in range(steps)
    ]
    return maker.episode(name, pairs)


def commits(folder: Path, n: int) -> Figures:
    """`append` beside hand-written h5py with the same bytes and syncs."""
    maker = Maker(1, SHAPE)
    (folder / "raw").mkdir()
    log = os.open(folder / "raw" / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    episodes = [episode_of(maker, f"c{i}") for i in range(n)]
    with ReplayBuffer.create(folder / "commits", LESSON) as buffer:
        times = in_turn(n, lambda i: buffer.append(episodes[i]), lambda i: raw_commit(folder / "raw", episodes[i], log))
        size = (folder / "commits" / "episodes" / "c0.h5").stat().st_size
    os.close(log)
    return ratio(f"episode of 3 plans ({size / 1000:.0f} kB) committed beside raw h5py", *times, bar=1.3)


def enqueues(folder: Path, n: int) -> Figures:
    """`append_soon` while earlier ones are being committed: the lesson's own share."""
    maker = Maker(2, SHAPE)
    episodes = [episode_of(maker, f"q{i}") for i in range(n)]
    times = []
    with ReplayBuffer.create(folder / "enqueues", LESSON) as buffer:
        for episode in episodes:
            times.append(timed(lambda: buffer.append_soon(episode)))  # noqa: B023 - called at once
            time.sleep(0.02)
    p50, p99 = np.quantile(times, [0.5, 0.99])
    print(f"enqueue beside a commit under way: p50 {p50:.3f} ms, p99 {p99:.3f} ms (bar 1), n = {n}", flush=True)
    return {"p50_ms": round(float(p50), 4), "p99_ms": round(float(p99), 4), "bar_ms": 1.0}


def fill(path: Path, episodes: int) -> None:
    """A buffer of episodes with three answered questions each, without syncs."""
    maker = Maker(3, SHAPE)
    with ReplayBuffer.create(path, LESSON, disk=Unsynced()) as buffer:
        for i in range(episodes):
            maker.taught(buffer, f"{i:06d}", ("valid", "demonstration", "valid"))


def resident() -> float:
    """Peak memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def batches(folder: Path, path: Path, n: int) -> Iterator[tuple[str, Figures]]:
    """The mirror: how long it takes to build, how much it holds, and a batch of 64 beside a memory map."""
    with ReplayBuffer(path) as buffer:
        before = resident()
        built = timed(buffer.mirror)
        mirror = buffer.mirror()
        again = timed(buffer.mirror)
        names = [d.id for d in mirror.demonstrations]
        print(
            f"mirror of {len(mirror)} demonstrations: built in {built / 1000:.2f} s, refreshed in {again:.1f} ms, "
            f"{mirror.bytes / 2**20:.0f} MB of pictures, peak memory +{resident() - before:.0f} MB",
            flush=True,
        )
        yield (
            "mirror",
            {"seconds": round(built / 1000, 3), "refresh_ms": round(again, 2), "megabytes": mirror.bytes / 2**20},
        )
        colour = np.memmap(folder / "colour", np.uint8, "w+", shape=(len(names), *SHAPE, 3))
        height = np.memmap(folder / "height", np.float32, "w+", shape=(len(names), *SHAPE))
        for i in range(0, len(names), 64):
            colour[i : i + 64], height[i : i + 64], _, _ = mirror.batch(names[i : i + 64])
        rng = np.random.default_rng(0)
        rows = [rng.integers(0, len(names), 64) for _ in range(n)]
        times = in_turn(
            n, lambda i: mirror.batch([names[r] for r in rows[i]]), lambda i: (colour[rows[i]], height[rows[i]])
        )
        yield "batch", ratio("batch of 64 beside a memory map", *times, bar=1.5)
        draws = [timed(lambda: mirror.sample(64, rng)) for _ in range(n)]
        print(f"64 drawn by priority, with priorities made anew: {statistics.median(draws):.2f} ms", flush=True)
        yield "sample", {"ms": round(statistics.median(draws), 3)}


def openings(path: Path, episodes: int) -> Figures:
    """Recovery: with its index, without it, and with every byte compared."""

    def opened() -> float:
        return timed(lambda: ReplayBuffer(path).close()) / 1000

    processor = time.process_time()
    with_index = opened()
    indexed = time.process_time()
    (path / "index.sqlite").unlink()
    without = opened()
    rebuilt = time.process_time()
    with ReplayBuffer(path) as buffer:
        started = time.perf_counter()
        report = buffer.verify()
        checked = time.perf_counter() - started
    cpu = (indexed - processor, rebuilt - indexed)
    megabytes = sum(f.stat().st_size for f in (path / "episodes").iterdir()) / 2**20
    print(
        f"{episodes} episodes ({megabytes:.0f} MB): opened in {with_index:.2f} s ({cpu[0]:.2f} s of processor), "
        f"without index in {without:.2f} s ({cpu[1]:.2f} s), verified in {checked:.2f} s "
        f"(bar 2 each), whole: {report.whole}",
        flush=True,
    )
    seconds = {"open_s": with_index, "rebuild_s": without, "verify_s": checked, "bar_s": 2.0}
    return seconds | {"open_cpu_s": cpu[0], "rebuild_cpu_s": cpu[1], "megabytes": megabytes}


def main() -> None:
    """Print each figure and, as a last line, all of them as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1000, help="in the buffer that is opened and mirrored")
    parser.add_argument("--repeats", type=int, default=200, help="of every timing")
    parser.add_argument("--dir", type=Path, default=None, help="where to measure; a temporary folder by default")
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(dir=given.dir) as name:
        folder = Path(name)
        figures = {f"answer_{kind}": answers(folder, given.repeats, kind) for kind in ("valid", "both")}
        figures["commit"] = commits(folder, max(given.repeats // 4, 10))
        figures["enqueue"] = enqueues(folder, given.repeats)
        fill(folder / "filled", given.episodes)
        figures |= dict(batches(folder, folder / "filled", given.repeats))
        figures["open"] = openings(folder / "filled", given.episodes)
    print(json.dumps({k: {n: round(v, 4) for n, v in f.items()} for k, f in figures.items()}))


if __name__ == "__main__":
    main()
