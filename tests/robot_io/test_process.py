"""The arm process: one owner, an orderly end, no torch, and nobody left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from robot_io.arm import ArmError
from robot_io.fake import FakeArm
from robot_io.heartbeat import Heartbeat
from robot_io.launch import launch
from robot_io.loop import Loop
from robot_io.process import main, parse
from robot_io.run_files import birth_of, read_run_file, run_path
from robot_io.safety import SafeArm
from tests.robot_io.side_port import ORIGIN, Page, arm_process, linked, run_of

pytestmark = pytest.mark.process


def test_health(tmp_path):
    with arm_process(tmp_path):
        url = f"http://127.0.0.1:{run_of(tmp_path).port}"
        assert httpx.get(f"{url}/health").json() == {"name": "Fake", "state": "idle", "why": "", "tick": 0}
        assert httpx.get(f"{url}/health", headers={"Host": "evil.example"}).status_code == 403
        assert httpx.get(f"{url}/health", headers={"Origin": ORIGIN}).status_code == 200
        assert httpx.get(f"{url}/health", headers={"Origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_end(tmp_path, number):
    with arm_process(tmp_path) as process, Page(tmp_path), linked(tmp_path):
        process.send_signal(number)
        assert process.wait(10) == 0
        assert not run_path(tmp_path, "arm").exists()
    with arm_process(tmp_path), linked(tmp_path) as arm:
        assert arm.state()["phase"] == "idle"


def test_a_signal_at_any_moment_ends_the_loop():
    loop = Loop(SafeArm(FakeArm()), Heartbeat(time.monotonic), time.monotonic)
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    end = threading.Timer(1.0, setattr, (loop, "ending", True))
    end.start()
    try:
        loop.arm.connect()
        loop.run()
        assert loop.ending
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        end.join()


def test_after_a_crash_it_comes_back_latched(tmp_path):
    with arm_process(tmp_path) as process:
        process.kill()
        process.wait(5)
    with arm_process(tmp_path), linked(tmp_path) as arm:
        assert arm.state()["phase"] == "stopped"
        assert arm.state()["why"] == "restarted after a crash: release to go on"
        arm.release()
        assert arm.state()["phase"] == "idle"


def test_one_owner_per_directory(tmp_path, capsys):
    with arm_process(tmp_path) as process:
        assert main(["--arm", "fake:table", "--dir", str(tmp_path)]) == 2
        assert f"process {process.pid}" in capsys.readouterr().err
        with pytest.raises(ArmError, match=f"process {process.pid}"):
            launch("fake:table", tmp_path)
        assert read_run_file(tmp_path, "arm").pid == process.pid


def test_a_port_in_use(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--arm", "fake:table", "--dir", str(tmp_path), "--port", str(port)]) == 2
    assert f"expected port {port}" in capsys.readouterr().err


def test_an_arm_that_nobody_knows(tmp_path, capsys):
    assert main(["--arm", "toaster", "--dir", str(tmp_path)]) == 2
    assert "sim:panda" in capsys.readouterr().err
    assert not run_path(tmp_path, "arm").exists()


@pytest.mark.parametrize("more", [["--origin", "evil"], ["--port", "x"], []])
def test_a_command_line_that_is_none(more, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["--arm", "fake:table", *(["--dir", "."] if more else []), *more])
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_nobody_there_for_long_ends_it(tmp_path):
    with arm_process(tmp_path, more=("--idle", "1")) as process:
        with linked(tmp_path):
            time.sleep(2.0)
            assert process.poll() is None
        assert process.wait(10) == 0
        assert not run_path(tmp_path, "arm").exists()


def test_it_ends_with_its_parent(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    with arm_process(tmp_path, more=("--parent-pid", str(parent.pid))) as process:
        time.sleep(0.6)
        assert process.poll() is None
        parent.kill()
        parent.wait(5)
        assert process.wait(10) == 0


FOREIGN = "import sys, robot_io.process; print(sorted({m.partition('.')[0] for m in sys.modules}))"


def test_it_loads_neither_torch_nor_pictures_nor_pages():
    told = subprocess.run([sys.executable, "-c", FOREIGN], capture_output=True, text=True, check=True).stdout
    for module in ("torch", "PIL", "streamlit", "lerobot", "pybullet", "teaching"):
        assert f"'{module}'" not in told


def mapped(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.sim
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_a_simulated_arm_at_work_has_loaded_neither_torch_nor_pictures(tmp_path):
    with arm_process(tmp_path, "sim:panda") as process, linked(tmp_path) as arm, Page(tmp_path) as page:
        arm.reset(1, "put-block-in-bowl", "seen")
        arm.observe(pictures=True)
        page.tell(type="view", cameras=["side"], fps=10)
        page.frame(timeout=20)
        libraries = mapped(process.pid)
        assert "torch" not in libraries
        assert "/PIL/" not in libraries
        assert "pybullet" in libraries


def children(pid: int) -> list[int]:
    return [int(p) for t in Path(f"/proc/{pid}/task").iterdir() for p in (t / "children").read_text().split()]


@pytest.mark.sim
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_its_twins_end_with_it(tmp_path, number):
    with arm_process(tmp_path, "sim:panda") as process, linked(tmp_path) as arm, Page(tmp_path) as page:
        arm.reset(1, "put-block-in-bowl", "seen")
        arm.observe(pictures=True)
        page.tell(type="view", cameras=["side"], fps=10)
        page.frame(timeout=20)
        twins = children(process.pid)
        assert len(twins) == 2
        process.send_signal(number)
        process.wait(10)
        end = time.monotonic() + 10
        while any(birth_of(twin) is not None for twin in twins):
            assert time.monotonic() < end
            time.sleep(0.05)
