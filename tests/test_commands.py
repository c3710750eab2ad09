"""The commands as the README tells them."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from teaching.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ("run", "train", "evaluate", "verify", "backup", "starter", "export", "import")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Any:
    """`python -m teaching …` within this process: its exit status, output and complaints."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        try:
            status = main([*map(str, arguments)])
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.mark.parametrize("name", COMMANDS)
def test_takes_help(name: str, command: Any) -> None:
    status, out, _ = command(name, "--help")
    assert status == 0 and f"python -m teaching {name}" in out


def test_is_a_module_that_runs() -> None:
    words = [sys.executable, "-m", "teaching", "verify", "nowhere"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 2 and "nowhere" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--task", "juggle", "--storing-episodes", "1", "--out", "NEW"], "put-block-in-bowl"),
        (["run", "--arm", "real:one", "--storing-episodes", "1", "--out", "NEW", "--start", "nothing"], "sim:panda"),
        (["run", "--gate", "fixed", "--target", "2", "--storing-episodes", "1", "--out", "NEW"], "[0, 1]"),
        (["run", "--out", "NEW"], "--storing-episodes"),
        (["train", "NEW"], "lesson"),
        (["evaluate", "NEW"], "lesson"),
        (["verify", "NEW"], "lesson"),
        (["backup", "NEW", "NEW.tar"], "lesson"),
        (["starter", "NEW", "--task", "juggle"], "put-block-in-bowl"),
        (
            [
                "run",
                "--text-encoder",
                "NEW",
                "--arm",
                "fake:table",
                "--start",
                "nothing",
                "--storing-episodes",
                "1",
                "--out",
                "NEW2",
            ],
            "text encoder",
        ),
        (["export", "robomimic", "NEW", "NEW.h5"], "lesson"),
        (["import", "lerobot", "NEW", "NEW2"], "directory"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_bad_input_is_told(arguments: list[str], told: str, tmp_path: Path, command: Any) -> None:
    status, _, complaint = command(*(word.replace("NEW", str(tmp_path / "new")) for word in arguments))
    assert status == 2 and told in complaint


@pytest.mark.sim
def test_a_lesson_from_run_to_backup(tmp_path: Path, command: Any) -> None:
    lesson = tmp_path / "first lesson"

    def figures(*arguments: str | Path) -> dict[str, Any]:
        status, out, complaint = command(*arguments)
        assert status == 0, complaint
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    run = ["run", "--storing-episodes", "2", "--seed", "0", "--out", lesson, "--start", "nothing", "--sync"]
    ran = figures(*run, "--steps", "1", "--batch", "2")
    assert ran["storing_episodes"] == 2 and ran["updates"] == 2
    trained = figures("train", lesson, "--steps", "1", "--threads", "1")
    assert Path(trained["checkpoint"]).name == "000003"
    evaluated = figures("evaluate", lesson, "--episodes", "1", "--seed", "1")
    assert evaluated["updates"] == 3 and evaluated["episodes"] == 1
    assert figures("verify", lesson)["whole"]
    figures("backup", lesson, tmp_path / "first.tar")
    with tarfile.open(tmp_path / "first.tar") as tar:
        assert "first lesson/events.log" in tar.getnames()
    (lesson / "episodes" / "000000.h5").unlink()
    status, out, _ = command("verify", lesson)
    assert status == 1 and "000000" in out
