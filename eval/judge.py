"""The house judge: is this sentence borne out by this evidence? A calibrated probability, and the parts that are not.

A linear model (`eval.judge_model`) over `eval.support`. It compares words, numbers and names: it does not infer, and it does not
calculate. A sentence that cannot be judged is never called supported, and its reason says why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from eval.judge_model import WEIGHTS_FILE, read_judge_model
from eval.support import Evidence, Reading
from eval.types import Verdict
from eval.units import Unit
from ingest.sentences import sentence_spans
from ingest.tokens import language, normalise

# The verdict on what holds nothing to look for: neither way, and not supported.
UNKNOWN = 0.5

_LIST_MARKER = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)、]|\(?[a-z][.)])\s+")
_CITATION = re.compile(r"\s*\[\d+(?:\s*[,，]\s*\d+)*\]")
_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|without|cannot|none)\b|n't\b"
    r"|不得|不能|不可|不会|不會|不是|不需|不必|不应|不應|不允许|不允許|没有|沒有|禁止|并非|並非|无需|無需|无须|無須|未(?![来來必])",
    re.IGNORECASE,
)
_MODAL = re.compile(r"\b(?:do|does|did|can|could|may|must|shall|should|to|be|any)\b|[可应應能会會须須得必需]")
_LETTERS = re.compile(r"[\W_]+")
# Where a sentence and the nearest one of the evidence are else so alike, a negation in only one of them decides.
_SAME_WORDING = 0.85
# Where a sentence follows one of the evidence to this share, another value in it is an exchange. At .8 it speaks against
# 4 % of RAGTruth's good answers and 1 % of honest noise, at .65 against 9 and 3 % (docs/decisions/0004).
_EXCHANGE_WORDING = 0.8
# Words that only say yes or no; nothing can be looked for.
_ASSENT = frozenset("yes ok okay sure true fals correct right inde of cours 没错 沒錯 可以 正确 正確 当然 當然 对的".split())
# Fragments shorter than this many units are judged with the sentence before them (docs/decisions/0004).
_FRAGMENT_UNITS = 4

_REASONS = {
    "no content": {"en": "not judged: there is no content word to look for", "zh": "未核查：句中没有可供核对的实词"},
    "other language": {"en": "not judged: the evidence is in another language", "zh": "未核查：依据是另一种语言"},
    "number": {
        "en": "the evidence does not hold the number {words}; what would have to be calculated is not judged",
        "zh": "依据中没有数字{words}；需要计算得出的内容不作判断",
    },
    "negation": {
        "en": "only one of the sentence and the nearest one of the evidence is negated",
        "zh": "此句与依据中最接近的一句，一个是否定，一个不是",
    },
    "exchanged": {
        "en": "it follows a sentence of the evidence, but has {words} in the place of something else",
        "zh": "此句照依据中的一句写成，但把其中一处换成了{words}",
    },
    "apart": {"en": "the evidence holds its words, but not together", "zh": "依据中有这些词，但并不在一起"},
    "missing": {"en": "the evidence does not hold: {words}", "zh": "依据中没有：{words}"},
}


@dataclass(frozen=True, slots=True)
class _Judged:
    """A verdict with the logit of being unsupported (None for what cannot be judged); `ruled_out` by an exact rule."""

    verdict: Verdict
    logit: float | None
    ruled_out: bool


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """A whole answer: the probability that it holds unsupported content, and its bad parts as (start, end, score)."""

    score: float
    hallucinated: bool
    spans: tuple[tuple[int, int, float], ...]
    sentences: tuple[tuple[int, int, Verdict], ...]


class HouseJudge:
    """The `Judge` of the default profile; about 1 ms a sentence. It keeps nothing between calls."""

    def __init__(self, weights: Path = WEIGHTS_FILE) -> None:
        """Raises GraftError where the weights cannot be read or belong to another set of features."""
        self._model = read_judge_model(weights)
        self.version = self._model.version
        self.threshold = self._model.threshold

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        """One verdict a sentence, in order. All of the evidence is read; none is cut.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """
        return self.judge_prepared(sentences, Evidence(evidence, question=question))

    def judge_prepared(self, sentences: Sequence[str], evidence: Evidence) -> list[Verdict]:
        """The verdicts against evidence that is prepared already: for answers that arrive sentence by sentence."""
        return [self._judge(sentence, evidence).verdict for sentence in sentences]

    def judge_answer(self, answer: str, *, evidence: Sequence[str], question: str = "") -> JudgedAnswer:
        """The whole answer's calibrated score, its bad spans and its sentences; offsets are those of `answer`.

        An answer of which nothing can be judged scores 0.5: it is not called fine.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """
        prepared = Evidence(evidence, question=question)
        parts = [(start, end, self._judge(answer[start:end], prepared)) for start, end in answer_spans(answer)]
        sentences = tuple((start, end, part.verdict) for start, end, part in parts)
        logits = [part.logit for _, _, part in parts if part.logit is not None]
        if not logits:
            return JudgedAnswer(UNKNOWN, True, (), sentences)
        score = self._model.languages[self._model.language_of(answer)].answer_unsupported(logits)
        # A sentence that an exact rule speaks against keeps the whole answer from being called fine.
        score = max([score, *(1 - part.verdict.support for _, _, part in parts if part.ruled_out)])
        spans = tuple(
            (start + a, start + b, round(1 - part.verdict.support, 4))
            for start, _, part in parts
            for a, b in part.verdict.unsupported_spans
        )
        return JudgedAnswer(score, score >= self.threshold, spans, sentences)

    def _judge(self, sentence: str, evidence: Evidence) -> _Judged:
        body, shift = judged_part(sentence)
        reading = evidence.read(body)
        lang = self._model.language_of(body)
        if not any(unit.content and unit.term not in _ASSENT for unit in reading.units):
            return _Judged(Verdict(UNKNOWN, False, (), _REASONS["no content"][lang], judged=False), None, ruled_out=False)
        model = self._model.languages[lang]
        logit = model.logit(reading.features)
        support = 1 - model.unsupported(logit)
        rule = _exact_rule(body, reading, lang, evidence)
        if rule:
            support = min(support, 1 - self.threshold - 0.01)
        if support >= 1 - self.threshold:
            return _Judged(Verdict(support, True), logit, ruled_out=False)
        spans = tuple((a + shift, b + shift) for a, b in bad_spans(body, reading))
        reason = _reason(rule, body, reading, lang)
        return _Judged(Verdict(support, False, spans, reason), logit, ruled_out=bool(rule))


def _exact_rule(sentence: str, reading: Reading, lang: str, evidence: Evidence) -> str:
    """What rules out support whatever the model says, a key of `_REASONS`; empty where nothing does."""
    if reading.uncovered and lang not in evidence.languages:
        return "other language"
    if reading.missing_numbers:
        return "number"
    if reading.exchanged and reading.common_subsequence >= _EXCHANGE_WORDING:
        return "exchanged"
    if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(reading.best_segment)):
        ours, theirs = _without_negation(sentence), _without_negation(reading.best_segment)
        if SequenceMatcher(None, ours, theirs, autojunk=False).ratio() >= _SAME_WORDING:
            return "negation"
    return ""


def _without_negation(text: str) -> str:
    """The letters and digits of a sentence without negations and the small words that come and go with them."""
    return _LETTERS.sub("", _MODAL.sub("", _NEGATION.sub("", normalise(text))))


def answer_spans(answer: str) -> list[tuple[int, int]]:
    """The sentences of an answer as they are judged; a fragment belongs to the sentence before it."""
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(answer):
        if spans and len(answer[start:end].split()) < _FRAGMENT_UNITS and language(answer) == "en":
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def bad_spans(sentence: str, reading: Reading) -> list[tuple[int, int]]:
    """The parts that the evidence does not hold; the whole sentence where its parts are there but do not belong together."""
    bad = sorted({(u.start, u.end) for u in (*reading.uncovered, *reading.missing_numbers, *reading.exchanged)})
    merged: list[tuple[int, int]] = []
    for start, end in bad:
        if merged and not _content_between(reading.units, merged[-1][1], start):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged or [(0, len(sentence.rstrip()))]


def _content_between(units: Sequence[Unit], start: int, end: int) -> bool:
    return any(u.content and u.start >= start and u.end <= end for u in units) or end - start > 12


def _reason(rule: str, sentence: str, reading: Reading, lang: str) -> str:
    """Why the sentence is not supported, in its own language."""
    if not rule:
        rule = "missing" if reading.uncovered else "apart"
    if rule == "number":
        words = [sentence[u.start : u.end] for u in reading.missing_numbers]
    else:
        words = [sentence[a:b] for a, b in bad_spans(sentence, reading)]
    between = "、" if lang == "zh" else ", "
    return _REASONS[rule][lang].format(words=between.join(list(dict.fromkeys(words))[:5]))


def judged_part(sentence: str) -> tuple[str, int]:
    """The sentence without its list marker and with its citation markers blanked out, and how far it was shifted."""
    marker = _LIST_MARKER.match(sentence)
    shift = marker.end() if marker else 0
    return _CITATION.sub(lambda m: " " * len(m.group()), sentence[shift:]), shift
