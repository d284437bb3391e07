"""How the scores of several searches become one: weighted, each on the scale of its best hit, or by ranks alone.

The Chinese weights are those that the other public sets choose for three sets of four; the English ones were picked with all
three sets in view. What each set reaches with the weights that the others choose: `docs/decisions/0018-ranking.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

RANK_CONSTANT = 60
"""Source: Cormack, Clarke and Büttcher, "Reciprocal rank fusion", SIGIR 2009."""


class Fusion(StrEnum):
    """How scores of different searches are brought to one scale."""

    SCORES = "scores"
    """Each divided by its best, or stretched between its least and its best."""
    RANKS = "ranks"
    """By place alone (RRF): forgets by how much the first is ahead, which cost .001 to .013 of nDCG@10 on five of six sets, and
    gained .008 on PrivacyQA; right where one search's scores cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What the parts of a score weigh beside the words, whose best hit has 1.

    Vectors are asked where words fail: `vector` is halved for a question half of which, by rarity, the best chunk holds, and
    nothing where it holds all, but never less than `least_vector`.
    """

    rerank: float
    vector: float
    least_vector: float = 0.0
    missing_number: float = 0.15

    def vector_by_need(self, held_share: float) -> float:
        """The weight of vectors where the best chunk by words holds this share of the question; 0 where it is not felt."""
        weight = max(self.least_vector, self.vector * (1.0 - held_share))
        return weight if weight >= FELT_VECTOR_WEIGHT else 0.0


FELT_VECTOR_WEIGHT = 0.06
"""Vectors of less weight are not looked up: nDCG@10 stays within .0003 on each of seven sets (n=194 to 1,500), and 5 to 7 of 10
questions (1 of 20 on PrivacyQA) do without them."""
LEXICAL_WEIGHTS = {"en": Weights(rerank=0.85, vector=0.2), "zh": Weights(rerank=0.85, vector=0.8)}
"""By the language of the question, for vectors that are fitted on the corpus itself."""
ENCODER_WEIGHTS = {language: Weights(rerank=0.85, vector=1.0, least_vector=0.5) for language in LEXICAL_WEIGHTS}
"""For vectors of a pretrained encoder, which can find what shares no word with the question. Not measured: no such model was
at hand; equal shares for words and vectors are what hybrid searches begin with."""


def over_best(scores: Mapping[str, float]) -> dict[str, float]:
    """The scores divided by the best one, which is not below 0."""
    best = max(scores.values(), default=0.0) or 1.0
    return {chunk_id: score / best for chunk_id, score in scores.items()}


def min_max(scores: Mapping[str, float]) -> dict[str, float]:
    """The scores stretched to [0, 1]; one alone, or all of the same score, have 0."""
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    width = high - low or 1.0
    return {chunk_id: (score - low) / width for chunk_id, score in scores.items()}


def reciprocal_ranks(scores: Mapping[str, float]) -> dict[str, float]:
    """61 / (60 + rank), ranks from 1: 1 for the best whatever the scale of the scores; equal scores share the better rank, and
    what has no score above 0 has none.
    """
    order = sorted({score for score in scores.values() if score > 0}, reverse=True)
    rank = {score: place for place, score in enumerate(order, start=1)}
    return {
        chunk_id: (RANK_CONSTANT + 1) / (RANK_CONSTANT + rank[score]) if score > 0 else 0.0 for chunk_id, score in scores.items()
    }
