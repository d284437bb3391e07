"""Trains the evidence decision: do these hits hold the answer?

One sign-bound linear model for the hits of each language, asked in the same language (`finetune.evidence_samples`) and asked in
the other one (`finetune.crossing`). Split by document; the same seed gives the same weights.

    python -m finetune.sufficiency --data SQUAD --data CMRC --data DRCD --out eval/models/evidence-v3.json
"""

from __future__ import annotations

import argparse
import json
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.across import OTHER
from eval.evidence import SIGNS, read_evidence
from eval.metrics.classification import auroc
from eval.quoting import Reading
from eval.terms import Translate
from finetune.corruptions import read_passages
from finetune.crossing import PARALLEL, make_crossed, parallel_samples
from finetune.detector import CLIP, fit_platt, fit_signed, logits_of
from finetune.evidence_samples import EvidenceSample, make_samples, make_written
from ingest.crosslingual import Translator
from ingest.dictionary import Dictionary

QUESTIONS = 450
"""Questions drawn from each set of passages."""

STRENGTH = 0.03
"""The inverse of the L2 penalty: as for the judge."""

CROSSED_STRENGTH = 0.1
"""The same for hits of the other language, of which there are few samples."""

PARTS = 5
"""Calibration, thresholds and figures come from questions whose documents were not learned from: in so many parts."""

REFUSED_ANSWERABLE = 0.05
"""The share of answerable questions that the threshold may refuse, in the mean over a language's sets: what we allow it."""

ANSWERED_WITHOUT = 0.05
"""The share of the parallel set's questions without their passage that may be answered from what else is there. A question is
mostly answered by documents of its own language, so that the threshold of the other one's goes by what it lets through."""

_Floats = NDArray[np.float64]


def train_sufficiency(
    sets: Sequence[Sequence[EvidenceSample]],
    crossed: Sequence[EvidenceSample],
    *,
    translate: Translate,
    aside: Sequence[EvidenceSample] = (),
) -> dict[str, Any]:
    """Weights, calibration, threshold and crossed figures by language of the hits: `languages` of samples in the question's own
    language, by sets that count alike; `translated` of those in the other one, with the figures of those kept `aside`."""
    languages, translated = {}, {}
    for lang in OTHER:
        numbered = [(number, sample) for number, group in enumerate(sets) for sample in group if sample.language == lang]
        if numbered:
            samples = [sample for _, sample in numbered]
            model, labels, probability = _fit(samples, None, strength=STRENGTH)
            threshold = _refusing(probability, labels, np.array([number for number, _ in numbered]))
            languages[lang] = {**model, "threshold": threshold, "crossed": _figures(samples, probability, threshold)}
        if samples := [sample for sample in crossed if sample.language == lang]:
            model, labels, probability = _fit(samples, translate, strength=CROSSED_STRENGTH)
            parallel = np.array([sample.kind == PARALLEL for sample in samples])
            threshold = _keeping(probability[parallel], labels[parallel])
            translated[lang] = {**model, "threshold": threshold, "crossed": _figures(samples, probability, threshold)}
            if kept := [sample for sample in aside if sample.language == lang]:
                probability = _probability(model, logits_of(model, _read(kept, translate)))
                translated[lang]["kept_aside"] = _figures(kept, probability, threshold)
    return {"format": 1, "features": list(SIGNS), "clip": CLIP, "languages": languages, "translated": translated}


def _fit(
    samples: Sequence[EvidenceSample], translate: Translate | None, *, strength: float
) -> tuple[dict[str, Any], _Floats, _Floats]:
    """The model of all samples, their (n,) labels, and the (n,) probabilities that models of other documents give each."""
    features = _read(samples, translate)
    labels = np.array([one.label for one in samples], dtype=np.float64)
    part = np.array([zlib.crc32(one.document.encode()) % PARTS for one in samples])
    signs = list(SIGNS.values())
    logits = np.empty(len(labels))
    for one in range(PARTS):
        kept = part == one
        logits[kept] = logits_of(fit_signed(features[~kept], labels[~kept], signs, strength=strength), features[kept])
    model = fit_signed(features, labels, signs, strength=strength)
    model["platt"] = fit_platt(logits, labels)
    return model, labels, _probability(model, logits)


