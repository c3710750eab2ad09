"""The replay buffer: what was shown, said and done, kept for good."""

from teaching.replay.buffer import Pending, ReadOnly, ReplayBuffer
from teaching.replay.disk import DiskFull
from teaching.replay.episode import Episode, Step, Summary
from teaching.replay.events import Event
from teaching.replay.file import EpisodeFileError
from teaching.replay.log import LogError
from teaching.replay.shelf import NotABuffer

__all__ = [
    "DiskFull",
    "Episode",
    "EpisodeFileError",
    "Event",
    "LogError",
    "NotABuffer",
    "Pending",
    "ReadOnly",
    "ReplayBuffer",
    "Step",
    "Summary",
]
