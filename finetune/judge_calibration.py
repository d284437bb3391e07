"""The judge's calibration for one workspace: what its logits mean on corruptions of its own passages and on written answers.

Cuts that part supported from unsupported differ from text to text by several logits (docs/decisions/0019), so `hallucinated`
would mean something else in every corpus. Only slope and offset are fitted here, the weights stay. What is read is a bounded,
evenly spaced sample; the same passages and seed give the same calibration. Needs no model and no labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eval.judge_model import Calibration, JudgeModel
from eval.units import Background, shipped_background
from finetune.answer_samples import written_samples
from finetune.corruptions import CorruptionMaker, Passage
from finetune.detector import calibrated_on, fit_platt, judge_logits, platt_of_answers

LEAST_PASSAGES = 40
"""With fewer passages of a language the calibration that ships is better than one of their own (docs/decisions/0019)."""

MOST_PASSAGES = 150
"""More are not read, so that it takes 2 to 5 CPU-seconds a language however large the corpus is."""

_TRIED = 450
"""Sentences tried a language. With them the cut moves by up to .2 logits from one sample of passages to the next."""
# Fewer sentences of either label fix no curve: passages that are too short or too much alike give hardly any.
_LEAST_OF_A_LABEL = 40


def calibrate_on(
    passages: Sequence[Passage], *, model: JudgeModel, background: Background | None = None, seed: int = 1
) -> dict[str, Calibration]:
    """The calibration of each language that has enough passages; the others are left out."""
    found: dict[str, Calibration] = {}
    for lang, weights in model.languages.items():
        mine = [passage for passage in passages if passage.language == lang]
        if len(mine) < LEAST_PASSAGES:
            continue
        sampled = [mine[i] for i in np.linspace(0, len(mine) - 1, min(len(mine), MOST_PASSAGES)).astype(int)]
        background = background or shipped_background()
        samples = CorruptionMaker(sampled, background=background, seed=seed).make(math.ceil(_TRIED / len(sampled)))
        labels = [sample.label for sample in samples]
        if min(sum(labels), len(labels) - sum(labels)) < _LEAST_OF_A_LABEL:
            continue
        own, written = ((some, judge_logits(weights, some, background)) for some in (samples, written_samples(lang, kept=True)))
        both, logits = calibrated_on(own, written)
        slope, offset = fit_platt(logits, np.array([sample.label for sample in both], dtype=np.float64))
        answer_slope, answer_offset = platt_of_answers(both, logits, seed=seed)
        found[lang] = Calibration((slope, offset), (answer_slope, answer_offset))
    return found
