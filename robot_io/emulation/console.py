"""Words a person types at an emulator: what goes wrong from now on, and what it looks like inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from robot_io.emulation.faults import Faults
from robot_io.emulation.line_board import LineBoard
from robot_io.emulation.motors import Lagging
from robot_io.emulation.servo_bus import ServoBus
from robot_io.emulation.terminal import Terminal

HAND = 0.8
"""Radians per second at which a hand turns a joint."""
LENS = ("fine", "stall", "freeze", "gone")
"""What an emulated bench's camera does."""
HELP = """drop SHARE            answers that lose one byte, 0 to 1
drop-commands SHARE   commands that lose one byte
corrupt SHARE         answers with a wrong byte
late SHARE [SECONDS]  answers that come late (0.05 s)
silent on|off         no answers at all
dead N | alive N      a servo that is not there, and back (so101)
stall N | free N      a joint that does not move, and back
push N RADIANS        a hand puts a joint somewhere
turn N BY [SPEED]     a hand turns a joint by so many radians, at 0.8 a second or as told
hot N CELSIUS         a servo's temperature (so101)
volts N VOLTS         a servo's supply (so101)
leader WORDS          any of these, of the leader arm beside it (so101 --leader)
camera stall|freeze|gone|fine   no pictures, the same one for ever, no camera; and back (so101 --bench)
power                 the supply off and on again
unplug | plug         the cable
clear                 a perfect wire, every servo there, nothing stuck
show                  what it looks like inside
help, quit"""


class BadCommand(ValueError):
    """Words that are no command; says which there are."""


class Console:
    """Turns a typed line into a fault; returns what to print, as plain values."""

    def __init__(self, terminal: Terminal, leader: Console | None = None) -> None:
        self._terminal, self._leader = terminal, leader
        self._board = terminal.board
        faults: Faults = terminal.faults
        self._commands: dict[str, Callable[[Sequence[str]], Any]] = {
            "drop": lambda words: setattr(faults, "drop", _share(words)),
            "drop-commands": lambda words: setattr(faults, "drop_commands", _share(words)),
            "corrupt": lambda words: setattr(faults, "corrupt", _share(words)),
            "late": self._late,
            "silent": lambda words: setattr(faults, "silent", words[0] == "on"),
            "dead": lambda words: self._bus().dead.add(int(words[0])),
            "alive": lambda words: self._bus().dead.discard(int(words[0])),
            "stall": lambda words: self._motors().stuck.add(int(words[0]) - 1),
            "free": lambda words: self._motors().stuck.discard(int(words[0]) - 1),
            "push": lambda words: self._board_motors().push(int(words[0]) - 1, float(words[1])),
            "turn": self._turn,
            "leader": self._led,
            "hot": lambda words: setattr(self._servo(words[0]).wear, "temperature", float(words[1])),
            "volts": lambda words: setattr(self._servo(words[0]).wear, "volts", float(words[1])),
            "camera": lambda words: self._lens(words[0]),
            "power": lambda words: self._power(),
            "unplug": lambda words: terminal.unplug(),
            "plug": lambda words: terminal.plug(),
            "clear": lambda words: self._clear(),
            "show": lambda words: self.show(),
            "help": lambda words: HELP,
        }

    def obey(self, line: str) -> Any:
        """Carry out a line.

        Raises:
            BadCommand: it is none.
        """
        words = line.split()
        if not words or words[0] not in self._commands:
            raise BadCommand(f"expected one of {', '.join(self._commands)}, quit; got {line.strip()!r}")
        try:
            with self._terminal.lock:
                answer = self._commands[words[0]](words[1:])
        except (IndexError, ValueError) as error:
            raise BadCommand(f"expected values as `help` lists them, got {line.strip()!r} ({error})") from error
        return "ok" if answer is None else answer

    def show(self) -> dict[str, Any]:
        """Everything worth knowing."""
        self._terminal.advance()
        wire = self._terminal.wire
        told: dict[str, Any] = {
            "plugged": self._terminal.plugged,
            "dropped": wire.dropped,
            "corrupted": wire.corrupted,
            "late": wire.delayed,
        }
        return told | self._board.show()

    def _bus(self) -> ServoBus:
        if not isinstance(self._board, ServoBus):
            raise BadCommand("expected an emulated servo bus for that, got a line board")
        return self._board

    def _servo(self, number: str) -> Any:
        found = [servo for servo in self._bus().servos if servo.number == int(number)]
        if not found:
            raise BadCommand(f"expected the number of a servo, got {number}")
        return found[0]

    def _board_motors(self) -> Any:
        if isinstance(self._board, ServoBus | LineBoard):
            return self._board.motors
        raise BadCommand("expected a board with motors")

    def _motors(self) -> Lagging:
        motors = self._board_motors()
        if not isinstance(motors, Lagging):
            raise BadCommand("expected motors that can be stuck; this body has its own physics")
        return motors

    def _turn(self, words: Sequence[str]) -> None:
        self._motors().turn(int(words[0]) - 1, float(words[1]), float(words[2]) if len(words) > 2 else HAND)

    def _led(self, words: Sequence[str]) -> Any:
        if self._leader is None:
            raise BadCommand("expected an emulator with a leader; start it with --leader")
        return self._leader.obey(" ".join(words))

    def _lens(self, fault: str) -> None:
        bench = getattr(self._board_motors(), "bench", None)
        if bench is None or fault not in LENS:
            raise BadCommand(f"expected one of {', '.join(LENS)} on an emulator with --bench, got {fault!r}")
        bench.lens = fault

    def _late(self, words: Sequence[str]) -> None:
        self._terminal.faults.late = _share(words)
        if len(words) > 1:
            self._terminal.faults.delay = float(words[1])

    def _power(self) -> None:
        self._board.power_cycle()

    def _clear(self) -> None:
        self._terminal.faults.clear()
        if (bench := getattr(self._board_motors(), "bench", None)) is not None:
            bench.lens = LENS[0]
        if isinstance(self._board, ServoBus):
            self._board.dead.clear()
        motors = self._board_motors()
        if isinstance(motors, Lagging):
            motors.stuck.clear()


def _share(words: Sequence[str]) -> float:
    share = float(words[0])
    if not 0 <= share <= 1:
        raise ValueError(f"expected a share in [0, 1], got {share}")
    return share
