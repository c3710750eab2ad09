"""The web application: `streamlit run app.py`. It holds no truth and may be killed at any time.

Options come as environment variables: ASKBACK_HOME is where the lessons lie (default datasets/lessons),
ASKBACK_SIDE_URL and ASKBACK_HOST_URL are the paths under which a reverse proxy passes on the arm's and the host's ports
(`/arm/{name}/`), and ASKBACK_ALLOW_ORIGIN names further origins, separated by commas, that pages may be opened under.
"""

from __future__ import annotations

import os

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pages.addresses import allowed_origins
from pages.diagnosing import diagnostics
from pages.processes import lifespan
from robot_io.access import guarded, own_hosts, own_origins


async def health(request: Request) -> Response:
    """Says that the web process is up; what the arm and the lesson do is theirs to say."""
    return JSONResponse({"name": "web", "state": "up", "pid": os.getpid()})


def guard() -> Middleware:
    """The checks of Host and Origin, on every path, Streamlit's own included."""
    port = int(st.get_option("server.port"))
    allowed = allowed_origins()
    return Middleware(guarded, origins=own_origins(port, allowed), hosts=own_hosts(port, allowed))


ROUTES = [Route("/health", health), Route("/diagnostics/{kind}/{name}", diagnostics)]

# `streamlit run` finds the application by reading this file, not by running it: the call has to stand here.
app = st.App("pages/shell.py", routes=ROUTES, middleware=[guard()], lifespan=lifespan)
