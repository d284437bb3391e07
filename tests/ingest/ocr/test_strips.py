"""A tall picture is read in strips, and no line of it is cut or lost."""

from __future__ import annotations

import numpy
import pytest

from eval.metrics.text_distance import character_error
from ingest.ocr.rapid import RapidEngine
from ingest.ocr.strips import strips_of
from tests.scans import Pixels, photographed, printed

LINES = [f"Item {number}, {number * 7 % 90 + 10}.50 in cash" for number in range(90)]


def white(height: int, width: int) -> Pixels:
    return numpy.full((height, width, 3), 255, numpy.uint8)


@pytest.mark.parametrize("shape", [(200, 300), (1754, 1240), (600, 300), (1, 1), (2000, 1), (5000, 300)])
def test_the_strips_are_the_picture(shape: tuple[int, int]) -> None:
    pixels = numpy.random.default_rng(1).integers(0, 256, (*shape, 3), numpy.uint8)
    strips = list(strips_of(pixels))
    assert numpy.array_equal(numpy.concatenate([strip for _, strip in strips]), pixels)
    assert [top for top, _ in strips] == [sum(len(strip) for _, strip in strips[:n]) for n in range(len(strips))]
    assert all(len(strip) <= 2 * shape[1] for _, strip in strips)


def test_a_page_is_one_strip() -> None:
    assert [top for top, _ in strips_of(white(1754, 1240))] == [0]


def test_a_strip_ends_between_two_lines() -> None:
    pixels = white(3000, 300)
    for top in range(0, 3000, 20):
        pixels[top : top + 14, ::3] = 0
    assert all(top % 20 >= 14 for top, _ in strips_of(pixels) if top)


def test_a_tall_picture_is_read_like_a_page(rapid: RapidEngine) -> None:
    document = printed(*LINES, size=(220, 36 + 18 * len(LINES)))
    read = sorted(rapid.read(photographed(document)), key=lambda line: line.bbox[1])
    assert character_error("\n".join(LINES), "\n".join(line.text for line in read)) < 0.01
    places = [line["bbox"] for block in document[0].get_text("dict")["blocks"] for line in block["lines"]]
    assert [line.bbox[1] for line in read] == pytest.approx([place[1] * 150 / 72 for place in places], abs=10)
