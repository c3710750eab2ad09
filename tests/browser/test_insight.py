"""The pages that tell why: select a point, move a slider, follow a deep link, roll a model back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.large_lesson import make
from robot_io.pictures import jpeg
from teaching import films
from teaching.comparing import Pair, figures, film_path, keep
from teaching.films import Drawn, Head, Reel, policy_hash
from teaching.learning import entry
from teaching.lesson import LessonConfig
from teaching.models import models
from teaching.replay import ReplayBuffer
from teaching.replay.pictures import Pictures
from teaching.training import Training
from tests.browser.chromium import ROOT, streamlit
from tests.teaching.moving_maker import C, D, P, R, recorded
from tests.teaching.replay_maker import Maker

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SLOW = 120_000
"""Milliseconds that a busy machine may take."""
STILL = "[data-test-script-state=notRunning]"
SIZE = {"width": 1280, "height": 800}


def taught(path: Path) -> None:
    """Two models, trained on what was answered before each."""
    config = LessonConfig(name=path.name, start="nothing").to_json()
    with ReplayBuffer.create(path, {**config, "training": {"batch": 2, "steps": 1}}) as buffer:
        maker, training = Maker(shape=(80, 160)), Training(buffer)
        for update in (1, 2):
            maker.taught(buffer, f"e{update}", ("valid", "both", "demonstration"))
            where, figures = training.train(steps=1, seed=0, update=update)
            buffer.say("training", entry({"type": "done", "checkpoint": str(where), "figures": figures}, update))


def moved(path: Path) -> None:
    """A lesson in motion; of its second episode two cameras kept a picture every second."""
    ticks = np.repeat([60, 120, 180], 2)
    seen = Pictures(ticks, np.array([0, 1] * 3), tuple(jpeg(np.full((12, 16, 3), t, np.uint8)) for t in ticks))
    with ReplayBuffer.create(path, LessonConfig.from_json({"kind": "rollout", "name": path.name}).to_json()) as buffer:
        buffer.append(recorded("e0", [D] * 120, "demonstrated", round=0))
        buffer.append(recorded("e1", [P] * 120 + [R] * 30 + [C] * 60, "intervened", pictures=seen))


def filmed(path: Path) -> None:
    """Both models on one frozen scene: the earlier one fails, the later one does it; two pictures each."""
    pictures = [jpeg(np.full((80, 160, 3), shade, np.uint8)) for shade in (60, 200)]
    for model, solved in (("000001", False), ("000002", True)):
        reel = Reel(plans=[Drawn(((0.2, 0.5), (0.8, 0.5)), 0.25)])
        reel.show(pictures[0], 1.0, 0)
        reel.show(pictures[1], 2.0)
        reel.mark(0.0, "plan 1", "right" if solved else "wrong")
        weights = policy_hash(path / "checkpoints" / model)
        said = ("put-block-in-bowl", "seen", "put it there", model, weights, float(solved), solved, "done")
        films.write(film_path(path, model, "seen", 0, 0), Head(0, 10_001, *said, **reel.parts()), reel.pictures)
    pair = Pair("000001", "000002", scenes=1)
    keep(path, pair, figures(path, pair))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The app over a small lesson with models, and one of many examples."""
    home = tmp_path_factory.mktemp("insight")
    taught(home / "small")
    filmed(home / "small")
    make(home / "large", 300)
    moved(home / "moves")
    with ExitStack() as stack:
        environment = {"ASKBACK_HOME": str(home), "OMP_NUM_THREADS": "1"}
        yield stack.enter_context(streamlit(ROOT / "app.py", environment)), home


@pytest.fixture
def visit(browser: Browser, served):
    pages: list[Page] = []

    def go(path: str, until: str = ".chart[data-drawn]") -> Page:
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        page.set_default_timeout(SLOW)
        page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        pages.append(page)
        page.goto(f"{served[0]}{path}")
        page.wait_for_selector(until)
        return page

    yield go
    for page in pages:
        page.close()


def caption(page: Page) -> str:
    found = page.locator("[data-testid=stCaptionContainer]:has-text('decision ')").last
    return str(found.inner_text())


def test_select_a_point_and_see_its_demonstration_then_a_box(visit, served) -> None:
    log = (served[1] / "large" / "events.log").read_bytes()
    page = visit("replay?lesson=large")
    before = caption(page)
    plot = page.locator("canvas[data-over]").first
    plot.focus()
    plot.press("ArrowRight")
    expect(page.get_by_text("1 chosen, the likeliest first")).to_be_visible(timeout=SLOW)
    page.wait_for_function(
        "was => ![...document.querySelectorAll('[data-testid=stCaptionContainer]')].some(n => n.innerText === was)",
        arg=before,
    )
    expect(page.locator("[data-testid=stImage] img")).to_be_visible(timeout=SLOW)
    page.wait_for_selector(STILL)
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 45, steps=4)
    page.mouse.up()
    chosen = page.get_by_text(re.compile(r"\d{2,3} chosen, the likeliest first"))
    expect(chosen).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Example (the latest first)")).to_be_visible(timeout=SLOW)
    assert (served[1] / "large" / "events.log").read_bytes() == log, "looking changes nothing"


