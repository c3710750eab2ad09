"""The Rollout card in a real browser, against a small real server: keys become drives, intents and past pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import ROOT, streamlit
from tests.browser.test_card import until
from tests.pages.fake_rollout import RolloutServer

pytestmark = pytest.mark.browser
SIZE = {"width": 1280, "height": 800}
PATIENCE = 15_000
GAMEPAD = """() => {
    const buttons = Array.from({ length: 17 }, () => ({ pressed: false }));
    window.pad = { connected: true, id: "pad", axes: [0, 0, 0, 0], buttons };
    navigator.getGamepads = () => [window.pad];
    window.pad.buttons[2].pressed = true;
}"""
NOTED = """window.noted = [];
window.Notification = class { constructor(title, { body }) { window.noted.push([title, body]); }
    static permission = "granted"; static requestPermission() { return Promise.resolve("granted"); } };"""
CUT = """() => {
    const find = (root) => [...root.querySelectorAll("*")].flatMap((node) =>
        [...(node.matches(".rollout .main") ? [node] : []), ...(node.shadowRoot ? find(node.shadowRoot) : [])]);
    const main = find(document)[0], edge = main.getBoundingClientRect().right + 1;
    return [...main.querySelectorAll("button, select")].filter((node) => node.offsetParent
        && (node.scrollWidth > node.clientWidth + 1 || node.getBoundingClientRect().right > edge))
        .map((node) => node.textContent);
}"""
"""Buttons whose words are cut off, or that stick out."""
PIXEL = """() => {
    const find = (root) => {
        for (const node of root.querySelectorAll("*")) {
            if (node.matches("[data-view='0'] [data-picture]")) return node;
            const inner = node.shadowRoot && find(node.shadowRoot);
            if (inner) return inner;
        }
        return null;
    };
    return [...find(document).getContext("2d").getImageData(160, 136, 1, 1).data];
}"""
"""The colour in the middle of the first view."""


@pytest.fixture(scope="module")
def rollouts() -> Iterator[tuple[str, RolloutServer]]:
    with ExitStack() as stack:
        fake = stack.enter_context(RolloutServer())
        script = ROOT / "tests/pages/rollout_app.py"
        yield stack.enter_context(streamlit(script, {"ASKBACK_TEST_PORT": str(fake.port)})), fake


@pytest.fixture
def fake(rollouts) -> RolloutServer:
    rollouts[1].begin_anew()
    return rollouts[1]


@pytest.fixture(scope="module")
def kept(browser: Browser, rollouts) -> Iterator[Page]:
    """The one page that most tests share, since loading Streamlit takes far longer than a test."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
    page.goto(f"{rollouts[0]}?session=s1", timeout=120_000)
    yield page
    context.close()


@pytest.fixture
def page(kept: Page, fake: RolloutServer) -> Page:
    phase(kept, "ready")
    expect(kept.locator("[data-lease]")).to_be_hidden()
    return kept


