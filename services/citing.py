"""What a sentence rests on: the fewest quotes that hold its content, and where a quote stands on its page.

Citations follow the evidence. Markers that the model wrote are taken out of its text in whatever form it wrote them, and are
never read. A quote is an exact substring of its page; only what comes back from a reader, who saw it with the print's
hyphens and line breaks taken out, is looked for across those.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval.quoting import select_quotes
from eval.types import Quote
from eval.units import Unit, read_units, shipped_background
from ingest.types import Hit

# Figures behind these constants: docs/decisions/0022-what-is-done-with-weak-answers.md, "Citations".
_MOST_QUOTES = 2
_CANDIDATES = 8
_LEAST_GAIN = 0.2

_NUMBERS = r"\d{1,2}(?:\s*[,，、;；–-]\s*\d{1,2})*"
_WORD = r"(?:passages?|sources?|documents?|chunks?|references?|段落|来源|文档|资料|出处)\s*"
# In square, lenticular and tortoise-shell brackets a number of one or two digits is a marker: [1], [1][2], [1, 2], [^1],
# [passage 1], ［1］, 【1】, 【1†source】, 〔1〕. In round ones only where it ends a clause, or says what it is: (1). (passage 1)
_MARKER = re.compile(
    rf"\s*[\[［【〔〖]\s*(?:\^|{_WORD})?{_NUMBERS}\s*(?:[†‡][^\]］】〕〗]{{0,40}})?[\]］】〕〗]"
    rf"|\s*[(（]\s*{_WORD}{_NUMBERS}\s*[)）]"
    rf"|\s+[(（]\s*{_NUMBERS}\s*[)）](?=\s*(?:$|[.,;!?。，；！？]))"
    rf"|(?<=[\u3400-\u9fff])(?<![条款项第章节])[(（]\s*{_NUMBERS}\s*[)）](?=\s*(?:$|[。，；！？]))",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")


def without_markers(text: str) -> str:
    """The text without the model's own markers: citations follow the evidence, not the model's word."""
    return _MARKER.sub("", text).strip()


def bearing_quotes(sentence: str, hits: Sequence[Hit]) -> list[Quote]:
    """The fewest quotes that together hold what the sentence says, the one that holds most of it first.

    A second one is taken only for a good part of the content that the first, with the headings above it, does not hold.
    """
    candidates = select_quotes(sentence, hits, limit=_CANDIDATES)
    if not candidates:
        return []
    weights = _weights(sentence)
    held = [_terms(quote) & weights.keys() for quote in candidates]
    chosen = [0]
    while len(chosen) < _MOST_QUOTES:
        covered = set().union(*(held[index] for index in chosen))
        gains = [sum(weights[term] for term in terms - covered) for terms in held]
        best = max(range(len(candidates)), key=lambda index: gains[index])
        if gains[best] < _LEAST_GAIN * sum(weights.values()):
            break
        chosen.append(best)
    needed = [
        index for index in chosen if len(chosen) == 1 or not held[index] <= set().union(*(held[i] for i in chosen if i != index))
    ]
    return [candidates[index] for index in needed]


def _weights(sentence: str) -> dict[str, float]:
    """The terms of what the sentence says, each with its rarity."""
    background = shipped_background()
    return {unit.term: background.idf(unit.term) for unit in _content(sentence)}


def _terms(quote: Quote) -> set[str]:
    """What the quote says, with the headings that it stands under."""
    return {unit.term for text in (quote.text, *quote.hit.headings) for unit in read_units(text)}


def _content(text: str) -> list[Unit]:
    return [unit for unit in read_units(text) if unit.content]


def span_of_quote(quote: str, text: str, *, start: int = 0) -> tuple[int, int] | None:
    """Where the quote stands in a page's text, from `start` on or else before; None where it does not.

    What the page breaks over lines, with or without a hyphen, is found as well: nothing but white space and hyphens at a
    line's end may differ.
    """
    letters = _SPACE.sub("", quote)
    if not letters:
        return None
    for begin in (start, 0):
        if (at := text.find(quote, begin)) >= 0:
            return at, at + len(quote)
    pattern = re.compile(r"(?:[-‐\u00ad]?\s+|\u00ad)?".join(map(re.escape, letters)))
    found = pattern.search(text, start) or pattern.search(text)
    return found.span() if found else None
