"""The shape of the flow policy of a lesson in motion."""

from __future__ import annotations

from teaching.policies.flow_network import FlowConfig
from teaching.rollout_glimpse import SHAPE
from teaching.rollout_task import ROW, RolloutTask


def flow_config(task: RolloutTask, steps: int, observe: str = "state") -> FlowConfig:
    """The policy's shape: a quarter of a second ahead, half of it carried out: it has to stop within millimetres."""
    sees = observe == "pictures"
    return FlowConfig(
        state=task.feels + 1 if sees else task.width, action=ROW * task.arms, horizon=8, execute=4, members=3,
        steps=steps, picture=SHAPE if sees else (),
    )  # fmt: skip
