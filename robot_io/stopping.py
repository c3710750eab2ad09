"""Stop from a server's event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from robot_io.loop import Loop

STOP_PATIENCE = 0.01
"""Seconds that a server waits for the command under way before it lets another thread wait: a few ticks' work."""


async def stop_soon(loop: Loop, why: str, aside: Executor) -> int:
    """Stop from an event loop: right here, since every change of thread costs time; aside if a command is under way."""
    tick = loop.stop(why, STOP_PATIENCE)
    if tick is None:
        tick = await asyncio.get_running_loop().run_in_executor(aside, loop.stop, why)
    assert tick is not None
    return tick
