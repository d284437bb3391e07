"""Tables are found by their grids, their rules or their columns alone; what only looks like one is none; numbers are exact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from ingest.cell_text import cell_text
from ingest.chunk_size import ChunkSize
from ingest.chunking import split
from ingest.lines import PrintedWord
from ingest.page_table import TableOnPage, header_row_count, header_text
from ingest.pdf import open_pdf, read_pages
from ingest.rulings import Rules
from ingest.settings import ReadLimits
from ingest.table_grid import grid_of
from ingest.types import Block, BlockKind, Page

ROWS = [
    ["Country", "2021", "2022", "2023"],
    ["Austria", "86.2", "1,013.8", "(0.4)"],
    ["Belgium", "0", "21,012", "100.0"],
    ["Czech Republic", "98.6", "1.4", "17,655"],
    ["Denmark", "3.1", "10.2", "86.7"],
]
PROSE = "All figures of the year before were checked again and are shown as they were found"


def read(document: Any, folder: Path) -> Page:
    path = folder / "file.pdf"
    document.save(path)
    with open_pdf(path, limits=ReadLimits()) as opened:
        return next(read_pages(opened, limits=ReadLimits()))


def tables(page: Page) -> list[Block]:
    return [block for block in page.blocks if block.kind is BlockKind.TABLE]


def drawn(rows: Sequence[Sequence[str]] = (), *, width: float = 100, step: float = 16) -> tuple[Any, Any]:
    """A document and its page, the rows printed from (80, 200) on between two lines of text."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((80, 150), PROSE)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            page.insert_text((80 + column * width, 200 + number * step), text, fontsize=10)
    page.insert_text((80, 230 + len(rows) * step), PROSE)
    return document, page


def rule(page: Any, y: float, *, left: float = 80, right: float = 440) -> None:
    page.draw_line((left, y), (right, y))


def test_columns_alone_make_a_table(tmp_path: Path) -> None:
    (table,) = tables(read(drawn(ROWS)[0], tmp_path))
    assert table.rows == tuple(map(tuple, ROWS))


def test_three_rules_make_a_table_with_a_wrapped_header_as_one_row(tmp_path: Path) -> None:
    rows = [["", "Share of", "Number of"], ["Country", "members", "cases"], ["Austria", "yes", "many"], ["Belgium", "no", "few"]]
    document, page = drawn(rows)
    for y in (188, 222, 252):
        rule(page, y)
    (table,) = tables(read(document, tmp_path))
    assert table.rows == (
        ("Country", "Share of members", "Number of cases"),
        ("Austria", "yes", "many"),
        ("Belgium", "no", "few"),
    )


def test_a_cell_of_a_grid_that_takes_two_columns_says_so(tmp_path: Path) -> None:
    document, page = drawn([["", "Both years", ""], ["Unit", "2022", "2023"], ["Pump", "7", "8"]])
    for box in ((80, 188, 180, 204), (180, 188, 380, 204)):
        page.draw_rect(pymupdf.Rect(box))
    for top in (204, 220):
        for left in (80, 180, 280):
            page.draw_rect(pymupdf.Rect(left, top, left + 100, top + 16))
    (table,) = tables(read(document, tmp_path))
    assert table.spans == ((0, 1, 1, 2),)
    assert table.rows[0] == ("", "Both years", "")


