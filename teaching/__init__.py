"""The craft of teaching a robot by answering its questions. Never imports streamlit."""
