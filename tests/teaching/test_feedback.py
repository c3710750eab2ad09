"""FIER: every line of the table of what is stored and what is carried out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teaching.feedback import Fier, consequence, feedback_of, fold, ghost
from teaching.gating import Gate
from teaching.priority import pier_priority
from teaching.types import Answer, BadInput, Feedback, Kind, Outcome
from tests.teaching.making import GOAL, decision, plan

CODE, PAPER = Gate(variant="code"), Gate(variant="paper")
OFF = Fier(validation=False, relabelling=False)
OTHER = "put the blue blocks in a gray bowl"
SHOWN = plan(0.7)
VALID = Feedback(Outcome.SUCCESS)
WRONG = Feedback(Outcome.FAILURE)
UNKNOWN = Feedback(Outcome.UNKNOWN)
ALL = Feedback(Outcome.FAILURE, OTHER, SHOWN)
RANDOM = {"gated": False, "random": True}


def kinds(found: object) -> list[Kind]:
    return [d.kind for d in found.demonstrations]


def test_not_asked_carries_out_the_plan_and_stores_nothing() -> None:
    subject = decision(gated=False)
    found = consequence(subject, None)
    assert (found.outcome, found.demonstrations, found.execute) == (Outcome.UNKNOWN, (), subject.plan)


def test_asked_and_not_answered_moves_nothing() -> None:
    assert consequence(decision(), None).execute is None


@pytest.mark.parametrize("asked", [{}, RANDOM])
@pytest.mark.parametrize("gate", [CODE, PAPER])
def test_a_valid_plan_is_stored_and_carried_out(asked: dict[str, bool], gate: Gate) -> None:
    subject = decision(**asked)
    found = consequence(subject, VALID, gate=gate)
    assert found.outcome == Outcome.SUCCESS and kinds(found) == [Kind.VALIDATED] and found.execute is subject.plan
    stored = found.demonstrations[0]
    assert stored.id == "e1-0-validated" and stored.goal == GOAL and stored.uncertainty == 0.4
    np.testing.assert_array_equal(stored.actions, found.execute.actions)


def test_without_validation_the_teacher_acts_in_place_of_a_valid_plan() -> None:
    found = consequence(decision(), Feedback(Outcome.SUCCESS, demonstration=SHOWN), OFF)
    assert found.outcome == Outcome.SUCCESS and kinds(found) == [Kind.ANNOTATED] and found.execute is SHOWN
    assert found.demonstrations[0].outcome == Outcome.SUCCESS


def test_without_validation_a_random_query_in_the_code_stores_nothing() -> None:
    subject = decision(**RANDOM)
    found = consequence(subject, Feedback(Outcome.SUCCESS, demonstration=SHOWN), OFF, CODE)
    assert (found.outcome, found.demonstrations, found.execute) == (Outcome.SUCCESS, (), subject.plan)


@pytest.mark.parametrize(("asked", "gate"), [({}, CODE), ({}, PAPER), (RANDOM, PAPER)])
def test_an_invalid_plan_gives_the_annotation_then_the_relabel(asked: dict[str, bool], gate: Gate) -> None:
    subject = decision(update=3, **asked)
    found = consequence(subject, ALL, gate=gate)
    assert found.outcome == Outcome.FAILURE and kinds(found) == [Kind.ANNOTATED, Kind.RELABELLED]
    assert found.execute is SHOWN
    shown, relabelled = found.demonstrations
    np.testing.assert_array_equal(shown.actions, SHOWN.actions)
    assert (shown.goal, shown.outcome, shown.uncertainty, shown.update) == (GOAL, Outcome.FAILURE, 0.4, 3)
    np.testing.assert_array_equal(relabelled.actions, subject.plan.actions)
    assert (relabelled.goal, relabelled.outcome, relabelled.update) == (OTHER, Outcome.UNKNOWN, 3)
    assert np.isnan(relabelled.uncertainty)


def test_an_invalid_random_query_in_the_code_is_only_relabelled_and_carried_out() -> None:
    subject = decision(**RANDOM)
    found = consequence(subject, ALL, gate=CODE)
    assert found.outcome == Outcome.FAILURE and kinds(found) == [Kind.RELABELLED] and found.execute is subject.plan


def test_asked_by_the_gate_and_at_random_is_asked_by_the_gate() -> None:
    assert consequence(decision(gated=True, random=True), ALL, gate=CODE).execute is SHOWN


def test_without_relabelling_only_the_annotation_is_kept() -> None:
    assert kinds(consequence(decision(), ALL, Fier(relabelling=False))) == [Kind.ANNOTATED]


def test_a_teacher_who_fails_leaves_the_relabel_only() -> None:
    found = consequence(decision(), ALL, act_fails=True)
    assert kinds(found) == [Kind.RELABELLED] and found.execute is SHOWN


def test_wrong_without_more_holds_still() -> None:
    found = consequence(decision(), WRONG)
    assert (found.outcome, found.demonstrations, found.execute) == (Outcome.FAILURE, (), None)


def test_a_relabel_alone_is_stored_and_nothing_moves() -> None:
    found = consequence(decision(), Feedback(Outcome.FAILURE, OTHER))
    assert kinds(found) == [Kind.RELABELLED] and found.execute is None


def test_a_relabel_to_the_same_goal_is_none() -> None:
    assert consequence(decision(), Feedback(Outcome.FAILURE, GOAL)).demonstrations == ()


def test_cannot_tell_stores_and_moves_nothing() -> None:
    found = consequence(decision(), UNKNOWN)
    assert (found.outcome, found.demonstrations, found.execute) == (Outcome.UNKNOWN, (), None)


@pytest.mark.parametrize(
    ("said", "stored"), [(WRONG, []), (VALID, [Kind.VALIDATED]), (ALL, [Kind.ANNOTATED, Kind.RELABELLED])]
)
def test_what_is_said_late_moves_nothing(said: Feedback, stored: list[Kind]) -> None:
    found = consequence(decision(gated=False), said, late=True, gate=CODE)
    assert found.execute is None and kinds(found) == stored and found.outcome == said.outcome


@given(
    st.booleans(),
    st.booleans(),
    st.sampled_from(
        [VALID, WRONG, UNKNOWN, ALL, Feedback(Outcome.FAILURE, OTHER), Feedback(Outcome.FAILURE, None, SHOWN)]
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from([CODE, PAPER]),
)
def test_invariants(gated: bool, random: bool, said: Feedback, validation: bool, relabelling: bool, gate: Gate) -> None:
    subject = decision(gated=gated, random=random)
    found = consequence(subject, said if subject.asked else None, Fier(validation, relabelling), gate)
    by_kind = {d.kind: d for d in found.demonstrations}
    assert len(by_kind) == len(found.demonstrations) and len({d.id for d in found.demonstrations}) == len(by_kind)
    if not subject.asked:
        assert found.outcome == Outcome.UNKNOWN and not by_kind
    if Kind.RELABELLED in by_kind:
        assert found.outcome == Outcome.FAILURE
    if Kind.VALIDATED in by_kind:
        assert found.outcome == Outcome.SUCCESS and Kind.ANNOTATED not in by_kind
    for kind in (Kind.VALIDATED, Kind.ANNOTATED):
        if kind in by_kind:
            np.testing.assert_array_equal(by_kind[kind].actions, found.execute.actions)
    assert found.why


# -- ghosts ----------------------------------------------------------------------------------------------------------


def test_a_chosen_ghost_makes_the_plan_wrong_and_is_the_demonstration() -> None:
    subject = decision(made=plan(ghosts=2))
    said = feedback_of(subject.plan, Outcome.SUCCESS, chosen=2)
    found = consequence(subject, said)
    assert found.outcome == Outcome.FAILURE and kinds(found) == [Kind.ANNOTATED]
    np.testing.assert_array_equal(found.execute.actions, subject.plan.alternatives[1].actions)


def test_the_plan_itself_is_choice_zero() -> None:
    subject = plan(ghosts=1)
    assert ghost(subject, 0) is subject
    assert feedback_of(subject, Outcome.SUCCESS) == VALID
    assert feedback_of(subject, Outcome.FAILURE, relabel=OTHER, demonstration=SHOWN) == ALL


@pytest.mark.parametrize("chosen", [-1, 2])
def test_a_ghost_that_is_none_is_refused(chosen: int) -> None:
    with pytest.raises(BadInput, match="from 0 to 1"):
        feedback_of(plan(ghosts=1), Outcome.SUCCESS, chosen=chosen)


@pytest.mark.parametrize("more", [{"demonstration": SHOWN}, {"relabel": OTHER}, {"demonstration": SHOWN, "chosen": 1}])
def test_right_and_yet_something_else_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="wrong"):
        if "relabel" in more:
            Feedback(Outcome.SUCCESS, OTHER)
        feedback_of(plan(ghosts=1), Outcome.SUCCESS, **more)


# -- rows ------------------------------------------------------------------------------------------------------------


def test_rows_follow_their_decisions() -> None:
    decisions = [decision("e1-0", update=0), decision("e1-1", gated=False, update=0), decision("e2-0", update=1),
                 decision("e3-0", update=1), decision("e4-0", update=2)]  # fmt: skip
    answers = [Answer("e1-0", VALID, "t", 1.0), Answer("e2-0", ALL, "t", 1.0),
               Answer("e3-0", Feedback(Outcome.FAILURE, OTHER), "t", 1.0)]  # fmt: skip
    rows = fold(decisions, answers)
    assert rows.decision == ("e1-0", "e1-1", "e2-0", "e2-0", "e3-0", "e3-0", "e4-0")
    assert rows.demonstration == (
        "e1-0-validated", None, "e2-0-annotated", "e2-0-relabelled", None, "e3-0-relabelled", None,
    )  # fmt: skip
    assert rows.outcome.tolist() == [1, 0, -1, 0, -1, 0, 0]
    assert rows.update.tolist() == [0, 0, 1, 1, 1, 1, 2]
    assert np.isnan(rows.uncertainty).tolist() == [False, False, False, True, False, True, False]
    priority = pier_priority(rows.uncertainty, rows.outcome, rows.update)
    assert priority[[3, 5]].tolist() == [1.0, 1.0] and priority[2] > 1.0


def test_the_last_answer_counts() -> None:
    answers = [Answer("e1-0", VALID, "t", 1.0), Answer("e1-0", WRONG, "t", 1.0, late=True)]
    assert fold([decision()], answers).outcome.tolist() == [-1]
    assert fold([decision()], answers[::-1]).outcome.tolist() == [1]


def test_acts_that_failed_are_not_owned() -> None:
    rows = fold([decision()], [Answer("e1-0", ALL, "t", 1.0)], failed={"e1-0"})
    assert rows.demonstration == (None, "e1-0-relabelled")


def test_no_history_gives_no_rows() -> None:
    rows = fold([], [])
    assert len(rows.uncertainty) == len(rows.decision) == 0 and rows.outcome.dtype.kind == "i"
