"""A capsule opened from the disk: played by key and mouse, silent on the network, and deaf to what a goal says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from teaching.capsule.contents import contents
from teaching.capsule.file import write
from teaching.replay import ReplayBuffer
from tests.teaching.replay_maker import LESSON, Maker
from tests.teaching.test_capsule import EVIL

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SLOW = 60_000


@pytest.fixture(scope="module")
def capsule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two questions, the first with a goal that would be a script."""
    path = tmp_path_factory.mktemp("capsule") / "evil"
    with ReplayBuffer.create(path, {**LESSON, "name": "</script><img src=x onerror=hurt()>"}) as buffer:
        maker, pairs = Maker(shape=(80, 160)), []
        for step, kind in enumerate(("both", "valid")):
            seen, decision = maker.observation(), maker.decision("e0", step)
            decision = replace(decision, plan=replace(decision.plan, goal=EVIL if step == 0 else "put it there"))
            buffer.ask(decision, seen, {})
            buffer.say("answer", maker.answer(decision, kind, seconds=2.0))
            pairs.append((decision, seen))
        buffer.append(maker.episode("e0", pairs))
        buffer.say("training", {"update": 1, "demonstrations": 3, "figures": {"loss": 0.5}})
    out = path.parent / "evil.html"
    write(out, contents(path))
    return out


def test_it_plays_from_the_disk_by_key_and_mouse_and_asks_nobody(browser: Browser, capsule: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.set_default_timeout(SLOW)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
    page.goto(capsule.as_uri())
    body = page.locator("body[data-ready='2']")
    expect(body).to_have_attribute("data-item", "e0-0", timeout=SLOW)
    expect(page.locator("[data-goal]")).to_have_text(EVIL)
    assert page.evaluate("window.hurt") is None and page.locator("body img").count() == 1
    assert page.title().startswith("</script><img")
    expect(page.locator("svg .ink").first).to_be_attached(timeout=SLOW)
    page.keyboard.press(" ")
    expect(body).to_have_attribute("data-answered", "true", timeout=SLOW)
    expect(page.locator("[data-answer]")).to_contain_text("Ada took 2.0 s")
    page.get_by_role("button", name="Pause").click()
    page.keyboard.press(".")
    expect(body).to_have_attribute("data-item", "e0-1")
    track = page.locator("[data-track]")
    box = track.bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    expect(body).to_have_attribute("data-item", "e0-0")
    page.locator("[data-speed]").select_option("4")
    page.get_by_role("button", name="To the next question").click()
    page.locator("summary").click()
    expect(page.locator("[data-facts]")).to_contain_text("events.log")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


def test_a_damaged_one_says_so(browser: Browser, capsule: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_bytes(capsule.read_bytes().replace(b">H4sI", b">AAAA", 1))
    page = browser.new_page()
    page.goto((tmp_path / "bad.html").as_uri())
    expect(page.get_by_role("alert")).to_contain_text("cannot be played", timeout=SLOW)
    page.close()
