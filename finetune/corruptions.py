"""Passages → sentences that they support and sentences that they do not: what the house judge learns from.

A supported sentence is one of the passage, or a question with its right answer put in, after honest noise: dropped small
words and brackets, other inflections, a cut clause, other common words. An unsupported one is the same plus exactly one
corruption. Everything follows from the seed. What is made here is wrong on purpose and never shown to anybody.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from eval.units import Background, canonical_number
from ingest.errors import InputRefused
from ingest.sentences import split_sentences
from ingest.tokens import HAN, STOP_WORDS, index_terms, language

SIMILAR = 12
"""How many of the most similar passages a corruption may take its material from (docs/decisions/0004)."""

# How many passages stand beside the right one as evidence: from a single one to as much as a page of search results.
_OTHER_PASSAGES = (0, 0, 1, 2, 4, 8)

# A word this common says little of the topic, so that another in its place is honest noise.
_COMMON_IDF = 5.0

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[\w,;] )[A-Z][\w'-]+(?: (?:of |the |de )?[A-Z][\w'-]+)*")
_BRACKETS = re.compile(r"\s?[(（][^()（）]{1,80}[)）]")
_CLAUSE_MARK = re.compile(r"(?<=[，；、])|(?<=[,;])\s+")
_WORD = re.compile(r"[A-Za-z][\w'-]*")
_TOKEN = re.compile(rf"{_NUMBER.pattern}|[{HAN}]|[^\W{HAN}]+|[^\w\s]")
# So few words in a row may be alike by chance in sentences that have nothing to do with each other.
_WORDS_BETWEEN = 1
_WH = re.compile(
    r"\b(?:what (?:year|day|month|kind of|type of|is the name of)|how (?:many|much|long)"
    r"|what|who|whom|whose|which|when|where|why|how)\b",
    re.IGNORECASE,
)
_CHINESE_WH = re.compile(
    "什么时候|什麼時候|哪一年|哪年|什么|什麼|为何|為何|何时|何時|多少|几|幾|哪里|哪裡|哪些|哪一个|哪个|哪個|哪|谁|誰|何"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a passage; its answer stands at `text[start:end]`. `answers` are all that are right."""

    question: str
    answer: str
    start: int
    end: int
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of an open reading-comprehension set with the questions asked about it."""

    id: str
    title: str
    text: str
    language: str
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class SupportSample:
    """A sentence with its evidence. `label` is 1 where it is unsupported; `kind` names the noise or the corruption, `spans` are
    the parts of the sentence that it made, `passage` the id of the one that the sentence was made from."""

    sentence: str
    evidence: tuple[str, ...]
    question: str
    label: int
    kind: str
    language: str
    spans: tuple[tuple[int, int], ...] = ()
    passage: str = ""


def read_passages(folder: Path) -> list[Passage]:
    """The passages of a folder in BEIR layout whose queries carry `spans`.

    Raises InputRefused where the folder does not hold `corpus.jsonl` and `queries.jsonl`.
    """
    try:
        rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
        queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise InputRefused(f"{folder} is no BEIR folder: it needs corpus.jsonl and queries.jsonl ({error}).") from error
    asked: dict[str, list[Asked]] = {}
    for query in queries:
        for span in query.get("spans", [])[:1]:
            right = tuple(query["answers"])
            asked.setdefault(span["doc"], []).append(Asked(query["text"], right[0], span["start"], span["end"], right))
    return [
        Passage(row["_id"], row.get("title", ""), row["text"], language(row["text"]), tuple(asked.get(row["_id"], ())))
        for row in rows
    ]


def similar_passages(passages: Sequence[Passage], *, limit: int = SIMILAR) -> list[list[int]]:
    """For each passage the indices of the most similar others by TF-IDF, nearest first."""
    if len(passages) < 2:
        return [[] for _ in passages]
    matrix = TfidfVectorizer(analyzer=index_terms, sublinear_tf=True).fit_transform([p.text for p in passages])
    likeness = (matrix @ matrix.T).toarray()
    np.fill_diagonal(likeness, -1.0)
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :limit]
    return [[int(i) for i in row] for row in order]


class CorruptionMaker:
    """Makes samples from one language's passages. The same passages, background and seed give the same samples."""

    def __init__(self, passages: Sequence[Passage], *, background: Background, seed: int) -> None:
        self._passages = list(passages)
        self._background = background
        self._random = random.Random(seed)
        self._similar = similar_passages(self._passages)
        self._common = self._common_words()
        self._corruptions: dict[str, Callable[[str, Passage, Passage], str | None]] = {
            "number": self._other_number,
            "name": self._other_name,
            "value": self._other_value,
            "words": self._other_words,
            "clause": self._added_clause,
            "whole": self._other_sentence,
            "mixed": self._mixed,
        }

    def make(self, per_passage: int) -> list[SupportSample]:
        """About `per_passage` samples a passage, half of them unsupported."""
        samples: list[SupportSample] = []
        for index, passage in enumerate(self._passages):
            sentences = [s for s in split_sentences(passage.text) if 12 <= len(s) <= 400]
            for _ in range(per_passage):
                sample = self._sample(index, passage, sentences)
                if sample is not None:
                    samples.append(sample)
        return samples

    def _sample(self, index: int, passage: Passage, sentences: list[str]) -> SupportSample | None:
        choose = self._random
        near = self._similar[index]
        if not near:
            return None
        donor_index = choose.choice(near)
        donor = self._passages[donor_index]
        others = [self._passages[i].text for i in near if i != donor_index]
        evidence = [passage.text, *choose.sample(others, k=min(len(others), choose.choice(_OTHER_PASSAGES)))]
        choose.shuffle(evidence)
        label = choose.randrange(2)
        asked = choose.choice(passage.asked) if passage.asked else None
        question = asked.question if asked and choose.random() < 0.5 else ""
        if asked and choose.random() < 0.3:
            honest = self._statement(asked, passage, donor, wrong=False) or ""
            sentence, kind = (self._statement(asked, passage, donor, wrong=True) if label else honest), "answer"
        elif sentences:
            honest = self._noisy(self._one_sentence(sentences))
            kind = choose.choice(list(self._corruptions)) if label else "noise"
            sentence = self._corruptions[kind](honest, passage, donor) if label else honest
        else:
            return None
        if not sentence or (label and sentence in passage.text):
            return None
        spans = changed_parts("" if kind == "whole" else honest, sentence) if label else ()
        return SupportSample(sentence, tuple(evidence), question, label, kind, passage.language, spans, passage.id)

    # --- honest changes

    def _one_sentence(self, sentences: list[str]) -> str:
        """A sentence, or now and then the front of one joined to the next."""
        at = self._random.randrange(len(sentences))
        if at + 1 < len(sentences) and self._random.random() < 0.15:
            front = _CLAUSE_MARK.split(sentences[at])[0].rstrip(" .。，,")
            han = language(front) == "zh"
            return front + ("，" if han else ", and ") + sentences[at + 1]
        return sentences[at]

    def _noisy(self, sentence: str) -> str:
        choose = self._random
        if choose.random() < 0.6:
            sentence = _BRACKETS.sub("", sentence)
        clauses = [c for c in _CLAUSE_MARK.split(sentence) if c]
        if len(clauses) > 1 and choose.random() < 0.4:
            clauses.pop(choose.randrange(len(clauses)))
        elif len(clauses) > 1 and choose.random() < 0.2:
            choose.shuffle(clauses)
        if language(sentence) == "zh":
            return self._noisy_chinese("".join(clauses))
        return self._noisy_english(" ".join(clauses))

    def _noisy_english(self, sentence: str) -> str:
        choose = self._random
        drop, inflect, swap = choose.choice([(0.0, 0.0, 0.0), (0.3, 0.1, 0.05), (0.5, 0.2, 0.15), (0.5, 0.2, 0.3)])
        out: list[str] = []
        for word in sentence.split(" "):
            plain = word.lower().strip(",.;:()\"'")
            if plain in STOP_WORDS and choose.random() < drop:
                continue
            if plain.isalpha() and word == plain and plain not in STOP_WORDS:
                if choose.random() < swap and self._common.get(plain) is not None:
                    word = choose.choice(self._common_list)
                elif choose.random() < inflect:
                    word = word.removesuffix("s") if word.endswith("s") else word + choose.choice(["s", "ed", "ing"])
            out.append(word)
        return " ".join(out)

    def _noisy_chinese(self, sentence: str) -> str:
        choose = self._random
        drop, swaps = choose.choice([(0.0, 0), (0.3, 0), (0.6, 1), (0.6, 2)])
        kept = "".join(c for c in sentence if c not in "的了地之" or choose.random() >= drop)
        places = [i for i in range(len(kept) - 1) if kept[i : i + 2] in self._common]
        for at in choose.sample(places, k=min(swaps, len(places))):
            kept = kept[:at] + choose.choice(self._common_list) + kept[at + 2 :]
        return kept

    def _common_words(self) -> dict[str, float]:
        """The language's common words or character pairs, which noise may exchange."""
        found: dict[str, float] = {}
        for passage in self._passages:
            words = (
                [passage.text[i : i + 2] for i in range(len(passage.text) - 1)]
                if passage.language == "zh"
                else _WORD.findall(passage.text)
            )
            for word in words:
                if word.isalpha() and word == word.lower() and word not in STOP_WORDS and word not in found:
                    term = (index_terms(word) or [""])[-1]
                    idf = self._background.idf(term) if term else 99.0
                    if idf < _COMMON_IDF:
                        found[word] = idf
        self._common_list = sorted(found)
        return found

    # --- corruptions: each gives a changed sentence, or None where it does not apply

    def _other_number(self, sentence: str, passage: Passage, donor: Passage) -> str | None:
        numbers = list(_NUMBER.finditer(sentence))
        if not numbers:
            return None
        old = self._random.choice(numbers)
        value = canonical_number(old.group())
        near = [n for n in _NUMBER.findall(passage.text) if canonical_number(n) != value and abs(len(n) - len(old.group())) <= 1]
        far = [n for n in _NUMBER.findall(donor.text) if canonical_number(n) != value and len(n) == len(old.group())]
        pool = near if near and self._random.random() < 0.5 else far
        new = self._random.choice(pool) if pool and self._random.random() < 0.6 else self._changed_digits(old.group())
        return sentence[: old.start()] + new + sentence[old.end() :] if canonical_number(new) != value else None

    def _changed_digits(self, number: str) -> str:
        places = [i for i, c in enumerate(number) if c.isdigit()]
        at = self._random.choice(places)
        digit = self._random.choice([d for d in "123456789" if d != number[at]])
        return number[:at] + digit + number[at + 1 :]

    def _other_name(self, sentence: str, passage: Passage, donor: Passage) -> str | None:
        here = self._names_in(sentence, passage)
        same, other = self._names_in(passage.text, passage), self._names_in(donor.text, donor)
        pool = same if self._random.random() < 0.5 else other
        if not here or not pool:
            return None
        old, new = self._random.choice(here), self._random.choice(pool)
        if new in sentence or new in old or old in new:
            return None
        return sentence.replace(old, new, 1)

    @staticmethod
    def _names_in(text: str, passage: Passage) -> list[str]:
        """Names that stand in the text: capitalised runs, or answers that are no number."""
        answers = [a.answer for a in passage.asked if 2 <= len(a.answer) <= 14 and not _NUMBER.search(a.answer)]
        names = _NAME.findall(text) if passage.language == "en" else [a for a in answers if a in text]
        return list(dict.fromkeys(names))

    def _other_value(self, sentence: str, passage: Passage, _donor: Passage) -> str | None:
        """An answer in the sentence exchanged for the answer to another question about the same passage."""
        answers = [a.answer for a in passage.asked if 2 <= len(a.answer) <= 40]
        here = [a for a in answers if a in sentence]
        if not here:
            return None
        old = self._random.choice(here)
        numeric = bool(_NUMBER.search(old))
        pool = [a for a in answers if bool(_NUMBER.search(a)) == numeric and a not in sentence and old not in a and a not in old]
        return sentence.replace(old, self._random.choice(pool), 1) if pool else None

    def _other_words(self, sentence: str, passage: Passage, donor: Passage) -> str | None:
        count = self._random.randint(1, 3)
        if passage.language == "zh":
            return self._other_pairs(sentence, donor, count)
        words = sentence.split(" ")
        places = [i for i, w in enumerate(words) if _is_content(w)]
        pool = [w for w in donor.text.split(" ") if _is_content(w) and w.lower() not in passage.text.lower()]
        if len(places) < 3 or not pool:
            return None
        for at in self._random.sample(places, k=min(count, len(places))):
            words[at] = self._random.choice(pool)
        return " ".join(words)

    def _other_pairs(self, sentence: str, donor: Passage, count: int) -> str | None:
        pool = [a.answer for a in donor.asked if 2 <= len(a.answer) <= 8]
        pool += [
            p for p in re.findall(r"[\u4e00-\u9fff]{2,4}(?=[，。、的])", donor.text) if self._background.idf(p[-2:]) > _COMMON_IDF
        ]
        places = [i for i in range(len(sentence) - 1) if self._background.idf(sentence[i : i + 2]) > _COMMON_IDF]
        if not pool or not places:
            return None
        for at in sorted(self._random.sample(places, k=min(count, len(places))), reverse=True):
            sentence = sentence[:at] + self._random.choice(pool) + sentence[at + 2 :]
        return sentence

    def _added_clause(self, sentence: str, passage: Passage, donor: Passage) -> str | None:
        body, mark = sentence.rstrip(" .。"), "。" if passage.language == "zh" else "."
        if passage.language == "zh":
            clauses = [c.strip("，。；、") for c in re.split("[，。；]", donor.text) if 6 <= len(c) <= 20]
            return f"{body}，{self._random.choice(clauses)}{mark}" if clauses else None
        words = donor.text.split(" ")
        length = self._random.randint(4, 9)
        if len(words) <= length:
            return None
        at = self._random.randrange(len(words) - length)
        return f"{body}, {' '.join(words[at : at + length]).strip(' ,.;')}{mark}"

    def _other_sentence(self, _sentence: str, _passage: Passage, donor: Passage) -> str | None:
        found = [s for s in split_sentences(donor.text) if 12 <= len(s) <= 300]
        return self._noisy(self._random.choice(found)) if found else None

    def _mixed(self, sentence: str, passage: Passage, donor: Passage) -> str | None:
        other = self._other_sentence(sentence, passage, donor)
        if other is None:
            return None
        if passage.language == "zh":
            return sentence[: len(sentence) // 2] + other[len(other) // 2 :]
        first, second = sentence.split(" "), other.split(" ")
        return " ".join(first[: len(first) // 2] + second[len(second) // 2 :])

    def _statement(self, asked: Asked, passage: Passage, donor: Passage, *, wrong: bool) -> str | None:
        """The question with the right or a wrong answer of the same kind in place of its question word."""
        answer = asked.answer
        if wrong:
            numeric = bool(_NUMBER.search(answer))
            pool = [a.answer for a in (*passage.asked, *donor.asked) if bool(_NUMBER.search(a.answer)) == numeric]
            pool = [a for a in pool if a not in answer and answer not in a]
            if not pool:
                return None
            answer = self._random.choice(pool)
        question = asked.question.rstrip(" ?？")
        pattern = _CHINESE_WH if passage.language == "zh" else _WH
        stated, count = pattern.subn(lambda _: answer, question, count=1)
        return stated if count else f"{question} {answer}"


def changed_parts(before: str, after: str) -> tuple[tuple[int, int], ...]:
    """The parts of `after` that are not of `before`, from the first changed word to the last of each run; what has at most one
    unchanged word between it is one part. All of `after` where nothing but leaving something out has changed it."""
    places = [match.span() for match in _TOKEN.finditer(after)]
    matcher = SequenceMatcher(None, _TOKEN.findall(before), [after[start:end] for start, end in places], autojunk=False)
    runs: list[tuple[int, int]] = []
    for tag, _, _, first, last in matcher.get_opcodes():
        if tag not in {"replace", "insert"}:
            continue
        if runs and first - runs[-1][1] <= _WORDS_BETWEEN:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return tuple((places[first][0], places[last - 1][1]) for first, last in runs) or ((0, len(after)),)


def _is_content(word: str) -> bool:
    plain = word.strip(",.;:()\"'")
    return plain.isalpha() and len(plain) > 3 and plain.lower() not in STOP_WORDS
