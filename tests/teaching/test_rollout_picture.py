"""Points in space from recorded columns: things are where the way from the tip leads."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.rollout_picture import MOST, names, tracks
from teaching.types import BadInput
from tests.teaching.moving_maker import P, recorded


def test_things_are_found_from_the_tip_and_only_the_live_branch_is_shown():
    columns = dict(recorded("a", [P] * 30, "failed").rollout.columns)
    columns["live"] = np.arange(30) >= 10
    found = tracks("peg-and-button", columns)
    assert len(found.ticks) == 20 and found.tips[0][0, 0] == pytest.approx(0.411)
    np.testing.assert_allclose(found.things["peg"], [[0.5, 0.0, 0.02]] * 20)
    np.testing.assert_allclose(found.things["slot"][:, :2], [[0.6, 0.2]] * 20)
    assert np.isnan(found.things["slot"][:, 2]).all() and found.grippers[0].tolist() == [1.0] * 20
    assert set(names("peg-and-button")) >= {"observation.peg", "observation.slot", "observation.button"}


def test_a_long_episode_is_thinned_and_two_arms_have_a_tip_each():
    t = 3 * MOST
    columns = {
        "live": np.ones(t, bool), "observation.tip": np.tile(np.arange(6.0), (t, 1)),
        "observation.grippers": np.tile([0.0, 1.0], (t, 1)), "observation.peg": np.zeros((t, 3)),
    }  # fmt: skip
    found = tracks("hold-and-insert", columns)
    assert len(found.ticks) == MOST and found.ticks[1] == 3
    assert found.tips[1][0].tolist() == found.things["peg"][0].tolist() == [3.0, 4.0, 5.0]
    assert found.grippers[1][0] == 1.0


def test_an_arm_that_tells_no_tip_is_told():
    with pytest.raises(BadInput, match="where its tip is"):
        tracks("peg-and-button", {"live": np.ones(3, bool)})
