"""The emulated servo bus: its registers, its manners, and whatever else may come down a wire."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robot_io.emulation.console import BadCommand, Console
from robot_io.emulation.line_board import LineBoard
from robot_io.emulation.servo import GOAL, LOCK, PRESENT, TORQUE, word
from robot_io.emulation.servo_bus import EVERYBODY, PING, READ, SYNC_READ, SYNC_WRITE, WRITE, checksum, packet
from robot_io.emulation.so101 import RANGES, so101
from robot_io.emulation.terminal import Terminal

chunks = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.builds(lambda body: b"\xff\xff" + body, st.binary(min_size=4, max_size=30)),
        st.builds(lambda n, p: packet(n, READ, p), st.integers(0, 253), st.binary(max_size=4)),
    ),
    min_size=60,
    max_size=90,
)
"""200 examples of these are more than 10,000 byte strings."""


def ask(bus, number, kind, parameters=b"", now=0.0):
    return bus.receive(packet(number, kind, parameters), now)


def test_a_checksum_by_hand():
    assert packet(1, PING) == bytes([0xFF, 0xFF, 1, 2, 1, 0xFB])


def test_ping_tells_who_is_there():
    bus = so101()
    assert ask(bus, 3, PING) == [packet(3, 0)]
    assert ask(bus, 9, PING) == []
    assert [answer[2] for answer in ask(bus, EVERYBODY, PING)] == [1, 2, 3, 4, 5, 6]
    bus.dead.add(3)
    assert ask(bus, 3, PING) == []


def test_its_model_ranges_and_sensors():
    bus = so101()
    (answer,) = ask(bus, 2, READ, bytes([3, 2]))
    assert word(answer[5:7], 0) == 777
    (answer,) = ask(bus, 2, READ, bytes([9, 4]))
    assert (word(answer[5:9], 0), word(answer[5:9], 2)) == RANGES["shoulder_lift"]
    (answer,) = ask(bus, 2, READ, bytes([62, 2]))
    assert answer[5:7] == bytes([120, 30])


def test_a_goal_is_followed_within_its_range_and_switches_torque_on():
    bus = so101()
    servo = bus.servos[0]
    ask(bus, 1, WRITE, bytes([GOAL]) + (4000).to_bytes(2, "little"))
    assert servo.table[TORQUE] == 1
    bus.advance(3.0)
    assert servo.position == RANGES["shoulder_pan"][1]
    assert bus.outside == 1


def test_a_speed_limit_in_the_servo_is_kept():
    bus = so101()
    ask(bus, 1, WRITE, bytes([46]) + (300).to_bytes(2, "little"))
    before = bus.servos[0].position
    ask(bus, 1, WRITE, bytes([GOAL]) + (3000).to_bytes(2, "little"))
    bus.advance(1.0)
    assert abs(bus.servos[0].position - before - 300) <= 1


def test_torque_on_moves_nothing_and_torque_off_lets_a_hand_move_it():
    bus = so101()
    before = bus.servos[1].position
    ask(bus, 2, WRITE, bytes([TORQUE, 1]))
    bus.advance(1.0)
    assert bus.servos[1].position == before
    ask(bus, 2, WRITE, bytes([TORQUE, 0]))
    bus.motors.push(1, bus.motors.angles[1] + 0.5)
    bus.advance(2.0)
    assert bus.servos[1].position == pytest.approx(before + 0.5 * 4096 / 2 / np.pi, abs=1)


def test_sync_write_and_sync_read():
    bus = so101()
    goals = b"".join(bytes([n]) + (2000 + n).to_bytes(2, "little") for n in range(1, 7))
    assert ask(bus, EVERYBODY, SYNC_WRITE, bytes([GOAL, 2]) + goals) == []
    answers = ask(bus, EVERYBODY, SYNC_READ, bytes([PRESENT, 2, 4, 1, 77]), now=5.0)
    assert [answer[2] for answer in answers] == [4, 1]
    assert [word(answer[5:7], 0) for answer in answers] == [2004, 2001]


def test_what_was_written_under_the_lock_is_forgotten_without_power():
    bus = so101()
    ask(bus, 1, WRITE, bytes([21, 99]))
    bus.power_cycle()
    assert bus.servos[0].table[21] == 32
    ask(bus, 1, WRITE, bytes([LOCK, 0]))
    ask(bus, 1, WRITE, bytes([21, 99]))
    bus.power_cycle()
    assert bus.servos[0].table[21] == 99
    assert bus.servos[0].table[TORQUE] == 0


def test_what_may_only_be_read_is_not_written():
    bus = so101()
    ask(bus, 1, WRITE, bytes([3, 1, 1]))
    assert word(bus.servos[0].table, 3) == 777


def test_a_stuck_servo_strains_and_protects_itself():
    bus = so101()
    bus.motors.stuck.add(1)
    ask(bus, 2, WRITE, bytes([GOAL]) + (2500).to_bytes(2, "little"))
    bus.advance(0.5)
    assert bus.servos[1].load > 0.9
    for tick in range(10):
        bus.advance(1.0 + tick / 2)
    assert bus.servos[1].error & 32
    assert bus.servos[1].demand().strength < 0.5


@given(chunks)
@settings(max_examples=200, deadline=None)
def test_noise_moves_nothing_and_the_next_packet_is_heard(noise):
    bus, written = so101(), []
    bus.heard = lambda number, instruction, parameters: written.append(instruction)
    before = list(bus.motors.angles)
    for tick, data in enumerate(noise):
        for answer in bus.receive(data, tick * 0.01):
            assert answer[-1] == checksum(answer[2:-1])
    if not set(written) & {WRITE, 4, 5, SYNC_WRITE}:
        bus.advance(2.0)
        assert bus.motors.angles == before
    assert packet(1, 0) in bus.receive(packet(1, PING), 3.0)


def test_commands_of_the_console():
    rng = np.random.default_rng(0)
    with Terminal(so101(), lambda: 0.0, rng) as terminal:
        console = Console(terminal)
        for line in ("drop 0.1", "late 0.2 0.03", "dead 3", "stall 2", "push 1 0.3", "hot 2 80", "volts 2 5", "power"):
            assert console.obey(line) == "ok"
        assert terminal.faults.delay == 0.03
        assert console.obey("show")["dead"] == [3]
        console.obey("clear")
        assert terminal.faults.drop == 0
        assert console.obey("show")["dead"] == []
        console.obey("unplug")
        assert not terminal.path.exists()
        console.obey("plug")
        assert terminal.path.exists()
        for wrong in ("", "fly", "drop 2", "drop", "hot 99 3", "dead x"):
            with pytest.raises(BadCommand, match="expected"):
                console.obey(wrong)
    with Terminal(LineBoard(), lambda: 0.0, rng) as terminal, pytest.raises(BadCommand, match="servo bus"):
        Console(terminal).obey("dead 3")
