"""Digits, their novice, and the gate on them; small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from teaching.experiments import sag_digits
from teaching.experiments.digit_lesson import DigitConfig, Promise, lesson
from teaching.experiments.digits import HELD_OUT, Changes, Novice, NoviceConfig, changed, digits, held_out, stream
from teaching.experiments.experiment import Given
from teaching.metrics import count
from teaching.types import BadInput

STILL = Changes(0.0, 0.0, 0.0, 0.0)


def test_changed_by_nothing_a_digit_is_itself() -> None:
    images, _ = digits()
    np.testing.assert_allclose(changed(images[:20], STILL, np.random.default_rng(0)), images[:20], atol=1e-5)


def test_a_shift_moves_the_picture() -> None:
    spot = np.zeros((1, 8, 8), dtype=np.float32)
    spot[0, 4, 4] = 1
    rng = np.random.default_rng(3)
    moved = changed(np.repeat(spot, 400, axis=0), replace(STILL, shift=0.5), rng)
    assert 0.3 < moved[:, 4, 4].mean() < 0.45 and moved[:, 4, 5].mean() == pytest.approx(
        moved[:, 4, 3].mean(), abs=0.04
    )


def test_a_stream_shows_every_digit_once_a_pass_and_none_held_out() -> None:
    images, _ = digits()
    n = len(images) - HELD_OUT
    shown = np.concatenate([x for x, _ in stream(-(-n // 100), 100, STILL, np.random.default_rng(0))])
    seen = {row.tobytes() for row in np.round(shown[:n] * 16).astype(np.int8)}
    ours = {row.tobytes() for row in np.round(images.reshape(len(images), -1)[HELD_OUT:] * 16).astype(np.int8)}
    assert len(shown) >= n and seen == ours


def test_a_novice_learns_and_is_less_unsure_of_what_it_gets_right() -> None:
    rng = np.random.default_rng(0)
    novice, (pictures, classes) = Novice(NoviceConfig(), rng), held_out(Changes())
    assert novice.accuracy(pictures, classes) < 0.35
    for x, y in stream(300, 128, Changes(), rng):
        novice.learn(x, y)
    mean = novice.predict(pictures).mean(axis=0)
    right, unsure = mean.argmax(axis=1) == classes, 1 - mean.max(axis=1)
    assert novice.accuracy(pictures, classes) > 0.8 and unsure[right].mean() < unsure[~right].mean()
    np.testing.assert_allclose(mean.sum(axis=1), 1, atol=1e-4)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    config = replace(NoviceConfig(), dropped=0.0, momentum=0.0, decay=0.0, hidden=5, rate=1.0)
    rng = np.random.default_rng(2)
    x, y = rng.random((6, 64), dtype=np.float32), rng.integers(10, size=6)
    novice = Novice(config, np.random.default_rng(0))
    before = [w.astype(np.float64).copy() for w in novice._weights]
    novice.learn(x, y)
    step = before[1][2, 3] - float(novice._weights[1][2, 3])

    def loss(weight: float) -> float:
        other = Novice(config, np.random.default_rng(0))
        other._weights[1] = other._weights[1].astype(np.float64)
        other._weights[1][2, 3] = weight
        return float(-np.log(other.predict(x).mean(axis=0)[np.arange(6), y]).mean())

    slope = (loss(before[1][2, 3] + 1e-3) - loss(before[1][2, 3] - 1e-3)) / 2e-3
    assert step == pytest.approx(slope, rel=0.02, abs=1e-5)


def test_the_same_seed_gives_the_same_run_and_the_promise_binds() -> None:
    config = replace(DigitConfig(), steps=110, bootstrap=50)
    first = lesson(Promise("specificity", 0.6), 1, config)
    again = lesson(Promise("specificity", 0.6), 1, config)
    assert np.array_equal(first.asked, again.asked) and np.array_equal(first.outcome, again.outcome)
    after = first.after(50)
    assert len(after.asked) == 60 * 128 and count(after.asked, after.outcome).specificity.value == pytest.approx(
        0.6, abs=0.06
    )


def test_looking_back_less_far_changes_nothing() -> None:
    far = replace(DigitConfig(), steps=60, bootstrap=30)
    near = replace(far, looks_back=40 * 128)
    one, other = (lesson(Promise("sensitivity", 0.7), 2, config) for config in (far, near))
    assert np.array_equal(one.asked, other.asked)


def test_from_command_to_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sag_digits, "TARGETS", (0.1, 0.5))
    monkeypatch.setattr(sag_digits, "FEWER", (0.5,))
    found = sag_digits.run(Given(tmp_path, (0, 1), options={"steps": "16"}))
    assert len(found.rows) == 2 * 3 * 2 + 2 * 3 and "not feasible" in found.markdown
    assert set(found.plots) == {"kept", "course"} and found.figures["feasible"] >= 3
    json.dumps(found.rows)
    less = sag_digits.run(Given(tmp_path, (0, 1), options={"steps": "16", "ablations": "no"}))
    assert {row["variant"] for row in less.rows} == {"whole"} and "left out" not in less.markdown
    with pytest.raises(BadInput, match="only steps"):
        sag_digits.run(Given(tmp_path, options={"stpes": "3"}))
