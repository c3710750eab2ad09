"""Does the replay buffer keep what it acknowledged, whatever a crash comes after? `python -m benchmarks.store_crash`.

A lesson of plans and one in motion are taught under strace. Then, of each, (1) its directory is rebuilt after every
write system call, and in the middle of every write, and opened; (2) the same with power losses: what was not yet synced
is kept, dropped, halved or zeroed at random, names too; (3) the same lesson is killed with SIGKILL at random times.
Each time the buffer must open, verify as whole, and hold exactly what was acknowledged last, or what was said just
then. Needs strace; about ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from teaching.types import AskbackError
from tests.teaching import crash_lesson, crash_rollout
from tests.teaching.crash_disk import Op, prefixes
from tests.teaching.crash_lesson import Unsynced, check, compare

LESSONS = {"plans": crash_lesson, "rollouts": crash_rollout}
_CALLS = "openat,write,pwrite64,ftruncate,rename,renameat,renameat2,unlink,unlinkat,fsync,fdatasync"
_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
_HEX = re.compile(r"\\x([0-9a-f]{2})")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"\d+<((?:\\x[0-9a-f]{2})*)>")


def _bytes(text: str) -> bytes:
    return bytes(int(pair, 16) for pair in _HEX.findall(text))


def _teach(kind: str, directory: Path, acks: Path, episodes: int) -> None:
    """The child: teach, and write each acknowledged state as a line."""
    descriptor = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def acknowledged(state: str) -> None:
        os.write(descriptor, state.encode() + b"\n")

    LESSONS[kind].play(directory, acknowledged, episodes=episodes)


def _command(kind: str, directory: Path, acks: Path, episodes: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.store_crash", "--teach", kind, str(directory), str(acks), str(episodes)]


def traced(folder: Path, kind: str, episodes: int) -> tuple[list[Op], list[str]]:
    """Teach under strace; the calls on the directory in order, with acks between, and the acknowledged states."""
    directory, acks, trace = folder / "lesson", folder / "acks", folder / "trace"
    how = ["strace", "-f", "-y", "-xx", "-s", "100000000", "-e", f"trace={_CALLS}", "-o", str(trace)]
    subprocess.run([*how, *_command(kind, directory, acks, episodes)], check=True)
    states: list[str] = []
    ops = list(_parse(trace, directory, acks, states))
    return ops, states


def _parse(trace: Path, directory: Path, acks: Path, states: list[str]) -> Iterator[Op]:
    sizes: dict[str, int] = {}
    for line in trace.read_text().splitlines():
        found = _LINE.match(line)
        if found is None or int(found[3]) < 0:
            continue
        call, rest, result = found[1], found[2], int(found[3])
        texts = [_bytes(t) for t in _TEXT.findall(rest)]
        descriptor = _DESCRIPTOR.match(rest)
        path = Path((_bytes(descriptor[1]) if descriptor and call != "openat" else texts[0] if texts else b"").decode())
        if call == "write" and path == acks:
            yield Op("ack", data=str(len(states)).encode())
            states.append(texts[0].decode().strip())
        elif path.is_relative_to(directory):
            yield from _op(call, rest, result, str(path.relative_to(directory)), texts, directory, sizes)


def _op(
    call: str, rest: str, result: int, path: str, texts: list[bytes], directory: Path, sizes: dict[str, int]
) -> Iterator[Op]:
    """One call as the model of the disk knows it. Files here are written from their start on, or at an offset."""
    if call == "openat" and "O_CREAT" in rest:
        if path not in sizes:
            sizes[path] = 0
            yield Op("create", path)
        elif "O_TRUNC" in rest:
            sizes[path] = 0
            yield Op("truncate", path)
    elif call in ("write", "pwrite64"):
        offset = int(rest.rsplit(", ", 1)[1]) if call == "pwrite64" else sizes[path]
        sizes[path] = max(sizes[path], offset + result)
        yield Op("write", path, offset=offset, data=texts[-1][:result])
    elif call == "ftruncate":
        sizes[path] = int(rest.rsplit(", ", 1)[1])
        yield Op("truncate", path, offset=sizes[path])
    elif call.startswith("rename"):
        other = str(Path(texts[1].decode()).relative_to(directory))
        sizes[other] = sizes.pop(path)
        yield Op("rename", path, other=other)
    elif call.startswith("unlink"):
        sizes.pop(path, None)
        yield Op("remove", path)
    elif call in ("fsync", "fdatasync"):
        yield Op("sync_directory" if (directory / path).is_dir() else "sync", path)


def tried(ops: list[Op], states: list[str], where: Path, kind: str, rng: np.random.Generator | None = None) -> bool:
    """Whether a state is as promised; one that is not is told."""
    try:
        check(ops, states, where, rng, LESSONS[kind].state_of)
    except (AssertionError, AskbackError, OSError, KeyError, ValueError) as error:
        print(f"after {len(ops)} calls, {ops[-1].kind} {ops[-1].path}: {str(error)[:500]}", flush=True)
        return False
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return True


def every_call(folder: Path, kind: str, ops: list[Op], states: list[str]) -> dict[str, int]:
    """All prefixes."""
    right = [tried(prefix, states, folder / "state", kind) for prefix in prefixes(ops)]
    return {"tried": len(right), "right": sum(right)}


def power_losses(folder: Path, kind: str, ops: list[Op], states: list[str], samples: int, seed: int) -> dict[str, int]:
    """Seeded samples over all prefixes."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(1, len(ops) + 1, samples)
    right = [tried(ops[:end], states, folder / "state", kind, rng) for end in ends]
    return {"tried": len(right), "right": sum(right)}


