"""Replay: not drawn yet."""

import streamlit as st

st.title("Replay")
