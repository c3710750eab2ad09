"""`python -m teaching rollout`: a lesson in motion, supervised by a script, or by a person in the browser."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PROTOCOLS = ("rac", "rule1", "rule2", "hg-dagger", "demos")
WEIGHTINGS = ("rac", "iwr", "sirius")


def add(commands: Any, bar: Callable[[], Any]) -> None:
    """The command's arguments; `bar` makes a progress bar."""
    roll = commands.add_parser("rollout", help="supervise an arm in motion: recover, correct, train, round after round")
    roll.add_argument("--task", default="peg-and-button")
    roll.add_argument("--arm", default="sim:panda")
    roll.add_argument("--teacher", default="oracle", help="oracle: scripted; browser: a person, in the app")
    roll.add_argument("--protocol", choices=PROTOCOLS, default="rac")
    roll.add_argument("--rounds", type=int, default=3, help="rounds after the demonstrations")
    roll.add_argument("--wanted", type=int, default=10, help="demonstrations, then interventions, of a round")
    roll.add_argument("--first", type=int, default=0, help="demonstrations before the first training (as wanted)")
    roll.add_argument("--frames", type=int, default=0, help="ticks a person drives in a round, not interventions")
    roll.add_argument("--split", default="seen", help="without:errors: every look is right")
    roll.add_argument("--weighting", choices=WEIGHTINGS, default="rac", help="what is trained on, and how much of it")
    roll.add_argument("--recovery-auto", action="store_true", help="train on ways back that the arm retraced, too")
    roll.add_argument("--observe", default="state", help="what the policy reads: state, or pictures (simulated arms)")
    roll.add_argument("--no-film", dest="film", action="store_false", help="keep no pictures of what the cameras see")
    roll.add_argument("--seed", type=int, default=0)
    roll.add_argument("--steps", type=int, help="optimiser steps of one training (default 2000)")
    roll.add_argument("--batch", type=int, help="rows in one step (default 256)")
    roll.add_argument("--threads", type=int, default=1, help="threads of the trainer")
    roll.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the replay buffer; resumed if it is there"
    )
    roll.set_defaults(do=lambda given: _rollout(given, bar()))


def _rollout(given: argparse.Namespace, report: Any) -> Mapping[str, Any]:
    from teaching.lesson import LessonConfig
    from teaching.types import BadInput

    training = {k: getattr(given, k) for k in ("steps", "batch") if getattr(given, k) is not None}
    config = LessonConfig.from_json(
        {
            "name": given.out.name, "kind": "rollout", "task": given.task, "arm": given.arm, "teacher": given.teacher,
            "split": given.split, "protocol": given.protocol, "wanted": given.wanted, "first": given.first,
            "seed": given.seed, "observe": given.observe, "film": given.film,
            "frames": given.frames,
            "rounds": given.rounds, "weighting": given.weighting, "recovery_auto": given.recovery_auto,
            "training": training,
        }
    )  # fmt: skip
    if given.teacher == "oracle":
        from teaching import rollout_headless

        return rollout_headless.run(given.out, config, given.rounds, threads=given.threads, report=report)
    if given.teacher == "browser":
        from teaching import attended

        return attended.attend_rollout(given.out, config, given.rounds, report=report)
    raise BadInput(f"expected --teacher oracle or browser, got {given.teacher!r}")


def is_rollout(directory: Path) -> bool:
    """Whether a directory holds a lesson in motion."""
    from teaching.replay import ReplayBuffer

    with ReplayBuffer(directory, readonly=True) as buffer:
        return buffer.lesson.get("kind") == "rollout"
