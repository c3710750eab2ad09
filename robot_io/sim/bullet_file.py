"""PyBullet's state files without what never changes: the shapes of bodies, which a restore does not read.

A restored client has its bodies already; only how they lie and move, and what they touch, is taken from the file. The
meshes in it are more than half of its bytes and of the time that reading it back takes. Most of the rest of that time
went into looking for two words, byte by byte: `REND`, which Bullet's own files lack, and `DNA1`, which comes last. Both
are put first, inside of a chunk that the reader copies and asks nothing of; an empty `DNA1` ends the file as before.

A file is a header of 12 bytes and then chunks, each a code, a length, an address, a struct's number and how many there
are, followed by the data. The chunk `DNA1` names the structs by number.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

HEADER = b"BULLETd-v"
"""Double precision, addresses of 8 bytes, little-endian: the only kind that is made here."""
_START, _HEAD = 12, struct.Struct("<4siQii")
_SHAPES = frozenset({b"SHAP", b"QBVH", b"TMAP"})
_ARRAYS = frozenset(
    f"bt{name}Data"
    for name in (
        "Vector3Double", "Vector3Float", "CompoundShapeChild", "MeshPart", "IntIndex", "ShortIntIndexTriplet",
        "ShortIntIndex", "CharIndexTriplet", "QuantizedBvhNode", "BvhSubtreeInfo", "PositionAndRadius",
    )
)  # fmt: skip


class _Chunk(NamedTuple):
    code: bytes
    struct: int
    data: bytes
    """Its head included."""


def lean(file: bytes) -> bytes:
    """The same state in fewer bytes that are read sooner; a file of another kind as it is."""
    if not file.startswith(HEADER):
        return file
    try:
        chunks = list(_chunks(file))
    except struct.error:
        return file
    described = next((chunk for chunk in chunks if chunk.code == b"DNA1"), None)
    if described is None or len(described.data) == _HEAD.size:
        return file
    names = _structs(described.data[_HEAD.size :])
    kept = [chunk.data for chunk in chunks if chunk is not described and not _is_shape(chunk, names)]
    return b"".join([file[:_START], _early(described.data), *kept, _HEAD.pack(b"DNA1", 0, 0, 0, 0)])


def _early(described: bytes) -> bytes:
    """A chunk of no structs that holds the word `REND` and the chunk `DNA1`, where the reader looks for both."""
    return _HEAD.pack(b"TMAP", len(described) + 4, 0, 0, 0) + b"REND" + described


def _is_shape(chunk: _Chunk, names: tuple[str, ...]) -> bool:
    array = chunk.code == b"ARAY" and 0 <= chunk.struct < len(names)
    return chunk.code in _SHAPES or (array and names[chunk.struct] in _ARRAYS)


def _chunks(file: bytes) -> Iterator[_Chunk]:
    at = _START
    while at < len(file):
        code, length, _, number, _ = _HEAD.unpack_from(file, at)
        if not 0 <= length <= len(file) - at - _HEAD.size:
            raise struct.error(f"a chunk of {length} bytes at {at}")
        yield _Chunk(code, number, file[at : at + _HEAD.size + length])
        at += _HEAD.size + length


@lru_cache(maxsize=4)
def _structs(dna: bytes) -> tuple[str, ...]:
    """Names of the structs, by number."""
    at = dna.index(b"TYPE") + 4
    count = _number(dna, at)
    types = dna[at + 4 :].split(b"\0", count)[:count]
    at = dna.index(b"STRC") + 4
    count, at = _number(dna, at), at + 4
    names = []
    for _ in range(count):
        kind, fields = struct.unpack_from("<hh", dna, at)
        names.append(types[kind].decode())
        at += 4 + 4 * fields
    return tuple(names)


def _number(data: bytes, at: int) -> int:
    found: int = struct.unpack_from("<i", data, at)[0]
    return found
