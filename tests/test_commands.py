"""The commands as the README tells them, in processes of their own."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.process
COMMANDS = ("run", "train", "evaluate", "verify", "backup", "starter")


def command(*arguments: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """`python -m teaching …`, which ends with the given status."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "teaching", *map(str, arguments)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == status, done.stderr
    return done


def figures(*arguments: str | Path) -> dict[str, Any]:
    """The last line of a command's output."""
    found: dict[str, Any] = json.loads(command(*arguments).stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_takes_help(name: str) -> None:
    assert f"python -m teaching {name}" in command(name, "--help").stdout


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
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_bad_input_is_told_without_a_traceback(arguments: list[str], told: str, tmp_path: Path) -> None:
    words = [word.replace("NEW", str(tmp_path / "new")) for word in arguments]
    said = command(*words, status=2).stderr
    assert told in said and "Traceback" not in said


@pytest.mark.sim
def test_a_lesson_from_run_to_backup(tmp_path: Path) -> None:
    lesson = tmp_path / "first lesson"
    run = ["run", "--storing-episodes", "2", "--seed", "0", "--out", lesson]
    ran = figures(*run, "--start", "nothing", "--sync", "--steps", "1", "--batch", "2")
    assert ran["storing_episodes"] == 2 and ran["updates"] == 2
    trained = figures("train", lesson, "--steps", "1")
    assert Path(trained["checkpoint"]).name == "000003"
    evaluated = figures("evaluate", lesson, "--episodes", "1", "--seed", "1")
    assert evaluated["updates"] == 3 and evaluated["episodes"] == 1
    assert figures("verify", lesson)["whole"]
    figures("backup", lesson, tmp_path / "first.tar")
    with tarfile.open(tmp_path / "first.tar") as tar:
        assert "first lesson/events.log" in tar.getnames()
    (lesson / "episodes" / "000000.h5").unlink()
    assert "000000" in command("verify", lesson, status=1).stdout
