"""Every fault has its sentence: each error's, and what each fault of the emulators becomes."""

from __future__ import annotations

import contextlib
from typing import Any, cast

import numpy as np
import pytest

from robot_io import errors
from robot_io.advice import FAULTS, advise
from robot_io.arm import Action, ArmError
from robot_io.diary import Diary
from robot_io.emulation.console import Console
from robot_io.heartbeat import Heartbeat
from robot_io.lenses import Lenses
from robot_io.loop import Loop
from robot_io.safety import SafeArm
from robot_io.senses import Senses
from tests.robot_io.loopback import Bench, arm_on

STILL = {
    "drop 1": {"NoReply", "BadReply"},
    "drop-commands 1": {"NoReply"},
    "corrupt 1": {"NoReply", "BadReply"},
    "late 1 0.2": {"NoReply", "BadReply"},
    "silent on": {"NoReply"},
    "dead 3": {"NoReply"},
    "hot 3 80": {"ServoFault"},
    "volts 3 3.5": {"ServoFault"},
    "power": {"PowerLost"},
    "unplug": {"Unplugged"},
}
"""What a person types at the emulator → what the arm tells while it stands still."""
MOVING = {**STILL, "stall 2": {"Stalled"}}
LENS = {"camera"}
"""The camera's faults: `test_camera_faults.py` has them, with a real picture."""
HARMLESS = {"alive", "turn", "leader", "free", "push", "plug", "clear", "show", "help"}
ANY_BOARD = {"drop 1", "drop-commands 1", "corrupt 1", "late 1 0.2", "silent on", "power", "unplug"}
"""Those that a line board knows, too; a board that starts anew lets the arm hang until it is released."""


class BenchTerminal:
    """The emulator's console at a bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.board, self.faults, self.wire = bench, bench.board, bench.faults, bench.wire
        self.lock = contextlib.nullcontext()
        self.plugged = True

    def unplug(self) -> None:
        self.bench.there = False

    def plug(self) -> None:
        self.bench.there = True


class Felt:
    """An arm on a bench, felt as the arm process feels it."""

    def __init__(self, kind: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench = Bench(kind)
        self.safe = SafeArm(arm_on(self.bench, path, monkeypatch))
        self.loop = Loop(self.safe, Heartbeat(self.bench.clock), self.bench.clock)
        self.senses = Senses(self.loop, Diary(), self.bench.clock, self.bench.clock, Lenses({}))
        self.console = Console(cast(Any, BenchTerminal(self.bench)))

    def feel(self, seconds: float = 3.0, *, move: bool = False) -> str:
        """What the arm tells within so many seconds; "" if nothing is wrong."""
        end, n = self.bench.time + seconds, 0
        while self.bench.time < end and self.loop.state.why == "":
            n += 1
            self.bench.time += 0.03
            if move:
                self.step(n)
            if n % 3 == 0 and self.loop.state.why == "":
                self.senses.feel()
        return self.loop.state.why

    def step(self, n: int) -> None:
        limits = self.safe.features.limits
        middle = (limits.lower + limits.upper) / 2
        try:
            self.safe.send(Action(middle + 0.4 * np.sin(n / 15 + np.arange(len(middle)))))
        except ArmError as error:
            self.loop.fail(error)


@pytest.fixture
def port(tmp_path) -> str:
    (tmp_path / "port").touch()
    return str(tmp_path / "port")


def test_every_error_has_a_title_and_something_to_do():
    known = {n for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, ArmError)}
    assert known == set(FAULTS)
    for title, do in FAULTS.values():
        assert title
        assert not title.endswith(".")
        assert do.endswith(".")


def test_what_nobody_foresaw_is_told_as_it_came():
    assert advise("ZeroDivisionError: division by zero")["message"] == "ZeroDivisionError: division by zero"
    assert advise("restarted")["fault"] == "ArmError"


def test_every_command_of_the_emulator_is_known_here(port, monkeypatch):
    commands = set(Felt("feetech", port, monkeypatch).console._commands)
    assert commands == {line.split()[0] for line in MOVING} | HARMLESS | LENS


@pytest.mark.parametrize("fault", STILL)
def test_an_arm_that_stands_tells_every_fault(fault, port, monkeypatch):
    felt = Felt("feetech", port, monkeypatch)
    assert felt.feel(2.0) == ""
    felt.console.obey(fault)
    assert advise(felt.feel())["fault"] in STILL[fault]


@pytest.mark.parametrize(
    ("fault", "words"), [("corrupt 1", "every servo's answer is damaged"), ("silent on", "no servo answers")]
)
def test_a_bad_wire_and_no_supply_are_told_apart(fault, words, port, monkeypatch):
    felt = Felt("feetech", port, monkeypatch)
    assert felt.feel(2.0) == ""
    felt.console.obey(fault)
    assert words in felt.feel()


@pytest.mark.parametrize("fault", MOVING)
def test_an_arm_that_moves_tells_every_fault(fault, port, monkeypatch):
    felt = Felt("feetech", port, monkeypatch)
    assert felt.feel(2.0, move=True) == ""
    felt.console.obey(fault)
    assert advise(felt.feel(move=True))["fault"] in MOVING[fault]
    assert felt.safe.stopped


@pytest.mark.parametrize("fault", sorted(ANY_BOARD))
def test_a_line_board_tells_its_faults(fault, port, monkeypatch):
    felt = Felt("line", port, monkeypatch)
    assert felt.feel(1.0, move=True) == ""
    felt.console.obey(fault)
    assert advise(felt.feel(move=True))["fault"] in MOVING[fault] | {"Unplugged"}


@pytest.mark.parametrize("fault", ["power", "unplug", "hot 3 80", "stall 2"])
def test_after_the_fault_a_release_is_enough(fault, port, monkeypatch):
    felt = Felt("feetech", port, monkeypatch)
    felt.console.obey(fault)
    assert felt.feel(move=True)
    for line in ("plug", "clear", "hot 3 30"):
        felt.console.obey(line)
    felt.loop.release()
    assert felt.feel(2.0, move=True) == ""
    assert all(felt.bench.board.show()["torque"])
