"""Pictures as bytes, for people to watch."""

from __future__ import annotations

import io
from typing import Any

from numpy.typing import NDArray


def jpeg(picture: NDArray[Any], quality: int = 80) -> bytes:
    """A picture (H, W, 3) uint8 as a JPEG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return file.getvalue()