def test_change_lambda_and_see_the_batch_change(visit, served) -> None:
    page = visit("replay?lesson=large")
    page.wait_for_selector("[data-batch=after] figure")
    log = (served[1] / "large" / "events.log").read_bytes()
    before, after = (page.locator(f"[data-batch={n}]").inner_text() for n in ("before", "after"))
    assert before == after
    slider = page.get_by_role("slider").nth(1)
    slider.focus()
    slider.press("End")
    expect(page.locator("[data-batch=after]")).not_to_have_text(after, timeout=SLOW, use_inner_text=True)
    assert page.locator("[data-batch=before]").inner_text() == before
    assert (served[1] / "large" / "events.log").read_bytes() == log


def test_follow_deep_links_to_an_example_and_to_a_second(visit, browser: Browser, served) -> None:
    page = visit("replay?lesson=small&example=e1-1-annotated")
    expect(page.get_by_text(re.compile("shown by hand .* decision e1-1 "))).to_be_visible(timeout=SLOW)
    page.goto(f"{served[0]}episodes?lesson=small&episode=e2&t=0.6")
    film = page.locator(".film[data-at]")
    expect(film).to_have_attribute("data-at", "0.60", timeout=SLOW)
    page.get_by_role("button", name="One picture on").click()
    expect(film).to_have_attribute("data-at", "1.00")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(film).not_to_have_attribute("data-at", "1.00", timeout=SLOW)
    expect(page.get_by_text(re.compile("episode e2 "))).to_be_visible(timeout=SLOW)


def test_select_a_segment_and_see_its_film_at_that_second(visit, served) -> None:
    page = visit("replay?lesson=moves")
    film = page.locator(".film[data-at]")
    expect(film).to_have_attribute("data-at", "2.50", timeout=SLOW)
    plot = page.locator("canvas[data-over]").first
    plot.focus()
    plot.press("ArrowRight")  # the first mark of the first kind: what the policy drove
    expect(page.get_by_text("1 chosen, the likeliest first")).to_be_visible(timeout=SLOW)
    expect(film).to_have_attribute("data-at", "0.00", timeout=SLOW)
    page.wait_for_selector(STILL)
    drawn = "node => node.getContext('2d').getImageData(0, 0, node.width, node.height).data.some(v => v)"
    assert page.locator("canvas[data-scene]").evaluate(drawn), "something is drawn on it"


def test_cut_a_segment_by_key_and_mouse_and_take_it_back(visit, served) -> None:
    page = visit("episodes?lesson=moves&episode=e1&t=3.0", ".film[data-at]")
    film = page.locator(".film[data-at]")
    expect(film).to_have_attribute("data-at", "3.00", timeout=SLOW)
    seen = page.locator(".seen figure")
    expect(seen).to_have_count(2)
    expect(seen.first).to_have_attribute("data-at", "3")
    expect(seen.first).to_have_text("side")
    page.wait_for_function("node => node.naturalWidth === 16", arg=seen.last.locator("img").element_handle())
    page.locator("[data-track]").focus()
    page.keyboard.press("ArrowRight")
    expect(film).to_have_attribute("data-at", "3.10")
    page.keyboard.press("+")
    expect(page.locator("[data-speed]")).to_have_value("2")
    expect(page.get_by_role("link", name=re.compile("t=3.1"))).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Split here").click()
    expect(page.locator("[data-bands] span")).to_have_count(4, timeout=SLOW)
    with ReplayBuffer(served[1] / "moves", readonly=True) as buffer:
        (facts,) = [s.rollout for s in buffer.rollouts() if s.id == "e1"]
    assert [(s["start"], s["stop"]) for s in facts["segments"]][2:] == [(150, 186), (186, 210)]
    page.get_by_role("button", name="Take back").first.click()
    expect(page.locator("[data-bands] span")).to_have_count(3, timeout=SLOW)


def test_two_models_films_run_on_one_clock(visit) -> None:
    page = visit("training?lesson=small")
    expect(page.get_by_text(re.compile("Of 1 frozen scenes"))).to_be_visible(timeout=SLOW)
    both = page.locator(".films[data-name]")
    expect(both).to_have_attribute("data-at", "0.00", timeout=SLOW)
    expect(both.locator("figcaption")).to_have_text(
        [re.compile("before.*not solved"), re.compile("after.*: model 000002")]
    )
    expect(both.locator("svg .ink")).to_have_count(16, timeout=SLOW)
    track = both.locator("[data-track]")
    track.press(".")
    expect(both).to_have_attribute("data-at", "1.00")
    expect(both.locator("svg .ink")).to_have_count(0)
    track.press("ArrowLeft")
    expect(both).to_have_attribute("data-at", "0.50")
    track.press(" ")
    expect(both).to_have_attribute("data-at", "3.00", timeout=SLOW)
    expect(both.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_roll_a_model_back(visit, served) -> None:
    page = visit("training?lesson=small")
    expect(page.get_by_role("heading", name="Model 000002")).to_be_visible(timeout=SLOW)
    rows = page.locator("[class*=st-key-models]").get_by_test_id("stDataFrame")
    box = rows.bounding_box()
    rows.scroll_into_view_if_needed()
    box = rows.bounding_box()
    page.mouse.click(box["x"] + 12, box["y"] + 35 * 2 + 17)
    expect(page.get_by_role("heading", name="Model 000001")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Go on from this one").click()
    expect(page.get_by_role("heading", name="Model 000003")).to_be_visible(timeout=SLOW)
    newest = models(served[1] / "small" / "checkpoints")[-1]
    assert (newest.name, newest.parent, newest.promoted) == ("000003", "000001", True)
