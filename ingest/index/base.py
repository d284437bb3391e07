"""The one protocol of all indexes.

An index is derived from the catalog and may be thrown away. It filters by the caller's rights, and by what the search is
narrowed to, inside the search: so `limit` counts permitted and matching chunks. Whoever shows a hit checks both once more
against the catalog.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from ingest.types import Access, IndexRow, ScoredChunk, Within


class Index(Protocol):
    """Finds chunks for a question."""

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Makes the rows findable, replacing rows of the same chunk; durable when it returns."""

    def remove(self, chunk_ids: Collection[str]) -> None:
        """Makes the chunks unfindable; unknown ids are ignored; durable when it returns."""

    def search(self, query: str, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """At most `limit` permitted chunks, best first; of those `within` where it is given."""

    def ids(self) -> set[str]:
        """The ids of all chunks held, for comparison with the catalog."""
