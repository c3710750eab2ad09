"""A bus of servos behind a few verbs: the maker's SDK, its lengths checked, its errors called by name.

Robotis' SDK and Feetech's, which came of it, have the same verbs; `robot_io/feetech_bus.py` and
`robot_io/dynamixel_bus.py` say which one, and what its numbers mean.
"""

from __future__ import annotations

import contextlib
import termios
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from robot_io import sdk_port
from robot_io.errors import ArmNotFound, BadReply, MissingDriver, NoReply, NotConnected, Unplugged, WireError
from robot_io.port import PortLock

T = TypeVar("T")
Register = tuple[int, int]
"""Address and length."""
TRIES = 8
"""What is asked while nothing moves may be asked again: a busy computer may be late several times in a row."""


class SdkBus:
    """The maker's SDK behind a few verbs that check lengths and raise what went wrong."""

    maker = ""
    """Whose SDK it is, and what to install."""
    package = ""
    protocol: float = 0
    silence = 0
    """The SDK's number for no answer at all."""
    baud = 1_000_000

    def __init__(self, path: str, lock: PortLock | None = None) -> None:
        """With a lock of somebody else's, that one keeps it when the bus is closed."""
        self._path = path
        self._lock, self._keeps_lock = lock or PortLock(path), lock is not None
        self._port: Any = None
        self._handler: Any = None
        self._groups: dict[tuple[Register, tuple[int, ...]], Any] = {}

    def sdk(self) -> Any:
        """The maker's module; ImportError without it."""
        raise NotImplementedError

    def refusal(self, error: int) -> str:
        """What the error byte of an answer says that was not done, in words; "" if it was."""
        return ""

    @property
    def is_open(self) -> bool:
        """Whether it has the port."""
        return self._port is not None

    def open(self) -> None:
        """Take the port; twice is harmless."""
        if self._port is not None:
            return
        try:
            sdk = self.sdk()
        except ImportError as error:
            raise MissingDriver(
                f"expected {self.maker}'s SDK for this arm, got none; run: pip install {self.package}"
            ) from error
        self._lock.take()
        port = sdk.PortHandler(self._path)
        try:
            port.baudrate = self.baud
            port.openPort()
            sdk_port.tune(port)
        except (OSError, termios.error) as error:
            self._lock.give()
            raise ArmNotFound(f"expected to open {self._path}, got: {error}; plug the arm in again") from error
        self._port, self._handler = port, sdk.PacketHandler(self.protocol)
        self._groups.clear()

    def close(self) -> None:
        """Give it back; twice is harmless."""
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.closePort()
        if not self._keeps_lock:
            self._lock.give()

    def ping(self, number: int, tries: int = TRIES) -> int | None:
        """The model of a servo; None if it is silent."""
        return next((model for model, _ in map(self._pinged, [number] * tries) if model is not None), None)

    def damages(self, number: int) -> bool:
        """Whether something comes back from a servo that is no proper answer."""
        model, came = self._pinged(number)
        return came and model is None

    def _pinged(self, number: int) -> tuple[int | None, bool]:
        """The model, None without a proper answer; and whether anything came back."""
        try:
            model, result, _ = self._call(self._handler.ping, number)
        except (NoReply, BadReply) as error:
            return None, isinstance(error, BadReply)
        return (int(model) if result == 0 else None), result != self.silence

    def read(self, number: int, register: Register, tries: int = TRIES) -> int:
        """A number that one servo keeps."""
        return int.from_bytes(_again(lambda: self._read(number, register), tries), "little")

    def write(self, number: int, register: Register, value: int, tries: int = TRIES) -> None:
        """One register of one servo, acknowledged."""
        _again(lambda: self._write(number, register, value), tries)

    def read_all(self, numbers: Iterable[int], register: Register, tries: int = 1) -> dict[int, bytes]:
        """The same register of several servos in one go."""
        wanted = tuple(numbers)
        return _again(lambda: self._read_all(wanted, register), tries)

    def _read(self, number: int, register: Register) -> bytes:
        data, result, error = self._call(self._handler.readTxRx, number, *register)
        self._expect(result, f"servo {number}", error)
        if len(data) != register[1]:
            raise BadReply(f"expected {register[1]} bytes of servo {number}, got {len(data)}; check the cable")
        return bytes(data)

    def _write(self, number: int, register: Register, value: int) -> None:
        data = list(value.to_bytes(register[1], "little"))
        result, error = self._call(self._handler.writeTxRx, number, *register, data)
        self._expect(result, f"servo {number}", error)

    def _read_all(self, numbers: tuple[int, ...], register: Register) -> dict[int, bytes]:
        group = self._group(register, numbers)
        result = self._call(lambda _: group.txRxPacket())
        if result != 0:
            silent = next((number for number, data in group.data_dict.items() if len(data) != register[1]), 0)
            self._expect(result, f"servo {silent}")
        data = {number: bytes(read) for number, read in group.data_dict.items()}
        wrong = [number for number, read in data.items() if len(read) != register[1]]
        if wrong:
            raise BadReply(f"expected {register[1]} bytes of servo {wrong[0]}, got {len(data[wrong[0]])}")
        return data

    def write_all(self, register: Register, values: Mapping[int, int]) -> None:
        """The same register of several servos in one go; none of them answers."""
        parameters: list[int] = []
        for number, value in values.items():
            parameters += [number, *value.to_bytes(register[1], "little")]
        result = self._call(self._handler.syncWriteTxOnly, *register, parameters, len(parameters))
        self._expect(result, "the bus")

    def _group(self, register: Register, numbers: tuple[int, ...]) -> Any:
        if (register, numbers) not in self._groups:
            group = self.sdk().GroupSyncRead(self._port, self._handler, *register)
            for number in numbers:
                group.addParam(number)
            self._groups[register, numbers] = group
        group = self._groups[register, numbers]
        for number in numbers:
            group.data_dict[number] = []
        return group

    def _call(self, verb: Any, *arguments: Any) -> Any:
        if self._port is None:
            raise NotConnected("expected an open port; connect first")
        try:
            return verb(self._port, *arguments)
        except IndexError as error:
            raise BadReply("expected a whole answer, got a short one; check the cable") from error
        except (OSError, termios.error, TypeError) as error:
            if "timeout" in str(error).lower():  # an adapter that is stuck, or a computer that is very busy
                raise NoReply(f"expected {self._path} to take what is sent in time; plug it in again") from error
            raise Unplugged(f"{self._path} is gone ({error}); plug the arm in, then release") from error
        finally:
            sdk_port.recover(self._port)

    def _expect(self, result: int, who: str, error: int = 0) -> None:
        if result == 0:
            if words := self.refusal(error):
                raise BadReply(f"expected {who} to do what it was told, but it says: {words}")
            return
        if result == self.silence:
            raise NoReply(f"expected {who} to answer, got silence; check its cable and the power supply")
        raise BadReply(f"expected {who} to answer, got damaged bytes; check the cable")


def _again(verb: Callable[[], T], tries: int) -> T:
    """What may be repeated, repeated; a port that is gone stays gone."""
    for _ in range(tries - 1):
        try:
            return verb()
        except Unplugged:
            raise
        except WireError:
            continue
    return verb()
