"""A person supervises the simulated arm through the real app, its real processes and the real store."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from robot_io.lease import SILENCE
from robot_io.run_files import read_run_file
from teaching.replay import ReplayBuffer
from teaching.supervisor import create_lesson
from tests.browser.chromium import FLAGS, ROOT, streamlit

pytestmark = [pytest.mark.browser, pytest.mark.sim]
SIZE = {"width": 1280, "height": 800}
NAME = "in-motion"
PATIENCE = 180_000
"""Milliseconds that anything may take on a busy machine."""


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """The app's address, and its home."""
    home = tmp_path_factory.mktemp("lessons")
    with streamlit(ROOT / "app.py", {"ASKBACK_HOME": str(home), "OMP_NUM_THREADS": "1"}) as address:
        yield address, home


@pytest.fixture
def opened(app, browser: Browser) -> Iterator[tuple[Page, Path]]:
    """The app's start page."""
    page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
    page.goto(app[0])
    yield page, app[1]
    page.close()


def phase(page: Page, *wanted: str) -> None:
    page.wait_for_selector(",".join(f"[data-rollout][data-phase={w}]" for w in wanted), timeout=PATIENCE)


def still(page: Page) -> None:
    """Waits until Streamlit has drawn what was changed."""
    page.wait_for_timeout(200)
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=PATIENCE)


def view(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("() => askbackHost.view")
    return found


def until(page: Page, true: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        page.wait_for_timeout(50)


def make_lesson(page: Page) -> None:
    page.get_by_text("Make a lesson of your own").click()
    page.get_by_role("textbox", name="Name of the lesson").fill(NAME)
    page.keyboard.press("Tab")
    still(page)
    page.get_by_text("it moves, you watch and take over").click()
    still(page)
    page.get_by_role("button", name="Create and open").click()


def set_off(page: Page) -> None:
    """The policy drives for a second or more."""
    phase(page, "ready")
    expect(page.locator('[data-act="let-work"]')).to_be_enabled(timeout=PATIENCE)
    page.keyboard.press("Space")
    phase(page, "policy")
    until(
        page, lambda: len(view(page)["timeline"]["tick"]) > 8 and head(page) - first(page) > 80, "ticks of the policy"
    )


def head(page: Page) -> int:
    return int(view(page)["episode"]["tick"])


def first(page: Page) -> int:
    return int(view(page)["episode"]["first"])


def told(page: Page) -> int:
    """The tick that the arm told last."""
    return int(page.evaluate("() => (askbackArm.state || { tick: 0 }).tick"))


def take_over(page: Page) -> None:
    page.keyboard.press("t")
    page.wait_for_selector("[data-rollout][data-driving]", timeout=PATIENCE)
    phase(page, "recovery", "correction")


def drive(page: Page, key: str, ticks: int = 40) -> None:
    """Holds a key until so many ticks have passed under it."""
    begun = told(page)
    page.keyboard.down(key)
    until(page, lambda: told(page) > begun + ticks, f"ticks by {key}")
    page.keyboard.up(key)
    page.wait_for_timeout(400)  # until the last command has been carried out
    until(page, lambda: head(page) > begun, "the lesson to see them")


def segments(page: Page) -> list[str]:
    return [segment["kind"] for segment in view(page)["timeline"]["segments"]]


def verified(path: Path) -> None:
    command = [sys.executable, "-m", "teaching", "verify", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr


def kept(path: Path, count: int) -> list[Any]:
    """The rollouts of a lesson, once there are so many."""
    end = time.monotonic() + PATIENCE / 1000
    while True:
        with ReplayBuffer(path, readonly=True) as buffer:
            found = buffer.rollouts()
            if len(found) >= count:
                return list(found)
        assert time.monotonic() < end, f"expected {count} kept rollouts, got {len(found)}"
        time.sleep(0.2)


@pytest.mark.timeout(1200)
def test_take_over_rewind_correct_done_and_find_it_on_disk(opened):
    page, home = opened
    make_lesson(page)
    set_off(page)

    take_over(page)  # as the method has it: bring it back, then show how
    drive(page, "PageUp")
    page.keyboard.press("g")
    phase(page, "correction")
    drive(page, "ArrowLeft")
    assert segments(page) == ["policy", "recovery", "correction"]

    left = head(page)  # the time machine: back to where the person had just taken over
    page.keyboard.press(",")
    page.wait_for_selector("[data-rollout][data-state=looking]", timeout=PATIENCE)
    for _ in range(3):
        page.keyboard.press(",")
    until(page, lambda: page.locator("[data-view='0'] [data-missing]").is_hidden(), "a picture of the past")
    page.keyboard.press("z")
    until(page, lambda: len(view(page)["branches"]) > 0 and head(page) < left, "the past")
    page.wait_for_selector("[data-rollout][data-driving][data-phase=correction]", timeout=PATIENCE)
    drive(page, "ArrowRight")
    assert head(page) > left and "restored" in segments(page)
    page.keyboard.press("Enter")
    phase(page, "saving", "resetting", "ready")

    (rollout,) = kept(home / NAME, 1)
    check(rollout, left)
    phase(page, "ready")
    verified(home / NAME)


def check(rollout: Any, left: int) -> None:
    """What was done is what the file says."""
    facts = rollout.rollout
    kinds = [segment["kind"] for segment in facts["segments"]]
    assert kinds[0] == "policy" and kinds[-1] == "correction" and "restored" in kinds
    assert facts["end"] == "intervened" and facts["n_interventions"] == 1 and facts["labelled_boundary"]
    assert facts["left_frames"] > 20  # the branch that was left is kept, too
    assert facts["frames"] == sum(segment["stop"] - segment["start"] for segment in facts["segments"])
    assert left > facts["segments"][0]["stop"]


@pytest.mark.timeout(1200)
def test_a_browser_killed_while_driving_leaves_a_latched_arm_and_a_kept_episode(app, browser: Browser):
    """How soon, `benchmarks.rollout_page` measures."""
    address, home = app
    path = home / NAME
    if path.exists():
        time.sleep(SILENCE + 1)  # then the one who supervised before has left
    else:
        create_lesson(home, NAME, kind="rollout")
    doomed = browser.browser_type.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
    page = doomed.new_page(viewport=SIZE)
    page.set_default_timeout(PATIENCE)
    page.goto(address + f"?lesson={NAME}")
    set_off(page)
    take_over(page)
    drive(page, "PageUp", 30)
    count = len(kept(path, 0))
    page.keyboard.down("PageUp")
    page.wait_for_timeout(300)
    crash(doomed)
    until_stopped(path)
    rollout = kept(path, count + 1)[-1]
    facts = rollout.rollout
    assert facts["end"] == "truncated"
    assert [segment["kind"] for segment in facts["segments"]] == ["policy", "recovery"]
    verified(path)


def until_stopped(path: Path) -> None:
    run = read_run_file(path, "arm")
    assert run is not None
    end = time.monotonic() + 20
    while (health := arm_health(run.port))["state"] != "stopped":
        assert time.monotonic() < end, f"expected a latched arm, got {health}"
        time.sleep(0.02)
    assert "heartbeat" in health["why"]


def arm_health(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def crash(browser: Browser) -> None:
    """The whole browser is gone at once."""
    with contextlib.suppress(Error):  # so is the answer
        browser.new_browser_cdp_session().send("Browser.crash")
