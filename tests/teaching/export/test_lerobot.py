"""There and back with the real LeRobot: what it reads is what was recorded; what it cannot take is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from teaching.__main__ import main
from teaching.export import beside, export_lesson
from teaching.export.importing import import_lerobot
from teaching.replay import ReplayBuffer
from teaching.rollout_facts import timeline_of
from teaching.rollout_task import make_rollout_task
from teaching.rollout_training import examples
from teaching.types import BadInput
from tests.teaching.export import moving_lesson
from tests.teaching.replay_maker import LESSON, Maker

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving_lesson.make(tmp_path_factory.mktemp("moving") / "lesson")


@pytest.fixture(scope="module")
def dataset(moving: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("datasets") / "moving"
    figures = export_lesson("lerobot", moving, out)
    assert (figures["episodes"], figures["frames"], figures["left_out"]) == (2, 28, 1)
    return out


def test_lerobot_reads_every_tick_as_it_was(moving: Path, dataset: Path) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    back = LeRobotDataset("askback/moving", root=dataset, delta_timestamps={"action": [0.0, 1 / 60]})
    assert (back.fps, back.num_episodes, back.num_frames, back.meta.robot_type) == (60, 2, 28, "sim")
    rows = back.hf_dataset.with_format(None)
    with ReplayBuffer(moving, readonly=True) as buffer:
        frames = [buffer.frames(name) for name in ("000000", "000001")]
    live = {n: np.concatenate([f[n][f["live"]] for f in frames]) for n in frames[0]}
    np.testing.assert_allclose(np.array(rows["action"]), live["executed"], atol=1e-6)
    state = np.concatenate([live["observation.joints"], live["observation.gripper"]], axis=1)
    np.testing.assert_allclose(np.array(rows["observation.state"]), state, atol=1e-6)
    np.testing.assert_allclose(np.array(rows["move"]), live["move"], atol=1e-8)
    assert rows["intervention"][:] == (live["intervention_id"] >= 0).tolist()
    assert rows["clipped"][:] == live["clipped"].tolist()
    doubt = np.array(rows["uncertainty"])
    np.testing.assert_allclose(doubt, np.nan_to_num(live["uncertainty"], nan=-1.0), atol=1e-6)
    assert set(rows["segment"]) == {"demo", "policy", "recovery", "correction"}
    first = back[12]
    assert first["task"] == moving_lesson.GOAL and first["action"].shape == (2, 8)
    side = json.loads((dataset / "meta" / "askback.json").read_text())
    assert side["episodes"]["1"]["end"] == "intervened" and side["lesson"]["task"] == "peg-and-button"


def test_its_features_are_those_of_a_policy(dataset: Path) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDatasetMetadata
    from lerobot.datasets.utils import dataset_to_policy_features

    told = dataset_to_policy_features(LeRobotDatasetMetadata("askback/moving", root=dataset).features)
    assert set(told) == {"observation.state", "observation.environment_state", "action"}


def test_comes_back_as_what_it_was_and_trains_the_same(moving: Path, dataset: Path, tmp_path: Path) -> None:
    task = make_rollout_task("peg-and-button")
    told = import_lerobot(dataset, tmp_path / "back")
    assert (told["episodes"], told["already_there"]) == (2, 0)
    assert import_lerobot(dataset, tmp_path / "back")["already_there"] == 2
    with ReplayBuffer(tmp_path / "back") as buffer, ReplayBuffer(moving, readonly=True) as before:
        assert buffer.verify().whole and len(buffer.rollouts()) == 2
        facts = [s.rollout for s in buffer.rollouts()]
        assert [f["end"] for f in facts if f] == ["demonstrated", "intervened"]
        assert timeline_of(facts[1] or {}).interventions == 1
        for mine, theirs in zip(examples(buffer, task), examples(before, task), strict=True):
            assert mine.timeline == theirs.timeline
            np.testing.assert_allclose(mine.states, theirs.states, atol=1e-6)
            np.testing.assert_allclose(mine.actions, theirs.actions, atol=1e-7)


def test_a_stranger_at_30_frames_is_demonstrations(tmp_path: Path) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    names = ("dx", "dy", "dz", "dyaw", "gripper")
    sensed = {**moving_lesson.SENSED, "stage": 3, "gripper": 1}
    features = {f"observation.{n}": {"dtype": "float32", "shape": (w,), "names": None} for n, w in sensed.items()}
    features["action"] = {"dtype": "float32", "shape": (5,), "names": list(names)}
    made = LeRobotDataset.create("me/theirs", 30, features=features, root=tmp_path / "theirs", use_videos=False)
    rng = np.random.default_rng(0)
    actions = rng.normal(size=(2, 6, 5)).astype(np.float32)
    for episode in actions:
        for action in episode:
            seen = {f"observation.{n}": rng.normal(size=w).astype(np.float32) for n, w in sensed.items()}
            made.add_frame({**seen, "action": action, "task": "press it"})
        made.save_episode()
    made.finalize()
    assert import_lerobot(tmp_path / "theirs", tmp_path / "lesson")["episodes"] == 2
    with ReplayBuffer(tmp_path / "lesson", readonly=True) as buffer:
        assert [s.goal for s in buffer.rollouts()] == ["press it"] * 2
        found = examples(buffer, make_rollout_task("peg-and-button"))
    assert {e.timeline.end.value for e in found} == {"demonstrated"}
    np.testing.assert_allclose(found[0].actions, actions[0], atol=1e-6)  # two ticks to a row, as it was
    with pytest.raises(BadInput, match="expected an arm that senses 'block'"):
        import_lerobot(tmp_path / "theirs", tmp_path / "other", task="block-in-bowl")
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    path = tmp_path_factory.mktemp("plans")
    with ReplayBuffer.create(path / "lesson", LESSON) as buffer:
        maker = Maker(shape=(16, 32))
        maker.taught(buffer, "000000", ("valid", "both"))
        maker.taught(buffer, "000001", ("wrong",))
        buffer.say("verdict", maker.answer(buffer.decisions()[2], "demonstration", late=True))
    export_lesson("lerobot", path / "lesson", path / "out")
    return path / "lesson", path / "out"


def test_plans_come_with_what_was_said_last(plans: tuple[Path, Path]) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    lesson, out = plans
    back = LeRobotDataset("askback/bowls", root=out)
    rows = back.hf_dataset.with_format(None)
    with ReplayBuffer(lesson, readonly=True) as buffer:
        steps = [s for name in ("000000", "000001") for s in buffer.read(name).steps]
    assert back.num_frames == 3 and rows["outcome"][:] == [1, -1, -1]
    assert [set(w.split("+")) for w in rows["stored"]] == [{"validated"}, {"annotated", "relabelled"}, {"annotated"}]
    assert rows["demonstrated"][:] == [False, True, True]
    executed = np.array([np.ravel(s.executed) for s in steps])
    np.testing.assert_allclose(np.array(rows["action"]), executed, atol=1e-6)
    shown = (back[1]["observation.images.top"].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(shown, steps[1].observation["colour"])  # PNG: exact


def test_plans_are_no_demonstrations_in_motion(plans: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="60 or 30 frames"):
        import_lerobot(plans[1], tmp_path / "lesson")
    assert not (tmp_path / "lesson").exists()


def test_refuses_what_is_there_and_what_is_nothing(moving: Path, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is there"):
        export_lesson("lerobot", moving, dataset)
    with ReplayBuffer.create(tmp_path / "empty", LESSON):
        pass
    with pytest.raises(BadInput, match="found none that count"):
        export_lesson("robomimic", tmp_path / "empty", tmp_path / "out.h5")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty"]


def test_without_lerobot_it_says_what_to_install(
    moving: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "lerobot.datasets", None)
    assert main(["export", "lerobot", str(moving), str(tmp_path / "out")]) == 2
    assert "pip install" in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.process
def test_a_killed_export_leaves_nothing_under_its_name(moving: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "teaching", "export", "lerobot", str(moving), str(tmp_path / "out")]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not list(tmp_path.glob(".out.*.part/out/meta/info.json")) and time.monotonic() < until:
            assert child.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
    finally:
        child.wait(30)
    assert not (tmp_path / "out").exists() and len(list(tmp_path.glob(".out.*.part"))) == 1


def test_beside_gives_figures_or_a_sentence(moving: Path, tmp_path: Path) -> None:
    assert beside("robomimic", moving, tmp_path / "out.h5").result(120)["frames"] == 28
    with pytest.raises(BadInput, match="is there"):
        beside("robomimic", moving, tmp_path / "out.h5").result(120)