def test_shaded_columns_do_not_make_one_row_of_many(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    for column in (1, 3):
        box = pymupdf.Rect(70 + column * 100, 186, 150 + column * 100, 270)
        page.draw_rect(box, fill=(0.9, 0.9, 0.9), color=(0.8, 0.8, 0.8))
        page.draw_line((box.x0, 204), (box.x1, 204))
    for number, row in enumerate(ROWS):
        for column, text in enumerate(row):
            page.insert_text((80 + column * 100, 200 + number * 16), text, fontsize=10)
    (table,) = tables(read(document, tmp_path))
    assert table.rows == tuple(map(tuple, ROWS))


def test_text_in_two_columns_is_no_table(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    for number in range(12):
        for left in (60, 320):
            page.insert_text((left, 100 + 13 * number), "and so the text goes on, for long, in this way", fontsize=10)
    assert tables(read(document, tmp_path)) == []


def test_figures_in_a_drawing_are_no_table(tmp_path: Path) -> None:
    document, page = drawn([["10.5", "20.5", "30.5"], ["40.1", "50.1", "60.1"], ["70.2", "80.2", "90.2"]])
    for x in (90, 150, 210):
        page.draw_line((x, 236), (x + 50, 190))
    assert tables(read(document, tmp_path)) == []


def test_text_under_a_figures_name_is_no_table(tmp_path: Path) -> None:
    document, page = drawn([["10.5", "20.5", "30.5"], ["40.1", "50.1", "60.1"], ["70.2", "80.2", "90.2"]])
    page.insert_text((80, 180), "Figure 2: Sales by quarter", fontsize=10)
    assert tables(read(document, tmp_path)) == []


def words(*printed: tuple[float, float, str]) -> list[PrintedWord]:
    return [PrintedWord(text, (x, y, x + 5.0 * len(text), y + 12)) for x, y, text in printed]


def test_a_sign_of_currency_belongs_to_the_figure_far_to_its_right() -> None:
    made = words(
        *((80, y, label) for y, label in ((100, "Sales"), (114, "Costs"), (128, "Profit"))),
        *((x, y, "$") for x in (200, 300) for y in (100, 128)),
        *((x, y, "1,234") for x in (230, 330) for y in (100, 114, 128)),
    )
    table = grid_of(made, Rules(), ruled=False)
    assert table is not None
    assert table.rows == (("Sales", "$ 1,234", "$ 1,234"), ("Costs", "1,234", "1,234"), ("Profit", "$ 1,234", "$ 1,234"))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["215,768,64", "3"], "215,768,643"),
        (["329,771,113.", "20"], "329,771,113.20"),
        (["-703", ",637"], "-703,637"),
        (["10", "1,234"], "10 1,234"),
        (["1,234", "567"], "1,234 567"),
        (["2019", "2020"], "2019 2020"),
        (["净利", "润"], "净利润"),
        (["net", "sales"], "net sales"),
    ],
)
def test_a_number_broken_in_a_narrow_cell_is_whole_and_two_numbers_stay_two(lines: list[str], text: str) -> None:
    assert cell_text(lines) == text


def test_header_rows_name_columns_and_hold_no_figure_but_years() -> None:
    assert header_row_count(ROWS) == 1
    assert header_row_count(ROWS[1:]) == 0
    two = [["", "Three months", ""], ["Unit", "2022", "2023"], ["Pump", "7", "8"]]
    assert header_row_count(two) == 2
    assert header_text(two) == "Unit | Three months 2022 | 2023"


def test_a_table_from_right_to_left_has_its_first_column_first() -> None:
    boxes = tuple(tuple((x, y, x + 9, y + 9) for x in (0.0, 10.0, 20.0)) for y in (0.0, 10.0))
    table = TableOnPage((0, 0, 29, 19), (("all", "", "x"), ("c", "b", "a")), boxes, ((0, 0, 1, 2),))
    mirrored = table.mirrored()
    assert mirrored.rows == (("x", "all", ""), ("a", "b", "c"))
    assert mirrored.spans == ((0, 1, 1, 2),)
    assert mirrored.cell_boxes[1][0] == boxes[1][2]
    assert mirrored.mirrored() == table


def test_a_long_table_says_its_columns_again_where_it_is_cut() -> None:
    rows = (("Unit", "Pressure"), *((f"Pump {number}", f"{number} bar") for number in range(40)))
    written = [" | ".join(row) for row in rows]
    text = "\n".join([written[0], "--- | ---", *written[1:]])
    page = Page(1, 595, 842, text, (Block(BlockKind.TABLE, 0, len(text), (60, 60, 500, 700), rows),))
    chunks = split([page], ChunkSize(tokens=45))
    assert len(chunks) > 2
    assert chunks[0].text.startswith("Unit | Pressure\n--- | ---\nPump 0 | 0 bar")
    assert [chunk.headings for chunk in chunks] == [(), *[("Unit | Pressure",)] * (len(chunks) - 1)]
    assert all(chunk.text == page.text[chunk.start : chunk.end] for chunk in chunks)
