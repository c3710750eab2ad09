"""Run files and locks: how to reach a process, and that there is only one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace

import pytest

from robot_io.run_files import (
    Owned,
    RunFileError,
    alive,
    birth_of,
    own,
    read_run_file,
    remove_run_file,
    run_path,
    write_run_file,
)


def written(directory):
    return write_run_file(directory, "arm", port=4711, secret="s3cret", name="fake:table", started=1.5)


def test_what_was_written_is_read(tmp_path):
    run = written(tmp_path)
    assert read_run_file(tmp_path, "arm") == run
    assert run.pid == os.getpid()
    assert alive(run)


def test_only_this_user_may_read_it(tmp_path):
    written(tmp_path)
    assert stat.S_IMODE(run_path(tmp_path, "arm").stat().st_mode) == 0o600
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["arm.json"]


def test_none_is_none(tmp_path):
    assert read_run_file(tmp_path, "arm") is None
    remove_run_file(tmp_path, "arm")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_one_is_named(tmp_path, text):
    path = run_path(tmp_path, "arm")
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(RunFileError, match=r"arm\.json"):
        read_run_file(tmp_path, "arm")


def test_a_dead_process_is_stale(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert birth_of(child.pid) is None
    assert not alive(replace(written(tmp_path), pid=child.pid))


def test_a_killed_child_that_nobody_reaped_is_stale(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    run = replace(written(tmp_path), pid=child.pid, birth=birth_of(child.pid))
    assert alive(run)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not alive(run)
    child.wait()


def test_another_process_with_the_same_pid_is_stale(tmp_path):
    assert not alive(replace(written(tmp_path), birth="1"))


def test_one_owner_at_a_time(tmp_path):
    with own(tmp_path, "arm"):
        written(tmp_path)
        with pytest.raises(Owned, match=f"process {os.getpid()}"), own(tmp_path, "arm"):
            pass
        with own(tmp_path, "host"):
            pass
    with own(tmp_path, "arm"):
        pass


def test_a_file_left_behind_tells_of_a_crash(tmp_path):
    with own(tmp_path, "arm") as crashed:
        assert not crashed
        written(tmp_path)
    with own(tmp_path, "arm") as crashed:
        assert crashed
        remove_run_file(tmp_path, "arm")
    with own(tmp_path, "arm") as crashed:
        assert not crashed
