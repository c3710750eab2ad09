"""A short lesson that uses every verb of the store, and its state as text to compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from teaching.replay import ReplayBuffer
from teaching.replay.disk import Disk
from teaching.replay.nouns import answer_json
from tests.teaching.crash_disk import Medium, Op
from tests.teaching.replay_maker import LESSON, Maker

State = Callable[[ReplayBuffer], str]


def state_of(buffer: ReplayBuffer) -> str:
    """Everything that was acknowledged: answers, amendments, decisions with their pixels, demonstrations in force."""
    seen = {}
    for decision in buffer.decisions():
        arrays = buffer.observation(decision.id).arrays
        seen[decision.id] = hashlib.sha256(b"".join(arrays[n].tobytes() for n in sorted(arrays))).hexdigest()[:12]
    state = {
        "answers": {name: answer_json(a) for name, a in sorted(buffer.answers().items())},
        "deleted": sorted(buffer.deleted()),
        "pins": sorted(buffer.pins()),
        "decisions": dict(sorted(seen.items())),
        "demonstrations": sorted(d.id for d in buffer.demonstrations()),
        "episodes": [e.id for e in buffer.episodes()],
        "lesson": buffer.lesson,
    }
    return json.dumps(state, sort_keys=True)


def play(path: Path, acknowledged: Callable[[str], None], disk: Disk | None = None, episodes: int = 3) -> None:
    """Teach; after every verb, tell the state that it promised to keep."""
    maker = Maker(5, (6, 10))
    buffer = ReplayBuffer.create(path, LESSON, disk=disk, clock=lambda: 1.0)
    acknowledged(state_of(buffer))
    for number in range(episodes):
        pairs = []
        for step, kind in enumerate(("both", "valid")):
            decision, seen = maker.decision(f"e{number}", step), maker.observation()
            buffer.ask(decision, seen, {"seed": number})
            acknowledged(state_of(buffer))
            buffer.say("answer", maker.answer(decision, kind))
            acknowledged(state_of(buffer))
            pairs.append((decision, seen))
        alone = maker.decision(f"e{number}", 2, asked=False), maker.observation()
        buffer.append(maker.episode(f"e{number}", [*pairs, alone]))
        acknowledged(state_of(buffer))
        for say, body in (
            ("verdict", maker.answer(alone[0], "demonstration", late=True)),
            ("delete", {"demonstration": f"e{number}-0-relabelled"}),
            ("pin", {"demonstration": f"e{number}-1-validated"}),
            ("undo", {"event": buffer.last_sequence + 3}),
            ("config", {"round": number}),
        ):
            buffer.say(say, body)
            acknowledged(state_of(buffer))
    buffer.close()


class Unsynced(Disk):
    """For the checks, which need no durability, only speed."""

    def sync(self, descriptor: int) -> None: ...

    def sync_data(self, descriptor: int) -> None: ...

    def sync_directory(self, path: Path) -> None: ...


def check(
    ops: list[Op], states: list[str], where: Path, rng: np.random.Generator | None = None, told: State = state_of
) -> None:
    """The state after these calls is the last acknowledged one, or the one that was under way."""
    done = max((int(op.data) for op in ops if op.kind == "ack"), default=-1)
    Medium([op for op in ops if op.kind != "ack"]).lay(where, rng)
    compare(where, states, done, told)


def compare(where: Path, states: list[str], done: int, told: State = state_of) -> None:
    """Open what a crash left after `states[done]` was acknowledged; AssertionError if it is not as promised."""
    if done < 0 and not (where / "lesson.json").exists():
        return
    with ReplayBuffer(where, disk=Unsynced()) as buffer:
        found = told(buffer)
        assert buffer.verify().whole, buffer.verify().sentences()
    with ReplayBuffer(where, disk=Unsynced()) as again:  # and recovery itself lost nothing
        assert told(again) == found and not [p for p in again.problems if "quarantine" in p]
    allowed = states[max(done, 0) : done + 2]
    assert found in allowed, f"expected one of {[json.loads(s) for s in allowed]}, got {json.loads(found)}"
