"""A lesson in motion on an arm in memory: what the arm tells and a person says becomes segments that are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from robot_io.arm import BadAction, NotConnected
from teaching import rollout_task
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_episodes import Stand
from teaching.rollout_facts import timeline_of
from teaching.rollout_intents import RolloutIntents, meaningful
from teaching.rollout_lesson import RolloutLesson
from teaching.rollout_phases import Phase, Rules
from teaching.rollout_pilot import untaught
from teaching.rollout_rescue import rescue
from teaching.rollout_view import rollout_view
from teaching.segments import End, SegmentKind
from teaching.types import BadInput
from tests.teaching.reach_task import TASK, MemoryArm, ReachArm


@pytest.fixture(autouse=True)
def reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rollout_task._TASKS, "reach", "tests.teaching.reach_task")


class Bench:
    """A lesson, its arm, and a person who acts between two events."""

    def __init__(self, directory, arm: MemoryArm, **config) -> None:
        given = {"name": "t", "kind": "rollout", "task": "reach", "arm": "sim:reach", "seed": 3, **config}
        self.buffer = ReplayBuffer.create(directory, LessonConfig.from_json(given).to_json())
        self.arm = arm
        self.policy = untaught(TASK, 10, 0)
        self.lesson = RolloutLesson(
            self.buffer, arm, self.policy, Learning(None, LessonConfig.from_json(given).training, 3), beside=False
        )
        self.lesson.hand.look_seconds = 0.0
        self.steps: list[tuple[Callable[[], bool], Callable[[], object]]] = []
        self.lesson.changed = self._act

    def when(self, ready: Callable[[], bool], act: Callable[[], object] = lambda: None) -> Bench:
        """Once `ready`, do; in the order in which they were said."""
        self.steps.append((ready, act))
        return self

    def phase(self, phase: Phase) -> Callable[[], bool]:
        return lambda: self.lesson.stand is Stand.EPISODE and self.lesson.phase is phase

    def _act(self) -> None:
        if self.steps and self.steps[0][0]():
            self.steps.pop(0)[1]()

    def play(self, seconds: float = 20.0) -> Bench:
        """Until everything was done."""
        end = time.monotonic() + seconds
        self.lesson.ended = False
        self.lesson.run(until=lambda: not self.steps or time.monotonic() > end)
        self.lesson.begin = lambda: None  # type: ignore[method-assign]  the next play goes on from here
        assert not self.steps, f"still {self.lesson.stand}, {self.lesson.phase}: {self.lesson.message}"
        return self

    @property
    def draft(self):
        assert self.lesson.draft is not None
        return self.lesson.draft

    def moved(self, ticks: int) -> Callable[[], bool]:
        return lambda: self.lesson.draft is not None and len(self.lesson.draft.ticks) >= ticks

    def kept(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.buffer.episodes()) >= count

    def facts(self, index: int = -1):
        found = self.buffer.episodes()[index].rollout
        assert found is not None
        return found


@pytest.fixture
def bench(tmp_path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(arm: MemoryArm | None = None, **config) -> Bench:
        made.append(Bench(tmp_path / f"lesson{len(made)}", arm or MemoryArm(), **config))
        return made[-1]

    yield make
    for one in made:
        one.steps = []
        one.lesson.end()
        one.buffer.close()


def kinds(facts) -> list[str]:
    return [s["kind"] for s in facts["segments"]]


def helped(b: Bench, at: int = 24, recovery: int = 2, correction: int = 2) -> Bench:
    """The policy drives, a person takes over, brings back, says so, and goes on."""
    b.arm.at[at] = MemoryArm.take
    b.when(b.phase(Phase.READY), b.lesson.start)
    for _ in range(recovery):
        b.when(b.phase(Phase.RECOVERY), lambda: b.arm.push(0, 0, 0.01))
    b.when(b.moved(at + 12), b.lesson.recovered)
    for _ in range(correction):
        b.when(b.phase(Phase.CORRECTION), lambda: b.arm.push(0.01, 0, 0))
    return b


def test_an_intervention_is_kept_as_recovery_and_correction(bench):
    b = helped(bench())
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    facts = b.facts()
    assert facts["end"] == "intervened" and facts["n_interventions"] == 1 and facts["labelled_boundary"]
    assert kinds(facts) == ["policy", "recovery", "correction"]
    assert facts["segments"][0]["stop"] == 24
    timeline = timeline_of(facts)
    assert timeline.end is End.INTERVENED and timeline.frames == facts["frames"]


def test_the_executed_action_is_kept_and_told_in_metres(bench):
    b = helped(bench())
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    columns = b.buffer.frames("000000")
    joints, begun = columns["executed"][:, :3], columns["observation.joints"][0, :3]
    np.testing.assert_allclose(columns["move"][:, :3].sum(axis=0), joints[-1] - begun, atol=1e-9)
    assert set(columns["segment"].tolist()) == {1, 2, 3} and columns["live"].all()
    assert (columns["control"] == (columns["segment"] != 1)).all()
    assert columns["novice_action"].shape == (len(joints), 5)
    assert b.buffer.verify().whole


def test_what_is_said_is_in_the_log_before_it_is_acknowledged(bench):
    b = helped(bench())
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    said = [e.body["what"] for e in b.buffer.history() if e.kind == "mark"]
    assert said == ["start", "recovered", "done"]


def test_a_success_of_the_policy_alone_counts(bench):
    b = bench()
    b.when(b.phase(Phase.READY), b.lesson.start)
    b.when(b.moved(20), lambda: setattr(b.arm.inner, "target", b.arm.inner.observe()["joints"][:3]))
    b.when(b.kept(1)).play()
    assert b.facts()["end"] == "auto_success" and b.facts()["success"] is True


def test_a_timeout_is_a_failure_that_counts(bench):
    b = bench()
    b.arm.inner.finishable = False
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.kept(1)).play()
    assert b.facts()["end"] == "failed" and b.facts()["frames"] >= 2 * TASK.limit
    assert b.lesson.rounds.table()[0]["failures"] == 1


def test_recovered_before_the_take_over_is_refused_and_nothing_changes(bench):
    b = bench()
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.phase(Phase.POLICY)).play()
    before = b.buffer.last_sequence
    with pytest.raises(BadInput, match="the arm drives: take over first"):
        b.lesson.recovered()
    assert b.lesson.phase is Phase.POLICY and b.buffer.last_sequence == before


def test_done_before_anything_was_moved_is_refused(bench):
    b = bench(protocol="rule2")
    b.arm.at[8] = MemoryArm.take
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.phase(Phase.CORRECTION)).play()
    with pytest.raises(BadInput, match="not moved the arm"):
        b.lesson.done()


def test_a_fumble_counts_nowhere_but_is_kept(bench):
    b = helped(bench())
    b.when(b.moved(50), b.arm.hand_back).when(lambda: True, b.lesson.fumble).when(b.kept(1)).play()
    assert b.facts()["end"] == "discarded"
    assert b.lesson.rounds.collected(0) == 0


def test_a_second_failure_is_the_same_intervention(bench):
    b = helped(bench())
    b.when(b.moved(50), b.lesson.failed_again).when(b.phase(Phase.RECOVERY), lambda: b.arm.push(0, 0, 0.01))
    b.when(b.moved(66), b.lesson.recovered).when(b.phase(Phase.CORRECTION), lambda: b.arm.push(0.01, 0, 0))
    b.when(b.moved(80), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    assert kinds(b.facts()) == ["policy", "recovery", "correction", "recovery", "correction"]
    assert b.facts()["n_interventions"] == 1


def test_the_boundary_may_be_said_afterwards(bench):
    b = helped(bench())
    b.when(b.moved(60), lambda: b.lesson.recovered(30))
    b.when(lambda: True, b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    recovery = next(s for s in b.facts()["segments"] if s["kind"] == "recovery")
    assert recovery["start"] == 24 and recovery["stop"] == 30 and recovery["marked"]


def test_rule_two_alone_needs_no_recovery(bench):
    b = bench(protocol="rule2")
    b.arm.at[16] = MemoryArm.take
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.phase(Phase.CORRECTION), lambda: b.arm.push(0.01, 0, 0))
    b.when(b.moved(28), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    assert kinds(b.facts()) == ["policy", "correction"]


def test_in_hg_dagger_the_policy_drives_on(bench):
    b = bench(protocol="hg-dagger")
    b.arm.at[16] = MemoryArm.take
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.phase(Phase.CORRECTION), lambda: b.arm.push(0.01, 0, 0))
    b.when(b.moved(28), b.arm.hand_back).when(lambda: True, b.lesson.done)
    b.when(b.phase(Phase.POLICY)).when(b.moved(60), b.lesson.abort).when(b.kept(1)).play()
    assert kinds(b.facts()) == ["policy", "correction", "policy"]


def test_the_time_machine_keeps_the_branch_that_failed(bench):
    b = bench()
    b.arm.at[40] = MemoryArm.take
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.phase(Phase.RECOVERY), lambda: b.arm.push(0, 0, 0.01))
    b.when(b.moved(52), b.arm.hand_back).when(lambda: True, lambda: b.lesson.rewind(20))
    b.when(b.phase(Phase.CORRECTION), b.arm.take).when(lambda: True, lambda: b.arm.push(0.01, 0, 0))
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    facts, columns = b.facts(), b.buffer.frames("000000")
    assert kinds(facts) == ["policy", "restored", "correction"]
    assert facts["left_frames"] == int((~columns["live"]).sum()) > 0
    assert columns["parent"][np.flatnonzero(columns["live"])[20]] == 20
    timeline_of(facts)


def test_scrubbing_past_the_end_is_refused_and_nothing_changes(bench):
    b = bench()
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.moved(20)).play()
    with pytest.raises(BadInput, match="expected a tick of this episode"):
        b.lesson.rewind(10_000)
    assert b.lesson.phase is Phase.POLICY


def test_no_way_back_while_a_person_drives(bench):
    b = bench()
    b.arm.at[16] = MemoryArm.take
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.phase(Phase.RECOVERY), lambda: b.arm.push(0, 0, 0.01)).play()
    b.lesson.hold = lambda: None  # type: ignore[method-assign]  a person who drives on regardless
    with pytest.raises(Exception, match="hand it back first"):
        b.lesson.rewind(8)
    assert b.lesson.phase is Phase.RECOVERY


def test_a_latched_stop_truncates_and_keeps(bench):
    b = bench()
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.moved(20), lambda: b.arm.arm.stop("no heartbeat"))
    b.when(b.kept(1)).when(lambda: b.lesson.stand is Stand.STOPPED, b.arm.arm.release).when(b.phase(Phase.READY)).play()
    assert b.facts()["end"] == "truncated" and kinds(b.facts()) == ["policy"]
    assert b.buffer.episodes()[0].end == "interrupted"


def test_an_arm_that_vanishes_and_comes_back(bench):
    b = bench()
    b.when(b.phase(Phase.READY), b.lesson.start)
    b.when(b.moved(20), lambda: setattr(b.arm, "fails", NotConnected("the arm process is gone")))
    b.when(b.kept(1)).when(b.phase(Phase.READY)).play()
    assert b.facts()["end"] == "truncated" and "gone" in b.buffer.episodes()[0].reason


def test_an_arm_that_refuses_an_action_loses_nothing(bench):
    b = bench()
    b.when(b.phase(Phase.READY), b.lesson.start)
    b.when(b.moved(20), lambda: setattr(b.arm, "fails", BadAction("expected finite rows")))
    b.when(b.kept(1)).play()
    assert b.facts()["end"] == "truncated" and "refused" in b.buffer.episodes()[0].reason


def test_a_camera_that_fails_holds_the_policy_which_goes_on_when_it_is_back(bench):
    """Nothing is lost, nothing is counted twice, and a sentence says why it stands."""
    b = bench()
    fails = "camera over gave no picture for 0.4 s; check its cable"
    b.arm.at[20] = lambda arm: setattr(arm, "blind", fails)
    b.when(b.phase(Phase.READY), b.lesson.start).when(lambda: "goes on by itself" in b.lesson.message).play()
    said, ticks = b.lesson.message, list(b.draft.ticks)
    assert fails in said and len(ticks) == 20 and b.lesson.phase is Phase.POLICY
    for _ in range(5):
        b.when(lambda: True)
    b.play()
    assert b.draft.ticks == ticks and b.lesson.message == said
    b.arm.blind = ""
    b.when(b.moved(40), lambda: b.arm.take()).when(b.phase(Phase.RECOVERY)).play()
    assert b.lesson.message != said
    told = b.draft.ticks
    assert told == list(range(1, len(told) + 1)) and b.draft.parents == [-1, *told[:-1]]


def test_a_person_may_take_over_while_a_camera_fails(bench):
    b = bench()
    b.arm.at[20] = lambda arm: setattr(arm, "blind", "camera over is gone")
    b.when(b.phase(Phase.READY), b.lesson.start).when(lambda: "gone" in b.lesson.message, lambda: b.arm.take())
    b.when(b.phase(Phase.RECOVERY), lambda: b.arm.push(0, 0, 0.01)).when(b.moved(24)).play()
    assert b.draft.segments()[-1]["kind"] == "recovery" and "holds still" not in b.lesson.message


def test_without_a_policy_a_real_arm_does_not_start(bench):
    b = bench(MemoryArm(ReachArm(simulated=False)))
    b.when(b.phase(Phase.READY)).play()
    with pytest.raises(BadInput, match="expected a trained policy"):
        b.lesson.start()
    assert b.lesson.phase is Phase.READY


def test_a_demonstration_is_one_segment(bench):
    b = bench()
    b.when(b.phase(Phase.READY), b.lesson.demonstrate).when(lambda: True, b.arm.take)
    b.when(lambda: True, lambda: b.arm.push(0.02, 0, 0))
    b.when(b.moved(12), lambda: setattr(b.arm.inner, "target", b.arm.inner.observe()["joints"][:3]))
    b.when(b.kept(1), b.arm.hand_back).when(b.phase(Phase.READY)).play()
    assert kinds(b.facts()) == ["demo"] and b.facts()["end"] == "demonstrated"
    assert b.lesson.rounds.collected(0) == 1


def test_undo_leaves_the_last_episode_out(bench):
    b = helped(bench())
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    said = b.lesson.undo()
    assert b.lesson.rounds.collected(0) == 0 and b.lesson.rounds.recent()[-1]["undone"]
    b.buffer.say("undo", {"event": said})
    assert b.lesson.rounds.collected(0) == 1


def test_it_calls_when_it_is_unsure_and_is_waved_on(bench):
    b = bench(gate={"kind": "fixed", "level": 0.5, "p_rand": 0.0})
    b.when(b.phase(Phase.READY), b.lesson.start).when(lambda: b.lesson.stand is Stand.CALLING).play()
    ticks = b.arm.tick
    view = rollout_view(b.lesson, {})
    assert view["phase"] == "calling" and view["call"]["why"] and "go" in view["can"]
    b.when(lambda: True).when(lambda: True).play()
    assert b.arm.tick == ticks, "it holds while it calls"
    b.lesson.go_on()
    b.when(b.moved(ticks + 40)).play()
    assert b.lesson.stand is Stand.EPISODE, "who waved it on is not called again at once"
    b.when(lambda: b.lesson.stand is Stand.CALLING).play()


def test_a_call_that_is_taken_up_is_a_mistake_that_was_caught(bench):
    b = bench(gate={"kind": "fixed", "level": 0.5, "p_rand": 0.0})
    b.when(b.phase(Phase.READY), b.lesson.start).when(lambda: b.lesson.stand is Stand.CALLING, b.arm.take)
    b.when(b.phase(Phase.RECOVERY)).play()
    rows = b.lesson.sense._history_rows()
    assert rows.outcome.tolist() == [-1]


def test_the_view_is_drawn_in_every_phase(bench):
    b, seen = bench(), []

    def drawn() -> None:
        seen.append(rollout_view(b.lesson, {}))

    b.arm.at[24] = MemoryArm.take
    b.when(b.phase(Phase.READY), drawn).when(lambda: True, b.lesson.start).when(b.phase(Phase.POLICY), drawn)
    b.when(b.phase(Phase.RECOVERY), drawn).when(lambda: True, lambda: b.arm.push(0, 0, 0.01))
    b.when(b.moved(36), b.lesson.recovered).when(lambda: True, lambda: b.arm.push(0.01, 0, 0)).when(b.moved(44), drawn)
    b.play()
    assert {v["phase"] for v in seen} >= {"ready", "policy", "recovery", "correction"}
    assert all(set(v["can"]) >= {"train", "undo"} for v in seen)
    last = seen[-1]
    assert last["timeline"]["segments"][0]["kind"] == "policy" and last["branches"][0]["live"]
    assert len(last["timeline"]["tick"]) == len(last["timeline"]["doubt"]) == len(last["timeline"]["familiar"])


def test_intents_are_carried_out_or_refused_with_a_sentence(bench):
    b = bench()
    intents = RolloutIntents(b.lesson)
    b.lesson.request = lambda do, timeout: do()  # type: ignore[method-assign]
    b.when(b.phase(Phase.READY)).play()
    assert meaningful(b.lesson)
    with pytest.raises(BadInput, match="expected an intent among"):
        intents.carry_out("dance", {}, "s")
    with pytest.raises(BadInput, match="whole number"):
        intents.carry_out("rewind", {"tick": "last"}, "s")
    assert intents.carry_out("start", {}, "s") == 1
    assert b.lesson.phase is Phase.POLICY


def test_what_a_page_makes_of_segments_counts_at_once_and_names_who_said_it(bench):
    b = helped(bench())
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    intents = RolloutIntents(b.lesson)
    intents.names["s"] = "Ada"
    b.lesson.request = lambda do, timeout: do()  # type: ignore[method-assign]
    assert b.lesson.rounds.collected(0) == 1
    said = intents.carry_out("end", {"episode": "000000", "how": "failed"}, "s")
    assert b.lesson.rounds.collected(0) == 1, "a failure that a person took over in was still an intervention"
    assert b.lesson.rounds.table()[0]["failures"] == 1
    intents.carry_out("end", {"episode": "000000", "how": "discarded"}, "s")
    assert b.lesson.rounds.collected(0) == 0
    assert [e.body["by"] for e in b.buffer.history() if e.kind == "segments"] == ["Ada", "Ada"]
    with pytest.raises(BadInput, match="the latest change"):
        intents.carry_out("take_back", {"event": said}, "s")


def test_segments_never_overlap_with_what_the_store_says(bench):
    b = helped(bench())
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    columns, facts = b.buffer.frames("000000"), b.facts()
    for segment in facts["segments"]:
        part = columns["segment"][columns["live"]][segment["start"] : segment["stop"]]
        assert (part == SegmentKind[segment["kind"].upper()]).all()


def test_an_episode_that_a_crash_cut_short_is_kept_from_what_the_arm_remembers(bench, tmp_path):
    b = helped(bench())
    b.when(b.moved(60)).play()
    b.lesson.hand.close()
    b.buffer.close()  # no end of the lesson: its process was killed
    arm = b.arm
    arm.hand_back()
    b.buffer = ReplayBuffer(tmp_path / "lesson0")
    config = LessonConfig.from_json(b.buffer.lesson)
    b.lesson = RolloutLesson(b.buffer, arm, b.policy, Learning(None, config.training, 3), beside=False)
    b.lesson.hand.look_seconds, b.lesson.changed = 0.0, b._act
    b.when(b.phase(Phase.READY)).play()
    facts = b.facts()
    assert facts["end"] == "truncated" and kinds(facts) == ["policy", "recovery", "correction"]
    assert facts["segments"][0]["stop"] == 24 and "in the middle" in b.buffer.episodes()[0].reason
    assert b.lesson.draft is not None and b.lesson.draft.id == "000001"


def test_nothing_is_rescued_twice(bench):
    b = helped(bench())
    b.when(b.moved(60), b.arm.hand_back).when(lambda: True, b.lesson.done).when(b.kept(1)).play()
    frames = b.arm.beat(-1)["frames"]
    assert rescue(b.buffer, frames, Rules(), TASK.goal, 0) is None


def test_a_gate_that_knows_too_little_does_not_call(bench):
    b = bench(gate={"kind": "sag", "mode": "success", "target": 0.9, "p_rand": 0.0, "n_min": 2})
    b.when(b.phase(Phase.READY), b.lesson.start).when(b.moved(40)).play()
    assert b.lesson.sense.threshold is None and "0 of 2 mistakes" in rollout_view(b.lesson, {})["gate"]["promise"]


def test_a_gate_that_has_seen_mistakes_calls_where_doubt_tells_them(tmp_path, bench):
    b = bench(gate={"kind": "sag", "mode": "success", "target": 0.9, "p_rand": 0.0, "n_min": 3})
    sense = b.lesson.sense
    for doubt, failed in [(0.2, False), (0.9, True)] * 12:
        sense.begin(0)
        sense.calls(doubt, 10)
        sense.took_over(called=False) if failed else sense.ended(End.AUTO_SUCCESS)
    sense.begin(0)
    assert sense.threshold is not None and 0.2 < sense.threshold <= 0.9
    assert not sense.calls(0.15, 10) and sense.calls(0.95, 20)
