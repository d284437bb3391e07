"""The versions of a document: which there were, and searching one of them.

Invariants. Only the visible version is in the indexes. An older one is searched where somebody asks for that very one, in an
index made of it alone and thrown away again: a document's passages are few. Who may read the document may read its versions.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, and_, select

from ingest.catalog import Catalog
from ingest.chunk_rows import CHUNK_ROWS, hit_of, index_row
from ingest.errors import NotFound
from ingest.index.lexical import LexicalIndex
from ingest.personal_data import PersonalData
from ingest.schema import contents, documents, versions
from ingest.types import Access, Hit


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One version of a document. `live`: whether it is the one that is searched and answered from."""

    version: int
    live: bool
    pages: int
    bytes: int
    added_at: str
    warnings: tuple[str, ...]
    sha256: str


class Versions:
    """Reads what the catalog keeps of older versions."""

    def __init__(self, engine: Engine, catalog: Catalog, *, mask: Collection[PersonalData] = ()) -> None:
        self._engine = engine
        self._catalog = catalog
        self._mask = mask

    def of(self, document_id: str, *, access: Access) -> list[VersionRecord]:
        """All published versions, the newest first.

        Raises:
            NotFound: no such document for this caller.
        """
        self._catalog.document(document_id, access=access)
        query = (
            select(versions, contents)
            .join(contents, contents.c.sha256 == versions.c.sha256)
            .where(versions.c.document_id == document_id, versions.c.status != "staged")
            .order_by(versions.c.number.desc())
        )
        with self._engine.connect() as connection:
            return [
                VersionRecord(
                    version=row.number,
                    live=row.status == "live",
                    pages=row.page_count,
                    bytes=row.bytes,
                    added_at=row.created_at,
                    warnings=tuple(row.warnings),
                    sha256=row.sha256,
                )
                for row in connection.execute(query)
            ]

    def one(self, document_id: str, version: int | None, *, access: Access) -> VersionRecord:
        """This version, or the visible one where none is named.

        Raises:
            NotFound: no such document for this caller, or no such version of it.
        """
        there = self.of(document_id, access=access)
        found = [one for one in there if (one.live if version is None else one.version == version)]
        if not found:
            numbers = ", ".join(str(one.version) for one in reversed(there))
            raise NotFound(f"document {document_id!r} has no version {version}: it has {numbers}")
        return found[0]

    def search(self, query: str, *, document_id: str, version: int | None, access: Access, limit: int) -> list[Hit]:
        """At most `limit` passages of this version, or of the visible one, by their words, best first.

        Raises:
            NotFound: as `one`.
        """
        number = self.one(document_id, version, access=access).version
        of_version = and_(documents.c.id == document_id, versions.c.number == number, versions.c.status != "staged")
        with self._engine.connect() as connection:
            rows = {row.chunk_id: row for row in connection.execute(CHUNK_ROWS.where(of_version))}
        index = LexicalIndex(None)
        index.add([index_row(row) for row in rows.values()])
        scored = index.search(query, access=access, limit=limit)
        return [hit_of(rows[one.chunk_id], one, mask=self._mask) for one in scored]
