"""Pieces that flow become pages whose blocks index into their text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InputRefused
from ingest.readers.base import Break, Piece
from ingest.readers.parts import PART_BYTES, headed, pages_of, reading_of, table_pieces
from ingest.settings import ReadLimits
from ingest.types import BlockKind
from tests.readings import assert_sound, texts, told

ANY_TEXT = st.text(max_size=60)
PIECES = st.builds(Piece, st.sampled_from([BlockKind.TEXT, BlockKind.HEADING, BlockKind.LIST]), ANY_TEXT, st.integers(0, 6))
TABLES = st.lists(st.lists(ANY_TEXT, max_size=4), max_size=5).map(table_pieces).map(list)


def text(characters: int, sentence: str = "The rule holds for everybody. ") -> Piece:
    return Piece(BlockKind.TEXT, (sentence * (characters // len(sentence) + 1))[:characters])


@given(
    flow=st.lists(st.one_of(PIECES.map(lambda one: [one]), TABLES, st.sampled_from(Break).map(lambda one: [one])), max_size=12)
)
def test_pages_are_sound_whatever_flows(flow: list[list[Any]]) -> None:
    for number, page in enumerate(pages_of([piece for run in flow for piece in run]), start=1):
        assert page.number == number
        assert not page.has_picture
        assert_sound(page)


def test_a_break_ends_a_page_on_which_something_stands_and_an_empty_slide_keeps_its_number() -> None:
    one, two = Piece(BlockKind.TEXT, "one"), Piece(BlockKind.TEXT, "two")
    soft, hard = Break.IF_FILLED, Break.ALWAYS
    assert [page.text for page in pages_of([soft, one, soft, soft, two, soft])] == ["one", "two"]
    assert [page.text for page in pages_of([one, hard, hard, two, hard])] == ["one", "", "two"]


def test_a_part_ends_before_the_block_that_would_fill_it_over() -> None:
    flow = [text(1200) for _ in range(5)]
    assert [len(page.blocks) for page in pages_of(flow)] == [2, 2, 1]
    assert [len(page.blocks) for page in pages_of(flow, by_size=False)] == [5]


def test_a_heading_begins_a_part_where_half_of_one_is_filled() -> None:
    heading = Piece(BlockKind.HEADING, "2 Hotels", level=1)
    assert len(list(pages_of([text(1000), heading, text(500)]))) == 1
    assert [texts(page)[0][:8] for page in pages_of([text(2000), heading, text(500)])] == ["The rule", "2 Hotels"]


def test_chinese_fills_a_part_with_a_third_of_the_characters() -> None:
    pages = list(pages_of([text(400, "员工每年享有十五天带薪年假。") for _ in range(6)]))
    assert [len(page.blocks) for page in pages] == [2, 2, 2]


@pytest.mark.parametrize("sentence", ["The rule holds for everybody. ", "员工每年享有十五天带薪年假。", "x", "𠮷", "word "])
def test_a_text_without_end_is_cut_after_sentences_where_it_has_some(sentence: str) -> None:
    endless = sentence * (20_000 // len(sentence))
    pages = list(pages_of([Piece(BlockKind.TEXT, endless)]))
    assert all(len(page.text.encode()) <= PART_BYTES for page in pages)
    assert "".join(page.text for page in pages).replace(" ", "") == endless.replace(" ", "")
    if sentence.strip().endswith((".", "。")):
        assert all(page.text.endswith((".", "。")) for page in pages)


def test_a_long_table_is_cut_between_rows_and_keeps_its_header() -> None:
    rows = [["Article", "Price", "Stock"], *([f"KX-{number}", f"{number},50", "12"] for number in range(1000))]
    pages = list(pages_of(table_pieces(rows)))
    assert len(pages) > 3
    assert {page.blocks[0].rows[0] for page in pages} == {("Article", "Price", "Stock")}
    assert [row for page in pages for row in page.blocks[0].rows[1:]] == [tuple(row) for row in rows[1:]]


def test_a_table_of_numbers_has_no_header_to_repeat() -> None:
    pages = list(pages_of(table_pieces([[str(number), "12", "(4.5)"] for number in range(1000)])))
    assert sum(len(page.blocks[0].rows) for page in pages) == 1000


def test_empty_rows_and_columns_of_a_table_are_left_out() -> None:
    (table,) = table_pieces([["", "a", "", "b"], ["", "", "", ""], ["", "c\n d", " "]])
    assert table.rows == (("a", "b"), ("c d", ""))
    assert [piece.text for piece in table_pieces([["", "one"], ["", "two"]])] == ["one", "two"]
    assert list(table_pieces([["", " "]])) == []


def test_an_endless_heading_is_a_text() -> None:
    (page,) = pages_of([Piece(BlockKind.HEADING, "Travel " * 60, level=2), Piece(BlockKind.HEADING, " 3 \n Rules ", level=2)])
    assert [(block.kind, block.level) for block in page.blocks] == [(BlockKind.TEXT, 0), (BlockKind.HEADING, 2)]
    assert texts(page)[1] == "3 Rules"


def test_what_no_database_takes_is_not_in_the_text() -> None:
    (page,) = pages_of([Piece(BlockKind.TEXT, "a\x00b \ud800 c"), *table_pieces([["x\x00", "\udfff"], ["1", "2"]])])
    assert page.text == "ab \N{REPLACEMENT CHARACTER} c\n\nx | \N{REPLACEMENT CHARACTER}\n--- | ---\n1 | 2"


def test_a_page_can_be_given_a_heading() -> None:
    (page,) = pages_of([Piece(BlockKind.HEADING, "1", level=2), *table_pieces([["a", "b"], ["1", "2"]])])
    page = headed(page, "attached.csv")
    assert_sound(page)
    assert told(page)[0] == (BlockKind.HEADING, "attached.csv")
    assert [block.level for block in page.blocks] == [1, 2, 0]


def test_limits_are_told_with_what_is_allowed() -> None:
    flow = [text(2900) for _ in range(5)]
    with pytest.raises(InputRefused, match="more than 2 pages"):
        reading_of(flow, limits=ReadLimits(pages=2))
    with pytest.raises(InputRefused, match="longer than 6000 characters"):
        reading_of(flow, limits=ReadLimits(text_characters=6000))
    with pytest.raises(InputRefused, match="no text"):
        reading_of([Piece(BlockKind.TEXT, " \n "), Break.ALWAYS], limits=ReadLimits())
