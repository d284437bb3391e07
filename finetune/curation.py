"""Which drafted questions are good enough to train on, and why the others are not.

A reason is `trivial`, `duplicate`, `leak` or `judge`, a colon, and what was seen. Rules and the model are held to the same
rules here. Nothing is decided by the model that wrote a question: words, the live index, quoting and the house judge decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from eval.metrics.text import holds_key_fact
from eval.quoting import select_quotes
from eval.types import Judge, Retriever
from finetune.points import Asked, Point, bare_question
from finetune.questions import Questions, question_key
from finetune.verbs import finite_verb
from ingest.tokens import index_terms, language, query_terms, stem, units
from ingest.types import Access, Hit

# The passage has to be among this many hits, as many as answering looks through.
_FOUND_WITHIN = 8
_SHORTEST, _LONGEST = {"en": 20, "zh": 7}, {"en": 200, "zh": 80}
# A model's wording has to hold this share of the terms of the question that it was given.
_COVERAGE = 0.7
_SUBJECT_TERMS = 2

_QUESTION_WORDS = {
    "en": {
        Asked.AMOUNT: r"how much|what (?:amount|price|sum|fee|cost|value|is|are|was|were)\b|how many",
        Asked.SHARE: r"what (?:percentage|share|percent|part|is|was)\b|how (?:much|many)|which percentage",
        Asked.DURATION: r"how (?:long|many|often|soon)|what (?:is|are|time|length|period)\b|which",
        Asked.NUMBER: r"how (?:many|much|long|large|high|heavy|wide|thick|fast|big|often|far|hot)|(?:what|which)\b",
        Asked.DATE: r"when|(?:what|which) (?:date|day|month|year|is|are)\b",
        Asked.TIME: r"when|what (?:time|hour|is|are)\b|how long",
        Asked.WHO: r"\bwho|whom|whose|(?:what|which) (?:is|person|name)\b",
        Asked.WHERE: r"where|(?:what|which) (?:city|country|place|town|office|site)|in which|in what",
        Asked.NAME: r"\bwho|whom|whose|what|which",
    },
    "zh": {
        Asked.AMOUNT: "多少|几|什么",
        Asked.SHARE: "多少|几|多大|什么",
        Asked.DURATION: "多少|几|多久|多长|什么",
        Asked.NUMBER: "多少|几|多大|多高|多长|多久|什么",
        Asked.DATE: "什么时候|哪|何时|几",
        Asked.TIME: "几点|什么时|何时|哪",
        Asked.WHO: "谁|哪|什么",
        Asked.WHERE: "哪|什么地方|何处",
        Asked.NAME: "谁|什么|哪",
    },
}
_ANY_QUESTION_WORD = {
    "en": r"\b(?:who|whom|whose|what|which|when|where|why|how)\b",
    "zh": "谁|什么|哪|多少|几|多久|多大|多长|何|如何|怎",
}
_DANGLING = re.compile(
    r"^(?:it|they|he|she|this|that|these|those)\b"
    r"|\b(?:does|do|did|is|are|was|were|has|have|can|may|must|should|will) (?:it|they|he|she|this|that|these|those)\b"
    r"|\b(?:the (?:sentence|passage|text|answer|above|following)|mentioned)\b|\?.*\?|[{}\\]|^[^“]*”",
    re.IGNORECASE,
)
_LEANING = re.compile(r"^(?:请问)?(?:他|她|它|其|该|此|这)")
# Words that a question may bring along without saying anything new.
_WORDS_OF_QUESTIONS = frozenset(
    index_terms(
        "amount percentage share number many much long often tell person name date day month year time table action charge "
        "responsible required requirement allowed maximum minimum most least limit people period length price cost value "
        "regarding subject company employee place task need take last given called apply applies due done term defined city "
        "country possible following each per calendar total get receive use used within after before above below up out"
    )
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A question for a point, not yet decided on. `source` is `model` or `rule:<name>`."""

    hit: Hit
    point: Point
    question: str
    source: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft with the reason why it is rejected (empty for an accepted one) and what the index found for it."""

    draft: Draft
    reason: str
    found: tuple[Hit, ...] = ()


class Curation:
    """Decides on drafts. It remembers the questions accepted so far, by key, so that none is accepted twice."""

    def __init__(
        self, *, retriever: Retriever, judge: Judge, protected: Sequence[str], known: Collection[str], access: Access
    ) -> None:
        """`protected` are questions of evaluation cases; `known` the keys of questions accepted before."""
        self._retriever = retriever
        self._judge = judge
        self._access = access
        self._known = {question_key(question) for question in known}
        self._protected = Questions(protected)

    def decide(self, draft: Draft) -> Judged:
        """The draft with its reason for rejection; the cheap reasons are looked for first."""
        key = question_key(draft.question)
        reason = trivial(draft)
        if not reason and self._protected.hold(draft.question):
            reason = "leak: an evaluation case asks this, or nearly"
        if not reason and key in self._known:
            reason = "duplicate: this question was accepted already"
        found: tuple[Hit, ...] = ()
        if not reason:
            found = tuple(self._retriever.search(draft.question, access=self._access, limit=_FOUND_WITHIN))
            reason = self._not_found(draft, found) or self._not_supported(draft)
        if not reason:
            self._known.add(key)
        return Judged(draft, reason, found)

    def _not_found(self, draft: Draft, found: Sequence[Hit]) -> str:
        if all(hit.chunk != draft.hit.chunk for hit in found):
            return "judge: searching the question does not bring its passage"
        quotes = select_quotes(draft.question, [draft.hit], limit=2)
        evidence = " ".join(draft.point.evidence.split())
        for quote in quotes:
            text = " ".join(quote.text.split())
            if evidence in text or text in evidence or holds_key_fact(text, [draft.point.value]):
                return ""
        return "judge: the passage answers the question with another sentence"

    def _not_supported(self, draft: Draft) -> str:
        evidence = " › ".join(draft.hit.headings) + "\n" + draft.hit.text
        verdict = self._judge.judge([draft.point.answer], evidence=[evidence, draft.point.clause], question=draft.question)[0]
        return "" if verdict.supported else f"judge: {verdict.reason}"


def trivial(draft: Draft) -> str:
    """Why the wording of a draft is of no use, as a reason; empty where it may be."""
    question, point = draft.question, draft.point
    lang = point.language
    if language(question) != lang and draft.source == "model":
        return f"trivial: the question is not in the language of its passage ({lang})"
    if not question.endswith(("?", "？")):
        return "trivial: it does not end with a question mark"
    if not _SHORTEST[lang] <= len(question) <= _LONGEST[lang]:
        return f"trivial: {len(question)} characters; allowed are {_SHORTEST[lang]} to {_LONGEST[lang]}"
    words = (
        _QUESTION_WORDS[lang].get(point.asked, _ANY_QUESTION_WORD[lang]) if point.rule != "table" else _ANY_QUESTION_WORD[lang]
    )
    if not re.search(words, question, re.IGNORECASE):
        return f"trivial: no question word that asks for a {point.asked}"
    if _DANGLING.search(question) or _LEANING.search(question):
        return "trivial: it cannot be understood without the passage"
    if holds_key_fact(question, [point.value]) and point.asked is not Asked.DEFINITION:
        return "trivial: it holds its own answer"
    terms = set(query_terms(question))
    about = terms - _WORDS_OF_QUESTIONS
    if len(about) < (2 if lang == "en" else 4):
        return "trivial: it does not name what it asks about"
    return _not_the_question(draft, terms) if draft.source == "model" else ""


_COUNTED_THING = re.compile(r"\bhow many [a-z-]+")
_COUNTS = re.compile(r"\bhow many ([a-z-]+)")
# `What is the …` asks for a value of this kind only with a word like these.
_MEASURES = "number|maximum|minimum|limit|size|weight|length|distance|temperature|value|height|speed|most|least"
_QUANTITIES = {
    Asked.AMOUNT: "amount|price|cost|fee|sum|rate|limit|maximum|value|charge|allowance|budget",
    Asked.SHARE: "share|percentage|rate|part|maximum",
    Asked.DURATION: f"{_MEASURES}|time|period|duration|term",
    Asked.NUMBER: _MEASURES,
    Asked.DATE: "date|day|month|year|deadline",
    Asked.TIME: "time|hour",
}
_HELPING = re.compile(r"\b(?:do|does|did|can|may|must|should|will|would|could)\b")


def _another_question(question: str, given: str, point: Point) -> str:
    """Why an English wording asks for another value than the given question does, or asks in broken grammar."""
    counted = _COUNTS.search(question)
    if counted and stem(counted[1]) not in set(units(point.value + " " + given)):
        return f"trivial: it counts {counted[1]}"
    quantity = _QUANTITIES.get(point.asked, "")
    asks = re.match(rf"what is the (?:[\w-]+ ){{0,3}}(?:{quantity})\b", question)
    if quantity and question.startswith("what is") and not given.startswith("what ") and not asks:
        return f"trivial: it does not ask for a {point.asked}"
    if _HELPING.search(question):
        for word in question.rstrip("?").split():
            verb = finite_verb(word)
            if verb and verb.auxiliary == "does" and verb.base and word not in given.split():
                return f"trivial: the verb {word} does not agree"
    return ""


def _not_the_question(draft: Draft, terms: set[str]) -> str:
    """Why a model's wording is not the question that it was given: too many new words, or too few of the given ones."""
    point = draft.point
    plain = _COUNTED_THING.sub("", bare_question(point).lower()) if point.questions else ""
    ordered = [term for term in query_terms(plain) if term not in _WORDS_OF_QUESTIONS]
    given = set(ordered)
    known = set(query_terms(" ".join(point.questions[:1]))) | set(
        index_terms(point.clause + "\n" + "\n".join(draft.hit.headings))
    )
    about = terms - _WORDS_OF_QUESTIONS
    new = sorted(about - known)
    if new:
        return "trivial: it brings in words of its own: " + ", ".join(new[:5])
    # An English question names its subject first, and a wording without that asks about something else.
    if set(ordered[:_SUBJECT_TERMS]) - about or (given and len(given & about) / len(given) < _COVERAGE):
        return "trivial: it leaves out too much of what is asked for: " + ", ".join(sorted(given - about)[:5])
    return _another_question(_plain(draft.question, point), bare_question(point).lower(), point) if point.language == "en" else ""


def _plain(question: str, point: Point) -> str:
    return question.removeprefix(f"Regarding “{point.topic}”, ").lower()
