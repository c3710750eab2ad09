"""One episode as one HDF5 file that never changes. Field by field: `datasets/README.md`.

The first 512 bytes (HDF5's user block) are a line of text with the schema and the SHA-256 of all that follows, so a
file can be told whole or not before any HDF5 code reads it. Arrays are gzip with shuffle, one step per chunk; what is
not a large array is one JSON text, `record`. The image is built in memory and written by `disk.Disk`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from robot_io.arm import Observation
from teaching.replay import nouns
from teaching.replay.episode import Episode, Step, Summary
from teaching.replay.frames import Rollout, frames_of, write_frames
from teaching.replay.pictures import pictures_of
from teaching.types import Array, AskbackError, BadInput, Decision

SCHEMA = 1
"""Version of the file's layout."""
BLOCK = 512
_CHUNK_BYTES = 4096
"""Arrays of at least this many bytes per step are chunked and compressed."""


class EpisodeFileError(AskbackError):
    """A file that is not a whole episode of this schema."""


def pack_episode(episode: Episode, *, compress: bool = True, record: Mapping[str, Any] | None = None) -> bytes:
    """The file's bytes; `record` spares making `record_of(episode)` once more."""
    with h5py.File(f"{episode.id}.h5", "w", driver="core", backing_store=False) as file:
        file.attrs["format"] = "askback-episode"
        file.attrs["schema"] = SCHEMA
        file.create_dataset("record", data=np.frombuffer(nouns.to_bytes(record or record_of(episode)), np.uint8))
        file.create_dataset("reward", data=np.array([s.reward for s in episode.steps], np.float64))
        _write_columns(file, "observations", [s.observation.arrays for s in episode.steps], compress)
        _write_columns(file, "maps", [_maps(s.decision) for s in episode.steps], compress)
        _write_columns(file, "actions", [_executed(s) for s in episode.steps], compress)
        if episode.rollout is not None:
            write_frames(file, episode.rollout)
        file.flush()
        image: bytes = file.id.get_file_image()
    return _block(image) + image


def _block(image: bytes) -> bytes:
    line = f"askback-episode schema={SCHEMA} bytes={len(image)} sha256={hashlib.sha256(image).hexdigest()}\n"
    return line.encode().ljust(BLOCK, b"\0")


def _maps(decision: Decision | None) -> dict[str, Array]:
    """Maps as bytes, 255 for a probability of 1: they are looked at, never computed with."""
    maps = {} if decision is None else decision.plan.maps
    return {n: np.round(np.clip(m, 0.0, 1.0) * 255.0).astype(np.uint8) for n, m in maps.items()}


def _executed(step: Step) -> dict[str, Array]:
    return {} if step.executed is None else {"executed": step.executed}


def _write_columns(file: h5py.File, group: str, steps: list[Mapping[str, Array]], compress: bool) -> None:
    """Per name one dataset (M, …), with the indices of the M steps that have it as its attribute `steps`."""
    names = sorted({name for step in steps for name in step})
    parent = file.create_group(group)
    for name in names:
        having = [i for i, step in enumerate(steps) if name in step]
        arrays = [np.asarray(steps[i][name]) for i in having]
        _check_column(f"{group}/{name}", arrays)
        column = np.stack(arrays)
        big = compress and column[0].nbytes >= _CHUNK_BYTES
        how: dict[str, Any] = (
            {"chunks": (1, *column.shape[1:]), "compression": "gzip", "compression_opts": 1, "shuffle": True}
            if big
            else {}
        )
        parent.create_dataset(name, data=column, **how).attrs["steps"] = np.array(having, np.int32)


def _check_column(name: str, arrays: list[Array]) -> None:
    kinds = {(a.shape, a.dtype.str) for a in arrays}
    if len(kinds) != 1:
        raise BadInput(f"expected {name} of one shape and type through an episode, got {sorted(map(str, kinds))}")
    if arrays[0].dtype.kind not in "biuf":
        raise BadInput(f"expected {name} to be a bool, integer or float array, got {arrays[0].dtype}")


