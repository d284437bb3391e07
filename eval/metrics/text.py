"""How an answer's text compares with the answers that count as right. All compare normalised text (NFKC, lower case)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ingest.tokens import normalise, units


def holds_key_fact(answer: str, gold: Sequence[str]) -> bool:
    """Whether one of the right answers stands in the answer, white space aside, and not as part of a longer number or word."""
    text = normalise(answer)
    return any(_pattern("".join(normalise(one).split())).search(text) for one in gold)


def _pattern(fact: str) -> re.Pattern[str]:
    """Finds the fact with any white space between its characters."""
    before = r"(?<!\d)(?<!\d[.,])" if fact[:1].isdigit() else "(?<![a-z])" if fact[:1].isascii() and fact[:1].isalpha() else ""
    after = r"(?!\d|[.,]\d)" if fact[-1:].isdigit() else ""  # a word may go on: the plural of a unit is the same fact
    return re.compile(before + r"\s*".join(map(re.escape, fact)) + after)


def exact_match(answer: str, gold: Sequence[str]) -> bool:
    """Whether the answer is one of the right ones, punctuation and inflection aside."""
    return any(units(answer) == units(one) for one in gold)


def token_f1(answer: str, gold: Sequence[str]) -> float:
    """The best overlap with a right answer, in stems and Han characters: harmonic mean of precision and recall, in [0, 1]."""
    return max((_f1(Counter(units(answer)), Counter(units(one))) for one in gold), default=0.0)


def _f1(found: Counter[str], wanted: Counter[str]) -> float:
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total()) if shared else 0.0
