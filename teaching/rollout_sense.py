"""What the novice's own traces tell: how familiar a state is, where to go back to, when to call for help."""

from __future__ import annotations

from typing import Any

import numpy as np

from teaching.familiarity import Familiarity, FamiliarityConfig, rewind_point
from teaching.gating import Gate
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_draft import RolloutDraft
from teaching.rollout_facts import timeline_of
from teaching.rollout_states import states_of
from teaching.rollout_task import RolloutTask
from teaching.segments import End, SegmentKind
from teaching.types import Array, BadInput, Outcome, Rows

SEEN = "observation."
THIN = 4
"""Every so many demonstrated ticks are compared with."""
MOST = 40
"""Demonstrations that are compared with, the latest."""
STRETCH = 60
"""Ticks of the policy that are weighed as one by the gate: a second."""


class Sense:
    """Familiarity from the demonstrations in force; the gate over stretches of driving."""

    def __init__(self, buffer: ReplayBuffer, task: RolloutTask) -> None:
        self.buffer, self.task = buffer, task
        config = LessonConfig.from_json(buffer.lesson)
        self.gate: Gate = config.gate
        self.known: Familiarity | None = None
        self.threshold: float | None = None
        """Doubt from which it calls; None: it never does."""
        self._rows: list[tuple[float, int, int]] = self._history()
        self.waits = ""
        """What the gate needs before it can call, in words."""
        self._stretch: list[float] = []
        self._version = self._begun = self._quiet = 0
        self.tips: Array = np.zeros((0, 3))
        """(N, 3) metres: where demonstrated grippers were, if the arm says so."""
        self._rng = np.random.default_rng([abs(config.seed), len(self._rows), 9])
        self.learn()

    # -- familiarity -------------------------------------------------------------------------------------------------

    def learn(self) -> None:
        """Take in the demonstrations in force."""
        shown = [s for s in self.buffer.rollouts() if s.rollout and s.rollout["end"] == End.DEMONSTRATED][-MOST:]
        states, tips = [], []
        for summary in shown:
            seen = seen_in(self.buffer, summary.id)
            states.append(self.task.relative(states_of(self.task, seen, THIN)))
            tips.append(seen["tip"][::THIN].reshape(-1, 3) if "tip" in seen else np.zeros((0, 3)))
        self.tips = np.concatenate(tips) if tips else np.zeros((0, 3))
        if len(states) >= 2:
            self.known = Familiarity(states, FamiliarityConfig(), scale=np.ones(states[0].shape[1]))

    def familiar(self, states: Array) -> float | None:
        """Of the last of states (T, D), in [0, 1]; None before two demonstrations."""
        if self.known is None:
            return None
        return float(self.known.bar(self.task.relative(states[-1:]))[0])

    def rewind(self, draft: RolloutDraft, rate: float) -> dict[str, Any] | None:
        """Where to go back to: familiar, and before the doubt rose."""
        live = set(np.array(draft.ticks, dtype=int)[draft.live()].tolist())
        points = [p for p in draft.points if p.tick in live and p.familiar is not None]
        if self.known is None or len(points) < 3:
            return None
        bar = np.array([p.familiar for p in points], dtype=np.float64)
        doubt = np.array([p.doubt for p in points])
        bound = self.threshold if self.threshold is not None else 1.0
        unsure = bound if bound < 1.0 else float(np.quantile(doubt, 0.9))
        sure = min(float(np.median(doubt)), unsure)
        found = rewind_point(bar, doubt, familiar=self.known.mark, sure=sure, unsure=unsure)
        if found is None or points[found].tick >= draft.head:
            return None
        ago = (points[-1].tick - points[found].tick) / rate
        return {"tick": points[found].tick, "seconds_ago": round(ago, 2), "why": "familiar, before the doubt rose"}

    def boundary(self, draft: RolloutDraft) -> dict[str, Any] | None:
        """Where the recovery under way seems to have ended."""
        if self.known is None or draft.intervention < 0:
            return None
        on = np.flatnonzero(draft.live())
        which = np.array(draft.interventions, dtype=int)[on]
        mine = on[which == draft.intervention]
        if len(mine) < 12:
            return None
        earlier = on[on < mine[0]][-30:]
        if not len(earlier):
            return None
        place = self.known.boundary(self._relative(draft, mine[::THIN]), self._relative(draft, earlier))
        if place is None:
            return None
        return {"tick": draft.ticks[int(mine[place * THIN])], "why": "the furthest back that is still familiar"}

    def _relative(self, draft: RolloutDraft, frames: Array) -> Array:
        """Some frames of a draft as familiarity compares them."""
        columns = {n: c for n, c in draft.rows.items() if n.startswith(SEEN)}
        arrays = {n.removeprefix(SEEN): np.concatenate(c)[frames] for n, c in columns.items()}
        return self.task.relative(states_of(self.task, arrays))

    # -- the gate ----------------------------------------------------------------------------------------------------

    def begin(self, version: int) -> None:
        """A new episode: the threshold from what is known of earlier ones."""
        self._version, self._stretch, self._begun, self._quiet = version, [], 0, 0
        self._refresh()

    def _refresh(self) -> None:
        """A gate that does not know enough yet never calls: the person watches, and what they do is what it learns."""
        self.threshold, self.waits = None, ""
        if self.gate.kind == "never":
            return
        weighed = self.gate.weigh(self._history_rows(), 1.0, self._version, self._rng)
        if not weighed.known:
            failures = sum(outcome == Outcome.FAILURE for _, outcome, _ in self._rows)
            self.waits = f"watch it until it knows when to call: {failures} of {self.gate.n_min} mistakes seen"
        elif weighed.threshold < np.inf:
            self.threshold = float(np.clip(weighed.threshold, 0.0, 1.0))

    def change(self, gate: Gate) -> None:
        """Another gate from now on."""
        self.gate = gate
        self._refresh()

    def calls(self, doubt: float, ticks: int) -> bool:
        """Whether this doubt, after so many ticks of the episode, calls for help."""
        if ticks - self._begun >= STRETCH:
            self._close(Outcome.SUCCESS)
            self._begun = ticks
        self._stretch.append(doubt)
        return self.threshold is not None and doubt >= self.threshold and ticks >= self._quiet

    def took_over(self, *, called: bool) -> None:
        """A person took over: the stretch under way would have failed."""
        self._close(Outcome.FAILURE)

    def waved_on(self, ticks: int) -> None:
        """A person let it go on after a call: the stretch was fine, and for as long again it does not call."""
        self._close(Outcome.SUCCESS)
        self._begun, self._quiet = ticks, ticks + STRETCH

    def ended(self, end: End) -> None:
        """The episode is over."""
        if end in (End.AUTO_SUCCESS, End.FAILED):
            self._close(Outcome.FAILURE if end is End.FAILED else Outcome.SUCCESS)
        self._stretch = []

    def _close(self, outcome: Outcome) -> None:
        if self._stretch:
            self._rows.append((max(self._stretch), int(outcome), self._version))
        self._stretch = []

    def _history_rows(self) -> Rows:
        rows = self._rows
        return Rows(
            np.array([r[0] for r in rows], dtype=np.float64), np.array([r[1] for r in rows], dtype=np.int64),
            np.array([r[2] for r in rows], dtype=np.int64), tuple(str(i) for i in range(len(rows))),
            (None,) * len(rows),
        )  # fmt: skip

    def _history(self) -> list[tuple[float, int, int]]:
        """Stretches of the episodes that count, as the gate weighs them."""
        rows: list[tuple[float, int, int]] = []
        for summary in self.buffer.rollouts():
            facts = summary.rollout
            if facts is None or facts["end"] in (End.DISCARDED, End.DEMONSTRATED):
                continue
            columns = self.buffer.frames(summary.id, ["uncertainty", "live"])
            doubt = columns["uncertainty"][columns["live"]]
            for segment in timeline_of(facts).segments:
                if segment.kind is SegmentKind.POLICY:
                    last = segment.stop == len(doubt) and facts["end"] == End.AUTO_SUCCESS
                    rows += _stretches(doubt[segment.start : segment.stop], last, int(facts["policy"]))
        return rows

    def set_gate(self, values: dict[str, Any]) -> Gate:
        """The gate with some fields changed; BadInput if it cannot be."""
        try:
            return Gate(**{**vars(self.gate), **values})
        except TypeError as error:
            raise BadInput(f"that gate cannot be: {error}") from error


def seen_in(buffer: ReplayBuffer, episode: str) -> dict[str, Array]:
    """What the arm sensed on the branch on which an episode ended, by name, (T, n) each."""
    columns = buffer.frames(episode)
    live = columns["live"]
    return {n.removeprefix(SEEN): column[live] for n, column in columns.items() if n.startswith(SEEN)}


def _stretches(doubt: Array, fine: bool, version: int) -> list[tuple[float, int, int]]:
    """One row per second of driving; the last one failed, unless the episode ended well."""
    found = []
    for start in range(0, len(doubt), STRETCH):
        part = doubt[start : start + STRETCH]
        part = part[np.isfinite(part)]
        if len(part):
            last = start + STRETCH >= len(doubt)
            outcome = Outcome.SUCCESS if fine or not last else Outcome.FAILURE
            found.append((float(part.max()), int(outcome), version))
    return found
