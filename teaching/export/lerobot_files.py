"""Recordings → LeRobotDataset v3.0, by LeRobot's own writer. LeRobot is imported here only, and only when it is needed.

Pictures are PNG inside the parquet files (`image`, not `video`): exact, quick to read at random, and readable without
a video decoder. What LeRobot has no place for lies in `meta/askback.json`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from teaching.export import Report
from teaching.export.recording import Chosen, Recording
from teaching.types import Array, BadInput

HINT = "pip install 'lerobot>=0.4.4,<0.5' (Python 3.11)"
SIDE = "meta/askback.json"
"""What is told of each episode, and of the lesson."""


def write(found: Chosen, root: Path, report: Report) -> dict[str, Any]:
    """A dataset in a new directory, read back once to see that it is whole; how much is in it.

    Raises:
        BadInput: LeRobot is not installed, or takes none of it and says why.
    """
    library = _library()
    frames, facts = 0, {}
    with _quiet():
        dataset = None
        for number, recording in enumerate(found):
            dataset = dataset or _create(library, recording, found, root)
            for row in range(len(recording)):
                dataset.add_frame(frame(recording, row))
            dataset.save_episode()
            frames += len(recording)
            facts[str(number)] = {"id": recording.id, **recording.facts}
            report("episodes", number + 1, len(found))
        assert dataset is not None
        dataset.finalize()
        text = json.dumps({"schema": 1, "lesson": dict(found.lesson), "episodes": facts}, default=_plain)
        (root / SIDE).write_text(text)
        _check(library, root, len(facts), frames)
    return {"episodes": len(facts), "frames": frames}


def _library() -> Any:
    try:
        from lerobot.datasets import lerobot_dataset
    except ImportError as error:
        raise BadInput(f"expected LeRobot for this form, got: {error}; run: {HINT}") from error
    return lerobot_dataset


def _create(library: Any, first: Recording, found: Chosen, root: Path) -> Any:
    arm = str(found.lesson.get("arm", "unknown")).split(":")[0]
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in str(found.lesson.get("name", "lesson")))
    return library.LeRobotDataset.create(
        f"askback/{name}", first.rate, features(first), root=root, robot_type=arm, use_videos=False,
        image_writer_threads=0, video_backend="pyav",
    )  # fmt: skip


def features(recording: Recording) -> dict[str, dict[str, Any]]:
    """LeRobot's description of the columns of a recording."""
    state = [f"joint_{i}" for i in range(recording.state.shape[1] - 1)] + ["gripper"]
    found = {
        "observation.state": _numbers(recording.state, state),
        "action": _numbers(recording.action, recording.action_names),
    }
    if recording.sensed:
        names = [f"{n}.{i}" for n, column in recording.sensed.items() for i in range(column.shape[1])]
        found["observation.environment_state"] = {"dtype": "float32", "shape": (len(names),), "names": names}
    for name, pictures in recording.pictures.items():
        found[f"observation.images.{name}"] = {
            "dtype": "image", "shape": pictures.shape[1:], "names": ["height", "width", "channels"],
        }  # fmt: skip
    found |= {name: _numbers(column) for name, column in recording.columns.items()}
    return found | {name: {"dtype": "string", "shape": (1,), "names": None} for name in recording.words}


def _numbers(column: Array, names: Any = None) -> dict[str, Any]:
    shape = column.shape[1:] or (1,)
    return {"dtype": str(column.dtype), "shape": shape, "names": None if names is None else list(names)}


def frame(recording: Recording, row: int) -> dict[str, Any]:
    """One row as `add_frame` takes it: exact types, and a scalar as an array of one."""
    made: dict[str, Any] = {"observation.state": recording.state[row], "action": recording.action[row]}
    if recording.sensed:
        made["observation.environment_state"] = np.concatenate([c[row] for c in recording.sensed.values()])
    made |= {f"observation.images.{n}": pictures[row] for n, pictures in recording.pictures.items()}
    made |= {n: column[row : row + 1] if column.ndim == 1 else column[row] for n, column in recording.columns.items()}
    return made | {n: words[row] for n, words in recording.words.items()} | {"task": recording.goals[row]}


def _check(library: Any, root: Path, episodes: int, frames: int) -> None:
    """Read it as others will: a dataset that was not finished has files without an end."""
    back = library.LeRobotDataset(f"askback/{root.name}", root=root, video_backend="pyav")
    if (back.num_episodes, back.num_frames, len(back.hf_dataset)) != (episodes, frames, frames):
        raise BadInput(f"expected {episodes} episodes of {frames} frames in the dataset, it has {back.num_frames}")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else str(value)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars that LeRobot's own library draws for each episode, and its statistics' complaints."""
    from datasets.utils.logging import disable_progress_bar, enable_progress_bar

    before = logging.getLogger().level
    disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        enable_progress_bar()
        logging.getLogger().setLevel(before)
