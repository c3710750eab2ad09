"""The cameras that look at an arm: they run whether somebody watches or not, and tell how they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from robot_io.cameras import Camera, source_of
from robot_io.errors import CameraError
from robot_io.pictures import jpeg


def lens(source: str) -> Camera:
    """A camera that may not be there yet."""
    return Camera(source, lambda: source_of(source))


class Lenses:
    """Cameras by name. One that is not there is opened as soon as it is."""

    def __init__(
        self,
        sources: Mapping[str, str],
        *,
        opened: Callable[[str], Camera] = lens,
    ) -> None:
        self._sources = dict(sources)
        self._cameras = {name: opened(source) for name, source in sources.items()}

    def __contains__(self, name: object) -> bool:
        return name in self._cameras

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they were given."""
        return tuple(self._cameras)

    def start(self) -> None:
        """Begin to read all of them; returns at once."""
        for camera in self._cameras.values():
            camera.begin()

    def number(self, name: str) -> int:
        """Of the newest frame, 0 before the first."""
        return self._cameras[name].state().frames

    def age(self, name: str) -> float:
        """Seconds since the newest frame came."""
        return self._cameras[name].state().age

    def source(self, name: str) -> str:
        """What a camera looks through: a device, a film, an emulated bench."""
        return self._sources[name]

    def size(self, name: str) -> tuple[int, int]:
        """(H, W) of its pictures; CameraError if it gives none."""
        height, width = self._cameras[name].latest().colour.shape[:2]
        return height, width

    def frame(self, name: str) -> bytes:
        """The newest frame as a JPEG; CameraError says what is wrong."""
        return jpeg(self._cameras[name].latest().colour)

    def states(self) -> list[dict[str, Any]]:
        """How each does: name, rate, frames, dropped, age in seconds, trouble."""
        told = []
        for name, camera in self._cameras.items():
            state = asdict(camera.state())
            told.append({**state, "name": name, "rate": round(state["rate"], 1), "age": round(state["age"], 3)})
        return told

    def trouble(self) -> str:
        """What is wrong with any of them, "" if nothing is."""
        return "; ".join(filter(None, (state["trouble"] for state in self.states())))

    def need(self) -> None:
        """CameraError unless all of them give pictures."""
        if trouble := self.trouble():
            raise CameraError(trouble)

    def close(self) -> None:
        """End their threads."""
        for camera in self._cameras.values():
            camera.close()
