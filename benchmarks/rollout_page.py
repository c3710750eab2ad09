"""A person at the Rollout page in Chromium: pictures per second in both views, and from the key to the arm in hand.

`python -m benchmarks.rollout_page [--seconds 20] [--takeovers 20] [--arms 1] [--size 1280x800]`. The app is started by
the command that a newcomer types; the simulated arm, the host and the trainer are the real ones; the arm does
peg-and-button and streams an untaught policy. With the defaults it takes three to six minutes. Prints JSON:

- pictures_per_second: painted in each view while the arm moves; bar: ≥ 15 each with one arm, at 160 × 120 or larger;
- widths: of the pictures, pixels, and the share of the time; 320 is full, smaller ones come while these do not keep up;
- focus_per_second: painted where both views show one camera; bar: ≥ 15, also with `--arms 2`;
- age_told: what the page says about the picture's age;
- picture_age_ms: from the moment that a picture shows to its painting;
- key_to_human_ms: from the key event to the arm's word that a person drives it; bar: p95 ≤ 150 ms, on loopback;
- killed_ms, crashed_ms: from the death of the browser in the middle of a drive, all of its processes at once or its
  main one alone, to an arm that holds and to one that is latched; bars: ≤ 150 ms and 500 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Error, Page, Playwright, sync_playwright

from benchmarks.page import FLAGS, ROOT, free_port, wait_for_app
from robot_io.lease import SILENCE
from robot_io.remote import RemoteArm
from robot_io.run_files import birth_of, read_run_file
from teaching.supervisor import create_lesson

ARMS = {
    1: {"task": "peg-and-button", "arm": "sim:panda"},
    2: {"task": "hold-and-insert", "arm": "sim:panda2"},
}
COUNT = """() => {
  const find = (root) => [...root.querySelectorAll("*")].flatMap((node) =>
    [...(node.matches("[data-picture]") ? [node] : []), ...(node.shadowRoot ? find(node.shadowRoot) : [])]);
  return find(document).map((node) => [Number(node.dataset.frames || 0), Number(node.dataset.ageMs || 0), node.width]);
}"""


def phase(page: Page, wanted: str) -> None:
    """Waits for a phase of the lesson."""
    page.wait_for_selector(f"[data-rollout][data-phase={wanted}]", timeout=120_000)


def set_off(page: Page) -> None:
    """The policy drives, and pictures come."""
    phase(page, "ready")
    page.wait_for_selector('[data-act="let-work"]:not([disabled])', timeout=60_000)
    page.keyboard.press("Space")
    phase(page, "policy")


def pictures(page: Page, seconds: float) -> dict[str, Any]:
    """Painted per second in each view, and how old they were then."""
    at_work(page)
    page.wait_for_timeout(5000)
    at_work(page)
    before, begun = page.evaluate(COUNT), time.monotonic()
    ages, widths = list[float](), list[int]()
    for _ in range(round(seconds * 4)):
        page.wait_for_timeout(250)
        told = page.evaluate(COUNT)
        ages += [age for _, age, _ in told]
        widths += [width for _, _, width in told]
    after, took = page.evaluate(COUNT), time.monotonic() - begun
    shown = [round((b[0] - a[0]) / took, 1) for a, b in zip(before, after, strict=True)]
    p50, p95 = np.percentile(ages, [50, 95])
    return {
        "age_told": page.locator("[data-age]").first.inner_text(),
        "pictures_per_second": shown,
        "picture_age_ms": {"p50": round(p50), "p95": round(p95)},
        "widths": {width: round(n / len(widths), 2) for width, n in sorted(Counter(widths).items())},
    }


def at_work(page: Page) -> None:
    """The policy drives, in a new episode if the one before has run out of time."""
    if page.locator("[data-rollout]").get_attribute("data-phase") != "policy":
        set_off(page)


def in_focus(page: Page, seconds: float) -> float:
    """Painted per second where one camera alone is wanted: both views show that of the first."""
    cameras = page.locator("[data-camera]")
    cameras.nth(1).select_option(cameras.nth(0).input_value())
    return float(pictures(page, seconds)["pictures_per_second"][0])


def take_over(page: Page) -> float:
    """Milliseconds from the key to the arm in hand; the episode is discarded afterwards."""
    page.locator("[data-rollout]").evaluate("node => { delete node.dataset.takeMs; }")
    page.keyboard.press("t")
    page.wait_for_selector("[data-rollout][data-take-ms]", timeout=30_000)
    taken = float(page.locator("[data-rollout]").get_attribute("data-take-ms") or "nan")
    with contextlib.suppress(Error):  # the episode may have run out of time just then; the next one begins by itself
        page.wait_for_selector("[data-rollout][data-phase=recovery]", timeout=20_000)
        page.keyboard.press("f")
    return taken


def take_overs(page: Page, count: int) -> dict[str, Any]:
    """So many, each in an episode of its own."""
    found = []
    for _ in range(count):
        at_work(page)
        page.wait_for_timeout(1200)
        found.append(take_over(page))
    p50, p95 = np.percentile(found, [50, 95])
    return {"n": len(found), "p50": round(p50, 1), "p95": round(p95, 1), "max": round(max(found), 1)}


def in_hand(page: Page, tries: int = 8) -> None:
    """A person drives the arm; tried again where the episode ran out of time just then."""
    for _ in range(tries):
        at_work(page)
        page.wait_for_timeout(1000)
        page.keyboard.press("t")
        with contextlib.suppress(Error):
            page.wait_for_selector("[data-rollout][data-driving]", timeout=8_000)
            return
    told = page.locator("[data-rollout]").inner_text()
    raise SystemExit(f"expected the arm in hand after {tries} tries, got a page that says: {told[:600]}")


class Watch:
    """Asks the arm how it is and whether the browser lives, again and again, in a thread that waits for neither.

    Whoever commands a crash is answered only when the browser's pipes are closed; the arm may be latched by then.
    """

    def __init__(self, port: int, browser: int) -> None:
        self.died = float("inf")
        self._url, self._browser = f"http://127.0.0.1:{port}/health", browser
        self._found = dict[str, float]()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def told(self) -> dict[str, float]:
        """Milliseconds from the death of the browser's main process to each state seen since."""
        self._thread.join(30)
        return {state: round(1000 * (seen - self.died), 1) for state, seen in self._found.items()}

    def _run(self) -> None:
        end = time.monotonic() + 20
        while "stopped" not in self._found and time.monotonic() < end:
            if self.died == float("inf") and birth_of(self._browser) is None:
                self.died = time.monotonic()
            with urllib.request.urlopen(self._url, timeout=5) as answer:
                state = json.load(answer)["state"]
            if state == "stopped" or self.died < float("inf"):
                self._found.setdefault(state, time.monotonic())


