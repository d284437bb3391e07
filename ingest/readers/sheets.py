"""Excel workbooks: each sheet begins a page, its rows as tables with the values as Excel shows them.

Invariants. A workbook is read as a stream of rows, so that a sheet with a cell in its last corner costs no more than its
filled cells. Formulas are not computed: what is read is the value that was stored when the workbook was last saved.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ingest.readers.archive import require_unpackable
from ingest.readers.base import Break, Piece, Reading, Source
from ingest.readers.parts import reading_of, table_pieces
from ingest.reading_warnings import hidden_sheets
from ingest.types import BlockKind

# A number's format, once what is quoted is taken out: digits with or without groups, decimals, a percent sign.
_LITERAL = re.compile(r'"([^"]*)"|\[\$([^\]-]*)[^\]]*\]|\\(.)|([$€£¥￥])')
_DIGITS = re.compile(r"([#0,?]*[#0])(?:\.([#0?]+))?(%?)")
_SIGNIFICANT_DIGITS = 15  # as many as Excel itself keeps and shows
_LARGEST_EXACT = 1e15
# Excel has no more rows; a file that claims more would be read as empty ones until its time is over.
_LAST_ROW = 1_048_576


def read(source: Source) -> Reading:
    """The workbook's title and its visible sheets; the warnings name the hidden ones."""
    from openpyxl import load_workbook  # only the worker needs it

    require_unpackable(source.path, limits=source.limits)
    with source.path.open("rb") as file:
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
        hidden = [str(sheet.title) for sheet in workbook.worksheets if sheet.sheet_state != "visible"]
        warnings = [hidden_sheets(hidden)] if hidden else []
        return reading_of(_pieces(visible), limits=source.limits, title=workbook.properties.title or "", warnings=warnings)


def _pieces(sheets: list[Any]) -> Iterator[Piece | Break]:
    for sheet in sheets:
        yield Break.IF_FILLED
        yield Piece(BlockKind.HEADING, str(sheet.title), level=1)
        for rows in _tables(sheet):
            yield from table_pieces(rows)


def _tables(sheet: Any) -> Iterator[list[list[str]]]:
    """The runs of filled rows; an empty row parts one table from the next."""
    sheet.reset_dimensions()  # what the file says of its size may be wrong, and rows would be filled up to it
    table: list[list[str]] = []
    for row in sheet.iter_rows(max_row=_LAST_ROW):
        shown = [shown_value(cell.value, cell.number_format) if cell.value is not None else "" for cell in row]
        if any(shown):
            table.append(shown)
        elif table:
            yield table
            table = []
    if table:
        yield table


def shown_value(value: object, number_format: str) -> str:
    """The value as Excel shows it under the format: digits, groups, percent and currency; dates as ISO 8601 writes them."""
    match value:
        case bool():
            return str(value).upper()
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.datetime():
            return value.isoformat(" ", "minutes" if not value.second else "seconds")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case int() | float():
            return _shown_number(value, number_format.split(";")[0])
        case _:
            return str(value)


def _shown_number(value: float, number_format: str) -> str:
    bare = _LITERAL.sub("", number_format).strip(" _-()*")
    digits = _DIGITS.fullmatch(bare)
    if digits is None or abs(value) >= _LARGEST_EXACT:  # General, scientific, fractions, conditions: the number itself
        return f"{value:.{_SIGNIFICANT_DIGITS}g}" if isinstance(value, float) else str(value)
    whole, places, percent = digits[1], digits[2] or "", digits[3]
    exact = Decimal(repr(value)) * (100 if percent else 1)
    rounded = exact.quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP)  # as Excel rounds: half away from zero
    shown = f"{rounded:,f}" if "," in whole else f"{rounded:0{whole.count('0') + bool(places) + len(places)}f}"
    for place in reversed(places):  # those marked `#` are shown only where they are needed
        if place == "0" or not shown.endswith("0"):
            break
        shown = shown[:-1]
    before, _, after = number_format.partition(bare)
    return f"{_literals(before)}{shown.removesuffix('.')}{percent}{_literals(after)}"


def _literals(text: str) -> str:
    """What a part of a format writes out as it is."""
    return "".join(part for found in _LITERAL.finditer(text) for part in found.groups() if part)
