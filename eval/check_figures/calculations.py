"""Calculations over tables, done rightly and wrongly, and random numbers beside a word for a calculation.

A pair of cells of one column gives a sentence for its sum, its difference, the multiple and the change in percent; a cell by
itself one that says its value. Each is written once with what follows from the cells, and once with a random number of as many
digits, or with the value of the next row. A number that the checks then "do again" is a coincidence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from eval.check_figures.tally import Tally, checked
from eval.checks.quantities import Quantity
from eval.checks.statements import Statements
from eval.checks.table_cells import Cell, read_tables
from eval.support import Evidence
from eval.types import Fault
from ingest.sentences import split_sentences
from ingest.tokens import language

_SENTENCES = {
    "en": {
        "cell": "{column} of {first}: {number}.",
        "sum": "{column} of {first} and {second} is a total of {number}.",
        "difference": "The difference in {column} between {first} and {second} is {number}.",
        "multiple": "{column} of {first} is {number} times that of {second}.",
        "percent": "{column} of {first} is {number} percent higher than that of {second}.",
    },
    "zh": {
        "cell": "{first}的{column}为{number}。",
        "sum": "{first}和{second}的{column}合计{number}。",
        "difference": "{first}与{second}的{column}相差{number}。",
        "multiple": "{first}的{column}是{second}的{number}倍。",
        "percent": "{first}的{column}比{second}高{number}%。",
    },
}
_ADDED = {"en": ", a total of {number}", "zh": "，合计{number}"}
_STOP = re.compile(r"[.。]$")
_DIGIT = re.compile(r"\d")
_PER_FOLDER = 400
_SEED = 20


@dataclass(frozen=True, slots=True)
class Calculated:
    """A sentence with what follows from a table, and the same with another number."""

    kind: str
    right: str
    wrong: str


def measure_tables(pages: Iterable[str]) -> Tally:
    """By kind, right or wrong: how many are accepted (a result done again, a cell's value left alone), how many contradicted."""
    tally = Tally()
    draw = random.Random(_SEED)
    for page in pages:
        evidence = Statements(Evidence([page]))
        for one in _of_tables(evidence, language(page), draw):
            for label, sentence in (("right", one.right), ("wrong", one.wrong)):
                said = checked(sentence, evidence)
                tally.add((one.kind, label, "accepted"), not said.findings if one.kind == "cell" else bool(said.notes))
                tally.add((one.kind, label, "contradicted"), said.fault is Fault.CONTRADICTED)
    return tally


def measure_coincidences(passages: Iterable[str], *, name: str) -> Tally:
    """How many random totals put at the end of a sentence that holds numbers are done again."""
    tally = Tally()
    draw = random.Random(_SEED)
    for passage in passages:
        evidence = Statements(Evidence([passage]))
        for sentence in split_sentences(passage):
            stop = _STOP.search(sentence)
            if (
                not stop
                or not any(character.isdigit() for character in sentence)
                or tally.tried[name, "random total"] >= _PER_FOLDER
            ):
                continue
            number = str(draw.randrange(10, 10_000))
            if number not in passage:
                written = sentence[: stop.start()] + _ADDED[language(sentence)].format(number=number) + stop.group()
                tally.add((name, "random total"), bool(checked(written, evidence).notes))
    return tally


def _of_tables(evidence: Statements, written_in: str, draw: random.Random) -> Iterator[Calculated]:
    for table in read_tables(evidence):
        columns: dict[str, list[tuple[Cell, Quantity]]] = {}
        for cell in table.cells:
            if (quantity := _only_number(cell)) is not None:
                columns.setdefault(cell.column.text, []).append((cell, quantity))
        for column in columns.values():
            for one, other in pairwise(column):
                if one[1].unit == other[1].unit and one[1].value != other[1].value:
                    yield _said("cell", written_in, one[0], other[0], one[0].content.text, other[0].content.text)
                    (first, high), (second, low) = sorted((one, other), key=lambda pair: -pair[1].value)
                    for kind, right in _results(high, low, first.content.text):
                        yield _said(kind, written_in, first, second, right, _other_number(right, draw))


def _only_number(cell: Cell) -> Quantity | None:
    """The number that the cell consists of, with its unit; None where it holds something else, or a head is missing."""
    numbers = cell.content.quantities
    whole = len(numbers) == 1 and (numbers[0].start, numbers[0].end) == (0, len(cell.content.text))
    return numbers[0] if whole and cell.row.text and cell.column.text and not cell.content.dates else None


def _results(high: Quantity, low: Quantity, written: str) -> Iterator[tuple[str, str]]:
    """Each calculation's result; sums and differences with the unit of `written`, the cell of the greater number."""
    for kind, value in (("sum", high.value + low.value), ("difference", high.value - low.value)):
        digits = f"{float(value):.2f}".rstrip("0").rstrip(".")
        yield kind, written[: high.start] + digits + written[high.number_end :]
    if low.value:
        yield "multiple", f"{float(high.value / low.value):.2f}"
        yield "percent", f"{float((high.value - low.value) / low.value * 100):.1f}"


def _said(kind: str, written_in: str, first: Cell, second: Cell, right: str, wrong: str) -> Calculated:
    heads = {"column": first.column.text, "first": first.row.text, "second": second.row.text}
    return Calculated(kind, *(_SENTENCES[written_in][kind].format(**heads, number=number) for number in (right, wrong)))


def _other_number(right: str, draw: random.Random) -> str:
    """The text with its digits drawn anew: another number than before."""
    drawn = right
    while drawn == right:
        drawn = _DIGIT.sub(lambda _: str(draw.randrange(1, 10)), right)
    return drawn
