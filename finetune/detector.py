"""Trains the house judge: a linear model per language, every weight bound to the sign we know it must have.

It learns from synthetic corruptions of open passages only (`finetune.corruptions`), is calibrated on passages of other
documents, and writes JSON that `eval.judge` reads. The same passages and seed give the same weights.

    python -m finetune.detector --data SQUAD --data CMRC --data DRCD --out eval/models/judge-v2.json
"""

from __future__ import annotations

import argparse
import json
import math
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.metrics.classification import auroc, balanced_accuracy
from eval.support import SIGNS, Evidence
from eval.units import Background, read_units
from finetune.corruptions import CorruptionMaker, Passage, SupportSample, read_passages
from ingest.errors import InputRefused
from ingest.sentences import split_sentences

STRENGTH = 0.03
"""The inverse of the L2 penalty (scikit-learn's C): docs/decisions/0004."""

CLIP = 4.0
"""Standardised values are cut at this many deviations: the same step."""

TRIED = {"en": 7000, "zh": 5000}
"""Samples tried a language, of which about 5,000 English and 4,000 Chinese ones remain."""

MOST_A_PASSAGE = 16
"""Samples tried of one passage: beyond that they repeat each other."""

MOST_PASSAGES = 3000
"""Passages read a language, evenly spaced: their similarities are one dense matrix."""

HELD_OUT = 5
"""One document in so many is kept for calibration and figures."""

_Floats = NDArray[np.float64]


def fit_signed(features: _Floats, labels: _Floats, signs: Sequence[int], *, strength: float = STRENGTH) -> dict[str, Any]:
    """Weights of an L2 logistic regression whose coefficients keep their signs, with the scaling it was fitted under.

    `features` is (n, d), `labels` (n,) in {0, 1}. The loss is ½‖w‖² + strength · Σ log-loss, by L-BFGS-B.
    """
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    scaled = np.clip((features - mean) / scale, -CLIP, CLIP)
    sign = 2 * labels - 1

    def loss(parameters: _Floats) -> tuple[float, _Floats]:
        weights, bias = parameters[:-1], parameters[-1]
        margin = sign * (scaled @ weights + bias)
        slope = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
        value = 0.5 * float(weights @ weights) + strength * float(np.logaddexp(0, -margin).sum())
        return value, np.append(weights + strength * scaled.T @ slope, strength * slope.sum())

    bounds = [(0, None) if s > 0 else (None, 0) for s in signs] + [(None, None)]
    found = minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    return {
        "mean": _rounded(mean),
        "scale": _rounded(scale),
        "weights": _rounded(found.x[:-1]),
        "bias": round(float(found.x[-1]), 5),
    }


def fit_platt(logits: _Floats, labels: _Floats) -> list[float]:
    """Slope and offset such that sigmoid(slope · logit + offset) is the probability of label 1 (Platt 1999)."""

    def loss(parameters: _Floats) -> tuple[float, _Floats]:
        margin = parameters[0] * logits + parameters[1]
        error = 1 / (1 + np.exp(-margin)) - labels
        value = float((np.logaddexp(0, margin) - labels * margin).sum())
        return value, np.array([float((error * logits).sum()), float(error.sum())])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(1e-3, None), (None, None)])
    return _rounded(found.x)


def logits_of(model: dict[str, Any], features: _Floats) -> _Floats:
    """The model's logits for (n, d) features."""
    scaled = np.clip((features - np.array(model["mean"])) / np.array(model["scale"]), -CLIP, CLIP)
    return np.asarray(scaled @ np.array(model["weights"]) + model["bias"], dtype=np.float64)


def build_background(passages: Sequence[Passage]) -> Background:
    """idf over the sentences of the passages. Simplified and traditional sets are counted apart, the commoner count holds."""
    table: dict[str, float] = {}
    unseen = {"en": 0.0, "zh": 0.0}
    groups: dict[tuple[str, bool], list[Passage]] = {}
    for passage in passages:
        groups.setdefault((passage.language, any(c in passage.text for c in "國這個為來")), []).append(passage)
    for (lang, _), members in groups.items():
        sentences = [s for p in members for s in split_sentences(p.text)]
        counts = Counter(term for s in sentences for term in {unit.term for unit in read_units(s)})
        top = math.log((len(sentences) + 1) / 1.5)
        unseen[lang] = max(unseen[lang], top)
        for term, count in counts.items():
            if count >= 2:
                idf = round(math.log((len(sentences) + 1) / (count + 0.5)), 2)
                table[term] = min(idf, table.get(term, idf))
    return Background({"": table}, {lang: round(idf, 2) for lang, idf in unseen.items()})


def held_out(passage: Passage) -> bool:
    """Whether the passage's document is kept for calibration: by a hash of its title, so that a document is never split."""
    return zlib.crc32((passage.title or passage.id).encode()) % HELD_OUT == 0


def read_features(samples: Sequence[SupportSample], background: Background) -> tuple[_Floats, _Floats]:
    """(n, d) features and (n,) labels."""
    rows = [Evidence(s.evidence, question=s.question, background=background).read(s.sentence).features for s in samples]
    return np.array(rows, dtype=np.float64), np.array([s.label for s in samples], dtype=np.float64)


