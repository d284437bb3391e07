"""Trains the house judge: a linear model per language, every weight bound to the sign we know it must have.

Of words it learns from synthetic corruptions of open passages alone (`finetune.corruptions`): how many words of a right answer
are the passage's own must not depend on who wrote our answers. What edits add to that it learns from those and from written
answers (`finetune.answer_samples`). It is calibrated on other documents of both and writes JSON that `eval.judge` reads. The
same passages and seed give the same weights.

    python -m finetune.detector --data SQUAD --data CMRC --data DRCD --out eval/models/judge-v3.json
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

from eval import support
from eval.assessment import SIGNS, assess
from eval.checks.statements import Statements
from eval.edits import features as edits
from eval.judge_model import Bend, LanguageModel, language_model
from eval.metrics.classification import auroc, balanced_accuracy
from eval.support import Evidence
from eval.units import Background, read_units
from finetune.answer_samples import written_samples
from finetune.corruptions import CorruptionMaker, Passage, SupportSample, read_passages
from ingest.errors import InputRefused
from ingest.sentences import split_sentences

STRENGTH = 0.03
"""The inverse of the L2 penalty (scikit-learn's C): docs/decisions/0004."""

CLIP = 4.0
"""Standardised values are cut at this many deviations: the same step."""

BEND = Bend(below=0.5, knee=2.5)
"""How a logit of words counts beside edits: docs/decisions/0027."""

WRITTEN = 0.7
"""The share of written answers in what the edits' weights are fitted on; between .5 and .85 it makes no difference (0027)."""

TRIED = {"en": 7000, "zh": 5000}
"""Samples tried a language, of which about 5,000 English and 4,000 Chinese ones remain."""

MOST_A_PASSAGE = 16
"""Samples tried of one passage: beyond that they repeat each other."""

MOST_PASSAGES = 3000
"""Passages read a language, evenly spaced: their similarities are one dense matrix."""

HELD_OUT = 5
"""One document in so many is kept for calibration and figures."""

_Floats = NDArray[np.float64]

# Of answers of one to six sentences, in inverse proportion to the square of their number: two of three have one sentence, as most
# answers here do. Drawn evenly, the cut of a single sentence lay where 98 % of what was found was right (docs/decisions/0027).
_SHARE_OF_LENGTH = (1 / np.arange(1, 7) ** 2) / (1 / np.arange(1, 7) ** 2).sum()


def fit_signed(
    features: _Floats,
    labels: _Floats,
    signs: Sequence[int],
    *,
    strength: float = STRENGTH,
    offset: _Floats | float = 0.0,
    importance: _Floats | None = None,
) -> dict[str, Any]:
    """Weights of an L2 logistic regression whose coefficients keep their signs, with the scaling it was fitted under.

    `features` is (n, d), `labels` (n,) in {0, 1}; a sign of 0 binds nothing. The loss is ½‖w‖² + strength · Σ log-loss, by
    L-BFGS-B. `offset` (n,) is the logit without these features, `importance` (n,) how much each row counts, 1 in the mean.
    """
    counts = np.ones(len(labels)) if importance is None else importance
    mean = np.average(features, axis=0, weights=counts)
    scale = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=counts))
    scale = np.where(scale > 1e-9, scale, 1.0)
    scaled = np.clip((features - mean) / scale, -CLIP, CLIP)
    sign = 2 * labels - 1

    def loss(parameters: _Floats) -> tuple[float, _Floats]:
        weights, bias = parameters[:-1], parameters[-1]
        margin = sign * (offset + scaled @ weights + bias)
        slope = -sign * counts / (1 + np.exp(np.clip(margin, -500, 500)))
        value = 0.5 * float(weights @ weights) + strength * float(counts @ np.logaddexp(0, -margin))
        return value, np.append(weights + strength * scaled.T @ slope, strength * slope.sum())

    bounds = [(0 if s > 0 else None, 0 if s < 0 else None) for s in signs] + [(None, None)]
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
    """The logits of what `fit_signed` gave for (n, d) features."""
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
    """(n, d) features as the judge reads them, and (n,) labels."""
    rows = []
    for sample in samples:
        evidence = Evidence(sample.evidence, question=sample.question, background=background)
        rows.append(assess(sample.sentence, Statements(evidence), evidence.read(sample.sentence)).features)
    return np.array(rows, dtype=np.float64), np.array([s.label for s in samples], dtype=np.float64)


