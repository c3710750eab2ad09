"""Silence holds, longer silence stops; on a clock of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot_io.heartbeat import Heartbeat, HeartbeatConfig, Pulse


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heartbeat(clock) -> Heartbeat:
    return Heartbeat(clock)


def test_nobody_drives_nothing_matters(heartbeat, clock):
    clock.now += 1000
    assert heartbeat.pulse() is Pulse.FINE
    assert heartbeat.due() is None


def test_a_missed_beat_is_fine_three_are_a_hold(heartbeat, clock):
    heartbeat.begin()
    clock.now += 0.1
    assert heartbeat.pulse() is Pulse.FINE
    clock.now += 0.05
    assert heartbeat.pulse() is Pulse.HOLD


def test_the_next_beat_ends_a_hold(heartbeat, clock):
    heartbeat.begin()
    clock.now += 0.2
    assert heartbeat.pulse() is Pulse.HOLD
    heartbeat.beat(1)
    assert heartbeat.pulse() is Pulse.FINE


def test_half_a_second_of_silence_stops(heartbeat, clock):
    heartbeat.begin()
    clock.now += 0.5
    assert heartbeat.pulse() is Pulse.STOP


def test_a_frozen_page_stops_although_its_worker_beats(heartbeat, clock):
    heartbeat.begin()
    heartbeat.beat(7)
    for _ in range(9):
        clock.now += 0.05
        heartbeat.beat(7)
        assert heartbeat.pulse() is Pulse.FINE
    clock.now += 0.05
    heartbeat.beat(7)
    assert heartbeat.pulse() is Pulse.STOP


def test_a_hidden_page_holds_at_once(heartbeat):
    heartbeat.begin()
    heartbeat.pause()
    assert heartbeat.pulse() is Pulse.HOLD
    heartbeat.beat(1)
    assert heartbeat.pulse() is Pulse.FINE


def test_who_ends_to_drive_may_be_silent(heartbeat, clock):
    heartbeat.begin()
    heartbeat.end()
    clock.now += 10
    assert heartbeat.pulse() is Pulse.FINE


@given(st.lists(st.floats(0.001, 0.7), max_size=20))
def test_held_in_time_whatever_the_beats(gaps):
    clock = Clock()
    heartbeat = Heartbeat(clock)
    heartbeat.begin()
    for counter, gap in enumerate(gaps):
        clock.now += gap
        pulse = heartbeat.pulse()
        if gap >= 0.5:
            assert pulse is Pulse.STOP
        elif gap >= 0.15:
            assert pulse in (Pulse.HOLD, Pulse.STOP)
        elif gap < 0.12:
            assert pulse is Pulse.FINE
        heartbeat.beat(counter)


def test_due_tells_when_to_look_again(heartbeat, clock):
    heartbeat.begin()
    clock.now = heartbeat.due()
    assert heartbeat.pulse() is Pulse.HOLD
    clock.now = heartbeat.due()
    assert heartbeat.pulse() is Pulse.STOP


def test_a_config_checks_itself():
    with pytest.raises(ValueError, match="margin < hold < stop"):
        HeartbeatConfig(hold=0.6)
