"""How sure the engine is of a recognised word can be seen, and its text stays whole."""

from __future__ import annotations

import re

import pytest

from eval.parsing.confidence import band_of, coloured, doubtful_boxes
from ingest.types import Line, Page, Word

TEXT = "Pay 27 <days> a year"
WORDS = (
    Word(0, 3, 0.99),
    Word(4, 6, 0.97),
    Word(7, 13, 0.5),
    Word(14, 15, 0.9),
    Word(16, 20, 0.99),
)
LINE = Line(0, len(TEXT), (0.0, 0.0, 200.0, 10.0))


def page(*words: Word) -> Page:
    return Page(1, 595.0, 842.0, TEXT, lines=(LINE,), ocr=True, words=words)


@pytest.mark.parametrize(
    ("confidence", "band"), [(1.0, "sure"), (0.95, "sure"), (0.94, "fair"), (0.8, "fair"), (0.79, "poor"), (0.0, "poor")]
)
def test_a_confidence_has_one_band(confidence: float, band: str) -> None:
    assert band_of(confidence) == band


def test_neighbours_of_one_band_stand_together_with_the_lowest_confidence() -> None:
    assert coloured(page(*WORDS), 0, len(TEXT)) == (
        '<span class="sure" title="0.97">Pay 27</span> <span class="poor" title="0.50">&lt;days&gt;</span> '
        '<span class="fair" title="0.90">a</span> <span class="sure" title="0.99">year</span>'
    )


def test_nothing_of_the_text_is_lost_where_words_lie_outside_or_are_unsorted() -> None:
    shown = coloured(page(*reversed(WORDS)), 4, 15)
    assert re.sub("<[^>]*>", "", shown) == "27 &lt;days&gt; a"
    assert coloured(page(), 0, len(TEXT)) == "Pay 27 &lt;days&gt; a year"


def test_only_doubtful_words_are_marked_in_the_picture() -> None:
    ((left, _, right, _),) = doubtful_boxes(page(*WORDS))
    assert (left, right) == (70.0, 130.0)