def fit_judge(corrupted: tuple[_Floats, _Floats], written: tuple[_Floats, _Floats], *, bend: Bend = BEND) -> dict[str, Any]:
    """The weights of one language from (features, labels) of corruptions and of written answers: of words from the former, bent,
    then of edits from both."""
    split = len(support.SIGNS)
    words = fit_signed(corrupted[0][:, :split], corrupted[1], list(support.SIGNS.values()))
    parts = (corrupted, written)
    features, labels = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    offset = np.array([bend.bent(logit) for logit in logits_of(words, features[:, :split])])
    sizes = [len(part[1]) for part in parts]
    is_written = np.repeat([0.0, 1.0], sizes)
    importance = np.repeat([(1 - WRITTEN) / sizes[0], WRITTEN / sizes[1]], sizes) * len(labels)
    # The two are told apart by a column of its own, so that no weight has to make up for how freely each is worded.
    told_apart = np.column_stack([features[:, split:], is_written])
    added = fit_signed(told_apart, labels, [*edits.SIGNS.values(), 0], offset=offset, importance=importance)
    joined = {key: words[key] + added[key][:-1] for key in ("mean", "scale", "weights")}
    return {**joined, "bias": words["bias"]}


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
        answers = written_samples(lang, kept=False)
        model = fit_judge(read_features(made, background), read_features(answers, background))
        fitted = language_model({**model, **_NOT_CALIBRATED}, clip=CLIP, bend=BEND)
        logits = judge_logits(fitted, kept, background)
        written = written_samples(lang, kept=True)
        written_logits = judge_logits(fitted, written, background)
        both, both_logits = calibrated_on((kept, logits), (written, written_logits))
        model["platt"] = fit_platt(both_logits, _labels(both))
        model["answer_platt"] = platt_of_answers(both, both_logits, seed=seed)
        model["held_out"] = {
            **_figures(kept, logits, model["platt"]),
            "auroc_by_kind": _by_kind(kept, logits),
            "trained_on": len(made),
            "written": {**_figures(written, written_logits, model["platt"]), "trained_on": len(answers)},
        }
        languages[lang] = model
    return {
        "format": 1,
        "features": list(SIGNS),
        "clip": CLIP,
        "bend": [BEND.below, BEND.knee],
        "threshold": 0.5,
        "seed": seed,
        "languages": languages,
    }


_NOT_CALIBRATED = {"platt": (1.0, 0.0), "answer_platt": (1.0, 0.0)}


def judge_logits(model: LanguageModel, samples: Sequence[SupportSample], background: Background) -> _Floats:
    """(n,) The judge's logit of each sample."""
    features, _ = read_features(samples, background)
    return np.array([model.logit(row) for row in features])


def calibrated_on(
    corrupted: tuple[Sequence[SupportSample], _Floats], written: tuple[Sequence[SupportSample], _Floats]
) -> tuple[list[SupportSample], _Floats]:
    """What calibration reads of samples with their logits: all corruptions, and written answers repeated to a quarter as many.

    With as many or half as many the cut lay so high that an invented word in a long sentence passed (docs/decisions/0027).
    """
    times = max(1, round(len(corrupted[0]) / 4 / len(written[0])))
    return [*corrupted[0], *[*written[0]] * times], np.concatenate([corrupted[1], np.tile(written[1], times)])


def _labels(samples: Sequence[SupportSample]) -> _Floats:
    return np.array([sample.label for sample in samples], dtype=np.float64)


def _figures(samples: Sequence[SupportSample], logits: _Floats, platt: Sequence[float]) -> dict[str, Any]:
    labels = _labels(samples)
    return {
        "sentences": len(samples),
        "auroc": round(auroc(labels, logits), 4),
        "balanced_accuracy": round(balanced_accuracy(labels, platt[0] * logits + platt[1] >= 0), 4),
    }


def platt_of_answers(samples: Sequence[SupportSample], logits: _Floats, *, seed: int) -> list[float]:
    """Platt calibration of whole answers: one to six held-out sentences together, bad if any is (half of the answers are).

    Short answers are drawn more often, as `_SHARE_OF_LENGTH` has it.
    """
    chooser = np.random.default_rng(seed)
    labels = np.array([s.label for s in samples])
    good, bad = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    lengths = np.arange(1, len(_SHARE_OF_LENGTH) + 1)
    scores, targets = [], []
    for _ in range(4000):
        size, target = int(chooser.choice(lengths, p=_SHARE_OF_LENGTH)), int(chooser.integers(2))
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
                " have. It learned from corruptions of passages and from answers written for it, which are shipped with Graft"
                " (finetune/written).",
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
