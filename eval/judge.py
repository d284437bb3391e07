"""The house judge: is this sentence borne out by this evidence? A calibrated probability, and the parts that are not.

A linear model (`eval.judge_model`) compares words, numbers and names (`eval.support`), and how else a sentence differs from what
the evidence says of the same (`eval.edits`). Exact checks (`eval.checks`) take support away where they find a fault, and
confirm what is only spelled otherwise or calculated from numbers of the evidence. It does not infer. A sentence that cannot be
judged is never called supported, and its reason says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from eval.answer_parts import answer_spans, judged_part
from eval.assessment import assess
from eval.checks.statements import Statements
from eval.framing import says_absence
from eval.judge_model import WEIGHTS_FILE, Calibration, LanguageModel, read_judge_model
from eval.support import Evidence, Reading
from eval.types import Fault, Verdict
from eval.units import Kind, read_units

# The verdict on what holds nothing to look for: neither way, and not supported.
UNKNOWN = 0.5

# Words that only say yes or no; nothing can be looked for.
_ASSENT = frozenset("yes ok okay sure true fals correct right inde of cours 没错 沒錯 可以 正确 正確 当然 當然 对的".split())
# Unsupported parts with no content and at most this many characters between them are shown as one.
_SMALL_GAP = 12

_REASONS = {
    "no content": {"en": "not judged: there is no content word to look for", "zh": "未核查：句中没有可供核对的实词"},
    "absence": {"en": "not judged: it says what the documents do not hold", "zh": "未核查：此句说的是文档中没有的内容"},
    "other language": {"en": "not judged: the evidence is in another language", "zh": "未核查：依据是另一种语言"},
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

    @property
    def faults(self) -> dict[Fault, int]:
        """How many sentences have which fault; what none has is not there."""
        return dict(Counter(verdict.fault for _, _, verdict in self.sentences if verdict.fault))

    @property
    def unjudged(self) -> int:
        """How many sentences could not be judged."""
        return sum(not verdict.judged for _, _, verdict in self.sentences)


class HouseJudge:
    """The `Judge` of the default profile; about 1 ms a sentence. The evidence of the last few answers stays prepared."""

    def __init__(self, weights: Path = WEIGHTS_FILE, *, calibrations: Callable[[], Mapping[str, Calibration]] = dict) -> None:
        """`calibrations` gives those that a workspace has of its own, a language each; the others are the weights' own.

        Raises:
            GraftError: the weights cannot be read or belong to another set of features.
        """
        self._model = read_judge_model(weights)
        self._calibrations = calibrations
        self.version = self._model.version
        self.threshold = self._model.threshold

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        """One verdict a sentence, in order. All of the evidence is read; none is cut.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """
        prepared = _prepared(tuple(evidence), question)
        return [self._judge(sentence, prepared).verdict for sentence in sentences]

    def judge_answer(self, answer: str, *, evidence: Sequence[str], question: str = "") -> JudgedAnswer:
        """The whole answer's calibrated score, its bad spans and its sentences; offsets are those of `answer`.

        An answer of which nothing can be judged scores 0.5: it is not called fine.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """
        prepared = _prepared(tuple(evidence), question)
        parts = [(start, end, self._judge(answer[start:end], prepared)) for start, end in answer_spans(answer)]
        sentences = tuple((start, end, part.verdict) for start, end, part in parts)
        logits = [part.logit for _, _, part in parts if part.logit is not None]
        if not logits:
            return JudgedAnswer(UNKNOWN, True, (), sentences)
        score = self._model_of(self._model.language_of(answer)).answer_unsupported(logits)
        # A sentence that an exact rule speaks against keeps the whole answer from being called fine.
        score = max([score, *(1 - part.verdict.support for _, _, part in parts if part.ruled_out)])
        spans = tuple(
            (start + a, start + b, round(1 - part.verdict.support, 4))
            for start, _, part in parts
            for a, b in part.verdict.unsupported_spans
        )
        return JudgedAnswer(score, score >= self.threshold, spans, sentences)

    def _judge(self, sentence: str, statements: Statements) -> _Judged:
        evidence = statements.evidence
        body, shift = judged_part(sentence)
        reading = evidence.read(body)
        lang = self._model.language_of(body)
        if not any(unit.content and unit.term not in _ASSENT for unit in reading.units):
            return _Judged(Verdict(UNKNOWN, False, (), _REASONS["no content"][lang], judged=False), None, ruled_out=False)
        if says_absence(body):
            return _Judged(Verdict(UNKNOWN, False, (), _REASONS["absence"][lang], judged=False), None, ruled_out=False)
        assessed = assess(body, statements, reading)
        checked = assessed.checked
        model = self._model_of(lang)
        logit = model.logit(assessed.features)
        support = 1 - model.unsupported(logit)
        below = min(support, 1 - self.threshold - 0.01)
        if checked.findings:
            unknown = [(unit.start, unit.end) for unit in reading.uncovered if unit.kind is not Kind.NUMBER]
            spans = merged_spans(body, [*unknown, *(span for finding in checked.findings for span in finding.spans)])
            reason = "; ".join(dict.fromkeys(finding.reason for finding in checked.findings))
            found = Verdict(below, False, _moved(spans, shift), reason, checked.fault, judged=checked.is_judged)
            return _Judged(found, logit, ruled_out=True)
        if reading.uncovered and lang not in evidence.languages:
            spans = bad_spans(body, reading)
            found = Verdict(below, False, _moved(spans, shift), _REASONS["other language"][lang], judged=False)
            return _Judged(found, logit, ruled_out=True)
        if support >= 1 - self.threshold:
            return _Judged(Verdict(support, True, reason="; ".join(checked.notes)), logit, ruled_out=False)
        spans = bad_spans(body, reading, confirmed=[(one.start, one.end) for one in checked.confirmed])
        reason = _reason(spans, body, reading, lang)
        return _Judged(Verdict(support, False, _moved(spans, shift), reason, Fault.NOT_IN_EVIDENCE), logit, ruled_out=False)

    def _model_of(self, lang: str) -> LanguageModel:
        """The language's model under the workspace's calibration."""
        model = self._model.languages[lang]
        own = self._calibrations().get(lang)
        return replace(model, calibration=own) if own else model


@lru_cache(maxsize=8)  # the sentences of an answer come one by one, each with the same evidence; arms of a comparison share it
def _prepared(evidence: tuple[str, ...], question: str) -> Statements:
    return Statements(Evidence(evidence, question=question))


def _moved(spans: Iterable[tuple[int, int]], shift: int) -> tuple[tuple[int, int], ...]:
    return tuple((start + shift, end + shift) for start, end in spans)


def bad_spans(sentence: str, reading: Reading, *, confirmed: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """The parts that the evidence does not hold; the whole sentence where its parts are there but do not belong together."""
    bad = [(u.start, u.end) for u in (*reading.uncovered, *reading.missing_numbers, *reading.exchanged)]
    bad = [(start, end) for start, end in bad if not any(a < end and start < b for a, b in confirmed)]
    return merged_spans(sentence, bad) or [(0, len(sentence.rstrip()))]


def merged_spans(sentence: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those as one that overlap or have only small words between them."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(set(spans)):
        if merged and _is_small(sentence[merged[-1][1] : start]):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _is_small(between: str) -> bool:
    return len(between) <= _SMALL_GAP and not any(unit.content for unit in read_units(between))


def _reason(spans: Sequence[tuple[int, int]], sentence: str, reading: Reading, lang: str) -> str:
    """Why the model does not call the sentence supported, in its own language."""
    kind = "missing" if reading.uncovered else "apart"
    words = dict.fromkeys(sentence[start:end] for start, end in spans)
    return _REASONS[kind][lang].format(words=("、" if lang == "zh" else ", ").join(list(words)[:5]))
