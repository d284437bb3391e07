"""The product's search: words first, then the window rerank, with a little of the vectors.

Invariants. Both parts filter by the caller's rights and by what the search is narrowed to. The best `POOL` chunks by words and,
where words hold too little of the question, the best `VECTOR_POOL` by vectors are reranked together whatever the limit, so that
a longer list begins like a shorter one. Scores compare within one search only.
The recipe and what each part is worth: `docs/decisions/0003-search-without-an-encoder.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from ingest.explanation import Explanation, explained
from ingest.fusion import LEXICAL_WEIGHTS, Fusion, Weights, min_max, over_best, reciprocal_ranks
from ingest.index.across import placed
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import VectorIndex
from ingest.rerank import Candidate, Reranker, WindowReranker, held_share, missing_numbers
from ingest.spelling import Correction
from ingest.synonyms import synonyms
from ingest.tokens import language
from ingest.types import Access, Hit, IndexRow, ScoredChunk, ScoreParts, Within

POOL = 50
VECTOR_POOL = 50
SYNONYM_WEIGHT = 0.8
"""Of a word's likeness to one of the question, in windows. SQuAD .9287 without, .9300 at .5, .9303 at .8, .9302 at 1."""
LIKE_VECTOR_SHARE = 0.5
"""Of the cosine in the likeness of two chunks; the rest is BM25. Not measured."""
MISSING_NUMBERS = 2
"""More missing numbers than this cost no more."""


