"""Trains the choice of quotes: which sentence of the hits holds the answer?

Learns from open reading-comprehension sets: the sentence with the answer before all others, of its passage alone and of the first
five passages by BM25. A linear score whose weights keep their signs; the loss is that of a choice among the sentences (softmax).
Split by document; the same input gives the same weights.

    python -m finetune.quoting --data SQUAD --data CMRC --data DRCD --out eval/models/quoting-v2.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi
from scipy.optimize import minimize

from eval.quoting import SIGNS, Reading, Scoring
from finetune.corruptions import Passage, read_passages
from finetune.detector import held_out
from ingest.tokens import index_terms, query_terms
from ingest.types import Hit

STRENGTH = 1 / 30
"""The inverse of the L2 penalty: docs/decisions/0023. Ten times more or less changes no figure by more than .01."""

LEAST_WEIGHT = {"headings": 3.0, "fragment": 2.5}
"""The sets hold hardly any fragments, and no headings but titles; documents hold many: these weigh at least so much, whatever is
learned (a sentence that holds the whole question gains 10 by it)."""

FIRST = 5
"""Passages found for a question that it chooses among."""

QUESTIONS = 1000
"""Questions taken of each set of passages at most, evenly spaced, so that no set outweighs the others."""

_UNSCORED = dict.fromkeys(("en", "zh"), Scoring((0.0,) * len(SIGNS), 0.0, 1.0))

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """The sentences of one question's hits: (n, d) features, and (n,) whether each holds the answer (at least one does).
    `places` say where each stands: passage, start, end."""

    features: _Floats
    right: NDArray[np.bool_]
    passage: Passage
    question: str = ""
    places: tuple[tuple[str, int, int], ...] = ()


def ranking(passages: Sequence[Passage]) -> Callable[[str, int], list[int]]:
    """Question, limit → the numbers of the first passages for it by BM25, best first."""
    index = BM25Okapi([index_terms(f"{passage.title} {passage.text}") for passage in passages])

    def first(question: str, limit: int) -> list[int]:
        scores = index.get_scores(query_terms(question))
        return [int(i) for i in np.argsort(-scores, kind="stable")[:limit]]

    return first


def make_choices(passages: Sequence[Passage]) -> list[Choice]:
    """Two choices a question: within its passage, and among the first passages for it, this one always among them."""
    hits = [Hit(p.title, p.title, 1, 1, p.id, 1.0, p.text, 0, (p.title,)) for p in passages]
    first = ranking(passages)
    choices = []
    questions = [(number, asked) for number, passage in enumerate(passages) for asked in passage.asked]
    for number, asked in questions[:: max(1, len(questions) // QUESTIONS)][:QUESTIONS]:
        found = first(asked.question, FIRST)
        found = found if number in found else [*found[: FIRST - 1], number]
        for given in ([number], found):
            scored = Reading(asked.question, [hits[i] for i in given]).scored(_UNSCORED)
            right = np.array(
                [given[s.hit] == number and s.passage.start < asked.end and asked.start < s.passage.end for s in scored]
            )
            if right.any():
                places = tuple((hits[given[s.hit]].chunk, s.passage.start, s.passage.end) for s in scored)
                features = np.array([s.features for s in scored])
                choices.append(Choice(features, right, passages[number], asked.question, places))
    return choices


def fit_choices(choices: Sequence[Choice], *, strength: float = STRENGTH) -> list[float]:
    """Weights of the features as they are, each of its sign. The loss is ½‖w‖² over standardised features + strength · Σ
    −log of the right sentences' share of the softmax, by L-BFGS-B."""
    features = np.concatenate([choice.features for choice in choices])
    scale = features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    scaled = features / scale
    right = np.concatenate([choice.right for choice in choices])
    sizes = np.array([len(choice.right) for choice in choices])
    starts = np.cumsum([0, *sizes[:-1]])
    choice_of = np.repeat(np.arange(len(choices)), sizes)

    def loss(weights: _Floats) -> tuple[float, _Floats]:
        scores = scaled @ weights
        raised = np.exp(scores - np.maximum.reduceat(scores, starts)[choice_of])
        total, won = np.add.reduceat(raised, starts), np.add.reduceat(raised * right, starts)
        pull = raised / total[choice_of] - raised * right / won[choice_of]
        value = 0.5 * float(weights @ weights) + strength * float((np.log(total) - np.log(won)).sum())
        return value, weights + strength * (pull @ scaled)

    least = [LEAST_WEIGHT.get(name, 0.0) * width for name, width in zip(SIGNS, scale, strict=True)]
    bounds = [(low, None) if sign > 0 else (None, -low) for sign, low in zip(SIGNS.values(), least, strict=True)]
    found = minimize(loss, np.array(least) * list(SIGNS.values()), jac=True, method="L-BFGS-B", bounds=bounds)
    return [round(float(weight), 5) for weight in found.x / scale]


def train_quoting(groups: Sequence[Sequence[Passage]]) -> dict[str, Any]:
    """Weights per language; each group of passages is searched by itself."""
    choices = [choice for group in groups for choice in make_choices(group)]
    languages: dict[str, Any] = {}
    for lang in sorted({choice.passage.language for choice in choices}):
        mine = [c for c in choices if c.passage.language == lang and not held_out(c.passage)]
        weights = fit_choices(mine)
        right = np.array([(choice.features @ weights)[choice.right].max() for choice in mine])
        languages[lang] = {
            "weights": weights,
            "mean": round(float(right.mean()), 4),
            "scale": round(float(right.std()), 4),
            "choices": len(mine),
        }
    return {"format": 1, "features": list(SIGNS), "languages": languages}


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads passages, trains, writes the weights."""
    parser = argparse.ArgumentParser(description="Train the choice of quotes from passages in BEIR layout with spans.")
    parser.add_argument("--data", type=Path, action="append", required=True, help="a BEIR folder with spans; repeat it")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go (JSON)")
    options = parser.parse_args(arguments)
    weights = train_quoting([read_passages(folder) for folder in options.data])
    options.out.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    for lang, model in weights["languages"].items():
        print(lang, model["choices"], json.dumps(dict(zip(SIGNS, model["weights"], strict=True))))


if __name__ == "__main__":
    main()
