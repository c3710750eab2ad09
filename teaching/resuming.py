"""The question that a crash of its host left on the screen: its scene is laid once more, and it is asked again.

Only a question that began its episode can be taken up, on an arm that lays scenes: the seed alone brings it back.
What else a crash left behind is committed as interrupted (`ReplayBuffer.salvage`).
"""

from __future__ import annotations

from robot_io.arm import Table
from teaching.episode_draft import EpisodeDraft
from teaching.memory import Memory
from teaching.replay import Episode, ReplayBuffer
from teaching.types import Decision
from teaching.world import Moment, same_scene


def left_open(buffer: ReplayBuffer, arm: Table) -> Episode | None:
    """The newest interrupted episode, if it is one question that nobody has answered and that never was taken up yet.

    A question that was taken up once is not taken up again: it may be what ends the host.
    """
    left = buffer.interrupted()
    if not left or "scene" not in arm.features.capabilities:
        return None
    newest = max(left, key=lambda episode: episode.id)
    before = {str(e.body.get("decision")) for e in buffer.history() if e.kind in ("answer", "verdict", "note")}
    (decision, *more) = newest.decisions
    alone = not more and decision.step == 0 and newest.steps[0].truth is not None
    return newest if alone and decision.id not in before else None


def taken_up(draft: EpisodeDraft, moment: Moment, memory: Memory) -> Decision | None:
    """The decision of the question that this draft takes up, if the scene came out the same; else it is withdrawn."""
    left, draft.left = draft.left, None
    if left is None:
        return None
    (decision,) = left.decisions
    memory.drop(decision.id)
    if not same_scene(left.steps[0].truth, moment.truth):
        memory.buffer.say("withdraw", {"decision": decision.id})
        return None
    memory.buffer.say("note", {"resumed": True, "decision": decision.id})
    draft.goal = decision.plan.goal
    return decision
