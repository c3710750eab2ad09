"""Whose turn it is when the machine is busy: the loop and STOP go first, pictures last.

On Linux a nice value belongs to a thread, and threads and children inherit that of their maker. Where the kernel groups
processes by session, nice values count within a group only, and the group of a session has one of its own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FIRST = -10
BEHIND = 5
"""How far what draws for people stands behind the control loop."""


def be_first() -> None:
    """Put this thread, and those it will start, before others, where the user is allowed to."""
    _renice(FIRST)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(FIRST))


def be_nice(value: int = 0) -> None:
    """Put this thread, and the processes it will start, back in the queue."""
    _renice(value)


def be_behind(process: int) -> None:
    """Put this thread, and those it will start, behind a process's main one, and before no other program.

    Where a loop may go first, that is among all others: a picture that waited for these would come too late. Who stands
    further back already stays there.
    """
    with suppress(AttributeError, ProcessLookupError):
        own, other = (os.getpriority(os.PRIO_PROCESS, who) for who in (0, process))
        _renice(max(0, other + BEHIND, own))


def _renice(value: int) -> None:
    with suppress(PermissionError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, value)
