"""How near arms come to each other, against brute force; and steps shortened so that they keep apart."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.clearance import between, between_segments, kept_apart


def brute(a: np.ndarray, b: np.ndarray) -> float:
    share = np.linspace(0, 1, 101)[:, None]
    p, q = a[0] + share * (a[1] - a[0]), b[0] + share * (b[1] - b[0])
    return float(np.linalg.norm(p[:, None] - q[None], axis=-1).min())


def test_distances_between_segments_are_those_of_brute_force():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(8, 2, 3)), rng.normal(size=(8, 2, 3))
    found = between_segments(a, b)
    wanted = np.array([[brute(p, q) for q in b] for p in a])
    assert np.all(found <= wanted + 1e-9)
    np.testing.assert_allclose(found, wanted, atol=0.04)


def test_parallel_and_pointlike_segments():
    a = np.array([[[0.0, 0, 0], [1.0, 0, 0]], [[0.5, 0, 0], [0.5, 0, 0]]])
    b = np.array([[[0.2, 0.3, 0], [0.8, 0.3, 0]], [[2.0, 0, 0], [3.0, 0, 0]]])
    np.testing.assert_allclose(between_segments(a, b), [[0.3, 1.0], [0.3, 1.5]], atol=1e-9)


def test_room_is_what_the_thickness_leaves():
    a = np.array([[[0.0, 0, 0], [0.0, 0, 1.0]]])
    assert between(a, a + np.array([0.5, 0, 0]), np.array([0.1])) == pytest.approx(0.3)


def room(joints: np.ndarray) -> float:
    return float(joints[1] - joints[0])


def test_a_step_is_shortened_to_what_keeps_the_arms_apart():
    last = np.array([0.0, 1.0])
    far = np.array([0.5, 1.0])
    assert kept_apart(far, last, room, 0.2) is far
    near = kept_apart(np.array([1.0, 1.0]), last, room, 0.2)
    assert 0.2 <= room(near) < 0.201
    np.testing.assert_array_equal(kept_apart(near, last, room, 0.2), near)


def test_arms_that_are_too_near_may_only_part():
    last = np.array([0.95, 1.0])
    np.testing.assert_array_equal(kept_apart(np.array([1.0, 1.0]), last, room, 0.2), last)
    parted = np.array([0.9, 1.0])
    np.testing.assert_array_equal(kept_apart(parted, last, room, 0.2), parted)
