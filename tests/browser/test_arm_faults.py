"""Every fault that an emulated SO-101 can be told to have, as a person meets it on the Arms page: words, and a way on.

One app, one emulator, one fault after another; what a camera does wrong is in `test_sight.py`, where one is.
"""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from robot_io.advice import FAULTS
from tests.browser import test_arms as arms
from tests.browser.test_arms import PATIENCE, TURN, again, angle, released
from tests.robot_io.emulator import Emulator
from tests.robot_io.test_advice import HARMLESS, LENS, MOVING

BACK = "shoulder pan: turn back, while held"
pytestmark = [pytest.mark.browser, pytest.mark.process]
emulator, page = arms.emulator, arms.page


@dataclass(frozen=True)
class Case:
    """A fault, how it ends, and what the person has to be told of it."""

    fault: str
    mended: tuple[str, ...] = ("clear",)
    says: str = ""
    """Part of the message: what exactly is wrong."""
    moving: bool = False


CASES = [
    Case("drop 1"),
    Case("drop-commands 1"),
    Case("corrupt 1"),
    Case("late 1 0.2"),
    Case("silent on"),
    Case("dead 3", says="elbow_flex"),
    Case("hot 3 80", ("hot 3 30",), "elbow_flex"),
    Case("volts 3 3.5", ("volts 3 12",), "elbow_flex"),
    Case("power", ()),
    Case("unplug", ("plug",)),
    Case("stall 1", says="shoulder_pan", moving=True),
]


@pytest.fixture(scope="module")
def arm(page: Page, emulator: Emulator) -> Iterator[Page]:
    """The page with the emulated arm connected."""
    expect(page.get_by_text(emulator.port)).to_be_visible()
    page.get_by_role("textbox", name="Call it").first.fill("Left arm")
    page.get_by_role("button", name="Connect it").first.click()
    expect(page.locator("[data-panel][data-phase='idle']")).to_be_visible()
    yield page


def press(page: Page) -> None:
    """The mouse goes down on the button that turns a joint towards its middle."""
    box = page.get_by_role("button", name=TURN if angle(page, "shoulder_pan") < 0 else BACK).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


def pressed(page: Page, until: str) -> None:
    """A button held for three seconds, or until something shows."""
    released(page)
    press(page)
    end = time.monotonic() + 3.0
    while time.monotonic() < end and not page.locator(until).is_visible():
        page.wait_for_timeout(50)
    page.mouse.up()


def turned(page: Page) -> None:
    """The joint turns while its button is held."""
    before = angle(page, "shoulder_pan")

    def hold() -> None:
        released(page)
        press(page)
        end = time.monotonic() + 2.0
        while time.monotonic() < end and abs(angle(page, "shoulder_pan") - before) < 0.5:
            page.wait_for_timeout(50)
        page.mouse.up()

    again(hold, lambda: abs(angle(page, "shoulder_pan") - before) >= 0.5)


def test_every_fault_of_the_emulator_is_here():
    told = {case.fault.split()[0] for case in CASES}
    assert told == {fault.split()[0] for fault in MOVING}
    assert not told & (HARMLESS | LENS)


@pytest.mark.parametrize("case", CASES, ids=[case.fault.replace(" ", "-") for case in CASES])
def test_a_fault_says_what_to_do_and_once_mended_the_arm_goes_on(arm, emulator, case, tmp_path):
    emulator.say(case.fault)
    if case.moving:
        again(lambda: pressed(arm, "[data-fault]"), arm.locator("[data-fault]").is_visible)
    expect(arm.locator("[data-fault]")).to_be_visible()
    name = arm.locator("[data-fault]").get_attribute("data-name")
    key = next(line for line in MOVING if line.split()[0] == case.fault.split()[0])
    assert name in MOVING[key]
    title, do = FAULTS[name]
    expect(arm.locator("[data-fault-title]")).to_have_text(title)
    expect(arm.locator("[data-fault-do]")).to_have_text(do)
    expect(arm.locator("[data-fault-message]")).to_contain_text(case.says)
    strip = arm.get_by_role("region", name="Arm").locator("[data-told]")
    expect(strip).to_contain_text(f"{title}. {case.says if name == 'ServoFault' else do}")
    assert strip.evaluate("part => part.scrollHeight <= part.clientHeight + 1"), "nothing of it is clipped"
    expect(arm.get_by_role("button", name=TURN)).to_be_disabled()
    arm.screenshot(path=tmp_path / f"{case.fault}.png")
    assert arm.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for line in case.mended:
        emulator.say(line)
    released(arm)
    expect(arm.locator("[data-fault]")).to_be_hidden()
    turned(arm)
    shown = emulator.show()
    assert all(shown["torque"])
    assert shown["goals_outside"] == 0


def test_what_went_wrong_is_in_the_diagnostics(arm):
    with arm.expect_download(timeout=PATIENCE) as download:
        arm.get_by_role("link", name="Save diagnostics").click()
    with zipfile.ZipFile(download.value.path()) as bundle:
        states = [json.loads(line) for line in bundle.read("last-minute.jsonl").splitlines()]
        log = bundle.read("log.txt").decode()
    assert any(state["phase"] == "fault" and state["why"].startswith("Stalled") for state in states)
    for name in ("NoReply", "ServoFault", "PowerLost", "Unplugged", "Stalled"):
        assert name in log or any(state["why"].startswith(name) for state in states), name
