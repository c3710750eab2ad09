"""A lesson's columns for the pages that only read: kept in the web process until the lesson has changed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from teaching.replay.columns import stamp
from teaching.replay.glance import Glance
from teaching.shares import Shares, setting_of, shares


def of(path: Path) -> Glance:
    """A look at a lesson; a new one only when its log or index has changed."""
    return _look(str(path), stamp(path))


@st.cache_resource(max_entries=4, show_spinner="Reading the lesson…")
def _look(path: str, stamp: tuple[int, ...]) -> Glance:
    return Glance(Path(path))


def shares_of(path: Path, found: Glance) -> Shares:
    """What training draws from now."""
    return _shares(str(path), found.columns.sequence, found)


@st.cache_resource(max_entries=4, show_spinner=False)
def _shares(path: str, sequence: int, _found: Glance) -> Shares:
    return shares(_found.columns, setting_of(_found.columns))
