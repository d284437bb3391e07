"""A question's words in the other language: groups of alternatives out of CC-CEDICT and the company's own glossary.

Invariants. A group stands for one word of the question. Its alternatives are cut into units as `ingest.tokens` cuts a document,
so simplified and traditional forms meet here where they meet there. Nothing here knows of indexes, chunks or rights: groups only
say what else to look for. What each number is worth: `docs/decisions/0014-across-languages.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from ingest.dictionary import Alternative, Dictionary, content
from ingest.glossary import Glossary
from ingest.tokens import is_han, pieces, query_terms, units, without_question_words

KEPT_WEIGHT = 1.5
"""Of names, codes and numbers, which are the same in both languages."""
FAINT_WEIGHT = 0.4
"""Of a Chinese character that is a word by itself (most have many meanings), and of prepositions and the like."""
PART_WEIGHT = 0.5
"""How much less the parts of a long word say than the word: 试用 of 试用期, leave of annual leave."""
LONGEST_WORD = 8
"""Units of the longest word that is looked up in the dictionary."""
QUESTION_UNITS = 256
"""Longer questions are read up to here: they are pasted text, and the cost grows with their length."""
# Questions that are answered at the same time.
_KEPT_QUESTIONS = 32

_FAINT_HAN = frozenset("的了在是和与與或及为為以于於从從由对對将將把被给給会會能要就也都而但其此该該这這那有才")
_FAINT_WORDS = frozenset(
    unit
    for unit in units(
        "one get happen after before during within between above below over under until since without up out off only also any "
        "all each every other same"
    )
)
# How much and how long is asked is said by no word of the answer.
_MEASURE_QUESTIONS = frozenset(units("many much often"))


@dataclass(frozen=True, slots=True)
class Group:
    """The alternatives for one word of the question, best first; `weight` is the word's own, 1 for most."""

    word: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    weight: float = 1.0


class Translator:
    """Groups for questions, from the dictionary and the glossary."""

    def __init__(self, dictionary: Dictionary | None, glossary: Glossary | None = None) -> None:
        """Without a `dictionary` only the glossary speaks."""
        self._dictionary = dictionary
        self._glossary = glossary or Glossary()
        # The search, the evidence decision and the quotes of one answer ask for the same question's.
        self._known = lru_cache(maxsize=_KEPT_QUESTIONS)(self._groups)

    def groups(self, question: str) -> tuple[Group, ...]:
        """One group for each word of the question, in order; without alternatives where none is known."""
        return self._known(question)

    def _groups(self, question: str) -> tuple[Group, ...]:
        asked = _asked(question)
        spans = dict.fromkeys(_spans(asked, max(LONGEST_WORD, self._glossary.longest)))
        keys = [" ".join(span) for span in spans if len(span) <= LONGEST_WORD]
        known = self._dictionary.find(keys) if self._dictionary else {}
        own = {key: others for span in spans if (others := self._glossary.others(key := " ".join(span)))}
        cut = _segments(asked, known.keys() | own.keys())
        found = [_group(word, _alternatives(word, known, own)) for word in dict.fromkeys(cut)]
        codes = [term for term in query_terms(question) if not is_han(term[0]) and (term,) not in spans]
        kept = (Group((code,), (Alternative((code,), 1.0),), KEPT_WEIGHT) for code in codes if code not in _MEASURE_QUESTIONS)
        return (*found, *kept)

    def synonyms(self, question: str) -> list[Group]:
        """What the company itself also calls the words of the question, in either language; nothing of the dictionary."""
        asked = _asked(question)
        spans = dict.fromkeys(_spans(asked, self._glossary.longest))
        own = {key: others for span in spans if (others := self._glossary.others(key := " ".join(span)))}
        cut = dict.fromkeys(_segments(asked, own.keys())) if own else {}
        return [
            Group(word, tuple(Alternative(other, 1.0) for other in own[" ".join(word)])) for word in cut if " ".join(word) in own
        ]


def _asked(question: str) -> list[str]:
    """The question's units without stop words; an empty one parts Chinese words with something between them."""
    out: list[str] = []
    before_is_han = False
    for piece in pieces(without_question_words(question)) or pieces(question):
        if before_is_han and is_han(piece[0]):
            out.append("")
        out += (unit for unit in content(units(piece)) if unit not in _MEASURE_QUESTIONS)
        before_is_han = is_han(piece[0])
    return out[:QUESTION_UNITS]


def _spans(asked: Sequence[str], longest: int) -> Iterator[tuple[str, ...]]:
    """Each run of at most `longest` units."""
    for start in range(len(asked)):
        for end in range(start + 1, min(start + longest, len(asked)) + 1):
            if not asked[end - 1]:
                break
            yield tuple(asked[start:end])


def _segments(asked: Sequence[str], words: Iterable[str]) -> list[tuple[str, ...]]:
    """The question cut into as few words as can be; of two such cuts the one whose last words are longer."""
    longest_first = sorted({tuple(word.split(" ")) for word in words}, key=len, reverse=True)
    lengths = sorted({len(word) for word in longest_first} | {1})
    known = set(longest_first)
    costs = [0.0] + [math.inf] * len(asked)
    lasts = [1] * (len(asked) + 1)
    for end, length in product(range(1, len(asked) + 1), lengths):
        if length > end or (length > 1 and tuple(asked[end - length : end]) not in known):
            continue
        # A word of several units is better than one of one: of equally many words, the fewest single characters.
        cost = costs[end - length] + (1.0 if length > 1 else 1.5 if asked[end - 1] else 0.0)
        if cost <= costs[end]:
            costs[end], lasts[end] = cost, length
    out: list[tuple[str, ...]] = []
    end = len(asked)
    while end:
        out.append(tuple(asked[end - lasts[end] : end]))
        end -= lasts[end]
    return [word for word in reversed(out) if word != ("",)]


def _alternatives(
    word: tuple[str, ...], known: Mapping[str, Sequence[Alternative]], own: Mapping[str, Sequence[tuple[str, ...]]]
) -> tuple[Alternative, ...]:
    """The company's own names first, then the dictionary's, then those of the word's parts; each once, best first."""
    key = " ".join(word)
    best = dict.fromkeys(own.get(key, ()), 1.0)
    for one in known.get(key, ()):
        best.setdefault(one.units, one.weight)
    least = 2 if is_han(word[0]) else 1
    for start, end in product(range(len(word)), range(1, len(word) + 1)):
        if least <= end - start < len(word):
            for one in known.get(" ".join(word[start:end]), ()):
                best[one.units] = max(best.get(one.units, 0.0), PART_WEIGHT * one.weight)
    return tuple(Alternative(name, weight) for name, weight in sorted(best.items(), key=lambda item: -item[1]))


def _group(word: tuple[str, ...], found: tuple[Alternative, ...]) -> Group:
    if is_han(word[0]):
        if len(word) > 1:
            return Group(word, found)
        return Group(word, () if word[0] in _FAINT_HAN else found, FAINT_WEIGHT)
    if len(word) == 1 and word[0] in _FAINT_WORDS:
        return Group(word, found, FAINT_WEIGHT)
    # A name or a number is the same in both languages, and a word may stand untranslated.
    kept = not found or word[0][0].isdigit()
    return Group(word, (Alternative(word, 1.0), *found), KEPT_WEIGHT if kept else 1.0)
