"""Why are shapes learnt slowly? `python -m benchmarks.shapes [--variants base,wide,deep,shaped] [--pairs 100]`.

Four shapes of random colours lie at random angles on a small table that is drawn, not simulated: nothing but telling
shapes apart is left of `packing-shapes`, at its own scale. The novice's network learns to pick the named one, with the
lesson's augmentation and rates, and is asked about fresh scenes: how often is its likeliest pixel nearest to the right
shape (one in four by chance)? Prints JSON: per variant, seed and number of steps the share with its 95 % interval, and
processor seconds.

base: the network as it is · wide: half as many channels again · deep: twice the channels at stride 4 and 8 ·
shaped: base, and each pixel's own description of what lies around it is compared with the phrase by one dot product, as
`Match` does with its colour.
"""

from __future__ import annotations

import argparse
import colorsys
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from robot_io.sim import outlines
from robot_io.sim.packing_shapes import SCALE, THICK
from teaching.metrics import wilson
from teaching.policies import augment
from teaching.policies.goals import Vocabulary
from teaching.policies.network import Network, NetworkConfig
from teaching.policies.transporter_config import TransporterConfig, as_tensor
from teaching.types import Array

SIDE = 96
"""Pixels of a drawn table; 3.125 mm each, as on the simulated one."""
PIXEL = 0.003125
SPOTS = ((26, 26), (26, 70), (70, 26), (70, 70))
TEST_SEED = 77
EVERY = outlines.SEEN + outlines.UNSEEN
Scene = tuple[Array, Array, Array, str]
"""Colour (H, W, 3), height (H, W), where the shapes are held (4, 2) in pixels, the named one first, and the goal."""


