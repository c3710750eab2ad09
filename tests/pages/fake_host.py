"""A real small server that speaks the host's and the arm's browser wires with a changing view, to test components.

It is an implementation of the wire (docs/design/0002-wires.md), not a patch: components cannot tell it from a lesson
whose questions are drawn instead of asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import io
import json
import struct
import threading
import time
from typing import Any

import numpy as np
import uvicorn
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.pages.drawn_table import X, Y, likely, table_picture, uri


class FakeLesson:
    """Questions that are drawn, answers that are counted, one lease."""

    def __init__(self, name: int = 0) -> None:
        self.name, self.asked = name, 0
        self.seed = 1
        self.answers: list[dict[str, Any]] = []
        self.intents: list[dict[str, Any]] = []
        self.seen: dict[str, dict[str, Any]] = {}
        self.refuse: str | None = None
        self.delay = 0.03
        self.silent = False
        self.holder: str | None = None
        self.watching: dict[WebSocket, dict[str, str]] = {}
        self.view = self._first()
        self.ask()

    def _first(self) -> dict[str, Any]:
        return {
            "lesson": {"name": "fake", "task": "put-block-in-bowl", "arm": "sim:panda", "teacher": "Ana"},
            "phase": "asking", "message": "", "question": None, "recent": [], "acting": None,
            "gate": {"kind": "sag", "target": 0.9, "mode": "sensitivity", "p_rand": 0.1, "threshold": 0.55,
                     "asked_of_100": 34, "promise": "asks before at least 90 of 100 mistakes"},
            "training": {"state": "idle", "progress": 0.0, "message": "", "version": 12, "running_version": None},
            "counts": {"decisions": 40, "asked": 20, "answers": 0, "demonstrations": 0,
                       "storing_episodes": 0, "episodes": 30},
            "effect": {"before": 0.61, "after": 0.84, "answers": 42, "text": ""},
            "lease": {"holder": None, "you": False, "watchers": 0},
            "disk": {"free_bytes": 8_000_000_000, "warning": ""}, "saved": 0,
        }  # fmt: skip

    def ask(self, *, again: bool = False) -> None:
        """Put a question on."""
        if not again:
            self.asked += 1
            self.seed += 1
        picture, things = table_picture(self.seed)
        blocks = [t for t in things if t[0] == "block"]
        bowls = [t for t in things if t[0] == "bowl"]
        goal = f"put the {blocks[0][1]} blocks in a {bowls[0][1]} bowl"
        plan = {"pick": [blocks[0][2], blocks[0][3], 0.04, 0.0], "place": [bowls[1][2], bowls[1][3], 0.05, 0.6]}
        ghosts = [
            {"pick": plan["pick"], "place": [bowls[0][2], bowls[0][3], 0.05, 0.0], "weight": 0.24},
            {"pick": [blocks[1][2], blocks[1][3], 0.04, 0.0], "place": plan["place"], "weight": 0.11},
            {
                "pick": [blocks[2][2], blocks[2][3], 0.04, 0.0],
                "place": [bowls[2][2], bowls[2][3], 0.05, 0.0],
                "weight": 0.05,
            },
            {"pick": plan["pick"], "place": [bowls[2][2], bowls[2][3], 0.05, 0.0], "weight": 0.01},
        ]
        self.view["question"] = {
            "id": f"e{self.name:03d}{self.asked:03d}-0", "goal": goal, "reason": "less sure than its promise allows",
            "image": uri(picture, "JPEG"), "table": {"x": list(X), "y": list(Y), "shape": [80, 160]}, "plan": plan,
            "ghosts": ghosts, "maps": {"pick": likely([(b[2], b[3]) for b in blocks], 0.02),
                                       "place": likely([(b[2], b[3]) for b in bowls], 0.035)},
            "uncertainty": 0.72, "words": "guessing", "threshold": 0.55, "frequency": {"right": 4, "of": 10},
            "relabels": [f"put the {blocks[0][1]} blocks in a {b[1]} bowl" for b in bowls[1:]]
            + ["put the brown blocks in a red bowl"],
            "unknown_words": ["yellow"] if self.asked % 4 == 3 else [], "draft": None, "shown": time.time(),
            "blind": self.asked % 7 == 5, "practice": False,
        }  # fmt: skip
        self.view["phase"] = "asking"

    def take(self, intent: dict[str, Any], session: str) -> dict[str, Any]:
        """The acknowledgement of an intent."""
        if intent["id"] in self.seen:
            return self.seen[intent["id"]]
        self.intents.append(intent)
        error = self._carry_out(intent, session)
        ack = {"type": "ack", "id": intent["id"], "ok": error is None}
        if error is None:
            self.view["saved"] += 1
            ack["seq"] = self.view["saved"]
        else:
            ack["error"] = error
        self.seen[intent["id"]] = ack
        return ack

    def _carry_out(self, intent: dict[str, Any], session: str) -> str | None:
        do = intent["do"]
        if do == "lease":
            self.holder = {"take": session, "drop": None}.get(intent["lease"], self.holder)
            return None
        if self.holder not in (None, session):
            return "somebody else is answering; ask for the lease first"
        if self.refuse and do == "answer":
            return self.refuse
        return getattr(self, f"_{do}", lambda intent: None)(intent)

    def _answer(self, intent: dict[str, Any]) -> str | None:
        question = self.view["question"]
        if question is None or intent["query"] != question["id"]:
            return "that question is no longer open; the one on the screen is newer"
        self.answers.append(intent)
        kind = {"valid": "validated", "unknown": "unknown"}.get(intent["verdict"], "wrong")
        kind = "annotated" if intent.get("demonstration") else "relabelled" if intent.get("relabel") else kind
        line = {"decision": question["id"], "goal": question["goal"], "asked": True, "kind": kind, "undone": False}
        self.view["recent"] = [*self.view["recent"], line][-20:]
        self.view["counts"]["answers"] += 1
        self.view["acting"] = {"decision": question["id"], "goal": question["goal"], "asked": True}
        self.ask()
        return None

    def _draft(self, intent: dict[str, Any]) -> str | None:
        if self.view["question"] and self.view["question"]["id"] == intent["query"]:
            self.view["question"]["draft"] = intent["draft"]
        return None

    def _undo(self, intent: dict[str, Any]) -> str | None:
        left = [r for r in self.view["recent"] if not r["undone"] and r["asked"]]
        if not left:
            return "there is no answer to undo"
        left[-1]["undone"] = True
        self.view["counts"]["answers"] -= 1
        return None

    def alone(self) -> None:
        """Let the arm work without asking."""
        question = self.view["question"]
        self.view |= {"question": None, "phase": "acting", "message": "",
                      "acting": {"decision": "e0099-0", "goal": question["goal"], "asked": False}}  # fmt: skip
        self.view["recent"] = [*self.view["recent"], {"decision": "e0098-0", "goal": question["goal"], "asked": False,
                               "outcome": 0, "kind": "alone", "undone": False}]  # fmt: skip

    def seen_by(self, session: str) -> dict[str, Any]:
        """The view as one session sees it."""
        view = copy.deepcopy(self.view)
        view["lease"] = {"holder": self.holder and "Ana", "you": self.holder == session,
                         "watchers": max(len({w["session"] for w in self.watching.values()}) - 1, 0)}  # fmt: skip
        return view


class FakeServer:
    """Serves a FakeLesson at /lesson and a fake arm's browser wire at /live, on an ephemeral port of 127.0.0.1."""

    TOKEN = "t"

    def __init__(self) -> None:
        self.arm: dict[str, Any] = {}
        self.joined = 0
        self.begin_anew()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.frames = True
        app = Starlette(routes=[WebSocketRoute("/lesson", self._lesson), WebSocketRoute("/live", self._live)])
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def begin_anew(self) -> None:
        """A fresh lesson and an arm that nobody stopped."""
        before = getattr(self, "lesson", None)
        self.lesson = FakeLesson(before.name + 1 if before else 0)
        if before:
            self.lesson.watching, self.lesson.holder = before.watching, "s1" if before.watching else None
        self.arm |= {"phase": "idle", "why": "", "beats": 0, "stops": []}

    def __enter__(self) -> FakeServer:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(5)

    def push(self) -> None:
        """Show the changed view to everybody; from any thread."""
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(self._show(), self.loop).result(5)

    async def _show(self) -> None:
        for socket, who in list(self.lesson.watching.items()):
            with contextlib.suppress(WebSocketDisconnect):  # a page that has just gone
                await socket.send_text(json.dumps({"type": "view", "view": self.lesson.seen_by(who["session"])}))

    async def _lesson(self, socket: WebSocket) -> None:
        self.loop = asyncio.get_running_loop()
        await socket.accept()
        try:
            first = await socket.receive_json()
            if first["token"] != self.TOKEN:
                return await socket.close(4401, "bad token")
            self.joined += 1
            self.lesson.holder = self.lesson.holder or first["session"]
            self.lesson.watching[socket] = first
            await socket.send_text(json.dumps({"type": "hello", "role": "drive"}))
            await self._show()
            while True:
                intent = await socket.receive_json()
                await asyncio.sleep(self.lesson.delay)
                if self.lesson.silent:
                    continue
                await socket.send_text(json.dumps(self.lesson.take(intent, first["session"])))
                await self._show()
        except WebSocketDisconnect:
            pass
        finally:
            self.lesson.watching.pop(socket, None)

    async def _live(self, socket: WebSocket) -> None:
        await socket.accept()
        first = await socket.receive_json()
        if first["token"] != self.TOKEN:
            return await socket.close(4401, "bad token")
        hello = {"name": "Panda", "cameras": ["side"], "simulated": True}
        await socket.send_text(json.dumps({"type": "hello", "role": "drive", "features": hello}))
        sender = asyncio.create_task(self._frames(socket))
        try:
            while True:
                message = await socket.receive_json()
                self._told(message)
                if message["type"] == "stop":
                    await socket.send_text(json.dumps({"type": "stopped", "id": message["id"], "tick": 1}))
                if message["type"] in ("stop", "release"):
                    await socket.send_text(json.dumps(self._state()))
        except WebSocketDisconnect:
            sender.cancel()

    def _told(self, message: dict[str, Any]) -> None:
        if message["type"] == "beat":
            self.arm["beats"] += 1
        if message["type"] == "stop":
            self.arm |= {
                "phase": "stopped",
                "why": "a person pressed STOP",
                "stops": [*self.arm["stops"], message | {"heard": time.time()}],
            }
        if message["type"] == "release":
            self.arm |= {"phase": "idle", "why": ""}

    def _state(self) -> dict[str, Any]:
        return {"type": "state", "phase": self.arm["phase"], "why": self.arm["why"], "name": "Panda", "tick": 1,
                "driver": None, "watchers": 1, "you": "watch", "driving": False, "time": time.time()}  # fmt: skip

    async def _frames(self, socket: WebSocket) -> None:
        n = 0
        while True:
            if n % 3 == 0:
                await socket.send_text(json.dumps(self._state()))
            if self.frames:
                picture = Image.new("RGB", (320, 240), "#cfd8dc")
                ImageDraw.Draw(picture).line([160, 220, 160 + 60 * np.sin(n / 10), 80], fill="#555555", width=12)
                data = io.BytesIO()
                picture.save(data, "JPEG")
                await socket.send_bytes(struct.pack(">Bd", 0, time.time()) + data.getvalue())
            n += 1
            await asyncio.sleep(0.07)
