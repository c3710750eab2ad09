"""A person at the Teach page in Chromium: start → first question, key → saved, key → next question.

`python -m benchmarks.page [--answers 40] [--think 3] [--start starter]`. The app is started by the command that a
newcomer types, with everything installed; the simulated arm, the host and the trainer are the real ones. Times of
answers are taken inside the page, from just before the key to the acknowledgement and to the next question on screen.
Prints JSON; seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from teaching.supervisor import create_lesson

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
WATCH = """() => {
  const card = document.querySelector("[data-testid=stApp]") && find(document);
  function find(root) {
    for (const node of root.querySelectorAll("*")) {
      if (node.dataset && node.dataset.query !== undefined) return node;
      const inner = node.shadowRoot && find(node.shadowRoot);
      if (inner) return inner;
    }
    return null;
  }
  window.askbackTimes = [];
  let pressed = null;
  window.askbackPress = () => { pressed = { t: performance.now(), from: card.dataset.query }; };
  new MutationObserver(() => {
    const { query } = card.dataset;
    if (!pressed || !query || query === pressed.from) return;
    const { t } = pressed;
    pressed = null;
    requestAnimationFrame(() => {
      window.askbackTimes.push({ next: performance.now() - t, acknowledged: Number(card.dataset.ackMs) });
    });
  }).observe(card, { attributes: true, attributeFilter: ["data-query", "data-ack-ms"] });
}"""


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_app(url: str, seconds: float = 120.0) -> None:
    """Until it answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url + "health", timeout=2).read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SystemExit(f"expected the app at {url} within {seconds:g} s, got nothing; try scripts/app by hand")


def first_question(page: Page, url: str, start: str) -> None:
    """What a newcomer does: open, start, skip the practice. From nothing, a lesson is there already."""
    page.goto(url)
    begin = "Start teaching now" if start == "starter" else "Go on"
    page.get_by_role("button", name=begin).click(timeout=60_000)
    page.get_by_role("button", name="Skip practice").click(timeout=60_000)
    question(page)


def question(page: Page, before: str = "") -> str:
    """Waits for a question that may be answered; its id."""
    page.wait_for_selector(
        f"[data-card][data-query]:not([data-query='']):not([data-query='{before}'])[data-sent='']", timeout=120_000
    )
    page.wait_for_selector('[data-act="valid"]:not([disabled])', timeout=60_000)
    return str(page.locator("[data-card]").get_attribute("data-query"))


def answers(page: Page, count: int, think: float) -> list[dict[str, float]]:
    """Answer by key, after a pause in which a person would look."""
    page.evaluate(WATCH)
    last = question(page)
    for n in range(count):
        page.wait_for_timeout(1000 * think)
        page.evaluate("window.askbackPress()")
        page.keyboard.press("xaa "[n % 4])
        last = question(page, last)
    page.wait_for_timeout(200)
    times: list[dict[str, float]] = page.evaluate("window.askbackTimes")
    return times


def percentiles(values: list[float]) -> dict[str, Any]:
    """Median and 95th percentile in seconds, of milliseconds."""
    found = np.array(values) / 1000
    if not len(found):
        return {"n": 0}
    return {"n": len(found), "p50": round(float(np.median(found)), 3), "p95": round(float(np.quantile(found, 0.95)), 3)}


def measure(count: int, think: float, home: str, start: str) -> dict[str, Any]:
    """Everything, once."""
    port = free_port()
    if start == "nothing":
        create_lesson(Path(home), "benchmark", start="nothing")
    begun = time.monotonic()
    command = [str(ROOT / "scripts/app"), "--port", str(port), "--home", home, "--headless"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    quiet = subprocess.DEVNULL
    app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_for_app(url)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            first_question(page, url, start)
            first = time.monotonic() - begun
            times = answers(page, count, think)
            browser.close()
    finally:
        os.killpg(app.pid, signal.SIGTERM)
        app.wait(60)
    return {
        "start_to_first_question_s": round(first, 1),
        "key_to_saved_s": percentiles([t["acknowledged"] for t in times]),
        "key_to_next_question_s": percentiles([t["next"] for t in times]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--answers", type=int, default=40)
    parser.add_argument("--think", type=float, default=3.0, help="seconds between a question and its answer")
    parser.add_argument("--start", choices=("starter", "nothing"), default="starter")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        print(json.dumps(measure(options.answers, options.think, home, options.start)))


if __name__ == "__main__":
    main()
