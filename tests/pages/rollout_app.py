"""A page of the strip and the Rollout card alone, against the server of `fake_rollout`; run by the component tests."""

import os

import streamlit as st

from pages import keymap
from pages.components.rollout import rollout
from pages.components.strip import strip

st.set_page_config(layout="wide", page_title="components")
st.html("<style>.block-container{padding:3.75rem 1rem 0!important;max-width:none!important}</style>")
session = st.query_params.get("session", "s1")
port = os.environ["ASKBACK_TEST_PORT"]
arm = {"url": "", "port": port, "path": "live", "token": "t", "session": session}
host = arm | {"path": "lesson", "teacher": "Ana", "lesson": "fake"}
strip(arm, host, {"session": session})
rollout(arm, host, keymap.as_data(keymap.DEFAULT, "rollout"), {})
st.button("rerun")
