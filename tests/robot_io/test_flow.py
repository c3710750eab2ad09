"""Who drives tick by tick: streams, hand-overs, small moves, ways retraced; in memory, without time."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import Action, ArmError, BadAction, Stopped
from robot_io.errors import Driven
from robot_io.fake import HOME, LIMITS, FakeArm
from robot_io.flow import Flow, Mode
from robot_io.memory import Memory
from robot_io.safety import SafeArm
from robot_io.teleop import SETTLE, SPREAD, Command


class Bench:
    """The control loop's part of a tick, without time."""

    def __init__(self) -> None:
        self.time, self.tick = 0.0, 0
        self.arm = SafeArm(FakeArm())
        self.arm.connect()
        self.flow = Flow(self.arm, lambda: self.time)
        self.memory = Memory(self.arm, lambda: self.time)
        self.memory.record(True, 0)

    def turn(self, ticks: int = 1) -> int:
        """Some ticks' time; returns how many had something to do."""
        done = 0
        for _ in range(ticks):
            self.time += 1 / 60
            mode, action = self.flow.mode, self.flow.next()
            if action is None:
                continue
            before = self.memory.before(self.tick)
            sent = self.arm.send(action)
            self.tick, done = self.tick + 1, done + 1
            self.memory.after(before, self.tick, mode.value, action, sent)
            self.flow.sent(sent)
        return done

    def stream(self, rows, start=None, every=1, kind="joints"):
        return self.flow.stream(np.asarray(rows), self.tick, start=start, every=every, kind=kind)

    @property
    def joints(self):
        return self.arm.observe()["joints"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def ramp(ticks: int, step: float = 0.001, start: float = HOME[0]) -> np.ndarray:
    rows = np.tile(np.append(HOME, 0.0), (ticks, 1))
    rows[:, 0] = start + step * np.arange(1, ticks + 1)
    return rows


def test_a_chunk_is_carried_out_and_then_the_arm_stays(bench):
    assert bench.stream(ramp(5)) == 5
    assert bench.turn(9) == 5
    np.testing.assert_allclose(bench.joints[0], HOME[0] + 0.005)
    assert not bench.flow.waits


def test_a_chunk_is_appended(bench):
    bench.stream(ramp(5))
    bench.turn(2)
    assert bench.stream(ramp(5, start=HOME[0] + 0.005)) == 10
    assert bench.turn(20) == 8


def test_a_chunk_takes_the_place_of_what_is_left_from_a_tick_on(bench):
    bench.stream(ramp(10))
    bench.turn(3)
    assert bench.stream(ramp(4, step=-0.001, start=HOME[0] + 0.005), start=5) == 9
    bench.turn(20)
    assert bench.tick == 9
    np.testing.assert_allclose(bench.memory.recording.since(0)["executed"][:, 0] - HOME[0],
                               [0.001, 0.002, 0.003, 0.004, 0.005, 0.004, 0.003, 0.002, 0.001])  # fmt: skip


def test_a_late_chunk_joins_in_step(bench):
    bench.stream(ramp(8))
    bench.turn(6)
    bench.stream(ramp(8), start=2)
    bench.turn(1)
    np.testing.assert_allclose(bench.joints[0], HOME[0] + 0.005)


def test_rows_at_half_the_rate_are_reached_in_equal_steps(bench):
    bench.stream(ramp(2, step=0.004), every=2)
    bench.turn(4)
    np.testing.assert_allclose(np.diff(bench.memory.recording.since(0)["executed"][:, 0]), 0.002)


def test_moves_of_the_tip(bench):
    bench.stream([[0.004, 0.0, -0.002, 0.0, 1.0]], every=2, kind="tip")
    bench.turn(2)
    np.testing.assert_allclose(bench.joints - HOME, [0.004, 0, -0.002, 0])
    assert bench.arm.observe()["gripper"][0] == 1


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        (np.zeros((3, 4)), {}), (np.zeros((0, 5)), {}), (np.full((2, 5), np.nan), {}), (np.zeros((2, 5)), {"every": 0}),
        (np.zeros((2, 5)), {"kind": "dance"}), (np.zeros((2, 5)), {"start": 7}), (np.zeros((2, 5)), {"start": -3}),
        (np.zeros((6001, 5)), {}),
    ],
)  # fmt: skip
def test_rows_that_are_none_are_refused_and_change_nothing(bench, rows, more):
    bench.stream(ramp(3))
    with pytest.raises(BadAction, match="expected"):
        bench.stream(rows, **more)
    assert bench.turn(9) == 3


def test_taking_over_stops_the_stream_at_once_and_never_jumps(bench):
    bench.stream(ramp(30, step=0.03))
    waiting = bench.flow.until(0)
    bench.turn(10)
    bench.flow.take_over()
    assert waiting.result(0) == "a person took over"
    assert bench.turn(5) == 0
    bench.flow.push(Command.of([0.0, 0.01, 0.0, 0.0]))
    bench.turn(30)
    executed = bench.memory.recording.since(0)
    steps = np.abs(np.diff(executed["executed"][:, :4], axis=0))
    assert np.all(steps <= LIMITS.speed / 60 + 1e-9)
    human = executed["controller"] == executed["controllers"].index("human")
    assert human.sum() == SPREAD + SETTLE
    np.testing.assert_allclose(executed["executed"][9, :4] + [0, 0.01, 0, 0], executed["executed"][-1, :4])