def train_detector(passages: Sequence[Passage], *, background: Background, seed: int) -> dict[str, Any]:
    """The judge's weights per language, with calibration and held-out figures, as `eval.judge` loads them.

    Raises InputRefused where a language has too few passages to hold some back.
    """
    languages: dict[str, Any] = {}
    for lang in sorted({p.language for p in passages}):
        mine = [p for p in passages if p.language == lang]
        mine = mine[:: math.ceil(len(mine) / MOST_PASSAGES)]
        train = [p for p in mine if not held_out(p)]
        test = [p for p in mine if held_out(p)]
        if min(len(train), len(test)) < 2:
            raise InputRefused(
                f"Too few passages in {lang!r}: {len(train)} to learn from and {len(test)} held out; give 20 or more."
            )
        each = min(MOST_A_PASSAGE, math.ceil(TRIED[lang] / len(train)))
        made = CorruptionMaker(train, background=background, seed=seed).make(each)
        kept = CorruptionMaker(test, background=background, seed=seed + 1).make(each)
        features, labels = read_features(made, background)
        model = fit_signed(features, labels, list(SIGNS.values()))
        kept_features, kept_labels = read_features(kept, background)
        logits = logits_of(model, kept_features)
        model["platt"] = fit_platt(logits, kept_labels)
        model["answer_platt"] = platt_of_answers(kept, logits, seed=seed)
        probability = 1 / (1 + np.exp(-(model["platt"][0] * logits + model["platt"][1])))
        model["held_out"] = {
            "sentences": len(kept),
            "auroc": round(auroc(kept_labels, logits), 4),
            "balanced_accuracy": round(balanced_accuracy(kept_labels, probability >= 0.5), 4),
            "auroc_by_kind": _by_kind(kept, logits),
            "trained_on": len(made),
        }
        languages[lang] = model
    return {"format": 1, "features": list(SIGNS), "clip": CLIP, "threshold": 0.5, "seed": seed, "languages": languages}


def platt_of_answers(samples: Sequence[SupportSample], logits: _Floats, *, seed: int) -> list[float]:
    """Platt calibration of whole answers: one to six held-out sentences together, bad if any is (half of the answers are)."""
    chooser = np.random.default_rng(seed)
    labels = np.array([s.label for s in samples])
    good, bad = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    scores, targets = [], []
    for _ in range(4000):
        size, target = int(chooser.integers(1, 7)), int(chooser.integers(2))
        wrong = int(chooser.integers(1, size + 1)) if target else 0
        chosen = np.concatenate([chooser.choice(bad, wrong), chooser.choice(good, size - wrong)])
        scores.append(float(np.logaddexp.reduce(logits[chosen])))
        targets.append(target)
    return fit_platt(np.array(scores), np.array(targets, dtype=np.float64))


def _by_kind(samples: Sequence[SupportSample], logits: _Floats) -> dict[str, float]:
    """AUROC of each corruption against all supported samples."""
    labels = np.array([s.label for s in samples])
    kinds = np.array([s.kind for s in samples])
    figures = {}
    for kind in sorted({s.kind for s in samples if s.label}):
        chosen = (labels == 0) | ((labels == 1) & (kinds == kind))
        figures[kind] = round(auroc(labels[chosen], logits[chosen]), 4)
    return figures


def write_weights(path: Path, weights: dict[str, Any]) -> None:
    """Writes the JSON that the judge loads."""
    path.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


def write_card(path: Path, weights: dict[str, Any], *, sources: Sequence[str]) -> None:
    """Writes what somebody must know who finds these weights: what they were made from, how good they are, what they are not for.

    Raises:
        OSError: there is no room, or no right to write there.
    """
    rows = [
        f"| {lang} | {one['trained_on']} | {one['sentences']} | {one['auroc']:.3f} | {one['balanced_accuracy']:.3f} "
        f"| {min(one['auroc_by_kind'], key=one['auroc_by_kind'].get)}: {min(one['auroc_by_kind'].values()):.3f} |"
        for lang, one in ((lang, model["held_out"]) for lang, model in weights["languages"].items())
    ]
    path.write_text(
        "\n".join(
            [
                f"# {path.stem}: is this sentence borne out by this evidence?",
                "",
                f"A linear model a language over {len(weights['features'])} features, every weight bound to the sign that it must"
                " have. It learned from corruptions of passages, and of nothing that a person has labelled.",
                "",
                f"Seed {weights['seed']}. Made from:",
                *(f"- {source}" for source in sources),
                "",
                "Held out (documents not learned from; synthetic, so they say less than sets with human labels):",
                "",
                "| language | learned from | sentences | AUROC | balanced accuracy | weakest kind, AUROC |",
                "|---|---|---|---|---|---|",
                *rows,
                "",
                "It compares words, numbers and names. It is not for inference, nor for anything on which a person's rights"
                " depend. Weights and calibration hold numbers alone; who may read them learns no text of the passages.",
            ]
        )
        + "\n",
        encoding="utf-8",
    )


def _rounded(values: _Floats) -> list[float]:
    return [round(float(v), 5) for v in values]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads passages, trains, writes the weights and (with `--background`) the idf table."""
    parser = argparse.ArgumentParser(description="Train the house judge from passages in BEIR layout.")
    parser.add_argument("--data", type=Path, action="append", required=True, help="a BEIR folder with spans; repeat it")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go (JSON)")
    parser.add_argument("--background", type=Path, help="write the idf table here as well; else the shipped one is used")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    passages = [p for folder in options.data for p in read_passages(folder)]
    if options.background:
        build_background(passages).save(options.background)
        background = Background.load(options.background)
    else:
        from eval.units import shipped_background

        background = shipped_background()
    weights = train_detector(passages, background=background, seed=options.seed)
    write_weights(options.out, weights)
    for lang, model in weights["languages"].items():
        print(lang, json.dumps(model["held_out"]))


if __name__ == "__main__":
    main()
