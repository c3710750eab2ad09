"""The command `python -m teaching run`: a lesson with a scripted teacher, or with a person in the app."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

Figures = Mapping[str, Any]
Bar = Callable[[], Callable[[str, int, int], None]]
"""Makes a report of progress."""


def add(commands: Any, bar: Bar) -> None:
    """The command among `commands`."""
    run = commands.add_parser("run", help="run a lesson with a scripted teacher")
    run.add_argument("--task", default="put-block-in-bowl", help="sequence: several, one after the other")
    run.add_argument("--arm", default="sim:panda")
    run.add_argument("--teacher", default="oracle", help="oracle: scripted; browser: a person, in the app")
    run.add_argument("--storing-episodes", type=int, required=True, help="stop when so many episodes stored something")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="the replay buffer; resumed if it is there")
    run.add_argument("--split", default="seen")
    run.add_argument("--stage-episodes", type=int, default=150, help="of a sequence's stages, like --storing-episodes")
    run.add_argument("--scenes", choices=("random", "weak", "unsure"), default="random", help="what goals are about")
    run.add_argument("--gate", choices=("sag", "fixed", "always", "never"), default="sag")
    modes = ("sensitivity", "specificity", "success")
    told = "what is promised: mistakes asked about, right plans left alone, or good endings"
    run.add_argument("--mode", choices=modes, default="sensitivity", help=told)
    run.add_argument("--target", type=float, help="the gate's promise, from 0 to 1 (default 0.9)")
    run.add_argument("--n-min", type=int, help="mistakes (or right plans) to know before it is computed (default 15)")
    run.add_argument("--p-rand", type=float, default=0.2, help="share of plans asked about at random")
    run.add_argument("--start", choices=("starter", "nothing"), default="starter")
    run.add_argument(
        "--text-encoder", type=Path, metavar="DIR", help="a pretrained one of the BERT family to read goals"
    )
    run.add_argument("--sync", action="store_true", help="train before the next question: reproducible")
    run.add_argument("--steps", type=int, help="optimiser steps of one training")
    run.add_argument("--batch", type=int, help="demonstrations in one step")
    run.add_argument("--threads", type=int, default=1, help="threads of the trainer")
    run.add_argument("--no-validation", action="store_true", help="do not store confirmed plans")
    run.add_argument("--no-relabelling", action="store_true", help="do not store relabelled plans")
    run.set_defaults(do=partial(_run, bar))


def _run(bar: Bar, given: argparse.Namespace) -> Figures:
    from teaching import headless
    from teaching.gating import Gate
    from teaching.lesson import LessonConfig
    from teaching.types import BadInput

    if given.teacher not in ("oracle", "browser"):
        raise BadInput(f"expected --teacher oracle (scripted) or browser (a person), got {given.teacher!r}")
    training = {k: getattr(given, k) for k in ("steps", "batch") if getattr(given, k) is not None}
    promise = {k: getattr(given, k) for k in ("target", "n_min") if getattr(given, k) is not None}
    gate = Gate(kind=given.gate, mode=given.mode, p_rand=given.p_rand, **promise)
    config = LessonConfig.from_json(
        {
            "name": given.out.name, "task": given.task, "arm": given.arm, "split": given.split, "scenes": given.scenes,
            "stage_episodes": given.stage_episodes,
            "text_encoder": str(given.text_encoder.absolute()) if given.text_encoder else "",
            "teacher": "oracle" if given.teacher == "oracle" else "teacher", "start": given.start,
            "seed": given.seed, "gate": vars(gate), "training": training,
            "validation": not given.no_validation, "relabelling": not given.no_relabelling,
        }
    )  # fmt: skip
    if given.teacher == "browser":
        from teaching.attended import attend

        return attend(given.out, config, given.storing_episodes, report=bar())
    return headless.run(given.out, config, given.storing_episodes, sync=given.sync, threads=given.threads, report=bar())
