"""What was read of files, by their bytes: shared by all documents that show them, and without a word of who may read it.

Invariants. The pages of a content are written all at once, and put in the place of an earlier reading all at once, with the
chunks of every version that shows them. Whoever hands out what is here asks for rights first: `ingest.catalog` does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, insert, select, update

from ingest.chunk_rows import chunk_rows
from ingest.errors import NotFound
from ingest.layout import page_from_row, page_to_row
from ingest.schema import chunks, contents, now, pages, versions
from ingest.types import Chunk, ParsedDocument


class Contents:
    """Reads and writes the tables of contents and pages."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def has_content(self, sha256: str) -> bool:
        """Whether these bytes are parsed already."""
        with self._engine.connect() as connection:
            return connection.scalar(select(contents.c.sha256).where(contents.c.sha256 == sha256)) is not None

    def put_content(self, sha256: str, *, size_bytes: int, parsed: ParsedDocument, unlocked: str | None = None) -> None:
        """Keeps what was read of a file, all pages or none; `unlocked` is the hash of its copy that needs no password."""
        with self._engine.begin() as connection:
            connection.execute(delete(contents).where(contents.c.sha256 == sha256))
            connection.execute(insert(contents).values(sha256=sha256, bytes=size_bytes, unlocked=unlocked, **_facts(parsed)))
            connection.execute(insert(pages), [page_to_row(sha256, page) for page in parsed.pages])

    def content(self, sha256: str) -> ParsedDocument:
        """What was read of these bytes, never masked.

        Raises:
            NotFound: they were never parsed.
        """
        with self._engine.connect() as connection:
            row = connection.execute(select(contents).where(contents.c.sha256 == sha256)).one_or_none()
            if row is None:
                raise NotFound(f"no parsed content {sha256[:12]}…")
            page_rows = connection.execute(select(pages).where(pages.c.sha256 == sha256).order_by(pages.c.number))
            return ParsedDocument(tuple(map(page_from_row, page_rows)), row.title, tuple(row.warnings))

    def unlocked_copy(self, sha256: str) -> str | None:
        """The hash of the copy that needs no password, of a file that was read and needs one; else None."""
        with self._engine.connect() as connection:
            return connection.scalar(select(contents.c.unlocked).where(contents.c.sha256 == sha256))

    def replace_content(self, sha256: str, parsed: ParsedDocument, split: Sequence[Chunk], *, chunking: str) -> list[str]:
        """Puts another reading of the same bytes in the place of the one before, in all versions that show them, all at once;
        the chunk ids that no index needs any longer.

        Raises:
            NotFound: no version shows these bytes any more.
        """
        with self._engine.begin() as connection:
            of_content = versions.c.sha256 == sha256
            version_ids = list(connection.scalars(select(versions.c.id).where(of_content)))
            if not version_ids:
                raise NotFound("the document was removed meanwhile")
            stale = list(connection.scalars(select(chunks.c.id).join(versions).where(of_content)))
            content = update(contents).where(contents.c.sha256 == sha256)
            connection.execute(content.values(reading=contents.c.reading + 1, **_facts(parsed)))
            connection.execute(delete(pages).where(pages.c.sha256 == sha256))
            connection.execute(insert(pages), [page_to_row(sha256, page) for page in parsed.pages])
            reading = connection.scalars(select(contents.c.reading).where(contents.c.sha256 == sha256)).one()
            for version_id in version_ids:
                rows = chunk_rows(version_id, split, chunking=chunking, reading=reading)
                write_chunks(connection, version_id, rows, chunking)
            return stale

    def showing(self, sha256: str) -> list[str]:
        """The documents of which some version shows these bytes."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(versions.c.document_id).where(versions.c.sha256 == sha256).distinct()))

    def referenced_contents(self) -> set[str]:
        """The hashes of all files that some version needs."""
        with self._engine.connect() as connection:
            unlocked = select(contents.c.unlocked).where(contents.c.unlocked.is_not(None))
            return {*connection.scalars(select(versions.c.sha256)), *connection.scalars(unlocked)}


def _facts(parsed: ParsedDocument) -> dict[str, Any]:
    """What the row of a content tells of its reading."""
    warnings = list(parsed.warnings)
    return {"title": parsed.title, "page_count": len(parsed.pages), "warnings": warnings, "parsed_at": now()}


def write_chunks(connection: Connection, version_id: str, rows: Sequence[dict[str, Any]], chunking: str) -> None:
    """Gives a version other chunks, within a transaction."""
    connection.execute(delete(chunks).where(chunks.c.version_id == version_id))
    if rows:
        connection.execute(insert(chunks), rows)
    connection.execute(update(versions).where(versions.c.id == version_id).values(chunking=chunking))


def delete_unused_contents(connection: Connection, of: Collection[str]) -> None:
    """Deletes those of the contents that no version shows, within a transaction."""
    unused = and_(contents.c.sha256.in_(of), contents.c.sha256.not_in(select(versions.c.sha256)))
    connection.execute(delete(contents).where(unused))
