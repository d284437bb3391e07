"""The product's search: words first, then the window rerank, with a little of the vectors.

Invariants. Both parts filter by the caller's rights. The best `POOL` chunks by words and the best `VECTOR_POOL` by vectors are
reranked together whatever the limit, so that a longer list begins like a shorter one. Scores compare within one search only.
The recipe and what each part is worth: `docs/decisions/0003-search-without-an-encoder.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ingest.index.lexical import LexicalIndex
from ingest.index.vector import VectorIndex
from ingest.rerank import Candidate, Reranker, WindowReranker, missing_numbers
from ingest.types import Access, IndexRow, ScoredChunk

POOL = 50
VECTOR_POOL = 50
RERANK_WEIGHT = 0.7
VECTOR_WEIGHT = 0.2
MISSING_NUMBER_PENALTY = 0.15
MISSING_NUMBERS = 2
"""More missing numbers than this cost no more."""


class HybridIndex:
    """An `Index` made of a lexical and a vector one."""

    def __init__(self, lexical: LexicalIndex, vector: VectorIndex, *, reranker: Reranker | None = None) -> None:
        """Without a `reranker`, the window rerank over the lexical index's own weights."""
        self._lexical = lexical
        self._vector = vector
        self._reranker = reranker or WindowReranker(lexical.weight)

    def add(self, rows: Sequence[IndexRow]) -> None:
        """See `Index`."""
        self._lexical.add(rows)
        self._vector.add(rows)

    def remove(self, chunk_ids: Collection[str]) -> None:
        """See `Index`."""
        self._lexical.remove(chunk_ids)
        self._vector.remove(chunk_ids)

    def ids(self) -> set[str]:
        """The ids that both parts hold: what only one of them has must be added again."""
        return self._lexical.ids() & self._vector.ids()

    def close(self) -> None:
        """Lets go of both parts' files."""
        self._lexical.close()
        self._vector.close()

    def reconcile(self, wanted: Collection[str]) -> set[str]:
        """Removes what either part holds and the catalog does not want; the ids that are wanted and must be added."""
        unwanted = (self._lexical.ids() | self._vector.ids()).difference(wanted)
        if unwanted:
            self.remove(unwanted)
        return set(wanted) - self.ids()

    def search(self, query: str, *, access: Access, limit: int) -> list[ScoredChunk]:
        """See `Index`."""
        if limit < 1:
            return []
        lexical = self._lexical.candidates(query, access=access, limit=max(POOL, limit))
        near = {hit.chunk_id: hit.score for hit in self._vector.search(query, access=access, limit=VECTOR_POOL)}
        pool = lexical[:POOL]
        more = set(near).difference(candidate.chunk_id for candidate in pool)
        pool += self._lexical.candidates(query, access=access, limit=len(more), among=more)
        rest = [candidate for candidate in lexical[POOL:] if candidate.chunk_id not in more]
        scored = self._scored(query, pool, near)
        return (scored + _below(rest, scored))[:limit]

    def _scored(self, query: str, pool: Sequence[Candidate], near: dict[str, float]) -> list[ScoredChunk]:
        best = max((candidate.score for candidate in pool), default=0.0) or 1.0
        closeness = _min_max(near)
        reranked = self._reranker.scores(query, pool)
        missing = missing_numbers(query, pool)
        scored = [
            ScoredChunk(
                candidate.chunk_id,
                candidate.score / best
                + RERANK_WEIGHT * reranked[place]
                + VECTOR_WEIGHT * closeness(candidate.chunk_id)
                - MISSING_NUMBER_PENALTY * min(MISSING_NUMBERS, missing[place]),
            )
            for place, candidate in enumerate(pool)
        ]
        return sorted(scored, key=lambda chunk: (-chunk.score, chunk.chunk_id))


def _min_max(scores: dict[str, float]) -> Callable[[str], float]:
    """The scores stretched to [0, 1]; 0 for chunks that have none."""
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    width = high - low or 1.0
    return lambda chunk_id: (scores[chunk_id] - low) / width if chunk_id in scores else 0.0


def _below(rest: Sequence[Candidate], scored: Sequence[ScoredChunk]) -> list[ScoredChunk]:
    """The chunks after the pool, in their order, scored below it."""
    floor = scored[-1].score if scored else 0.0
    return [ScoredChunk(candidate.chunk_id, floor - place) for place, candidate in enumerate(rest, start=1)]
