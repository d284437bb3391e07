"""An answer → the parts that are judged one by one, with their places in the answer.

A part is a sentence, or an item of a list; a fragment belongs to the sentence before it, a bare list marker to the one after.
Offsets are code points of the answer, end exclusive. This module judges nothing.
"""

from __future__ import annotations

import re
from itertools import pairwise

from eval.framing import opening_length
from ingest.sentences import sentence_spans
from ingest.tokens import language

_MARKER = r"(?:[-*•–]|\(?\d{1,2}[.)、）]|\(?[a-z][.)]|（\d{1,2}）)"
_LIST_MARKER = re.compile(rf"^\s*{_MARKER}\s+")
_BARE_MARKER = re.compile(rf"\s*{_MARKER}\s*")
_NEXT_ITEM = re.compile(rf"\n\s*(?={_MARKER}(?:\s|(?<=[、）])|$))")
_CITATION = re.compile(r"\s*\[\d+(?:\s*[,，]\s*\d+)*\]")
# English fragments shorter than this many words are judged with the sentence before them (docs/decisions/0004).
_FRAGMENT_WORDS = 4


def answer_spans(answer: str) -> list[tuple[int, int]]:
    """The parts of an answer as they are judged, in order."""
    english = language(answer) == "en"
    spans: list[tuple[int, int]] = []
    for item_start, item_end in _items(answer):
        first = len(spans)
        for start, end in sentence_spans(answer[item_start:item_end]):
            start, end = start + item_start, end + item_start
            marker_before = len(spans) > first and _BARE_MARKER.fullmatch(answer, *spans[-1])
            fragment = english and spans and len(answer[start:end].split()) < _FRAGMENT_WORDS
            if marker_before or (fragment and not _BARE_MARKER.fullmatch(answer, start, end)):
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
    return spans


def judged_part(sentence: str) -> tuple[str, int]:
    """The sentence without its list marker and its opening that only names a place, with its citation markers blanked out.

    The number is how far it was shifted.
    """
    marker = _LIST_MARKER.match(sentence)
    shift = marker.end() if marker else 0
    shift += opening_length(sentence[shift:])
    return _CITATION.sub(lambda m: " " * len(m.group()), sentence[shift:]), shift


def _items(answer: str) -> list[tuple[int, int]]:
    """The answer cut where a line begins an item of a list."""
    cuts = [0, *(match.end() for match in _NEXT_ITEM.finditer(answer)), len(answer)]
    return list(pairwise(cuts))
