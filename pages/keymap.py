"""The one table of keys, for every page: which key does what, and in which state of the page.

Escape is STOP on every page and cannot be moved. JavaScript gets the table as data (`as_data`); what a person
rebinds is kept in one small JSON file beside the lessons.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from teaching.types import BadInput

STATES = {
    "teach": ("asking", "relabelling", "demonstrating", "idle"),
    "rollout": ("resting", "watching", "recovering", "correcting", "showing", "looking", "waiting"),
}
"""The states of each page that has keys: what is open decides what a key means.

Rollout: resting between episodes; watching the policy; a person is recovering, correcting or showing the whole task;
looking at the past; waiting while something is saved or set up.
"""

STOP = "Escape"
NAMED = (
    *("Enter", "Backspace", "Space", "Tab", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"),
    *("PageUp", "PageDown", "Shift"),
)
_DRAFT = ("relabelling", "demonstrating")
_QUESTION = ("asking", *_DRAFT)
_ALL = STATES["teach"]
_EVER = STATES["rollout"]
_MOTION = ("watching", "recovering", "correcting", "showing")
_DRIVING = ("recovering", "correcting", "showing")


@dataclass(frozen=True)
class Binding:
    """One key of one action."""

    action: str
    key: str
    """One printable character in lower case, or one of NAMED."""
    label: str
    """What the button says."""
    help: str
    states: tuple[str, ...]
    page: str = "teach"
    hold: bool = False
    """Acts while the key is held."""

    def __post_init__(self) -> None:
        single = len(self.key) == 1 and self.key.isprintable() and self.key == self.key.lower() and self.key != " "
        if not single and self.key not in NAMED:
            raise BadInput(f"expected one character in lower case or one of {', '.join(NAMED)}, got {self.key!r}")
        unknown = set(self.states) - set(STATES[self.page])
        if unknown:
            raise BadInput(f"expected states among {STATES[self.page]}, got {sorted(unknown)}")


def _ghosts() -> tuple[Binding, ...]:
    states = ("asking", "demonstrating")
    return tuple(
        Binding(f"ghost-{n}", str(n), f"Choose {n}", "1 is my plan, 2 to 4 what else I thought of", states)
        for n in range(1, 5)
    )


def _relabels() -> tuple[Binding, ...]:
    help_text = "while L is open: choose the goal that this plan does reach"
    return tuple(
        Binding(f"relabel-{n}", key, f"Goal {n + 1}", help_text, ("relabelling",)) for n, key in enumerate("fghjk")
    )


def _cursor() -> tuple[Binding, ...]:
    ways = tuple(
        Binding(f"cursor-{way.lower()}", f"Arrow{way}", way, "hold: move the cross-hair", ("demonstrating",), hold=True)
        for way in ("Up", "Down", "Left", "Right")
    )
    put = Binding("cursor-put", "Space", "Put it here", "pick, then place, at the cross-hair", ("demonstrating",))
    return (*ways, put)


def _of_rollout(
    action: str, key: str, label: str, help_text: str, states: tuple[str, ...], *, hold: bool = False
) -> Binding:
    return Binding(action, key, label, help_text, states, page="rollout", hold=hold)


def _drives() -> tuple[Binding, ...]:
    """Hold to move: the arm stands as soon as nothing is held."""
    keys = (
        ("forward", "ArrowUp", "Away", "hold: move the gripper away from you"),
        ("backward", "ArrowDown", "Nearer", "hold: move it nearer"),
        ("left", "ArrowLeft", "Left", "hold: move it to the left"),
        ("right", "ArrowRight", "Right", "hold: move it to the right"),
        ("up", "PageUp", "Up", "hold: move it up"),
        ("down", "PageDown", "Down", "hold: move it down"),
        ("tip-left", "q", "Turn left", "hold: turn the gripper counter-clockwise, seen from above"),
        ("tip-right", "e", "Turn right", "hold: turn the gripper clockwise, seen from above"),
        ("finer", "Shift", "Finer", "hold: everything at a quarter of the speed"),
    )
    return tuple(_of_rollout(*key, _DRIVING, hold=True) for key in keys)


ROLLOUT: tuple[Binding, ...] = (
    _of_rollout("let-work", "Space", "Let it work", "the arm begins the task on its own", ("resting",)),
    _of_rollout("show-whole", "d", "Show it all", "you do the whole task; it learns from it", ("resting",)),
    _of_rollout("new-scene", "n", "New scene", "set up another scene", ("resting",)),
    _of_rollout("undo-episode", "Backspace", "Undo", "the last episode is not learned from", ("resting",)),
    _of_rollout("take-over", "t", "Take over", "you drive from now on, at once", (*_MOTION, "looking")),
    _of_rollout("recovered", "g", "Recovered", "it is back where it knows its way; now show how", ("recovering",)),
    _of_rollout("recovered-then", "b", "Recovered at ◆", "it was back at the moment marked ◆", ("recovering",)),
    _of_rollout("done", "Enter", "Done", "this part is done", ("correcting", "showing")),
    _of_rollout("failed-again", "x", "Failed again", "this went wrong, too: bring it back once more", ("correcting",)),
    _of_rollout(
        "retrace", "r", "Go back", "hold: back along its own path, slowly", ("watching", "recovering"), hold=True
    ),
    _of_rollout("rewind", "z", "Rewind to ▲", "simulated arms: back to the moment marked ▲", (*_MOTION[:3], "looking")),
    _of_rollout("fumble", "f", "Discard", "fumbled: you made a mess of it, nothing of it is kept", _DRIVING),
    _of_rollout("abort", "Backspace", "Call it off", "nobody's fault: nothing of it is kept", ("watching",)),
    _of_rollout("go-on", "w", "Go on alone", "you were called, but it may go on by itself", ("watching",)),
    _of_rollout("succeeded", "y", "It did it", "the task is done: where nobody but you can tell", _MOTION),
    _of_rollout("not-succeeded", "j", "It failed", "the task failed: where nobody but you can tell", _MOTION),
    _of_rollout("now", "Backspace", "Back to now", "leave the past", ("looking",)),
    _of_rollout("play", "p", "Play", "play the past from here on; 1, 2, 3 choose the speed", ("looking",)),
    _of_rollout("look-back", ",", "Earlier", "a quarter of a second back in the pictures", (*_MOTION, "looking")),
    _of_rollout("look-on", ".", "Later", "a quarter of a second on", ("looking",)),
    _of_rollout("heat", "h", "Known places", "hold: where demonstrated grippers were", _EVER, hold=True),
    _of_rollout("grip", "m", "Gripper", "close what is open, open what is closed", _DRIVING),
    _of_rollout("lead", "l", "Leader", "drive by the leader arm: hold it first; again puts it down", _DRIVING),
    _of_rollout("other-arm", "o", "Other arm", "of two arms: drive the other one", _DRIVING),
    *_drives(),
    _of_rollout("speed-1", "1", "Slow", "drive slowly", _EVER),
    _of_rollout("speed-2", "2", "Normal", "drive at normal speed", _EVER),
    _of_rollout("speed-3", "3", "Fast", "drive fast", _EVER),
    _of_rollout("sound", "s", "Sound", "sound on or off", _EVER),
    _of_rollout("keys", "?", "Keys", "show or hide this list", _EVER),
)

DEFAULT: tuple[Binding, ...] = (
    Binding("valid", "a", "Yes, do it", "the plan is right: the arm does it", ("asking",)),
    Binding("relabel", "l", "That is right for…", "wrong here, but right for another goal: choose which", _QUESTION),
    Binding("demonstrate", "d", "Show it", "wrong: click what to pick, then where to place it", _QUESTION),
    Binding("invalid", "x", "Wrong", "only wrong, without saying what is right", ("asking",)),
    Binding("unknown", "Space", "Can't tell", "you cannot tell; nothing is learned from it", ("asking",)),
    Binding("send", "Enter", "Send", "send the relabel, the demonstration, or both as one answer", _DRAFT),
    Binding("back", "Backspace", "Step back", "one step back in what you are drawing or choosing", _DRAFT),
    Binding("undo", "Backspace", "Undo", "take back the last answer; again for the one before", ("asking", "idle")),
    Binding("wrong", "w", "That was wrong", "the arm's last move of its own was wrong", _ALL),
    Binding("map", "u", "Uncertainty", "hold: where the arm is unsure", _ALL, hold=True),
    Binding("turn-left", ",", "Turn left", "turn what you are drawing counter-clockwise", ("demonstrating",)),
    Binding("turn-right", ".", "Turn right", "turn what you are drawing clockwise", ("demonstrating",)),
    Binding("mute", "m", "Sound", "sound on or off", _ALL),
    Binding("help", "?", "Keys", "show or hide this list", _ALL),
    *_ghosts(),
    *_relabels(),
    *_cursor(),
    *ROLLOUT,
)


def conflicts(table: Iterable[Binding]) -> tuple[str, ...]:
    """Sentences, one per key that would mean two things in one page and state; empty when there are none."""
    seen: dict[tuple[str, str, str], str] = {}
    found: list[str] = []
    for binding in table:
        for state in binding.states:
            place = (binding.page, state, binding.key)
            if place in seen:
                found.append(f"{binding.key} means both {seen[place]} and {binding.action} while {state}")
            seen[place] = binding.action
    return tuple(found)


def rebound(changes: Mapping[str, str], table: Iterable[Binding] = DEFAULT) -> tuple[Binding, ...]:
    """The table with some actions moved to other keys; BadInput when a key would mean two things."""
    table = tuple(table)
    unknown = set(changes) - {binding.action for binding in table}
    if unknown:
        raise BadInput(f"expected actions of the keymap, got {sorted(unknown)}")
    moved = tuple(replace(b, key=changes[b.action]) if b.action in changes else b for b in table)
    clashes = conflicts(moved)
    if clashes:
        raise BadInput("expected one meaning per key: " + "; ".join(clashes) + ". Choose another key")
    return moved


def load(path: Path) -> tuple[Binding, ...]:
    """The default table with a person's changes; BadInput when the file is damaged."""
    if not path.exists():
        return DEFAULT
    try:
        changes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"expected a JSON file of keys in {path.name}, got: {error}. Delete it for the defaults"
        ) from error
    if not isinstance(changes, dict) or not all(isinstance(v, str) for v in changes.values()):
        raise BadInput(f"expected action → key in {path.name}, got something else. Delete it for the defaults")
    return rebound(changes)


def save(path: Path, table: Iterable[Binding]) -> None:
    """Keep what differs from the default, atomically."""
    default = {binding.action: binding.key for binding in DEFAULT}
    changes = {b.action: b.key for b in table if default[b.action] != b.key}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(changes, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def as_data(table: Iterable[Binding], page: str = "teach") -> list[dict[str, Any]]:
    """What a page's component needs of the table, as plain values."""
    return [
        {"action": b.action, "key": b.key, "label": b.label, "help": b.help, "states": list(b.states), "hold": b.hold}
        for b in table
        if b.page == page
    ]
