"""What a question asks about that a text does not speak of, in whole words, to be named where an answer is refused.

Chinese is compared by pairs of characters, which run over the ends of words: what is missing is looked up in the question as a
dictionary cuts it. Characters of which it knows no word, as those of foreign names, are named together with their neighbours.
This module decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from eval.terms import Term
from eval.topic import CHINESE_PARTICLES
from ingest.tokens import HAN, is_han, simplified

# Single characters that name nothing: what things are counted by (条 in 哪条河), places, pronouns, adverbs.
_UNNAMED = CHINESE_PARTICLES - {"最"} | frozenset("个位名条种类项只台座所家间首部本张届年月日天号款架艘辆支场度点次周钱元分")
_UNNAMED |= frozenset("中里内外上下前后左右时间他她它我你您们该各某此还也又则常曾已再便才将著来约共均两")
_ASKED = re.compile("[何么怎]")  # 何处, 怎样: words that ask
# So many characters without a dictionary's word, beside a word that is held, may be the rest of a longer word.
_REST = 2

_Span = tuple[int, int]


def missing_words(asked: str, terms: Sequence[Term], missing: Collection[str], words: Collection[str]) -> tuple[str, ...]:
    """The words of what is `asked` of which terms are `missing` (their keys), as written there and in its order. `words` are the
    Chinese ones that a dictionary knows, in simplified characters."""
    placed = [term for term in terms if term.start < term.end]
    chinese = [term for term in placed if is_han(asked[term.start])]
    spans = [(term.start, term.end) for term in placed if term.key in missing and term not in chinese]
    lacking = [(term.start, term.end) for term in chinese if term.key in missing]
    known = [(term.start, term.end) for term in chinese if term.key not in missing]
    spans += _named(_pieces(simplified(asked), words), lacking, known)
    return tuple(dict.fromkeys(asked[start:end] for start, end in sorted(spans)))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word of the dictionary, or characters side by side of which it knows no word."""

    start: int
    end: int
    is_word: bool

    def is_missing(self, lacking: Sequence[_Span], known: Sequence[_Span]) -> bool:
        """Of several characters, one of the terms within them; of a single one, every term that it is part of."""
        if self.end - self.start > 1:
            return any(self.start <= start and end <= self.end for start, end in lacking)
        return self._part_of(lacking) and not self._part_of(known)

    def _part_of(self, spans: Sequence[_Span]) -> bool:
        return any(start <= self.start < end for start, end in spans)


def _pieces(asked: str, words: Collection[str]) -> list[_Piece]:
    """What is asked cut into the words, longest first, and what is left between them; without what names nothing."""
    cut = re.compile("|".join([*map(re.escape, sorted(words, key=len, reverse=True)), f"[{HAN}]"]))
    pieces: list[_Piece] = []
    for found in cut.finditer(asked):
        start, end = found.span()
        is_word = end - start > 1
        if asked[start - 1 : start].isdigit() or (_ASKED.search(found.group()) if is_word else found.group() in _UNNAMED):
            continue  # a unit after its number, what asks, or what names nothing
        if pieces and pieces[-1].end == start and not (is_word or pieces[-1].is_word):
            start = pieces.pop().start
        pieces.append(_Piece(start, end, is_word))
    return pieces


def _named(pieces: Sequence[_Piece], lacking: Sequence[_Span], known: Sequence[_Span]) -> Iterator[_Span]:
    """The missing pieces, joined where one of two side by side is no word; single characters are not named."""
    missing = [piece for piece in pieces if piece.is_missing(lacking, known)]
    held = {border for piece in pieces if piece not in missing for border in (piece.start, piece.end)}
    runs: list[list[_Piece]] = []
    for piece in missing:
        if not piece.is_word and piece.end - piece.start <= _REST and held & {piece.start, piece.end}:
            continue
        if runs and runs[-1][-1].end == piece.start and not (piece.is_word and runs[-1][-1].is_word):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    for run in runs:
        if run[-1].end - run[0].start > 1:
            yield run[0].start, run[-1].end
