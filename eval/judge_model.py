"""The house judge's weights: features of a sentence → logit → calibrated probability that it is *un*supported.

One sign-bound linear model a language, read from `eval/models/judge-*.json` (made by `finetune.detector`, see the card there).
It knows numbers alone: what they are features of is `eval.assessment`, what follows from the probability is `eval.judge`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eval import support
from eval.assessment import SIGNS
from eval.weights_file import read_weights_file
from ingest.tokens import language

WEIGHTS_FILE = Path(__file__).parent / "models" / "judge-v3.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Slope and offset (Platt 1999) that make a probability of a sentence's logit, and of a whole answer's."""

    sentence: tuple[float, float]
    answer: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bend:
    """Up to `knee` a logit of words counts `below` times: that some words are new says little where a sentence is worded freely,
    that most are says much (docs/decisions/0027)."""

    below: float
    knee: float

    def bent(self, logit: float) -> float:
        """The logit that counts."""
        return self.below * min(logit, self.knee) + max(0.0, logit - self.knee)


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The model of one language: what words say, bent, and what edits add. Values are standardised and cut at `clip`."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    clip: float
    bend: Bend
    calibration: Calibration

    def logit(self, features: Sequence[float]) -> float:
        """The higher, the less of the sentence is borne out; `features` in the order of `eval.assessment.SIGNS`."""
        parts = [
            weight * min(self.clip, max(-self.clip, (value - mean) / scale))
            for value, mean, scale, weight in zip(features, self.mean, self.scale, self.weights, strict=True)
        ]
        words = len(support.SIGNS)
        return self.bend.bent(self.bias + sum(parts[:words])) + sum(parts[words:])

    def unsupported(self, logit: float) -> float:
        """The calibrated probability that a sentence is unsupported."""
        slope, offset = self.calibration.sentence
        return sigmoid(slope * logit + offset)

    def answer_unsupported(self, logits: Sequence[float]) -> float:
        """The calibrated probability that an answer holds unsupported content, from its sentences' logits (one or more).

        It is calibrated on their log-sum-exp, so a long answer risks more than a short one.
        """
        slope, offset = self.calibration.answer
        top = max(logits)
        return sigmoid(slope * (top + math.log(sum(math.exp(logit - top) for logit in logits))) + offset)


@dataclass(frozen=True, slots=True)
class JudgeModel:
    """The models of all languages. A probability of being unsupported from `threshold` on means *hallucinated*."""

    version: str
    threshold: float
    languages: Mapping[str, LanguageModel]

    def language_of(self, text: str) -> str:
        """The language whose model reads the text: its own, or the first where it has none."""
        lang = language(text)
        return lang if lang in self.languages else next(iter(self.languages))


@lru_cache(maxsize=4)
def read_judge_model(path: Path = WEIGHTS_FILE) -> JudgeModel:
    """The models of a weights file.

    Raises:
        GraftError: the file cannot be read or belongs to another set of features.
    """
    content = read_weights_file(path, what="judge's weights", features=SIGNS, made_by="finetune.detector")
    clip, bend = float(content["clip"]), Bend(*_pair(content["bend"]))
    models = {lang: language_model(model, clip=clip, bend=bend) for lang, model in content["languages"].items()}
    return JudgeModel(path.stem, float(content["threshold"]), models)


def language_model(content: Mapping[str, Any], *, clip: float, bend: Bend) -> LanguageModel:
    """The model of one language, as the file holds it."""
    return LanguageModel(
        tuple(content["mean"]),
        tuple(content["scale"]),
        tuple(content["weights"]),
        float(content["bias"]),
        clip,
        bend,
        Calibration(_pair(content["platt"]), _pair(content["answer_platt"])),
    )


def _pair(values: Sequence[float]) -> tuple[float, float]:
    slope, offset = values
    return float(slope), float(offset)


def sigmoid(value: float) -> float:
    """1 / (1 + e^-value), without overflow."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
