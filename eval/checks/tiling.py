"""Two sentences piece by piece: which runs of words, numbers and Chinese characters both of them hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from eval.checks.statements import Statement
from eval.units import canonical_number

_TOKEN = re.compile(r"[a-z][\w'-]*|\d+(?:[.,]\d+)*|[^\W_]|[^\w\s]")


_NUMERALS = "零一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number, a Chinese character or a mark; a number's term begins with 0, whatever its spelling."""

    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of tokens that both texts hold: where it begins here and there, and how many tokens it has."""

    ours: int
    theirs: int
    length: int


def canonical_value(value: Fraction) -> str:
    """The value as `eval.units.canonical_number` writes it."""
    return canonical_number(str(value) if value.denominator == 1 else repr(float(value)))


def tokens_of(statement: Statement) -> list[Token]:
    """Words, numbers, Chinese characters and marks; a number of the statement is one token, however it is spelled."""
    numbers = {quantity.start: quantity for quantity in statement.quantities if statement.folded[quantity.start].isalnum()}
    found: list[Token] = []
    for match in _TOKEN.finditer(statement.folded):
        if found and match.start() < found[-1].end:
            continue
        number = numbers.get(match.start())
        if number is not None:
            found.append(Token(f"0{canonical_value(number.value)}", match.start(), max(match.end(), number.number_end)))
            continue
        term = match.group()
        if term[0].isdigit():
            term = f"0{canonical_number(term)}"
        elif term in _NUMERALS:
            term = f"0{_NUMERALS.index(term)}"
        found.append(Token(term, match.start(), match.end()))
    return found


def common_pieces(ours: Sequence[str], theirs: Sequence[str]) -> list[Piece]:
    """Common runs, the longest first (greedy string tiling), in the order of ours; no token is in two of them."""
    taken_ours, taken_theirs = [False] * len(ours), [False] * len(theirs)
    places: dict[str, list[int]] = {}
    for at, term in enumerate(theirs):
        places.setdefault(term, []).append(at)
    pieces: list[Piece] = []
    while True:
        best = Piece(0, 0, 0)
        for i, term in enumerate(ours):
            for j in places.get(term, ()):
                length = 0
                while (
                    i + length < len(ours)
                    and j + length < len(theirs)
                    and ours[i + length] == theirs[j + length]
                    and not taken_ours[i + length]
                    and not taken_theirs[j + length]
                ):
                    length += 1
                if length > best.length:
                    best = Piece(i, j, length)
        if not best.length:
            return sorted(pieces, key=lambda piece: piece.ours)
        pieces.append(best)
        for at in range(best.length):
            taken_ours[best.ours + at] = taken_theirs[best.theirs + at] = True
