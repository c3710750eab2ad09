"""The learning methods by name; a method's vendor is imported only when one of its halves is made."""

from __future__ import annotations

import importlib
from types import ModuleType

from robot_io.arm import TableView
from teaching.policies.base import Learner, Policy
from teaching.types import BadInput

_METHODS = {"transporter": "teaching.policies.transporter"}
DEFAULT = "transporter"


def methods() -> tuple[str, ...]:
    """The names of the built-in methods."""
    return tuple(_METHODS)


def make_policy(
    method: str = DEFAULT, table: TableView | None = None, *, seed: int = 0, text_encoder: str = ""
) -> Policy:
    """A fresh policy that knows nothing; BadInput lists the methods, or says what is wrong with a text encoder."""
    policy: Policy = _module(method).make_policy(table, seed, text_encoder)
    return policy


def make_learner(
    method: str = DEFAULT, table: TableView | None = None, *, seed: int = 0, text_encoder: str = ""
) -> Learner:
    """A fresh learner with the same weights as a fresh policy of that seed; BadInput lists the methods."""
    learner: Learner = _module(method).make_learner(table, seed, text_encoder)
    return learner


def _module(method: str) -> ModuleType:
    if method not in _METHODS:
        raise BadInput(f"expected a method among {', '.join(_METHODS)}, got {method!r}")
    return importlib.import_module(_METHODS[method])
