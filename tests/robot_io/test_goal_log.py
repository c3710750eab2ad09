"""What an emulated bus was told to do, and when, in the words that a stop is judged by."""

from __future__ import annotations

from robot_io.emulation.goal_log import GoalLog
from robot_io.emulation.servo import GOAL
from robot_io.emulation.servo_bus import SYNC_WRITE, WRITE, packet
from robot_io.emulation.so101 import so101


def goals(*rows: tuple[int, int]) -> bytes:
    """A sync write of goals: (servo, steps)."""
    body = b"".join(bytes([number]) + steps.to_bytes(2, "little") for number, steps in rows)
    return packet(0xFE, SYNC_WRITE, bytes([GOAL, 2]) + body)


def test_it_tells_how_far_the_furthest_joint_was_asked_to_go_and_leaves_out_the_gripper():
    time = [5.0]
    bus = so101()
    log = GoalLog(bus, lambda: time[0])
    here = {servo.number: servo.position for servo in bus.servos}
    bus.receive(goals((1, here[1] + 40), (2, here[2] - 7)), 0.0)
    time[0] = 6.0
    bus.receive(goals((1, here[1]), (6, here[6] + 300)), 0.001)
    bus.receive(packet(1, WRITE, bytes([41, 0])), 0.002)
    first, second = log.since(0.0)
    assert (first[0], first[1]) == (5.0, 40)
    assert second[0] == 6.0
    assert second[1] <= 2
    assert log.since(5.5) == [second]
    assert len(log.angles()) == 6
