"""One holder; it passes by consent or after silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot_io.lease import SILENCE, Lease, LeaseRefused


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(clock) -> Lease:
    lease = Lease(clock)
    lease.join("anna")
    lease.join("bela")
    return lease


def test_the_first_who_takes_it_has_it(lease):
    assert lease.take("anna")
    assert lease.holds("anna")
    assert lease.watchers == 1


def test_the_second_has_to_ask(lease):
    lease.take("anna")
    assert not lease.take("bela")
    assert lease.asking == "bela"
    lease.give("anna")
    assert lease.holds("bela")
    assert lease.asking is None


def test_the_holder_may_refuse(lease):
    lease.take("anna")
    lease.take("bela")
    lease.refuse("anna")
    assert lease.holds("anna")
    assert lease.asking is None


def test_silence_frees_it(lease, clock):
    lease.take("anna")
    clock.now += SILENCE - 0.1
    assert not lease.take("bela")
    clock.now += 0.1
    assert lease.take("bela")
    assert not lease.holds("anna")


def test_a_word_from_the_holder_keeps_it(lease, clock):
    lease.take("anna")
    clock.now += 9
    lease.heard("anna")
    clock.now += 9
    assert not lease.take("bela")


def test_a_reload_keeps_it(lease, clock):
    lease.take("anna")
    lease.leave("anna")
    clock.now += 3
    lease.join("anna")
    clock.now += 8
    assert lease.holds("anna")
    assert not lease.take("bela")


def test_only_the_holder_decides(lease):
    lease.take("anna")
    for verb in (lease.give, lease.refuse, lease.drop):
        with pytest.raises(LeaseRefused, match="take the lease first"):
            verb("bela")


def test_dropped_it_is_free(lease):
    lease.take("anna")
    lease.drop("anna")
    assert lease.holder is None
    assert lease.take("bela")


def test_who_asked_and_left_gets_nothing(lease):
    lease.take("anna")
    lease.take("bela")
    lease.leave("bela")
    lease.give("anna")
    assert lease.holder is None


def test_two_tabs_of_one_person_are_one(lease):
    lease.join("anna")
    assert lease.watchers == 2
    lease.leave("anna")
    assert lease.present("anna")


verbs = st.sampled_from(["take", "give", "refuse", "drop", "join", "leave", "heard"])


@given(st.lists(st.tuples(verbs, st.sampled_from("abc"), st.floats(0, 6)), max_size=60))
def test_nobody_loses_it_without_consent_or_silence(steps):
    clock = Clock()
    lease = Lease(clock)
    heard = 0.0
    for verb, session, pause in steps:
        clock.now += pause
        before, asked = lease.holder, lease.asking
        try:
            getattr(lease, verb)(session)
        except LeaseRefused:
            assert session != before
        if lease.holder != before and before is not None:
            consent = session == before and verb in ("give", "drop") and lease.holder == asked
            silence = verb == "take" and clock.now - heard >= SILENCE
            assert consent or silence
        if lease.holder is not None and session == lease.holder and verb != "leave":
            heard = clock.now
