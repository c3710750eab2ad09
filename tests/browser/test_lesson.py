"""A person teaches the simulated arm through the real app, its real processes and the real store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from teaching.replay import ReplayBuffer
from teaching.types import Outcome
from tests.browser.chromium import ROOT, free_port, streamlit
from tests.browser.proxy import Proxy

pytestmark = [pytest.mark.browser, pytest.mark.sim]
SIZE = {"width": 1280, "height": 800}
NAME = "browser-lesson"
MOVES = 60_000
"""Milliseconds that the arm may take until it asks again on a busy machine."""


@pytest.fixture(params=["direct", "proxied"])
def opened(request, tmp_path: Path, browser: Browser) -> Iterator[tuple[Page, Path, Proxy | None]]:
    """The app's start page in a browser, its home, and the proxy in between, if there is one."""
    home = tmp_path / "lessons"
    environment = {"ASKBACK_HOME": str(home), "OMP_NUM_THREADS": "1"}
    port, proxy = free_port(), None
    with ExitStack() as stack:
        if request.param == "proxied":
            front = free_port()
            proxy = stack.enter_context(Proxy(front, port, home))
            environment |= {
                "ASKBACK_SIDE_URL": "/arm/{name}/",
                "ASKBACK_HOST_URL": "/host/{name}/",
                "ASKBACK_ALLOW_ORIGIN": f"http://127.0.0.1:{front}",
            }
        address = stack.enter_context(streamlit(ROOT / "app.py", environment, port))
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        stack.callback(page.close)
        page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        page.goto(f"http://127.0.0.1:{proxy.port}/" if proxy else address)
        yield page, home, proxy


def query(page: Page) -> str:
    return str(page.locator("[data-card]").get_attribute("data-query"))


def asked(page: Page, before: str = "") -> str:
    """Waits for another question than `before` that may be answered."""
    card = f"[data-card][data-query]:not([data-query='']):not([data-query='{before}'])[data-sent='']"
    page.wait_for_selector(card, timeout=MOVES)
    expect(page.locator('[data-act="demonstrate"]')).to_be_enabled()
    return query(page)


def saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_have_text("saved ✓", timeout=MOVES)


def click(page: Page, right: float, down: float) -> None:
    """Clicks the picture at a share of its width and height."""
    box = page.locator("[data-canvas]").bounding_box()
    page.mouse.click(box["x"] + right * box["width"], box["y"] + down * box["height"])


def still(page: Page) -> None:
    """Waits until Streamlit has drawn what was changed."""
    page.wait_for_timeout(150)
    page.wait_for_selector("[data-test-script-state=notRunning]")


def make_lesson(page: Page) -> None:
    page.get_by_text("Make a lesson of your own").click()
    page.get_by_role("textbox", name="Name of the lesson").fill(NAME)
    page.keyboard.press("Tab")
    still(page)
    page.get_by_text("nothing learnt yet").click()
    still(page)
    page.get_by_role("button", name="Create and open").click()
    page.get_by_role("button", name="Skip practice").click(timeout=30_000)


def verified(path: Path) -> None:
    command = [sys.executable, "-m", "teaching", "verify", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(280)
def test_teach_by_key_reload_undo_and_find_it_all_on_disk(opened):
    page, home, proxy = opened
    make_lesson(page)
    given: dict[str, str] = {}
    last = asked(page)
    for key, verdict in (("a", "valid"), (" ", "unknown"), ("x", "invalid"), ("a", "valid"), (" ", "unknown")):
        page.keyboard.press(key)
        saved(page)
        given[last] = verdict
        last = asked(page, last)

    page.keyboard.press("l")
    expect(page.locator("[data-goals] button").first).to_be_visible(timeout=MOVES)
    page.keyboard.press("f")
    goal = page.locator("[data-goals] [aria-selected=true] span").inner_text()
    page.keyboard.press("Enter")
    saved(page)
    relabelled, last = last, asked(page, last)

    page.keyboard.press("d")
    click(page, 0.42, 0.55)
    page.wait_for_timeout(500)
    page.reload()
    page.wait_for_selector(f"[data-query='{last}'][data-state='demonstrating']", timeout=MOVES)
    expect(page.locator('[data-act="demonstrate"]')).to_be_enabled(timeout=MOVES)
    click(page, 0.60, 0.45)
    page.keyboard.press("Enter")
    saved(page)
    shown, last = last, asked(page, last)

    page.keyboard.press("a")
    saved(page)
    undone, last = last, asked(page, last)
    page.keyboard.press("Backspace")
    expect(page.locator("[data-saved]")).to_have_text("taken back ✓", timeout=MOVES)
    asked(page, last)
    assert query(page) == undone

    page.keyboard.press("Escape")
    expect(page.locator(".strip")).to_have_attribute("data-latched", "", timeout=MOVES)
    page.close()
    if proxy:
        assert {f"/arm/{NAME}/live", f"/host/{NAME}/lesson"} <= set(proxy.passed)
    check_store(home / NAME, given, relabelled, goal, shown, undone)


def check_store(path: Path, given: dict[str, str], relabelled: str, goal: str, shown: str, undone: str) -> None:
    """What was said is what the store says, and `verify` finds nothing wrong while the lesson runs."""
    with ReplayBuffer(path, readonly=True) as buffer:
        answers = buffer.answers()
    outcomes = {"valid": Outcome.SUCCESS, "invalid": Outcome.FAILURE, "unknown": Outcome.UNKNOWN}
    assert {d: answers[d].feedback.outcome for d in given} == {d: outcomes[v] for d, v in given.items()}
    assert answers[relabelled].feedback.relabel == goal
    demonstration = answers[shown].feedback.demonstration
    assert demonstration is not None
    assert demonstration.actions[0, :2] == pytest.approx([0.25 + 0.55 * 0.5, -0.5 + 0.42], abs=0.004)
    assert undone not in answers
    verified(path)
