"""Where sentences begin and end, in Chinese and English; offsets into the text given, so that quotes stay exact."""

from __future__ import annotations

import re

# An English sentence ends in . ! ? (and closing quotes or brackets) before white space and something that can begin one;
# a Chinese one at its own full stop. A blank line always ends one, a line break alone does not.
_END = re.compile(
    r"""[。！？；][”’」』）)"']*"""
    r"""|[.!?]["'”’)\]]*(?=\s+["'“‘(\[]?[A-Z0-9\u3400-\u9fff•-])"""
    r"""|\n\s*\n"""
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|Nos|vs|etc|Inc|Ltd|Co|Corp|Fig|Sec|Art|approx|e\.g|i\.e|cf|al)|(?<!°)\b[A-Z])\.$"
)

# As far back as an abbreviation can begin: looking no further keeps pages like "A. B. C. …" linear.
_LONGEST_ABBREVIATION = 12


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences, in order, without the white space around them; together they hold every other character."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in _END.finditer(text):
        if text[end.start()] == "." and _ABBREVIATION.search(
            text, max(start, end.start() - _LONGEST_ABBREVIATION), end.start() + 1
        ):
            continue
        _append_trimmed(spans, text, start, end.end())
        start = end.end()
    _append_trimmed(spans, text, start, len(text))
    return spans


def split_sentences(text: str) -> list[str]:
    """The sentences themselves."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _append_trimmed(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))
