"""One file with everything that whoever has to find a fault needs: log, versions, settings, the last minute of states.

It holds no secret: run files, which buy tokens, stay out, and the user's home folder is written as ~.
"""

from __future__ import annotations

import io
import json
import os
import platform
import zipfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from robot_io.run_files import ENDED

PACKAGES = ("numpy", "streamlit", "starlette", "uvicorn", "websockets", "pyserial", "feetech-servo-sdk", "lerobot",
            "pybullet", "opencv-python-headless", "torch")  # fmt: skip
LOG_BYTES = 2**20
LAST_MINUTE = "last-minute.jsonl"
README = """What is in here
log.txt            the last words of the arm's process, up to a megabyte
last-minute.jsonl  what the arm was doing, how its joints stood and felt, five times a second; newest last
versions.json      the packages and the system
settings.json      how the arm is kept here, the variables that the app was started with, the ports that are there
told.json          what the page showed of it when this was saved
"""


def bundle(path: Path, told: Mapping[str, Any], minute: list[Mapping[str, Any]] | None = None) -> bytes:
    """A ZIP file.

    Args:
        path: the arm's folder.
        told: what is known of it now, as plain values.
        minute: its last minute, if its process could be asked; else what it wrote when it ended.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in _parts(path, told, minute).items():
            file.writestr(name, _discreet(text))
    return written.getvalue()


def versions() -> dict[str, str]:
    """Of Python, the system and what matters to an arm; "" for what is not installed."""
    told = {"python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            told[package] = version(package)
        except PackageNotFoundError:
            told[package] = ""
    return told


def _parts(path: Path, told: Mapping[str, Any], minute: list[Mapping[str, Any]] | None) -> dict[str, str]:
    entry = _text(path / "entry.json")
    settings = {
        "entry": json.loads(entry) if entry else {},
        "identity": _text(path / "identity").strip(),
        "variables": {name: value for name, value in sorted(os.environ.items()) if name.startswith("ASKBACK_")},
        "ended": _text(path / "run" / ENDED),
    }
    lines = "".join(f"{json.dumps(line)}\n" for line in minute) if minute is not None else None
    return {
        "README.txt": README,
        "log.txt": _text(path / "run" / "arm.log")[-LOG_BYTES:],
        LAST_MINUTE: _text(path / "run" / LAST_MINUTE) if lines is None else lines,
        "versions.json": json.dumps(versions(), indent=2),
        "settings.json": json.dumps(settings, indent=2),
        "told.json": json.dumps(told, indent=2, default=str),
    }


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.is_file() else ""


def _discreet(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
