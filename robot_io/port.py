"""Serial ports: which there are, and a lock so that no arm has two owners."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from robot_io.errors import ArmNotFound, PortBusy


@dataclass(frozen=True)
class Found:
    """A port that something is plugged into."""

    path: str
    what: str
    """In words: maker and product, as far as the system knows."""
    serial: str
    """The adapter's own number, "" if it has none: tells two equal adapters apart."""
    likely: str = ""
    """The kind of arm that is probably there: "so101", "dynamixel", "line", "leader", or "" if nothing is known."""


BOARDS = {
    (0x0403, 0x6014): "dynamixel",
    (0x1A86, 0x55D3): "so101",
    (0x2341, 0x0043): "line",
    (0x2341, 0x0001): "line",
    (0x1A86, 0x7523): "line",
}
"""USB vendor and product → what it mostly is: the chip of bus servo adapters, and of Arduinos and their like."""
LEADER = "leader"
"""What is probably there is a leader arm, which is no arm by itself."""
LED = ("feetech", "so101", "so100")
"""Kinds of arms that a leader arm can drive."""
EMULATED = ("so101", "dynamixel", "line", LEADER)
BENCH, BENCH_ARM = "bench", "arm"
"""A link in an emulator's temporary folder to its bench, and the port in there."""


def find_ports() -> list[Found]:
    """Ports with something behind them, emulated ones of this user too, the likeliest arms first.

    Ports that the system lists nowhere are named in ASKBACK_PORTS, separated by commas.
    """
    from serial.tools import list_ports

    listed = [p for p in list_ports.comports() if p.vid is not None]
    found = [
        Found(
            p.device,
            " ".join(filter(None, (p.manufacturer, p.product))) or "USB serial adapter",
            p.serial_number or "",
            BOARDS.get((p.vid, p.pid), ""),
        )
        for p in listed
    ]
    named = [path for path in os.environ.get("ASKBACK_PORTS", "").split(",") if path and Path(path).exists()]
    found += [Found(path, "named when the app was started", "") for path in named]
    return sorted(found, key=lambda port: not port.likely) + find_emulated()


def find_emulated() -> list[Found]:
    """Emulators that run on this machine, as `python -m robot_io.emulate` starts them; this user's own only."""
    links = [
        path
        for kind in EMULATED
        for path in sorted(Path(tempfile.gettempdir()).glob(f"askback-*/{kind}"))
        if _own_terminal(path)
    ]
    found = [Found(str(path), f"emulated {path.name}", "", path.name) for path in links]
    return found + [
        Found(str(folder / BENCH_ARM), "emulated so101 at a bench", "", "so101") for folder in find_benches()
    ]


def find_benches() -> list[Path]:
    """Folders of emulated benches that run on this machine, this user's own only; the camera is there, too."""
    links = sorted(Path(tempfile.gettempdir()).glob(f"askback-*/{BENCH}"))
    return [link.resolve() for link in links if _own_terminal(link.resolve() / BENCH_ARM)]


def _own_terminal(path: Path) -> bool:
    """Whether it is a link to a terminal in a folder that nobody else can write to."""
    try:
        folder = path.parent.stat()
        return (
            path.is_symlink()
            and folder.st_uid == os.getuid()
            and not folder.st_mode & 0o022
            and stat.S_ISCHR(path.stat().st_mode)
        )
    except OSError:
        return False


def need_leader(leader: str, kind: str, port: str, there: Sequence[str]) -> None:
    """ArmNotFound unless an arm of that kind, at `port`, can be led by what is plugged in at `leader`, if any."""
    others = [path for path in there if path != port]
    if leader and (kind not in LED or leader not in others):
        raise ArmNotFound(
            f"expected a leader at a port among {', '.join(others) or 'none'} for a kind among {', '.join(LED)}, got "
            f"{leader!r} for {kind!r}; plug it in and look again for ports"
        )


class PortLock:
    """An flock on the device itself, as pyserial's `exclusive` takes; the kernel lets go if the process dies."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._handle = -1

    def take(self) -> None:
        """Own the port; twice is harmless.

        Raises:
            ArmNotFound: there is no such port.
            PortBusy: somebody else owns it, or it may not be opened.
        """
        if self._handle >= 0:
            return
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError as error:
            raise PortBusy(
                f"expected to be allowed to open {self.path}; join the group that owns it "
                "(often: sudo usermod -aG dialout $USER, then log in again)"
            ) from error
        except OSError as error:
            ports = ", ".join(p.path for p in find_ports()) or "none"
            raise ArmNotFound(
                f"expected a serial port at {self.path}, got: {error.strerror}; plug the arm in "
                f"and choose its port (now there: {ports})"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise PortBusy(
                f"expected {self.path} to be free, but another program has that arm; end that one first"
            ) from None
        self._handle = handle

    def give(self) -> None:
        """Let go; twice is harmless."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def gone(self) -> bool:
        """Whether the port that was locked has been pulled out, or replaced by another."""
        try:
            there = Path(self.path).stat()
            ours = os.fstat(self._handle)
        except OSError:
            return True
        return (there.st_rdev, there.st_ino) != (ours.st_rdev, ours.st_ino)
