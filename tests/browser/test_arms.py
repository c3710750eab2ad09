"""The Arms page with an emulated SO-101 on a pseudo-terminal: find, connect, turn, unplug, calibrate. No terminal."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from robot_io.emulation.so101 import middle
from tests.browser.chromium import ROOT, streamlit
from tests.robot_io.emulator import Emulator

pytestmark = [pytest.mark.browser, pytest.mark.process]
PATIENCE = 90_000
"""Milliseconds: processes start here, on a machine that may be busy."""
REACH = 1.75
"""Radians to either side that a hand turns every joint: far enough that the arm can fold afterwards."""
TURN = "shoulder pan: turn on, while held"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory) -> Iterator[Emulator]:
    """Its folder of temporary files is its own, so that no other emulator of this machine is found."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("t")
        patch.setenv("TMPDIR", str(place))
        patch.setattr("tempfile.tempdir", None)
        with Emulator("so101") as made:
            yield made


@pytest.fixture(scope="module")
def page(browser: Browser, emulator: Emulator, tmp_path_factory) -> Iterator[Page]:
    home = tmp_path_factory.mktemp("home")
    variables = {"ASKBACK_HOME": str(home / "lessons"), "HF_LEROBOT_HOME": str(home / "lerobot")}
    with streamlit(ROOT / "app.py", {**variables, "TMPDIR": str(Path(emulator.port).parents[1])}) as address:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        made = context.new_page()
        made.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        made.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        made.goto(f"{address}arms")
        yield made
        context.close()
        expect.set_options(timeout=5_000)


def angle(page: Page, joint: str) -> float:
    """Degrees that the page shows."""
    return float(page.locator(f"[data-angle='{joint}']").inner_text().rstrip("°"))


def again(act: Callable[[], None], done: Callable[[], bool], seconds: float = 180.0) -> None:
    """A person tries until it works: on a busy machine commands come too late and are dropped, as they should be."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        act()


def released(page: Page) -> None:
    """Whatever is wrong has been mended: release until the arm is ready."""
    button = page.locator("[data-release]")

    def press() -> None:
        if button.is_visible():
            button.dispatch_event("click")
        page.wait_for_timeout(500)

    again(press, lambda: page.locator("[data-panel]").get_attribute("data-phase") == "idle")


def held(page: Page, seconds: float = 1.0) -> None:
    """The mouse held down on a button."""
    released(page)
    box = page.get_by_role("button", name=TURN).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(1000 * seconds)
    page.mouse.up()
    page.wait_for_timeout(300)


def test_it_is_found_and_connected(page, emulator):
    expect(page.get_by_text(emulator.port)).to_be_visible()
    page.get_by_role("textbox", name="Call it").first.fill("Left arm")
    page.get_by_role("button", name="Connect it").first.click()
    expect(page.locator("[data-panel][data-phase='idle']")).to_be_visible()
    expect(page.locator("[data-name]")).to_have_text("SO arm")
    expect(page.locator("[data-heat='elbow_flex']")).to_have_text("30")
    expect(page.locator("[data-volts='gripper']")).to_have_text("12.0")
    expect(page.get_by_text("nobody drives").first).to_be_visible()


def test_a_joint_turns_while_its_button_is_held_and_no_longer(page, emulator):
    before = angle(page, "shoulder_pan")
    again(lambda: held(page), lambda: angle(page, "shoulder_pan") > before + 1.0)
    page.wait_for_timeout(700)
    after = angle(page, "shoulder_pan")
    page.wait_for_timeout(1000)
    assert abs(angle(page, "shoulder_pan") - after) < 0.2
    assert emulator.show()["goals_outside"] == 0


def test_pulled_out_it_says_what_to_do_and_plugged_in_it_goes_on(page, emulator):
    emulator.say("unplug")
    expect(page.locator("[data-fault-title]")).to_have_text("The cable is out")
    expect(page.locator("[data-fault-do]")).to_contain_text("Plug the arm's USB cable in again")
    expect(page.get_by_role("button", name=TURN)).to_be_disabled()
    emulator.say("plug")
    released(page)
    expect(page.locator("[data-fault]")).to_be_hidden()
    before = angle(page, "shoulder_pan")
    again(lambda: held(page), lambda: angle(page, "shoulder_pan") > before + 1.0)


def test_stop_latches_it(page):
    page.keyboard.press("Escape")
    expect(page.locator("[data-panel]")).to_have_attribute("data-phase", "stopped")
    expect(page.get_by_role("button", name=TURN)).to_be_disabled()
    released(page)


def test_diagnostics_are_one_click(page):
    with page.expect_download() as download:
        page.get_by_role("link", name="Save diagnostics").click()
    assert download.value.suggested_filename == "left-arm-diagnostics.zip"
    names = set(zipfile.ZipFile(download.value.path()).namelist())
    assert {"log.txt", "last-minute.jsonl", "versions.json", "settings.json"} <= names


def test_it_is_calibrated_by_hand_and_taken_again(page, emulator, tmp_path_factory):
    def put(share: float) -> None:
        for joint in range(6):
            emulator.say(f"push {joint + 1} {middle(joint) + share * REACH}")

    page.get_by_role("button", name="Calibrate").click()
    walk = page.locator("[data-walk]")
    expect(walk).to_be_visible()
    page.locator("[data-lease]").click()
    page.get_by_role("button", name="Begin: let it go limp").click()
    expect(walk).to_have_attribute("data-step", "limp")
    put(0)
    page.get_by_role("button", name="This is the middle").click()
    expect(walk).to_have_attribute("data-step", "turning")

    def turn() -> None:
        for share in (0, 1, 0, -1, 0):
            put(share)
            page.wait_for_timeout(300)

    again(turn, lambda: page.get_by_text("far enough ✓").count() >= 5)
    page.get_by_role("button", name="Done: keep this calibration").click()
    expect(page.get_by_role("button", name=TURN)).to_be_visible()
    expect(page.locator("[data-panel]")).to_have_attribute("data-phase", "idle")


def test_its_workspace_is_drawn_in_space(page):
    page.get_by_text("Workspace in 3D").click()
    page.get_by_text("Show", exact=True).last.click()
    expect(page.locator("[data-testid='stPlotlyChart']")).to_be_visible()


def test_looked_at_in_light_and_dark(page, tmp_path):
    """Nothing is wider than the window, in either colours."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(500)
        page.screenshot(path=tmp_path / f"arms-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.emulate_media(color_scheme="light")


def test_disconnected_it_has_folded_and_let_go(page, emulator):
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("not connected").first).to_be_visible()
    again(lambda: page.wait_for_timeout(300), lambda: not any(emulator.show()["torque"]))
