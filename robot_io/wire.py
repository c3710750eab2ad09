"""Values as bytes: msgpack with numpy arrays. No pickle; nothing that comes in can run."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np

_KINDS = "biuf"
MAX_BYTES = 64 * 2**20


class WireError(ValueError):
    """Bytes that are not a message."""


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"expected a bool, integer or float array, got {array.dtype}")
        return {"__array__": [array.dtype.str, list(value.shape), array.tobytes()]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"expected plain values or arrays, got {type(value).__name__}")


def _decode(value: dict[str, Any]) -> Any:
    if "__array__" not in value:
        return value
    kind, shape, data = value["__array__"]
    dtype = np.dtype(kind)
    if dtype.kind not in _KINDS:
        raise WireError(f"expected a bool, integer or float array, got {dtype}")
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def pack(message: Any) -> bytes:
    """A message of dicts, lists, text, numbers, bytes and arrays as bytes."""
    packed: bytes = msgpack.packb(message, default=_encode, use_bin_type=True)
    return packed


def unpack(data: bytes) -> Any:
    """The message of some bytes; WireError if they are none. Arrays come back read-only."""
    if len(data) > MAX_BYTES:
        raise WireError(f"expected at most {MAX_BYTES} bytes, got {len(data)}")
    try:
        return msgpack.unpackb(data, object_hook=_decode, raw=False, strict_map_key=False)
    except WireError:
        raise
    except Exception as error:
        raise WireError(f"expected a msgpack message, got {len(data)} bytes that are none: {error}") from error
