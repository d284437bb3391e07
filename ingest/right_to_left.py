"""Characters as they stand on a line → the text as it is read, where it is written from right to left.

A PDF places glyphs; what order their characters have in the file is its writer's choice, and readers of PDF that sort them put
the second half of a ligature before the first, and marks and numbers on the wrong side. Here only the places count: characters
from right to left, but Latin words and numbers, which are written from left to right, the other way round.

Invariants. Every character is in the text once. Pure; knows no PDF.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.lines import PrintedWord, union
from ingest.types import Bbox

# Narrower than this share of the line's height are marks above a letter and the second letter of a ligature.
_NO_WIDTH = 0.02
# A gap this wide, as a share of the line's height, parts words.
_SPACE = 0.18
# From left to right, seen from the left: numbers with what parts their digits, and Latin words with all between two of them.
_LEFT_TO_RIGHT = re.compile(r"(?=[LN])N*(?:L[LN.]*(?:[^R]*[LN])?|N+(?:\.N+)*)")


@dataclass(frozen=True, slots=True)
class PrintedCharacter:
    """A character and where it stands."""

    text: str
    bbox: Bbox


def words_in_reading_order(characters: Sequence[PrintedCharacter]) -> list[PrintedWord]:
    """The line's words in the order in which they are read."""
    seen = list(_with_gaps(sorted(_clusters(characters), key=_middle)))
    return list(_words(character for run in reversed(list(_runs(seen))) for character in run))


def has_right_to_left(text: str) -> bool:
    """Whether a character of the text is written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def _clusters(characters: Sequence[PrintedCharacter]) -> list[PrintedCharacter]:
    """The letters, each with what stands on its right edge and has no width: a mark above it, the second half of a ligature.
    Spaces that lie under letters are left over from how the line was justified, and are none."""
    wide = [one for one in characters if _width(one) > _NO_WIDTH * (one.bbox[3] - one.bbox[1])]
    letters = [one for one in wide if not one.text.isspace()]
    texts = [one.text for one in letters]
    for mark in characters:
        if _width(mark) <= _NO_WIDTH * (mark.bbox[3] - mark.bbox[1]) and letters and not mark.text.isspace():
            texts[min(range(len(letters)), key=lambda number: abs(letters[number].bbox[2] - mark.bbox[2]))] += mark.text
    spaces = [one for one in wide if one.text.isspace() and not any(_covers(letter, _middle(one)) for letter in letters)]
    return [PrintedCharacter(text, one.bbox) for text, one in zip(texts, letters, strict=True)] + spaces


def _with_gaps(clusters: Sequence[PrintedCharacter]) -> Iterator[PrintedCharacter]:
    """The clusters from left to right, with a space wherever two stand apart."""
    before: Bbox | None = None
    for cluster in clusters:
        x0, y0, _, y1 = cluster.bbox
        if before is not None and x0 - before[2] > _SPACE * (y1 - y0):
            yield PrintedCharacter(" ", (before[2], y0, x0, y1))
        yield cluster
        before = cluster.bbox


def _width(character: PrintedCharacter) -> float:
    return character.bbox[2] - character.bbox[0]


def _middle(character: PrintedCharacter) -> float:
    return (character.bbox[0] + character.bbox[2]) / 2


def _covers(character: PrintedCharacter, x: float) -> bool:
    return character.bbox[0] < x < character.bbox[2]


def _runs(clusters: Sequence[PrintedCharacter]) -> Iterator[list[PrintedCharacter]]:
    """From left to right: what is read in this direction as one run, all else a character a run."""
    kinds = "".join(map(_kind, clusters))
    at = 0
    while at < len(kinds):
        found = _LEFT_TO_RIGHT.match(kinds, at)
        end = found.end() if found else at + 1
        yield list(clusters[at:end])
        at = end


def _kind(cluster: PrintedCharacter) -> str:
    """`R`, `L`, `N` for a digit, `.` for what may stand inside a number, ` ` for what has no direction."""
    direction = unicodedata.bidirectional(cluster.text[0])
    if direction in ("R", "AL"):
        return "R"
    if direction in ("EN", "AN"):
        return "N"
    if direction in ("ES", "CS", "ET"):
        return "."
    return "L" if direction == "L" else " "


def _words(ordered: Iterable[PrintedCharacter]) -> Iterator[PrintedWord]:
    for is_space, group in groupby(ordered, key=lambda character: character.text.isspace()):
        if not is_space:
            word = list(group)
            yield PrintedWord("".join(character.text for character in word), union(character.bbox for character in word))
