"""How the scores of several searches become one: weighted, each on the scale of its best hit, or by ranks alone.

The weights of the question's language were picked on public sets other than those that they are scored on (each set's own
figure with the weights that the others of its language choose is in `docs/decisions/0018-search-ranking.md`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RANK_CONSTANT = 60
"""Source: Cormack, Clarke and Büttcher, "Reciprocal rank fusion", SIGIR 2009."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What the parts of a score weigh beside the words, whose best hit has 1.

    `vector` is halved for a question half of which, by rarity, the best chunk holds, and nothing where it holds all: vectors
    are asked where words fail.
    """

    rerank: float
    vector: float
    missing_number: float = 0.15


LEXICAL_WEIGHTS = {"en": Weights(rerank=0.85, vector=0.2), "zh": Weights(rerank=1.0, vector=0.5)}
"""By the language of the question, for vectors that are fitted on the corpus itself."""
ENCODER_WEIGHTS = {"en": Weights(rerank=0.7, vector=1.0), "zh": Weights(rerank=0.7, vector=1.0)}
"""For vectors of a pretrained encoder, which can find what shares no word with the question. Not measured: no such model was
at hand; equal shares for words and vectors are what hybrid searches begin with."""


def min_max(scores: Mapping[str, float]) -> dict[str, float]:
    """The scores stretched to [0, 1]; one alone, or all of the same score, have 0."""
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    width = high - low or 1.0
    return {chunk_id: (score - low) / width for chunk_id, score in scores.items()}


def reciprocal_ranks(rankings: Sequence[Sequence[str]], weights: Sequence[float]) -> dict[str, float]:
    """Σ weight / (60 + rank) over the rankings that hold the chunk, ranks from 1: the same for any scale of scores.

    On saturated sets it is worse than scores: it forgets by how much the first is ahead.
    """
    totals: dict[str, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, chunk_id in enumerate(ranking, start=1):
            totals[chunk_id] = totals.get(chunk_id, 0.0) + weight / (RANK_CONSTANT + rank)
    return totals
