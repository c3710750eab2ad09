"""From `scripts/app` (installation done) to the first question on the screen, in headless Chromium, by one click.

`python -m benchmarks.first_question [--times 3]`. Each time in a fresh home. Prints the seconds of
each run as JSON; the bar is 60.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser.chromium import FLAGS, free_port

ROOT = Path(__file__).resolve().parent.parent


def once(browser: Browser) -> dict[str, float]:
    """One start: seconds to the page, and to the first question."""
    port, home = free_port(), tempfile.mkdtemp(prefix="askback-first-")
    begun = time.perf_counter()
    command = [str(ROOT / "scripts/app"), "--headless", "--port", str(port), "--home", home]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        reach(page, f"http://127.0.0.1:{port}/")
        page.get_by_role("button", name="Start teaching now").wait_for(timeout=60_000)
        shown = time.perf_counter() - begun
        page.get_by_role("button", name="Start teaching now").click()
        skip = page.get_by_role("button", name="Skip practice")
        skip.wait_for(timeout=120_000)
        skip.click()
        page.get_by_text("practice", exact=True).wait_for(state="hidden", timeout=60_000)
        page.get_by_role("button", name="Yes, do it").wait_for(timeout=60_000)
        return {"page": round(shown, 2), "first_question": round(time.perf_counter() - begun, 2)}
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def reach(page: object, address: str, seconds: float = 60.0) -> None:
    """Open the address as soon as it answers."""
    end = time.perf_counter() + seconds
    while True:
        try:
            page.goto(address)  # type: ignore[attr-defined]
            return
        except PlaywrightError:
            if time.perf_counter() > end:
                raise
            time.sleep(0.1)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        runs = [once(browser) for _ in range(given.times)]
        browser.close()
    print(json.dumps({"runs": runs, "worst_first_question": max(r["first_question"] for r in runs)}))


if __name__ == "__main__":
    main()