def _read(samples: Sequence[EvidenceSample], translate: Translate | None) -> _Floats:
    """(n, d) features."""
    readings = (read_evidence(Reading(one.question, one.hits, translate=translate)) for one in samples)
    return np.array([reading[one.language].features for reading, one in zip(readings, samples, strict=True)])


def _probability(model: dict[str, Any], logits: _Floats) -> _Floats:
    slope, offset = model["platt"]
    return np.asarray(1 / (1 + np.exp(-(slope * logits + offset))))


def _refusing(probability: _Floats, labels: _Floats, sets: NDArray[np.int_]) -> float:
    """The highest threshold under which the share refused of the answerable questions, in the mean over the sets, is allowed."""
    answerable = [probability[(labels == 1) & (sets == one)] for one in sorted(set(sets[labels == 1].tolist()))]
    allowed = [
        one for one in probability[labels == 1] if np.mean([(part < one).mean() for part in answerable]) <= REFUSED_ANSWERABLE
    ]
    return _rounded_down(max(allowed))


def _keeping(probability: _Floats, labels: _Floats) -> float:
    """The lowest threshold with which the share answered of the questions without their passage is allowed."""
    without = np.sort(probability[labels == 0])[::-1]
    return round(_rounded_down(without[int(ANSWERED_WITHOUT * len(without))]) + 10**-4, 4)


def _rounded_down(threshold: float) -> float:
    """With four digits, and never so that it refuses more."""
    return math.floor(threshold * 10**4) / 10**4


def _figures(samples: Sequence[EvidenceSample], probability: _Floats, threshold: float) -> dict[str, Any]:
    labels = np.array([one.label for one in samples])
    kinds = np.array([one.kind for one in samples])
    figures: dict[str, Any] = {
        "questions": len(samples),
        "auroc": round(auroc(labels, probability), 4),
        "refused_answerable": round(float((probability[labels == 1] < threshold).mean()), 4),
    }
    for kind in sorted(set(kinds[labels == 0])):
        chosen = (kinds == kind) & (labels == 0)
        figures[f"refused_{kind}"] = round(float((probability[chosen] < threshold).mean()), 4)
        both = chosen | (labels == 1)
        figures[f"auroc_{kind}"] = round(auroc(labels[both], probability[both]), 4)
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads passages, trains, writes the weights."""
    parser = argparse.ArgumentParser(description="Train the evidence decision from passages in BEIR layout with spans.")
    parser.add_argument("--data", type=Path, action="append", required=True, help="a BEIR folder with spans; repeat it")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go (JSON)")
    parser.add_argument("--dictionary", type=Path, help="folder that keeps the dictionary's file; else it is made for this run")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        translator = Translator(Dictionary(options.dictionary or Path(folder)))
        sets = [make_samples(read_passages(one), questions=QUESTIONS, seed=options.seed) for one in options.data]
        sets += [make_written(lang, seed=options.seed) for lang in OTHER]
        crossed = [sample for asked in OTHER for sample in make_crossed(asked, translator)]
        aside = [sample for asked in OTHER for sample in parallel_samples(asked, translator, odd=True)]
        weights = train_sufficiency(sets, crossed, translate=translator.groups, aside=aside)
    options.out.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    for of in ("languages", "translated"):
        for lang, model in weights[of].items():
            print(
                of,
                lang,
                json.dumps(dict(zip(SIGNS, model["weights"], strict=True))),
                json.dumps(model.get("kept_aside", model["crossed"])),
            )


if __name__ == "__main__":
    main()