class Shaped(Network):
    """Compares what lies around a pixel with the phrase."""

    def __init__(self, config: NetworkConfig, size: int = 32) -> None:
        super().__init__(config)
        self.describe = nn.Conv2d(config.widths[1], size, 1)
        self.want = nn.Linear(2 * config.word_size, size, bias=False)

    def _trunk(self, picture: Tensor, goal: Tensor) -> Tensor:
        fine = self.fine_in(self.enter(picture))
        middle = self.middle_in(self.to_middle(functional.relu(fine)))
        coarse = self.coarse_in(self.to_coarse(functional.relu(middle)))
        around = middle + grown(self.from_coarse(self.coarse_out(self.coarse_goal(coarse, goal))))
        told = self.describe(functional.relu(around))
        self._agrees = torch.einsum("bdhw,bd->bhw", told, self.want(goal)) / 4
        return fine_out(self, fine, self.middle_goal(around, goal))

    def forward(
        self, colour: Tensor, height: Tensor, rows: Tensor, pick: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As the network's own, with the agreement added to the pick."""
        logits, place = super().forward(colour, height, rows, pick)
        more = functional.interpolate(self._agrees[:, None], scale_factor=4, mode="bilinear", align_corners=False)
        return logits + more[:, 0], place


def grown(x: Tensor) -> Tensor:
    """Twice as many rows and columns."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def fine_out(network: Network, fine: Tensor, middle: Tensor) -> Tensor:
    """The end of the trunk."""
    out: Tensor = network.fine_out(fine + grown(network.from_middle(network.middle_out(middle))))
    return out


VARIANTS: dict[str, Callable[[], Network]] = {
    "base": lambda: Network(NetworkConfig()),
    "wide": lambda: Network(NetworkConfig(widths=(24, 48, 96))),
    "deep": lambda: Network(NetworkConfig(widths=(16, 64, 128))),
    "shaped": lambda: Shaped(NetworkConfig()),
}


def drawn(names: Sequence[str], rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Colour, height and the points where the shapes are held."""
    colour, height = Image.new("RGB", (SIDE, SIDE), (59, 64, 71)), Image.new("F", (SIDE, SIDE), 0.0)
    brushes, points = (ImageDraw.Draw(colour), ImageDraw.Draw(height)), []
    for name, spot in zip(names, rng.permutation(SPOTS), strict=True):
        angle = rng.uniform(-np.pi, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * SCALE / PIXEL
        middle = spot + rng.uniform(-6, 6, 2)
        rgb = colorsys.hsv_to_rgb(float(rng.random()), 0.65, 0.95)
        for piece in outlines.pieces(name):
            corners = [(float(c), float(r)) for r, c in np.asarray(piece) @ turn.T + middle]
            brushes[0].polygon(corners, fill=tuple(int(255 * v) for v in rgb))
            brushes[1].polygon(corners, fill=THICK)
        points.append(turn @ np.array(outlines.grip_point(name)) + middle)
    return np.asarray(colour), np.asarray(height, np.float32), np.array(points)


def scenes(count: int, seed: int) -> list[Scene]:
    """The named shape is a seen one, the others are any."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        first = outlines.SEEN[int(rng.integers(len(outlines.SEEN)))]
        others = rng.permutation([name for name in EVERY if name != first])[:3]
        found.append((*drawn([first, *others], rng), f"pack the {first} in the brown box"))
    return found


def stacked(some: Sequence[Scene]) -> tuple[Array, Array, Array, list[str]]:
    """Scenes as arrays."""
    colour, height, points = (np.stack([s[i] for s in some]) for i in range(3))
    return colour, height, points, [s[3] for s in some]


def step(network: Network, optimiser: Any, words: Vocabulary, some: Sequence[Scene], rng: np.random.Generator) -> None:
    """One optimiser step on the pick."""
    colour, height, points, goals = stacked(some)
    shape, wanted = (SIDE, SIDE), points[:, :1]
    moves = augment.draw(wanted, shape, augment.AugmentConfig(), rng)
    pictures = augment.move(as_tensor(colour, height), moves)
    at = np.clip(np.rint(moves.points(wanted, shape)), 0, SIDE - 1).astype(np.int64)[:, 0]
    logits, _ = network(pictures[:, :3], pictures[:, 3], torch.from_numpy(words.encode(goals)))
    loss = functional.cross_entropy(logits.flatten(1), torch.from_numpy(at[:, 0] * SIDE + at[:, 1]))
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), TransporterConfig().clip)
    optimiser.step()


@torch.inference_mode()
def right(network: Network, words: Vocabulary, fresh: Sequence[Scene]) -> int:
    """In how many scenes the likeliest pixel is nearest to the named shape."""
    hits = 0
    for begin in range(0, len(fresh), 20):
        colour, height, points, goals = stacked(fresh[begin : begin + 20])
        pictures = as_tensor(colour, height)
        logits, _ = network(pictures[:, :3], pictures[:, 3], torch.from_numpy(words.encode(goals)))
        flat = logits.flatten(1).argmax(dim=1).numpy()
        pixels = np.stack([flat // SIDE, flat % SIDE], axis=1)[:, None]
        hits += int((np.linalg.norm(pixels - points, axis=-1).argmin(axis=1) == 0).sum())
    return hits


def learn(variant: str, pairs: int, steps: int, seed: int, fresh: Sequence[Scene]) -> list[dict[str, Any]]:
    """One run; a row at every quarter of it."""
    torch.manual_seed(seed)
    rng, config = np.random.default_rng(seed), TransporterConfig()
    network = VARIANTS[variant]().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    named = dict(network.named_parameters())
    optimiser = torch.optim.AdamW(
        [
            {"params": [named.pop("words.weight")], "lr": config.word_rate, "weight_decay": 0.0},
            {"params": list(named.values()), "lr": config.learning_rate, "weight_decay": config.weight_decay},
        ]
    )
    known, words, rows, begun = scenes(pairs, 1000 + seed), Vocabulary(), [], time.process_time()
    words.learn_goals(s[3] for s in known)
    for done in tqdm(range(1, steps + 1), desc=f"{variant}, seed {seed}", disable=None):
        step(network, optimiser, words, [known[i] for i in rng.integers(pairs, size=16)], rng)
        if done % max(steps // 4, 1) == 0:
            hits = right(network, words, fresh)
            told = wilson(hits, len(fresh))
            rows.append({
                "variant": variant, "seed": seed, "steps": done, "right": round(hits / len(fresh), 3),
                "interval": [round(told.low, 3), round(told.high, 3)], "cpu_s": round(time.process_time() - begun, 1),
            })  # fmt: skip
    return rows


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", default="base,wide,deep,shaped")
    parser.add_argument("--pairs", type=int, default=100, help="demonstrations")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--scenes", type=int, default=200, help="fresh ones")
    given = parser.parse_args()
    torch.set_num_threads(1)
    fresh = scenes(given.scenes, TEST_SEED)
    runs = [(variant, seed) for variant in given.variants.split(",") for seed in given.seeds]
    rows = [row for variant, seed in runs for row in learn(variant, given.pairs, given.steps, seed, fresh)]
    print(json.dumps({"pairs": given.pairs, "scenes": given.scenes, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
