"""A person calibrates the camera over an emulated SO-101's table on the Arms page: hold, click, take back, save."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from robot_io import hand_eye
from robot_io.emulated_camera import SIGHT, read_frame
from robot_io.emulation.bench import view
from robot_io.emulation.console import LENS
from robot_io.hand_eye import Sight
from tests.browser.chromium import ROOT, streamlit
from tests.browser.test_arms import PATIENCE, again
from tests.robot_io.emulator import Emulator
from tests.robot_io.test_camera_faults import SAID

pytestmark = [pytest.mark.browser, pytest.mark.sim]
SHUT = "gripper: close, while held"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory) -> Iterator[Emulator]:
    """Its folder of temporary files is its own, so that no other emulator of this machine is found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("t")))
        patch.setattr("tempfile.tempdir", None)
        folder = tmp_path_factory.mktemp("b") / "bench"
        with Emulator("so101", more=["--bench", str(folder)]) as emulator:
            yield emulator


@pytest.fixture(scope="module")
def bench(emulator: Emulator) -> Path:
    """The folder that the arm and its camera are in."""
    return Path(emulator.port).parent


@pytest.fixture(scope="module")
def page(browser: Browser, bench: Path, tmp_path_factory) -> Iterator[Page]:
    home = tmp_path_factory.mktemp("home")
    variables = {"ASKBACK_HOME": str(home / "lessons"), "HF_LEROBOT_HOME": str(home / "lerobot")}
    with streamlit(ROOT / "app.py", variables) as address:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        made = context.new_page()
        made.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        made.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        made.goto(f"{address}arms")
        yield made
        context.close()
        expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def truth(bench: Path) -> Sight:
    """What the renderer knows of its own camera; the page is never told."""
    return hand_eye.load(bench / SIGHT)


def placed(part: Locator) -> FloatRect:
    """Where a part of the page is, once it is in the window."""
    part.evaluate("part => part.scrollIntoView({block: 'nearest'})")
    box = part.bounding_box()
    assert box
    return box


def pressed(page: Page, name: str) -> None:
    """The mouse goes down on a button, wherever it is now."""
    button = page.get_by_role("button", name=name)
    box = placed(button)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


def held_until(page: Page, name: str, words: str) -> None:
    """Hold a button until the page says so; on a busy machine a person is asked to hold it again."""
    now, released = page.locator("[data-sight-now]"), page.locator("[data-release]")

    def hold() -> None:
        if released.is_visible():
            released.dispatch_event("click")
            page.wait_for_timeout(500)
        pressed(page, name)
        end = time.monotonic() + 20
        while words not in now.inner_text() and time.monotonic() < end and not released.is_visible():
            page.wait_for_timeout(100)
        page.mouse.up()
        page.wait_for_timeout(300)

    again(hold, lambda: words in now.inner_text(), 600.0)


def bead(bench: Path) -> tuple[float, float]:
    """Where a person sees the bead: the middle of what is magenta in the picture, after the arm stood still."""
    before = read_frame(bench)[1]
    for _ in itertools.count():
        picture, number = read_frame(bench)
        if number > before + 2:
            break
        time.sleep(0.05)
    red, green, blue = (picture[..., n].astype(int) for n in range(3))
    rows, columns = np.nonzero((red > 1.8 * green) & (blue > 1.5 * green) & (red > 90) & (red < 1.6 * blue))
    assert len(rows) >= 6, "the bead is seen"
    return float(np.mean(columns)) + 0.5, float(np.mean(rows)) + 0.5


def clicked(page: Page, pixel: tuple[float, float]) -> None:
    """A click on the picture of 400 × 300 pixels, wherever and however large it is drawn."""
    canvas = page.locator("[data-sight-picture]")
    before = int(page.locator("[data-sight]").get_attribute("data-clicks") or 0)
    box = placed(canvas)
    page.mouse.click(box["x"] + pixel[0] * box["width"] / 400, box["y"] + pixel[1] * box["height"] / 300)
    expect(page.locator(f"[data-sight][data-clicks='{before + 1}']")).to_be_attached()