class HybridIndex:
    """An `Index` made of a lexical and a vector one."""

    def __init__(
        self,
        lexical: LexicalIndex,
        vector: VectorIndex,
        *,
        reranker: Reranker | None = None,
        second: Reranker | None = None,
        weights: Mapping[str, Weights] = LEXICAL_WEIGHTS,
        fusion: Fusion = Fusion.SCORES,
        follow: Callable[[Sequence[IndexRow]], None] | None = None,
    ) -> None:
        """Without a `reranker`, the window rerank over the lexical index's own weights; `weights` by the question's language.
        A `second` one, such as a cross-encoder, orders the pool once more, by the score that the first order gave; what it
        scores alike stays in that order. `follow` is told of rows that were added: it derives something else from the corpus."""
        self._lexical = lexical
        self._vector = vector
        self._reranker = reranker or WindowReranker(lexical.weight, similar=self._similar)
        self._second = second
        self._weights = weights
        self._fusion = fusion
        self._follow = follow

    def _similar(self, unit: str) -> list[tuple[str, float]]:
        return self._lexical.similar(unit) + [(other, SYNONYM_WEIGHT * likeness) for other, likeness in synonyms(unit)]

    def add(self, rows: Sequence[IndexRow]) -> None:
        """See `Index`."""
        self._lexical.add(rows)
        self._vector.add(rows)
        if self._follow is not None:
            self._follow(rows)

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

    def search(self, query: str, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """See `Index`."""
        if limit < 1:
            return []
        lexical = self._lexical.candidates(query, access=access, limit=max(POOL, limit), within=within)
        pool, weights = lexical[:POOL], self._weights[language(query)]
        vector_weight = weights.vector_by_need(held_share(query, pool, self._lexical.weight))
        by_vector = self._vector.search(query, access=access, limit=VECTOR_POOL, within=within) if vector_weight else []
        near = {hit.chunk_id: hit.score for hit in by_vector}
        more = set(near).difference(candidate.chunk_id for candidate in pool)
        pool = pool + self._lexical.candidates(query, access=access, limit=len(more), among=more)
        rest = [candidate for candidate in lexical[POOL:] if candidate.chunk_id not in more]
        windows = self._reranker.scores(f"{query} {self._lexical.other_words(query)}", pool)
        own = self._read_again(query, pool, self._fused(query, pool, near, windows=windows, vector_weight=vector_weight))
        own += _below(rest, own)
        other, groups = self._lexical.across(query, access=access, limit=POOL, within=within)
        if not other:
            return own[:limit]
        # Windows do not pay for chunks of the other language.
        theirs = self._fused(query, other, near, windows=[0.0] * len(other), vector_weight=weights.vector)
        found = (*lexical, *pool, *other)
        return placed(own, theirs, groups, found, language=language(query), weight=self._lexical.weight)[:limit]

    def like(self, row: IndexRow, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """At most `limit` permitted chunks like this one, the row itself among them where it is held: by its most telling terms
        (BM25 over the best one's) and by vector (cosine), each half of the score."""
        text = row.titled_text
        lexical = self._lexical.like(text, access=access, limit=max(POOL, limit), within=within)
        by_vector = self._vector.like(text, access=access, limit=max(VECTOR_POOL, limit), within=within)
        best = max((candidate.score for candidate in lexical), default=0.0) or 1.0
        scores = {one.chunk_id: LIKE_VECTOR_SHARE * max(0.0, one.score) for one in by_vector}
        for candidate in lexical:
            words = (1 - LIKE_VECTOR_SHARE) * candidate.score / best
            scores[candidate.chunk_id] = scores.get(candidate.chunk_id, 0.0) + words
        found = [ScoredChunk(chunk_id, score) for chunk_id, score in scores.items()]
        return sorted(found, key=lambda chunk: (-chunk.score, chunk.chunk_id))[:limit]

    def explain(self, query: str, hits: Sequence[Hit]) -> list[Explanation]:
        """Why each of these hits of a search for the question stands where it does."""
        groups = {hit.language: self._lexical.groups(query, of=hit.language) for hit in hits}
        return [
            explained(query, hit, weight=self._lexical.weight, similar=self._similar, groups=groups[hit.language]) for hit in hits
        ]

    def corrections(self, query: str) -> list[Correction]:
        """See `LexicalIndex.corrections`."""
        return self._lexical.corrections(query)

    def _fused(
        self,
        query: str,
        pool: Sequence[Candidate],
        near: Mapping[str, float],
        *,
        windows: Sequence[float],
        vector_weight: float,
    ) -> list[ScoredChunk]:
        """The pool by its words, windows, vectors and missing numbers, best first."""
        weights = self._weights[language(query)]
        words = {candidate.chunk_id: candidate.score for candidate in pool}
        close = dict(zip(words, windows, strict=True))
        if self._fusion is Fusion.RANKS:
            words, close, closeness = reciprocal_ranks(words), reciprocal_ranks(close), reciprocal_ranks(near)
        else:
            words, closeness = over_best(words), min_max(near)
        parts = {
            chunk_id: ScoreParts(
                words[chunk_id],
                weights.rerank * close[chunk_id],
                vector_weight * closeness.get(chunk_id, 0.0),
                0.0 - weights.missing_number * min(MISSING_NUMBERS, missing),  # no -0.0
            )
            for chunk_id, missing in zip(words, missing_numbers(query, pool), strict=True)
        }
        scored = [ScoredChunk(chunk_id, one.total, one) for chunk_id, one in parts.items()]
        return sorted(scored, key=lambda chunk: (-chunk.score, chunk.chunk_id))

    def _read_again(self, query: str, pool: Sequence[Candidate], scored: list[ScoredChunk]) -> list[ScoredChunk]:
        """The chunks in the order of the second reranker. Scores stay with the places, so that they mean what they meant."""
        if self._second is None:
            return scored
        by_id = {candidate.chunk_id: candidate for candidate in pool}
        again = self._second.scores(query, [replace(by_id[one.chunk_id], score=one.score) for one in scored])
        order = sorted(range(len(scored)), key=lambda place: -again[place])
        return [replace(scored[old], score=scored[new].score) for new, old in enumerate(order)]


def _below(rest: Sequence[Candidate], scored: Sequence[ScoredChunk]) -> list[ScoredChunk]:
    """The chunks after the pool, in their order, scored below it."""
    floor = scored[-1].score if scored else 0.0
    return [ScoredChunk(candidate.chunk_id, floor - place) for place, candidate in enumerate(rest, start=1)]