def test_while_a_person_drives_nothing_streams_and_after_it_the_chunk_is_empty(bench):
    bench.stream(ramp(30))
    bench.flow.take_over()
    with pytest.raises(Driven, match="by hand"):
        bench.stream(ramp(3))
    bench.flow.finish("handed back")
    assert not bench.flow.busy
    assert bench.stream(ramp(3)) == bench.tick + 3


def test_the_gripper_toggles(bench):
    for wanted in (1.0, 0.0):
        bench.flow.push(Command.of([0, 0, 0, 0], "toggle"))
        bench.turn(2)
        assert bench.arm.observe()["gripper"][0] == wanted


def test_what_waits_never_grows_beyond_one_large_command(bench):
    for _ in range(50):
        bench.flow.push(Command.of([0.05, 0, 0, 0]))
    bench.turn(60)
    assert bench.joints[0] - HOME[0] <= 0.05 + 1e-9


@pytest.mark.parametrize("delta", [[0.2, 0, 0, 0], [0, 0, 0], [np.nan, 0, 0, 0]])
def test_a_command_that_is_none_is_refused(delta):
    with pytest.raises(BadAction, match="expected"):
        Command.of(delta)


def test_while_held_commands_are_forgotten(bench):
    bench.flow.push(Command.of([0.03, 0, 0, 0]))
    bench.flow.watch(held="no beat")
    assert bench.turn(9) == 0


def test_who_waits_for_ticks_hears_that_they_are_held_and_the_rows_stay(bench):
    bench.stream(ramp(6))
    waiting = bench.flow.until(0)
    bench.turn(2)
    bench.flow.watch(held="camera over is gone")
    assert waiting.result(0) == "camera over is gone" == bench.flow.until(0).result(0)
    bench.flow.watch(held="")
    assert bench.flow.mode is Mode.POLICY and not bench.flow.until(0).done()
    assert bench.turn(9) == 4


def test_a_stop_ends_whoever_drives(bench):
    bench.stream(ramp(30))
    bench.arm.stop("enough")
    with pytest.raises(Stopped):
        bench.turn()
    bench.flow.watch(held="")
    assert bench.flow.mode is Mode.NOBODY
    assert "enough" in bench.flow.note


def retracing(bench: Bench, to: int | None = None) -> None:
    bench.flow.take_over()
    bench.flow.go_back(*bench.memory.recording.back(to, 1000))


def test_retracing_goes_back_slowly_while_the_key_is_held(bench):
    bench.stream(ramp(20, step=0.01))
    bench.turn(20)
    retracing(bench, to=5)
    assert bench.turn(9) == 0
    for _ in range(60):
        bench.flow.key()
        bench.turn()
    assert bench.flow.mode is Mode.HUMAN
    assert bench.flow.note == "it is back"
    np.testing.assert_allclose(bench.joints[0], HOME[0] + 0.05)
    frames = bench.memory.recording.since(20)
    assert {frames["controllers"][c] for c in frames["controller"]} == {"retrace"}
    assert np.max(np.abs(np.diff(frames["executed"][:, 0]))) < 0.0034


def test_retracing_pauses_when_the_key_is_let_go(bench):
    bench.stream(ramp(20, step=0.01))
    bench.turn(20)
    retracing(bench)
    bench.flow.key()
    assert 8 <= bench.turn(30) <= 9
    assert bench.flow.mode is Mode.RETRACE


def test_retracing_stops_before_the_gripper_would_open(bench):
    rows = ramp(20, step=0.01)
    rows[10:, -1] = 1.0
    bench.stream(rows)
    bench.turn(20)
    retracing(bench)
    for _ in range(60):
        bench.flow.key()
        bench.turn()
    assert "gripper" in bench.flow.note
    assert bench.arm.observe()["gripper"][0] == 1.0
    assert bench.joints[0] >= HOME[0] + 0.11 - 1e-9


def test_without_a_recording_there_is_no_way_back(bench):
    bench.flow.take_over()
    with pytest.raises(BadAction, match="recorded"):
        bench.flow.go_back(*bench.memory.recording.back(None, 100))
    assert bench.flow.mode is Mode.HUMAN


def test_only_who_drives_may_retrace(bench):
    bench.stream(ramp(20))
    bench.turn(20)
    with pytest.raises(Driven, match="take over"):
        bench.flow.go_back(*bench.memory.recording.back(None, 100))


def test_frames_come_in_pages(bench):
    bench.stream(ramp(50))
    bench.turn(50)
    first = bench.memory.recording.since(-1, 20)
    assert first["tick"].tolist() == list(range(1, 21))
    assert first["last"] == 50
    assert bench.memory.recording.since(20, 100)["tick"].tolist() == list(range(21, 51))
    assert len(bench.memory.recording.since(50).get("tick", ())) == 0
    assert first["observation"]["joints"].shape == (20, 4)


def test_an_hour_is_kept_and_no_more(bench):
    from robot_io.recording import BLOCK, Recording

    recording = bench.memory.recording = Recording(limit=2 * BLOCK)
    for _ in range(4):
        bench.stream(ramp(BLOCK, step=0.0))
        bench.turn(BLOCK)
    assert recording.span()["last"] - recording.span()["first"] < 3 * BLOCK
    with pytest.raises(ArmError, match="expected a recorded tick"):
        recording.row(1)


def test_nothing_is_recorded_while_it_is_off(bench):
    bench.memory.record(False, bench.tick)
    bench.stream(ramp(5))
    bench.turn(5)
    assert bench.memory.recording.span() == {"first": -1, "last": -1}
    assert isinstance(bench.arm.send(Action(HOME)), Action)
