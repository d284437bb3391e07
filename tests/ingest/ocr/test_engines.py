"""Every engine gives the lines of a picture, each at its place, with its words and how sure it is of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest

from eval.metrics.text_distance import character_error
from ingest.errors import Unavailable
from ingest.ocr import rapid as rapid_module
from ingest.ocr.base import WORD, OcrEngine, confidence_of
from ingest.ocr.engines import engine_of
from ingest.ocr.rapid import RapidEngine
from ingest.ocr.tesseract import TesseractEngine, lines_of
from ingest.settings import OcrSettings
from tests.scans import CHINESE, ENGLISH, photographed, printed

WITH_TESSERACT = pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")


@pytest.fixture(params=["rapidocr", pytest.param("tesseract", marks=WITH_TESSERACT)])
def engine(request: pytest.FixtureRequest, rapid: RapidEngine) -> OcrEngine:
    return rapid if request.param == "rapidocr" else TesseractEngine(languages="eng")


def test_what_is_printed_is_read_at_its_place(engine: OcrEngine) -> None:
    document = printed(*ENGLISH)
    lines = sorted(engine.read(photographed(document)), key=lambda line: line.bbox[1])
    assert character_error("\n".join(ENGLISH), "\n".join(line.text for line in lines)) < 0.02
    places = [line["bbox"] for block in document[0].get_text("dict")["blocks"] for line in block["lines"]]
    for line, place in zip(lines, places, strict=True):
        left, top, right, bottom = (points * 150 / 72 for points in place)
        assert line.bbox[::2] == pytest.approx((left, right), abs=4)
        assert line.bbox[1::2] == pytest.approx((top, bottom), abs=10)  # from the top of the font, or of its letters


def test_words_are_spans_of_the_line_with_a_confidence(engine: OcrEngine) -> None:
    lines = engine.read(photographed(printed(*ENGLISH)))
    words = [line.text[word.start : word.end] for line in lines for word in line.words]
    assert {"Annual", "leave", "15", "writing,"} <= set(words)
    assert all(0 <= word.confidence <= 1 for line in lines for word in line.words)
    assert confidence_of(word for line in lines for word in line.words) > 0.9


def test_a_picture_without_text_has_no_lines(engine: OcrEngine) -> None:
    assert list(engine.read(numpy.full((200, 300, 3), 255, numpy.uint8))) == []


def test_chinese_is_read_without_any_choice_of_language(rapid: RapidEngine) -> None:
    lines = sorted(rapid.read(photographed(printed(*CHINESE))), key=lambda line: line.bbox[1])
    assert character_error("".join(CHINESE), "".join(line.text for line in lines)) < 0.02


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Net sales of $21,012.5 million", ["Net", "sales", "of", "$21,012.5", "million"]),
        ("合同金额为1,200万元，含税。", ["合同金额为", "1,200", "万元", "含税"]),
        ("（见附件A）", ["见附件", "A"]),
    ],
)
def test_a_word_is_what_a_reader_would_call_one(text: str, words: list[str]) -> None:
    assert WORD.findall(text) == words


def test_a_package_without_its_weights_is_told_and_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rapid_module, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    with pytest.raises(Unavailable, match="holds no weights PP-OCR"):
        RapidEngine().read(photographed(printed("x")))
    monkeypatch.setattr(rapid_module, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="not installed"):
        RapidEngine().read(photographed(printed("x")))


def test_tesseract_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match=r"tesseract is not installed.*ocr\.engine"):
        TesseractEngine(languages="eng").read(photographed(printed("x")))


def test_tesseract_s_table_of_words_becomes_lines() -> None:
    header = "level page_num block_num par_num line_num word_num left top width height conf text".replace(" ", "\t")
    rows = [
        "4 1 1 1 1 0 10 20 200 14 -1 ",
        "5 1 1 1 1 1 10 20 60 14 96.5 Annual",
        '5 1 1 1 1 2 80 21 130 13 40 "leave"',
        "5 1 1 1 2 1 10 40 20 14 90 年",
        "5 1 1 1 2 2 30 40 20 14 80 假",
        "5 1 1 1 2 3 55 40 20 14 -1  ",
    ]
    first, second = lines_of("\n".join([header, *(row.replace(" ", "\t", 11) for row in rows)]))
    assert (first.text, first.bbox) == ('Annual "leave"', (10, 20, 210, 34))
    assert [(word.start, word.end, word.confidence) for word in first.words] == [(0, 6, 0.96), (7, 14, 0.4)]
    assert second.text == "年假"


def test_the_settings_choose_the_engine() -> None:
    assert isinstance(engine_of(OcrSettings()), RapidEngine)
    assert isinstance(engine_of(OcrSettings(engine="tesseract")), TesseractEngine)
    assert engine_of(OcrSettings(engine="none")) is None
