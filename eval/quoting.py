"""The sentences of the hits that answer a question best, word for word.

Each sentence, list item or table row is scored by the share of the question's rarity that it covers, plus a part of what
only its surroundings cover (the sentence before, a table's head row, the headings). A quote is an exact substring of its
hit; a table row comes with its head row where both fit. This module picks; whether the evidence is enough to answer from
is `eval.evidence`'s decision.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eval.support import likeness
from eval.types import Quote
from eval.units import Background, Kind, read_units, shipped_background
from ingest.sentences import sentence_spans
from ingest.tokens import without_question_words
from ingest.types import Hit

# Figures behind these constants: docs/decisions/0004-judging-without-an-entailment-model.md, "Quoting".
BEFORE_WEIGHT = 0.3
HEAD_WEIGHT = 0.6
HEADINGS_WEIGHT = 0.4
HIT_WEIGHT = 0.3
RANK_WEIGHT = 0.2
ANSWER_KIND_WEIGHT = 0.1
BACKGROUND_SHARE = 0.5
SOFT_MATCH = 0.6

# A table row is quoted together with everything from its head row down where that is no longer than this.
TABLE_QUOTE_CHARACTERS = 320
# A line without a full stop that has fewer units than this is a fragment or a heading.
_FRAGMENT_UNITS = 5

_BULLET = re.compile(r"\n(?=\s*(?:[•●▪◦–-]\s|\(?\d{1,2}[.)、）]|[（(][一二三四五六七八九十\d]{1,3}[)）]))")
_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|long|old|often|far|high|large|big|soon|fast)|when|what (?:year|date|day|time|percentage|number))\b"
    r"|多少|几|幾|何时|何時|什么时候|什麼時候|哪年|哪一年|多久|多长|多長|多大|多高|多远|多遠",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?。！？；;:：][\"'”’」』）)]*$")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, list item or table row of a hit: what can be quoted. `head` is a table's first row, else empty."""

    hit: int
    start: int
    end: int
    terms: frozenset[str]
    before: frozenset[str]
    head: tuple[int, int] | None
    head_terms: frozenset[str]
    fragment: bool
    has_number: bool


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage with the share of the question that it covers, by itself and with its surroundings."""

    passage: Passage
    coverage: float
    score: float


class Reading:
    """A question and its hits prepared for comparing; `eval.evidence` reads the same object."""

    def __init__(self, question: str, hits: Sequence[Hit], *, background: Background | None = None) -> None:
        self.question = question
        self.hits = list(hits)
        self.asks_number = _ASKS_NUMBER.search(question) is not None
        self.passages = [p for index, hit in enumerate(self.hits) for p in _passages(index, hit.text)]
        self.asked = without_question_words(question)
        units = [u for u in read_units(self.asked) if u.content]
        if not units:
            self.asked = question
            units = [u for u in read_units(question) if u.content] or read_units(question)
        self.units = list({u.term: u for u in units}.values())
        self.headings = [frozenset(u.term for h in hit.headings for u in read_units(h)) for hit in self.hits]
        self.weights = self._weights(background or shipped_background())
        self.total = sum(self.weights.values()) or 1.0
        self.matches = self._matches()

    def _weights(self, background: Background) -> dict[str, float]:
        """Each question term's rarity: the background's idf mixed with that among the passages at hand."""
        count = len(self.passages)
        weights = {}
        for unit in self.units:
            df = sum(unit.term in p.terms for p in self.passages)
            local = math.log(1 + (count - df + 0.5) / (df + 0.5)) if count else 0.0
            weights[unit.term] = BACKGROUND_SHARE * background.idf(unit.term) + (1 - BACKGROUND_SHARE) * local
        return weights

    def _matches(self) -> dict[str, dict[str, float]]:
        """For each question term the words of the hits that stand for it, with how alike they are."""
        known = set().union(*(p.terms | p.head_terms for p in self.passages), *self.headings) if self.passages else set()
        matches: dict[str, dict[str, float]] = {}
        for unit in self.units:
            found = {unit.term: 1.0} if unit.term in known else {}
            if unit.kind is Kind.WORD and unit.term.isalpha():
                for term in known:
                    if term != unit.term and term.isalpha() and term[0] == unit.term[0]:
                        alike = likeness(unit.term, term)
                        if alike >= SOFT_MATCH:
                            found[term] = alike
            matches[unit.term] = found
        return matches

    def held(self, terms: frozenset[str]) -> dict[str, float]:
        """Question term → how well these terms hold it (0 < match ≤ 1)."""
        out = {}
        for term, known in self.matches.items():
            best = max((alike for word, alike in known.items() if word in terms), default=0.0)
            if best:
                out[term] = best
        return out

    def coverage(self, held: dict[str, float]) -> float:
        """The share of the question's rarity that is held, in [0, 1]."""
        return sum(self.weights[term] * alike for term, alike in held.items()) / self.total

    def scored(self) -> list[ScoredPassage]:
        """All passages with their scores, in the hits' order."""
        whole = [self.coverage(self.held(self._all_terms(index))) for index in range(len(self.hits))]
        out = []
        for passage in self.passages:
            own = self.held(passage.terms)
            score = coverage = self.coverage(own)
            taken = set(own)
            surroundings = (
                (passage.head_terms, HEAD_WEIGHT),
                (passage.before, BEFORE_WEIGHT),
                (self.headings[passage.hit], HEADINGS_WEIGHT),
            )
            for terms, weight in surroundings:
                more = {t: a for t, a in self.held(terms).items() if t not in taken}
                score += weight * self.coverage(more)
                taken |= set(more)
            score += HIT_WEIGHT * whole[passage.hit] + RANK_WEIGHT / (1 + passage.hit)
            if self.asks_number and passage.has_number:
                score += ANSWER_KIND_WEIGHT
            if passage.fragment:
                score *= 0.3
            out.append(ScoredPassage(passage, coverage, score))
        return out

    def _all_terms(self, hit: int) -> frozenset[str]:
        return frozenset().union(*(p.terms for p in self.passages if p.hit == hit))


