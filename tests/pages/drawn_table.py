"""A drawn table with blocks and bowls, for component tests."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": "#d9534f", "green": "#59a14f", "blue": "#4e79a7", "yellow": "#edc948", "brown": "#9c755f"}
X, Y = (0.25, 0.75), (-0.5, 0.5)


def uri(picture: Image.Image, kind: str = "PNG") -> str:
    data = io.BytesIO()
    picture.save(data, kind)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(data.getvalue()).decode()


def table_picture(
    seed: int, size: tuple[int, int] = (640, 320)
) -> tuple[Image.Image, list[tuple[str, str, float, float]]]:
    """A drawn table of blocks and bowls, and where they lie: (kind, colour, x, y) in metres."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", size, "#b9b4ab")
    draw = ImageDraw.Draw(picture)
    things = []
    names = list(COLOURS)
    for n in range(6):
        x, y = 0.32 + 0.36 * (n % 2) + 0.05 * rng.random(), -0.4 + 0.38 * (n // 2) + 0.06 * rng.random()
        colour = names[(n + seed) % len(names)]
        u, v = (y - Y[0]) / (Y[1] - Y[0]) * size[0], (x - X[0]) / (X[1] - X[0]) * size[1]
        if n % 2:
            draw.ellipse([u - 38, v - 38, u + 38, v + 38], fill=COLOURS[colour])
            draw.ellipse([u - 28, v - 28, u + 28, v + 28], fill="#00000033", outline="#333333")
        else:
            draw.rectangle([u - 13, v - 13, u + 13, v + 13], fill=COLOURS[colour], outline="#222222")
        things.append(("bowl" if n % 2 else "block", colour, x, y))
    return picture, things


def likely(points: list[tuple[float, float]], spread: float) -> str:
    x, y = np.meshgrid(np.linspace(*X, 80), np.linspace(*Y, 160), indexing="ij")
    grey = np.zeros((80, 160))
    for n, (a, b) in enumerate(points):
        grey = np.maximum(grey, np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * spread**2)) / (1 + 0.5 * n))
    return uri(Image.fromarray((255 * grey).astype(np.uint8)))
