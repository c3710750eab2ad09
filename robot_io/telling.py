"""What an arm's process tells over plain HTTP: how it does, its last minute, and its shape in space."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from robot_io.access import Tokens
from robot_io.arm import ArmError
from robot_io.live import Live
from robot_io.loop import Loop
from robot_io.safety import SafeArm, Tipped, outside
from robot_io.senses import Shaped

Array = NDArray[Any]
SAMPLES = 1500
"""Poses that are tried to show what an arm reaches."""


class Telling:
    """Answers on the server's event loop; all but the plain state wants the secret of the run file."""

    def __init__(self, loop: Loop, live: Live, tokens: Tokens) -> None:
        self._loop, self._live, self._tokens = loop, live, tokens

    def routes(self) -> list[Route]:
        """GET /health, /diary, /shape."""
        return [Route(f"/{name}", getattr(self, f"_{name}")) for name in ("health", "diary", "shape")]

    def _knows(self, request: Request) -> bool:
        return self._tokens.opens(request.headers.get("x-askback-secret", ""))

    async def _health(self, request: Request) -> Response:
        """What anybody on this machine may know; who drives, only whoever knows the secret."""
        state, lease = self._loop.state, self._live.lease
        told: dict[str, Any] = {"name": state.name, "state": state.phase.value, "why": state.why, "tick": state.tick}
        if self._knows(request):
            told |= {"driver": lease.holder, "asking": lease.asking, "watchers": lease.watchers}
            told |= {"controller": state.controller, "driving": self._loop.heartbeat.driving}
            told |= {"capabilities": sorted(self._loop.arm.features.capabilities)}
        return JSONResponse(told)

    async def _diary(self, request: Request) -> Response:
        if not self._knows(request):
            return _unknown()
        return JSONResponse({"entries": self._live.diary.entries()})

    async def _shape(self, request: Request) -> Response:
        """{"points", "reach", "workspace", "joints"}; no points and no reach for an arm that tells no lengths."""
        if not self._knows(request):
            return _unknown()
        arm = self._loop.arm
        try:
            joints = (await asyncio.wrap_future(self._loop.call(arm.observe)))["joints"]
            points, reach = await asyncio.to_thread(shape, arm, np.asarray(joints))
        except ArmError as error:
            return PlainTextResponse(f"{error}\n", status_code=409)
        limits = arm.features.limits
        told = {"points": points, "reach": reach, "workspace": limits.workspace, "joints": joints}
        return JSONResponse({name: np.round(np.asarray(value), 4).tolist() for name, value in told.items()})


def shape(arm: SafeArm, joints: Array) -> tuple[Array, Array]:
    """Points (K, 3) to draw joints (J,) by, and tips (N, 3) that it reaches within its limits and workspace; metres."""
    inner, limits = arm.arm, arm.features.limits
    points = inner.skeleton(joints) if isinstance(inner, Shaped) else np.zeros((0, 3))
    if not isinstance(inner, Tipped):
        return points, np.zeros((0, 3))
    rng = np.random.default_rng(0)
    tries = rng.uniform(limits.lower, limits.upper, (SAMPLES, len(limits.lower)))
    tips = np.array([inner.tip(row) for row in tries])
    return points, tips[[outside(tip, limits.workspace) == 0.0 for tip in tips]].reshape(-1, 3)


def _unknown() -> Response:
    return PlainTextResponse("expected the secret of the run file in X-Askback-Secret\n", status_code=401)