def select_quotes(question: str, hits: Sequence[Hit], *, limit: int) -> list[Quote]:
    """At most `limit` quotes, best first, none inside another; fewer where the hits hold nothing of the question."""
    reading = Reading(question, hits)
    quotes: list[Quote] = []
    for scored in sorted(reading.scored(), key=lambda s: -s.score):
        if len(quotes) >= limit:
            break
        if not scored.coverage:
            continue
        hit = reading.hits[scored.passage.hit]
        start, end = _quoted_span(scored.passage)
        if any(q.hit.chunk == hit.chunk and start < q.end and q.start < end for q in quotes):
            continue
        text = hit.text[start:end]
        if any(text == quote.text for quote in quotes) or " ".join(text.split()) in hit.headings:
            continue  # a heading names what the text says and says nothing itself
        quotes.append(Quote(hit, start, end, text, scored.score))
    return quotes


def _quoted_span(passage: Passage) -> tuple[int, int]:
    """The row with its head row and what stands between, where that is short enough; else the passage itself."""
    if passage.head and passage.end - passage.head[0] <= TABLE_QUOTE_CHARACTERS:
        return passage.head[0], passage.end
    return passage.start, passage.end


def _passages(hit: int, text: str) -> list[Passage]:
    """The hit's sentences, list items and table rows in order."""
    out: list[Passage] = []
    before: frozenset[str] = frozenset()
    head: tuple[int, int] | None = None
    head_terms: frozenset[str] = frozenset()
    last_row_end = -10
    for start, end, row in _spans(text):
        units = read_units(text[start:end])
        terms = frozenset(u.term for u in units)
        if not row:
            head, head_terms = None, frozenset()
        elif head is None or text[last_row_end:start].count("\n") > 1:
            head, head_terms = (start, end), terms
            last_row_end = end
            out.append(Passage(hit, start, end, terms, before, None, frozenset(), fragment=True, has_number=False))
            continue
        last_row_end = end if row else -10
        fragment = not row and len(units) < _FRAGMENT_UNITS and not _ENDS.search(text[start:end])
        number = any(u.kind in (Kind.NUMBER, Kind.CODE) for u in units)
        out.append(Passage(hit, start, end, terms, frozenset() if row else before, head, head_terms, fragment, number))
        before = terms
    return out


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
