"""Terms of a question that no text holds → the terms that were probably meant: a code with an `O` for a `0`, a word with a slip.

Only terms that are held by an index are ever named, and only by asking for them: the neighbours of a term are made and looked
up, its dictionary is never walked through. The index decides what a neighbour is worth; it never takes the place of what was
written. What may be told to a caller is decided by whoever has the permitted hits (`told`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from ingest.tokens import STOP_WORDS, index_terms, is_han

LOOKED_AT = 4
"""Terms of a question that are looked into: more that nobody knows are another language, or pasted text."""
NAMED = 2
"""Neighbours that are taken of one term, the most frequent ones."""
SHORTEST_CODE = 5
"""In letters and digits: codes of fewer have too many neighbours for an edit, and only what looks alike is tried of them."""
SHORTEST_LOOKALIKE = 3
SHORTEST_WORD = 6
LONGEST = 24
_VARIANTS = 64

_LOOK_ALIKE = {
    "0": "0o",
    "o": "o0",
    "1": "1li",
    "l": "l1",
    "i": "i1",
    "5": "5s",
    "s": "s5",
    "8": "8b",
    "b": "b8",
    "2": "2z",
    "z": "z2",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_SURFACE = re.compile(r"[^\W_](?:[\w./'-]*[^\W_])?")


@dataclass(frozen=True, slots=True)
class Correction:
    """A term of the question that is not held, and one that is and looks like it."""

    seen: str
    used: str


def corrections(terms: Iterable[str], frequency: Callable[[str], int]) -> list[Correction]:
    """What the unknown ones of these index terms probably mean, by the number of texts that hold a term."""
    unknown = (term for term in dict.fromkeys(terms) if _may_be_misspelt(term) and not frequency(term))
    return [Correction(term, used) for term in islice(unknown, LOOKED_AT) for used in _held_neighbours(term, frequency)]


def told(found: Sequence[Correction], question: str, texts: Iterable[str]) -> list[Correction]:
    """The corrections whose term one of these texts holds, in the spelling of question and text, each once."""
    spelt = _surfaces(question)
    held: dict[str, str] = {}
    for text in texts:
        held = _surfaces(text) | held
    named = [Correction(spelt[one.seen], held[one.used]) for one in found if one.seen in spelt and one.used in held]
    return list(dict.fromkeys(named))


def _surfaces(text: str) -> dict[str, str]:
    """Index term → as it is first written."""
    written: dict[str, str] = {}
    for word in _SURFACE.findall(text):
        for term in index_terms(word):
            written.setdefault(term, word)
    return written


def _is_code(term: str) -> bool:
    return any(c in _DIGITS for c in term) and any(c in _LETTERS for c in term)


def _may_be_misspelt(term: str) -> bool:
    if is_han(term[0]) or len(term) > LONGEST or term in STOP_WORDS:
        return False
    return len(term) >= SHORTEST_LOOKALIKE if _is_code(term) else len(term) >= SHORTEST_WORD and all(c in _LETTERS for c in term)


def _held_neighbours(term: str, frequency: Callable[[str], int]) -> list[str]:
    """The held ones of the likeliest class of neighbours that has any, the most frequent first."""
    for neighbours in _classes(term):
        counted = {one: count for one in neighbours if (count := frequency(one))}
        if counted:
            return sorted(counted, key=lambda one: (-counted[one], one))[:NAMED]
    return []


def _classes(term: str) -> Iterator[set[str]]:
    """Neighbours of a term, the likeliest slips first. Another digit in a place makes another code, so it comes last."""
    if not _is_code(term):
        yield _edits(term, _LETTERS)
        return
    yield {one for one in _look_alikes(term) if _is_code(one)}
    if len(term) < SHORTEST_CODE:
        return
    edits = {one for one in _edits(term, _LETTERS + _DIGITS) if _is_code(one)}
    same_digits = {one for one in edits if _digits(one) == _digits(term)}
    yield same_digits
    yield edits - same_digits


def _look_alikes(term: str) -> Iterator[str]:
    """The term with other characters that look alike."""
    variants = product(*(_LOOK_ALIKE.get(c, c) for c in term))
    return ("".join(one) for one in islice(variants, 1, _VARIANTS))


def _edits(term: str, alphabet: str) -> set[str]:
    """What is one removed, exchanged, replaced or added character away."""
    parts = [(term[:place], term[place:]) for place in range(len(term) + 1)]
    edits = {head + tail[1:] for head, tail in parts if tail}
    edits |= {head + tail[1] + tail[0] + tail[2:] for head, tail in parts if len(tail) > 1}
    edits |= {head + c + tail[1:] for head, tail in parts if tail for c in alphabet}
    edits |= {head + c + tail for head, tail in parts for c in alphabet}
    return edits - {term, ""}


def _digits(term: str) -> str:
    return "".join(c for c in term if c in _DIGITS)
