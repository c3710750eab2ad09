"""A person teaches an emulated SO-101 through the real app: its name on the start page, answers by key and click."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from robot_io.emulation.back_door import BackDoor
from robot_io.emulation.bench import view
from teaching.replay import ReplayBuffer
from tests.browser.chromium import ROOT, free_port, streamlit
from tests.browser.test_lesson import SIZE, asked, click, saved, still, verified
from tests.robot_io.emulator import Emulator

pytestmark = [pytest.mark.browser, pytest.mark.sim]
NAME = "on-a-bench"
MOVES = 120_000
"""Milliseconds that an unhurried arm may take on a busy machine."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator("so101", more=["--bench", str(tmp_path / "bench")]) as emulator:
        yield emulator


@pytest.fixture
def page(bench: Emulator, tmp_path: Path, browser: Browser) -> Iterator[Page]:
    environment = {"ASKBACK_HOME": str(tmp_path / "lessons"), "OMP_NUM_THREADS": "1"}
    with streamlit(ROOT / "app.py", environment, free_port()) as address:
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        page.set_default_timeout(MOVES)
        page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        page.goto(address)
        yield page
        page.close()


def make_lesson(page: Page, arm: str) -> None:
    page.get_by_text("Make a lesson of your own").click()
    page.get_by_role("textbox", name="Name of the lesson").fill(NAME)
    page.keyboard.press("Tab")
    still(page)
    page.get_by_role("textbox", name="Arm").fill(arm)
    page.keyboard.press("Tab")
    still(page)
    page.get_by_text("nothing learnt yet", exact=True).click()
    still(page)
    page.get_by_role("button", name="Create and open").click()
    page.get_by_role("button", name="Skip practice").click()


def show(page: Page, thing: dict) -> None:
    """Clicks on a thing in the picture, x downwards and y to the right."""
    table, (x, y, _) = view(), thing["position"]
    click(page, (y - table.y[0]) / (table.y[1] - table.y[0]), (x - table.x[0]) / (table.x[1] - table.x[0]))


@pytest.mark.timeout(600)
def test_an_emulated_so101_is_shown_what_to_do_and_does_it(page: Page, bench: Emulator, tmp_path: Path) -> None:
    make_lesson(page, f"feetech:{bench.name.partition(':')[2]}")
    first = asked(page)
    door = BackDoor(tmp_path / "bench")
    objects = door.ask("truth")["objects"]
    block = next(thing for thing in objects if thing["kind"] == "block")
    bowl = next(thing for thing in objects if thing["kind"] == "bowl")
    page.keyboard.press("d")
    show(page, block)
    show(page, bowl)
    page.keyboard.press("Enter")
    saved(page)
    end = time.monotonic() + MOVES / 1000
    while door.ask("truth")["held"] is None:
        assert time.monotonic() < end, "it takes the block"
        time.sleep(0.05)
    assert door.ask("truth")["held"] == block["id"]
    door.close()
    page.wait_for_selector(f"[data-card][data-query]:not([data-query='{first}'])[data-sent='']", timeout=MOVES)
    expect(page.locator('[data-act="demonstrate"]')).to_be_enabled(timeout=MOVES)
    lesson = tmp_path / "lessons" / NAME
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert list(buffer.answers()) == [first]
    verified(lesson)
