"""Weights & Biases, for who has set it up: nothing of it is loaded, written or sent unless WANDB_PROJECT is set.

Offline by default: the run lies beside the lesson and leaves the machine only where WANDB_MODE=online says so. It works
on a thread of its own, since its service may wait for a network; whatever goes wrong there is told, and stops nothing.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MOST = 10_000
"""Points that may wait to be taken; more are left out."""


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody has set it up."""
    return bool(environment.get("WANDB_PROJECT")) and environment.get("WANDB_MODE", "") != "disabled"


def mode_of(environment: Mapping[str, str] = os.environ) -> str:
    """ "online" only where that is said; else "offline"."""
    return "online" if environment.get("WANDB_MODE") == "online" else "offline"


class Run:
    """One run per lesson and process; `log` returns at once."""

    def __init__(self, name: str, folder: Path, config: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """Args: name of the lesson; folder for its files; config in plain values; tell hears of trouble, once."""
        self._name, self._folder, self._config, self._tell = name, folder, dict(config), tell
        self._points: queue.Queue[Mapping[str, float] | None] = queue.Queue(MOST)
        self._thread = threading.Thread(target=self._work, name="wandb", daemon=True)
        self._thread.start()

    def log(self, values: Mapping[str, float]) -> None:
        """Hand over one point; left out if too many wait."""
        with contextlib.suppress(queue.Full):  # its curve has a hole then; a training that waits would be worse
            self._points.put_nowait(dict(values))

    def close(self, patience: float = 4.0) -> None:
        """Finish what waits, for so many seconds at most."""
        try:
            self._points.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(patience)

    def _work(self) -> None:
        try:
            run = self._begin()
            while (point := self._points.get()) is not None:
                run.log(dict(point))
            run.finish(quiet=True)
        except Exception as error:  # whatever its service raises must not reach a training
            self._tell(f"Weights & Biases does not work: {type(error).__name__}: {error}")
            while self._points.get() is not None:
                pass

    def _begin(self) -> Any:
        import wandb

        self._folder.mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(console="off", disable_git=True, disable_code=True, silent=True)
        return wandb.init(
            project=os.environ["WANDB_PROJECT"], name=self._name, dir=str(self._folder), config=self._config,
            mode=mode_of(), settings=settings,  # type: ignore[arg-type]
        )  # fmt: skip
