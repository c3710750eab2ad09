from __future__ import annotations

import itertools

import pytest

from teaching.rollout_phases import PROTOCOLS, Event, Phase, Rules, after, allowed, transitions
from teaching.segments import End, SegmentKind
from teaching.types import BadInput

ALL = [Rules(*both) for both in itertools.product((True, False), repeat=2)]
ENDS = [phase for phase in Phase if phase.end]
P, E = Phase, Event


def walk(rules: Rules, *events: Event) -> list[Phase]:
    phases = [P.READY]
    for event in events:
        phases.append(after(phases[-1], event, rules, aided=P.CORRECTION in phases or P.RECOVERY in phases))
    return phases


def test_both_rules_recover_then_correct_then_end() -> None:
    assert walk(Rules(), E.START, E.TAKEOVER, E.MARK_RECOVERED, E.SUBTASK_DONE) == [
        P.READY, P.POLICY, P.RECOVERY, P.CORRECTION, P.INTERVENED,
    ]  # fmt: skip


def test_rule_two_alone_corrects_at_once_and_ends() -> None:
    assert walk(PROTOCOLS["rule2"], E.START, E.TAKEOVER, E.SUBTASK_DONE)[2:] == [P.CORRECTION, P.INTERVENED]


def test_rule_one_alone_recovers_and_lets_the_policy_go_on() -> None:
    rules = PROTOCOLS["rule1"]
    assert walk(rules, E.START, E.TAKEOVER, E.MARK_RECOVERED, E.SUBTASK_DONE)[2:] == [
        P.RECOVERY,
        P.CORRECTION,
        P.POLICY,
    ]


def test_without_rules_the_policy_resumes_and_an_aided_success_is_not_its_own() -> None:
    phases = walk(PROTOCOLS["hg-dagger"], E.START, E.TAKEOVER, E.SUBTASK_DONE, E.SUCCESS)
    assert phases[2:] == [P.CORRECTION, P.POLICY, P.INTERVENED]
    assert walk(PROTOCOLS["hg-dagger"], E.START, E.SUCCESS)[-1] is P.AUTO_SUCCESS


def test_a_second_failure_returns_to_recovery() -> None:
    phases = walk(Rules(), E.START, E.TAKEOVER, E.MARK_RECOVERED, E.FAILED_AGAIN, E.MARK_RECOVERED, E.SUBTASK_DONE)
    assert phases[4] is P.RECOVERY and phases[-1] is P.INTERVENED


@pytest.mark.parametrize("rules", ALL)
def test_no_way_from_correction_to_policy_but_where_the_policy_resumes(rules: Rules) -> None:
    human = {P.RECOVERY, P.RETRACING, P.CORRECTION}
    back = [key for key, phase in transitions(rules).items() if key[0] in human and phase is P.POLICY]
    assert back == ([] if rules.terminate_after_intervention else [(P.CORRECTION, E.SUBTASK_DONE)])


@pytest.mark.parametrize("rules", ALL)
def test_fumbles_are_discarded_and_lost_contact_is_kept(rules: Rules) -> None:
    for phase in (P.RECOVERY, P.RETRACING, P.CORRECTION):
        assert after(phase, E.FUMBLE, rules) is P.DISCARDED
        assert after(phase, E.TIMEOUT, rules) is P.TRUNCATED
    for phase in (P.DEMONSTRATION, P.POLICY, P.RECOVERY, P.RETRACING, P.CORRECTION):
        assert after(phase, E.LOST, rules) is P.TRUNCATED
    assert after(P.DEMONSTRATION, E.FUMBLE, rules) is P.DISCARDED


@pytest.mark.parametrize("rules", ALL)
def test_every_phase_is_reached_and_every_phase_can_end(rules: Rules) -> None:
    table = transitions(rules)
    reached, front = {P.READY}, [P.READY]
    while front:
        phase = front.pop()
        for event in allowed(phase, rules):
            following = table[phase, event]
            if following not in reached:
                reached.add(following)
                front.append(following)
    assert reached == set(Phase)
    for phase in Phase:
        assert bool(allowed(phase, rules)) != (phase in ENDS)


def test_policy_alone() -> None:
    assert walk(Rules(), E.START, E.SUCCESS)[-1] is P.AUTO_SUCCESS
    assert walk(Rules(), E.START, E.TIMEOUT)[-1] is P.FAILED
    assert walk(Rules(), E.START, E.ABORT)[-1] is P.DISCARDED


def test_demonstration() -> None:
    assert walk(Rules(), E.DEMONSTRATE, E.SUCCESS)[-1] is P.DEMONSTRATED
    assert walk(Rules(), E.DEMONSTRATE, E.TIMEOUT)[-1] is P.FAILED


def test_other_ways_back() -> None:
    assert walk(Rules(), E.START, E.RETRACE, E.MARK_RECOVERED, E.SUBTASK_DONE)[2:4] == [P.RETRACING, P.CORRECTION]
    assert walk(Rules(), E.START, E.RETRACE, E.TAKEOVER, E.RETRACE)[-1] is P.RETRACING
    assert walk(Rules(), E.START, E.RESTORE, E.RESTORE, E.SUBTASK_DONE)[2:] == [
        P.CORRECTION,
        P.CORRECTION,
        P.INTERVENED,
    ]


def test_recovery_finished_without_a_mark() -> None:
    assert walk(Rules(), E.START, E.TAKEOVER, E.FINISH)[-1] is P.INTERVENED


@pytest.mark.parametrize(
    ("phase", "event", "said"),
    [
        (P.POLICY, E.MARK_RECOVERED, "takeover"),
        (P.READY, E.TAKEOVER, "start"),
        (P.CORRECTION, E.TAKEOVER, "subtask_done"),
        (P.DISCARDED, E.START, "another episode"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_does(phase: Phase, event: Event, said: str) -> None:
    with pytest.raises(BadInput, match=f"(?s){phase}.*{said}.*got {event}"):
        after(phase, event, Rules())


def test_each_phase_knows_what_its_frames_are() -> None:
    assert {phase.segment for phase in Phase} == {None, *set(SegmentKind) - {SegmentKind.RESTORED}}
    assert {phase.end for phase in Phase} == {None, *End}
