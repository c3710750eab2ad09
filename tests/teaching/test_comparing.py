"""Two models on the same frozen scenes: what is played, kept, gone on from and told, and the answers in between."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import make_arm
from teaching import films, headless, novice
from teaching.__main__ import main
from teaching.between import about, between
from teaching.compare import compare, scene_seed
from teaching.comparing import Pair, comparisons, difference, film_path, model_name, scenes
from teaching.filmed import Asked, Eye, eye_of, plan_scene
from teaching.films import Head, Reel
from teaching.learning import entry
from teaching.lesson import LessonConfig
from teaching.metrics import paired_difference
from teaching.models import models
from teaching.replay import ReplayBuffer
from teaching.replay.glance import Glance
from teaching.task import make_task
from teaching.training import Training
from teaching.types import BadInput
from tests.teaching.replay_maker import GOAL, Maker

PAIR = Pair("000001", "000002", scenes=2)


def taught(path: Path) -> Path:
    """A lesson on the arm in memory, with two models."""
    config = LessonConfig(name="two", arm="fake:table", start="nothing").to_json()
    with ReplayBuffer.create(path, {**config, "training": {"batch": 2, "steps": 1}}) as buffer:
        maker, training = Maker(shape=(80, 160)), Training(buffer)
        for update in (1, 2):
            maker.taught(buffer, f"e{update}", ("valid", "demonstration"))
            where, figures = training.train(steps=1, seed=0, update=update)
            buffer.say("training", entry({"type": "done", "checkpoint": str(where), "figures": figures}, update))
    return path


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = taught(tmp_path_factory.mktemp("compared") / "two")
    compare(path, PAIR)
    return path


def test_every_scene_is_played_by_both_and_tells_what_evaluate_tells(lesson: Path) -> None:
    found = scenes(lesson, PAIR)
    assert [s.before.scene for s in found] == [0, 1]
    assert all(s.before.seed == s.after.seed == scene_seed("plans", 0, s.before.scene) for s in found)
    arm = make_arm("fake:table")
    arm.connect()
    for model, side in (("000001", "before"), ("000002", "after")):
        policy, _ = novice.load_novice(lesson / "checkpoints", arm.features.table, 0)
        policy.load(lesson / "checkpoints" / model)
        plain = headless.evaluate(policy, arm, make_task("put-block-in-bowl"), "seen", 2, 0)  # type: ignore[arg-type]
        assert plain["rewards"] == pytest.approx([getattr(s, side).reward for s in found], abs=1e-4)
    arm.disconnect()


def test_filming_changes_nothing_and_shows_plan_motion_and_what_came_of_it() -> None:
    class Knows:
        """Plans what the scripted teacher would."""

        version = 1

        def __init__(self, arm) -> None:
            self.arm = arm

        def reset(self) -> None:
            """Nothing to forget."""

        def __call__(self, observation, goal, rng):
            return make_task("put-block-in-bowl").demonstrate(goal, self.arm.truth(), np.random.default_rng(1))

    task, heads = make_task("put-block-in-bowl"), []
    with eye_of("fake:table") as eye:
        for sees in (eye, Eye(None, "")):
            arm = make_arm("fake:table")
            arm.connect()
            reel, asked = Reel(), Asked(0, 10_001, "seen", "000001", "x")
            head = plan_scene(Knows(arm), arm, task, asked, np.random.default_rng(0), sees, reel)  # type: ignore[arg-type]
            heads.append((head, len(reel.pictures), arm.truth()))
            arm.disconnect()
    (seen, many, truth), (unseen, few, same) = heads
    assert seen.solved and unseen.solved and truth == same
    assert many > few >= 2 * len(unseen.plans)
    assert seen.shots[0].plan == 0 and seen.shots[1].plan == -1
    assert all(0 <= u <= 1 and 0 <= v <= 1 for plan in seen.plans for u, v in plan.spots)
    assert seen.bands[-1].kind == "right" and seen.bands[-1].until == pytest.approx(seen.length, abs=0.01)


def test_what_is_there_is_not_played_again_unless_its_weights_changed(lesson: Path) -> None:
    paths = [film_path(lesson, m, "seen", 0, s) for m in ("000001", "000002") for s in (0, 1)]
    paths[1].unlink()
    head = films.read_head(paths[2])
    films.write(paths[2], Head(**{**vars(head), "policy": "other weights"}), [])
    before = {p: p.stat().st_mtime_ns for p in paths if p.exists()}
    told = []
    compare(lesson, PAIR, report=lambda what, done, of: told.append((done, of)))
    assert told == [(2, 4), (3, 4), (4, 4)]
    changed = {p for p in paths if p.stat().st_mtime_ns != before.get(p)}
    assert changed == {paths[1], paths[2]} and films.read_head(paths[2]).policy == head.policy


def test_a_film_goes_to_the_browser_whole_and_a_damaged_one_is_refused(lesson: Path, tmp_path: Path) -> None:
    path = film_path(lesson, "000001", "seen", 0, 0)
    film = films.for_browser(path)
    assert film["length"] > 0 and max(s["picture"] for s in film["shots"]) < len(film["pictures"])
    lines = path.read_text().splitlines()
    for damaged in ("", "{}", lines[0], f"{lines[0]}\n[]\n", lines[0].replace("askback-film", "another")):
        (tmp_path / "0.film").write_text(damaged)
        with pytest.raises(BadInput, match="expected a film"):
            films.for_browser(tmp_path / "0.film")


@pytest.mark.parametrize(
    ("given", "expected"),
    [(("1", "000002"), "by its number"), (("000001", "000001"), "two models"), (("../..", "000002"), "by its number")],
)
def test_a_pair_that_cannot_be_is_refused(given, expected) -> None:
    with pytest.raises(BadInput, match=expected):
        Pair(*given)
    with pytest.raises(BadInput, match="plain split"):
        Pair("000001", "000002", "../x")
    with pytest.raises(BadInput, match="1 to 500"):
        Pair("000001", "000002", scenes=0)


def test_the_command_tells_the_difference_and_names_the_models_there_are(lesson: Path, capsys) -> None:
    assert main(["compare", str(lesson), "--before", "1", "--episodes", "2"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    change = difference(scenes(lesson, PAIR))
    assert (told["before"], told["after"], told["episodes"]) == ("000001", "000002", 2)
    assert told["difference_interval"] == pytest.approx(list(change.interval), abs=1e-4)
    assert main(["compare", str(lesson), "--before", "77"]) == 2
    assert "expected a model among 000001, 000002" in capsys.readouterr().err
    assert model_name(lesson, "last") == "000002"
    (kept,) = comparisons(lesson)
    assert (kept.pair, kept.running, kept.whole) == (PAIR, False, True)


def test_the_paired_interval_covers_what_it_says() -> None:
    rng, n, hits = np.random.default_rng(5), 40, 0
    chances = (0.25, 0.1)
    for _ in range(600):
        better, worse, _same = rng.multinomial(n, [*chances, 1 - sum(chances)])
        low, high = paired_difference(int(better), int(worse), n)
        hits += low <= chances[0] - chances[1] <= high
    assert 0.93 <= hits / 600 <= 0.99
    assert paired_difference(0, 0, 0) == (-1.0, 1.0)
    assert paired_difference(3, 1, 9)[0] == pytest.approx(-paired_difference(1, 3, 9)[1])
    with pytest.raises(BadInput, match="at most n"):
        paired_difference(3, 1, 3)


def test_the_answers_in_between_and_which_are_about_a_goal(lesson: Path) -> None:
    first, second = models(lesson / "checkpoints")
    with Glance(lesson) as glance:
        found = between(first, second, [first, second], glance)
    assert found.total == 2 and {t.episode for t in found.taught} == {"e2"} and found.unlearnt == ()
    assert {t.example for t in found.taught} == {"e2-0-validated", "e2-1-annotated"}
    assert sum(t.drawn for t in found.taught) == sum(
        n for d, n in second.lineage["draws"].items() if d.startswith("e2-")
    )
    assert {t.second for t in found.taught} == {0.0, 1.0}
    near = about("put-block-in-bowl", GOAL, found.taught)
    assert [shared for _, shared in near] == [("the same goal",)] * 2
    other = about("put-block-in-bowl", "put the red blocks in a blue bowl", found.taught)
    assert [shared for _, shared in other] == [("red blocks",)] * 2
    assert about("put-block-in-bowl", "put the cyan blocks in a blue bowl", found.taught) == []
