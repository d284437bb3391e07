"""The house judge: is this sentence borne out by this evidence? A calibrated probability, and the parts that are not.

A linear model over `eval.support`, one weight vector a language, loaded from `eval/models/judge-*.json` (made by
`finetune.detector`, see the card there). It compares words, numbers and names: it does not infer, and it does not
calculate. A sentence that cannot be judged is never called supported, and its reason says why.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eval.support import SIGNS, Evidence, Reading
from eval.types import Verdict
from eval.units import Kind, Unit
from ingest.errors import GraftError
from ingest.sentences import sentence_spans
from ingest.tokens import is_han, language

WEIGHTS_FILE = Path(__file__).parent / "models" / "judge-v1.json"

# The verdict on what holds nothing to look for: neither way, and not supported.
UNKNOWN = 0.5

_LIST_MARKER = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)、]|\(?[a-z][.)])\s+")
_CITATION = re.compile(r"\s*\[\d+(?:\s*[,，]\s*\d+)*\]")
_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|without|cannot|none)\b|n't\b|不得|不能|不可|不会|不會|不是|不需|不必|没有|沒有|禁止|并非|並非|无需|無需|未",
    re.IGNORECASE,
)
# Where so much of a sentence follows one sentence of the evidence word by word, a negation in only one of them decides.
_SAME_WORDING = 0.8
# Fragments shorter than this many units are judged with the sentence before them (GROUNDING.md, recipe step 2).
_FRAGMENT_UNITS = 4


@dataclass(frozen=True, slots=True)
class _Model:
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    platt: tuple[float, float]
    answer_platt: tuple[float, float]

    def logit(self, features: Sequence[float], clip: float) -> float:
        total = self.bias
        for value, mean, scale, weight in zip(features, self.mean, self.scale, self.weights, strict=True):
            total += weight * min(clip, max(-clip, (value - mean) / scale))
        return total


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """A whole answer: the probability that it holds unsupported content, and the bad parts with theirs, as (start, end, score)."""

    score: float
    hallucinated: bool
    spans: tuple[tuple[int, int, float], ...]
    sentences: tuple[tuple[int, int, Verdict], ...]


class HouseJudge:
    """The `Judge` of the default profile; about 1 ms a sentence. It keeps nothing between calls."""

    def __init__(self, weights: Path = WEIGHTS_FILE) -> None:
        """Raises GraftError where the weights cannot be read or belong to another set of features."""
        content = _read_weights(weights)
        self.version = weights.stem
        self._clip = float(content["clip"])
        self.threshold = float(content["threshold"])
        self._models = {
            lang: _Model(
                tuple(m["mean"]),
                tuple(m["scale"]),
                tuple(m["weights"]),
                float(m["bias"]),
                (m["platt"][0], m["platt"][1]),
                (m["answer_platt"][0], m["answer_platt"][1]),
            )
            for lang, m in content["languages"].items()
        }

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        """One verdict a sentence, in order. All of the evidence is read; none is cut.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """
        return self.judge_prepared(sentences, Evidence(evidence, question=question))

    def judge_prepared(self, sentences: Sequence[str], evidence: Evidence) -> list[Verdict]:
        """The verdicts against evidence that is prepared already: for answers that arrive sentence by sentence."""
        return [self._verdict(sentence, evidence)[0] for sentence in sentences]

    def judge_answer(self, answer: str, *, evidence: Sequence[str], question: str = "") -> JudgedAnswer:
        """The whole answer's calibrated score, its bad spans and its sentences; offsets are those of `answer`.

        The score is calibrated on the log-sum-exp of the sentences' logits, so a long answer risks more than a short one.
        An answer of which nothing can be judged scores 0.5: it is not called fine.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """
        prepared = Evidence(evidence, question=question)
        judged: list[tuple[int, int, Verdict]] = []
        logits: list[float] = []
        for start, end in answer_spans(answer):
            verdict, logit = self._verdict(answer[start:end], prepared)
            judged.append((start, end, verdict))
            if logit is not None:
                logits.append(logit)
        if not logits:
            return JudgedAnswer(UNKNOWN, True, (), tuple(judged))
        slope, offset = self._models[self._language(answer)].answer_platt
        top = max(logits)
        score = _sigmoid(slope * (top + math.log(sum(math.exp(x - top) for x in logits))) + offset)
        ruled_out = [1 - v.support for _, _, v in judged if not v.supported and v.unsupported_spans]
        score = max([score, *[bad for bad in ruled_out if bad >= self.threshold and len(judged) == 1]])
        spans = tuple((at + a, at + b, round(1 - v.support, 4)) for at, _, v in judged for a, b in v.unsupported_spans)
        return JudgedAnswer(score, score >= 0.5, spans, tuple(judged))

    def _verdict(self, sentence: str, evidence: Evidence) -> tuple[Verdict, float | None]:
        """The verdict, and the logit of being unsupported; None for what cannot be judged."""
        body, shift = _body(sentence)
        reading = evidence.read(body)
        if not reading.judgeable:
            return Verdict(UNKNOWN, False, (), "not judged: there is no content word to look for"), None
        lang = self._language(body)
        model = self._models[lang]
        logit = model.logit(reading.features, self._clip)
        support = 1 - _sigmoid(model.platt[0] * logit + model.platt[1])
        reason = self._exact_rules(body, reading, lang, evidence)
        if reason:
            support = min(support, 1 - self.threshold - 0.01)
        supported = support >= 1 - self.threshold
        if supported:
            return Verdict(support, True), logit
        spans = tuple((a + shift, b + shift) for a, b in bad_spans(body, reading))
        return Verdict(support, False, spans, reason or _reason(body, reading)), logit

    def _language(self, text: str) -> str:
        lang = language(text)
        return lang if lang in self._models else next(iter(self._models))

    def _exact_rules(self, sentence: str, reading: Reading, lang: str, evidence: Evidence) -> str:
        """What rules out support whatever the model says, in words; empty where nothing does."""
        if reading.missing_numbers:
            written = ", ".join(sentence[u.start : u.end] for u in reading.missing_numbers[:3])
            return f"the evidence does not hold the number {written}; what would have to be calculated is not judged"
        if lang == "zh" and not any(is_han(term[0]) for term in evidence.positions):
            return "not judged: the evidence is in another language"
        if lang == "en" and len(reading.uncovered) > 1 and not any(t.isascii() and t.isalpha() for t in evidence.positions):
            return "not judged: the evidence is in another language"
        same = reading.common_subsequence >= _SAME_WORDING
        if same and bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(reading.best_segment)):
            return "it says the opposite of the nearest sentence: only one of the two is negated"
        return ""


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
    bad = sorted({(u.start, u.end) for u in (*reading.uncovered, *reading.missing_numbers)})
    merged: list[tuple[int, int]] = []
    for start, end in bad:
        if merged and not _content_between(reading.units, merged[-1][1], start):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged or [(0, len(sentence.rstrip()))]


def _content_between(units: Sequence[Unit], start: int, end: int) -> bool:
    return any(u.content and u.start >= start and u.end <= end for u in units) or end - start > 12


def _reason(sentence: str, reading: Reading) -> str:
    if not reading.uncovered:
        return "the evidence holds its words, but not together"
    words = list(dict.fromkeys(sentence[u.start : u.end] for u in reading.uncovered if u.kind is not Kind.HAN))
    if not words:
        words = [sentence[a:b] for a, b in bad_spans(sentence, reading)]
    return f"the evidence does not hold: {', '.join(words[:5])}"


def _body(sentence: str) -> tuple[str, int]:
    """The sentence without its list marker and with its citation markers blanked out, and how far it was shifted."""
    marker = _LIST_MARKER.match(sentence)
    shift = marker.end() if marker else 0
    return _CITATION.sub(lambda m: " " * len(m.group()), sentence[shift:]), shift


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


@lru_cache(maxsize=4)
def _read_weights(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraftError(f"The judge's weights {path} cannot be read: {error}.") from error
    if content.get("format") != 1 or content.get("features") != list(SIGNS):
        raise GraftError(f"The judge's weights {path} were made for other features; make them again: python -m finetune.detector.")
    return content
