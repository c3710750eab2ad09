"""A lesson in one file: what is in it, what is refused, and going through it once more on a simulated arm."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import Action, make_arm
from teaching import headless
from teaching.__main__ import main
from teaching.capsule import file
from teaching.capsule.again import again, compare
from teaching.capsule.contents import contents
from teaching.gating import Gate
from teaching.learning import Learning
from teaching.lesson import LessonConfig, TrainingConfig
from teaching.policies.base import Policy
from teaching.replay import Episode, ReplayBuffer
from teaching.replay.frames import Rollout
from teaching.types import BadInput
from tests.teaching.replay_maker import LESSON, Maker

EVIL = "put </script><script>window.hurt=1</script> in a bowl"


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small lesson on the arm in memory, trained before each question."""
    path = tmp_path_factory.mktemp("capsule") / "small"
    config = LessonConfig(
        name="small", arm="fake:table", start="nothing", teacher="oracle",
        gate=Gate(kind="fixed", level=0.5, p_rand=0.5),
        training=TrainingConfig(steps=1, batch=2),
    )  # fmt: skip
    headless.run(path, config, 2, sync=True)
    return path


@pytest.fixture(scope="module")
def capsule(lesson: Path) -> Path:
    out = lesson.parent / "small.html"
    file.write(out, contents(lesson, clock=lambda: 5.0))
    return out


def test_everything_that_was_asked_is_in_it_in_order(lesson: Path, capsule: Path) -> None:
    found = file.read(capsule)
    with ReplayBuffer(lesson, readonly=True) as buffer:
        decisions, answers = buffer.decisions(), buffer.answers()
    assert [i["id"] for i in found["items"]] == [d.id for d in decisions]
    for item in found["items"]:
        answer = answers.get(item["id"])
        assert (item["answer"] is None) == (answer is None)
        if answer is not None:
            assert item["answer"]["seconds"] == answer.seconds
    assert base64.b64decode(found["log"]) == (lesson / "events.log").read_bytes()
    assert len(found["policies"]) == len(found["trainings"]) == 2 and found["versions"]["numpy"] == np.__version__
    assert all(base64.b64decode(p)[:2] == b"\xff\xd8" for p in found["pictures"])


def test_going_through_it_again_every_plan_is_the_same_to_the_bit(capsule: Path) -> None:
    told = again(capsule)
    assert told["all_same"] and told["same"] == told["plans"] >= 2 and told["scenes_same"] == told["plans"]
    assert told["largest_difference_m_or_rad"] == 0.0 and told["stopped"] == "" and told["versions_differ"] == {}
    assert told["models"] and all(told["models"].values())


def test_another_answer_is_found_out(lesson: Path, capsule: Path, tmp_path: Path) -> None:
    """The same plans until a model was trained on another answer; where it says something else, it says where."""
    value = file.read(capsule)
    from teaching.replay.log import encode, scan

    records, turned = b"", 0
    for record in scan(base64.b64decode(value["log"])).records:
        event = json.loads(record.payload)
        if event["kind"] == "answer" and event["body"]["demonstration"] and not turned:
            turned += 1
            event["body"]["demonstration"]["actions"][0][0] += 0.05
        records += encode(record.seq, json.dumps(event).encode())
    assert turned
    value |= {"log": base64.b64encode(records).decode(), "log_sha256": hashlib.sha256(records).hexdigest()}
    file.write(tmp_path / "other.html", value)
    told = again(tmp_path / "other.html")
    assert not told["all_same"] and (told["first_different"] or told["stopped"])
    assert not all(told["models"].values()) or told["stopped"]


class Late(Learning):
    """As where a person teaches beside the trainings: a model is used an episode after it was trained."""

    waits: Path | None = None

    def adopt(self, policy: Policy) -> bool:
        if self.fresh is None:
            return False
        self.fresh, self.waits = self.waits, self.fresh
        return super().adopt(policy)


def test_models_that_came_late_come_as_late_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = LessonConfig(
        name="late", arm="fake:table", start="nothing", teacher="oracle", gate=Gate(kind="always", p_rand=0.0),
        training=TrainingConfig(steps=1, batch=2),
    )  # fmt: skip
    monkeypatch.setattr(headless, "Learning", Late)
    headless.run(tmp_path / "late", config, 3, sync=True)
    value = contents(tmp_path / "late")
    made = [item["update"] for item in value["items"]]
    assert {0, 1} <= set(made) and made[-1] < len(value["trainings"]), "plans by models that were not the newest"
    read = [one["read"] for one in value["trainings"]]
    assert len(read) >= 2 and sorted(set(read)) == read
    file.write(tmp_path / "late.html", value)
    told = again(tmp_path / "late.html")
    assert told["all_same"] and all(told["models"].values()) and len(told["models"]) >= 2, told
    monkeypatch.setattr("teaching.capsule.again.schedule", lambda trainings: None)
    assert not again(tmp_path / "late.html")["all_same"], "trained and used at once it is another lesson"


def test_what_differs_is_told_by_how_much() -> None:
    from teaching.capsule.contents import question

    decision = Maker().decision("e0", 0)
    plan = decision.plan
    moved = replace(decision, plan=replace(plan, actions=plan.actions + np.array([1e-3, 0, 0, 0])))
    items = [{**question(decision, None, None), "seen": "a"}]
    told = compare(items, {"e0-0": moved}, {"e0-0": "b"})
    assert told["largest_difference_m_or_rad"] == pytest.approx(1e-3) and told["first_different"] == "e0-0"
    assert (told["same"], told["scenes_same"], told["all_same"]) == (0, 0, False)
    assert compare(items, {"e0-0": decision}, {"e0-0": "a"})["all_same"]


