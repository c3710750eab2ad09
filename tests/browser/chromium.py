"""Headless Chromium, Streamlit as a child process, and what both need in every browser test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def streamlit(script: Path, environment: Mapping[str, str], port: int | None = None) -> Iterator[str]:
    """`streamlit run` of a script from the project's root; gives its address, ends it by SIGTERM."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for(f"{address}_stcore/health", process)
        yield address
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
        print(said[-4000:])


def wait_for(url: str, process: subprocess.Popen[str], seconds: float = 60.0) -> None:
    """Until the address answers; fails at once if its process ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, f"the process ended: {process.communicate()[0]}"
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer within {seconds} s")