def kills(folder: Path, kind: str, times: int, seed: int) -> dict[str, int]:
    """SIGKILL between 0 and 0.6 s after the first acknowledgement."""
    episodes = 12
    states: list[str] = []
    LESSONS[kind].play(folder / "reference", states.append, Unsynced(), episodes)
    rng = np.random.default_rng(seed)
    right = 0
    for number in range(times):
        directory, acks = folder / f"kill{number}", folder / f"acks{number}"
        child = subprocess.Popen(_command(kind, directory, acks, episodes))
        while not acks.exists() or not acks.stat().st_size:
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0.0, 0.6)))
        child.kill()
        child.wait()
        told = acks.read_bytes().count(b"\n")
        try:
            compare(directory, states, told - 1, LESSONS[kind].state_of)
            right += 1
        except (AssertionError, AskbackError, OSError, KeyError, ValueError) as error:
            print(f"kill {number} after {told} acknowledgements: {str(error)[:500]}", flush=True)
        shutil.rmtree(directory, ignore_errors=True)
    return {"tried": times, "right": right}


def measured(folder: Path, kind: str, given: argparse.Namespace) -> dict[str, dict[str, int]]:
    """All that is tried of one kind of lesson."""
    folder.mkdir()
    ops, states = traced(folder, kind, given.episodes)
    print(f"{kind}: {len(ops) - len(states)} system calls, {len(states)} acknowledgements", flush=True)
    found = {"every write call and half of one": every_call(folder, kind, ops, states)}
    print(f"states after a kill: {found}", flush=True)
    found["power loss"] = power_losses(folder, kind, ops, states, given.losses, given.seed)
    found["SIGKILL"] = kills(folder, kind, given.kills, given.seed)
    return {f"{kind}, {what}": count for what, count in found.items()}


def main() -> None:
    """Print each count and, as a last line, all as JSON; exit status 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store_crash", description=__doc__.splitlines()[0])
    parser.add_argument("--teach", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--lessons", nargs="+", choices=tuple(LESSONS), default=list(LESSONS), help="kinds of them")
    parser.add_argument("--episodes", type=int, default=4, help="of the lesson that is traced")
    parser.add_argument("--losses", type=int, default=500, help="power losses")
    parser.add_argument("--kills", type=int, default=50, help="SIGKILLs")
    parser.add_argument("--seed", type=int, default=0, help="of the losses and kills")
    given = parser.parse_args()
    if given.teach:
        _teach(given.teach[0], Path(given.teach[1]), Path(given.teach[2]), int(given.teach[3]))
        return
    if shutil.which("strace") is None:
        sys.exit("expected strace, found none; install it: apt-get install strace")
    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        for kind in given.lessons:
            found |= measured(Path(name) / kind, kind, given)
    for what, count in found.items():
        print(f"{what}: {count['right']} of {count['tried']} right (bar: all)")
    print(json.dumps(found))
    sys.exit(any(c["right"] < c["tried"] for c in found.values()))


if __name__ == "__main__":
    main()