def landed(page: Page, truth: Sight) -> list[float]:
    """Metres by which what the page says of points of its picture is off."""
    table, off = view(), []
    canvas, told = page.locator("[data-sight-picture]"), page.locator("[data-sight-where]")
    box = placed(canvas)
    for x, y in itertools.product(np.linspace(*table.x, 4), np.linspace(*table.y, 5)):
        ((column, row),) = truth.pixel_of(np.array([[x, y]])).tolist()
        page.mouse.move(box["x"] + column * box["width"] / 400, box["y"] + row * box["height"] / 300)
        words = told.inner_text().replace(",", "").split()
        off.append(float(np.hypot(float(words[2]) / 1000 - x, float(words[5]) / 1000 - y)))
    return off


def connected(page: Page) -> None:
    """The arm with its camera, taken if it is not yet."""
    if not page.locator("[data-panel]").count():
        page.get_by_role("textbox", name="Call it").first.fill("Left arm")
        page.get_by_role("button", name="Connect it").first.click()
        expect(page.locator("[data-panel][data-phase='idle']")).to_be_visible()


@pytest.mark.parametrize("fault", LENS[1:])
def test_a_camera_that_fails_is_told_beside_its_picture(page: Page, emulator: Emulator, fault: str, tmp_path: Path):
    connected(page)
    figure = page.locator("[data-camera]").first
    caption = figure.locator("figcaption")
    expect(caption).to_contain_text("per second")
    emulator.say(f"camera {fault}")
    expect(figure).to_have_attribute("data-trouble", "")
    expect(caption).to_contain_text(re.compile(SAID[fault]))
    page.screenshot(path=tmp_path / f"camera-{fault}.png", full_page=True)
    emulator.say("clear")
    expect(caption).to_contain_text("per second")
    assert figure.get_attribute("data-trouble") is None


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("way", "places"), [("space", 10), ("flat", 6)])
def test_a_camera_is_calibrated_by_holding_and_clicking(page: Page, bench: Path, truth: Sight, way: str, places: int):
    connected(page)
    if page.locator("[data-sight-choose]").get_attribute("open") is None:
        page.locator("[data-sight-choose] summary").click()
    page.locator(f"[name=sight-way][value={way}]").check()
    expect(page.locator("[data-sight-begin]")).to_be_enabled()
    page.locator("[data-sight-begin]").click()
    expect(page.locator("[data-sight][data-open='true']")).to_be_attached()
    if page.locator("[data-angle='gripper']").inner_text() not in ("99 %", "100 %"):
        again(lambda: shut(page), lambda: page.locator("[data-angle='gripper']").inner_text() in ("99 %", "100 %"))
    for number in range(places):
        held_until(page, f"Hold: go to place {number + 1}", "Click on the bead")
        seen = bead(bench)
        if number == places - 1:
            clicked(page, (seen[0] - 60, seen[1]))
            refused(page, places)
        clicked(page, seen)
    page.get_by_role("button", name="Save: the clicks fit").click()
    expect(page.locator("[data-sight-now]")).to_contain_text("Saved. The clicks fit within")
    assert max(landed(page, truth)) < 0.005
    page.locator("[data-sight-close]").click()
    expect(page.locator("[data-sight][data-open='false']")).to_be_attached()


def shut(page: Page) -> None:
    """Hold the button that shuts the jaws on the bead."""
    pressed(page, SHUT)
    page.wait_for_timeout(2000)
    page.mouse.up()
    page.wait_for_timeout(300)


def refused(page: Page, places: int) -> None:
    """A click beside the bead is told, named when it is to be saved, and taken back."""
    expect(page.locator("[data-sight-off] [data-bad]").first).to_be_visible()
    page.get_by_role("button", name="Save: the clicks fit").click()
    expect(page.locator("[data-sight-told]")).to_contain_text("does not fit the others")
    page.get_by_role("button", name="Take the last click back").click()
    expect(page.locator(f"[data-sight][data-clicks='{places - 1}']")).to_be_attached()
