"""robomimic's layout, read with h5py alone, as its own SequenceDataset reads it."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

from teaching.export import export_lesson
from teaching.replay import ReplayBuffer
from tests.teaching.export import moving_lesson
from tests.teaching.replay_maker import LESSON, Maker


def test_a_lesson_in_motion(tmp_path: Path) -> None:
    lesson = moving_lesson.make(tmp_path / "lesson")
    figures = export_lesson("robomimic", lesson, tmp_path / "out.hdf5")
    assert figures["masks"] == {"all": 2, "train": 2, "valid": 0, "demonstrated": 1, "intervened": 1}
    with h5py.File(tmp_path / "out.hdf5") as file, ReplayBuffer(lesson, readonly=True) as buffer:
        data = file["data"]
        assert sorted(data) == ["demo_0", "demo_1"] and data.attrs["total"] == 28
        assert json.loads(data.attrs["env_args"])["env_name"] == "askback/peg-and-button"
        assert file["mask/intervened"][:].tolist() == [b"demo_1"]
        for number, demo in enumerate(data.values()):
            frames = buffer.frames(f"{number:06d}")
            rows = int(frames["live"].sum())
            assert demo.attrs["num_samples"] == rows and demo["actions"].shape == (rows, 8)
            np.testing.assert_allclose(demo["actions"], frames["executed"][frames["live"]], atol=1e-6)
            np.testing.assert_allclose(demo["obs/peg"], frames["observation.peg"][frames["live"]], atol=1e-6)
            np.testing.assert_array_equal(demo["next_obs/peg"][:-1], demo["obs/peg"][1:])
            assert demo["dones"][:].tolist() == [0] * (rows - 1) + [1] and demo["rewards"][-1] == 1.0
            assert {len(demo[f"obs/{k}"]) for k in demo["obs"]} == {rows}
        assert set(data["demo_1/askback/segment"][:]) == {b"policy", b"recovery", b"correction"}


def test_plans_keep_their_exact_heights(tmp_path: Path) -> None:
    maker = Maker(shape=(16, 32))
    with ReplayBuffer.create(tmp_path / "lesson", LESSON) as buffer:
        maker.taught(buffer, "000000", ("valid", "relabel"))
        export_lesson("robomimic", tmp_path / "lesson", tmp_path / "out.hdf5")
        steps = buffer.read("000000").steps
    with h5py.File(tmp_path / "out.hdf5") as file:
        demo = file["data/demo_0"]
        np.testing.assert_array_equal(demo["obs/height"], [s.observation["height"] for s in steps])
        np.testing.assert_array_equal(demo["obs/top_image"], [s.observation["colour"] for s in steps])
        assert demo["askback/relabel"][1].decode() == "put the blue blocks in a red bowl"
        assert demo["rewards"][:].tolist() == [0.5, 0.5]
