"""What the command line of lessons in motion makes of its words."""

from __future__ import annotations

import argparse

import pytest

from teaching import rollout_command, rollout_headless
from teaching.lesson import LessonConfig
from teaching.selection import SELECTIONS


def given(monkeypatch: pytest.MonkeyPatch, *words: str) -> LessonConfig:
    """The lesson that a command would run."""
    made: list[LessonConfig] = []
    monkeypatch.setattr(rollout_headless, "run", lambda out, config, rounds, **_: made.append(config) or {})
    parser = argparse.ArgumentParser()
    rollout_command.add(parser.add_subparsers(), lambda: None)
    arguments = parser.parse_args(["rollout", "--out", "somewhere", *words])
    arguments.do(arguments)
    return made[0]


def test_frames_count_alike_and_ways_retraced_do_not_unless_it_is_said(monkeypatch):
    plain = given(monkeypatch)
    assert (plain.weighting, plain.recovery_auto, plain.rounds) == ("rac", False, 3)


@pytest.mark.parametrize("name", SELECTIONS)
def test_published_weightings_go_by_their_names(monkeypatch, name):
    chosen = given(monkeypatch, "--weighting", name, "--recovery-auto", "--rounds", "5")
    assert (chosen.weighting, chosen.recovery_auto, chosen.rounds) == (name, True, 5)


def test_every_weighting_there_is_can_be_named():
    assert set(rollout_command.WEIGHTINGS) == set(SELECTIONS)


def test_an_unknown_weighting_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        given(monkeypatch, "--weighting", "mine")
    assert "sirius" in capsys.readouterr().err
