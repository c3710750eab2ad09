"""A nice value belongs to a thread; nobody else is pushed back."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from robot_io.priority import be_first, be_nice


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


def test_who_may_not_go_first_goes_on_all_the_same(monkeypatch):
    def refuse(*_: int) -> None:
        raise PermissionError

    before = os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(os, "setpriority", refuse)
    be_first()
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
