"""Excel: the values as Excel shows them, sheet by sheet."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pytest
import xlsxwriter

from ingest.readers.sheets import shown_value
from ingest.types import BlockKind
from tests.office import xlsx
from tests.readings import member, pages_of, read, texts, with_member


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (3, "General", "3"),
        (1.0, "General", "1"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (2.5, "0", "3"),
        (-2.5, "#,##0", "-3"),
        (0.075, "0.0%", "7.5%"),
        (1, "0%", "100%"),
        (1234.5, '"¥"#,##0.00', "¥1,234.50"),
        (1234.5, "[$€-407] #,##0.0", "€1,234.5"),
        (7, '0"元"', "7元"),
        (-5, "#,##0.00;[Red]-#,##0.00", "-5.00"),
        (5, '_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)', "5"),
        (2.50, "0.0##", "2.5"),
        (12, "00000", "00012"),
        (1234567, "#,##0,", "1234567"),
        (0.5, "# ?/?", "0.5"),
        (12.5, "0.00E+00", "12.5"),
        (1e300, "0", "1e+300"),
        (True, "General", "TRUE"),
        ("#DIV/0!", "General", "#DIV/0!"),
        (datetime.datetime(2026, 1, 2), "yyyy/m/d", "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 9, 30), "General", "2026-01-02 09:30"),
        (datetime.datetime(2026, 1, 2, 9, 30, 5), "General", "2026-01-02 09:30:05"),
        (datetime.time(9, 30), "h:mm", "09:30:00"),
    ],
)
def test_a_value_is_read_as_excel_shows_it(value: object, number_format: str, shown: str) -> None:
    assert shown_value(value, number_format) == shown


def test_every_sheet_begins_a_page_under_its_name_with_its_tables(tmp_path: Path) -> None:
    prices = [["Article", "Price"], ["KX-1", 1234.5], [], ["Note"], ["Prices in euro", "without tax"]]
    data = xlsx({"价格": prices, "Stock": [["KX-1", 4]], "Empty": []}, formats={(1, 1): "#,##0.00"})
    first, second, third = pages_of(data, "prices.xlsx", tmp_path)
    assert texts(first) == [
        "价格",
        "Article | Price\n--- | ---\nKX-1 | 1,234.50",
        "Note | \n--- | ---\nPrices in euro | without tax",
    ]
    assert texts(second) == ["Stock", "KX-1 | 4\n--- | ---"]
    assert texts(third) == ["Empty"]
    assert [block.kind for block in first.blocks] == [BlockKind.HEADING, BlockKind.TABLE, BlockKind.TABLE]


def test_a_long_sheet_is_several_pages_with_the_header_row_on_each(tmp_path: Path) -> None:
    rows = [["Article", "Price"], *([f"KX-{number}", number] for number in range(600))]
    pages = pages_of(xlsx({"Prices": rows}), "x.xlsx", tmp_path)
    assert len(pages) > 2
    assert {page.blocks[-1].rows[0] for page in pages} == {("Article", "Price")}


def test_hidden_sheets_are_named_and_not_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        workbook.add_worksheet("Shown").write(0, 0, "seen")
        hidden = workbook.add_worksheet("Margins")
        hidden.write(0, 0, "secret")
        hidden.hide()
        workbook.set_properties({"title": "Prices 2026"})
    reading = read(file.getvalue(), "x.xlsx", tmp_path)
    assert [page.text for page in reading.pages] == ["Shown\n\nseen"]
    assert reading.warnings == ("hidden sheets were not read: Margins",)
    assert reading.title == "Prices 2026"


def test_formulas_are_read_as_their_stored_values(tmp_path: Path) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("S")
        sheet.write_formula(0, 0, "=6*7", None, 42)
        sheet.write(0, 1, "answer")
    (page,) = pages_of(file.getvalue(), "x.xlsx", tmp_path)
    assert texts(page)[1] == "42 | answer\n--- | ---"


def test_a_row_that_excel_does_not_have_is_not_waited_for(tmp_path: Path) -> None:
    main = "xl/worksheets/sheet1.xml"
    data = xlsx({"S": [["first"], ["last"]]})
    far = member(data, main).replace(b'r="2"', b'r="99999999999"').replace(b'"A2"', b'"A99999999999"')
    assert far != member(data, main)
    (page,) = pages_of(with_member(data, main, far), "x.xlsx", tmp_path)
    assert texts(page) == ["S", "first"]


def test_a_cell_in_the_last_corner_costs_no_more_than_itself(tmp_path: Path) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("S")
        sheet.write(0, 0, "first")
        sheet.write(1_048_575, 16_383, "last")
    (page,) = pages_of(file.getvalue(), "x.xlsx", tmp_path)
    assert texts(page) == ["S", "first", "last"]
