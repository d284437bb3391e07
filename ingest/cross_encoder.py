"""A cross-encoder reads the question and a passage together: the best order there is, at tens of milliseconds a pair.

Invariants. It is the second reranker: a candidate's score is what the first order gave it. It reads the contenders alone, best
first, as many as its time allows, and scores what it does not read 0, below all that it read. How many it may read is found
out once, so that the same question has the same order. Safe to call from many threads; one reads at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ingest.bilingual_sample import sample_passages, sample_questions
from ingest.checkpoint import encodable_text, load_checkpoint
from ingest.errors import InputRefused
from ingest.rerank import Candidate

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

Texts = Callable[[Sequence[str]], Mapping[str, str]]
"""Chunk ids → their texts, title first; ids that are gone are left out."""

LEAST_PAIRS = 4
"""Read however slow the model is: one more than the passages that an answer is made from, so that one of these can be another."""
REACH = 0.7
"""How far below the best first score a contender may lie. Where the best is wrong, the right one is within reach in 66 to 100 of
a hundred questions; where it stands alone, it is right in 98 to 100 (contracts apart, where this hardly happens). Source:
`docs/decisions/0015-encoders-and-cross-encoders.md`."""
WINDOW_TOKENS = 512
"""Of question, title and passage; a passage has some 210."""
LEAST_SCORE = 1e-6
"""What is read is never 0, however small its probability in float32."""


class CrossEncoderReranker:
    """A `Reranker` over a sentence-transformers `CrossEncoder`, which is loaded when first needed."""

    def __init__(self, folder: str, texts: Texts, *, budget_ms: float, device: str | None = None) -> None:
        """`budget_ms`: what reading the pairs of one question may take; at least `LEAST_PAIRS` are read."""
        self._folder = folder
        self._texts = texts
        self._budget_ms = budget_ms
        self._device = device
        self._one_at_a_time = threading.Lock()
        self._model: CrossEncoder | None = None
        self._pairs = LEAST_PAIRS

    def scores(self, query: str, candidates: Sequence[Candidate]) -> list[float]:
        """See `Reranker`. All are 0 where nothing is to be decided: one candidate lies far ahead of the others, or alone.

        Raises:
            InputRefused: the folder holds no cross-encoder that may be loaded.
        """
        contenders = _contenders(candidates)
        if len(contenders) < 2:
            return [0.0] * len(candidates)
        with self._one_at_a_time:
            if self._model is None:
                self._model = self._load()
            read = contenders[: self._pairs]
            texts = self._texts([candidates[place].chunk_id for place in read])
            read = [place for place in read if candidates[place].chunk_id in texts]
            probabilities = _predict(self._model, [(query, texts[candidates[place].chunk_id]) for place in read])
        scores = [0.0] * len(candidates)
        for place, probability in zip(read, probabilities, strict=True):
            scores[place] = probability
        return scores

    def _load(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder

        model: CrossEncoder = load_checkpoint(CrossEncoder, self._folder, device=self._device)
        if model.num_labels != 1:
            raise InputRefused(
                f"model {self._folder!r} gives {model.num_labels} scores to a pair; a reranker gives one: name another folder in "
                "reranker.path"
            )
        model.max_seq_length = min(model.max_seq_length or WINDOW_TOKENS, WINDOW_TOKENS)
        self._pairs = affordable_pairs(self._budget_ms, _pair_ms(model))
        return model


def affordable_pairs(budget_ms: float, pair_ms: float) -> int:
    """How many pairs the budget pays for, never fewer than `LEAST_PAIRS`."""
    return max(LEAST_PAIRS, int(budget_ms / max(pair_ms, 1e-3)))


def _contenders(candidates: Sequence[Candidate]) -> list[int]:
    """The places of the candidates within `REACH` of the best, best first."""
    best = max((candidate.score for candidate in candidates), default=0.0)
    near = [place for place, candidate in enumerate(candidates) if candidate.score >= best - REACH]
    return sorted(near, key=lambda place: -candidates[place].score)


def _pair_ms(model: CrossEncoder) -> float:
    """Wall time of a pair of usual length: the better of two readings, the first of which also sets things up."""
    passages = sample_passages()
    pairs = [(question, " ".join(passages[8 * i : 8 * i + 8])) for i, question in enumerate(sample_questions()[:LEAST_PAIRS])]
    times = []
    for _ in range(2):
        began = time.perf_counter()
        _predict(model, pairs)
        times.append((time.perf_counter() - began) * 1000 / len(pairs))
    return min(times)


def _predict(model: CrossEncoder, pairs: list[tuple[str, str]]) -> list[float]:
    """The probability that the passage answers, for each pair."""
    if not pairs:
        return []
    import torch

    encodable = [(encodable_text(query), encodable_text(text)) for query, text in pairs]
    found = model.predict(encodable, activation_fn=torch.nn.Sigmoid(), batch_size=LEAST_PAIRS, show_progress_bar=False)
    return [min(1.0, max(LEAST_SCORE, float(score))) for score in found]
