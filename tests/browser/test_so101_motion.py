"""A person supervises an emulated SO-101 in motion through the real app: by key, by dragging, a reload, and STOP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from teaching.replay import Episode, ReplayBuffer
from teaching.replay.frames import Rollout
from teaching.rollout_training import RolloutTraining
from teaching.segments import SegmentKind
from teaching.supervisor import create_lesson
from tests.browser.chromium import ROOT, streamlit
from tests.browser.test_rollout import PATIENCE, SIZE, drive, head, kept, phase, segments, told, until, verified, view
from tests.browser.test_so101 import bench as bench
from tests.robot_io.emulator import Emulator

pytestmark = [pytest.mark.browser, pytest.mark.sim]
NAME = "moving-bench"
RATE = 30.0


def shown_once(path: Path) -> None:
    """One demonstration that nobody gave, and a policy of one step from it: it drives, and knows nothing."""
    t = 30
    rng = np.random.default_rng(0)
    ticks = np.arange(1, t + 1)
    move = np.column_stack([rng.normal(0, 0.0005, (t, 3)), np.zeros(t), np.ones(t)])
    columns = {
        "tick": ticks, "parent": ticks - 1, "segment": np.full(t, SegmentKind.DEMO, np.uint8),
        "live": np.ones(t, bool), "move": move, "intervention_id": np.full(t, -1, np.int32),
        "uncertainty": np.full(t, 0.5), "executed": np.zeros((t, 6)), "observation.joints": np.zeros((t, 5)),
        "observation.tip": np.full((t, 3), 0.15), "observation.gripper": np.ones((t, 1)),
        "observation.held": np.zeros((t, 1)), "observation.stage": np.tile([1.0, 0.0], (t, 1)),
        "observation.block": np.full((t, 3), 0.02), "observation.bowl": np.full((t, 2), 0.05),
    }  # fmt: skip
    segment = {"kind": "demo", "start": 0, "stop": t, "intervention": -1, "marked": False}
    facts = {
        "end": "demonstrated", "protocol": "rac", "round": 0, "policy": 0, "rate": RATE, "segments": [segment],
        "frames": t, "n_interventions": 0, "success": True, "progress": 1.0, "operator": "Ada",
    }  # fmt: skip
    goal = "put the block in the bowl"
    made = Episode("000000", "block-in-bowl", goal, 0, "seen", (), "Ada", "terminated", started=1.0, ended=2.0,
                   rollout=Rollout(columns, facts))  # fmt: skip
    with ReplayBuffer(path) as buffer:
        buffer.append(made)
        RolloutTraining(buffer).train(steps=1, seed=0, update=1)


@pytest.fixture
def page(bench: Emulator, tmp_path: Path, browser: Browser) -> Iterator[Page]:
    home = tmp_path / "lessons"
    arm = f"feetech:{bench.name.partition(':')[2]}"
    shown_once(create_lesson(home, NAME, arm=arm, kind="rollout", task="block-in-bowl", wanted=50, first=1))
    with streamlit(ROOT / "app.py", {"ASKBACK_HOME": str(home), "OMP_NUM_THREADS": "1"}) as address:
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        page.goto(f"{address}?lesson={NAME}")
        yield page
        page.close()


def begun(page: Page) -> None:
    """The policy drives."""
    phase(page, "ready")
    expect(page.locator('[data-act="let-work"]')).to_be_enabled(timeout=PATIENCE)
    page.keyboard.press("Space")
    phase(page, "policy")
    until(page, lambda: len(view(page)["timeline"]["tick"]) > 2, "ticks of the policy")


def taken(page: Page) -> None:
    """T, until this page drives."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.locator("[data-rollout][data-driving]").count():
        assert time.monotonic() < end
        page.keyboard.press("t")
        page.wait_for_timeout(500)


def dragged(page: Page) -> None:
    """The gripper is pulled along in the picture."""
    box = page.locator("[data-view='0'] [data-picture]").bounding_box()
    assert box
    x, y, begun = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, told(page)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 200):
        page.mouse.move(x + 25 * np.sin(step / 6), y - 20)
        page.wait_for_timeout(40)
        if told(page) > begun + 15:
            break
    page.mouse.up()
    assert told(page) > begun + 15, "dragging moves it"


@pytest.mark.timeout(900)
def test_an_emulated_so101_is_supervised_in_motion(page: Page, tmp_path: Path):
    lesson = tmp_path / "lessons" / NAME
    begun(page)
    expect(page.locator("[data-view='1']")).to_be_hidden()  # one camera is shown once
    taken(page)
    drive(page, "PageUp", 15)
    dragged(page)

    before = head(page)  # hold to run: back along its own path, and no further than the key is held
    page.keyboard.down("r")
    phase(page, "retracing")
    page.keyboard.up("r")
    taken(page)
    phase(page, "recovery")
    assert head(page) >= before

    page.reload()  # nothing that was done is lost; nobody drives until somebody says so
    page.wait_for_selector("[data-rollout]")
    expect(page.locator("[data-title]")).to_have_text("Nobody drives", timeout=PATIENCE)
    taken(page)
    drive(page, "ArrowLeft", 15)
    page.keyboard.press("g")
    phase(page, "correction")
    drive(page, "ArrowRight", 15)
    assert [kind for kind in segments(page) if kind != "recovery_auto"][-2:] == ["recovery", "correction"]
    page.keyboard.press("Enter")
    rollout = kept(lesson, 2)[-1].rollout
    assert (rollout["end"], rollout["n_interventions"]) == ("intervened", 1)

    begun(page)  # fumbled: it counts nowhere
    taken(page)
    drive(page, "PageUp", 8)
    page.keyboard.press("f")
    assert kept(lesson, 3)[-1].rollout["end"] == "discarded"

    begun(page)
    page.keyboard.press("Escape")
    phase(page, "stopped")
    expect(page.locator("[data-what]")).not_to_contain_text("took over")
    page.get_by_role("button", name="Release").first.click()
    phase(page, "ready")
    assert kept(lesson, 4)[-1].rollout["end"] == "truncated"
    verified(lesson)
