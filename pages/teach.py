"""Teach: the question, its plan over the picture, and the answers."""

from __future__ import annotations

from pages import keymap, processes
from pages.cards import explained, keys, opened
from pages.components.question import question


def main() -> None:
    """Draw the card of the open lesson, or say how to open one."""
    path = opened("Teach")
    if path is not None:
        found = processes.addresses(path)
        question(found["arm"], found["host"], keymap.as_data(keys()), explained())


main()
