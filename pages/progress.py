"""Progress: not drawn yet."""

import streamlit as st

st.title("Progress")
