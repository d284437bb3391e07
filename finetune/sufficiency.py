"""Trains the evidence decision: do these hits hold the answer?

Learns from open reading-comprehension sets, with passages found by BM25. Enough: the gold passage is among the hits. Not
enough: the gold passage is taken out, or all of its document's passages are, or the sentence that holds the answer is cut
out of it, so that the thing is still named and the attribute is not. Every question is asked in all four ways. Split by document;
the same seed gives the same weights.

    python -m finetune.sufficiency --data SQUAD --data CMRC --data DRCD --out eval/models/evidence-v2.json
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.evidence import SIGNS, read_evidence
from eval.metrics.classification import auroc
from eval.quoting import Reading
from finetune.corruptions import Asked, Passage, read_passages
from finetune.detector import CLIP, fit_platt, fit_signed, held_out, logits_of
from finetune.quoting import ranking
from ingest.sentences import sentence_spans
from ingest.types import Hit

HITS = 8
"""How many hits the decision looks at: as many as the answering path searches."""

CHUNK_CHARACTERS = {"en": 500, "zh": 200}
"""Passages are cut at sentence ends into chunks about as long as those of documents."""

QUESTIONS = 450
"""Questions drawn from each set of passages."""

STRENGTH = 0.03
"""The inverse of the L2 penalty: as for the judge."""

REFUSED_ANSWERABLE = 0.05
"""The share of answerable questions that the threshold may refuse: what the product is allowed. It holds for each set, and for
the documents learned from as for those kept aside; of some it refuses less."""


@dataclass(frozen=True, slots=True)
class EvidenceSample:
    """A question with hits. `label` is 1 where they hold the answer; `kind` says how they were made."""

    question: str
    hits: tuple[Hit, ...]
    label: int
    kind: str
    document: Passage


def make_samples(passages: Sequence[Passage], *, questions: int, seed: int) -> list[EvidenceSample]:
    """For up to `questions` questions, each with the answer among its hits, and in three ways without it."""
    chunks = [chunk for passage in passages for chunk in cut_passage(passage)]
    first = ranking(chunks)
    all_asked = [(number, asked) for number, chunk in enumerate(chunks) for asked in chunk.asked]
    samples: list[EvidenceSample] = []
    for number, asked in random.Random(seed).sample(all_asked, k=min(questions, len(all_asked))):
        gold = chunks[number]
        order = first(asked.question, 10 * HITS)
        others = [chunks[i] for i in order if i != number]
        found: dict[str, list[Passage]] = {
            "gold": [chunks[i] for i in _with(order, number)],
            "passage": others,
            "document": [chunk for chunk in others if chunk.title != gold.title],
        }
        cut = _without_answer(gold, asked)
        if cut is not None:
            rank = min(order.index(number) if number in order else HITS, HITS - 1)
            found["sentence"] = [*others[:rank], cut, *others[rank:]]
        samples += (_sample(asked, gold, given[:HITS], int(kind == "gold"), kind) for kind, given in found.items() if given)
    return samples


def cut_passage(passage: Passage) -> list[Passage]:
    """The passage as chunks of whole sentences, each with the questions whose answers it holds."""
    chunks: list[Passage] = []
    start = 0
    spans = sentence_spans(passage.text)
    for number, (_, end) in enumerate(spans):
        following = spans[number + 1][1] if number + 1 < len(spans) else None
        if following is None or following - start > CHUNK_CHARACTERS[passage.language]:
            asked = tuple(
                replace(a, start=a.start - start, end=a.end - start) for a in passage.asked if start <= a.start and a.end <= end
            )
            chunks.append(replace(passage, id=f"{passage.id}#{len(chunks)}", text=passage.text[start:end], asked=asked))
            start = spans[number + 1][0] if number + 1 < len(spans) else end
    return chunks


def _with(order: list[int], gold: int) -> list[int]:
    """The order with the gold passage among the first hits."""
    return order if gold in order[:HITS] else [*order[: HITS - 1], gold]


def _without_answer(passage: Passage, asked: Asked) -> Passage | None:
    """The passage without the sentences that hold the answer; None where too little would be left."""
    spans = sentence_spans(passage.text)
    kept = [(a, b) for a, b in spans if not (a < asked.end and asked.start < b) and asked.answer not in passage.text[a:b]]
    text = " ".join(passage.text[a:b] for a, b in kept)
    return replace(passage, text=text) if len(kept) >= 1 and len(text) > 40 else None


def _sample(asked: Asked, gold: Passage, found: Sequence[Passage], label: int, kind: str) -> EvidenceSample:
    hits = tuple(Hit(p.title, p.title, 1, 1, p.id, 1.0 / (1 + rank), p.text, 0, (p.title,)) for rank, p in enumerate(found))
    return EvidenceSample(asked.question, hits, label, kind, gold)


def train_sufficiency(groups: Sequence[Sequence[Passage]], *, seed: int) -> dict[str, Any]:
    """Weights, calibration, threshold and held-out figures per language; each group of passages is searched by itself."""
    samples = [
        (number, sample) for number, group in enumerate(groups) for sample in make_samples(group, questions=QUESTIONS, seed=seed)
    ]
    languages: dict[str, Any] = {}
    for lang in sorted({sample.document.language for _, sample in samples}):
        mine = [sample for _, sample in samples if sample.document.language == lang]
        group = np.array([number for number, sample in samples if sample.document.language == lang])
        features = np.array([read_evidence(Reading(s.question, s.hits))[lang].features for s in mine])
        labels = np.array([s.label for s in mine], dtype=np.float64)
        held = np.array([held_out(s.document) for s in mine])
        model = fit_signed(features[~held], labels[~held], list(SIGNS.values()), strength=STRENGTH)
        logits = logits_of(model, features)
        model["platt"] = fit_platt(logits[held], labels[held])
        probability = 1 / (1 + np.exp(-(model["platt"][0] * logits + model["platt"][1])))
        parts = [(labels == 1) & (group == one) & (held == kept) for one in sorted(set(group.tolist())) for kept in (False, True)]
        threshold = min(float(np.quantile(probability[part], REFUSED_ANSWERABLE, method="lower")) for part in parts if part.any())
        model["threshold"] = round(threshold, 4)
        model["held_out"] = _figures([s for s, h in zip(mine, held, strict=True) if h], probability[held], threshold)
        languages[lang] = model
    return {"format": 1, "features": list(SIGNS), "clip": CLIP, "seed": seed, "languages": languages}


def _figures(samples: Sequence[EvidenceSample], probability: NDArray[np.float64], threshold: float) -> dict[str, Any]:
    labels = np.array([s.label for s in samples])
    kinds = np.array([s.kind for s in samples])
    figures: dict[str, Any] = {
        "questions": len(samples),
        "auroc": round(auroc(labels, probability), 4),
        "refused_answerable": round(float((probability[labels == 1] < threshold).mean()), 4),
    }
    for kind in sorted(set(kinds[labels == 0])):
        chosen = kinds == kind
        figures[f"refused_without_{kind}"] = round(float((probability[chosen] < threshold).mean()), 4)
        both = chosen | (labels == 1)
        figures[f"auroc_without_{kind}"] = round(auroc(labels[both], probability[both]), 4)
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads passages, trains, writes the weights."""
    parser = argparse.ArgumentParser(description="Train the evidence decision from passages in BEIR layout with spans.")
    parser.add_argument("--data", type=Path, action="append", required=True, help="a BEIR folder with spans; repeat it")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go (JSON)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    weights = train_sufficiency([read_passages(folder) for folder in options.data], seed=options.seed)
    options.out.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    for lang, model in weights["languages"].items():
        print(lang, json.dumps(dict(zip(SIGNS, model["weights"], strict=True))), json.dumps(model["held_out"]))


if __name__ == "__main__":
    main()
