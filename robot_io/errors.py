"""What an arm refuses or fails to do."""

from __future__ import annotations


class ArmError(Exception):
    """Anything an arm refuses or fails to do. The message says what was expected, what came, what to do."""


class ArmNotFound(ArmError):
    """No arm answers to that name."""


class NotConnected(ArmError):
    """A verb was used before `connect` or after `disconnect`."""


class BadAction(ArmError):
    """An action that cannot be carried out at all: wrong shape, or not finite."""


class Stopped(ArmError):
    """The arm is stopped and latched; a person has to release it."""


class Driven(ArmError):
    """Somebody else drives: a person took over, or a motion is under way."""


class Unreachable(ArmError):
    """No joint path leads there."""


class Refused(Unreachable):
    """A motion went wrong when it was rehearsed, so the arm did not begin it."""


class Unsupported(ArmError):
    """The arm lacks that capability."""


class WireError(ArmError):
    """The wire to the arm failed; the arm keeps the last target it understood."""


class NoReply(WireError):
    """Nothing answered in time, or only a part of it came."""


class BadReply(WireError):
    """Something answered, but not what was asked, or nothing that can be true."""


class Unplugged(WireError):
    """The port is gone."""


class PowerLost(ArmError):
    """The arm has gone limp: its supply was off for a moment."""


class PortBusy(ArmError):
    """Somebody else has the port."""


class MissingDriver(ArmError):
    """A package that this kind of arm needs is not installed."""


class NotCalibrated(ArmError):
    """The arm does not know its own ranges."""


class WrongArm(ArmError):
    """Another arm than the expected one answers."""


class Stalled(ArmError):
    """A joint does not follow."""


class ServoFault(ArmError):
    """A servo protects itself: too hot, too much load, or a wrong supply."""


class Strained(ArmError):
    """A joint works harder than it should for longer than a moment."""


class CameraError(ArmError):
    """A camera cannot be opened, has stalled, is frozen, or is gone; says which and what to do."""
