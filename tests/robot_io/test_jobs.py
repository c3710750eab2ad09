"""Whoever hands in work learns how it went, whatever happens."""

from __future__ import annotations

import threading
import time

import pytest

from robot_io.arm import NotConnected
from robot_io.jobs import Jobs


def test_results_and_errors_go_to_who_waits():
    jobs = Jobs()
    good, bad = jobs.put(lambda: 7), jobs.put(lambda: 1 / 0)
    assert jobs.do_one(0)
    assert jobs.do_one(0)
    assert not jobs.do_one(0)
    assert good.result(0) == 7
    with pytest.raises(ZeroDivisionError):
        bad.result(0)


def test_waiting_ends_in_time_and_when_work_comes():
    jobs = Jobs()
    start = time.monotonic()
    assert not jobs.do_one(0.05)
    assert time.monotonic() - start > 0.04
    threading.Timer(0.05, jobs.put, (lambda: None,)).start()
    assert jobs.do_one(5)
    assert time.monotonic() - start < 2


def test_cancelled_work_is_not_done():
    jobs = Jobs()
    done = []
    jobs.put(lambda: done.append(1)).cancel()
    assert jobs.do_one(0)
    assert not done


def test_closed_it_refuses_what_waits_and_what_comes():
    jobs = Jobs()
    before = jobs.put(lambda: None)
    jobs.close()
    for future in (before, jobs.put(lambda: None)):
        with pytest.raises(NotConnected, match="ending"):
            future.result(0)


def test_work_from_many_threads_is_all_done_or_refused():
    jobs = Jobs()
    futures: list = []
    threads = [threading.Thread(target=lambda: futures.extend(jobs.put(lambda: 1) for _ in range(200))) for _ in "abcd"]
    for thread in threads:
        thread.start()
    for _ in range(300):
        jobs.do_one(0.01)
    jobs.close()
    for thread in threads:
        thread.join()
    assert len(futures) == 800
    assert all(future.done() for future in futures)
