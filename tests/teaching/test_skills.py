"""Success by skill, and what the next scene should be about."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from teaching.metrics import Rate
from teaching.skills import by_word, choose, profile, skills
from teaching.types import BadInput

BOWL, SHAPES = "put-block-in-bowl", "packing-shapes"


def test_a_goal_asks_for_skills() -> None:
    assert skills(BOWL, "put the red blocks in a green bowl") == ("red blocks", "green bowls")
    assert skills(SHAPES, "pack the star in the brown box") == ("star",)
    assert skills(BOWL, "dance") == () and skills("another", "pack the star") == ()


def test_the_weakest_comes_first_and_only_the_newest_count() -> None:
    judged = [("put the red blocks in a green bowl", -1)] * 3 + [("put the red blocks in a blue bowl", 1)] * 4
    found = profile(BOWL, [*judged, ("put the red blocks in a blue bowl", 0)])
    assert found == {"green bowls": Rate(0, 3), "red blocks": Rate(4, 7), "blue bowls": Rate(4, 4)}
    assert next(iter(found)) == "green bowls" and profile(BOWL, judged, recent=4)["red blocks"] == Rate(4, 4)


def test_a_word_counts_in_either_part() -> None:
    judged = [("put the red blocks in a green bowl", 1), ("put the green blocks in a red bowl", -1)]
    assert by_word(BOWL, judged, ["red", "blue"]) == {"red": Rate(1, 2), "blue": Rate(0, 0)}
    assert by_word(SHAPES, [("pack the star in the brown box", 1)], ["star"]) == {"star": Rate(1, 1)}


def drawn(by: str, rates: dict[str, Rate]) -> Counter[str]:
    rng = np.random.default_rng(0)
    return Counter(choose(rates, rng, by) for _ in range(600))  # type: ignore[arg-type]


def test_weak_and_untried_skills_are_drawn_more() -> None:
    rates = {"good": Rate(20, 20), "weak": Rate(4, 20), "new": Rate(0, 0)}
    weak, unsure, even = (drawn(by, rates) for by in ("weak", "unsure", "random"))
    assert weak["weak"] > weak["new"] > 5 * max(weak["good"], 1)
    assert unsure["new"] > unsure["weak"] > unsure["good"] > 0
    assert min(even.values()) > 150
    with pytest.raises(BadInput, match="at least one word"):
        choose({}, np.random.default_rng(0))
