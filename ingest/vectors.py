"""The catalog's side of vector search: keeps every vector, and points at the live index build."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from sqlalchemy import Engine, delete, insert, select

from ingest.catalog import Catalog
from ingest.chunk_rows import CHUNK_ROWS, index_row
from ingest.embedding import Vectors
from ingest.index.exact import VectorRow
from ingest.schema import chunks, documents, versions
from ingest.schema import vectors as table
from ingest.types import IndexRow

_BUILD = "vector_build"
# SQLite takes 32,766 variables in one statement.
_IDS_AT_ONCE = 20_000


class CatalogVectors:
    """A `VectorStore` (see `ingest.index.vector`) on the catalog's tables."""

    def __init__(self, engine: Engine, catalog: Catalog) -> None:
        self._engine = engine
        self._catalog = catalog

    def rows(self) -> list[IndexRow]:
        """See `VectorStore`."""
        return self._catalog.index_rows()

    def texts(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        """The texts of the chunks that are there, title first: what a cross-encoder reads. Asks for no rights: its caller found
        the chunks for somebody who has them."""
        query = CHUNK_ROWS.where(chunks.c.id.in_(chunk_ids))
        with self._engine.connect() as connection:
            rows = [index_row(row) for row in connection.execute(query)]
        return {row.chunk_id: row.titled_text for row in rows}

    def vectors(self, fingerprint: str) -> Iterator[VectorRow]:
        """See `VectorStore`."""
        query = (
            select(table.c.chunk_id, table.c.vector, documents.c.group_key, documents.c.id.label("document_id"))
            .join(chunks, chunks.c.id == table.c.chunk_id)
            .join(versions, versions.c.id == chunks.c.version_id)
            .join(documents, documents.c.id == versions.c.document_id)
            .where(table.c.fingerprint == fingerprint)
        )
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=5000).execute(query):
                groups = frozenset(row.group_key.split("\n"))
                yield VectorRow(row.chunk_id, groups, np.frombuffer(row.vector, dtype="<f4"), row.document_id)

    def put(self, fingerprint: str, rows: Sequence[IndexRow], vectors: Vectors) -> None:
        """See `VectorStore`."""
        new = {row.chunk_id: np.asarray(vector, dtype="<f4").tobytes() for row, vector in zip(rows, vectors, strict=True)}
        with self._engine.begin() as connection:
            present = set(connection.scalars(select(chunks.c.id).where(chunks.c.id.in_(new))))
            same = (table.c.fingerprint == fingerprint) & table.c.chunk_id.in_(present)
            connection.execute(delete(table).where(same))
            kept = [
                {"fingerprint": fingerprint, "chunk_id": chunk_id, "vector": vector}
                for chunk_id, vector in new.items()
                if chunk_id in present
            ]
            if kept:
                connection.execute(insert(table), kept)

    def drop(self, chunk_ids: Collection[str]) -> None:
        """See `VectorStore`."""
        ids = list(chunk_ids)
        with self._engine.begin() as connection:
            for first in range(0, len(ids), _IDS_AT_ONCE):
                connection.execute(delete(table).where(table.c.chunk_id.in_(ids[first : first + _IDS_AT_ONCE])))

    def keep_only(self, fingerprint: str) -> None:
        """See `VectorStore`."""
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.fingerprint != fingerprint))

    def build(self) -> str | None:
        """See `VectorStore`."""
        return self._catalog.pointer(_BUILD)

    def set_build(self, name: str) -> None:
        """See `VectorStore`."""
        self._catalog.set_pointer(_BUILD, name)
