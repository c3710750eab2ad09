"""The network of the transporter novice: a top-down picture and a goal in, logits over pixels out.

Fully convolutional, in the family of Transporter networks (Zeng et al. 2020) and CLIPort (Shridhar et al. 2021), made
small enough for one CPU thread by putting in what we know: the goal first paints match maps (how well does the colour
of this pixel fit this phrase, by one dot product for *what* and *where*), and a small U-Net reads shapes off them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from teaching.policies.correlation import Correlation
from teaching.policies.goals import MAX_WORDS

STRIDE = 8
"""Pictures' sides are multiples of this."""


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network."""

    word_size: int = 32
    """Numbers per word."""
    text_size: int = 0
    """Numbers in a phrase's vector where a pretrained encoder makes them; 0: words have rows of their own."""
    colour_size: int = 24
    """Numbers per pixel that a phrase is compared with."""
    matches: int = 4
    """Match maps per phrase."""
    waves: int = 32
    """Random Fourier features of a pixel's colour: nearby colours can be told apart after few examples."""
    bandwidth: float = 3.0
    """Of those features, in periods over the colour range."""
    rotations: int = 1
    """Ways to turn while placing; 1 where the task needs no turning."""
    widths: tuple[int, int, int] = (16, 32, 64)
    """Channels at stride 2, 4 and 8. Multiples of 8: others corrupt the heap when training in channels_last."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        if len(self.widths) != 3 or any(width % 8 for width in self.widths):
            raise ValueError(f"expected three widths that are multiples of 8, got {self.widths}")
        if self.rotations < 1:
            raise ValueError(f"expected at least 1 rotation, got {self.rotations}")


class Residual(nn.Module):
    """Two 3×3 convolutions beside a straight path; starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same shape."""
        changed: Tensor = self.second(functional.relu(self.first(functional.relu(x))))
        return x + changed


class Modulate(nn.Module):
    """FiLM (Perez et al. 2018): the goal scales and shifts each channel; starts as the identity."""

    def __init__(self, goal_size: int, width: int) -> None:
        super().__init__()
        self.turn = nn.Linear(goal_size, 2 * width)
        nn.init.zeros_(self.turn.weight)
        nn.init.zeros_(self.turn.bias)

    def forward(self, x: Tensor, goal: Tensor) -> Tensor:
        """(B, C, H, W) and (B, G) → (B, C, H, W)."""
        scale, shift = self.turn(goal)[:, :, None, None].chunk(2, dim=1)
        modulated: Tensor = x * (1 + scale) + shift
        return modulated


class Match(nn.Module):
    """How well each pixel's colour fits each phrase: dot products of learned colour and phrase features.

    A colour becomes random Fourier features (Rahimi and Recht 2007), so that neighbouring colours can be told apart
    after few examples; they have no weights, and the phrase's filter is projected onto them instead of the reverse.
    """

    waves: Tensor
    phases: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("waves", torch.randn(3, config.waves) * config.bandwidth)
        self.register_buffer("phases", torch.rand(config.waves) * 2 * torch.pi)
        self.paint = nn.Linear(config.colour_size, config.waves, bias=False)
        self.ask = nn.Linear(config.word_size, config.matches * config.colour_size)

    def forward(self, colour: Tensor, phrases: Tensor) -> Tensor:
        """Colour (B, 3, H, W) around 0 and phrases (B, P, E) → match maps (B, P·matches, H, W)."""
        waves = torch.addmm(self.phases, colour.permute(0, 2, 3, 1).flatten(0, 2), self.waves).sin_()
        asked = self.ask(phrases).view(len(phrases), -1, self.config.colour_size)
        filters: Tensor = self.paint(asked)
        count, _, height, width = colour.shape
        pixels = waves.view(count, height * width, -1)
        return torch.bmm(filters, pixels.transpose(1, 2)).view(count, -1, height, width)


class Network(nn.Module):
    """Pick and place logits over the pixels of a top-down picture."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        fine, middle, coarse = config.widths
        goal = 2 * config.word_size
        seen = 2 * config.matches + 4
        self.blank = -seen % 8
        self.words = _words(config)
        self.match = Match(config)
        self.enter = nn.Conv2d(seen + self.blank, fine, 3, stride=2, padding=1)
        self.fine_in, self.fine_out = Residual(fine), Residual(fine)
        self.to_middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.middle_in = nn.Sequential(Residual(middle), Residual(middle))
        self.middle_out = Residual(middle)
        self.to_coarse = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.coarse_in, self.coarse_out = Residual(coarse), Residual(coarse)
        self.coarse_goal, self.middle_goal = Modulate(goal, coarse), Modulate(goal, middle)
        self.from_coarse, self.from_middle = nn.Conv2d(coarse, middle, 1), nn.Conv2d(middle, fine, 1)
        self.skip = nn.Conv2d(seen + self.blank, fine, 1)
        self.mix = nn.Conv2d(fine, fine, 1)
        self.heads = nn.Conv2d(fine, 2, 1)
        nn.init.zeros_(self.heads.weight)
        self.correlation = Correlation(fine, config.rotations) if config.rotations > 1 else None

    def forward(
        self, colour: Tensor, height: Tensor, rows: Tensor, pick: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits.

        Args:
            colour: (B, 3, H, W) in [-0.5, 0.5].
            height: (B, H, W) metres above the table.
            rows: (B, 2, L) rows of the words of *what* and *where*, or (B, 2, text_size) their vectors.
            pick: (B, 2) row and column that the place is for; without it, the likeliest pick. Used to turn only.

        Returns:
            Pick (B, H, W) and place (B, R, H, W).
        """
        phrases = self.words(rows) if self.config.text_size else self.words(rows).sum(dim=2)
        goal = phrases.flatten(1)
        seen = [self.match(colour, phrases), height[:, None] * 20, colour]
        seen.append(colour.new_zeros(len(colour), self.blank, *colour.shape[2:]))
        picture = torch.cat(seen, dim=1).contiguous(memory_format=torch.channels_last)
        trunk = self._trunk(picture, goal)
        features = _grow(trunk) + self.skip(picture)
        logits = self.heads(functional.relu(self.mix(functional.relu(features)))).float()
        place = logits[:, 1:]
        if self.correlation is not None:
            pick = _likeliest(logits[:, 0]) if pick is None else pick
            place = place + _grow(self.correlation(trunk, (pick - 0.5) / 2))
        return logits[:, 0], place

    def _trunk(self, picture: Tensor, goal: Tensor) -> Tensor:
        """(B, C, H, W) → (B, F, H/2, W/2)."""
        fine = self.fine_in(self.enter(picture))
        middle = self.middle_in(self.to_middle(functional.relu(fine)))
        coarse = self.coarse_in(self.to_coarse(functional.relu(middle)))
        coarse = self.coarse_out(self.coarse_goal(coarse, goal))
        middle = self.middle_goal(middle + _grow(self.from_coarse(coarse)), goal)
        up: Tensor = self.fine_out(fine + _grow(self.from_middle(self.middle_out(middle))))
        return up


def _words(config: NetworkConfig) -> nn.Embedding | nn.Linear:
    """A row for each word, all zeros at first; or one matrix for a pretrained encoder's vectors."""
    if config.text_size:
        return nn.Linear(config.text_size, config.word_size, bias=False)
    rows = nn.Embedding(MAX_WORDS, config.word_size, padding_idx=0)
    nn.init.zeros_(rows.weight)
    return rows


def _likeliest(logits: Tensor) -> Tensor:
    """(B, H, W) → (B, 2) row and column of the maximum."""
    flat = logits.flatten(1).argmax(dim=1)
    return torch.stack([flat // logits.shape[2], flat % logits.shape[2]], dim=1)


def _grow(x: Tensor) -> Tensor:
    """Twice as many rows and columns."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
