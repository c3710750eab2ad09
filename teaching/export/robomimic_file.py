"""Recordings → one HDF5 file in robomimic's layout: `data/demo_i/{obs,actions,…}`, masks, `env_args`.

robomimic trains on it as it is (`actions`, keys of `obs`, `mask/train`); its rollouts need an environment that it can
make, and it can make none of ours, so they are to be switched off (`experiment.rollout.enabled`: false).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from teaching.export import Report
from teaching.export.recording import Chosen, Recording
from teaching.types import Array

GYM = 2
"""robomimic's number for an environment of the gym kind."""
EVERY = 10
"""Each tenth demonstration is for validation, the others are for training."""
_MORE: Mapping[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def write(found: Chosen, path: Path, report: Report) -> dict[str, Any]:
    """A file with one demonstration per episode; how much is in it."""
    masks: dict[str, list[str]] = {"all": [], "train": [], "valid": []}
    rows = 0
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        for number, recording in enumerate(found):
            name = f"demo_{number}"
            _demo(data.create_group(name), recording)
            for mask in _masks(recording, number):
                masks.setdefault(mask, []).append(name)
            rows += len(recording)
            report("episodes", number + 1, len(found))
        data.attrs["total"] = rows
        data.attrs["env_args"] = json.dumps(_environment(found))
        for mask, names in masks.items():
            file[f"mask/{mask}"] = np.array(names, dtype="S")
    return {"episodes": len(masks["all"]), "frames": rows, "masks": {mask: len(names) for mask, names in masks.items()}}


def _environment(found: Chosen) -> dict[str, Any]:
    told = {key: found.lesson.get(key) for key in ("arm", "split", "kind", "protocol")}
    return {"env_name": f"askback/{found.lesson.get('task')}", "type": GYM, "env_kwargs": told}


def _masks(recording: Recording, number: int) -> tuple[str, ...]:
    """Which lists an episode is on: one of train and valid, and one for how it ended."""
    part = "valid" if number % EVERY == EVERY - 1 else "train"
    return "all", part, str(recording.facts.get("end", "unknown"))


def _demo(group: h5py.Group, recording: Recording) -> None:
    """`obs`, `next_obs`, `actions`, `rewards`, `dones`, and what robomimic does not ask for under `askback`."""
    group.attrs["num_samples"] = len(recording)
    group.attrs["askback"] = json.dumps({"id": recording.id, "rate": recording.rate, **recording.facts}, default=str)
    group.attrs["action_names"] = json.dumps(recording.action_names)
    seen = {"state": recording.state, **recording.sensed}
    seen |= {f"{name}_image": pictures for name, pictures in recording.pictures.items() if name != "height"}
    seen |= recording.exact
    for name, column in seen.items():
        _put(group, f"obs/{name}", column)
        _put(group, f"next_obs/{name}", np.concatenate([column[1:], column[-1:]]))
    _put(group, "actions", recording.action.astype(np.float64))
    _put(group, "rewards", recording.columns.get("reward", _reward(recording)).astype(np.float64))
    _put(group, "dones", recording.columns["next.done"].astype(np.int64))
    for name, column in recording.columns.items():
        if name not in ("reward", "next.done"):
            _put(group, f"askback/{name}", column)
    for name, words in {**recording.words, "goal": recording.goals}.items():
        _put(group, f"askback/{name}", np.array([word.encode() for word in words], dtype="S"))


def _reward(recording: Recording) -> Array:
    """1 in the last row of an episode that succeeded, as robomimic's own data have it."""
    earned = np.zeros(len(recording))
    earned[-1] = float(recording.facts.get("success") is True)
    return earned


def _put(group: h5py.Group, name: str, column: Array) -> None:
    big = column.dtype.kind != "S" and column[0].nbytes >= 4096
    group.create_dataset(name, data=column, **({"chunks": (1, *column.shape[1:]), **_MORE} if big else {}))
