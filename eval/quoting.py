"""The sentences of the hits that answer a question best, word for word.

Each sentence, list item or table row is scored by what it holds of the question, by what its surroundings hold of the rest
(neighbours or a table's head row, headings), and by whether it holds something of the kind that is asked for. The weights come
from `eval/models/quoting-*.json` (made by `finetune.quoting`). A quote is an exact substring of its hit; a table row comes with
its head row where both fit. This module picks; whether the evidence is enough to answer from is `eval.evidence`'s decision.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from eval.asking import answer_kind, holds_candidate
from eval.contents import is_caption
from eval.passages import Passage, cut_passages
from eval.terms import Terms, Translate, asked_part, own_terms, translated_terms
from eval.topic import Topic
from eval.types import Quote
from eval.units import Background, read_units, shipped_background
from eval.weights_file import read_weights_file
from ingest.tokens import is_han, language
from ingest.types import Hit

WEIGHTS_FILE = Path(__file__).parent / "models" / "quoting-v2.json"

SIGNS: dict[str, int] = {
    "coverage": 1,
    "told": 1,
    "exact": 1,
    "local_coverage": 1,
    "characters": 1,
    "before": 1,
    "after": 1,
    "headings": 1,
    "hit": 1,
    "rank": 1,
    "first": 1,
    "answer_kind": 1,
    "new_words": 1,
    "length": -1,
    "fragment": -1,
}
"""Name → the sign its weight must have in the score of a sentence."""

# A table row is quoted together with everything from its head row down where that is no longer than this.
TABLE_QUOTE_CHARACTERS = 320

# How many deviations a sentence of another language than the first hit's must be better than one of this to go before it.
_TRANSLATED_HANDICAP = 1.0


# A quote by so many deviations worse than the first one hardly ever holds the answer where the first does not.
_BESIDE = 2.0


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage of hit number `hit` with the share of the question that it covers by itself, and its features in the order of
    `SIGNS`. Of the score, higher is better; it counts in deviations from what the right sentence of a passage in this language
    mostly has, so that passages of two languages compare."""

    hit: int
    passage: Passage
    coverage: float
    features: tuple[float, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the sentences of one language are scored: weights in the order of `SIGNS`, and mean and deviation of the scores that
    they gave right sentences."""

    weights: tuple[float, ...]
    mean: float
    scale: float

    def score(self, features: Sequence[float]) -> float:
        """Higher is better, 0 is what a right sentence mostly has."""
        total = sum(weight * value for weight, value in zip(self.weights, features, strict=True))
        return (total - self.mean) / self.scale


class Reading:
    """A question and its hits prepared for comparing; `eval.evidence` reads the same object."""

    def __init__(
        self, question: str, hits: Sequence[Hit], *, translate: Translate | None = None, background: Background | None = None
    ) -> None:
        """Without `translate`, hits of the other language are compared by the words that both languages write alike."""
        self.question = question
        self.is_translated = translate is not None
        self._translate = translate
        self.language = language(question)
        self.hits = list(hits)
        self.passages = [cut_passages(hit.text) for hit in self.hits]
        self.headings = [frozenset(u.term for h in hit.headings for u in read_units(h)) for hit in self.hits]
        self.kind = answer_kind(question)
        self.asked = asked_part(question)
        self.asked_terms = frozenset(unit.term for unit in read_units(question))
        self._languages = [language(hit.text) for hit in self.hits]
        self._terms = self._terms_by_language(translate, background or shipped_background())
        self._topics = {of: Topic(self.asked, terms.terms) for of, terms in self._terms.items()}

    def _terms_by_language(self, translate: Translate | None, background: Background) -> dict[str, Terms]:
        texts: dict[str, list[frozenset[str]]] = {"en": [], "zh": []}
        for of, passages in zip(self._languages, self.passages, strict=True):
            texts[of] += (passage.terms | passage.head_terms for passage in passages)
        headings = frozenset().union(*self.headings)
        terms = {}
        for of, mine in texts.items():
            at_hand = [*mine, headings]
            if of == self.language or translate is None:
                terms[of] = own_terms(self.asked, at_hand, background=background)
            elif mine:
                terms[of] = translated_terms(self.asked, translate(self.asked), at_hand, background=background)
        return terms

    def terms(self, hit: int) -> Terms:
        """The terms with which this hit is read."""
        return self._terms[self._languages[hit]]

    def chinese_words(self) -> frozenset[str]:
        """What is asked, as far as it is Chinese, cut into the words that the dictionary knows."""
        groups = self._translate(self.asked) if self._translate and self.language == "zh" else ()
        return frozenset("".join(one.word) for one in groups if len(one.word) > 1 and is_han(one.word[0]))

    def hit_words(self, hit: int) -> frozenset[str]:
        """The words of the whole hit, without its headings."""
        return frozenset().union(*(passage.terms for passage in self.passages[hit]))

    def topic(self, hit: int) -> Topic:
        """What the question is about, in the terms with which this hit is read."""
        return self._topics[self._languages[hit]]

    def language_of(self, hit: int) -> str:
        """The language of a hit's text."""
        return self._languages[hit]

    def scored(self, scorings: Mapping[str, Scoring] | None = None) -> list[ScoredPassage]:
        """All passages with their scores, in the hits' order; `scorings`, by language, stand in for the shipped ones.

        Raises:
            GraftError: the shipped weights cannot be read.
        """
        return self._shipped_scores if scorings is None else self._scored(scorings)

    @cached_property
    def _shipped_scores(self) -> list[ScoredPassage]:
        return self._scored(read_weights(WEIGHTS_FILE))

    def _scored(self, scorings: Mapping[str, Scoring]) -> list[ScoredPassage]:
        out = []
        for hit, passages in enumerate(self.passages):
            if not passages:
                continue
            terms, scoring = self.terms(hit), scorings[self._languages[hit]]
            whole = terms.coverage(terms.held(self.hit_words(hit)))
            for number, passage in enumerate(passages):
                held = terms.held(passage.terms)
                features = self._features(hit, number, held, whole)
                out.append(ScoredPassage(hit, passage, terms.coverage(held), features, scoring.score(features)))
        return out

    def _features(self, hit: int, number: int, held: dict[str, float], whole: float) -> tuple[float, ...]:
        """The features of one passage, in the order of `SIGNS`."""
        passage, terms, topic, text = self.passages[hit][number], self.terms(hit), self.topic(hit), self.hits[hit].text
        taken = set(held)
        with_head = terms.held(passage.terms | passage.head_terms) if passage.head else held

        def more(surroundings: frozenset[str]) -> float:
            found = {key: match for key, match in terms.held(surroundings).items() if key not in taken}
            taken.update(found)
            return terms.coverage(found)

        written = text[passage.start : passage.end]
        han = self._languages[hit] == "zh"
        exact = [term for term in terms.terms if term.exact]
        new = {unit.term for unit in passage.units if unit.content} - terms.words - self.asked_terms
        values = {
            "coverage": terms.coverage(held),
            "told": topic.told(with_head, f"{text[slice(*passage.head or (0, 0))]} {written}"),
            "exact": sum(term.key in with_head for term in exact) / len(exact) if exact else 0.0,
            "local_coverage": terms.local_coverage(held),
            "characters": (topic.characters_told(written) or 0.0) if han else 0.0,
            "before": more(passage.before | passage.head_terms),
            "headings": more(self.headings[hit]),
            "after": more(passage.after),
            "hit": whole,
            "rank": 1 / (1 + hit),
            "first": float(number == 0),
            "answer_kind": float(holds_candidate(self.kind, written, passage.units, asked=self.asked_terms, han=han)),
            "new_words": math.log1p(len(new)),
            "length": math.log1p(len(passage.units)),
            "fragment": float(passage.fragment),
        }
        return tuple(values[name] for name in SIGNS)


def select_quotes(question: str, hits: Sequence[Hit], *, limit: int, translate: Translate | None = None) -> list[Quote]:
    """`best_quotes` of the question and its hits, where nothing else is asked of them."""
    return best_quotes(Reading(question, hits, translate=translate), limit=limit)


def answering_quotes(reading: Reading, *, limit: int, languages: Sequence[str] = ()) -> list[Quote]:
    """Those of the `best_quotes` that may be the answer: none so much worse than the first that it is beside the question, and
    none of other `languages`, the likeliest first, where the answer is known to be in these."""
    within = [hit for hit in range(len(reading.hits)) if not languages or reading.language_of(hit) in languages]
    quotes = best_quotes(reading, limit=limit, within=within, likely=next(iter(languages), None))
    return [quote for quote in quotes if quotes[0].score - quote.score < _BESIDE]


def best_quotes(reading: Reading, *, limit: int, within: Collection[int] | None = None, likely: str | None = None) -> list[Quote]:
    """At most `limit` quotes of the hits, or of those `within`, best first, none inside another; fewer where they hold nothing of
    the question. The answer is taken to be in the language `likely`, else in that of the first hit: the search has weighed the
    languages against each other."""
    quotes: list[Quote] = []
    likely = likely or (reading.language_of(0) if reading.hits else None)
    handicap = [_TRANSLATED_HANDICAP * (reading.language_of(hit) != likely) for hit in range(len(reading.hits))]
    ranked = sorted(((one.score - handicap[one.hit], one) for one in reading.scored()), key=lambda pair: -pair[0])
    for score, scored in ranked:
        if len(quotes) >= limit:
            break
        if not scored.coverage or (within is not None and scored.hit not in within):
            continue
        hit = reading.hits[scored.hit]
        start, end = _quoted_span(scored.passage)
        if any(q.hit.chunk == hit.chunk and start < q.end and q.start < end for q in quotes):
            continue
        text = hit.text[start:end]
        if any(text == quote.text for quote in quotes) or " ".join(text.split()) in hit.headings or is_caption(text):
            continue  # a heading or caption names what the text says and says nothing itself
        quotes.append(Quote(hit, start, end, text, score))
    return quotes


def _quoted_span(passage: Passage) -> tuple[int, int]:
    """The row with its head row and what stands between, where that is short enough; else the passage itself."""
    if passage.head and passage.end - passage.head[0] <= TABLE_QUOTE_CHARACTERS:
        return passage.head[0], passage.end
    return passage.start, passage.end


@lru_cache(maxsize=4)
def read_weights(path: Path) -> dict[str, Scoring]:
    """Language → how its sentences are scored, from a file that `finetune.quoting` wrote.

    Raises:
        GraftError: it cannot be read, or is of other features than this version's.
    """
    content = read_weights_file(path, what="weights for quoting", features=SIGNS, made_by="finetune.quoting")
    return {of: Scoring(tuple(one["weights"]), one["mean"], one["scale"]) for of, one in content["languages"].items()}