@pytest.fixture
def other(browser: Browser, rollouts, fake) -> Iterator[Callable[..., Page]]:
    """Opens the page in a context of its own."""
    contexts = []

    def go(session: str = "s1", **options) -> Page:
        contexts.append(browser.new_context(**{"viewport": SIZE, "reduced_motion": "reduce", **options}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        page.goto(f"{rollouts[0]}?session={session}", timeout=120_000)
        phase(page, fake.lesson.view["phase"])
        return page

    yield go
    for context in contexts:
        context.close()


def phase(page: Page, wanted: str) -> None:
    page.wait_for_selector(f"[data-rollout][data-phase={wanted}]", timeout=60_000)


def driving(page: Page) -> None:
    page.wait_for_selector("[data-rollout][data-driving]", timeout=PATIENCE)


def button(page: Page, action: str):
    return page.locator(f'[data-act="{action}"]')


def said(fake: RolloutServer) -> list[str]:
    return [intent["do"] for intent in fake.lesson.intents]


def set_off(page: Page, fake: RolloutServer, ticks: int = 300) -> None:
    """The policy works for a while."""
    page.keyboard.press("Space")
    phase(page, "policy")
    until(page, lambda: fake.lesson.tick - fake.lesson.view["episode"]["first"] > ticks)


def take_over(page: Page) -> None:
    page.keyboard.press("t")
    driving(page)
    phase(page, "recovery")


def hold(page: Page, key: str, enough: Callable[[], bool]) -> None:
    page.keyboard.down(key)
    until(page, enough)
    page.keyboard.up(key)


def test_take_over_bring_back_correct_and_done(page, fake):
    set_off(page, fake)
    take_over(page)
    assert fake.arm["driver"] == "s1"
    hold(page, "PageUp", lambda: len(fake.arm["moves"]) >= 5)
    assert all(move["delta"][2] > 0 and move["delta"][0] == 0 for move in fake.arm["moves"][:5])
    page.keyboard.press("g")
    phase(page, "correction")
    hold(page, "ArrowLeft", lambda: len(fake.arm["moves"]) >= 12)
    kinds = [segment["kind"] for segment in fake.lesson.view["timeline"]["segments"]]
    assert kinds == ["policy", "recovery", "correction"]
    page.keyboard.press("Enter")
    phase(page, "ready")
    expect(page.locator("[data-saved]")).to_have_text("saved ✓")
    until(page, lambda: not fake.arm["driving"])
    assert said(fake) == ["start", "recovered", "done"]


def test_nothing_moves_without_a_key_and_all_ends_with_it(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    page.wait_for_timeout(300)
    assert fake.arm["moves"] == []
    hold(page, "ArrowUp", lambda: len(fake.arm["moves"]) >= 3)
    page.wait_for_timeout(150)
    count = len(fake.arm["moves"])
    page.wait_for_timeout(300)
    assert len(fake.arm["moves"]) == count


def test_directions_are_those_of_the_view_and_shift_is_finer(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    hold(page, "ArrowUp", lambda: len(fake.arm["moves"]) >= 3)
    away = fake.arm["moves"][-1]["delta"]
    assert away[0] < 0 and away[1] < 0  # the side camera stands at +x, +y and looks back at the arm
    fake.arm["moves"].clear()
    page.keyboard.down("Shift")
    hold(page, "ArrowUp", lambda: len(fake.arm["moves"]) >= 3)
    page.keyboard.up("Shift")
    assert fake.arm["moves"][-1]["delta"][0] == pytest.approx(away[0] / 4, rel=0.01)
    page.locator("[data-frame]").select_option("base")
    fake.arm["moves"].clear()
    hold(page, "ArrowUp", lambda: len(fake.arm["moves"]) >= 2)
    page.locator("[data-frame]").select_option("")
    assert fake.arm["moves"][-1]["delta"][0] > 0 and fake.arm["moves"][-1]["delta"][1] == 0


def test_the_gripper_toggles_once_per_press(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    for _ in range(4):
        page.keyboard.down("m")  # without keyup between, Chromium marks them as repeats
    page.keyboard.up("m")
    until(page, lambda: len(fake.arm["moves"]) >= 1)
    page.wait_for_timeout(200)
    assert [move.get("gripper") for move in fake.arm["moves"]] == ["toggle"]


def test_dragging_in_the_picture_moves_the_gripper_there(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    box = page.locator("[data-view='0'] [data-picture]").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1], steps=8)
    until(page, lambda: sum(m["delta"][1] for m in fake.arm["moves"]) > 0.02)
    page.mouse.up()
    x, y = (sum(move["delta"][k] for move in fake.arm["moves"]) for k in (0, 1))
    assert y > 0.02 and x < 0.0  # to the right in the side view
    page.mouse.wheel(0, -100)
    until(page, lambda: fake.arm["moves"][-1]["delta"][2] > 0)


def test_a_gamepad_drives_and_its_buttons_act(page, fake):
    set_off(page, fake, 30)
    page.evaluate(GAMEPAD)
    driving(page)
    phase(page, "recovery")
    page.evaluate("window.pad.buttons[2].pressed = false; window.pad.axes[3] = -1")
    until(page, lambda: len(fake.arm["moves"]) >= 3)
    page.evaluate("window.pad.axes[3] = 0; window.pad.axes[0] = 0.1")
    assert fake.arm["moves"][-1]["delta"][2] == pytest.approx(0.004, rel=0.01)
    page.evaluate("window.pad.buttons[1].pressed = true")
    phase(page, "correction")
    page.evaluate("navigator.getGamepads = () => []")


def test_the_past_is_looked_at_and_rewound_to(page, fake):
    set_off(page, fake)
    take_over(page)
    hold(page, "ArrowUp", lambda: len(fake.arm["moves"]) >= 5)
    for _ in range(8):
        page.keyboard.press(",")
    expect(page.locator("[data-rollout]")).to_have_attribute("data-state", "looking")
    expect(page.locator("[data-view='0'] [data-missing]")).to_be_hidden()
    head = fake.lesson.view["episode"]["tick"]
    page.keyboard.press("z")
    phase(page, "correction")
    driving(page)
    rewound = next(intent for intent in fake.lesson.intents if intent["do"] == "rewind")
    assert head - 200 < rewound["tick"] < head - 60
    expect(page.locator("[data-rollout]")).to_have_attribute("data-state", "correcting")


def test_a_click_on_a_branch_that_was_left_returns_to_it(page, fake):
    """The branches lie below the timeline, each on a line of its own; the live one is no way back."""
    set_off(page, fake)
    take_over(page)
    page.keyboard.press("z")
    phase(page, "correction")
    hold(page, "ArrowUp", lambda: fake.lesson.branches[-1]["last"] - fake.lesson.branches[-1]["first"] > 40)
    line = page.locator("[data-timeline]")
    at = lambda row: {"x": 30, "y": 8 + 62 + 24 + 15 + 13 * row + 6}  # noqa: E731
    line.click(position=at(1))
    page.wait_for_timeout(200)
    assert "return" not in said(fake)
    line.click(position=at(0))
    until(page, lambda: "return" in said(fake))
    assert fake.lesson.intents[-1]["branch"] == 0


def test_the_round_is_told_of_how_many_were_planned(page, fake):
    expect(page.locator("[data-round]")).to_have_text("Round 3 of 6 · 14 of 20 corrections")
    expect(page.locator("[data-human-frames]")).to_contain_text("31 episodes · frames: 2140 recovery")
    fake.lesson.view["round"]["number"] = 7
    expect(page.locator("[data-round]")).to_contain_text("All 6 rounds done")
    fake.lesson.view["round"]["planned"] = None
    expect(page.locator("[data-round]")).to_have_text("Round 7 · 14 of 20 corrections")


def test_a_call_to_a_hidden_page_is_a_notification(other, fake):
    page = other()
    page.add_init_script(NOTED)
    page.reload()
    phase(page, "ready")
    set_off(page, fake, 30)
    page.evaluate("() => Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    fake.lesson.enter("calling")
    phase(page, "calling")
    until(page, lambda: page.evaluate("noted.length"))
    assert page.evaluate("noted") == [["The arm needs you", "its doubt is high"]]


def test_the_speed_of_driving_is_chosen_by_key_and_remembered(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    ways = {}
    for key in ("1", "3"):
        page.keyboard.press(key)
        expect(button(page, f"speed-{key}")).to_have_attribute("aria-pressed", "true")
        count = len(fake.arm["moves"])
        hold(page, "PageUp", lambda count=count: len(fake.arm["moves"]) > count + 3)
        ways[key] = fake.arm["moves"][-1]["delta"][2]
    assert ways["3"] > 3 * ways["1"] > 0 and page.evaluate("localStorage.getItem('askback.speed')") == "3"
    page.keyboard.press("2")


def test_z_rewinds_to_the_proposal(page, fake):
    set_off(page, fake)
    take_over(page)
    page.keyboard.press("z")
    phase(page, "correction")
    assert fake.lesson.intents[-1]["tick"] == fake.lesson.view["proposal"]["tick"]


def test_the_proposed_boundary_is_confirmed_by_one_key(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    hold(page, "ArrowUp", lambda: bool(fake.lesson.view["boundary"]))
    expect(button(page, "recovered-then")).to_be_enabled()
    page.keyboard.press("b")
    phase(page, "correction")
    assert fake.lesson.intents[-1]["tick"] > 0


def test_retrace_while_a_key_is_held(page, fake):
    set_off(page, fake, 30)
    hold(page, "r", lambda: fake.arm["retraced"].count("held") >= 4)
    until(page, lambda: fake.arm["retraced"][-1] == "end")
    assert fake.arm["retraced"][0] == "start" and fake.arm["driving"]


def test_what_means_nothing_now_is_not_sent(page, fake):
    for key in ("g", "Enter", "z", "f", "x", "t", "r", "ArrowUp"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert said(fake) == [] and fake.arm["moves"] == [] and not fake.arm["driving"]


def test_a_refusal_says_why_and_hands_stay_on(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    fake.lesson.refuse = "you have not moved it yet"
    page.keyboard.press("f")
    expect(page.locator("[data-saved]")).to_contain_text("have not moved it yet")
    driving(page)


def test_a_call_is_heard_of_and_answered_by_taking_over(page, fake):
    set_off(page, fake, 30)
    fake.lesson.enter("calling")
    phase(page, "calling")
    expect(page).to_have_title("● needs you: its doubt is high")
    take_over(page)
    expect(page).not_to_have_title("● needs you: its doubt is high")


def test_the_map_of_known_places_is_there_while_h_is_held(page, fake):
    before = page.evaluate(PIXEL)
    page.keyboard.down("h")
    until(page, lambda: page.evaluate(PIXEL)[2] < before[2] - 30)
    page.keyboard.up("h")
    until(page, lambda: abs(page.evaluate(PIXEL)[2] - before[2]) < 10)


def test_a_hidden_tab_lets_go_of_the_arm(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    page.evaluate(
        """() => { Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange")); }"""
    )
    until(page, lambda: fake.arm["hidden"] == 1 and not fake.arm["driving"])
    page.evaluate('() => { delete document.hidden; document.dispatchEvent(new Event("visibilitychange")); }')
    expect(page.locator("[data-title]")).to_have_text("Nobody drives")
    page.keyboard.press("t")
    driving(page)


def test_beats_come_while_driving(page, fake):
    set_off(page, fake, 30)
    take_over(page)
    before = fake.arm["beats"]
    page.wait_for_timeout(1000)
    assert fake.arm["beats"] - before >= 12


def test_touch_drives_by_buttons_held(other, fake):
    page = other(has_touch=True, viewport={"width": 820, "height": 1180})
    button(page, "let-work").tap()
    phase(page, "policy")
    button(page, "take-over").tap()
    phase(page, "recovery")
    driving(page)
    up = button(page, "up")
    up.dispatch_event("pointerdown", {"pointerId": 1, "button": 0})
    until(page, lambda: len(fake.arm["moves"]) >= 3)
    up.dispatch_event("pointerup", {"pointerId": 1})
    page.wait_for_timeout(150)
    count = len(fake.arm["moves"])
    page.wait_for_timeout(200)
    assert len(fake.arm["moves"]) == count


def test_a_second_person_watches(page, other, fake):
    watcher = other("s2")
    expect(watcher.locator("[data-lease]")).to_contain_text("you are watching")
    expect(button(watcher, "let-work")).to_be_disabled()
    set_off(page, fake, 30)
    phase(watcher, "policy")
    watcher.keyboard.press("t")
    watcher.wait_for_timeout(200)
    assert not fake.arm["driving"]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 768), (820, 1180)])
def test_nothing_needs_scrolling_and_the_pictures_do_not_jump(other, fake, width, height):
    page = other(viewport={"width": width, "height": height})
    foot = page.locator(".rollout footer").bounding_box()
    assert foot["y"] + foot["height"] <= height
    before = page.locator("[data-view='0']").bounding_box()
    page.keyboard.press("Space")
    phase(page, "policy")
    for key in ("t", "g", "?", "?", ",", "Backspace", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(120)
        assert page.locator("[data-view='0']").bounding_box() == before, f"the picture jumped after {key}"
        assert page.evaluate(CUT) == []
