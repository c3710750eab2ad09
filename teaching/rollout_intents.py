"""What a page may ask of a rollout lesson: one function per intent, each carried out on the lesson's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from teaching.amending import VERBS, amend
from teaching.rollout_episodes import Stand
from teaching.rollout_lesson import RolloutLesson
from teaching.rollout_phases import Event, Phase, allowed
from teaching.types import BadInput

Values = Mapping[str, Any]
GATE_FIELDS = ("kind", "target", "mode", "p_rand", "level", "n_min")
_EVENTS = {
    "start": Event.START,
    "demonstrate": Event.DEMONSTRATE,
    "recovered": Event.MARK_RECOVERED,
    "failed_again": Event.FAILED_AGAIN,
    "fumble": Event.FUMBLE,
}


class RolloutIntents:
    """The table of intents of one lesson."""

    def __init__(self, lesson: RolloutLesson, timeout: float = 30.0) -> None:
        self.lesson, self.timeout = lesson, timeout
        self.names: dict[str, str] = {}
        """Session → the name that its person gave."""
        self._table: dict[str, Callable[[Values], int | None]] = {
            "start": lambda values: lesson.start(),
            "demonstrate": lambda values: lesson.demonstrate(),
            "recovered": lambda values: lesson.recovered(_whole(values, "tick", needed=False)),
            "done": lambda values: lesson.done(),
            "failed_again": lambda values: lesson.failed_again(),
            "fumble": lambda values: lesson.fumble(),
            "abort": lambda values: lesson.abort(),
            "rewind": lambda values: lesson.rewind(_need(values, "tick")),
            "return": lambda values: lesson.return_to(_need(values, "branch")),
            "success": lambda values: lesson.succeed(bool(values.get("value"))),
            "train": lambda values: lesson.train(),
            "cancel": lambda values: lesson.learning.cancel(),
            "undo": lambda values: lesson.undo(),
            "next": lambda values: lesson.next_scene(),
            "gate": lambda values: lesson.set_gate({n: values[n] for n in GATE_FIELDS if values.get(n) is not None}),
            "watch": lambda values: lesson.wait(),
            "go": lambda values: lesson.go_on(),
            "practice": lambda values: None,
            **{do: partial(self._amend, do) for do in VERBS},
        }

    def carry_out(self, do: str, values: Values, session: str) -> int | None:
        """Carry out an intent and wait until it is durable; its sequence number, if it has one.

        Raises:
            BadInput: not an intent, or it means nothing now; says what was expected.
        """
        if do not in self._table:
            raise BadInput(f"expected an intent among {', '.join(self._table)}, got {do!r}")
        told = {**values, "teacher": self.names.get(session)} if do in VERBS else values
        sequence: int | None = self.lesson.request(lambda: self._table[do](told), self.timeout)
        return sequence

    def _amend(self, do: str, values: Values) -> int:
        return amend(self.lesson.buffer, do, values)


def meaningful(lesson: RolloutLesson) -> list[str]:
    """The intents that mean something now."""
    found = ["train", "cancel", "undo", "gate", "watch"]
    if lesson.stand not in (Stand.EPISODE, Stand.CALLING):
        return found
    table = allowed(lesson.phase, lesson.rules)
    found += [do for do, event in _EVENTS.items() if event in table]
    found += ["go"] if lesson.stand is Stand.CALLING or not lesson.going else []
    found += ["next", "abort"] if Event.ABORT in table or Event.FUMBLE in table else []
    if lesson.phase in (Phase.CORRECTION, Phase.RECOVERY):
        found.append("done")
    if lesson.phase is not Phase.READY and not lesson.hand.is_scene:
        found.append("success")
    if Event.RESTORE in table and lesson.hand.can_rewind:
        found += ["rewind", "return"]
    return found


def _whole(values: Values, name: str, *, needed: bool) -> int | None:
    value = values.get(name)
    if value is None and not needed:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or int(value) != value:
        raise BadInput(f"expected {name} as a whole number, got {str(value)[:40]!r}")
    return int(value)


def _need(values: Values, name: str) -> int:
    found = _whole(values, name, needed=True)
    assert found is not None
    return found
