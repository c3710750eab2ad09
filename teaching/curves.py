"""Every training's curve for other tools: TensorBoard files beside the lesson, and Weights & Biases where it is set up.

They are copies of what the checkpoints and the log hold. A failure to write them is told and stops no training.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from teaching import tfevents, wandb_run
from teaching.types import AskbackError

FOLDER = "curves"
FILE = "events.out.tfevents.0000000000.askback"
"""TensorBoard finds event files by the middle of their name."""


class Curves:
    """Of one lesson, in the process that trains it."""

    def __init__(
        self,
        lesson: Path,
        config: Mapping[str, Any],
        *,
        tell: Callable[[str], None] = lambda words: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Args: lesson: its directory; config: its settings; tell: hears what went wrong; clock: Unix seconds."""
        self.path, self._tell, self._clock = lesson / FOLDER / FILE, tell, clock
        self._run: wandb_run.Run | None = None
        if wandb_run.wanted():
            known = {name: config[name] for name in ("task", "seed", "training", "gate", "kind") if name in config}
            self._run = wandb_run.Run(lesson.name, lesson / FOLDER, known, tell)

    def trained(self, checkpoint: Path) -> None:
        """A training has published a checkpoint: its curve and its figures, with the model's number as the step."""
        try:
            lineage = json.loads((checkpoint / "checkpoint.json").read_text())["lineage"]
            points = points_of(lineage)
            now = self._clock()
            tfevents.append(self.path, (tfevents.event(now, step, values) for step, values in points), now)
        except (OSError, ValueError, KeyError, TypeError, AskbackError) as error:
            self._tell(f"the curve could not be written for TensorBoard: {error}")
            return
        for step, values in points if self._run is not None else ():
            self._run.log({**values, "model" if "training/loss" in values else "step": step})  # type: ignore[union-attr]

    def close(self) -> None:
        """Finish what waits."""
        if self._run is not None:
            self._run.close()


def points_of(lineage: Mapping[str, Any]) -> list[tuple[int, dict[str, float]]]:
    """(Step, tag → value): the loss by optimiser step over all trainings, and the whole training's figures by model."""
    update, steps = int(lineage["update"]), int(lineage.get("steps", 1))
    curve = [float(v) for v in lineage.get("curve", ())]
    each = steps / len(curve) if curve else 1.0
    begun = (update - 1) * steps
    points = [(begun + round((i + 1) * each), {"steps/loss": loss}) for i, loss in enumerate(curve)]
    figures = {f"training/{name}": float(value) for name, value in dict(lineage.get("figures", {})).items()}
    if "seconds" in lineage:
        figures["training/seconds"] = float(lineage["seconds"])
    return [*points, (update, figures)] if figures else points
