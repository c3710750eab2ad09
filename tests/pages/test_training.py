"""The Training page: models and lineage, rolling one back, and what an evaluation's process leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from teaching import jobs
from teaching.amending import go_on_from
from teaching.compare import compare
from teaching.comparing import figures, keep
from teaching.evaluations import Difference, difference, evaluations, pooled, start
from teaching.learning import entry
from teaching.lesson import LessonConfig
from teaching.metrics import Rate
from teaching.models import models
from teaching.replay import ReplayBuffer
from teaching.training import Training
from teaching.types import BadInput
from tests.pages.test_shell import home, opened, supervisor  # noqa: F401  fixtures
from tests.teaching.replay_maker import Maker
from tests.teaching.test_comparing import PAIR


@pytest.fixture
def lesson(home: Path, supervisor) -> Path:  # noqa: F811
    path = home / "mine"
    config = LessonConfig(name="mine", arm="fake:table", start="nothing").to_json()
    with ReplayBuffer.create(path, {**config, "training": {"batch": 2, "steps": 1}}) as buffer:
        maker = Maker(shape=(80, 160))
        training = Training(buffer)
        for update in (1, 2):
            maker.taught(buffer, f"e{update}", ("valid", "demonstration"))
            where, figures = training.train(steps=1, seed=0, update=update)
            told = entry({"type": "done", "checkpoint": str(where), "figures": figures}, update)
            buffer.say("training", {"why": "something new was stored", **told})
    return path


def result(path: Path, name: str, success: float, episodes: int, **more: object) -> None:
    (path / "evaluations").mkdir(exist_ok=True)
    figures = {"success": success, "episodes": episodes, "reward_x100": 100 * success, **more}
    (path / "evaluations" / name).write_text(f"evaluated scenes 3 of 3\n{json.dumps(figures)}\n")


def test_models_and_where_they_came_from(lesson):
    result(lesson, "000002-seen-seed0-20.log", 0.5, 20)
    app = opened("training", lesson="mine")
    said = "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])
    assert "### Model 000002" in said and "000002 ← 000001" in said and "2 of them new since 000001" in said
    assert "/replay?example=e2-" in said and "50 % (30–70 %, 20 scenes)" in said
    assert app.button("promote").disabled


def test_a_model_is_rolled_back(lesson):
    go_on_from(lesson, "000001", session="s", teacher="Ada")
    app = opened("training", lesson="mine")
    newest = models(lesson / "checkpoints")[-1]
    assert (newest.name, newest.parent, newest.promoted) == ("000003", "000001", True)
    assert not app.error
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert [e.body.get("promoted") for e in buffer.history() if e.kind == "training"] == [None, None, True]


def test_evaluations_are_read_and_pooled_over_scenes(lesson):
    result(lesson, "000002-seen-seed0-20.log", 0.5, 20)
    result(lesson, "000002-seen-seed0-40.log", 0.5, 40)
    result(lesson, "000002-seen-seed1-20.log", 1.0, 20)
    (lesson / "evaluations" / "000001-seen-seed0-20.log").write_text("it broke\n")
    found = evaluations(lesson)
    assert pooled(found, "000002") == Rate(40, 60) and pooled(found, "000001") is None
    broken = found[0]
    assert (broken.running, broken.figures, broken.said) == (False, None, "it broke")


@pytest.mark.parametrize(
    ("model", "how", "expected"),
    [("000099", {"scenes": 5}, "expected a model"), ("000002", {"scenes": 0}, "1 to 500"),
     ("000002", {"scenes": 5, "split": "../x"}, "plain split")],
)  # fmt: skip
def test_an_evaluation_that_cannot_be_is_refused(lesson, model, how, expected):
    with pytest.raises(BadInput, match=expected):
        start(lesson, model, **how)


def test_what_was_fixed_and_broken_between_two_models(lesson):
    result(lesson, "000001-seen-seed0-5.log", 0.4, 5, rewards=[1, 1, 0.5, 0, 0])
    result(lesson, "000002-seen-seed0-5.log", 0.8, 5, rewards=[1, 0.5, 1, 1, 1])
    first, second = evaluations(lesson)
    found = difference(first, second)
    assert found == Difference(fixed=(2, 3, 4), broken=(1,), solved=(0,), unsolved=())
    assert found.chance == pytest.approx(2 * 5 / 16)
    app = opened("training", lesson="mine")
    said = "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])
    assert "**3 fixed**, **1 broken**" in said and "2 examples came in between: [e2-" in said
    result(lesson, "000001-seen-seed1-5.log", 0.4, 5)
    with pytest.raises(BadInput, match="same scenes"):
        difference(evaluations(lesson)[1], second)


def test_skills_are_told_with_intervals_from_answers_and_from_evaluations(lesson):
    goals = [f"put the red blocks in a {c} bowl" for c in ("green", "green", "blue")]
    more = {"rewards": [1, 0.0, 1], "goals": goals, "seeds": [1, 3, 5]}
    result(lesson, "000002-seen-seed0-3.log", 0.67, 3, **more)
    result(lesson, "000002-seen-seed0-2.log", 0.5, 2, **{k: v[:2] for k, v in more.items()})
    app = opened("training", lesson="mine")
    (table,) = [d.value for d in app.dataframe if "skill" in d.value.columns]
    found = {row["skill"]: (row["by your answers"], row["model 000002 on fresh scenes"]) for _, row in table.iterrows()}
    assert found["green bowls"][1] == "50 % (9–91 %, 2, too few to know)"
    assert found["red blocks"] == ("50 % (15–85 %, 4, too few to know)", "67 % (21–94 %, 3, too few to know)")
    assert found["blue bowls"] == ("not seen", "100 % (21–100 %, 1, too few to know)")


def test_a_comparison_is_shown_with_its_films_and_asked_for(lesson, monkeypatch):
    compare(lesson, PAIR)
    keep(lesson, PAIR, figures(lesson, PAIR))
    app = opened("training", lesson="mine")
    said = "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])
    assert "Of 2 frozen scenes" in said and "95 % interval" in said
    assert "2 examples came in between" in said
    (scenes,) = [d.value for d in app.dataframe if "scene" in d.value.columns]
    assert set(scenes["scene"]) == {0, 1}
    asked = []
    monkeypatch.setattr(jobs, "start", lambda log, arguments: asked.append(arguments))
    app.button("compare").click().run()
    assert not app.exception and not app.error
    assert asked[0][:6] == ["compare", str(lesson), "--before", "000001", "--after", "000002"]


def test_a_job_is_shown_with_how_far_it_is_and_is_called_off(lesson):
    with jobs.turn(lesson):
        start(lesson, "000002", scenes=5)
        app = opened("training", lesson="mine")
        off = app.button("off evaluations 000002-seen-seed0-5.log")
        off.click().run()
        assert not app.exception and not app.error
    (ended,) = evaluations(lesson)
    assert not ended.running and ended.said == jobs.CANCELLED
