"""The firmware sketch, compiled for this machine, answers as its protocol says and as the emulated board does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from robot_io.emulation.line_board import LineBoard
from robot_io.line import Line, decode

ROOT = Path(__file__).resolve().parents[2]
SKETCH = ROOT / "docs/firmware/askback_line/askback_line.ino"
SHIM = ROOT / "tests/robot_io/arduino"


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler to build the sketch with")
    built = tmp_path_factory.mktemp("firmware") / "board"
    flags = ["-std=c++17", "-Wall", "-Werror", "-I", str(SHIM), "-include", "Arduino.h"]
    sources = [str(SHIM / "main.cpp"), "-x", "c++", str(SKETCH)]
    subprocess.run([compiler, *flags, *sources, "-o", str(built)], check=True, timeout=120)
    return built


class Board:
    """The compiled sketch beside the emulated board."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.emulated, self.now, self.number = LineBoard(), 0.0, 0

    def both(self, *words: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        self.number += 1
        line = Line(self.number, words).encode()
        answers = self.real(line)
        (emulated,) = self.emulated.receive(line, self.now)
        assert [a.number for a in answers] == [self.number]
        return answers[0].words, decode(emulated.rstrip()).words

    def real(self, data: bytes) -> list[Line]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(data + b"?\n")
        self.process.stdin.flush()
        answers = []
        while (answer := self.process.stdout.readline()) != b".\n":
            assert answer, "the sketch ended"
            answers.append(decode(answer.rstrip()))
        return answers

    def wait(self, milliseconds: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"@%d\n" % milliseconds)
        self.now += milliseconds / 1000
        self.emulated.advance(self.now)


@pytest.fixture
def board(program):
    board = Board(program)
    yield board
    board.process.stdin.close()
    board.process.wait(5)
    board.process.stdout.close()


def test_it_introduces_itself_alike(board):
    real, emulated = board.both("H")
    assert real[:4] == emulated[:4] == ("ok", "ABL1", "4", "500")
    for joint in range(4):
        real, emulated = board.both("J", str(joint))
        assert real == emulated
    assert board.both("J", "4") == (("no", "range"), ("no", "range"))


@pytest.mark.parametrize(
    "words",
    [("M", "0", "0", "0", "0", "0"), ("M", "0"), ("M", "0", "0", "0", "0", "x"), ("J",), ("Y",), ("QQ",), ("Z",)],
)
def test_it_refuses_alike_while_limp(board, words):
    real, emulated = board.both(*words)
    assert real == emulated


def test_it_moves_holds_stops_and_lets_go_alike(board):
    assert board.both("E")[0] == board.both("E")[1]
    far, near = ("M", "500", "0", "0", "0", "1000"), ("M", "9000", "0", "0", "0", "0")
    assert board.both(*near) == (("no", "range"), ("no", "range"))
    for _ in range(10):
        board.both(*far)
        board.wait(100)
    real, emulated = board.both("Q")
    assert real == ("ok", "A", "500", "0", "0", "0", "1000")
    assert emulated[1] == "A"
    assert abs(int(emulated[2]) - 500) < 5
    board.wait(600)
    assert [answer[1] for answer in board.both("Q")] == ["W", "W"]
    assert [answer[1] for answer in board.both("K")] == ["K", "K"]
    assert [answer[1] for answer in board.both("X")] == ["X", "X"]
    assert board.both(*far) == (("no", "stopped"), ("no", "stopped"))
    assert board.both("Z") == (("no", "stopped"), ("no", "stopped"))
    assert [answer[1] for answer in board.both("R")] == ["K", "K"]
    assert [answer[1] for answer in board.both("Z")] == ["L", "L"]
    assert board.both(*far) == (("no", "limp"), ("no", "limp"))


def test_it_is_never_faster_than_its_table(board):
    board.both("E")
    board.both("M", "1570", "0", "0", "0", "0")
    board.wait(100)
    assert abs(int(board.both("Q")[0][2]) - 200) <= 20


@pytest.mark.parametrize(
    "data", [b"\n", b"hello\n", b"1 Q*0000\n", b"x" * 500 + b"\n", b"*\n", b"1*\n", b"\xff\xfe*12\r\n"]
)
def test_what_is_damaged_is_answered_with_silence(board, data):
    assert board.real(data) == []
    assert board.both("Q")[0][0] == "ok"
