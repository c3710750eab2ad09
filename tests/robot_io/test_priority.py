"""A nice value belongs to a thread; nobody else is pushed back."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from robot_io.priority import BEHIND, be_behind, be_first, be_nice


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it belongs to the process")
def test_only_this_thread_waits():
    before, inside = os.getpriority(os.PRIO_PROCESS, 0), []

    def wait() -> None:
        be_nice(7)
        inside.append(os.getpriority(os.PRIO_PROCESS, 0))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert inside == [7]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it belongs to the process")
@pytest.mark.parametrize(
    ("loop", "own", "wanted"), [(-10, -10, 0), (-10, 5, 5), (0, 0, BEHIND), (0, 10, 10), (10, 0, 10 + BEHIND)]
)
def test_what_draws_stands_behind_the_loop_and_before_no_other_program(monkeypatch, loop, own, wanted):
    got = []
    monkeypatch.setattr(os, "getpriority", lambda _, who: loop if who == 77 else own)
    monkeypatch.setattr(os, "setpriority", lambda _, who, value: got.append((who, value)))
    be_behind(77)
    assert got == [(0, wanted)]


def test_who_may_not_go_first_goes_on_all_the_same(monkeypatch):
    def refuse(*_: int) -> None:
        raise PermissionError

    before = os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(os, "setpriority", refuse)
    be_first()
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
