"""A browser, and the Teach page's components in it, against a small real server of both wires that pages speak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import ROOT, chromium, streamlit
from tests.pages.fake_host import FakeServer

SIZE = {"width": 1280, "height": 800}


# Of the package, not of the session: Playwright keeps an event loop running in the thread until it ends, and the tests
# of other rooms start loops of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def served() -> Iterator[tuple[str, FakeServer]]:
    """One Streamlit for all tests; each test gets a fresh lesson in the same server."""
    with ExitStack() as stack:
        fake = stack.enter_context(FakeServer())
        script = ROOT / "tests/pages/component_app.py"
        yield stack.enter_context(streamlit(script, {"ASKBACK_TEST_PORT": str(fake.port)})), fake


@pytest.fixture
def fake(served) -> FakeServer:
    served[1].begin_anew()
    return served[1]


@pytest.fixture(scope="package")
def kept(browser: Browser) -> Iterator[dict[str, Page]]:
    """The one page that most tests share, since loading Streamlit takes far longer than a test."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    yield {"page": context.new_page()}
    context.close()


@pytest.fixture
def visit(browser: Browser, kept, served, fake) -> Iterator[Callable[..., Page]]:
    """Opens the card: `visit()` in the shared page, as after many answers; with arguments in a context of its own."""
    contexts: list[BrowserContext] = []

    def go(session: str = "s1", query: str = "nopractice=1", **options) -> Page:
        address = f"{served[0]}?session={session}&{query}"
        plain = (session, query, options) == ("s1", "nopractice=1", {})
        if plain and kept["page"].url.startswith(served[0]):
            fake.push()
            page = kept["page"]
            page.locator("[data-saved]").evaluate("node => { node.textContent = ''; }")
        else:
            page = kept["page"] if plain else opened(options)
            page.goto(address)
        first = fake.lesson.view["question"]["id"] if "nopractice" in query else "practice-1"
        page.wait_for_selector(f"[data-card][data-query='{first}']", timeout=30_000)
        return page

    def opened(options) -> Page:
        contexts.append(browser.new_context(viewport=SIZE, reduced_motion="reduce", **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        return page

    yield go
    for context in contexts:
        context.close()
