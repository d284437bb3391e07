"""A hit's text → what can be quoted of it: sentences, list items and table rows, each with its units and its surroundings.

Spans are Unicode code points of the text given, so that a quote is an exact substring. The same text is asked about again and
again within one answer, so what was cut last is kept. This module knows no question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from eval.units import Unit, read_units
from ingest.sentences import sentence_spans

# A line without a full stop that has fewer units than this is a fragment or a heading.
_FRAGMENT_UNITS = 5
# Texts kept: the hits of a few questions under way at once.
_KEPT_TEXTS = 128

_BULLET = re.compile(r"\n(?=\s*(?:[•●▪◦–-]\s|\(?\d{1,2}[.)、）]|[（(][一二三四五六七八九十\d]{1,3}[)）]))")
_ENDS = re.compile(r"[.!?。！？；;:：][\"'”’」』）)]*$")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, list item or table row. `before` and `after` are the terms of its neighbours; `head` is the span of the table's
    first row above it, else empty."""

    start: int
    end: int
    units: tuple[Unit, ...]
    terms: frozenset[str]
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    head: tuple[int, int] | None = None
    head_terms: frozenset[str] = frozenset()
    fragment: bool = False


@lru_cache(maxsize=_KEPT_TEXTS)
def cut_passages(text: str) -> tuple[Passage, ...]:
    """The text's sentences, list items and table rows in order. The units of a passage count from the passage's start."""
    spans = _spans(text)
    read = [tuple(read_units(text[start:end])) for start, end, _ in spans]
    terms = [frozenset(unit.term for unit in units) for units in read]
    out: list[Passage] = []
    head: int | None = None
    for number, (start, end, row) in enumerate(spans):
        units, own = read[number], terms[number]
        before = terms[number - 1] if number and not row else frozenset()
        after = terms[number + 1] if number + 1 < len(spans) and not row else frozenset()
        if not row:
            head = None
            fragment = len(units) < _FRAGMENT_UNITS and not _ENDS.search(text[start:end])
            out.append(Passage(start, end, units, own, before, after, fragment=fragment))
            continue
        if head is None or text[spans[number - 1][1] : start].count("\n") > 1:
            head = number
            out.append(Passage(start, end, units, own, fragment=True))
        else:
            out.append(Passage(start, end, units, own, head=spans[head][:2], head_terms=terms[head]))
    return tuple(out)


def _spans(text: str) -> list[tuple[int, int, bool]]:
    """Start, end and whether it is a table row."""
    out: list[tuple[int, int, bool]] = []
    for start, end in sentence_spans(text):
        rows = " | " in text[start:end]
        at = start
        for part in text[start:end].splitlines(keepends=True) if rows else _items(text[start:end]):
            stripped = part.strip()
            if stripped:
                begin = at + part.index(stripped[0])
                out.append((begin, begin + len(stripped), " | " in stripped))
            at += len(part)
    return out


def _items(text: str) -> list[str]:
    """A run of text cut before each list mark that begins a line."""
    cuts = [0, *(m.end() for m in _BULLET.finditer(text)), len(text)]
    return [text[a:b] for a, b in pairwise(cuts)]
