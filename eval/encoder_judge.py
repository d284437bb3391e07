"""What judges over a checkpoint have in common: evidence in windows, one question to the model a window, and what comes of it.

Invariants. Every sentence is judged by itself, so that its verdict does not depend on what else is asked. All of the evidence
is read. A sentence that leaves the evidence no room in the model's window is *not judged*, never cut. A score becomes a
probability by the calibration beside the checkpoint; without one, each verdict says that it is not calibrated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eval.answer_parts import judged_part
from eval.calibration import THRESHOLD, Calibration, read_calibration
from eval.classifier import Classifier, Encoded, Floats
from eval.types import Fault, Verdict
from eval.windows import evidence_texts
from ingest.tokens import language

UNKNOWN = 0.5
"""The support of what is not judged."""

_REASONS = {
    "empty": {"en": "not judged: there is nothing in it", "zh": "未核查：句中没有内容"},
    "long": {
        "en": "not judged: the sentence leaves the evidence no room in what {name} reads at once",
        "zh": "未核查：句子太长，{name}一次读不下句子和依据",
    },
    "missing": {"en": "{name} finds nothing in the evidence that bears it out", "zh": "{name}在依据中没有找到支持此句的内容"},
    "parts": {"en": "{name} does not find in the evidence: {parts}", "zh": "{name}在依据中没有找到：{parts}"},
    "contradicted": {"en": "{name} finds that the evidence says otherwise", "zh": "{name}认为依据与此句相反"},
}
_UNCALIBRATED = {"en": "its score is not calibrated", "zh": "其分数未经校准"}
_BETWEEN = {"en": ("; ", ", "), "zh": ("；", "、")}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model made of one sentence. `score` is its own measure of support in [0, 1]; `parts` are those of the sentence's
    tokens with a measure of their own, as (start, end, score); `contradicted`: the evidence says otherwise."""

    score: float
    parts: tuple[tuple[int, int, float], ...] = ()
    contradicted: bool = False


class EncoderJudge(ABC):
    """A `Judge` over a classifier; what is asked and how the answer is read is its subclass's."""

    def __init__(self, classifier: Classifier, *, alone: bool) -> None:
        """Reads the calibration beside the checkpoint, if there is one. A judge that is not `alone` is calibrated together with
        others, and says nothing of its own.

        Raises:
            InputRefused: it cannot be read.
        """
        self.name = Path(classifier.folder).name
        self.calibration: Calibration | None = read_calibration(classifier.folder)
        self.classifier = classifier
        self._alone = alone

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        """See `Judge`.

        Raises:
            InputRefused: there is no evidence text at all, or the checkpoint cannot be loaded.
        """
        text = self._evidence(evidence_texts(evidence))
        encoder = self.classifier.encoder
        places = encoder.places(text)
        bodies = [judged_part(sentence) for sentence in sentences]
        asked = [
            encoder.fitted(text, places, partial(self._input, sentence=body, question=question)) if body.strip() else []
            for body, _ in bodies
        ]
        found = iter(self.classifier.probabilities([one for inputs in asked for one in inputs]))
        return [
            self._verdict(sentence, body, shift, inputs, [next(found) for _ in inputs])
            for sentence, (body, shift), inputs in zip(sentences, bodies, asked, strict=True)
        ]

    def _verdict(self, sentence: str, body: str, shift: int, inputs: Sequence[Encoded], rows: Sequence[Floats]) -> Verdict:
        lang = language(sentence)
        if not inputs:
            reason = _REASONS["long" if body.strip() else "empty"][lang].format(name=self.name)
            return Verdict(UNKNOWN, False, (), reason, judged=False)
        reading = self._reading(inputs, rows)
        said = [_UNCALIBRATED[lang]] if self._alone and not self.calibration else []
        between, comma = _BETWEEN[lang]
        support = self._support(reading.score)
        if support >= THRESHOLD:
            return Verdict(support, True, (), between.join(said))
        flagged = [(start, end) for start, end, score in reading.parts if self._support(score) < THRESHOLD]
        spans = tuple((start + shift, end + shift) for start, end in joined(body, flagged))
        parts = comma.join(dict.fromkeys(sentence[start:end] for start, end in spans))
        why = "contradicted" if reading.contradicted else "parts" if spans else "missing"
        reason = between.join([_REASONS[why][lang].format(name=self.name, parts=parts), *said])
        fault = Fault.CONTRADICTED if reading.contradicted else Fault.NOT_IN_EVIDENCE
        return Verdict(support, False, spans or _whole(sentence), reason, fault)

    def _support(self, score: float) -> float:
        return self.calibration.support(score) if self.calibration else score

    def _evidence(self, texts: Sequence[str]) -> str:
        """The evidence as one text."""
        return "\n".join(texts)

    @abstractmethod
    def _input(self, window: str, sentence: str, question: str) -> Encoded:
        """What the model reads for the sentence and a window of the evidence."""

    @abstractmethod
    def _reading(self, inputs: Sequence[Encoded], rows: Sequence[Floats]) -> Reading:
        """What the model's probabilities for each window say of the sentence."""


def joined(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those with nothing but white space between them made one, without white space around them."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and not text[out[-1][1] : start].strip():
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    trimmed = [(end - len(text[start:end].lstrip()), start + len(text[start:end].rstrip())) for start, end in out]
    return [(start, end) for start, end in trimmed if start < end]


def _whole(sentence: str) -> tuple[tuple[int, int], ...]:
    return tuple(joined(sentence, [(0, len(sentence))]))
