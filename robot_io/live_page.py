"""One browser tab on an arm's side port: what it wants to see, and what waits to be sent to it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket

from robot_io.access import Grant


@dataclass(eq=False)
class LivePage:
    """One browser tab; of everything that waits, only the newest of its kind is kept."""

    websocket: WebSocket
    grant: Grant
    cameras: tuple[str, ...] = ()
    fps: float = 15.0
    counter: int | None = None
    feels: bool = False
    """Whether it wants to know where the arm is and how it feels."""
    news: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def tell(self, **message: Any) -> None:
        """Send one JSON message."""
        await self.websocket.send_text(json.dumps(message))

    async def flush(self) -> None:
        """Send what waits; what comes meanwhile, too."""
        while self.news:
            kind = next(iter(self.news))
            await self.tell(type=kind, **self.news.pop(kind))
        while self.pictures:
            await self.websocket.send_bytes(self.pictures.pop(next(iter(self.pictures))))
