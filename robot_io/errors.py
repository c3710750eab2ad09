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


class Unreachable(ArmError):
    """No joint path leads there."""


class Unsupported(ArmError):
    """The arm lacks that capability."""
