"""A picture is read where the text layer does not say what it shows, and only there."""

from __future__ import annotations

from typing import Any

import pymupdf
import pytest

from ingest.layout import page_from_row, page_to_row
from ingest.ocr.rapid import RapidEngine
from ingest.pdf import read_pages
from ingest.settings import ReadLimits
from ingest.types import Page
from tests.scans import CHINESE, ENGLISH, ScriptedEngine, line, photographed, png_of, printed, scanned

READ = line("read from the picture", 20, 20, 400, 45, confidence=0.9)
LONG = ("The company pays for all travel.", "Receipts are kept for ten years.")


def read(document: Any, engine: Any) -> list[Page]:
    return list(read_pages(document, limits=ReadLimits(), ocr=engine))


def with_image(document: Any, *box: float, text: str = "in a picture") -> Any:
    stream = png_of(photographed(printed(text, size=(200, 60), points=16)))
    document[0].insert_image(pymupdf.Rect(box), stream=stream, keep_proportion=False)
    return document


def test_a_page_with_a_text_layer_is_not_read() -> None:
    engine = ScriptedEngine(READ)
    (page,) = read(printed(*LONG), engine)
    assert engine.asked == []
    assert not page.ocr
    assert page.confidence == 1


def test_a_blank_page_is_not_read() -> None:
    engine = ScriptedEngine(READ)
    document = pymupdf.open()
    document.new_page()
    assert read(document, engine)[0].text == ""
    assert engine.asked == []


def test_a_scan_is_read_whole_and_its_words_keep_their_confidence() -> None:
    (page,) = read(scanned(printed(*LONG)), ScriptedEngine(READ))
    assert page.ocr
    assert page.text == READ.text
    assert [(page.text[word.start : word.end], word.confidence) for word in page.words] == [(READ.text, 0.9)]
    assert page.lines[0].bbox == pytest.approx([x * 72 / 150 for x in READ.bbox], abs=0.1)
    assert page_from_row(type("Row", (), page_to_row("", page))) == page


def test_letters_drawn_as_shapes_are_read() -> None:
    drawn = pymupdf.open("pdf", pymupdf.open("svg", printed(*LONG)[0].get_svg_image().encode()).convert_to_pdf())
    (page,) = read(drawn, ScriptedEngine(READ))
    assert page.text == READ.text


def test_a_garbage_text_layer_is_replaced() -> None:
    document = printed("\ue001\ue002\ue003\ue004\ue005" * 8)
    document[0].insert_htmlbox((20, 60, 290, 110), "\ue001\ue002\ue003\ue004\ue005" * 8)
    (page,) = read(document, ScriptedEngine(READ))
    assert (page.text, page.ocr) == (READ.text, True)


def test_a_garbage_text_layer_that_cannot_be_read_either_stays() -> None:
    document = printed("x")
    document[0].insert_htmlbox((20, 60, 290, 110), "\ue001\ue002\ue003\ue004\ue005" * 8)
    (page,) = read(document, ScriptedEngine(line("?", 0, 0, 10, 10, confidence=0.2)))
    assert not page.ocr
    assert "\ufffd" * 40 in page.text


def test_an_image_with_text_is_read_beside_the_text_layer() -> None:
    document = with_image(printed(*LONG, size=(300, 300)), 30, 100, 270, 200)
    (page,) = read(document, ScriptedEngine(line("in a picture", 50, 50, 300, 90)))
    assert page.text == " ".join(LONG) + "\n\nin a picture"
    assert page.ocr
    assert [page.text[word.start : word.end] for word in page.words] == ["in a picture"]
    assert page.lines[-1].bbox == pytest.approx((30 + 24, 100 + 24, 30 + 144, 100 + 43.2), abs=0.5)


def test_an_image_on_a_page_whose_text_stands_on_its_side_is_read_upright() -> None:
    document = with_image(printed(*LONG, size=(300, 300)), 30, 100, 270, 200)
    document[0].set_rotation(90)
    upright = pymupdf.open("pdf", document.tobytes())
    upright[0].remove_rotation()
    (page,) = read(upright, ScriptedEngine(line("in a picture", 50, 50, 300, 90)))
    assert page.text == " ".join(LONG) + "\n\nin a picture"
    assert page.lines[-1].bbox == pytest.approx((300 - 100 - 43.2, 30 + 24, 300 - 100 - 24, 30 + 144), abs=0.5)


def test_an_image_that_stands_on_every_page_is_read_once() -> None:
    engine = ScriptedEngine(READ)
    document = with_image(printed(*LONG, size=(300, 300)), 30, 100, 270, 200)
    for _ in range(3):
        document.fullcopy_page(0)
    assert len(read(document, engine)) == 4
    assert len(engine.asked) == 1


def test_a_logo_is_not_read() -> None:
    engine = ScriptedEngine(READ)
    read(with_image(printed(*LONG, size=(600, 800)), 500, 20, 560, 50), engine)
    assert engine.asked == []


def test_an_image_behind_the_text_layer_is_not_read_again() -> None:
    """A scan that somebody made searchable."""
    engine = ScriptedEngine(READ)
    document = scanned(printed(*LONG))
    for number, text in enumerate(LONG):
        document[0].insert_text((30, 36 + 18 * number), text, fontsize=12, render_mode=3)
    (page,) = read(document, engine)
    assert engine.asked == []
    assert page.text == " ".join(LONG)


def test_a_scan_with_a_printed_page_number_is_read() -> None:
    document = scanned(printed(*LONG, size=(600, 800)))
    document[0].insert_text((300, 780), "17", fontsize=10)
    (page,) = read(document, ScriptedEngine(READ, line("17", 620, 1605, 650, 1630)))
    assert page.text == f"{READ.text}\n\n17"


def test_the_strips_of_one_scan_are_read_as_one_picture() -> None:
    engine = ScriptedEngine(READ)
    document = printed("17", size=(300, 400), points=8)
    for top in range(60, 360, 20):
        with_image(document, 0, top, 300, top + 20, text=str(top))
    read(document, engine)
    assert engine.asked == [pytest.approx((625, 625), abs=2)]


def test_real_scans_of_both_languages_are_read_word_for_word(rapid: RapidEngine) -> None:
    (english,) = read(scanned(printed(*ENGLISH)), rapid)
    assert english.text.replace("\n", " ") == " ".join(ENGLISH)
    assert english.confidence > 0.9
    (chinese,) = read(scanned(printed(*CHINESE)), rapid)
    assert chinese.text.replace("\n", "") == "".join(CHINESE)
