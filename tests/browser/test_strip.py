"""The strip in a real browser: STOP, who answers, live pictures, and sockets that outlive a rerun."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_card import at, card

pytestmark = pytest.mark.browser


def test_a_second_person_watches_until_the_turn_passes(visit, fake):
    mine, other = visit("s1"), visit("s2")
    expect(other.locator("[data-lease]")).to_contain_text("you are watching")
    expect(other.get_by_role("button", name="Yes, do it")).to_be_disabled()
    mine.keyboard.press("a")
    expect(mine.locator("[data-saved]")).to_have_text("saved ✓")
    assert len(fake.lesson.answers) == 1


def test_escape_and_the_button_stop_the_arm_even_while_typing(visit, fake):
    page = visit()
    expect(page.locator("[data-name]")).to_have_text("Panda (simulated)")
    page.keyboard.press("l")
    page.locator("[data-free]").focus()
    page.keyboard.press("Escape")
    expect(page.locator("[data-told]")).to_contain_text("stopped after")
    expect(page.locator(".strip")).to_have_attribute("data-latched", "")
    expect(page.locator("[data-relabels]")).to_be_visible()  # Escape means nothing else
    page.locator("[data-release]").click()
    expect(page.locator("[data-release]")).to_be_hidden()
    page.locator("[data-stop]").click()
    expect(page.locator(".strip")).to_have_attribute("data-latched", "")
    assert len(fake.arm["stops"]) == 2


def test_stop_reaches_the_arm_while_the_page_is_busy(visit, fake):
    page = visit()
    expect(page.locator("[data-name]")).to_have_text("Panda (simulated)")
    sent = page.evaluate(
        """() => new Promise((done) => {
            window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
            const until = performance.now() + 1500, begun = Date.now() / 1000;
            while (performance.now() < until);  // a page that hangs
            done(begun);
        })"""
    )
    assert fake.arm["stops"][0]["heard"] - sent < 0.5


def test_a_rerun_of_streamlit_keeps_sockets_and_draft(visit, fake):
    page = visit()
    page.keyboard.press("d")
    page.mouse.click(*at(fake, page, 0.40, -0.20))
    joined = fake.joined
    page.get_by_role("button", name="rerun").click()
    page.wait_for_timeout(700)
    expect(card(page)).to_have_attribute("data-state", "demonstrating")
    assert fake.joined == joined


def test_live_pictures_arrive(visit, fake):
    page = visit()
    expect(page.locator("[data-age]")).to_have_text("live")
    assert int(page.locator("[data-live]").get_attribute("data-frames") or 0) > 0


def test_title_says_that_it_asks(visit, fake):
    page = visit()
    assert page.title().startswith("● asks: put the")
