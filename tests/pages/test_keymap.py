import json

import pytest

from pages import keymap
from teaching.types import BadInput


def test_no_key_means_two_things_in_one_page_and_state():
    assert keymap.conflicts(keymap.DEFAULT) == ()


def test_escape_is_stop_and_nothing_else():
    assert all(binding.key != keymap.STOP for binding in keymap.DEFAULT)
    with pytest.raises(BadInput):
        keymap.rebound({"valid": keymap.STOP})


def test_actions_are_unique():
    actions = [binding.action for binding in keymap.DEFAULT]
    assert len(actions) == len(set(actions))


def test_rebinding_survives_a_restart(tmp_path):
    path = tmp_path / "keys.json"
    keymap.save(path, keymap.rebound({"valid": "y"}))
    assert json.loads(path.read_text()) == {"valid": "y"}
    assert next(b for b in keymap.load(path) if b.action == "valid").key == "y"


@pytest.mark.parametrize("changes", [{"valid": "x"}, {"valid": "Q"}, {"valid": ""}, {"valid": " "}, {"sing": "s"}])
def test_a_bad_key_is_refused_in_words(changes):
    with pytest.raises(BadInput, match="expected"):
        keymap.rebound(changes)


def test_a_key_may_be_reused_where_states_do_not_meet():
    assert keymap.rebound({"relabel-0": "a"})


@pytest.mark.parametrize("text", ["{", "[]", '{"valid": 3}', '{"valid": "x"}'])
def test_a_damaged_file_is_told(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="expected"):
        keymap.load(path)


def test_data_is_plain():
    data = keymap.as_data(keymap.DEFAULT)
    assert json.loads(json.dumps(data)) == data and data


def test_missing_file_is_the_default(tmp_path):
    assert keymap.load(tmp_path / "keys.json") == keymap.DEFAULT
