"""The Replay and Progress pages in Chromium over lessons of 1,000, 10,000 and 100,000 demonstrations.

`python -m benchmarks.pages_at_scale [--sizes 1000 100000] [--repeats 5] [--keep DIR]`. The lessons are made by
`benchmarks.large_lesson`, which says what of them is real. With the app's files in the browser's cache, per page and
size: `first paint`, from the click on the page's name until its first chart is drawn; `whole page`, until every script
has ended and its pictures are there; `card`, from a key on the plot until another one is shown; `batch`, from a slider
until another one is shown. `task` is the longest task of the browser's main thread meanwhile; `cpu` what the app's
process and that thread computed, whoever else uses the machine. `cold` is the first visit after the app has started,
`empty` a page that reads nothing: what Streamlit itself takes. Prints JSON; seconds, medians.
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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright

from benchmarks.large_lesson import make
from benchmarks.page import FLAGS, ROOT, free_port, wait_for_app

TASKS = """
window.askbackTasks = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.askbackTasks.push(e.duration); })
  .observe({ type: "longtask" });
"""
STILL = "[data-test-script-state=notRunning]"
PATIENCE = 120_000
MARKS = {
    "Keys": "h1:has-text('Keys')",
    "Replay": ".chart[data-drawn]:has(canvas[aria-label*='stored examples by uncertainty'])",
    "Progress": ".chart[data-drawn]:has(canvas[aria-label*='Uncertainty of every plan'])",
}
"""What only this page has, once it is drawn."""
CARD = ".st-key-card [data-testid=stCaptionContainer]"
BATCH = "[data-batch=after]"
PROMISES = {"sensitivity": "of plans that would fail", "specificity": "of right plans"}
Times = dict[str, list[float]]
Act = Callable[[], object]


class Watch:
    """A page in a browser, the app that serves it, and what both spend."""

    def __init__(self, page: Page, app: int) -> None:
        self.page, self.app = page, app
        self.inside: CDPSession = page.context.new_cdp_session(page)
        self.inside.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent(self) -> float:
        """Seconds that the app's process and the page's main thread have computed so far."""
        fields = Path(f"/proc/{self.app}/stat").read_text().rpartition(")")[2].split()
        told = self.inside.send("Performance.getMetrics")["metrics"]
        thread = next(float(m["value"]) for m in told if m["name"] == "TaskDuration")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + thread

    def see(self, selector: str) -> None:
        """Until it is on the page."""
        self.page.wait_for_selector(selector, timeout=PATIENCE)

    def timed(self, times: Times, name: str, act: Act, *seen: tuple[str, Act]) -> None:
        """Act, and how long until each thing is seen; the longest task and the processors' time until the last."""
        self.page.evaluate("window.askbackTasks.length = 0")
        spent, begun = self.spent(), time.perf_counter()
        act()
        for what, until in seen:
            until()
            times.setdefault(f"{name} {what}".strip(), []).append(time.perf_counter() - begun)
        times.setdefault(f"{name} cpu", []).append(self.spent() - spent)
        self.page.wait_for_timeout(300)  # entries of long tasks come a little later
        tasks = self.page.evaluate("window.askbackTasks")
        times.setdefault(f"{name} task", []).append(max(tasks, default=0.0) / 1000)

    def go(self, name: str) -> None:
        """Click on a page's name in the navigation."""
        self.page.get_by_role("link", name=name, exact=False).first.click()

    def changed(self, selector: str, was: str) -> None:
        """Until the last element of its kind is there and tells something else."""
        there = "([s, was]) => { const n = [...document.querySelectorAll(s)].pop(); return n && n.innerHTML !== was; }"
        self.page.wait_for_function(there, arg=[selector, was], timeout=PATIENCE)

    def inner(self, selector: str) -> str:
        """What the last element of its kind holds."""
        return str(self.page.locator(selector).last.evaluate("n => n.innerHTML"))

    def still(self) -> None:
        """Until no script runs."""
        self.see(STILL)
        self.page.wait_for_timeout(100)  # one that a fragment asked for begins a moment later
        self.see(STILL)


