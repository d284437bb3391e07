"""A question's terms, how rare each is, and what stands for it in a text: itself, a word like it, or its translation.

A text is read by the terms of its own language: in the question's language these are the question's units, in the other
language the groups of `ingest.crosslingual`, which whoever asks hands in. Chinese is compared in simplified characters.
This module knows no weights of features and picks nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.support import likeness
from eval.units import Background, Kind, Unit, read_units
from ingest.crosslingual import Group
from ingest.synonyms import synonyms
from ingest.tokens import is_han, simplified, without_question_words

Translate = Callable[[str], Sequence[Group]]
"""Question → for each of its words what it may be called in the other language."""

# Figures behind these constants: docs/decisions/0023-quoting-and-abstaining.md.
SOFT_MATCH = 0.6
SYNONYM_SHARE = 0.7
BACKGROUND_SHARE = 0.5
# A translation is seldom the only one possible, so that even a perfect one is no word of the question.
_TRANSLATION_SHARE = 0.9

# What only frames a question: "how many", "must", 多长时间, 应该. An answer is seldom put with these words.
_FRAME = re.compile(
    r"\bhow (?:many|much|long|often|soon|far|old|big|large|high|fast|early|late|wide|deep|heavy|quickly)\b"
    r"|\b(?:what|which) (?:date|time|day|year|month|sum|amount|number|percentage|share|name|place)\b|\b(?:kind|type|sort)s? of\b"
    r"|\btakes? place\b"
    r"|\b(?:after|before|over|up to|per|within|between|during|under|any|each|every|one|must|need(?:s|ed)?|gets?|allowed"
    r"|us(?:e|ed|ing)|ma[dk]e|give|given|takes?|taken)\b"
    "|多[长長](?:[时時][间間])?|多少[时時][间間]|多[久大高]|[应應][该該当當]|需要|必[须須]|可以|能[够夠]|能不能|是否|一共|[总總]共|分[别別]"
    "|具[体體]|[时時][间間][内內]|[几幾]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the question, written at `asked_part(question)[start:end]`. `ways`: words of which a text must hold all to say
    the term, and how well it is then said (0 to 1). `exact`: a name, number or code, which cannot be said otherwise."""

    key: str
    start: int
    end: int
    exact: bool
    idf: float
    ways: tuple[tuple[frozenset[str], float], ...]


class Terms:
    """The terms with which texts of one language are read. `rarity` mixes the background's idf with that of the texts at hand,
    `local` is the latter alone; both by key. `words` are those that stand for any term."""

    def __init__(self, terms: Sequence[Term], texts: Sequence[frozenset[str]]) -> None:
        """`texts` are the words of each text at hand."""
        self.terms = tuple(terms)
        self.words = frozenset(word for term in terms for said, _ in term.ways for word in said)
        # Nearly all ways are one word, and most words of a text stand for none: looked up the other way round.
        self._single: dict[str, list[tuple[str, float]]] = {}
        self._joined: list[tuple[frozenset[str], str, float]] = []
        for term in terms:
            for said, match in term.ways:
                if len(said) == 1:
                    self._single.setdefault(next(iter(said)), []).append((term.key, match))
                else:
                    self._joined.append((said, term.key, match))
        self._single_words = frozenset(self._single)
        counts = Counter(key for text in texts for key, match in self.held(text).items() if match > SOFT_MATCH)
        self.local = {term.key: _rarity(counts[term.key], len(texts)) for term in terms}
        self.rarity = {term.key: BACKGROUND_SHARE * term.idf + (1 - BACKGROUND_SHARE) * self.local[term.key] for term in terms}
        self._total = sum(self.rarity.values()) or 1.0
        self._local_total = sum(self.local.values()) or 1.0

    def held(self, text: frozenset[str]) -> dict[str, float]:
        """Term → how well a text with these words holds it (0 < match ≤ 1)."""
        out: dict[str, float] = {}
        for word in self._single_words & text:
            for key, match in self._single[word]:
                if match > out.get(key, 0.0):
                    out[key] = match
        for said, key, match in self._joined:
            if match > out.get(key, 0.0) and said <= text:
                out[key] = match
        return out

    def coverage(self, held: Mapping[str, float]) -> float:
        """The share of the question's rarity that is held, in [0, 1]."""
        return sum(self.rarity[key] * match for key, match in held.items()) / self._total

    def local_coverage(self, held: Mapping[str, float]) -> float:
        """The same by rarity among the texts at hand alone."""
        return sum(self.local[key] * match for key, match in held.items()) / self._local_total


