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

STATES = {"teach": ("asking", "relabelling", "demonstrating", "idle")}
"""The states of each page that has keys: what is open decides what a key means."""

STOP = "Escape"
NAMED = ("Enter", "Backspace", "Space", "Tab", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight")
_DRAFT = ("relabelling", "demonstrating")
_QUESTION = ("asking", *_DRAFT)
_ALL = STATES["teach"]


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