def replay(watch: Watch, times: Times) -> None:
    """First paint, another card, another batch."""
    page = watch.page
    watch.timed(times, "empty", lambda: watch.go("Keys"), ("", lambda: watch.see(MARKS["Keys"])))
    watch.still()
    watch.timed(
        times, "replay", lambda: watch.go("Replay"), ("first paint", lambda: watch.see(MARKS["Replay"])),
        ("whole page", lambda: (watch.see(f"{BATCH} img"), watch.see(CARD), watch.still())),
    )  # fmt: skip
    card, batch = watch.inner(CARD), watch.inner(BATCH)
    page.locator("canvas[data-over]").first.focus()
    press = page.keyboard.press
    watch.timed(times, "replay card", lambda: press("ArrowRight"), ("", lambda: watch.changed(CARD, card)))
    watch.still()
    page.get_by_role("slider", name="preference").focus()
    watch.timed(times, "replay batch", lambda: press("Home"), ("", lambda: watch.changed(BATCH, batch)))
    watch.still()


def progress(watch: Watch, times: Times) -> None:
    """First paint, and another promise looked at."""
    watch.go("Keys")
    watch.see(MARKS["Keys"])
    watch.still()
    watch.timed(
        times, "progress", lambda: watch.go("Progress"), ("first paint", lambda: watch.see(MARKS["Progress"])),
        ("whole page", watch.still),
    )  # fmt: skip
    for mode in ("specificity", "sensitivity"):
        chosen = watch.page.get_by_role("radio", name=mode).or_(watch.page.get_by_role("button", name=mode)).first
        plot = f".chart[data-drawn]:has(canvas[aria-label*='{PROMISES[mode]}'])"
        watch.timed(times, "progress promise", chosen.click, ("", lambda plot=plot: watch.see(plot)))  # type: ignore[misc]
        watch.still()


@contextmanager
def served(home: Path) -> Iterator[tuple[str, int]]:
    """The app over some lessons: its address and its process."""
    port = free_port()
    environment = {**os.environ, "ASKBACK_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    quiet = subprocess.DEVNULL
    app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for_app(address)
        yield address, app.pid
    finally:
        os.killpg(app.pid, signal.SIGTERM)
        app.wait(30)


def visits(home: Path, name: str, repeats: int, play: Any) -> Times:
    """All figures of one lesson, with an app and a browser of its own."""
    times: Times = {}
    with served(home) as (address, app):
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(TASKS)
        for _ in range(2):  # the second time the browser has the app's files
            page.goto(f"{address}keys?lesson={name}")
            page.wait_for_selector(MARKS["Keys"])
        watch, cold = Watch(page, app), Times()
        for turn in range(repeats + 1):
            for visit in (replay, progress):
                visit(watch, times if turn else cold)
        browser.close()
    firsts = ("replay first", "replay whole", "replay cpu", "replay task", "progress ")
    wanted = [n for n in cold if n.startswith(firsts) and "promise" not in n]
    return times | {f"cold {n}": cold[n] for n in wanted}


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
        load, found = os.getloadavg()[0], {}
        play = stack.enter_context(sync_playwright())
        for n in given.sizes:
            times = visits(home, f"n{n}", given.repeats, play)
            found[n] = {name: round(float(np.median(v)), 3) for name, v in times.items()}
    first, last = found[given.sizes[0]], found[given.sizes[-1]]
    ratio = {n: round(last[n] / max(first[n], 1e-3), 2) for n in first if not n.endswith("task")}
    loads = [round(load, 1), round(os.getloadavg()[0], 1)]
    print(json.dumps({"load": loads, "median_s": {str(n): v for n, v in found.items()}, "ratio": ratio}))


if __name__ == "__main__":
    main()
