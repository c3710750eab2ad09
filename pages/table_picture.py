"""The top-down picture with a plan over it, large for a card or small for a row of many."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageDraw

from robot_io.arm import Observation, TableView
from teaching.types import Array

LARGE, SMALL = 800, 150
INK = "#5cc8ff"


def drawn(observation: Observation, actions: Array, table: TableView, width: int = LARGE) -> Image.Image:
    """A ring where it picks, a target where it places."""
    pixels = observation["picture"] if "picture" in observation else observation["colour"]
    image = Image.fromarray(np.asarray(pixels))
    kind = Image.Resampling.LANCZOS if width > image.width else Image.Resampling.BOX
    image = image.resize((width, round(width * image.height / image.width)), kind)
    draw, scale = ImageDraw.Draw(image), max(width / LARGE, 0.3)
    (u, v), (s, t) = (_spot(a, table, image.size) for a in (actions[0], actions[-1]))
    for thick, colour in ((9, "black"), (5, INK)):
        wide = max(round(thick * scale), 1)
        draw.line([u, v, s, t], fill=colour, width=wide)
        for centre, radius in (((u, v), 18), ((s, t), 20), ((s, t), 8)):
            r = radius * scale
            draw.ellipse([centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r], outline=colour, width=wide)
    return image


def plain(observation: Observation, width: int = LARGE) -> Image.Image:
    """What was seen, without a plan."""
    pixels = observation["picture"] if "picture" in observation else observation["colour"]
    image = Image.fromarray(np.asarray(pixels))
    return image.resize((width, round(width * image.height / image.width)), Image.Resampling.BOX)


def _spot(action: Array, table: TableView, size: tuple[int, int]) -> tuple[float, float]:
    across = (action[1] - table.y[0]) / (table.y[1] - table.y[0])
    down = (action[0] - table.x[0]) / (table.x[1] - table.x[0])
    return float(across * size[0]), float(down * size[1])


def data_url(image: Image.Image) -> str:
    """A picture for an HTML page."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
