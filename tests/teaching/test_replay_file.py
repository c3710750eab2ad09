"""Episode files: what goes in comes out, damage is seen, foreign files are refused."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from robot_io.arm import Observation
from teaching.replay import ReplayBuffer
from teaching.replay.episode import Episode, Step
from teaching.replay.file import (
    BLOCK,
    SCHEMA,
    EpisodeFileError,
    check_whole,
    pack_episode,
    read_episode,
    read_pictures,
    read_record,
    read_step,
    summary_of,
)
from teaching.replay.vet import vet
from teaching.types import BadInput, Decision, Demonstration, Kind, Outcome
from tests.teaching.replay_maker import GOAL, Maker


def same_decision(a: Decision | None, b: Decision | None) -> bool:
    if a is None or b is None:
        return a is b
    light = replace(a, plan=b.plan) == b
    pa, pb = a.plan, b.plan
    arrays = all(np.array_equal(getattr(pa, n), getattr(pb, n)) for n in ("actions", "per_step", "entropy"))
    ghosts = all(
        np.array_equal(x.actions, y.actions) and x.weight == y.weight
        for x, y in zip(pa.alternatives, pb.alternatives, strict=True)
    )
    plain = (pa.goal, pa.uncertainty, pa.policy_version) == (pb.goal, pb.uncertainty, pb.policy_version)
    return light and arrays and ghosts and plain


@pytest.fixture
def episode() -> Episode:
    maker = Maker(1, (40, 60))
    asked, alone = maker.decision("e1", 0, maps=True), maker.decision("e1", 1, asked=False)
    offline = Demonstration(
        "e1-2-offline", "e1-2", Kind.OFFLINE, GOAL, np.ones((2, 4)), float("nan"), Outcome.UNKNOWN, 0
    )
    picture = maker.rng.integers(0, 255, (30, 20, 3)).astype(np.uint8)
    first = maker.observation(0.25)
    steps = (
        Step(
            Observation(0.25, {**first.arrays, "picture": picture}),
            asked,
            np.ones((2, 4)),
            0.5,
            {"objects": [1]},
            {"n": 1},
        ),
        Step(maker.observation(1.5), alone, None, 0.0),
        Step(maker.observation(2.5), None, np.zeros((3, 4)), 1.0),
    )
    return Episode(
        "e1", "put-block-in-bowl", GOAL, 4, "unseen", steps, "Zoë", "truncated", "out of steps",
        (maker.answer(asked, "both", late=True, blind=True, chosen=1),), (offline,), 10.0, 20.5,
    )  # fmt: skip


@pytest.fixture
def path(episode: Episode, tmp_path: Path) -> Path:
    file = tmp_path / "e1.h5"
    steps = (episode.steps[0], episode.steps[1], replace(episode.steps[2], executed=np.zeros((2, 4))))
    file.write_bytes(pack_episode(replace(episode, steps=steps)))
    return file


def test_everything_comes_back(episode: Episode, path: Path) -> None:
    back = read_episode(path)
    for name in ("id", "task", "goal", "seed", "split", "teacher", "end", "reason", "started", "ended"):
        assert getattr(back, name) == getattr(episode, name), name
    for one, other in zip(back.steps, episode.steps, strict=True):
        assert one.observation.time == other.observation.time
        assert set(one.observation.arrays) == set(other.observation.arrays)
        for key, array in other.observation.arrays.items():
            assert one.observation[key].dtype == array.dtype and np.array_equal(one.observation[key], array)
        assert same_decision(one.decision, other.decision)
        assert (one.reward, one.truth, dict(one.extra)) == (other.reward, other.truth, dict(other.extra))
    assert back.steps[1].executed is None and np.array_equal(back.steps[0].executed, np.ones((2, 4)))
    maps = episode.steps[0].decision.plan.maps  # type: ignore[union-attr]
    for key, chart in back.steps[0].decision.plan.maps.items():  # type: ignore[union-attr]
        assert chart.dtype == np.float32 and np.abs(chart - maps[key]).max() <= 0.5 / 255 + 1e-6
    answer, was = back.answers[0], episode.answers[0]
    assert np.array_equal(answer.feedback.demonstration.actions, was.feedback.demonstration.actions)  # type: ignore[union-attr]
    assert (answer.late, answer.blind, answer.chosen, answer.seconds) == (True, True, 1, was.seconds)
    assert np.isnan(back.demonstrations[0].uncertainty) and back.demonstrations[0].kind is Kind.OFFLINE


def test_arrays_that_change_shape_are_refused(episode: Episode) -> None:
    with pytest.raises(BadInput, match="one shape and type"):
        pack_episode(episode)  # executed (2, 4) and (3, 4)


def test_parts_can_be_read_alone(episode: Episode, path: Path) -> None:
    step = read_step(path, 1)
    assert step.decision is not None and step.decision.id == "e1-1" and step.decision.threshold == float("inf")
    ((colour, height),) = read_pictures(path, [2])
    assert np.array_equal(colour, episode.steps[2].observation["colour"])
    assert height.dtype == np.float32
    summary = summary_of(read_record(path))
    assert summary.reward == 1.5 and summary.keys == ("e1-0", "e1-1", "e1-2")


def test_any_hdf5_tool_reads_it(path: Path) -> None:
    with h5py.File(path, "r") as file:
        colour = file["observations/colour"]
        assert file.attrs["schema"] == SCHEMA and file.userblock_size == BLOCK
        assert (colour.compression, colour.shuffle, colour.chunks) == ("gzip", True, (1, 40, 60, 3))
        assert file["observations/picture"].attrs["steps"].tolist() == [0]


def test_its_first_line_tells_what_it_is(path: Path) -> None:
    line = path.read_bytes()[:BLOCK].split(b"\n")[0].decode()
    assert line.startswith("askback-episode schema=1 bytes=") and len(line.split("sha256=")[1]) == 64


@pytest.mark.parametrize("at", [0, 30, 600, 5000, -1])
def test_damage_is_seen(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    with pytest.raises(EpisodeFileError):
        check_whole(bytes(data), "e1.h5")


@pytest.mark.parametrize("length", [0, 10, 511, 512, 4000])
def test_a_torn_file_is_seen(path: Path, length: int) -> None:
    with pytest.raises(EpisodeFileError):
        check_whole(path.read_bytes()[:length], "e1.h5")


def test_another_schema_is_refused_by_name(path: Path) -> None:
    data = path.read_bytes().replace(b"schema=1", b"schema=9", 1)
    with pytest.raises(EpisodeFileError, match=r"expected schema 1 in e1\.h5, got '9'; open it with the version"):
        check_whole(data, "e1.h5")


# -- files from outside ------------------------------------------------------------------------------------------------


def test_an_episode_passes(path: Path) -> None:
    vet(path)


def change(path: Path, how: Callable[[h5py.File], None]) -> Path:
    """An episode that somebody changed with an HDF5 tool."""
    path.write_bytes(path.read_bytes()[BLOCK:])
    with h5py.File(path, "a") as file:
        how(file)
    return path


def external_link(file: h5py.File) -> None:
    del file["observations/colour"]
    file["observations/colour"] = h5py.ExternalLink("/etc/hostname", "/x")


def soft_link(file: h5py.File) -> None:
    del file["reward"]
    file["reward"] = h5py.SoftLink("/record")


def external_storage(file: h5py.File) -> None:
    del file["observations/colour"]
    file["observations"].create_dataset("colour", (3, 2), np.uint8, external=[("/etc/passwd", 0, 6)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 2), np.uint8)
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 2))
    del file["observations/height"]
    file["observations"].create_virtual_dataset("height", layout)


def huge(file: h5py.File) -> None:
    file["observations"].create_dataset("big", (3, 2**40), np.float64, chunks=(1, 1024))


def objects(file: h5py.File) -> None:
    file["observations"].create_dataset("text", data=["a", "b", "c"], dtype=h5py.string_dtype())


def references(file: h5py.File) -> None:
    file["observations"].create_dataset("link", data=[file["reward"].ref], dtype=h5py.ref_dtype)


def other_filter(file: h5py.File) -> None:
    del file["observations/colour"]
    file["observations"].create_dataset("colour", data=np.zeros((3, 4), np.uint8), compression="lzf")


def other_schema(file: h5py.File) -> None:
    file.attrs["schema"] = 7


def other_kind(file: h5py.File) -> None:
    file.attrs["format"] = "robomimic"


def other_name(file: h5py.File) -> None:
    file["payload"] = np.zeros(3)


def deep(file: h5py.File) -> None:
    file.create_group("observations/more/and/more")


def attribute(file: h5py.File) -> None:
    file["observations/colour"].attrs["note"] = "hello"


def missing(file: h5py.File) -> None:
    del file["record"]


def broken_record(file: h5py.File) -> None:
    del file["record"]
    file["record"] = np.frombuffer(b'{"id": "e1"', np.uint8)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (external_link, "no links"),
        (soft_link, "no links"),
        (external_storage, "reads another file"),
        (virtual, "virtual"),
        (huge, "at most 512 MB"),
        (objects, "expected numbers"),
        (references, "expected numbers"),
        (other_filter, "gzip and shuffle"),
        (other_schema, "expected schema 1, got 7"),
        (other_kind, "another kind"),
        (other_name, "expected only"),
        (deep, "expected only"),
        (attribute, "attributes"),
        (missing, "expected record"),
        (broken_record, "cannot be read"),
    ],
)
def test_foreign_files_are_refused_with_a_sentence(path: Path, how: Callable[[h5py.File], None], why: str) -> None:
    from teaching.replay.vet import fault

    change(path, how)
    assert why in (fault(path) or "passed")


@pytest.mark.parametrize("how", [external_link, huge])
def test_the_child_refuses_too(path: Path, how: Callable[[h5py.File], None]) -> None:
    with pytest.raises(EpisodeFileError, match=r"e1\.h5 is refused: expected"):
        vet(change(path, how))


def test_no_hdf5_and_a_symlink_are_refused(tmp_path: Path, path: Path) -> None:
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(EpisodeFileError, match="refused"):
        vet(text)
    link = tmp_path / "link.h5"
    link.symlink_to(path)
    with pytest.raises(EpisodeFileError, match="plain file"):
        vet(link)


def test_the_same_episode_gives_the_same_bytes(episode: Episode) -> None:
    kept = replace(episode, steps=episode.steps[:2])
    assert hashlib.sha256(pack_episode(kept)).digest() == hashlib.sha256(pack_episode(kept)).digest()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 81, "a b"])
def test_ids_that_are_no_file_names_are_refused(episode: Episode, name: str) -> None:
    with pytest.raises(BadInput, match="episode id"):
        replace(episode, id=name)


def test_a_copy_without_its_empty_folders_opens(tmp_path) -> None:
    sample = Path(__file__).parents[2] / "datasets" / "sample"
    copy = tmp_path / "sample"
    shutil.copytree(sample, copy)
    shutil.rmtree(copy / "pending", ignore_errors=True)
    with ReplayBuffer(copy) as buffer:
        assert buffer.verify().whole and len(buffer.answers()) == 21 and len(buffer.episodes()) == 14
