"""What a lesson is set up with. One frozen config; each field's help is also the tooltip of its widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from teaching.gating import Gate
from teaching.rollout_phases import PROTOCOLS
from teaching.rollout_task import rollout_tasks
from teaching.sampling import Sampling
from teaching.selection import SELECTIONS
from teaching.skills import SCENES, Scenes
from teaching.task import tasks
from teaching.tasks import sequence
from teaching.types import BadInput, explained

KINDS = ("plans", "rollout")
"""What a host runs: questions before the arm moves, or supervision in motion."""
OBSERVE = ("state", "pictures")
"""What a policy in motion reads."""
STARTER = Path(__file__).resolve().parent.parent / "datasets" / "starter"
"""The checkpoints that come with the project; `python -m teaching starter` rebuilds one."""
PERSON_GATE = Gate(mode="success", target=0.95, p_rand=0.1, n_min=5)
"""What a person's lesson starts with: it asks as seldom as good endings allow. Experiments keep the paper's gate."""

MOVING_GATE: Mapping[str, Any] = {"kind": "never", "p_rand": 0.0}
"""A rollout lesson's gate: the person watches, unless asked to be called."""
MOVING_TRAINING: Mapping[str, Any] = {"steps": 2000, "batch": 256}
"""A rollout lesson's training, each from fresh weights on everything that counts."""


def starter(task: str) -> Path | None:
    """The starter checkpoint for a task, if there is one."""
    path = STARTER / task
    return path if (path / "checkpoint.json").is_file() else None


@dataclass(frozen=True)
class TrainingConfig(Sampling):
    """How the novice learns from what is stored."""

    steps: int = explained(8, "Optimiser steps of one training (the paper's 8).")
    every: int = explained(1, "Train after this many episodes that stored something.")

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.every) < 1:
            raise BadInput("expected steps, batch and every of at least 1")


@dataclass(frozen=True)
class Blinding:
    """How often, in a lesson that a person teaches; a lesson's `blinding` in its settings."""

    hidden: float = explained(0.1, "Share of questions in which the novice does not tell how sure it is.")
    repeated: float = explained(0.05, "Share of answers after which an earlier question comes once more.")

    def __post_init__(self) -> None:
        if not (0.0 <= self.hidden <= 1.0 and 0.0 <= self.repeated <= 0.5):
            raise BadInput(
                "expected a hidden share in [0, 1] and a repeated one in [0, 0.5], "
                f"got {self.hidden} and {self.repeated}"
            )

    @classmethod
    def of(cls, lesson: Mapping[str, Any]) -> Blinding:
        """From a lesson's plain values; BadInput for settings that it does not have."""
        try:
            return cls(**(lesson.get("blinding") or {}))
        except TypeError as error:
            raise BadInput(f"expected blinding to hold hidden and repeated, got {lesson['blinding']}") from error


