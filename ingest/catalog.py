"""The truth about documents: which there are, who may read them, what their pages and chunks say.

Invariants. Every read takes the caller's `Access`; a document the caller may not read looks exactly like one that is not
there. A version becomes visible in one transaction (`publish`) and never in part. Every method may be called again with the
same arguments after a crash. The catalog knows nothing of indexes: they follow it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from ingest.chunk_rows import CHUNK_ROWS, IS_INDEXED, chunk_rows, copies, hit_of, index_row, keys_also_elsewhere
from ingest.contents import Contents, delete_unused_contents, write_chunks
from ingest.errors import Conflict, NotFound
from ingest.layout import page_from_row
from ingest.narrowing import Filters, resolve, rows_within
from ingest.personal_data import PersonalData, masked
from ingest.schema import chunks, contents, document_groups, documents, groups, now, pages, pointers, versions
from ingest.types import EVERYONE, Access, Chunk, Hit, IndexRow, Page, ScoredChunk, Within


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document as its readers see it: the live version's facts."""

    document: str
    document_id: str
    version: int
    pages: int
    bytes: int
    groups: tuple[str, ...]
    added_at: str
    warnings: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class StagedVersion:
    """A version that is written but not yet visible."""

    version_id: str
    document_id: str
    number: int
    title: str


def group_key(names: Iterable[str]) -> str:
    """The group set as one string, the same for any order."""
    return "\n".join(sorted(set(names)))


