"""Goals as rows of words."""

from __future__ import annotations

import pytest

from teaching.policies.goals import MAX_WORDS, WORDS_PER_PHRASE, Vocabulary, phrases, stem

GOAL = "Put the red blocks in a green bowl"


@pytest.mark.parametrize(
    ("goal", "what", "where"),
    [
        (GOAL, ("put", "red", "block"), ("in", "green", "bowl")),
        ("pack the star in the brown box", ("pack", "star"), ("in", "brown", "box")),
        ("put the blue cube into the bowl, on the left", ("put", "blue", "cube"), ("into", "bowl", "on", "left")),
        ("in the bowl", ("in", "bowl"), ()),
        ("wave", ("wave",), ()),
        ("grey glass blocks", ("gray", "glass", "block"), ()),
    ],
)
def test_a_goal_splits_at_its_first_preposition(goal: str, what: tuple[str, ...], where: tuple[str, ...]) -> None:
    assert phrases(goal) == (what, where)


def test_stems() -> None:
    assert [stem(w) for w in ("blocks", "bus", "glass", "gas", "grey")] == ["block", "bus", "glass", "gas", "gray"]


def test_unknown_words_are_told_as_written_and_once() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn_goals([GOAL])
    assert vocabulary.unknown(GOAL) == ()
    assert vocabulary.unknown("put the Mauve blocks into the mauve bowls") == ("mauve",)


def test_rows_are_stable_and_shared_by_both_phrases() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.learn_goals([GOAL]) == ("put", "red", "block", "in", "green", "bowl")
    assert vocabulary.learn_goals([GOAL, "put the green blocks in a red bowl"]) == ()
    rows = vocabulary.encode([GOAL, "put the green blocks in a red bowl"])
    assert rows.shape == (2, 2, WORDS_PER_PHRASE)
    assert rows[0, 0, 1] == rows[1, 1, 1] > 0 and rows[0, 1, 1] == rows[1, 0, 1] > 0
    again = Vocabulary(vocabulary.known)
    assert (again.encode([GOAL]) == rows[:1]).all()


def test_a_full_vocabulary_takes_no_more_and_long_goals_are_cut() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn_goals([" ".join(f"w{i}" for i in range(2 * MAX_WORDS))])
    assert len(vocabulary) == MAX_WORDS
    rows = vocabulary.encode([" ".join(f"w{i}" for i in range(100))])
    assert rows[0, 0].all() and rows.max() < MAX_WORDS
