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


def smaller(picture: bytes, width: int, height: int, quality: int = 80) -> bytes:
    """A JPEG as a JPEG of at most width × height pixels, of the same proportions."""
    from PIL import Image

    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.draft("RGB", (width, height))  # unpacks no more of it than is needed
        image.thumbnail((width, height))
        image.save(file, "JPEG", quality=quality)
    return file.getvalue()