def record_of(episode: Episode) -> dict[str, Any]:
    """All of an episode that is not a large array, as plain values."""
    return {
        **{n: getattr(episode, n) for n in _PLAIN},
        "steps": [
            {
                "key": key,
                "time": step.observation.time,
                "decision": None if step.decision is None else nouns.decision_json(step.decision),
                "truth": step.truth,
                "extra": step.extra,
            }
            for key, step in zip(episode.keys(), episode.steps, strict=True)
        ],
        "answers": [nouns.answer_json(a) for a in episode.answers],
        "demonstrations": [nouns.demonstration_json(d) for d in episode.demonstrations],
        **({"rollout": dict(episode.rollout.facts)} if episode.rollout is not None else {}),
    }


_PLAIN = ("id", "task", "goal", "seed", "split", "teacher", "end", "reason", "started", "ended")


def check_whole(data: bytes, name: str) -> str:
    """The SHA-256 of a whole file's bytes; EpisodeFileError says what is wrong with the others."""
    fields = dict(
        f.split("=", 1) for f in data[:BLOCK].split(b"\n")[0].decode("ascii", "replace").split()[1:] if "=" in f
    )
    if not data.startswith(b"askback-episode "):
        raise EpisodeFileError(f"expected an Askback episode in {name}, got another file ({len(data)} bytes)")
    if fields.get("schema") != str(SCHEMA):
        raise EpisodeFileError(
            f"expected schema {SCHEMA} in {name}, got {fields.get('schema')!r}; open it with the version that wrote it"
        )
    if fields.get("bytes") != str(len(data) - BLOCK):
        raise EpisodeFileError(
            f"expected {fields.get('bytes')} bytes after the first {BLOCK} of {name}, got {len(data) - BLOCK}"
        )
    if hashlib.sha256(memoryview(data)[BLOCK:]).hexdigest() != fields.get("sha256"):
        raise EpisodeFileError(f"expected the contents of {name} to match its SHA-256; the file is damaged")
    return hashlib.sha256(data).hexdigest()


def open_episode(path: Path, *, known: bool = False) -> h5py.File:
    """The file, for reading. Committed files never change, so no lock is needed.

    Args:
        path: an episode file.
        known: its bytes were compared with its commit, so it need not be asked what it is.
    """
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise EpisodeFileError(f"expected an episode file at {path.name}, got: {error}") from error
    if not known and (file.attrs.get("format") != "askback-episode" or file.attrs.get("schema") != SCHEMA):
        file.close()
        raise EpisodeFileError(f"expected an Askback episode of schema {SCHEMA} in {path.name}, got another file")
    return file


def read_record(path: Path) -> dict[str, Any]:
    """What a summary is made of: a committed episode's record without truths and extras."""
    plain = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    plain.set_file_locking(False, True)
    try:  # h5py's lower floor: a thousand of these are read at a start without an index
        file = h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDONLY, plain)
    except OSError as error:
        raise EpisodeFileError(f"expected an episode file at {path.name}, got: {error}") from error
    try:
        record, reward = _column(file, b"record", np.uint8), _column(file, b"reward", np.float64)
    finally:
        file.close()
    return light(nouns.from_bytes(record.tobytes()), float(reward.sum()))


def _column(file: Any, name: bytes, dtype: Any) -> Array:
    """All numbers of a column of one axis."""
    dataset = h5py.h5d.open(file, name)
    found = np.empty(dataset.shape, dtype)
    dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, found)
    return found


def light(record: Mapping[str, Any], reward: float) -> dict[str, Any]:
    """A record without truths and extras, with the sum of its rewards: what the index keeps."""
    steps = [{"key": s["key"], "decision": s["decision"]} for s in record["steps"]]
    return {**record, "steps": steps, "reward": reward}


