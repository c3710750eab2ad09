"""`GET /diagnostics/arms/NAME`, or `…/lessons/NAME`: everything that helps to find an arm's fault, as one file."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pages.addresses import home
from robot_io.diagnostics import bundle
from robot_io.fleet import Fleet
from robot_io.glance import diary, glance
from robot_io.port import find_ports
from teaching.supervisor import lesson_path
from teaching.types import BadInput


def link(path: Path) -> str:
    """Where the diagnostics of the arm in a folder are downloaded from."""
    return f"diagnostics/{'arms' if path.parent.name == '.arms' else 'lessons'}/{path.name}"


async def diagnostics(request: Request) -> Response:
    """The file; 404 for what is no arm and no lesson of this home."""
    folder = _folder(request.path_params["kind"], request.path_params["name"])
    if folder is None:
        return PlainTextResponse("expected the name of an arm or a lesson that is kept here\n", status_code=404)
    headers = {"Content-Disposition": f'attachment; filename="{folder.name}-diagnostics.zip"'}
    return Response(await asyncio.to_thread(saved, folder), media_type="application/zip", headers=headers)


def saved(folder: Path) -> bytes:
    """The file's bytes."""
    now = glance(folder)
    told = {"glance": asdict(now) if now else None, "ports": [asdict(port) for port in find_ports()]}
    return bundle(folder, told, diary(folder))


def _folder(kind: str, name: str) -> Path | None:
    if kind == "arms":
        entry = Fleet(home() / ".arms").entry(name)
        return entry.path if entry is not None else None
    try:
        path = lesson_path(home(), name)
    except BadInput:
        return None
    return path if (path / "lesson.json").is_file() else None
