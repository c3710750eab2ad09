"""The Replay and Progress pages in Chromium over lessons of 1,000, 10,000 and 100,000 demonstrations.

`python -m benchmarks.pages_at_scale [--sizes 1000 100000] [--repeats 5] [--keep DIR]`. The lessons are made by
`benchmarks.large_lesson`, which says what of them is real. Per page and size, with the app's files in the browser's
cache: from the click on the page's name until its first chart is drawn and every script has ended; from a key on the
plot until another card is shown; from a slider until another batch is shown; and the longest task of the browser's main
thread meanwhile. `empty` is the same for a page that reads nothing: what Streamlit itself takes. Prints JSON; seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.large_lesson import make
from benchmarks.page import FLAGS, ROOT, free_port, wait_for_app

TASKS = """
window.askbackTasks = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.askbackTasks.push(e.duration); })
  .observe({ type: "longtask" });
"""
STILL = "[data-test-script-state=notRunning]"
PATIENCE = 120_000
PROMISES = {"sensitivity": "of plans that would fail", "specificity": "of right plans"}
Times = dict[str, list[float]]


def timed(page: Page, act: Callable[[], object], seen: Callable[[], object], times: Times, name: str) -> None:
    """How long until something is seen, and the longest task meanwhile, both in seconds."""
    page.evaluate("window.askbackTasks.length = 0")
    begun = time.perf_counter()
    act()
    seen()
    times.setdefault(name, []).append(time.perf_counter() - begun)
    page.wait_for_timeout(300)  # entries of long tasks come a little later
    tasks = page.evaluate("window.askbackTasks")
    times.setdefault(f"{name} longest task", []).append(max(tasks, default=0.0) / 1000)


def go(page: Page, name: str, drawn: str) -> None:
    """To a page by its name in the navigation, until it is drawn."""
    page.get_by_role("link", name=name).first.click()
    page.wait_for_selector(drawn, timeout=PATIENCE)
    page.wait_for_selector(STILL, timeout=PATIENCE)


def other(page: Page, selector: str, was: str) -> None:
    """Until an element's contents are others than before."""
    there = "([s, was]) => { const n = [...document.querySelectorAll(s)].pop(); return n && n.outerHTML !== was; }"
    page.wait_for_function(there, arg=[selector, was], timeout=PATIENCE)


def replay(page: Page, times: Times) -> None:
    """First paint, another card, another batch."""
    timed(page, lambda: go(page, "Keys", "text=STOP"), lambda: None, times, "empty")
    timed(page, lambda: go(page, "Replay", ".chart[data-drawn]"), lambda: None, times, "replay first paint")
    caption, batch = "[data-testid=stCaptionContainer]:has-text('decision ')", "[data-batch=after]"
    page.wait_for_selector(batch, timeout=PATIENCE)
    was = page.locator(caption).last.evaluate("n => n.innerText")
    plot = page.locator("canvas[data-over]").first
    plot.focus()

    def another() -> None:
        page.wait_for_function(
            "was => ![...document.querySelectorAll('[data-testid=stCaptionContainer]')].some(n => n.innerText === was)",
            arg=was, timeout=PATIENCE,
        )  # fmt: skip

    timed(page, lambda: page.keyboard.press("ArrowRight"), another, times, "replay another card")
    was_batch = page.locator(batch).evaluate("n => n.outerHTML")
    slider = page.get_by_role("slider").nth(2)
    slider.focus()
    timed(
        page, lambda: page.keyboard.press("Home"), lambda: other(page, batch, was_batch), times, "replay another batch"
    )
    page.wait_for_selector(STILL, timeout=PATIENCE)


def progress(page: Page, times: Times) -> None:
    """First paint, and another promise looked at."""
    go(page, "Keys", "text=STOP")
    timed(page, lambda: go(page, "Progress", ".chart[data-drawn]"), lambda: None, times, "progress first paint")
    page.wait_for_timeout(300)
    for mode in ("specificity", "sensitivity"):
        chosen = page.get_by_role("radio", name=mode).or_(page.get_by_role("button", name=mode)).first
        plot = page.locator(f"canvas[aria-label*='{PROMISES[mode]}']")
        timed(page, chosen.click, plot.wait_for, times, "progress another promise")


def visits(address: str, name: str, repeats: int, play: Any) -> Times:
    """All figures of one lesson."""
    times: Times = {}
    browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(TASKS)
    page.goto(f"{address}keys?lesson={name}")
    page.wait_for_selector(STILL)
    warm: Times = {}
    for turn in range(repeats + 1):
        for visit in (replay, progress):
            visit(page, times if turn else warm)
    browser.close()
    return times | {f"{n} (first of all)": warm[n] for n in ("replay first paint", "progress first paint")}


def measure(home: Path, sizes: list[int], repeats: int) -> dict[str, dict[str, float]]:
    """Medians per size."""
    port, found = free_port(), {}
    environment = {**os.environ, "ASKBACK_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    quiet = subprocess.DEVNULL
    app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for_app(address)
        with sync_playwright() as play:
            for n in sizes:
                times = visits(address, f"n{n}", repeats, play)
                found[str(n)] = {name: round(float(np.median(v)), 3) for name, v in times.items()}
    finally:
        os.killpg(app.pid, signal.SIGTERM)
        app.wait(30)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the lessons are, or are made and kept")
    given = parser.parse_args()
    with ExitStack() as stack:
        home = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for n in given.sizes:
            if not (home / f"n{n}").exists():
                make(home / f"n{n}", n)
        load = os.getloadavg()[0]
        found = measure(home, given.sizes, given.repeats)
    first, last = found[str(given.sizes[0])], found[str(given.sizes[-1])]
    ratio = {n: round(last[n] / max(first[n], 1e-3), 2) for n in first if "task" not in n}
    print(json.dumps({"load": [round(load, 1), round(os.getloadavg()[0], 1)], "median_s": found, "ratio": ratio}))


if __name__ == "__main__":
    main()