def asked_part(question: str) -> str:
    """The question without its question words and what else only frames it; the whole where nothing else is left."""
    asked = _FRAME.sub(" ", without_question_words(question))
    return asked if any(unit.content for unit in read_units(asked)) else question


def own_terms(asked: str, texts: Sequence[frozenset[str]], *, background: Background) -> Terms:
    """The units of `asked_part`, to read texts of its language with; `texts` are the words of each text at hand."""
    units = [unit for unit in read_units(asked) if unit.content] or read_units(asked)
    known = frozenset().union(*texts)
    terms = []
    for key, unit in {unit.term: unit for unit in units}.items():
        exact = unit.kind in (Kind.NUMBER, Kind.CODE) or unit.name
        ways = tuple((frozenset({word}), match) for word, match in _like(key, unit, known).items())
        terms.append(Term(key, unit.start, unit.end, exact, background.idf(unit.term), ways))
    return Terms(terms, texts)


def translated_terms(asked: str, groups: Iterable[Group], texts: Sequence[frozenset[str]], *, background: Background) -> Terms:
    """One term for each group with alternatives, to read texts of the other language with; both write numbers and codes alike."""
    known = frozenset().union(*texts)
    units = [unit for unit in read_units(asked) if unit.content and (unit.kind in (Kind.NUMBER, Kind.CODE) or unit.name)]
    kept = {unit.term: unit for unit in units if unit.kind is not Kind.WORD}
    terms = [
        Term(key, unit.start, unit.end, True, background.idf(key), ((frozenset({key}), 1.0),) if key in known else ())
        for key, unit in kept.items()
    ]
    for group in groups:
        said = [(_words(one.units), one.weight) for one in group.alternatives]
        said = [(words, weight) for words, weight in said if words]
        if not said:
            continue
        top = max(weight for _, weight in said)
        ways = tuple((words, _TRANSLATION_SHARE * math.sqrt(weight / top)) for words, weight in said if words <= known)
        idf = group.weight * max(max(background.idf(word) for word in words) for words, _ in said[:1])
        start, end = _place(asked, group.word)
        if _holds_digit(group.word) or any(unit.start <= start < end <= unit.end for unit in kept.values()):
            continue  # a number or a code, or a part of one
        exact = start < end and any(unit.start <= start < unit.end for unit in units)
        terms.append(Term(" ".join(group.word), start, end, exact, idf, ways))
    return Terms(terms, texts)


def _like(key: str, unit: Unit, known: Collection[str]) -> dict[str, float]:
    """The words at hand that stand for the unit, with how alike they are."""
    found = {key: 1.0} if key in known else {}
    if unit.kind is not Kind.WORD or not key.isalpha():
        return found
    for word in known:
        if word != key and word[0] == key[0] and word.isalpha() and (alike := likeness(key, word)) >= SOFT_MATCH:
            found[word] = alike
    for word, alike in synonyms(key):
        if word in known:
            found[word] = max(found.get(word, 0.0), SYNONYM_SHARE * alike)
    return found


def _rarity(count: int, total: int) -> float:
    return math.log1p((total - count + 0.5) / (count + 0.5)) if total else 0.0


def _words(alternative: Sequence[str]) -> frozenset[str]:
    """The words of a text that say the alternative; none for a single Chinese character, which a text rarely has by itself."""
    joined = "".join(alternative) if is_han(alternative[0]) else " ".join(alternative)
    return frozenset(unit.term for unit in read_units(joined) if unit.content)


def _holds_digit(word: Sequence[str]) -> bool:
    return any(character.isdigit() for unit in word for character in unit)


def _place(asked: str, word: Sequence[str]) -> tuple[int, int]:
    """Where the word stands in what is asked, as far as its first unit can be found there; (0, 0) where it cannot."""
    folded = simplified(asked.lower())
    written = "".join(word) if is_han(word[0]) else word[0]
    at = folded.find(written)
    if at < 0:
        return 0, 0
    end = at + len(written)
    while not is_han(word[0]) and end < len(folded) and folded[end].isalnum() and not is_han(folded[end]):
        end += 1  # a stem is shorter than its word
    return at, end
