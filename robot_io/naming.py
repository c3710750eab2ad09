"""The names of real arms: `so101:/dev/ttyACM0,id=left,calibration=FOLDER`, a port and then options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from robot_io import calibration
from robot_io.emulated_camera import SIGHT
from robot_io.errors import ArmNotFound

OPTIONS = ("id", "calibration", "camera", "sight")
"""What an SO arm's name may say: who it is and where its calibration lies, its camera and where that one's lies."""


@dataclass(frozen=True)
class ArmName:
    """What stands behind the colon."""

    port: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, kind: str, rest: str, *, known: tuple[str, ...] | None = OPTIONS) -> ArmName:
        """Port and options; ArmNotFound says what such a name looks like. `known` None: any option may be there."""
        port, *parts = rest.split(",")
        pairs = [part.partition("=") for part in parts]
        strange = [key for key, equals, _ in pairs if not equals or (known is not None and key not in known)]
        if not port or strange:
            options = ", ".join(f"{key}=…" for key in known or ("key",))
            raise ArmNotFound(f"expected {kind}:PORT with options like {options}, got {kind}:{rest}")
        return cls(port, {key: value for key, _, value in pairs})

    def calibration_file(self, family: str) -> Path | None:
        """The file of the arm's id; None without an id: then what the servos carry is the truth."""
        if "id" not in self.options:
            return None
        folder = self.options.get("calibration")
        place = Path(folder) if folder else calibration.folder() / "robots" / family
        return place / f"{self.options['id']}.json"

    def sight_file(self, family: str) -> Path | None:
        """Where the calibration of its camera lies: as named, beside the arm's own, or with an emulated bench."""
        if "sight" in self.options:
            return Path(self.options["sight"])
        own = self.calibration_file(family)
        if own is not None:
            return own.with_name(f"{own.stem}.camera.json")
        kind, _, folder = self.options.get("camera", "").partition(":")
        return Path(folder) / SIGHT if kind == "emulated" else None
