"""How far a text that was read lies from the text that stands there, in characters.

Both compare text as print shows it (`as_printed`): compatibility forms made one (a full-width parenthesis and a narrow one
are the same print), white space one space, and none beside a full-width character. Order counts: a column that is read in
the wrong place is an error of its whole length. Pages and files are not known here.
"""

from __future__ import annotations

import re
import unicodedata

_WHITE_SPACE = re.compile(r"\s+")


def edit_distance(reference: str, found: str) -> float:
    """The share of characters to insert, delete or replace, of the longer text's: 0 the same, 1 nothing in common."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_distance(as_printed(reference), as_printed(found)))


def character_error(reference: str, found: str) -> float:
    """Characters to insert, delete or replace for each of the reference's: 0 the same; above 1 where much was invented.

    An empty reference has nothing to be wrong about: 0 if nothing was found, else 1.
    """
    from rapidfuzz.distance import Levenshtein

    wanted, got = as_printed(reference), as_printed(found)
    if not wanted:
        return float(bool(got))
    return float(Levenshtein.distance(wanted, got)) / len(wanted)


def as_printed(text: str) -> str:
    """The text without what print does not show: compatibility forms (NFKC) and the kind and length of white space."""
    stripped = text.strip()

    def space(match: re.Match[str]) -> str:
        return "" if _is_full_width(stripped[match.start() - 1]) or _is_full_width(stripped[match.end()]) else " "

    return unicodedata.normalize("NFKC", _WHITE_SPACE.sub(space, stripped))


def _is_full_width(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
