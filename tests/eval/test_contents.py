from __future__ import annotations

import pytest

from eval.contents import is_caption, is_contents, without_contents
from eval.quoting import select_quotes
from ingest.types import Hit

TABLE = "Contents | \n--- | ---\n1 About this handbook | 3\n2 Working time | 4\n2.1 Hours | 4\n3 Leave | 5"
LED = "目录\n\n第一节重要提示.........2 第二节公司简介.........8 第三节业务概要.........12 第四节分析.........14"
LINES = "1. Scope ..... 3\n2. Terms ..... 4\n3. Payment ..... 4\nAnnex A Prices ..... 11"


def hit(text: str, chunk: str = "c1") -> Hit:
    return Hit("a.pdf", "a", 1, 1, chunk, 1.0, text, 0, ())


@pytest.mark.parametrize("text", [TABLE, TABLE.replace("Contents", "目录"), LED, LINES])
def test_a_table_of_contents_is_told_by_its_entries(text: str) -> None:
    assert is_contents(text)


@pytest.mark.parametrize(
    "text",
    [
        "Year | Pumps\n--- | ---\n2021 | 12\n2022 | 15\n2023 | 18\n2024 | 22",  # rising figures
        "Type | Weight\n--- | ---\nKX-200 | 48\nKX-350 | 77\nKX-500 | 96\nHV-40 | 12",
        "1 Scope | 3\n2 Terms | 4",  # too few
        "3 Leave\n\nFull-time staff are entitled to 27 working days of paid holiday in each calendar year.",
        "",
    ],
)
def test_other_tables_and_texts_are_none(text: str) -> None:
    assert not is_contents(text)


def test_contents_are_left_out_where_there_is_anything_else() -> None:
    assert without_contents([hit(TABLE), hit("The oil is changed every 2,000 hours.", "c2")]) == [
        hit("The oil is changed every 2,000 hours.", "c2")
    ]
    assert without_contents([hit(TABLE)]) == [hit(TABLE)]


@pytest.mark.parametrize(
    "text", ["Table 1: Hotel ceilings", "Figure A-1. Head over flow.", "表一 住宿限额（每人每晚）", "图1：流量特性曲线。"]
)
def test_a_caption_is_told_from_a_sentence(text: str) -> None:
    assert is_caption(text)


@pytest.mark.parametrize(
    "text", ["Table 3 shows the ceilings.", "表3列出了各地的限额。", "Tables are in Annex A.", "力矩见表2。"]
)
def test_a_sentence_about_a_table_is_no_caption(text: str) -> None:
    assert not is_caption(text)


def test_a_caption_is_not_quoted() -> None:
    text = "Table 1: Hotel ceilings per night\n\nCity | Hotel ceiling\n--- | ---\nLondon | GBP 210"
    quotes = select_quotes("What is the hotel ceiling per night?", [hit(text)], limit=3)
    assert quotes
    assert "Table 1: Hotel ceilings per night" not in {quote.text for quote in quotes}