@dataclass(frozen=True)
class LessonConfig:
    """One lesson: a task, an arm, a novice to start from, a teacher, a promise."""

    name: str = explained("lesson", "What the lesson is called.")
    task: str = explained("put-block-in-bowl", "What the arm learns to do.")
    arm: str = explained("sim:panda", "Which arm; sim:panda is a simulated Franka Panda.")
    teacher: str = explained("teacher", "Who answers; stored with every answer.")
    split: str = explained(
        "seen", "Which objects the scenes are made of: seen, unseen, or only:purple for goals about one colour."
    )
    scenes: Scenes = explained(
        "random", "What every second scene is about: whatever comes, what the novice is weak in, or what is unsure."
    )
    stage_episodes: int = explained(150, "In a sequence of tasks: episodes that stored something, to each stage.")
    start: str = explained("starter", "The novice to begin with: the starter, or nothing learnt yet.")
    seed: int = explained(0, "The lesson's scenes follow from it.")
    gate: Gate = field(default_factory=Gate, metadata={"help": "When the arm asks."})
    training: TrainingConfig = field(default_factory=TrainingConfig, metadata={"help": "How it learns."})
    validation: bool = explained(True, "Store plans that the teacher confirms (FIER).")
    relabelling: bool = explained(True, "Store wrong plans under the goal that they would achieve (FIER).")
    text_encoder: str = explained(
        "", "A directory with a pretrained text encoder (BERT family, safetensors) to read goals with; empty: built in."
    )
    kind: str = explained("plans", "plans: it asks before it moves; rollout: you watch it move, and take over.")
    protocol: str = explained("rac", "What an intervention is: rac recovers, then corrects, and ends the episode.")
    wanted: int = explained(10, "Interventions, or demonstrations at first, after which it is trained (a round).")
    rounds: int = explained(0, "In motion: rounds that are planned after the demonstrations; 0: as many as it takes.")
    first: int = explained(0, "In motion: demonstrations before the first training; 0: as many as wanted in a round.")
    frames: int = explained(
        0, "In motion: ticks that a person drives in a round, instead of interventions; 0: interventions are counted."
    )
    observe: str = explained(
        "state",
        "In motion, what the policy reads: state, or pictures: small ones, 10 a second, and what the arm feels.",
    )
    film: bool = explained(
        True, "In motion: keep what the first and the last camera see, small and 5 times a second, to watch it later."
    )
    weighting: str = explained("rac", "In motion: which frames are trained on, and how much: rac, iwr or sirius.")
    blinding: Blinding = field(
        default_factory=Blinding, metadata={"help": "Questions that tell how steady your answers are."}
    )
    recovery_auto: bool = explained(False, "In motion: also train on ways back that the arm retraced by itself.")

    def __post_init__(self) -> None:
        if self.weighting not in SELECTIONS:
            raise BadInput(f"expected a weighting among {', '.join(SELECTIONS)}, got {self.weighting!r}")
        if self.observe not in OBSERVE:
            raise BadInput(f"expected to observe one of {', '.join(OBSERVE)}, got {self.observe!r}")
        if self.kind not in KINDS:
            raise BadInput(f"expected a kind among {', '.join(KINDS)}, got {self.kind!r}")
        known = (*rollout_tasks(), *rollout_tasks(arms=2)) if self.kind == "rollout" else tasks()
        if self.task not in known:
            raise BadInput(f"expected a task among {', '.join(known)}, got {self.task!r}")
        if self.protocol not in (*PROTOCOLS, "demos"):
            raise BadInput(f"expected a protocol among {', '.join((*PROTOCOLS, 'demos'))}, got {self.protocol!r}")
        if self.wanted < 1 or min(self.rounds, self.first, self.frames) < 0:
            got = f"{self.wanted}, {self.rounds}, {self.first}, {self.frames}"
            raise BadInput(f"expected wanted ≥ 1, rounds, first and frames ≥ 0, got {got}")
        if self.scenes not in SCENES:
            raise BadInput(f"expected scenes among {', '.join(SCENES)}, got {self.scenes!r}")
        if self.scenes != "random" and ":" in self.split:
            raise BadInput(f"expected scenes of a whole split where the lesson chooses, got {self.split!r}")
        if self.text_encoder and (self.start != "nothing" or self.kind != "plans"):
            raise BadInput("expected a lesson of plans that starts from nothing with a text encoder of one's own")
        if self.stage_episodes < 1:
            raise BadInput(f"expected stages of at least 1 episode, got {self.stage_episodes}")
        if self.task == sequence.NAME and (sequence.stages_of(self.split) and self.scenes != "random"):
            raise BadInput(f"expected random scenes in a sequence of tasks, got {self.scenes!r}")
        if self.start not in ("starter", "nothing"):
            raise BadInput(f"expected start to be 'starter' or 'nothing', got {self.start!r}")

    def to_json(self) -> dict[str, Any]:
        """Plain values, as kept in the replay buffer's lesson.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LessonConfig:
        """The config of `to_json`; fields of newer versions that this one lacks are a BadInput."""
        known = {f.name for f in fields(cls)}
        kept = {k: v for k, v in values.items() if k in known}
        moving = kept.get("kind") == "rollout"
        if moving:
            kept = {"task": rollout_tasks()[0], "start": "nothing", **kept}
        kept["gate"] = Gate(**(values.get("gate") or (MOVING_GATE if moving else {})))
        kept["training"] = TrainingConfig(**{**(MOVING_TRAINING if moving else {}), **values.get("training", {})})
        kept["blinding"] = Blinding.of(values)
        return cls(**kept)
