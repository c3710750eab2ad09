"""A real small server that speaks a rollout lesson's wire and the arm's: time passes in it, a person may drive.

An implementation of the wires (docs/design/0002-wires.md, 0011-rollout-lesson.md) whose arm is a number that grows.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import io
import json
import struct
import time
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io.sim.cameras import EYES, eye_of, views
from tests.pages.drawn_table import uri
from tests.pages.fake_host import FakeServer

RATE = 60
STEP = 0.05
MOVES = {"policy": "policy", "recovery": "recovery", "correction": "correction", "demonstration": "demo"}
CAN = {
    "ready": ["start", "demonstrate", "next", "undo", "train", "gate"],
    "policy": ["abort", "rewind", "gate", "train"],
    "calling": ["abort", "go", "rewind"],
    "recovery": ["recovered", "fumble", "rewind", "return"],
    "correction": ["done", "failed_again", "fumble", "rewind", "return"],
    "demonstration": ["done", "fumble"],
}
TURNS = {
    ("ready", "start"): "policy", ("ready", "demonstrate"): "demonstration", ("recovery", "recovered"): "correction",
    ("correction", "failed_again"): "recovery", ("correction", "done"): "ready", ("demonstration", "done"): "ready",
    ("recovery", "fumble"): "ready", ("correction", "fumble"): "ready", ("demonstration", "fumble"): "ready",
    ("policy", "abort"): "ready", ("calling", "abort"): "ready", ("calling", "go"): "policy",
    ("policy", "rewind"): "correction", ("recovery", "rewind"): "correction", ("correction", "rewind"): "correction",
}  # fmt: skip


def heat() -> str:
    """Where demonstrated grippers would be, as the side camera sees it."""
    y, x = np.mgrid[0:60, 0:80]
    strength = np.exp(-((x - 40) ** 2 + (y - 34) ** 2) / 120)
    layer = np.zeros((60, 80, 4), np.uint8)
    layer[..., :3], layer[..., 3] = (255, 176, 0), (180 * strength).astype(np.uint8)
    return uri(Image.fromarray(layer), "PNG")


class FakeRollout:
    """One episode after another; ticks pass while the policy works or a person drives."""

    def __init__(self, protocol: str = "rac") -> None:
        self.intents: list[dict[str, Any]] = []
        self.holder: str | None = None
        self.watching: dict[WebSocket, dict[str, str]] = {}
        self.refuse: str | None = None
        self.delay, self.silent = 0.02, False
        self.tick = 0
        self.branches: list[dict[str, Any]] = []
        self.view: dict[str, Any] = {
            "kind": "rollout",
            "lesson": {"name": "fake", "task": "peg-and-button", "arm": "sim:panda", "teacher": "Ana",
                       "protocol": protocol},
            "phase": "ready", "message": "", "can": CAN["ready"], "episode": None,
            "timeline": {"segments": [], "tick": [], "doubt": [], "familiar": []},
            "threshold": 0.6, "familiar": None, "proposal": None, "boundary": None, "branches": [],
            "can_rewind": True, "heat": {"camera": "side", "image": heat()},
            "round": {"number": 3, "planned": 6, "collected": 14, "wanted": 20, "episodes": 31,
                      "frames": {"recovery": 2140, "correction": 2980, "demo": 6000}},
            "rounds": [{"round": n, "version": n, "episodes": 30, "interventions": 20, "auto_successes": 4 + 5 * n,
                        "failures": 3, "human_frames": 5200, "ratio": 0.7,
                        "success": {"k": 4 + 5 * n, "n": 30, "low": 0.1 + 0.15 * n, "high": 0.3 + 0.16 * n}}
                       for n in range(3)],
            "recent": [], "gate": {"kind": "never", "target": 0.9, "mode": "success", "threshold": None,
                                   "promise": "you watch: it does not call for help"},
            "call": None, "training": {"state": "idle", "progress": 0.0, "message": "", "version": 3,
                                       "running_version": 3},
            "counts": {}, "lease": {}, "disk": {"free_bytes": 8_000_000_000, "warning": ""}, "saved": 0,
        }  # fmt: skip

    def take(self, intent: dict[str, Any], session: str) -> dict[str, Any]:
        """The acknowledgement of an intent."""
        self.intents.append(intent)
        do = intent["do"]
        if do == "lease":
            self.holder = {"take": session, "drop": None}.get(intent["lease"], self.holder)
            return {"type": "ack", "id": intent["id"], "ok": True, "seq": None}
        error = self.refuse
        if self.holder not in (None, session):
            error = "somebody else supervises; ask for the turn first"
        elif do not in CAN.get(self.view["phase"], []):
            error = f"expected another moment for {do}, got {self.view['phase']}"
        if error:
            return {"type": "ack", "id": intent["id"], "ok": False, "error": error}
        self._carry_out(do, intent)
        return {"type": "ack", "id": intent["id"], "ok": True, "seq": self.view["saved"]}

    def _carry_out(self, do: str, intent: dict[str, Any]) -> None:
        view, before = self.view, self.view["phase"]
        phase = TURNS.get((before, do), before)
        if before == "ready" and phase != "ready":
            self._begin()
        if do == "rewind":
            self._rewind(int(intent["tick"]))
        if phase == "ready" and before != "ready":
            view["saved"] += 1
            end = {"done": "intervened", "fumble": "discarded", "abort": "discarded"}[do]
            number = view["episode"]["number"]
            view["recent"].append({"episode": number, "end": end, "interventions": 1, "seconds": 12, "undone": False})
        self.enter(phase)

    def enter(self, phase: str) -> None:
        """Another phase."""
        self.view |= {"phase": phase, "can": CAN.get(phase, [])}
        self.view["call"] = {"why": "its doubt is high", "since": time.time()} if phase == "calling" else None

    def _begin(self) -> None:
        number = (self.view["episode"] or {"number": 0})["number"] + 1
        self.branches = [{"first": self.tick + 1, "last": self.tick + 1, "parent": self.tick, "live": True}]
        self.view["episode"] = {"number": number, "goal": "put the peg in the slot and press the button", "rate": RATE,
                                "tick": self.tick, "first": self.tick + 1, "subtasks": ["insert", "release", "press"],
                                "stage": 0, "progress": 0.0, "success": None}  # fmt: skip
        self.view["timeline"] = {"segments": [], "tick": [], "doubt": [], "familiar": []}
        self.view |= {"proposal": None, "boundary": None}

    def _rewind(self, tick: int) -> None:
        self.branches[-1]["live"] = False
        self.branches.append({"first": self.tick + 1, "last": self.tick + 1, "parent": tick, "live": True})
        line = self.view["timeline"]
        for name in ("doubt", "familiar", "tick"):
            line[name] = [v for v, t in zip(line[name], line["tick"], strict=True) if t <= tick]
        line["segments"] = [s | {"stop": min(s["stop"], tick + 1)} for s in line["segments"] if s["start"] <= tick]
        self.view["episode"]["tick"] = tick

    def pass_time(self, ticks: int) -> None:
        """Ticks pass, by whoever drives."""
        view = self.view
        kind, line = MOVES[view["phase"]], view["timeline"]
        self.tick += ticks
        self.branches[-1]["last"] = self.tick
        view["episode"]["tick"] = self.tick
        if not line["segments"] or line["segments"][-1]["kind"] != kind:
            first = self.tick - ticks + 1
            line["segments"].append({"kind": kind, "start": first, "stop": self.tick, "intervention": 1})
        line["segments"][-1]["stop"] = self.tick + 1
        age = (self.tick - view["episode"]["first"]) / RATE
        doubt = 0.15 + 0.1 * np.sin(age) + 0.6 * (kind == "policy") / (1 + np.exp(4 - 2 * age))
        line["tick"].append(self.tick)
        line["doubt"].append(float(doubt))
        line["familiar"].append(float(np.clip(1.1 - doubt, 0, 1)))
        view["familiar"] = line["familiar"][-1]
        if kind == "policy" and age > 2.5:
            tick = view["episode"]["first"] + RATE
            view["proposal"] = {"tick": tick, "seconds_ago": age - 1, "why": "familiar, before the doubt rose"}
        if kind == "recovery" and len(line["tick"]) > 5:
            view["boundary"] = {"tick": self.tick - 6, "why": "nearest to what was shown"}

    def seen_by(self, session: str) -> dict[str, Any]:
        """The view as one session sees it."""
        view = copy.deepcopy(self.view)
        view["branches"] = copy.deepcopy(self.branches)
        view["lease"] = {"holder": self.holder and "Ana", "you": self.holder == session, "asking": None,
                         "watchers": max(len({w["session"] for w in self.watching.values()}) - 1, 0)}  # fmt: skip
        return view


class RolloutServer(FakeServer):
    """Serves a FakeRollout and an arm with two cameras that a person may drive."""

    def begin_anew(self) -> None:
        """A fresh lesson and an arm that nobody drives."""
        before = getattr(self, "lesson", None)
        self.lesson: Any = FakeRollout()
        if before is not None:
            self.lesson.tick, self.lesson.watching = before.tick, before.watching
            self.lesson.holder = "s1" if before.watching else None
        self.arm |= {"phase": "idle", "why": "", "beats": 0, "stops": [], "driver": None, "driving": False,
                     "moves": [], "retraced": [], "hidden": 0, "moved": 0.0}  # fmt: skip

    async def _live(self, socket: WebSocket) -> None:
        await socket.accept()
        first = await socket.receive_json()
        if first["token"] != self.TOKEN:
            return await socket.close(4401, "bad token")
        seen = {name: {"matrix": view.matrix, "follows": view.follows} for name, view in views().items()}
        hello = {"name": "Panda", "cameras": ["side", "front"], "simulated": True, "rate": RATE, "views": seen}
        await socket.send_text(json.dumps({"type": "hello", "role": "drive", "features": hello}))
        sender = asyncio.create_task(self._time(socket, first["session"]))
        try:
            while True:
                message = await socket.receive_json()
                self._told(message | {"session": first["session"]})
                if message["type"] == "stop":
                    await socket.send_text(json.dumps({"type": "stopped", "id": message["id"], "tick": 1}))
                if message["type"] in ("stop", "release", "drive", "lease"):
                    await socket.send_text(json.dumps(self._state_for(first["session"])))
        except WebSocketDisconnect:
            sender.cancel()

    def _told(self, message: dict[str, Any]) -> None:
        super()._told(message)
        session, arm = message["session"], self.arm
        if message["type"] == "lease" and message["do"] == "take" and arm["driver"] in (None, session):
            arm["driver"] = session
        if message["type"] == "drive" and "on" in message and arm["driver"] == session:
            arm["driving"] = message["on"]
            if message["on"] and self.lesson.view["phase"] in ("policy", "calling"):
                self.lesson.enter("recovery")
        if message["type"] == "drive" and "delta" in message:
            arm["moves"].append(message | {"late": time.time() - message["t"]})
            arm["moved"] = time.time()
        if message["type"] == "retrace":
            arm["retraced"].append(message["do"])
        if message["type"] == "hidden":
            arm["hidden"] += 1

    def _state_for(self, session: str) -> dict[str, Any]:
        phase = self.lesson.view["phase"]
        going = phase == "policy" or time.time() - self.arm["moved"] < 0.2
        here = self.arm["phase"] if self.arm["phase"] == "stopped" else "moving" if going else "idle"
        driving = self.arm["driving"]
        return {"type": "state", "phase": here, "why": self.arm["why"], "name": "Panda", "tick": self.lesson.tick,
                "driver": self.arm["driver"], "watchers": 1, "time": time.time(), "driving": driving,
                "you": "drive" if self.arm["driver"] == session else "watch",
                "controller": "human" if driving else "policy" if phase == "policy" else "nobody"}  # fmt: skip

    async def _time(self, socket: WebSocket, session: str) -> None:
        n = 0
        while True:
            moves = self._passes()
            if moves:
                self.lesson.pass_time(round(RATE * STEP))
            if n % 4 == 0:
                await socket.send_text(json.dumps(self._state_for(session)))
                with contextlib.suppress(KeyError):
                    await self._show()
            if self.frames and ((moves and n % 2 == 0) or n % 20 == 0):
                for camera in range(2):
                    stamp = struct.pack(">Bd", camera, time.time())
                    await socket.send_bytes(stamp + self._picture(camera))
            n += 1
            await asyncio.sleep(STEP)

    def _passes(self) -> bool:
        phase = self.lesson.view["phase"]
        if self.arm["phase"] == "stopped" or phase not in MOVES:
            return False
        return phase == "policy" or (self.arm["driving"] and time.time() - self.arm["moved"] < 0.2)

    def _picture(self, camera: int) -> bytes:
        """A table of lines, and a tip that goes round with the ticks."""
        name = tuple(EYES)[camera]
        eye, shape = eye_of(name, 320, 240, np.zeros(3)), np.array([320, 240])
        view = np.array(views()[name].matrix)
        assert eye.width == shape[0]

        def at(*point: float) -> tuple[float, float]:
            u, v, w = view @ [*point, 1.0]
            return float(u / w * shape[0]), float(v / w * shape[1])

        picture = Image.new("RGB", (320, 240), "#dfe6ea")
        draw = ImageDraw.Draw(picture)
        for x in np.linspace(0.2, 0.8, 7):
            draw.line([at(x, -0.5, 0), at(x, 0.5, 0)], fill="#9fb0ba")
        for y in np.linspace(-0.5, 0.5, 11):
            draw.line([at(0.2, y, 0), at(0.8, y, 0)], fill="#9fb0ba")
        angle = self.lesson.tick / 90
        tip = (0.5 + 0.12 * np.cos(angle), 0.2 * np.sin(angle))
        draw.line([at(*tip, 0.3), at(*tip, 0.02)], fill="#333333", width=6)
        data = io.BytesIO()
        picture.save(data, "JPEG")
        return data.getvalue()
