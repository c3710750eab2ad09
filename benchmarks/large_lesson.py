"""A lesson of very many demonstrations, for the pages. Its columns are written, its log is not.

Decisions, answers and what follows from them are made by the project's own rules and written by its own bookkeeper;
left out is the event log, whose hundred thousand syncs would take an hour. A few real episode files stand behind all of
them: copied with another number in place of their own and their checksum made anew, so that a card opens a whole file
of its own. Never use such a lesson for anything else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from robot_io.arm import Observation
from teaching.lesson import LessonConfig
from teaching.replay import Episode, ReplayBuffer, Step
from teaching.replay.bookkeeper import Bookkeeper
from teaching.replay.changes import Change, Line
from teaching.replay.events import Said
from teaching.replay.file import BLOCK
from teaching.replay.fold import Folder
from teaching.replay.index import Index
from teaching.types import Answer, Decision, Feedback, Outcome, Plan

FILES = 16
EPOCH = 1_750_000_000.0
GOALS = tuple(f"put the {one} blocks in a {other} bowl" for one in ("red", "green", "blue", "yellow", "cyan")
              for other in ("gray", "brown", "purple", "white"))  # fmt: skip


def plan(rng: np.random.Generator, goal: str, uncertainty: float = 0.0, update: int = 0) -> Plan:
    """A pick and a place somewhere on the table."""
    points = np.column_stack([rng.uniform(0.3, 0.7, 2), rng.uniform(-0.4, 0.4, 2), np.zeros(2), np.zeros(2)])
    return Plan(points, goal, uncertainty=uncertainty, policy_version=update)


def observation(rng: np.random.Generator) -> Observation:
    """A table with some blocks, as the simulated cameras give it."""
    colour = np.full((80, 160, 3), (60, 63, 70), np.uint8)
    for _ in range(9):
        row, column = rng.integers(5, 70), rng.integers(5, 150)
        colour[row : row + 6, column : column + 6] = rng.integers(60, 255, 3)
    return Observation(0.0, {"joints": np.zeros(7), "colour": colour, "height": np.zeros((80, 160), np.float32)})


def answered(rng: np.random.Generator, n: int, i: int) -> tuple[Decision, Answer]:
    """Decision i of n: a novice that grows surer and better, asked about and judged."""
    skill = 1 - np.exp(-3 * i / n)
    u = float(np.clip(rng.beta(2, 2 + 4 * skill), 0, 1))
    wrong, update, time = rng.random() < u * (1.4 - skill), i // 8, EPOCH + 9.0 * i
    intended = plan(rng, GOALS[rng.integers(len(GOALS))], u, update)
    random, gated = bool(rng.random() < 0.2), u > 0.3
    decision = Decision(f"{i:06d}-0", f"{i:06d}", 0, intended, 0.3, gated, random or not gated, update, "", time)
    shown = plan(rng, intended.goal) if wrong else None
    feedback = Feedback(Outcome.FAILURE if wrong else Outcome.SUCCESS, demonstration=shown)
    seconds = float(rng.gamma(4, 1.0 if not wrong else 2.5))
    return decision, Answer(decision.id, feedback, ("Ada", "Grace")[i % 2], seconds, time=time + seconds)


def _real_files(path: Path, buffer: ReplayBuffer, rng: np.random.Generator) -> list[Path]:
    files = []
    for i in range(FILES):
        decision, answer = answered(rng, FILES, i)
        seen = observation(rng)
        buffer.note(decision, seen)
        buffer.say("answer", answer)
        buffer.append(
            Episode(decision.episode, "put-block-in-bowl", decision.plan.goal, 0, "seen", (Step(seen, decision),))
        )
        files.append(path / "episodes" / f"{decision.episode}.h5")
    return files


def copied(data: bytes, was: str, now: str) -> bytes:
    """An episode file with another decision's id in place of its own, whole by its own checksum."""
    image = data[BLOCK:].replace(was.encode(), now.encode())
    line = data[:BLOCK].split(b" sha256=")[0] + f" sha256={hashlib.sha256(image).hexdigest()}\n".encode()
    return line.ljust(BLOCK, b"\0") + image


def make(path: Path, n: int, seed: int = 0) -> Path:
    """A lesson directory with n decisions, most of which stored a demonstration."""
    rng = np.random.default_rng(seed)
    config = LessonConfig(name=path.name, start="nothing").to_json()
    with ReplayBuffer.create(path, config) as buffer:
        files = _real_files(path, buffer, rng)
        sequence = buffer.last_sequence
    folder, said, lines = Folder(config), Said(), []
    for i in range(n):
        decision, answer = answered(rng, n, i)
        said.answers[decision.id] = answer
        lines.append(Line(decision.id, decision.episode, 0, decision, answer, folder.consequence(decision, said)))
        if i >= FILES:
            data = copied(files[i % FILES].read_bytes(), f"{i % FILES:06d}-0", decision.id)
            (path / "episodes" / f"{decision.episode}.h5").write_bytes(data)
    index = Index(path / "index.sqlite")
    if not Bookkeeper(index).write(Change(sequence, tuple(lines), said, config), anew=True):
        raise OSError(f"the index of {path} could not be written; is the disk full?")
    index.close()
    return path


def main() -> None:
    """Make one to look at."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("directory", type=Path, metavar="DIR", help="made; its name is the lesson's")
    parser.add_argument("--demonstrations", type=int, default=100_000)
    given = parser.parse_args()
    print(json.dumps({"lesson": str(make(given.directory, given.demonstrations))}))


if __name__ == "__main__":
    main()
