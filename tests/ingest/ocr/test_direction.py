"""A page that lies on its side or its head is read upright, and its boxes are where they are on the page as it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.layout import boxes_of_span
from ingest.ocr.direction import read_upright
from ingest.ocr.rapid import RapidEngine
from ingest.pdf import read_pages
from ingest.settings import ReadLimits
from tests.scans import ENGLISH, ScriptedEngine, line, photographed, printed, scanned


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_page_is_read_upright_however_it_lies(turn: int, rapid: RapidEngine) -> None:
    (page,) = read_pages(scanned(printed(*ENGLISH), turn=turn), limits=ReadLimits(), ocr=rapid)
    assert page.ocr
    assert page.text.split() == " ".join(ENGLISH).split()
    assert (page.width, page.height) == ((120, 300) if turn in (90, 270) else (300, 120))
    (x0, y0, x1, y1) = page.lines[0].bbox
    middle = (x0 + x1) / 2, (y0 + y1) / 2
    expected = {0: (117, 32), 90: (88, 117), 180: (183, 88), 270: (32, 183)}[turn]
    assert middle == pytest.approx(expected, abs=6)


def test_a_page_that_is_read_with_confidence_is_read_once(rapid: RapidEngine) -> None:
    engine = ScriptedEngine(line("Annual leave", 10, 10, 200, 30))
    turn, _ = read_upright(photographed(printed("x")), engine)
    assert turn == 0
    assert len(engine.asked) == 1


def test_an_unsure_page_is_tried_on_its_head_in_a_strip_of_it() -> None:
    engine = ScriptedEngine(line("Annual leave", 10, 100, 200, 112, confidence=0.4))
    turn, _ = read_upright(photographed(printed("x", size=(300, 800))), engine)
    assert turn == 0
    (page, *strips) = engine.asked
    assert len(strips) == 2
    assert all(strip[1] < page[1] / 4 for strip in strips)


def test_a_line_that_runs_up_the_page_is_marked_whole(rapid: RapidEngine, tmp_path: Path) -> None:
    (page,) = read_pages(scanned(printed(*ENGLISH), turn=270), limits=ReadLimits(), ocr=rapid)
    assert boxes_of_span(page, 0, 6) == (page.lines[0].bbox,)
