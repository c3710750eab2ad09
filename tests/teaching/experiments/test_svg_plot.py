"""Plots as SVG."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from teaching.experiments.svg_plot import Line, Panel, svg, ticks
from teaching.types import BadInput

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*lines: Line, **settings: object) -> ElementTree.Element:
    return ElementTree.fromstring(svg([Panel("a < b", "x", "y", lines, **settings)]))  # type: ignore[arg-type]


def test_it_is_one_document_with_every_name_once() -> None:
    root = drawn(Line("one & two", [0, 1], [0, 1]), Line("one & two", [0, 1], [1, 2]), Line("three", [0, 1], [2, 2]))
    texts = [node.text for node in root.iter(f"{SVG}text")]
    assert texts.count("one & two") == 1 and texts.count("three") == 1 and "a < b" in texts


def test_a_gap_breaks_the_curve() -> None:
    root = drawn(Line("a", [0, 1, 2, 3, 4], [0, 1, math.nan, 3, 4], dots=False))
    curves = [n for n in root.iter(f"{SVG}path") if n.get("fill") == "none" and n.get("stroke-width") == "1.8"]
    assert len(curves) == 2


def test_higher_values_are_drawn_higher() -> None:
    low, high = drawn(Line("a", [0, 1], [0.2, 0.9], joined=False), y_range=(0.0, 1.0)).iter(f"{SVG}circle")
    assert float(high.get("cy", "")) < float(low.get("cy", "")) and float(high.get("cx", "")) > float(low.get("cx", ""))


def test_bands_levels_and_nothing_outside_the_picture() -> None:
    root = drawn(Line("a", [0, 1], [1, 2], [0.5, 1.5], [1.5, 2.5]), levels=[0.9], diagonal=True)
    assert [n for n in root.iter(f"{SVG}path") if n.get("opacity")]
    assert len([n for n in root.iter(f"{SVG}path") if n.get("class") == "level"]) == 2
    assert all(0 <= float(n.get("cy", "")) <= 250 for n in root.iter(f"{SVG}circle"))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 17.0), (0.001, 0.0017), (0, 12000)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 7 and all(low - 1e-9 <= t <= high + 1e-9 for t in found)


def test_lengths_must_agree() -> None:
    with pytest.raises(BadInput, match="as many y"):
        Line("a", [0, 1], [1])
    with pytest.raises(BadInput, match="at least one panel"):
        svg([])
