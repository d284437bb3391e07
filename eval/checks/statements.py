"""Sentences and evidence as the checks read them: statements with their numbers, dates and content words.

A statement is a sentence or a table row. `Statements` finds those that speak of the same as a sentence: by the idf share of
its content words, numbers left out. Reading a statement is pure and remembered, as every sentence reads the same evidence.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import fsum

from eval.checks.calendar_dates import CalendarDate, may_hold_dates, read_dates
from eval.checks.quantities import Quantity, read_quantities
from eval.checks.spelled_numbers import may_spell_numbers
from eval.support import Evidence
from eval.units import Kind, Unit, read_units
from ingest.tokens import language


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence read: spans of everything in it are code points of `text`; `folded` is it in lower case, place for place."""

    text: str
    folded: str
    units: tuple[Unit, ...]
    quantities: tuple[Quantity, ...]
    dates: tuple[CalendarDate, ...]
    language: str

    @property
    def words(self) -> tuple[Unit, ...]:
        """Content words, Chinese pairs and codes; no numbers."""
        return tuple(unit for unit in self.units if unit.content and unit.kind is not Kind.NUMBER)


_LOWER = {ord(character): character.lower() for character in string.ascii_uppercase}


@lru_cache(maxsize=8192)
def read_statement(text: str) -> Statement:
    """The statement of a sentence or table row."""
    folded = fold_in_place(text)
    units = tuple(read_units(text))
    dates = read_dates(folded)
    quantities = read_quantities(folded, units, [(date.start, date.end) for date in dates])
    return Statement(text, folded, units, tuple(quantities), tuple(dates), language(text))


def fold_in_place(text: str) -> str:
    """The text in NFKC and lower case, character for character: what would change its length stays as it is."""
    folded = text.lower()
    if folded.isascii():
        return folded
    return "".join(character if character.isascii() else _fold_character(character) for character in text.translate(_LOWER))


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    part = unicodedata.normalize("NFKC", character).lower()
    return part if len(part) == 1 else character


class Statements:
    """The statements of prepared evidence; each is read when it is first needed, and what many sentences ask for is kept."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._idf = evidence.background.idf

    def texts(self, indices: Iterable[int]) -> list[str]:
        """The texts of segments, without repetitions, in order."""
        return list(dict.fromkeys(self.evidence.segments[index][1] for index in sorted(indices)))

    @cached_property
    def holding_numbers(self) -> list[Statement]:
        """All statements with a number in them."""
        ids: set[int] = set()
        for term in self.evidence.positions:
            if not term.isalpha() and any(character.isdigit() for character in term):
                ids |= self.evidence.segments_of(term)
        spelled = [text for _, text in self.evidence.segments if may_spell_numbers(text)]
        return [read_statement(text) for text in dict.fromkeys([*self.texts(ids), *spelled])]

    @cached_property
    def holding_dates(self) -> list[Statement]:
        """All statements with a date in them."""
        texts = dict.fromkeys(text for _, text in self.evidence.segments if may_hold_dates(text))
        return [statement for statement in map(read_statement, texts) if statement.dates]

    def holding(self, term: str) -> list[Statement]:
        """The statements with a term."""
        return [read_statement(text) for text in self.texts(self.evidence.segments_of(term))]

    def coverage(self, terms: Collection[str]) -> dict[str, float]:
        """Statement text → the idf share of the terms that it holds, in (0, 1]; what holds none of them is not there."""
        total = fsum(self._idf(term) for term in terms) or 1.0
        gains: dict[str, float] = {}
        for term in sorted(terms):  # sums come out the same, whatever order a set gives
            weight = self._idf(term) / total
            for text in {self.evidence.segments[index][1] for index in self.evidence.segments_of(term)}:
                gains[text] = gains.get(text, 0.0) + weight
        return gains

    def places(self, term: str) -> Sequence[int]:
        """Where in the evidence the term stands; only their number means something here."""
        return self.evidence.positions.get(term, ())

    def holds(self, terms: Iterable[str]) -> bool:
        """Whether the evidence holds all the terms, anywhere."""
        return all(term in self.evidence.positions for term in terms)


def terms_of(units: Sequence[Unit], without: Sequence[tuple[int, int]] = ()) -> list[str]:
    """The distinct terms of units that overlap none of the spans."""
    return list(dict.fromkeys(u.term for u in units if not any(a < u.end and u.start < b for a, b in without)))
