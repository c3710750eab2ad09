"""The Teach card in a real browser: keys, clicks and touch become answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from pages.components.question import practice
from tests.pages.fake_host import FakeServer

pytestmark = pytest.mark.browser


def card(page: Page):
    return page.locator("[data-card]")


def until(page: Page, true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits until something is so; fails if it does not come about."""
    for _ in range(int(20 * seconds)):
        if true():
            return
        page.wait_for_timeout(50)
    pytest.fail("it did not come about")


def query(page: Page) -> str:
    return str(card(page).get_attribute("data-query"))


def at(fake: FakeServer, page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the table is on the page."""
    box = page.locator("[data-canvas]").bounding_box()
    table = fake.lesson.view["question"]["table"]
    u = (y - table["y"][0]) / (table["y"][1] - table["y"][0])
    v = (x - table["x"][0]) / (table["x"][1] - table["x"][0])
    return box["x"] + u * box["width"], box["y"] + v * box["height"]


@pytest.mark.parametrize(("key", "verdict"), [("a", "valid"), ("x", "invalid"), (" ", "unknown")])
def test_one_key_answers_and_the_next_question_comes(visit, fake, key, verdict):
    page = visit()
    first = query(page)
    page.keyboard.press(key)
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    expect(card(page)).not_to_have_attribute("data-query", first)
    answer = fake.lesson.answers[0]
    assert (answer["query"], answer["verdict"], answer["choice"]) == (first, verdict, 0)
    assert answer["relabel"] is None and answer["demonstration"] is None
    assert 0 <= answer["seconds"] < 60


def test_a_held_key_answers_once(visit, fake):
    page = visit()
    for _ in range(6):  # without keyup between, Chromium marks them as repeats
        page.keyboard.down("a")
    page.wait_for_timeout(300)
    page.keyboard.up("a")
    assert len(fake.lesson.answers) == 1


def test_buttons_do_the_same(visit, fake):
    page = visit()
    page.get_by_role("button", name="Can't tell").click()
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    assert fake.lesson.answers[0]["verdict"] == "unknown"


def test_a_ghost_is_chosen_by_digit_and_confirmed(visit, fake):
    page = visit()
    page.keyboard.press("3")
    expect(page.get_by_role("button", name="Yes, do plan 3")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    assert (fake.lesson.answers[0]["verdict"], fake.lesson.answers[0]["choice"]) == ("valid", 2)


def test_relabel_and_demonstration_are_one_answer(visit, fake):
    page = visit()
    goal = fake.lesson.view["question"]["relabels"][1]
    page.keyboard.press("l")
    expect(page.locator("[data-relabels]")).to_be_visible()
    expect(page.locator("[data-dot]")).to_be_hidden()  # nothing shines through the panel
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.mouse.click(*at(fake, page, 0.40, -0.20))
    page.mouse.click(*at(fake, page, 0.60, 0.30))
    page.keyboard.press(".")
    assert fake.lesson.answers == []
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    (answer,) = fake.lesson.answers
    assert (answer["verdict"], answer["relabel"]) == ("invalid", goal)
    assert answer["demonstration"]["pick"][:2] == pytest.approx([0.40, -0.20], abs=0.004)
    assert answer["demonstration"]["place"] == pytest.approx([0.60, 0.30, -0.1745], abs=0.004)


def test_a_plan_is_shown_by_keys_alone(visit, fake):
    page = visit()
    plan = fake.lesson.view["question"]["plan"]
    page.keyboard.press("d")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    assert fake.lesson.answers == []
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    (answer,) = fake.lesson.answers
    (px, py), (qx, qy) = plan["pick"][:2], plan["place"][:2]
    assert answer["demonstration"]["pick"][:2] == pytest.approx([px - 0.01, py + 0.01], abs=1e-6)
    assert answer["demonstration"]["place"][:2] == pytest.approx([qx, qy - 0.02], abs=1e-6)


def test_relabel_in_own_words(visit, fake):
    page = visit()
    page.keyboard.press("l")
    field = page.locator("[data-free]")
    field.fill("put a block in a bowl and xyz")
    field.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    assert fake.lesson.answers[0]["relabel"] == "put a block in a bowl and xyz"


def test_keys_are_off_while_typing(visit, fake):
    page = visit()
    page.keyboard.press("l")
    page.locator("[data-free]").type("a x ")
    page.wait_for_timeout(150)
    assert fake.lesson.answers == []


def test_backspace_steps_back_then_out_and_undoes_only_without_a_draft(visit, fake):
    page = visit()
    page.keyboard.press("d")
    page.mouse.click(*at(fake, page, 0.40, -0.20))
    page.mouse.click(*at(fake, page, 0.60, 0.30))
    for expected in ("demonstrating", "demonstrating", "asking"):
        page.keyboard.press("Backspace")
        expect(card(page)).to_have_attribute("data-state", expected)
    assert not [i for i in fake.lesson.intents if i["do"] == "undo"]
    page.keyboard.press("a")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    page.keyboard.press("Backspace")
    expect(page.locator("[data-saved]")).to_have_text("taken back ✓")
    expect(page.locator("[data-recent] li.undone")).to_have_count(1)


def test_the_plan_can_be_dragged_into_a_demonstration(visit, fake):
    page = visit()
    place = fake.lesson.view["question"]["plan"]["place"]
    page.mouse.move(*at(fake, page, place[0], place[1]))
    page.mouse.down()
    page.mouse.move(*at(fake, page, 0.5, 0.1), steps=4)
    page.mouse.up()
    expect(card(page)).to_have_attribute("data-state", "demonstrating")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    shown = fake.lesson.answers[0]["demonstration"]
    assert shown["place"][:2] == pytest.approx([0.5, 0.1], abs=0.004)
    assert shown["place"][2] == pytest.approx(place[3])


def test_touch_demonstrates(visit, fake):
    page = visit(has_touch=True)
    page.get_by_role("button", name="Show it").tap()
    page.touchscreen.tap(*at(fake, page, 0.40, -0.20))
    page.touchscreen.tap(*at(fake, page, 0.60, 0.30))
    page.get_by_role("button", name="Send", exact=False).tap()
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    assert fake.lesson.answers[0]["demonstration"]["pick"][:2] == pytest.approx([0.40, -0.20], abs=0.005)


def test_a_reload_brings_the_same_question_with_its_draft(visit, fake):
    page = visit()
    first = query(page)
    page.keyboard.press("d")
    page.mouse.click(*at(fake, page, 0.40, -0.20))
    page.wait_for_timeout(450)
    page.reload()
    page.wait_for_selector(f"[data-query='{first}'][data-state='demonstrating']", timeout=30_000)
    page.mouse.click(*at(fake, page, 0.60, 0.30))
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    assert fake.lesson.answers[0]["demonstration"]["pick"][:2] == pytest.approx([0.40, -0.20], abs=0.004)


def test_an_answer_that_was_not_acknowledged_outlives_a_reload_and_counts_once(visit, fake):
    fake.lesson.silent = True
    page = visit()
    first = query(page)
    page.keyboard.press("a")
    expect(page.locator("[data-saved]")).to_contain_text("saving…")
    fake.lesson.silent = False
    page.reload()
    page.wait_for_selector(f"[data-query^=e]:not([data-query='{first}'])", timeout=30_000)
    page.wait_for_timeout(200)
    assert [a["query"] for a in fake.lesson.answers].count(first) == 1


def test_a_refused_answer_says_why_and_keeps_the_draft(visit, fake):
    fake.lesson.refuse = "the arm cannot reach there; click nearer to its middle"
    page = visit()
    page.keyboard.press("d")
    page.mouse.click(*at(fake, page, 0.40, -0.20))
    page.mouse.click(*at(fake, page, 0.60, 0.30))
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_contain_text("cannot reach there")
    expect(card(page)).to_have_attribute("data-state", "demonstrating")


def test_w_judges_what_the_arm_did_alone(visit, fake):
    page = visit()
    fake.lesson.alone()
    fake.push()
    expect(page.locator("[data-rest]")).to_be_visible()
    page.keyboard.press("w")
    expect(page.locator("[data-saved]")).to_contain_text("noted")
    assert [i["decision"] for i in fake.lesson.intents if i["do"] == "wrong"] == ["e0099-0"]


def test_holding_u_shows_the_map(visit, fake):
    page = visit()
    page.keyboard.down("u")
    expect(page.locator("[data-legend]")).to_be_visible()
    page.keyboard.up("u")
    expect(page.locator("[data-legend]")).to_be_hidden()
    page.get_by_role("button", name="Uncertainty").click()
    expect(page.locator("[data-legend]")).to_be_visible()


def test_practice_is_skippable_and_never_sent(visit, fake):
    page = visit(query="")
    expect(page.locator("[data-why]")).to_contain_text("Practice 1 of 3")
    page.get_by_role("button", name="Skip practice").click()
    expect(page.locator("[data-why]")).to_contain_text("less sure")
    assert fake.lesson.answers == []


def test_practice_says_what_was_wrong_and_goes_on_when_right(visit, fake):
    page = visit(query="", locale="en-GB")
    last = practice()[2]
    page.keyboard.press("x")
    expect(page.locator("[data-often]")).to_contain_text("press A")
    for key in ("a", "l", "f", "Enter", "d"):
        page.keyboard.press(key)
    for spot in (last["expect"]["demonstration"]["picks"][0], last["expect"]["demonstration"]["places"][0]):
        page.mouse.click(*at(fake, page, *spot))
    page.keyboard.press("Enter")
    expect(page.locator("[data-why]")).to_contain_text("less sure")
    assert fake.lesson.answers == []
    until(page, lambda: [i["do"] for i in fake.lesson.intents] == ["practice"])


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (820, 1180)])
def test_nothing_needs_scrolling(browser, served, fake, width, height):
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{served[0]}?session=s1&nopractice=1")
    page.wait_for_selector("[data-card][data-query^=e]", timeout=30_000)
    bottom = page.locator(".card footer").bounding_box()
    assert bottom["y"] + bottom["height"] <= height
    before = page.locator("[data-canvas]").bounding_box()
    for key in ("l", "f", "d", "Backspace", "Backspace", "Backspace", "?", "?", "a"):
        page.keyboard.press(key)
        page.wait_for_timeout(30)
        assert page.locator("[data-canvas]").bounding_box()["y"] == before["y"], f"the picture jumped after {key}"
    context.close()


def test_key_to_saved_is_quick(visit, fake):
    fake.lesson.delay = 0.0
    page = visit()
    times = []
    for _ in range(10):
        first = query(page)
        page.keyboard.press("a")
        expect(card(page)).not_to_have_attribute("data-query", first)
        times.append(float(card(page).get_attribute("data-ack-ms")))
    assert sorted(times)[5] < 200, times


def test_more_ghosts_than_keys_are_left_out(visit, fake):
    page = visit()
    assert len(fake.lesson.view["question"]["ghosts"]) == 4
    expect(page.locator("[data-ghosts] button")).to_have_count(4)  # the plan and three others
    expect(page.locator("[data-words]")).to_have_text("I am guessing")


def test_a_plan_whose_rehearsal_went_wrong_is_done_only_by_its_own_button(visit, fake):
    why = "rehearsed in a simulated arm, its gripper touched the table; the arm did not begin it. Choose another way"
    fake.lesson.view["question"] |= {"unreachable": why, "refused": True}
    page = visit()
    expect(page.locator("[data-why]")).to_contain_text(why)
    expect(page.locator('[data-act="valid"]')).to_be_disabled()
    page.keyboard.press("a")
    page.wait_for_timeout(200)
    assert fake.lesson.answers == []
    button, line = page.get_by_role("button", name="Do it anyway"), page.locator("[data-why]")
    assert button.bounding_box()["x"] < line.bounding_box()["x"] + 20, "a long reason does not push it out of sight"
    button.click()
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    answer = fake.lesson.answers[0]
    assert (answer["verdict"], answer["anyway"]) == ("valid", True)
    page.keyboard.press("a")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    until(page, lambda: len(fake.lesson.answers) == 2)
    assert "anyway" not in fake.lesson.answers[1]
