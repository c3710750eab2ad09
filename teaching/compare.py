"""Plays what a comparison lacks, scene by scene with both models, and tells what changed: `teaching compare`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from teaching import films, novice
from teaching.comparing import Pair, figures, film_path
from teaching.filmed import Asked, Eye, eye_of, motion_scene, plan_scene
from teaching.films import Head, Reel, policy_hash
from teaching.headless import EVALUATION_SEED, Report, known, silent
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_headless import apart, arm_of
from teaching.rollout_pilot import load_pilot
from teaching.rollout_rounds import PER_SEED
from teaching.rollout_task import make_rollout_task
from teaching.task import make_task
from teaching.types import BadInput

Play = Callable[[str, Asked, np.random.Generator, Reel], Head]
"""Plays one scene with a model by its name."""


def scene_seed(kind: str, seed: int, scene: int) -> int:
    """Of the simulated scene: odd, so that no lesson is taught on it; the same scenes as `evaluate`."""
    return 2 * (PER_SEED * seed + scene) + 1 if kind == "rollout" else EVALUATION_SEED + 500 * seed + 2 * scene


def compare(lesson: Path, pair: Pair, *, report: Report = silent) -> dict[str, Any]:
    """Both models on the same frozen scenes, on film; the figures of the difference.

    The policy's generator follows from the scene, so that each film can be taken again alone.

    Args:
        lesson: its directory.
        pair: the models and the scenes.
        report: told (what, how many, of how many).
    """
    places = {model: lesson / "checkpoints" / model for model in (pair.before, pair.after)}
    play_all(lesson, pair, places, lambda model, n: film_path(lesson, model, pair.split, pair.seed, n), report)
    return figures(lesson, pair)


def play_all(
    lesson: Path, pair: Pair, places: Mapping[str, Path], film_of: Callable[[str, int], Path], report: Report
) -> None:
    """Every frozen scene of a comparison with some models, on film; films of these weights that are there stay.

    Args:
        lesson: its directory.
        pair: tells the scenes.
        places: the models' checkpoints by name.
        film_of: where the film of a model and a scene lies.
        report: told (what, how many, of how many).
    """
    hashes = {model: policy_hash(place) for model, place in places.items()}
    every = [(scene, model) for scene in range(pair.scenes) for model in places]
    wanted = [(s, m) for s, m in every if not _there(film_of(m, s), hashes[m])]
    done = len(every) - len(wanted)
    report("scenes played", done, len(every))
    if not wanted:
        return
    with ReplayBuffer(lesson, readonly=True) as buffer:
        config = LessonConfig.from_json(buffer.lesson)
        with _stage(lesson, buffer, config, places) as play:
            for number, (scene, model) in enumerate(wanted):
                seed, reel = scene_seed(config.kind, pair.seed, scene), Reel()
                asked = Asked(scene, seed, pair.split, model, hashes[model])
                head = play(model, asked, np.random.default_rng([pair.seed, scene, 11]), reel)
                films.write(film_of(model, scene), head, reel.pictures)
                report("scenes played", done + number + 1, len(every))


def _there(film: Path, policy: str) -> bool:
    """Whether a film is whole and shows these very weights."""
    try:
        return films.read_head(film).policy == policy
    except BadInput:
        return False


@contextlib.contextmanager
def _stage(lesson: Path, buffer: ReplayBuffer, config: LessonConfig, places: Mapping[str, Path]) -> Iterator[Play]:
    with eye_of(config.arm) as eye:
        if config.kind == "rollout":
            with _moving(lesson, buffer, config, places, eye) as play:
                yield play
        else:
            with _asking(lesson, buffer, config, places, eye) as play:
                yield play


@contextlib.contextmanager
def _asking(
    lesson: Path, buffer: ReplayBuffer, config: LessonConfig, places: Mapping[str, Path], eye: Eye
) -> Iterator[Play]:
    task = make_task(config.task)
    with known(config.arm, lesson) as arm:
        policies = {}
        for model, place in places.items():
            policies[model], _ = novice.load_novice(buffer.checkpoints, arm.features.table, config.seed)
            policies[model].load(place)
        yield lambda model, asked, rng, reel: plan_scene(policies[model], arm, task, asked, rng, eye, reel)


@contextlib.contextmanager
def _moving(
    lesson: Path, buffer: ReplayBuffer, config: LessonConfig, places: Mapping[str, Path], eye: Eye
) -> Iterator[Play]:
    task = make_rollout_task(config.task)
    policies = {}
    for model, place in places.items():
        policies[model], _ = load_pilot(buffer, task, config.training.steps, config.seed)
        policies[model].load(place)
    with arm_of(apart(lesson, config.arm), config.arm) as arm:
        yield lambda model, asked, rng, reel: motion_scene(policies[model], arm, task, asked, rng, eye, reel)
