"""Other readings of numbers in evidence, which it holds beside what is written.

`56, 000` and `31. 8` are what character recognition and tokenised text make of one number. Whether `12, 345` is one or two cannot
be told, so both stand. `one` and `second` are words, and may be meant by `number 1` and `the 2nd`.
"""

from __future__ import annotations

import re

from ingest.sentences import sentence_spans
from ingest.tokens import stem

# No entry of a list of numbers: none before it, and none after.
_SPLIT = re.compile(r"(?<![\d.,])(?<!\d[,.] )(?:[1-9]\d{0,2}(?:, \d{3}){1,2}|\d{1,3}\. \d{1,2})(?!\d|[,.] ?\d| (?:and|or|to) \d)")

DIGITS_OF: dict[str, str] = {"one": "1"} | {
    stem(word): str(number)
    for number, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), start=1)
}
"""Term of a counting word → the number that it may be written as."""


def joined_sentences(text: str) -> list[str]:
    """The sentences of a text that hold a number with a space in it, with that number as one."""
    joined, places = "", []
    at = 0
    for match in _SPLIT.finditer(text):
        joined += text[at : match.start()]
        places.append(len(joined))
        joined += match[0].replace(" ", "")
        at = match.end()
    if not places:
        return []
    joined += text[at:]
    return [joined[start:end] for start, end in sentence_spans(joined) if any(start <= place < end for place in places)]