class Catalog(Contents):
    """Reads and writes the tables of `ingest.schema`."""

    def __init__(self, engine: Engine, *, mask: Collection[PersonalData] = ()) -> None:
        """`mask`: the kinds of personal data that are masked in all text that a caller is given, and so in all made of it."""
        super().__init__(engine)
        self._mask = mask

    # Writing a document: parsed → staged → published

    def published(self, name: str, names_of_groups: Collection[str]) -> DocumentRecord | None:
        """The document of this name and these groups, as it is seen now."""
        with self._engine.connect() as connection:
            same = and_(documents.c.name == name, documents.c.group_key == group_key(names_of_groups))
            return next(iter(self._records(connection, Access.everything(), same)), None)

    def stage(
        self,
        name: str,
        *,
        names_of_groups: Collection[str],
        sha256: str,
        split: Sequence[Chunk],
        chunking: str = "",
        source: str = "",
    ) -> StagedVersion:
        """Writes a new version with its chunks, invisible until `publish`, or finds the one staged before for this content.

        `source` is the folder that it comes from and is kept in step with.
        """
        with self._engine.begin() as connection:
            document_id = self._document_row(connection, name, names_of_groups)
            content = connection.execute(select(contents.c.title, contents.c.reading).where(contents.c.sha256 == sha256)).one()
            title = content.title or name
            staged = connection.execute(
                select(versions.c.id, versions.c.number).where(
                    versions.c.document_id == document_id, versions.c.sha256 == sha256, versions.c.status == "staged"
                )
            ).one_or_none()
            if staged is not None:
                return StagedVersion(staged.id, document_id, staged.number, title)
            number = (
                connection.scalar(select(func.max(versions.c.number)).where(versions.c.document_id == document_id)) or 0
            ) + 1
            version_id = f"ver_{secrets.token_hex(10)}"
            connection.execute(
                insert(versions).values(
                    id=version_id,
                    document_id=document_id,
                    number=number,
                    sha256=sha256,
                    status="staged",
                    chunking=chunking,
                    source=source,
                    created_at=now(),
                )
            )
            rows = chunk_rows(version_id, split, chunking=chunking, reading=content.reading)
            if rows:
                connection.execute(insert(chunks), rows)
            return StagedVersion(version_id, document_id, number, title)

    @staticmethod
    def _document_row(connection: Connection, name: str, names_of_groups: Collection[str]) -> str:
        key = group_key(names_of_groups)
        found = connection.scalar(select(documents.c.id).where(documents.c.name == name, documents.c.group_key == key))
        if found is not None:
            return str(found)
        document_id = f"doc_{secrets.token_hex(8)}"
        connection.execute(insert(documents).values(id=document_id, name=name, group_key=key, created_at=now()))
        for group in sorted(set(names_of_groups)):
            _insert_group_of_document(connection, document_id, group)
        return document_id

    def publish(self, version_id: str) -> list[str]:
        """Makes the version the visible one, in one transaction; the chunk ids that no index needs any longer."""
        with self._engine.begin() as connection:
            document_id = connection.scalar(select(versions.c.document_id).where(versions.c.id == version_id))
            if document_id is None:
                raise NotFound(f"version {version_id} is gone: its document was removed meanwhile")
            others = and_(versions.c.document_id == document_id, versions.c.id != version_id)
            connection.execute(update(versions).where(others).values(status="superseded"))
            connection.execute(update(versions).where(versions.c.id == version_id).values(status="live"))
            stale = select(chunks.c.id).join(versions, chunks.c.version_id == versions.c.id).where(others)
            return list(connection.scalars(stale))

    def split_otherwise(self, chunking: str) -> list[tuple[str, str]]:
        """The visible versions whose chunks were split in another way, with the hashes of their contents."""
        query = select(versions.c.id, versions.c.sha256).where(versions.c.status == "live", versions.c.chunking != chunking)
        with self._engine.connect() as connection:
            return [(row.id, row.sha256) for row in connection.execute(query.order_by(versions.c.created_at, versions.c.id))]

    def replace_chunks(self, version_id: str, split: Sequence[Chunk], *, chunking: str) -> None:
        """Gives a version other chunks, all at once; the indexes do not know of it yet."""
        reading = select(contents.c.reading).join(versions).where(versions.c.id == version_id)
        with self._engine.begin() as connection:
            number = connection.scalars(reading).one()
            write_chunks(connection, version_id, chunk_rows(version_id, split, chunking=chunking, reading=number), chunking)

    def discard_unpublished(self, name: str, names_of_groups: Collection[str], *, sha256: str) -> list[str]:
        """Takes back what the failed adding of this content left: staged versions, the parsing, the document where nothing
        else is left of it. The chunk ids that no index needs any longer."""
        same = and_(documents.c.name == name, documents.c.group_key == group_key(names_of_groups))
        staged = and_(
            versions.c.document_id == select(documents.c.id).where(same).scalar_subquery(), versions.c.status == "staged"
        )
        with self._engine.begin() as connection:
            stale = list(connection.scalars(select(chunks.c.id).join(versions).where(staged)))
            connection.execute(delete(versions).where(staged))
            connection.execute(delete(documents).where(same, documents.c.id.not_in(select(versions.c.document_id))))
            delete_unused_contents(connection, [sha256])
            return stale

    # Changing and removing

    def set_groups(self, document_id: str, names_of_groups: Collection[str], *, access: Access) -> None:
        """Gives a document other groups, and keeps in mind (`regrouped`) that the indexes do not know of it yet.

        Raises:
            NotFound: no such document for this caller. Conflict: the same name is there in these groups.
        """
        self.document(document_id, access=access)
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    update(documents).where(documents.c.id == document_id).values(group_key=group_key(names_of_groups))
                )
                connection.execute(delete(document_groups).where(document_groups.c.document_id == document_id))
                for name in sorted(set(names_of_groups)):
                    _insert_group_of_document(connection, document_id, name)
                _set_pointer(connection, f"{_REGROUPED}{document_id}", now())
        except IntegrityError as error:
            raise Conflict("a document of the same name carries these groups already: remove one of the two first") from error

    def regrouped(self) -> list[str]:
        """The documents whose groups were changed and whose rows in the indexes were not yet."""
        with self._engine.connect() as connection:
            names = connection.scalars(select(pointers.c.name).where(pointers.c.name.startswith(_REGROUPED, autoescape=True)))
            return [name.removeprefix(_REGROUPED) for name in names]

    def forget_regrouped(self, document_id: str) -> None:
        """Notes that the indexes know the document's groups."""
        with self._engine.begin() as connection:
            connection.execute(delete(pointers).where(pointers.c.name == f"{_REGROUPED}{document_id}"))

    def remove(self, document_id: str, *, access: Access) -> list[str]:
        """Deletes a document with all versions, chunks and vectors; its chunk ids, for the indexes.

        Raises:
            NotFound: no such document for this caller.
        """
        self.document(document_id, access=access)
        of_document = versions.c.document_id == document_id
        with self._engine.begin() as connection:
            ids = list(connection.scalars(select(chunks.c.id).join(versions).where(of_document)))
            own = list(connection.scalars(select(versions.c.sha256).where(of_document)))
            connection.execute(delete(documents).where(documents.c.id == document_id))
            delete_unused_contents(connection, own)
        return ids

    # Reading

    def documents(self, *, access: Access) -> list[DocumentRecord]:
        """The published documents that the caller may read, by name."""
        with self._engine.connect() as connection:
            return self._records(connection, access, true())

    def from_source(self, source: str, *, access: Access) -> list[DocumentRecord]:
        """The documents that the caller may read whose visible version was added from this folder, by name."""
        with self._engine.connect() as connection:
            return self._records(connection, access, versions.c.source == source)

    def document(self, document_id: str, *, access: Access) -> DocumentRecord:
        """One published document.

        Raises:
            NotFound: there is none with this id that the caller may read.
        """
        with self._engine.connect() as connection:
            records = self._records(connection, access, documents.c.id == document_id)
        if not records:
            raise NotFound(f"there is no document {document_id!r}; `graft documents list` shows those you may read")
        return records[0]

    @staticmethod
    def _records(connection: Connection, access: Access, which: ColumnElement[bool]) -> list[DocumentRecord]:
        query = (
            select(documents, versions.c.number, versions.c.created_at.label("added_at"), contents)
            .join(versions, versions.c.document_id == documents.c.id)
            .join(contents, contents.c.sha256 == versions.c.sha256)
            .where(versions.c.status == "live", which)
            .order_by(documents.c.name, documents.c.id)
        )
        records = (
            DocumentRecord(
                document=row.name,
                document_id=row.id,
                version=row.number,
                pages=row.page_count,
                bytes=row.bytes,
                groups=tuple(row.group_key.split("\n")),
                added_at=row.added_at,
                warnings=tuple(row.warnings),
                sha256=row.sha256,
            )
            for row in connection.execute(query)
        )
        return [record for record in records if access.permits(record.groups)]

    def page(self, document_id: str, number: int, *, access: Access, version: int | None = None) -> tuple[str, Page]:
        """The hash of the file that the page can be drawn from, and the page: of the live version, or of the one that an older
        citation names. Its text may be masked, which moves nothing.

        Raises:
            NotFound: no such document for this caller, or no such version or page of it.
        """
        record = self.document(document_id, access=access)
        named = record.version if version is None else version
        of_version = select(versions.c.sha256).where(
            versions.c.document_id == document_id, versions.c.number == named, versions.c.status != "staged"
        )
        with self._engine.connect() as connection:
            found = select(pages, contents.c.unlocked).join(contents)
            found = found.where(pages.c.sha256 == of_version.scalar_subquery(), pages.c.number == number)
            row = connection.execute(found).one_or_none()
        if row is None:
            of = "" if named == record.version else f" in version {named}"
            raise NotFound(f"{record.document} has no page {number}{of}: it has pages 1 to {record.pages}")
        page = page_from_row(row)
        return row.unlocked or row.sha256, replace(page, text=masked(page.text, self._mask)) if self._mask else page

    def within(self, filters: Filters, *, access: Access) -> Within:
        """What these filters come to for this caller. Raises: as `ingest.narrowing.resolve`."""
        with self._engine.connect() as connection:
            return resolve(connection, filters, access=access)

    def hits(self, scored: Sequence[ScoredChunk], *, access: Access, within: Within | None = None) -> list[Hit]:
        """The published chunks among these that the caller may read, in the order given: the check on the way out. With `within`,
        the chunks of its documents; one that stands in an index for a copy of it is told as that copy."""
        rows = self._live_chunks(chunks.c.id.in_([one.chunk_id for one in scored]))
        by_id = {row.chunk_id: row for row in rows}
        if within is not None:
            with self._engine.connect() as connection:
                by_id = rows_within(connection, rows, within)
        found = ((one, by_id.get(one.chunk_id)) for one in scored)
        return [
            hit_of(row, one, mask=self._mask)
            for one, row in found
            if row is not None and access.permits(row.group_key.split("\n"))
        ]

    def passages(self, *, access: Access) -> list[Hit]:
        """Every published chunk that the caller may read, by document name and place in it; all scores are 0."""
        rows = self._live_chunks(true())
        permitted = [row for row in rows if access.permits(row.group_key.split("\n"))]
        permitted.sort(key=lambda row: (row.name, row.document_id, row.ordinal))
        return [hit_of(row, ScoredChunk(row.chunk_id, 0.0), mask=self._mask) for row in permitted]

    def _live_chunks(self, which: ColumnElement[bool]) -> Sequence[Any]:
        query = CHUNK_ROWS.where(which, versions.c.status == "live")
        with self._engine.connect() as connection:
            return connection.execute(query).all()

    def passage_counts(self, document_id: str, *, access: Access) -> tuple[dict[str, int], int]:
        """How many passages of the document are in each language, and how many of all stand a second time before the same readers
        and are indexed once.

        Raises:
            NotFound: no such document for this caller.
        """
        self.document(document_id, access=access)
        of_document = and_(versions.c.document_id == document_id, versions.c.status == "live")
        by_language = select(chunks.c.language, func.count()).join(versions).where(of_document).group_by(chunks.c.language)
        own = select(chunks.c.id).join(versions).where(of_document)
        with self._engine.connect() as connection:
            languages = {row[0]: row[1] for row in connection.execute(by_language.order_by(func.count().desc()))}
            repeated = copies(connection, of_document).intersection(connection.scalars(own))
        return languages, len(repeated)

    def chunk_span(self, chunk_id: str, *, document_id: str, page: int) -> tuple[int, int] | None:
        """Where on this page of this document the chunk begins and ends; None for a chunk of any other place."""
        query = select(chunks.c.start, chunks.c.end).join(versions).where(versions.c.document_id == document_id)
        with self._engine.connect() as connection:
            row = connection.execute(query.where(chunks.c.id == chunk_id, chunks.c.page == page)).one_or_none()
        return None if row is None else (row.start, row.end)

    # What indexes are made from

    def index_rows(
        self, *, version_id: str | None = None, document_id: str | None = None, copy_keys: Collection[str] | None = None
    ) -> list[IndexRow]:
        """Rows of all chunks that an index should hold, or of those of one version or document, or with one of these keys."""
        which: ColumnElement[bool] = true()
        if version_id is not None:
            which = and_(which, versions.c.id == version_id)
        if document_id is not None:
            which = and_(which, versions.c.document_id == document_id)
        if copy_keys is not None:
            which = and_(which, chunks.c.copy_key.in_(copy_keys))
        query = CHUNK_ROWS.where(IS_INDEXED, which).order_by(versions.c.created_at, versions.c.id, chunks.c.ordinal)
        with self._engine.connect() as connection:
            left_out = copies(connection, which)
            return [index_row(row) for row in connection.execute(query) if row.chunk_id not in left_out]

    def left_out(self, *, copy_keys: Collection[str]) -> set[str]:
        """The chunks with one of these keys that an index should not hold, because it holds one that they are copies of."""
        with self._engine.connect() as connection:
            return copies(connection, chunks.c.copy_key.in_(copy_keys))

    def copied_keys(self, *, version_id: str | None = None, document_id: str | None = None) -> set[str]:
        """The copy keys of this document (or of this version's), that chunks of others have as well: what a change of it may make
        another chunk's turn to be indexed, or no longer."""
        own = select(versions.c.document_id).where(versions.c.id == version_id).scalar_subquery() if version_id else document_id
        with self._engine.connect() as connection:
            return keys_also_elsewhere(connection, versions.c.document_id == own)

    def indexed_chunk_ids(self) -> set[str]:
        """The ids of all chunks that an index should hold: published ones, and staged ones, whose jobs may be past indexing."""
        with self._engine.connect() as connection:
            return set(connection.scalars(select(chunks.c.id).join(versions).where(IS_INDEXED))) - copies(connection, true())

    def counts(self, *, access: Access) -> tuple[int, int]:
        """How many published documents the caller may read, and how many chunks they have."""
        query = (
            select(documents.c.group_key, func.count(documents.c.id.distinct()), func.count(chunks.c.id))
            .join(versions, versions.c.document_id == documents.c.id)
            .outerjoin(chunks, chunks.c.version_id == versions.c.id)
            .where(versions.c.status == "live")
            .group_by(documents.c.group_key)
        )
        with self._engine.connect() as connection:
            counted = [row for row in connection.execute(query) if access.permits(row[0].split("\n"))]
        return sum(row[1] for row in counted), sum(row[2] for row in counted)

    def pointer(self, name: str) -> str | None:
        """The value of a named pointer, such as the live index build."""
        with self._engine.connect() as connection:
            return connection.scalar(select(pointers.c.value).where(pointers.c.name == name))

    def set_pointer(self, name: str, value: str) -> None:
        """Swaps a named pointer in one transaction."""
        with self._engine.begin() as connection:
            _set_pointer(connection, name, value)


_REGROUPED = "regrouped:"


def _set_pointer(connection: Connection, name: str, value: str) -> None:
    connection.execute(delete(pointers).where(pointers.c.name == name))
    connection.execute(insert(pointers).values(name=name, value=value))


def _insert_group_of_document(connection: Connection, document_id: str, group: str) -> None:
    if group == EVERYONE and connection.scalar(select(groups.c.name).where(groups.c.name == EVERYONE)) is None:
        connection.execute(insert(groups).values(name=EVERYONE, created_at=now()))  # it is there without being made
    connection.execute(insert(document_groups).values(document_id=document_id, group_name=group))
