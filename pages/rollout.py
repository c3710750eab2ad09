"""Rollout: watch the arm work, take over, rewind, correct."""

from __future__ import annotations

from pages import keymap, processes
from pages.cards import explained, keys, opened
from pages.components.rollout import rollout


def main() -> None:
    """Draw the card of the open lesson, or say how to open one."""
    path = opened("Rollout")
    if path is not None:
        found = processes.addresses(path)
        rollout(found["arm"], found["host"], keymap.as_data(keys(), "rollout"), explained())


main()