def dead(page: Page, lesson: Path, how: str) -> dict[str, float]:
    """Milliseconds from the death of the browser to a held and to a latched arm, as the arm's port tells.

    Args:
        page: of a lesson that waits to be let go on.
        lesson: its directory.
        how: "killed", all of its processes at once; or "crashed", the browser's own, while its children may send on
            until they notice.
    """
    in_hand(page)
    page.keyboard.down("PageUp")
    page.wait_for_timeout(500)
    run, browser = read_run_file(lesson, "arm"), page.context.browser
    assert run is not None and browser is not None
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    watch = Watch(run.port, next(int(p["id"]) for p in processes if p["type"] == "browser"))
    with contextlib.suppress(Error):  # the browser is gone, and so is its answer
        if how == "crashed":
            session.send("Browser.crash")
        for process in processes if how == "killed" else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process["id"]), signal.SIGKILL)
    found = watch.told()
    return {name: found.get(state, float("nan")) for name, state in (("held", "held"), ("latched", "stopped"))}


def deaths(play: Playwright, url: str, size: tuple[int, int], lesson: Path) -> dict[str, Any]:
    """Both, each with a browser of its own and an arm that was released by hand."""
    found = {}
    for how in ("killed", "crashed"):
        time.sleep(SILENCE + 1)  # then whoever drove before has left
        arm = RemoteArm(lesson)
        arm.connect()
        arm.release()
        arm.disconnect()
        found[f"{how}_ms"] = dead(opened(play, url, size), lesson, how)
    return found


def opened(play: Playwright, url: str, size: tuple[int, int]) -> Page:
    """The Rollout page in a browser of its own."""
    browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(url)
    page.get_by_role("button", name="Go on").click(timeout=60_000)
    page.wait_for_selector("[data-rollout][data-phase]", timeout=120_000)
    return page


def measure(seconds: float, count: int, size: tuple[int, int], home: str, arms: int) -> dict[str, Any]:
    """Everything, once; with two arms the pictures alone."""
    create_lesson(Path(home), "benchmark", kind="rollout", **ARMS[arms])
    port, quiet = free_port(), subprocess.DEVNULL
    command = [str(ROOT / "scripts/app"), "--port", str(port), "--home", home, "--headless"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_for_app(url)
        with sync_playwright() as play:
            page = opened(play, url, size)
            shown = pictures(page, seconds)
            shown["focus_per_second"] = in_focus(page, seconds)
            if arms > 1 or count == 0:
                return {**shown, "load": round(os.getloadavg()[0], 1)}
            taken = take_overs(page, count)
            if page.context.browser is not None:
                page.context.browser.close()
            gone = deaths(play, url, size, Path(home) / "benchmark")
    finally:
        os.killpg(app.pid, signal.SIGTERM)
        app.wait(60)
    return {**shown, "key_to_human_ms": taken, **gone, "load": round(os.getloadavg()[0], 1)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rollout_page",
        description=str(__doc__).splitlines()[0],
        epilog="With the defaults it takes three to six minutes; for a look, --seconds 4 --takeovers 5.",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="for which pictures are counted")
    parser.add_argument("--takeovers", type=int, default=20, help="0: the pictures alone")
    parser.add_argument(
        "--arms", type=int, choices=tuple(ARMS), default=1, help="2: hold-and-insert, its pictures alone"
    )
    parser.add_argument("--size", default="1280x800", help="of the browser's window, pixels")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    with tempfile.TemporaryDirectory() as home:
        print(json.dumps(measure(options.seconds, options.takeovers, (width, height), home, options.arms)))


if __name__ == "__main__":
    main()
