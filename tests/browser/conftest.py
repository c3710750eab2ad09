"""A browser, and the Teach page's components in it, against a small real server of both wires that pages speak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import ROOT, chromium, streamlit
from tests.pages.fake_host import FakeServer

SIZE = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shared(browser: Browser) -> Iterator[BrowserContext]:
    """One context for most tests, so that Streamlit's scripts are fetched once; a new page has a new sessionStorage."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, list[FakeServer]]]:
    """One Streamlit for all tests; each test gets a fresh lesson in the same server."""
    with ExitStack() as stack:
        fake = stack.enter_context(FakeServer())
        script = ROOT / "tests/pages/component_app.py"
        yield stack.enter_context(streamlit(script, {"ASKBACK_TEST_PORT": str(fake.port)})), [fake]


@pytest.fixture
def fake(served) -> FakeServer:
    fake = served[1][0]
    fake.begin_anew()
    return fake


@pytest.fixture
def visit(browser: Browser, shared: BrowserContext, served, fake) -> Iterator[Callable[..., Page]]:
    contexts = []

    def go(session: str = "s1", query: str = "nopractice=1", **options) -> Page:
        context = shared
        if options:
            context = browser.new_context(viewport=SIZE, reduced_motion="reduce", **options)
            contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.on("pageerror", lambda error: pytest.fail(f"JavaScript: {error}"))
        page.goto(f"{served[0]}?session={session}&{query}")
        page.wait_for_selector("[data-card][data-query]:not([data-query=''])", timeout=30_000)
        return page

    pages: list[Page] = []
    yield go
    for page in pages:
        page.close()
    for context in contexts:
        context.close()