def summarise(episode: Episode) -> Summary:
    """The summary of an episode in memory: what `summary_of` makes of its file."""
    plain = {n: getattr(episode, n) for n in _PLAIN}
    decisions = tuple(replace(d, plan=replace(d.plan, maps={})) if d.plan.maps else d for d in episode.decisions)
    reward = float(sum(s.reward for s in episode.steps))
    return Summary(
        **plain, reward=reward, keys=episode.keys(), decisions=decisions, answers=episode.answers,
        demonstrations=episode.demonstrations, rollout=episode.rollout.facts if episode.rollout is not None else None,
    )  # fmt: skip


def summary_of(record: Mapping[str, Any]) -> Summary:
    """What a record tells."""
    steps = record["steps"]
    return Summary(
        **{n: record[n] for n in _PLAIN},
        reward=float(record["reward"]),
        keys=tuple(s["key"] for s in steps),
        decisions=tuple(nouns.decision_of(s["decision"]) for s in steps if s["decision"] is not None),
        answers=tuple(nouns.answer_of(a) for a in record["answers"]),
        demonstrations=tuple(nouns.demonstration_of(d) for d in record["demonstrations"]),
        rollout=record.get("rollout"),
    )


def read_episode(path: Path) -> Episode:
    """The whole episode; maps come back as float32 in [0, 1]."""
    with open_episode(path) as file:
        record = nouns.from_bytes(file["record"][()].tobytes())
        steps = tuple(_read_steps(file, record, range(len(record["steps"]))))
        rollout = Rollout(frames_of(file), record["rollout"], pictures_of(file)) if "rollout" in record else None
    summary = summary_of({**record, "reward": 0.0})
    plain = {n: getattr(summary, n) for n in _PLAIN}
    return Episode(
        **plain, steps=steps, answers=summary.answers, demonstrations=summary.demonstrations, rollout=rollout
    )


def read_step(path: Path, index: int) -> Step:
    """One step of an episode; nothing else of it is unpacked."""
    with open_episode(path) as file:
        record = nouns.from_bytes(file["record"][()].tobytes())
        return next(_read_steps(file, record, [index]))


def _read_steps(file: h5py.File, record: Mapping[str, Any], indices: Sequence[int]) -> Iterator[Step]:
    reward = file["reward"][()]
    observations, maps, actions = (_read_columns(file[n], indices) for n in ("observations", "maps", "actions"))
    for index in indices:
        step = record["steps"][index]
        yield Step(
            observation=Observation(float(step["time"]), observations[index]),
            decision=None if step["decision"] is None else _with_maps(nouns.decision_of(step["decision"]), maps[index]),
            executed=actions[index].get("executed"),
            reward=float(reward[index]),
            truth=step["truth"],
            extra=step["extra"],
        )


def _read_columns(group: h5py.Group, indices: Sequence[int]) -> dict[int, dict[str, Array]]:
    rows: dict[int, dict[str, Array]] = {i: {} for i in indices}
    for name, dataset in group.items():
        for row, index in enumerate(dataset.attrs["steps"].tolist()):
            if index in rows:
                rows[index][name] = dataset[row]
                rows[index][name].setflags(write=False)
    return rows


def _with_maps(decision: Decision, maps: Mapping[str, Array]) -> Decision:
    if not maps:
        return decision
    scaled = {n: m.astype(np.float32) / np.float32(255.0) for n, m in maps.items()}
    return replace(decision, plan=replace(decision.plan, maps=scaled))


def read_pictures(path: Path, indices: Iterable[int]) -> list[tuple[Array, Array]]:
    """`colour` (H, W, 3) uint8 and `height` (H, W) float32 of some steps of an episode."""
    with open_episode(path) as file:
        columns = [file["observations"][name] for name in ("colour", "height")]
        rows = [{int(s): row for row, s in enumerate(c.attrs["steps"])} for c in columns]
        return [(columns[0][rows[0][i]], columns[1][rows[1][i]]) for i in indices]
