"""What the lines of a page are: headings, lists, captions, footnotes; and what all pages together tell of them."""

from __future__ import annotations

import pytest

from ingest.cleaning import content_blocks, mark_running
from ingest.composition import compose
from ingest.lines import PrintedLine
from ingest.outline import with_levels
from ingest.types import BlockKind, Page

BODY = "The quick brown fox jumps over the lazy dog and goes on to the very end of this line"


def line(text: str, top: float, *, left: float = 60, right: float = 540, size: float = 10, bold: bool = False) -> PrintedLine:
    return PrintedLine(text, (left, top, right, top + 1.2 * size), size, bold)


def page(*lines: PrintedLine, number: int = 1) -> Page:
    return compose(lines, number=number, width=600, height=800)


def blocks(one: Page) -> list[tuple[BlockKind, str]]:
    return [(block.kind, one.text[block.start : block.end]) for block in one.blocks]


def test_lines_close_to_each_other_are_a_paragraph_and_space_ends_it() -> None:
    read = page(line(BODY, 100), line(f"{BODY}.", 112), line(BODY, 140))
    assert blocks(read) == [(BlockKind.TEXT, f"{BODY} {BODY}."), (BlockKind.TEXT, BODY)]


def test_an_indented_line_after_a_full_stop_begins_a_paragraph() -> None:
    read = page(line(BODY, 100), line(f"{BODY}.", 112), line(BODY, 124, left=80), line(BODY, 136))
    assert [kind for kind, _ in blocks(read)] == [BlockKind.TEXT, BlockKind.TEXT]


@pytest.mark.parametrize("text", ["Figure 3: Sales by region", "Table 2.1 Staff by country", "图 1 组织结构", "表2：主要指标"])
def test_a_figures_or_tables_name_is_a_caption(text: str) -> None:
    read = page(line(BODY, 100), line(text, 150, right=300))
    assert blocks(read)[-1] == (BlockKind.CAPTION, text)


def test_a_sentence_that_speaks_of_a_table_is_no_caption() -> None:
    read = page(line("Table 8.14 gives the market shares of the leading retailers in that year and the next", 100))
    assert blocks(read)[0][0] is BlockKind.TEXT


def test_small_print_with_a_mark_at_the_foot_is_a_footnote() -> None:
    note = "1 Projects whose cost exceeded a million."
    read = page(line(BODY, 100), line(BODY, 112), line(note, 700, right=300, size=8))
    assert blocks(read)[-1] == (BlockKind.FOOTNOTE, note)


def test_the_items_of_a_list_are_lines_of_one_block() -> None:
    read = page(line("• Passport and visa", 100), line("• Tickets", 114), line("• Money", 128), line(BODY, 160))
    assert blocks(read)[0] == (BlockKind.LIST, "• Passport and visa\n• Tickets\n• Money")


def test_a_hyphen_at_a_lines_end_stays_as_printed() -> None:
    assert page(line("It is a mat-", 100), line("ter of taste", 112)).text == "It is a mat-\nter of taste"


def test_headings_are_as_deep_as_their_size_weight_and_number_say() -> None:
    first = page(
        line("Handbook", 60, size=20),
        line("1 Travel", 100, size=14, bold=True),
        line("1.1 Hotels", 130, size=14, bold=True),
        line(BODY, 160),
        line("Remarks", 200, right=120, bold=True),
        line(BODY, 220),
    )
    second = page(line("2 Safety", 100, size=14.3, bold=True), line(BODY, 130), line(BODY, 142), number=2)
    levels = [block.level for one in with_levels([first, second]) for block in one.blocks if block.kind is BlockKind.HEADING]
    assert levels == [1, 2, 3, 4, 2]


def test_chinese_chapters_are_headings_one_under_the_other() -> None:
    text = "公司在报告期内严格按照有关法律法规的要求，不断完善法人治理结构，建立健全内部管理和控制制度。"
    read = page(
        line("第三节 公司业务概要", 100, right=200), line(text, 130), line("一、主要业务", 160, right=150), line(text, 190)
    )
    headings = [(block.level, read.text[block.start : block.end]) for block in with_levels([read])[0].blocks if block.level]
    assert headings == [(1, "第三节 公司业务概要"), (2, "一、主要业务")]


def test_running_heads_and_page_numbers_are_marked_and_are_no_content() -> None:
    pages = [
        page(
            line("Annual report" if number % 2 else "Our company", 20, right=150),
            line(f"{BODY} {number}.", 300),
            line(str(number), 780, left=290, right=300),
            number=number,
        )
        for number in range(1, 8)
    ]
    for marked in mark_running(pages):
        assert [block.kind for block in marked.blocks] == [BlockKind.HEADER, BlockKind.TEXT, BlockKind.FOOTER]
    assert mark_running(mark_running(pages)) == mark_running(pages)
    assert all([block.kind for block in kept] == [BlockKind.TEXT] for kept in content_blocks(pages))


def test_what_stands_in_the_margin_of_two_pages_only_is_content() -> None:
    texts = ["Annual report", "Annual report", *"Purpose Scope Terms Duties Annex".split()]
    pages = [page(line(text, 20), number=number) for number, text in enumerate(texts, start=1)]
    assert {block.kind for one in mark_running(pages) for block in one.blocks} == {BlockKind.TEXT}
