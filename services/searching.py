"""Passages for some words, as every part of the product searches for them.

Invariants. Every search takes the caller's `Access`. Rights and filters hold inside the indexes and are checked once more against
the catalog on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.types import Retriever
from ingest.catalog import Catalog
from ingest.duplicates import each_once
from ingest.errors import InputRefused, NotFound
from ingest.explanation import Explanation
from ingest.index.hybrid import HybridIndex
from ingest.narrowing import Filters
from ingest.spelling import Correction, told
from ingest.types import TITLE_SEPARATOR, Access, Hit, IndexRow, ScoredChunk, Within

# A version that is being added holds some of the first places until it is published; a large one may hold very many, and
# then the search goes deeper.
_SPARE_HITS = 10


class Search:
    """The `Retriever` of the product: the indexes, with the rights checked once more on the way out, and each passage once."""

    def __init__(self, index: HybridIndex, catalog: Catalog) -> None:
        self._index = index
        self._catalog = catalog

    def search(self, query: str, *, access: Access, limit: int, filters: Filters | None = None) -> list[Hit]:
        """See `Retriever`; of the documents that match the filters.

        Raises:
            InputRefused: the query is empty, the limit is not in 1 to 100, or a filter cannot be used.
            NotFound: a document that a filter names is not there for this caller.
        """
        require_query(query, limit)
        within = self._within(filters, access)
        return self._deep_enough(
            limit,
            lambda asked: self._index.search(query, access=access, limit=asked, within=within),
            lambda scored: each_once(self._catalog.hits(scored, access=access, within=within)),
        )

    def like(self, chunk_id: str, *, access: Access, limit: int, filters: Filters | None = None) -> list[Hit]:
        """At most `limit` passages like this one, best first; without itself and what says the same.

        Raises:
            NotFound: there is no such passage for this caller, or no document that a filter names. InputRefused: as `search`.
        """
        require_limit(limit)
        source = next(iter(self._catalog.hits([ScoredChunk(chunk_id, 0.0)], access=access)), None)
        if source is None:
            raise NotFound(
                f"there is no passage {chunk_id!r}: take the `chunk` of a hit; those of older versions are not searched"
            )
        row = IndexRow(chunk_id, TITLE_SEPARATOR.join(source.headings), source.text, frozenset())
        within = self._within(filters, access)
        return self._deep_enough(
            limit,
            lambda asked: self._index.like(row, access=access, limit=asked, within=within),
            lambda scored: each_once([source, *self._catalog.hits(scored, access=access, within=within)])[1:],
        )

    def _within(self, filters: Filters | None, access: Access) -> Within | None:
        return self._catalog.within(filters, access=access) if filters else None

    @staticmethod
    def _deep_enough(
        limit: int, find: Callable[[int], list[ScoredChunk]], tell: Callable[[list[ScoredChunk]], list[Hit]]
    ) -> list[Hit]:
        """At most `limit` of the hits told; the index is asked for more as long as too few of what it finds can be told."""
        asked = limit + _SPARE_HITS
        while True:
            scored = find(asked)
            hits = tell(scored)[:limit]
            if len(hits) == limit or len(scored) < asked:
                return hits
            asked *= 8

    def explain(self, query: str, hits: Sequence[Hit]) -> list[Explanation]:
        """Why each hit of a search for this query stands where it does."""
        return self._index.explain(query, hits)

    def corrections(self, query: str, hits: Sequence[Hit]) -> list[Correction]:
        """What was searched for beside a term of the question that nothing holds; only what these hits, which the caller may
        read, hold: nobody learns of words that they may not read."""
        found = self._index.corrections(query)
        return told(found, query, ("\n".join([hit.document, *hit.headings, hit.text]) for hit in hits)) if found else []

    def narrowed(self, filters: Filters | None) -> Retriever:
        """A search of the documents that match the filters."""
        return _Narrowed(self, filters) if filters else self


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """A `Retriever` of the documents that match the filters."""

    whole: Search
    filters: Filters

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        """See `Search.search`."""
        return self.whole.search(query, access=access, limit=limit, filters=self.filters)


def require_query(query: str, limit: int) -> None:
    """Lets a search pass that can be made.

    Raises:
        InputRefused: the query is empty, or the limit is not in 1 to 100.
    """
    if not query.strip():
        raise InputRefused("the query is empty: write a question or some words")
    require_limit(limit)


def require_limit(limit: int) -> None:
    """Lets a limit pass that is one.

    Raises:
        InputRefused: it is not in 1 to 100.
    """
    if not 1 <= limit <= 100:
        raise InputRefused(f"limit {limit} is not in 1 to 100")
