"""A ruled table of a scan is a table, its cells what stands in them; nothing that was read is lost to it."""

from __future__ import annotations

import pymupdf

from ingest.pdf import read_pages
from ingest.settings import ReadLimits
from ingest.types import BlockKind, Page
from tests.scans import ScriptedEngine, line, scanned

PIXELS = 150 / 72
COLUMNS = (40.0, 140.0, 220.0, 300.0)
ROWS = (60.0, 85.0, 125.0, 150.0)


def read(*texts: tuple[str, float, float], ruled: bool = True) -> Page:
    """A scan of a 3 × 3 grid, or of none, with each text's line beginning at its place."""
    document = pymupdf.open()
    page = document.new_page(width=340, height=220)
    page.insert_text((40, 200), "ink")
    if ruled:
        for x in COLUMNS:
            page.draw_line((x, ROWS[0]), (x, ROWS[-1]))
        for y in ROWS:
            page.draw_line((COLUMNS[0], y), (COLUMNS[-1], y))
    lines = [line(t, x * PIXELS, y * PIXELS, (x + 6 * len(t)) * PIXELS, (y + 12) * PIXELS) for t, x, y in texts]
    (read_page,) = read_pages(scanned(document), limits=ReadLimits(), ocr=ScriptedEngine(*lines))
    return read_page


CELLS = [
    ("item", 45.0, 65.0),
    ("2023", 145.0, 65.0),
    ("2022", 225.0, 65.0),
    ("net sales", 45.0, 88.0),
    ("and other", 45.0, 104.0),
    ("21,012", 145.0, 96.0),
    ("19,480", 225.0, 96.0),
    ("tax", 45.0, 130.0),
    ("(552)", 145.0, 130.0),
]


def test_the_cells_of_a_scanned_table_hold_what_stands_in_them() -> None:
    page = read(("before", 40, 30), *CELLS, ("after", 40, 170))
    assert [block.kind for block in page.blocks] == [BlockKind.TEXT, BlockKind.TABLE, BlockKind.TEXT]
    assert page.blocks[1].rows == (("item", "2023", "2022"), ("net sales and other", "21,012", "19,480"), ("tax", "(552)", ""))
    assert (page.text[:6], page.text[-5:]) == ("before", "after")


def test_the_words_of_a_cell_keep_their_confidence() -> None:
    page = read(*CELLS)
    assert {page.text[word.start : word.end] for word in page.words} == {text for text, _, _ in CELLS}


def test_lines_close_above_a_table_are_not_drawn_into_it() -> None:
    page = read(("heading", 45, 46), *CELLS)
    assert page.text.startswith("heading\n\nitem | 2023")


def test_figures_in_columns_are_a_table_without_rules_too() -> None:
    rows = (("item", "2023", "2022"), ("net sales", "21,012", "19,480"), ("tax", "(552)", "(498)"))
    cells = [
        (text, x, 65.0 + 18 * row) for row, texts in enumerate(rows) for text, x in zip(texts, (45.0, 145.0, 225.0), strict=True)
    ]
    page = read(("before", 40, 20), *cells, ("after", 40, 190), ruled=False)
    assert [block.kind for block in page.blocks] == [BlockKind.TEXT, BlockKind.TABLE, BlockKind.TEXT]
    assert page.blocks[1].rows == rows


def test_running_text_in_a_frame_is_no_table() -> None:
    page = read(*((f"a line of text, number {number}", 45.0, 65.0 + 20 * number) for number in range(4)))
    assert all(block.kind is not BlockKind.TABLE for block in page.blocks)
