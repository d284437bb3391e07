"""How well the cells of tables were found: the adjacency relations of the ICDAR 2013 table competition.

A relation is a cell's text, the text of the nearest cell to its right or below it that is not empty, and which of the two it is.
A cell that spans several rows or columns has such a neighbour from each of them, and each neighbour counts once. A table whose
relations all are right has the right rows, columns and spans, wherever it was drawn.

Invariant. Pure: knows neither files nor pages; whoever calls it says which tables stand against which.

Source: Göbel, Hassan, Oro, Orsi: A Methodology for Evaluating Algorithms for Table Understanding in PDF Documents, DocEng 2012.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Relation = tuple[str, str, str]
"""A cell's text, its neighbour's, and where that one stands: `right` or `below`."""


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell and the rows and columns it takes, counted from 0, the last ones included."""

    row: int
    column: int
    last_row: int
    last_column: int
    text: str


@dataclass(frozen=True, slots=True)
class AdjacencyScore:
    """How many relations were found, how many there are, and how many of the found ones are there."""

    right: int
    found: int
    expected: int

    @property
    def precision(self) -> float:
        """The share of the found relations that are there; 1 where none was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of the relations that were found; 1 where there are none."""
        return self.right / self.expected if self.expected else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 1 where there are no relations and none was found."""
        total = self.found + self.expected
        return 2 * self.right / total if total else 1.0

    def __add__(self, other: AdjacencyScore) -> AdjacencyScore:
        return AdjacencyScore(self.right + other.right, self.found + other.found, self.expected + other.expected)


def adjacency_f1(found: Iterable[Sequence[TableCell]], expected: Iterable[Sequence[TableCell]]) -> AdjacencyScore:
    """The score of the tables found against those expected, of one page or of one document: all relations are pooled, so a table
    that was parted in two loses only the relations across the cut, and one that is none costs precision."""
    ours = Counter(relation for table in found for relation in adjacency_relations(table))
    theirs = Counter(relation for table in expected for relation in adjacency_relations(table))
    return AdjacencyScore((ours & theirs).total(), ours.total(), theirs.total())


def adjacency_relations(cells: Sequence[TableCell]) -> list[Relation]:
    """The relations of one table."""
    texts = {number: text for number, cell in enumerate(cells) if (text := comparable(cell.text))}
    at = {
        (row, column): number
        for number in texts
        for row in range(cells[number].row, cells[number].last_row + 1)
        for column in range(cells[number].column, cells[number].last_column + 1)
    }
    rows = _runs(at, by=0)
    columns = _runs(at, by=1)
    relations: list[Relation] = []
    for direction, runs in (("right", rows), ("below", columns)):
        pairs = {pair for run in runs for pair in pairwise(run) if pair[0] != pair[1]}
        relations.extend((texts[one], texts[other], direction) for one, other in pairs)
    return relations


def comparable(text: str) -> str:
    """The text without white space and in lower case, as the competition compares it."""
    return "".join(text.split()).lower()


def cells_of(rows: Sequence[Sequence[str]], spans: Iterable[tuple[int, int, int, int]] = ()) -> list[TableCell]:
    """The cells of a table given by its rows; `spans` holds row, column, number of rows and number of columns of each cell that
    takes more than one place."""
    sizes = {(row, column): (height, width) for row, column, height, width in spans}
    return [
        TableCell(row, column, row + height - 1, column + width - 1, text)
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
        if text
        for height, width in [sizes.get((row, column), (1, 1))]
    ]


def _runs(at: dict[tuple[int, int], int], *, by: int) -> list[list[int]]:
    """The cells of each row (`by` 0) or column (`by` 1) in order."""
    runs: dict[int, list[int]] = {}
    for place in sorted(at, key=lambda place: (place[by], place[1 - by])):
        runs.setdefault(place[by], []).append(at[place])
    return list(runs.values())