def test_nothing_that_the_lesson_says_is_html(tmp_path: Path) -> None:
    with ReplayBuffer.create(tmp_path / "evil", {**LESSON, "name": "</script><img src=x>"}) as buffer:
        maker = Maker(shape=(80, 160))
        decision, seen = maker.decision("e0", 0), maker.observation()
        decision = replace(decision, plan=maker.plan(EVIL), reason="<b>")
        buffer.ask(decision, seen, {})
        buffer.say("answer", maker.answer(decision, "valid", teacher="<i>Ada</i>"))
        buffer.append(maker.episode("e0", [(decision, seen)]))
    file.write(tmp_path / "evil.html", contents(tmp_path / "evil"))
    text = (tmp_path / "evil.html").read_text()
    assert "window.hurt" not in text and "<i>Ada" not in text and text.count("</script>") == 2
    assert file.read(tmp_path / "evil.html")["items"][0]["plan"]["goal"] == EVIL


def broken(capsule: Path, **changes: object) -> bytes:
    """A capsule whose lesson says something else, with a right checksum."""
    value = {**file.read(capsule), **changes}
    value = {name: one for name, one in value.items() if one is not None}
    packed = gzip.compress(json.dumps(value).encode())
    mark = f'<script type="text/plain" id="lesson" data-sha256="{hashlib.sha256(packed).hexdigest()}">'
    return mark.encode() + base64.b64encode(packed) + b"</script>"


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda c: b"<html></html>", "found no lesson"),
        (lambda c: c.read_bytes().replace(b'data-sha256="', b'data-sha256="0', 1), "found no lesson"),
        (lambda c: c.read_bytes().replace(b">H4sI", b">H4sJ", 1), "damaged"),
        (lambda c: broken(c, format="other"), "something else"),
        (lambda c: broken(c, schema=99), "schema 1"),
        (lambda c: broken(c, log=None), "expected log"),
        (lambda c: broken(c, log="!"), "damaged"),
        (lambda c: broken(c, log_sha256="0" * 64), "not the one"),
        (lambda c: broken(c, created={"name": "x", "arm": "so101:/dev/ttyACM0"}), "watched only"),
    ],
)
def test_a_bad_capsule_is_refused_in_words(capsule: Path, tmp_path: Path, damage, expected: str, capsys) -> None:
    (tmp_path / "bad.html").write_bytes(damage(capsule))
    assert main(["capsule", "--replay", str(tmp_path / "bad.html")]) == 2
    assert expected in capsys.readouterr().err


def test_the_command_writes_one_and_never_over_another_file(lesson: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "c.html"
    assert main(["capsule", str(lesson), str(out)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["bytes"] == out.stat().st_size
    assert main(["capsule", str(lesson), str(out)]) == 2
    assert main(["capsule", str(tmp_path / "none"), str(tmp_path / "d.html")]) == 2
    assert main(["capsule"]) == 2
    said = capsys.readouterr().err
    assert "expected a new file" in said and "expected a lesson" in said


def test_an_episode_in_motion_is_driven_again_tick_by_tick(tmp_path: Path) -> None:
    arm, rng = make_arm("fake:table"), np.random.default_rng(2)
    arm.connect()
    arm.reset(4, "put-block-in-bowl", "seen")  # type: ignore[attr-defined]
    joints, sent = [], []
    for _ in range(20):
        joints.append(arm.observe()["joints"])
        target = joints[-1] + rng.normal(0, 0.01, 4)
        sent.append([*arm.send(Action(target)).joints, 0.0])
    arm.disconnect()
    columns = {"tick": np.arange(20), "executed": np.array(sent), "observation.joints": np.array(joints),
               "live": np.ones(20, bool), "uncertainty": np.full(20, np.nan)}  # fmt: skip
    facts = {"end": "demonstrated", "rate": 60.0, "segments": [
        {"kind": "demo", "start": 0, "stop": 20, "intervention": -1, "marked": False}]}  # fmt: skip
    made = LessonConfig.from_json({"kind": "rollout", "name": "m", "arm": "fake:table", "task": "peg-and-button"})
    with ReplayBuffer.create(tmp_path / "m", made.to_json()) as buffer:
        buffer.append(
            Episode("000000", "peg-and-button", "press it", 4, "seen", (), "Ada", rollout=Rollout(columns, facts))
        )
    value = contents(tmp_path / "m")
    (item,) = value["items"]
    assert (
        item["bands"] == [{"at": 0.0, "until": 20 / 60, "said": "demo", "who": -1}]
        and item["curve"]["doubt"][0] is None
    )
    from teaching.capsule.motion_again import drive

    config = replace(made)
    object.__setattr__(config, "task", "put-block-in-bowl")  # the arm in memory has no scenes of the long tasks
    told = drive(value, config, headless.silent)
    assert told["all_same"] and told["ticks"] == 20 and told["largest_difference_rad"] == 0.0
    item["exact"]["executed"]["data"] = base64.b64encode(np.zeros((20, 5)).tobytes()).decode()
    assert not drive(value, config, headless.silent)["all_same"]
    item["exact"]["executed"]["type"] = "|O"
    with pytest.raises(BadInput, match="damaged"):
        drive(value, config, headless.silent)
