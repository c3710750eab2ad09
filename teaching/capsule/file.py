"""A capsule as one HTML file: the player, and the lesson as gzip in base64. It loads nothing and sends nothing.

Whatever the lesson says (goals, names) is inside the compressed data, which holds no character that HTML knows, and the
player writes it as text. A policy in the file itself forbids every connection.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from teaching.capsule.contents import FORMAT, SCHEMA
from teaching.types import BadInput

HERE = Path(__file__).parent
SCRIPTS = ("reel.js", "page.js")
MOST = 2**30
"""Bytes of a lesson that is unpacked."""
_DATA = re.compile(rb'<script type="text/plain" id="lesson" data-sha256="([0-9a-f]{64})">([A-Za-z0-9+/=]*)</script>')


def write(out: Path, lesson: Mapping[str, Any]) -> int:
    """Write a capsule, beside first; its size in bytes. BadInput if there is such a file."""
    if out.exists():
        raise BadInput(f"expected a new file, but {out} is there; give another name")
    packed = gzip.compress(json.dumps(lesson, allow_nan=False).encode(), 6, mtime=0)
    digest = hashlib.sha256(packed).hexdigest()
    page = (HERE / "page.html").read_text(encoding="utf-8")
    scripts = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    parts = {"STYLE": (HERE / "page.css").read_text(encoding="utf-8"), "SCRIPT": scripts, "SHA256": digest}
    for name, text in parts.items():
        page = page.replace(f"@@{name}@@", text)
    head, tail = page.split("@@LESSON@@")
    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(head.encode() + base64.b64encode(packed) + tail.encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return out.stat().st_size


def read(path: Path) -> dict[str, Any]:
    """The lesson in a capsule; BadInput says what is wrong with it."""
    try:
        if path.stat().st_size > MOST:
            raise BadInput(f"expected a capsule of at most {MOST} bytes, got {path.stat().st_size}")
        found = _DATA.search(path.read_bytes())
    except OSError as error:
        raise BadInput(f"expected a capsule, got: {error}; give a file that `capsule` wrote") from error
    if found is None:
        raise BadInput(f"expected a capsule in {path}, found no lesson in it; give a file that `capsule` wrote")
    try:
        packed = base64.b64decode(found[2], validate=True)
    except binascii.Error as error:
        raise BadInput(f"{path} is damaged: {error}; get it again") from error
    if hashlib.sha256(packed).hexdigest().encode() != found[1]:
        raise BadInput(f"{path} is damaged: its contents are not what was written; get it again")
    return _checked(_unpacked(packed, path), path)


def _unpacked(packed: bytes, path: Path) -> Any:
    """What gzip holds, never more than MOST bytes of it."""
    unpack = zlib.decompressobj(31)
    try:
        text = unpack.decompress(packed, MOST)
        if unpack.unconsumed_tail:
            raise BadInput(f"expected a lesson of at most {MOST} bytes in {path}, got more")
        return json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} is damaged: {error}; get it again") from error


def _checked(lesson: Any, path: Path) -> dict[str, Any]:
    if not isinstance(lesson, dict) or lesson.get("format") != FORMAT:
        raise BadInput(f"expected a capsule in {path}, got something else")
    if lesson.get("schema") != SCHEMA:
        raise BadInput(f"expected a capsule of schema {SCHEMA}, got {lesson.get('schema')!r}; use the version it is of")
    kinds = {"lesson": dict, "items": list, "log": str, "log_sha256": str, "versions": dict, "starter": str}
    wrong = [name for name, kind in kinds.items() if not isinstance(lesson.get(name), kind)]
    if wrong:
        raise BadInput(f"expected {', '.join(wrong)} in the capsule {path}, got none; get it again")
    return lesson
