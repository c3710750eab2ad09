"""`python -m teaching reproduce`: pages rewritten in part, figures told."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from teaching.__main__ import main
from teaching.experiments.experiment import EXPERIMENTS, Experiment, Given, table
from teaching.reproduce import BEGIN, END, command, everything, placed, reproduce
from teaching.types import AskbackError, BadInput


def test_every_experiment_has_a_module_and_a_question() -> None:
    for name, chosen in EXPERIMENTS.items():
        assert find_spec(chosen.module), name
        assert chosen.question.endswith("?") and chosen.minutes > 0, name


def test_words_of_people_stay() -> None:
    page = placed("", "first", "Why?")
    assert page.startswith("# Why?\n") and "first" in page
    edited = page.replace(BEGIN, f"Said by a person.\n\n{BEGIN}") + "\n## After\n"
    again = placed(edited, "second", "Why?")
    assert "Said by a person." in again and again.endswith("## After\n") and "second" in again and "first" not in again
    assert again.count(BEGIN) == again.count(END) == 1
    assert placed("# Only words\n", "part", "?").startswith("# Only words\n\n" + BEGIN)


def test_the_command_is_told(tmp_path: Path) -> None:
    given = Given(tmp_path, (3, 4), True, options={"steps": "9"})
    assert command("sag-digits", given) == "python -m teaching reproduce sag-digits --full --seeds 3 4 --set steps=9"


def test_a_page_its_rows_and_its_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teaching.experiments.sag_digits.TARGETS", (0.5,))
    monkeypatch.setattr("teaching.experiments.sag_digits.FEWER", (0.5,))
    found = reproduce("sag-digits", tmp_path, seeds=[0], work=tmp_path / "work", options={"steps": "4"})
    page = (tmp_path / "sag-digits.md").read_text()
    rows = json.loads((tmp_path / "sag-digits.json").read_text())
    assert "| promise |" in page and "(sag-digits-kept.svg)" in page and (tmp_path / "sag-digits-kept.svg").is_file()
    plot = json.loads((tmp_path / "sag-digits-kept.plotly.json").read_text())
    assert plot["data"] and "(sag-digits-kept.plotly.json)" in page
    assert found["wall_seconds"] >= 0 and rows["figures"]["seeds"] == 1 and len(rows["rows"]) == 9
    json.dumps(found)
    reproduce("sag-digits", tmp_path, seeds=[0], work=tmp_path / "work", options={"steps": "4"})
    assert "in 2 runs that went on from each other" in (tmp_path / "sag-digits.md").read_text()
    (tmp_path / "work" / "sag-digits" / "seconds.json").unlink()
    reproduce("sag-digits", tmp_path, seeds=[0], work=tmp_path / "work", options={"steps": "4"})
    assert "broken off" in (tmp_path / "sag-digits.md").read_text()


def test_all_of_them_the_longest_first_one_thread_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: Experiment("teaching", "Why?", minutes) for name, minutes in (("short", 1.0), ("long", 3.0))}
    monkeypatch.setattr("teaching.reproduce.EXPERIMENTS", few)
    note = "import os, sys; open(sys.argv[1], 'a').write(sys.argv[2] + os.environ['OMP_NUM_THREADS'] + '\\n')"

    def child(name: str, out: Path, full: bool, work: Path) -> list[str]:
        return [sys.executable, "-c", note if name != "bad" else "raise SystemExit(3)", str(out / "said"), name]

    monkeypatch.setattr("teaching.reproduce._child", child)
    found = everything(tmp_path, full=False, work=tmp_path, jobs=1)
    assert (tmp_path / "said").read_text() == "long1\nshort1\n" and set(found["experiments"]) == set(few)
    few["bad"] = Experiment("teaching", "Why?", 2.0)
    with pytest.raises(AskbackError, match="bad"):
        everything(tmp_path, full=False, work=tmp_path, jobs=2)
    assert (tmp_path / "said").read_text().count("\n") == 4, "the others were run all the same"


def test_wrong_names_and_seeds_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "nothing"]) == 2
    assert "sag-digits" in capsys.readouterr().err
    assert main(["reproduce", "sag-digits", "--set", "steps"]) == 2
    assert "NAME=VALUE" in capsys.readouterr().err
    assert main(["reproduce", "all", "--seeds", "1"]) == 2
    with pytest.raises(BadInput, match="differ"):
        Given(Path(), (1, 1))


def test_tables() -> None:
    assert table(["a", "b"], [[1, 2]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
