"""Curves for other tools: event files that another reader reads, and Weights & Biases only where it is set up."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from teaching import tfevents, wandb_run
from teaching.curves import FILE, Curves, points_of
from teaching.types import BadInput

LINEAGE = {
    "update": 3, "steps": 4, "curve": [2.0, 1.5, 1.25, 1.0], "figures": {"loss": 1.4375, "demonstrations": 7.0},
    "seconds": 0.5,
}  # fmt: skip


def published(path: Path, lineage: object = LINEAGE) -> Path:
    where = path / "checkpoints" / "000003"
    where.mkdir(parents=True)
    (where / "checkpoint.json").write_text(json.dumps({"lineage": lineage}))
    return where


def test_the_checksum_is_castagnolis() -> None:
    """The values of RFC 3720, appendix B.4."""
    assert tfevents.crc32c(b"\x00" * 32) == 0x8A9136AA
    assert tfevents.crc32c(b"\xff" * 32) == 0x62A8AB43
    assert tfevents.crc32c(bytes(range(32))) == 0x46DD794E
    assert tfevents.crc32c(b"123456789") == 0xE3069283


def parsed(payload: bytes):
    """An Event by Google's own protocol-buffer library, from the published field numbers."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")
    kinds = {"double": 1, "float": 2, "int64": 3, "string": 9, "message": 11}
    for name, fields in {
        "Value": [("tag", 1, "string", 1), ("simple_value", 2, "float", 1)],
        "Summary": [("value", 1, "message", 3)],
        "Event": [("wall_time", 1, "double", 1), ("step", 2, "int64", 1), ("file_version", 3, "string", 1),
                  ("summary", 5, "message", 1)],
    }.items():  # fmt: skip
        message = file.message_type.add(name=name)
        for field, number, kind, label in fields:
            made = message.field.add(name=field, number=number, type=kinds[kind], label=label)
            if kind == "message":
                made.type_name = ".t.Value" if field == "value" else ".t.Summary"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Event")).FromString(payload)


def test_a_trainings_curve_is_read_back_by_another_library(tmp_path: Path) -> None:
    curves = Curves(tmp_path, {}, clock=lambda: 1_750_000_000.25)
    curves.trained(published(tmp_path))
    data = (tmp_path / "curves" / FILE).read_bytes()
    records = list(tfevents.whole(data))
    assert records[-1][0] == len(data)
    events = [parsed(payload) for _, payload in records]
    assert events[0].file_version == "brain.Event:2" and events[0].wall_time == 1_750_000_000.25
    told = [(e.step, {v.tag: v.simple_value for v in e.summary.value}) for e in events[1:]]
    assert told == [
        (9, {"steps/loss": 2.0}), (10, {"steps/loss": 1.5}), (11, {"steps/loss": 1.25}), (12, {"steps/loss": 1.0}),
        (3, {"training/loss": 1.4375, "training/demonstrations": 7.0, "training/seconds": 0.5}),
    ]  # fmt: skip
    assert told == [(s, {k: struct.unpack("<f", struct.pack("<f", v))[0] for k, v in p.items()})
                    for s, p in points_of(LINEAGE)]  # fmt: skip


def test_tensorboards_own_reader_reads_it(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    Curves(tmp_path, {}).trained(published(tmp_path))
    found = EventAccumulator(str(tmp_path / "curves")).Reload()
    assert [(e.step, e.value) for e in found.Scalars("steps/loss")] == [(9, 2.0), (10, 1.5), (11, 1.25), (12, 1.0)]
    assert found.Scalars("training/loss")[0].step == 3


def test_a_torn_file_is_cut_back_to_its_last_whole_record_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "events"
    tfevents.append(path, [tfevents.event(1.0, 1, {"a": 1.0})], 1.0)
    whole = path.read_bytes()
    for torn in range(1, 30):
        path.write_bytes(whole + tfevents.record(tfevents.event(1.0, 2, {"a": 2.0}))[:torn])
        tfevents.append(path, [tfevents.event(1.0, 3, {"a": 3.0})], 1.0)
        assert path.read_bytes() == whole + tfevents.record(tfevents.event(1.0, 3, {"a": 3.0}))
    with pytest.raises(BadInput, match="step from 0"):
        tfevents.event(0.0, -1, {})


def test_what_cannot_be_written_is_told_and_raises_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "curves").write_text("a file where the folder should be")
    Curves(tmp_path, {}, tell=said.append).trained(published(tmp_path))
    Curves(tmp_path, {}, tell=said.append).trained(tmp_path / "nowhere")
    assert len(said) == 2 and all("could not be written" in words for words in said)


def test_weights_and_biases_is_not_loaded_unless_it_is_set_up(tmp_path: Path) -> None:
    where = published(tmp_path)
    script = (
        "import sys; from pathlib import Path; from teaching.curves import Curves\n"
        f"c = Curves(Path({str(tmp_path)!r}), {{}}); c.trained(Path({str(where)!r})); c.close()\n"
        "assert 'wandb' not in sys.modules\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    subprocess.run([sys.executable, "-c", script], check=True, env=clean, cwd=Path(__file__).parents[2])
    assert [p.name for p in (tmp_path / "curves").iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("environment", "on", "mode"),
    [({}, False, "offline"), ({"WANDB_PROJECT": "p"}, True, "offline"), ({"WANDB_API_KEY": "k"}, False, "offline"),
     ({"WANDB_PROJECT": "p", "WANDB_MODE": "online"}, True, "online"),
     ({"WANDB_PROJECT": "p", "WANDB_MODE": "disabled"}, False, "offline")],
)  # fmt: skip
def test_it_is_on_only_with_a_project_and_online_only_where_that_is_said(environment, on, mode) -> None:
    assert (wandb_run.wanted(environment), wandb_run.mode_of(environment)) == (on, mode)


def test_a_service_that_fails_or_hangs_holds_up_nothing(tmp_path: Path, monkeypatch) -> None:
    said: list[str] = []

    class Fails(wandb_run.Run):
        def _begin(self):
            raise OSError("no service")

    class Hangs(wandb_run.Run):
        def _begin(self):
            time.sleep(600)

    for kind in (Fails, Hangs):
        run = kind("lesson", tmp_path, {}, said.append)
        begun = time.monotonic()
        for _ in range(wandb_run.MOST + 10):
            run.log({"a": 1.0})
        run.close(patience=0.1)
        assert time.monotonic() - begun < 30
    assert said == ["Weights & Biases does not work: OSError: no service"]


@pytest.mark.timeout(180)
def test_offline_it_writes_a_run_beside_the_lesson(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    where = published(tmp_path)
    script = (
        "import sys; from pathlib import Path; from teaching.curves import Curves\n"
        f"c = Curves(Path({str(tmp_path)!r}), {{'task': 't', 'name': 'x'}}, tell=lambda w: print('TOLD', w))\n"
        f"c.trained(Path({str(where)!r})); c._run.close(120)\n"
    )
    home = {"HOME": str(tmp_path / "home"), "WANDB_PROJECT": "askback"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script], env={**clean, **home}, cwd=Path(__file__).parents[2], capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert "TOLD" not in done.stdout
    (run,) = (tmp_path / "curves" / "wandb").glob("offline-run-*/run-*.wandb")
    data = run.read_bytes()
    assert b"training/loss" in data and b"steps/loss" in data
