"""What a novice can and cannot do yet: success by skill, and which skill the next scene should be about. Pure.

A skill is what one word of a goal asks for: to take red blocks, to find green bowls, to know a star. Success is counted
over the newest judged plans of each, since the novice changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from teaching.metrics import Rate
from teaching.tasks import packing_shapes, put_block_in_bowl, sequence, stack_blocks
from teaching.types import BadInput

Scenes = Literal["random", "weak", "unsure"]
SCENES: tuple[Scenes, ...] = ("random", "weak", "unsure")
"""As they come; about what the novice is weak in; about what is least certain of it."""
RECENT = 20
"""Judged plans of each skill that count."""


def skills(task: str, goal: str) -> tuple[str, ...]:
    """The skills that a goal asks for; none of a goal or a task that has no such words."""
    try:
        if task == sequence.NAME:
            task = sequence.task_of(goal).name
        if task == put_block_in_bowl.TASK.name:
            block, bowl = put_block_in_bowl.read(goal)
            return f"{block} blocks", f"{bowl} bowls"
        if task == packing_shapes.TASK.name:
            return (packing_shapes.read(goal),)
        if task == stack_blocks.TASK.name:
            return tuple(f"{colour} blocks" for colour in stack_blocks.read(goal))
    except BadInput:
        return ()
    return ()


def profile(task: str, judged: Iterable[tuple[str, int]], recent: int = RECENT) -> dict[str, Rate]:
    """Success by skill.

    Args:
        task: its name.
        judged: (goal, outcome) of plans in the order they were made; outcome +1 right, −1 wrong, 0 is passed over.
        recent: how many of the newest count, for each skill.

    Returns:
        Skill → right of so many, the weakest first.
    """
    seen: dict[str, deque[bool]] = {}
    for goal, outcome in judged:
        for skill in skills(task, goal) if outcome else ():
            seen.setdefault(skill, deque(maxlen=recent)).append(outcome > 0)
    rates = {skill: Rate(sum(results), len(results)) for skill, results in seen.items()}
    return dict(sorted(rates.items(), key=lambda item: (item[1].value, item[0])))


def named(task: str, goals: Iterable[str]) -> tuple[str, ...]:
    """The words (colours, shapes) that these goals name, each once, in order."""
    found = (skill.removesuffix(" blocks").removesuffix(" bowls") for goal in goals for skill in skills(task, goal))
    return tuple(dict.fromkeys(found))


def by_word(
    task: str, judged: Iterable[tuple[str, int]], words: Sequence[str], recent: int = RECENT
) -> dict[str, Rate]:
    """Success of goals that name each of these words, in whatever part; 0 of 0 for words that no goal named yet."""
    seen: dict[str, deque[bool]] = {word: deque(maxlen=recent) for word in words}
    for goal, outcome in judged:
        for word in named(task, [goal]) if outcome else ():
            if word in seen:
                seen[word].append(outcome > 0)
    return {word: Rate(sum(results), len(results)) for word, results in seen.items()}


def choose(rates: Mapping[str, Rate], rng: np.random.Generator, by: Scenes = "weak") -> str:
    """What the next scene should be about.

    Args:
        rates: success by word; at least one.
        rng: draws.
        by: "weak": the word with the lowest of one draw each from what its success may be (Thompson 1933), so that
            what was hardly tried is tried; "unsure": a word by the width of its interval; "random": any.

    Raises:
        BadInput: no word, or a rule of another name.
    """
    if not rates or by not in SCENES:
        raise BadInput(f"expected at least one word and a rule among {', '.join(SCENES)}, got {len(rates)} and {by!r}")
    words = list(rates)
    if by == "weak":
        drawn = [rng.beta(1 + rate.hits, 1 + rate.n - rate.hits) for rate in rates.values()]
        return words[int(np.argmin(drawn))]
    widths = np.array([rate.interval.high - rate.interval.low for rate in rates.values()])
    share = widths / widths.sum() if by == "unsure" else np.full(len(words), 1 / len(words))
    return words[int(rng.choice(len(words), p=share))]
