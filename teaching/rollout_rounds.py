"""Rounds: what was collected with which policy, and when there is enough to train the next one."""

from __future__ import annotations

import math
from typing import Any

from teaching.lesson import LessonConfig
from teaching.metrics import Rate
from teaching.replay import ReplayBuffer
from teaching.replay.episode import Summary
from teaching.rollout_draft import RolloutDraft
from teaching.rollout_facts import timeline_of
from teaching.rollout_metrics import supervision
from teaching.segments import End, SegmentKind, Timeline

ENOUGH = 5
"""Times the interventions that are wanted: so many episodes without help end a round, too."""
PER_SEED = 50_000
"""Scenes of one lesson; those that a policy is evaluated on are odd, these are even."""


class Rounds:
    """A round is named by the version of the policy that drove in it; round 0 is that of the demonstrations."""

    def __init__(self, buffer: ReplayBuffer, config: LessonConfig) -> None:
        self.buffer, self.config = buffer, config
        self.begun = int(buffer.next_episode())
        self._known: tuple[int, list[tuple[Summary, Timeline]]] = (-1, [])

    def begin(self, now: float, goal: str, version: int) -> RolloutDraft:
        """The next episode."""
        number, self.begun = self.begun, self.begun + 1
        seed = 2 * (PER_SEED * abs(self.config.seed) + number)
        return RolloutDraft(f"{number:06d}", seed, goal, now, version, version)

    def episodes(self) -> list[tuple[Summary, Timeline]]:
        """Those that count, with their timelines; discarded ones among them."""
        last = self.buffer.last_sequence
        if self._known[0] != last:
            found = self.buffer.rollouts()
            self._known = last, [(s, timeline_of(s.rollout)) for s in found if s.rollout is not None]
        return self._known[1]

    def of(self, version: int) -> list[tuple[Summary, Timeline]]:
        """Those of one round."""
        return [(s, t) for s, t in self.episodes() if s.rollout is not None and int(s.rollout["round"]) == version]

    def collected(self, version: int) -> int:
        """Demonstrations and interventions of a round; demonstrations alone where only these are wanted."""
        timelines = [t for _, t in self.of(version) if t.end not in (End.DISCARDED, End.TRUNCATED)]
        shown = sum(t.end is End.DEMONSTRATED for t in timelines)
        helped = sum(t.interventions for t in timelines if t.end is not End.DEMONSTRATED)
        return shown if self.config.protocol == "demos" else shown + helped

    def full(self, version: int) -> bool:
        """Whether the next policy can be trained: enough was collected, or nothing more is to be had of this one."""
        unaided = [t for _, t in self.of(version) if t.end in (End.AUTO_SUCCESS, End.FAILED)]
        wanted, frames = self.wanted(version), self.config.frames
        enough = self.driven(version) >= frames if version and frames else self.collected(version) >= wanted
        return enough or len(unaided) >= ENOUGH * wanted

    def driven(self, version: int) -> int:
        """Ticks of a round that a person drove and that count; the episode that fills the round is kept whole."""
        return sum(t.human_frames for _, t in self.of(version) if t.end not in (End.DISCARDED, End.TRUNCATED))

    def wanted(self, version: int) -> int:
        """How many demonstrations or interventions make a round of this one."""
        return self.config.first or self.config.wanted if not version else self.config.wanted

    def demonstrations(self) -> int:
        """Demonstrations that count."""
        return sum(t.end is End.DEMONSTRATED for _, t in self.episodes())

    def frames(self) -> dict[str, int]:
        """Frames of all rounds that a person drove, by what for."""
        timelines = [t for _, t in self.episodes() if t.end not in (End.DISCARDED, End.TRUNCATED)]
        kinds = (SegmentKind.RECOVERY, SegmentKind.CORRECTION, SegmentKind.DEMO)
        return {kind.name.lower(): sum(t.count(kind) for t in timelines) for kind in kinds}

    def view(self, version: int) -> dict[str, Any]:
        """The round under way."""
        own = [t for _, t in self.of(version) if t.end is not End.DISCARDED]
        return {
            "number": version,
            "collected": self.collected(version),
            "wanted": self.wanted(version),
            "planned": self.config.rounds or None,
            "episodes": len(own),
            "frames": self.frames(),
        }

    def table(self) -> list[dict[str, Any]]:
        """A row per round that has episodes."""
        numbers = sorted({int(s.rollout["round"]) for s, _ in self.episodes() if s.rollout is not None})
        return [self._row(n) for n in numbers]

    def _row(self, number: int) -> dict[str, Any]:
        timelines = [t for _, t in self.of(number)]
        figures = supervision(timelines)
        watched = [t for t in timelines if t.end in (End.AUTO_SUCCESS, End.INTERVENED, End.FAILED)]
        unaided = Rate(sum(t.success for t in watched), len(watched))
        ratio = figures.corrections_per_recovery
        return {
            "round": number,
            "version": number,
            "episodes": figures.episodes,
            "discarded": figures.discarded,
            "interventions": figures.interventions,
            "auto_successes": unaided.hits,
            "failures": sum(t.end is End.FAILED for t in timelines),
            "human_frames": figures.human_frames,
            "ratio": round(1 / ratio, 3) if math.isfinite(ratio) and ratio else None,
            "success": None if not watched else {
                "k": unaided.hits, "n": unaided.n, "low": unaided.interval.low, "high": unaided.interval.high,
            },
        }  # fmt: skip

    def recent(self, most: int = 20) -> list[dict[str, Any]]:
        """The last episodes, newest last; those that were left out are marked."""
        gone = self.buffer.dropped()
        found = [s for s in self.buffer.episodes() if s.rollout is not None][-most:]
        return [
            {
                "episode": s.id,
                "end": s.rollout["end"],
                "reason": s.reason,
                "interventions": s.rollout["n_interventions"],
                "seconds": round(float(s.rollout["frames"]) / float(s.rollout["rate"]), 1),
                "undone": s.id in gone,
            }
            for s in found
            if s.rollout is not None
        ]
