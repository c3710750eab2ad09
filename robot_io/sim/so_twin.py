"""An SO arm's twin, `python -m robot_io.sim.so_twin`: a simulated body beside the arm, in which motions are rehearsed.

It follows a path as the arm's servos would and watches where the tip really goes, and what touches the table. A bench
that was kept is laid out in it too, so that it also tells what a plan would achieve there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io import messages, so, wire
from robot_io.arm import JointPath, Observation, Refused, Rehearsal, Report, Unsupported
from robot_io.emulation.bench import Bench, packed
from robot_io.emulation.motors import Demand
from robot_io.sim.so101 import JAW_OPEN
from robot_io.sim.so_bench import REACH, BenchMotors
from robot_io.sim.twin import SimTwin, serve
from robot_io.so_bus import BACKSTOP
from robot_io.so_motion import chain

Array = NDArray[Any]
TOLERANCE = 0.012
"""Metres by which the simulated tip may leave the planned way."""
BEHIND = 15
"""Ticks that a servo may be behind: being late is no other way."""
SETTLE = 15
"""Ticks after the end of a path."""
LINKS = ("base", "shoulder", "upper arm", "lower arm", "wrist", "gripper", "jaw")
Planner = Callable[[Array, Array], JointPath]


class SoTwin(SimTwin):
    """The client. `planner` is the arm's own `path_from`."""

    def __init__(self, planner: Planner, *, patience: float = 30.0) -> None:
        super().__init__(patience=patience, module="robot_io.sim.so_twin")
        self._planner = planner

    def observe(self, snapshot: bytes) -> Observation:
        """It has no camera."""
        raise Unsupported("expected the arm's own camera to be asked; its twin has none")

    def path(self, actions: Array, snapshot: bytes) -> JointPath:
        """From the joints of a snapshot."""
        return self._planner(np.array(wire.unpack(snapshot)["joints"][: len(so.JOINTS)]), actions)

    def rehearse(self, actions: Array, snapshot: bytes) -> Rehearsal:
        """Carry a pick and place out on a kept bench."""
        path = self.path(actions, snapshot)
        return messages.rehearsal_of(self._ask("follow", joints=path.joints, gripper=path.gripper, snapshot=snapshot))

    def try_out(self, path: JointPath, joints: Array, gripper: float) -> None:
        """Follow a path from joints (5,); Refused says what went wrong."""
        start = np.array([*joints, jaw_of(gripper)])
        why = self._ask("try", joints=path.joints, gripper=path.gripper, start=start)
        if why:
            raise Refused(f"rehearsed in a simulated arm, {why}; the arm did not begin it. Choose another way")


def jaw_of(gripper: float) -> float:
    """Radians of the jaw for a gripper in [0 open, 1 shut]."""
    return (1.0 - gripper) * JAW_OPEN


class Rehearser:
    """Lives in the process: a body, and what it saw on a path."""

    def __init__(self) -> None:
        self._chain = chain(REACH)

    def follow(self, path: JointPath, start: Array, bench: Bench) -> tuple[BenchMotors, str]:
        """Follow a path from joints (6,) over a bench.

        Returns:
            The body at the end, to be closed, and what went wrong in words; "" if nothing did.
        """
        body = BenchMotors([0.0] * 6, start.tolist(), bench)
        planned, worst, touched = [self._chain.tip(start[:5])], 0.0, set[int]()
        end = path[len(path) - 1]
        for tick in range(len(path) + SETTLE):
            wanted = path[tick] if tick < len(path) else end
            body.advance(1 / so.RATE, _demands(wanted.joints, wanted.gripper))
            planned.append(self._chain.tip(wanted.joints))
            here = self._chain.tip(body.joints[:5])
            worst = max(worst, float(np.min(np.linalg.norm(np.array(planned[-BEHIND:]) - here, axis=1))))
            touched |= _touching(body)
        return body, _words(worst, touched)


def _demands(joints: Array, gripper: float) -> list[Demand]:
    fastest = float(np.max(so.SPEED)) * BACKSTOP
    return [Demand(float(angle), fastest) for angle in (*joints, jaw_of(gripper))]


def _touching(body: BenchMotors) -> set[int]:
    """Links that press on the table; the base stands on it."""
    points = pybullet.getContactPoints(bodyA=body.robot, physicsClientId=body.client)
    return {point[3] for point in points or () if point[2] != body.robot and point[3] >= 0 and point[8] < 0}


def _words(worst: float, touched: set[int]) -> str:
    if touched:
        return f"its {' and its '.join(LINKS[link + 1] for link in sorted(touched))} touched the table"
    if worst > TOLERANCE:
        return f"its tip left the planned way by {1000 * worst:.0f} mm (allowed are {1000 * TOLERANCE:.0f})"
    return ""


def _verbs() -> Mapping[str, Callable[[dict[str, Any]], Any]]:
    rehearser = Rehearser()

    def follow(asked: dict[str, Any]) -> Rehearsal:
        bench, path = Bench(), messages.path_of(asked)
        start = bench.restore(bytes(asked["snapshot"]))
        body, why = rehearser.follow(path, start, bench)
        joints = body.joints
        body.close()
        arrays = {"joints": joints[:5], "gripper": np.array([float(path.gripper[-1])])}
        seen = Observation(len(path) / so.RATE, arrays)
        return Rehearsal(seen, bench.truth(), packed(bench, joints), Report(not why, why, len(path)))

    def try_out(asked: dict[str, Any]) -> str:
        body, why = rehearser.follow(messages.path_of(asked), np.array(asked["start"]), Bench())
        body.close()
        return why

    return {"follow": follow, "try": try_out}


def main() -> int:
    """Answer until stdin ends."""
    return serve(_verbs)


if __name__ == "__main__":
    sys.exit(main())
