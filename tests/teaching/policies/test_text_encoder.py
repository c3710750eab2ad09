"""A pretrained text encoder behind the same verbs: read as transformers does, refused when it is not there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from robot_io.arm import Observation, TableView
from teaching.lesson import LessonConfig
from teaching.novice import load_novice
from teaching.policies import checkpoint
from teaching.policies.base import Batch, CheckpointError
from teaching.policies.methods import make_learner, make_policy
from teaching.policies.pretrained_words import PretrainedWords
from teaching.policies.text_encoder import TextEncoder, basic_words
from teaching.policies.transporter_config import encoder_of
from teaching.types import BadInput
from tests.teaching.policies.tiny_bert import make

TABLE = TableView()
GOAL = "put the red blocks in a green bowl"


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    encoder_of.cache_clear()
    return make(tmp_path / "encoder")


def test_words_are_cut_as_wordpiece_cuts_them(encoder: Path) -> None:
    read = TextEncoder(encoder)
    assert basic_words("Pút the Purple-blocks!") == ["put", "the", "purple", "-", "blocks", "!"]
    assert basic_words("Red", lower=False) == ["Red"]
    assert read.pieces("blocks") == ["block", "##s"] and read.pieces("purple") == ["pur", "##ple"]
    assert read.pieces("blockish") == ["[UNK]"] and read.pieces("!") == ["[UNK]"]


def test_vectors_are_of_length_one_and_depend_on_their_phrase_alone(encoder: Path) -> None:
    read = TextEncoder(encoder)
    both = read(["put the red blocks", "in a green bowl"])
    torch.testing.assert_close(both[1:], read(["in a green bowl"]), rtol=0, atol=0)
    torch.testing.assert_close(both.norm(dim=1), torch.ones(2))
    assert (both[0] - both[1]).abs().max() > 0.05
    assert read(["the " * 500]).shape == (1, 16)  # longer than it has places for


@pytest.mark.parametrize(
    ("phrase", "start"),
    [
        ("put the red blocks", [0.33688849, -0.03990576, -0.18669753, 0.21801159]),
        ("in a Green bowl", [0.27377522, -0.02168702, -0.21157645, 0.24270436]),
        ("purple-blocks in the", [0.23431252, -0.01027908, -0.13422161, 0.31387943]),
        ("é nonsense", [0.28108644, 0.02983009, -0.19505832, 0.22882846]),
    ],
)
def test_it_reads_as_transformers_4_57_6_reads_the_same_files(phrase: str, start: list[float], encoder: Path) -> None:
    """BertModel and BertTokenizer on these files, mean over the pieces, length 1; written down once."""
    torch.testing.assert_close(TextEncoder(encoder)([phrase])[0, :4], torch.tensor(start), rtol=0, atol=1e-6)


def test_names_with_a_prefix_are_the_same_model(encoder: Path, tmp_path: Path) -> None:
    other = TextEncoder(make(tmp_path / "prefixed", prefix="bert."))
    torch.testing.assert_close(other([GOAL]), TextEncoder(encoder)([GOAL]), rtol=0, atol=0)


def _no_weights(root: Path) -> None:
    (root / "model.safetensors").unlink()


def _pickled(root: Path) -> None:
    (root / "model.safetensors").rename(root / "pytorch_model.bin")


def _torn(root: Path) -> None:
    path = root / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _of_another_kind(root: Path) -> None:
    told = json.loads((root / "config.json").read_text())
    (root / "config.json").write_text(json.dumps({**told, "model_type": "gpt2"}))


def _deeper(root: Path) -> None:
    told = json.loads((root / "config.json").read_text())
    (root / "config.json").write_text(json.dumps({**told, "num_hidden_layers": 9}))


def _wordless(root: Path) -> None:
    (root / "vocab.txt").write_text("one\ntwo\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [(_no_weights, "expected weights"), (_pickled, "only safetensors"), (_torn, "expected weights"),
     (_of_another_kind, "BERT family"), (_deeper, "weights of a BERT"), (_wordless, "CLS")],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(spoil: Callable[[Path], None], told: str, encoder: Path) -> None:
    spoil(encoder)
    with pytest.raises(BadInput, match=told):
        make_policy(text_encoder=str(encoder))


def test_goals_become_two_vectors_and_unknown_words_are_told(encoder: Path) -> None:
    words = PretrainedWords(TextEncoder(encoder))
    assert words.unknown(GOAL) == ("put", "red", "blocks", "green", "bowl")
    words.learn_goals([GOAL])
    assert words.unknown(GOAL) == () and words.unknown("the blue one") == ("blue", "one")
    rows = words.encode([GOAL, "put it down"])
    assert rows.shape == (2, 2, 16) and rows.dtype == np.float32 and not rows[1, 1].any()
    np.testing.assert_array_equal(rows[0, 1], words.encoder(["in a green bowl"])[0].numpy())


def batch(goals: tuple[str, ...]) -> Batch:
    rng = np.random.default_rng(0)
    many = len(goals)
    colour = rng.integers(0, 255, (many, *TABLE.shape, 3), dtype=np.uint8)
    actions = np.tile([[0.5, 0.1, 0.0, 0.0], [0.6, -0.2, 0.0, 0.0]], (many, 1, 1))
    return Batch(colour, np.zeros((many, *TABLE.shape), np.float32), goals, actions, np.ones(many))


def seen() -> Observation:
    made = batch((GOAL,))
    return Observation(0.0, {"colour": made.colour[0], "height": made.height[0]})


def test_a_novice_is_taught_with_it_and_its_checkpoint_says_so(encoder: Path, tmp_path: Path) -> None:
    learner = make_learner(table=TABLE, seed=0, text_encoder=str(encoder))
    rng = np.random.default_rng(0)
    losses = [learner.update(batch((GOAL, GOAL)), rng)["loss"] for _ in range(2)]
    assert np.isfinite(losses).all()
    learner.save(tmp_path / "checkpoints" / "000001", {"update": 1})
    info = checkpoint.read_info(tmp_path / "checkpoints" / "000001")
    assert info["config"]["text_encoder"] == str(encoder)
    assert info["config"]["text_fingerprint"] == TextEncoder(encoder).fingerprint
    held = load_file(tmp_path / "checkpoints" / "000001" / "model.safetensors")
    assert held["words.weight"].shape == (32, 16) and not any("encoder.layer" in name for name in held)
    policy = make_policy(table=TABLE, seed=1)  # with built-in words, until it has read the checkpoint
    policy.load(tmp_path / "checkpoints" / "000001")
    other = make_policy(table=TABLE, seed=2, text_encoder=str(encoder))
    other.load(tmp_path / "checkpoints" / "000001")
    plans = [p(seen(), GOAL, rng) for p in (policy, other)]
    np.testing.assert_array_equal(plans[0].entropy, plans[1].entropy)
    assert policy.unknown_words(GOAL) == () and policy.unknown_words("the purple one") == ("purple", "one")
    again = make_learner(table=TABLE, seed=3)
    again.load(tmp_path / "checkpoints" / "000001")
    assert np.isfinite(again.update(batch((GOAL,)), rng)["loss"])


def test_without_its_encoder_or_with_another_a_checkpoint_is_refused(encoder: Path, tmp_path: Path) -> None:
    learner = make_learner(table=TABLE, seed=0, text_encoder=str(encoder))
    learner.save(tmp_path / "checkpoints" / "000001", {"update": 1})
    shutil.rmtree(encoder)
    encoder_of.cache_clear()
    for half in (make_policy(table=TABLE), make_learner(table=TABLE)):
        with pytest.raises(CheckpointError, match="put the same files there again"):
            half.load(tmp_path / "checkpoints" / "000001")
    _, problems = load_novice(tmp_path / "checkpoints", TABLE, 0)
    assert len(problems) == 1 and str(encoder) in problems[0]
    make(encoder, seed=1)
    with pytest.raises(CheckpointError, match="another text encoder"):
        make_policy(table=TABLE).load(tmp_path / "checkpoints" / "000001")


def test_a_lesson_with_an_encoder_starts_from_nothing(encoder: Path) -> None:
    assert LessonConfig(text_encoder=str(encoder), start="nothing").text_encoder == str(encoder)
    with pytest.raises(BadInput, match="starts from nothing"):
        LessonConfig(text_encoder=str(encoder))
