"""The shape of the flow policy of a lesson in motion."""

from __future__ import annotations

from teaching.policies.flow_network import FlowConfig
from teaching.rollout_task import ROW, RolloutTask


def flow_config(task: RolloutTask, steps: int) -> FlowConfig:
    """The policy's shape: half a second ahead, a quarter carried out."""
    return FlowConfig(state=task.width, action=ROW * task.arms, horizon=16, execute=8, members=3, steps=steps)
