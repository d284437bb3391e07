"""Table rows in the evidence → cells with the heads of their row and column.

A table is a run of lines with ` | `; its first line is the head row where a line of dashes follows it. Parts of a page that was
cut inside a table have no head row: their cells have row heads alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from eval.checks.statements import Statement, Statements, read_statement, terms_of

BAR = " | "
# A unit that a head names for all cells under it: `Price (EUR)`, 金额（万元）.
_HEAD_UNIT = re.compile(r"[（(]([^()（）]{1,12})[)）]\s*$")
_BARE_NUMBER = re.compile(r"[\d.,\s]+")
_RULE = re.compile(r"^[\s|:-]*-{3,}[\s|:-]*$")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that is no row head: what it says, and the heads that it stands under (empty where there is none).

    With `has_head_unit` what it says is its number with the unit that its column's head names.
    """

    content: Statement
    row: Statement
    column: Statement
    has_head_unit: bool = False

    @property
    def labels(self) -> frozenset[str]:
        """The terms of both heads, with those of numbers: a year may be the head of a column."""
        return frozenset(terms_of([u for u in (*self.row.units, *self.column.units) if u.content]))


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of one table, row by row."""

    cells: tuple[Cell, ...]


def read_tables(statements: Statements) -> tuple[Table, ...]:
    """The tables of the evidence in order; quick where there are none."""
    return tuple(table for text in statements.evidence.texts if BAR in text for table in _read_tables(text))


@lru_cache(maxsize=256)
def _read_tables(text: str) -> tuple[Table, ...]:
    runs: list[list[str]] = [[]]
    for line in text.splitlines():
        if BAR in line or _RULE.match(line):
            runs[-1].append(line)
        elif runs[-1]:
            runs.append([])
    return tuple(_read_table(lines) for lines in runs if len(lines) > 1)


def _read_table(lines: Sequence[str]) -> Table:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if not _RULE.match(line)]
    headed = len(lines) > 1 and bool(_RULE.match(lines[1]))
    heads = rows[0] if headed else []
    cells = []
    for row in rows[1:] if headed else rows:
        for at, text in enumerate(row[1:], start=1):
            if text and text != "-":
                head = heads[at] if at < len(heads) else ""
                said = _with_unit(text, head)
                cells.append(Cell(read_statement(said), read_statement(row[0]), read_statement(head), said != text))
    return Table(tuple(cells))


def _with_unit(text: str, head: str) -> str:
    """The cell's number with the unit of its head, where it has none of its own and the head names one."""
    unit = _HEAD_UNIT.search(head) if _BARE_NUMBER.fullmatch(text) else None
    with_unit = f"{text}{' ' if unit and unit[1].isascii() else ''}{unit[1]}" if unit else text
    return with_unit if any(quantity.measure for quantity in read_statement(with_unit).quantities) else text
