"""Does a sentence answer what was asked at all? Said against it only where nothing speaks for it.

A sentence is off the question when it holds next to nothing of what the question asks about and cannot be its answer by kind: a
number or a time is asked for and none is there, or a whole sentence shares no word with the question. Short answers, answers in
another language than the question's, and answers after which the question is named by a pronoun are left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache

from eval.support import likeness
from eval.units import Kind, Unit, read_units, shipped_background
from ingest.tokens import language, without_question_words

# Figures behind these: docs/decisions/0026-kinds-of-hallucination.md.
_NEXT_TO_NOTHING = 0.12
_WHOLE_SENTENCE_UNITS = {"en": 5, "zh": 8}
_SOFT_MATCH = 0.6

_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|often|far|high|large|big|tall|deep|fast|wide)\b"
    r"|\bwhat (?:percentage|number|year|date|share|price)\b"
    r"|\bwhat age\b|\bin (?:what|which) year\b|\bwhen (?:was|were|did|is|does|do|will)\b"
    r"|多少|几(?:个|天|年|次|人|岁|月|点|种|米|公里|名|位|家|条)|哪(?:一)?年|何时|何年|什么时候|什么时间|多(?:久|长|高|大|远|重|宽|深)",
    re.IGNORECASE,
)
# What tells a time or an amount without a number of its own.
_STANDS_FOR_NUMBER = re.compile(
    r"\b(?:one|once|twice|none|no|never|always|daily|weekly|monthly|yearly|annual\w*|every|each|half|double|dozens?|several|many|few|all|both"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october|november"
    r"|december|spring|summer|autumn|winter|centur\w+|decade\w*|today|tomorrow|yesterday|after|before|during|until|since|when|while)\b"
    r"|[零一二三四五六七八九十百千万亿两半几每]|全部|都|无|没有|多次|春|夏|秋|冬|时|前|后|期间|当天|年|月|日",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"^\W*(?:he|she|it|they|his|her|its|their|this|that|these|those|such|yes|no)\b|^\W*[他她它其该此这那]", re.IGNORECASE
)

# To these an answer is an order or a meaning, in words of its own.
_ASKS_HOW_OR_MEANING = re.compile(
    r"^\W*how (?:do|does|should|can|to)\b|\bmean(?:s|ing)?\b|\bstands? for\b|怎么|怎样|如何|什么意思|含义", re.IGNORECASE
)
# To these a value is no answer.
_ASKS_NO_VALUE = re.compile(r"\b(?:who|whom|whose|where|why)\b|谁|哪里|哪儿|为什么|为何", re.IGNORECASE)
# A value may be the answer to any other. An answer without a verb leaves the asked thing out; so does a Chinese one without a
# subject, which is told by its first word, or a list.
_VALUE = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|sixty|ninety|hundred)\b", re.IGNORECASE
)
_FULL_SENTENCE = {
    "en": re.compile(
        r"^(?:the|a|an|[a-z]+s)?\s?[\w' -]+\b(?:is|are|was|were|has|have|had|will|can|may|must|does|did|[a-z]+ed|[a-z]+s)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"^(?!请|先|再|要|须|必须|不|按|由|在|从|到|对|只|最|可|没|有|是|因为|为了|如果|一般|通常|全部|多半|原则上|[^，。]+、)"
    ),
}

_REASONS = {
    "number": {
        "en": "it does not answer the question: that asks for a number or a time",
        "zh": "没有回答问题：问题问的是数量或时间",
    },
    "topic": {
        "en": "it does not answer the question: it speaks of nothing that was asked",
        "zh": "没有回答问题：与所问的内容无关",
    },
}


def off_question(sentence: str, question: str) -> str:
    """Why the sentence is no answer to the question, in the question's language; empty where it may be one."""
    spoken = language(question)
    if not question.strip() or language(sentence) != spoken or _POINTS_BACK.search(sentence) or _may_be_short(sentence, question):
        return ""
    asked = [unit for unit in read_units(without_question_words(question)) if unit.content]
    said = [unit for unit in read_units(sentence) if unit.content]
    if len(asked) < 2 or not said:
        return ""
    covered = _covered(asked, said)
    has_number = any(unit.kind in (Kind.NUMBER, Kind.CODE) for unit in said) or _STANDS_FOR_NUMBER.search(sentence)
    if covered < _NEXT_TO_NOTHING and _ASKS_NUMBER.search(question) and not has_number:
        return _REASONS["number"][spoken]
    if covered == 0 and len(said) >= _WHOLE_SENTENCE_UNITS[spoken] and not _ASKS_NUMBER.search(question):
        return _REASONS["topic"][spoken]
    return ""


def _may_be_short(sentence: str, question: str) -> bool:
    """Whether the sentence may answer without a word of the question: by a value, an order, or a phrase."""
    if _ASKS_HOW_OR_MEANING.search(question):
        return True
    if _VALUE.search(sentence) and not _ASKS_NO_VALUE.search(question):
        return True
    return not _FULL_SENTENCE[language(sentence)].search(sentence)


def _covered(asked: list[Unit], said: list[Unit]) -> float:
    """The share of the question's rarity that the sentence holds, in like words too."""
    background = shipped_background()
    terms = {unit.term for unit in said}
    weights = {unit.term: background.idf(unit.term) for unit in asked}
    held = sum(weight for term, weight in weights.items() if term in terms or _has_like(term, frozenset(terms)))
    return held / (sum(weights.values()) or 1.0)


@lru_cache(maxsize=1024)
def _has_like(term: str, terms: frozenset[str]) -> bool:
    if not term.isascii():  # Chinese pairs share a character with others by chance, which is reason enough to keep quiet
        return any(character in other for character in term for other in terms if not other.isascii())
    return any(other.isascii() and other[0] == term[0] and likeness(term, other) >= _SOFT_MATCH for other in terms)
