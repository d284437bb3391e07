"""Chunks to and from the catalog's rows, and which of them the indexes hold.

A *copy* is a chunk that no search could tell from another one: the same words under the same title and headings, for the same
readers. Copies are indexed once. What differs in a single figure, or has other readers, is no copy: one could be the correction
of the other, and a reader of the one must not come upon the words of the other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from ingest.personal_data import PersonalData, masked
from ingest.schema import chunks, contents, documents, versions
from ingest.similarity import shingles, signature, to_bytes
from ingest.text_cleaning import clean_text
from ingest.tokens import normalise
from ingest.types import TITLE_SEPARATOR, Chunk, Hit, IndexRow, ScoredChunk

# What office programs, scanners and converters write where nobody gave a title.
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ", re.IGNORECASE)
_NO_TITLE = re.compile(
    r"\W*|(?:untitled|no title|document|doc|presentation|powerpoint presentation|slide|scan(?:ned document)?|book|workbook"
    r"|(?:microsoft )?(?:word|excel|powerpoint)(?: document)?|无标题|未命名|文档|演示文稿|幻灯片|工作簿)\W*\d*",
    re.IGNORECASE,
)

IS_INDEXED = versions.c.status.in_(("live", "staged"))
CHUNK_ROWS = (
    select(
        chunks.c.id.label("chunk_id"),
        chunks.c.ordinal,
        chunks.c.page,
        chunks.c.start,
        chunks.c.text,
        chunks.c.headings,
        chunks.c.language,
        documents.c.id.label("document_id"),
        documents.c.name,
        documents.c.group_key,
        versions.c.number,
        versions.c.created_at,
        contents.c.title,
    )
    .join(versions, chunks.c.version_id == versions.c.id)
    .join(documents, versions.c.document_id == documents.c.id)
    .join(contents, contents.c.sha256 == versions.c.sha256)
)


def chunk_rows(version_id: str, split: Sequence[Chunk], *, chunking: str, reading: int) -> list[dict[str, Any]]:
    """The rows of a version's chunks; those of another way of splitting, or of another reading of the file, have other ids."""
    return [
        {
            "id": _chunk_id(version_id, chunking, reading, ordinal),
            "version_id": version_id,
            "ordinal": ordinal,
            "page": chunk.page,
            "start": chunk.start,
            "end": chunk.end,
            "text": chunk.text,
            "headings": list(chunk.headings),
            "language": chunk.language,
            "copy_key": copy_key(chunk.headings, chunk.text),
            "signature": to_bytes(signature(shingles(chunk.text))),
        }
        for ordinal, chunk in enumerate(split)
    ]


def _chunk_id(version_id: str, chunking: str, reading: int, ordinal: int) -> str:
    return "chk_" + hashlib.sha256(f"{version_id}:{chunking}:{reading}:{ordinal}".encode()).hexdigest()[:20]


def copy_key(headings: Sequence[str], text: str) -> str:
    """What is equal for chunks of the same words and signs under the same headings, however they are spaced."""
    same = "\n".join("".join(normalise(part).split()) for part in (*headings, text))
    return hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def hit_of(row: Any, found: ScoredChunk, *, mask: Collection[PersonalData]) -> Hit:
    """The hit of one of `CHUNK_ROWS`, found itself or for a copy of it. Personal data of these kinds is masked; all places in its
    text stay what they are."""
    return Hit(
        document=row.name,
        document_id=row.document_id,
        version=row.number,
        page=row.page,
        chunk=row.chunk_id,
        score=found.score,
        text=masked(row.text, mask),
        start=row.start,
        headings=tuple(masked(heading, mask) for heading in row.headings),
        title=masked(document_title(row.title, row.name), mask),
        language=row.language,
        parts=found.parts,
        added=row.created_at[:10],
    )


def document_title(title: str, name: str) -> str:
    """What the document is called in a search: its title where it has one, else its name. Programs write titles that are none."""
    return name if _NO_TITLE.fullmatch(title) else _PROGRAM.sub("", title)


def index_row(row: Any) -> IndexRow:
    """What an index is told of one of `CHUNK_ROWS`: its clean text, under the line of title and headings."""
    return IndexRow(
        chunk_id=row.chunk_id,
        title=clean_text(TITLE_SEPARATOR.join([document_title(row.title, row.name), *row.headings])),
        text=clean_text(row.text),
        groups=frozenset(row.group_key.split("\n")),
        document_id=row.document_id,
    )


def copies(connection: Connection, which: ColumnElement[bool]) -> set[str]:
    """The chunks that no index needs, because it holds one that they are copies of; among those with a key of these chunks."""
    return {copy.id for copy, _ in copy_pairs(connection, which)}


def copy_pairs(connection: Connection, which: ColumnElement[bool]) -> list[tuple[Any, Any]]:
    """The chunks that no index needs, each with the one that it is a copy of and that an index holds; rows with `id`,
    `document_id` and `status`; among those with a key of these chunks.

    Of published copies the oldest is held. A chunk that is not published yet is no reason to leave out another one, nor is one of
    the same document in the form before: either may be gone in a moment.
    """
    own = select(chunks.c.copy_key).join(versions).where(IS_INDEXED, which, chunks.c.copy_key != "").distinct().subquery()
    keys = (
        select(chunks.c.copy_key)
        .where(chunks.c.copy_key.in_(select(own.c.copy_key)))
        .group_by(chunks.c.copy_key)
        .having(func.count() > 1)
    )
    query = (
        select(
            chunks.c.id,
            chunks.c.copy_key,
            versions.c.id.label("version_id"),
            versions.c.status,
            documents.c.id.label("document_id"),
            documents.c.group_key,
            documents.c.name,
            contents.c.title,
        )
        .join(versions, chunks.c.version_id == versions.c.id)
        .join(documents, versions.c.document_id == documents.c.id)
        .join(contents, contents.c.sha256 == versions.c.sha256)
        .where(IS_INDEXED, chunks.c.copy_key.in_(keys))
        .order_by(versions.c.status, versions.c.created_at, versions.c.id, chunks.c.ordinal)  # live before staged
    )
    held: dict[tuple[str, str, str], Any] = {}
    held_of_version: dict[tuple[str, str, str, str], Any] = {}
    pairs: list[tuple[Any, Any]] = []
    for row in connection.execute(query):
        same = (row.copy_key, row.group_key, document_title(row.title, row.name))
        first = held.get(same)
        if row.status == "live":
            if first is None:
                held[same] = row
            else:
                pairs.append((row, first))
        elif first is not None and first.document_id != row.document_id:
            pairs.append((row, first))
        elif (*same, row.version_id) in held_of_version:
            pairs.append((row, held_of_version[*same, row.version_id]))
        held_of_version.setdefault((*same, row.version_id), row)
    return pairs


def keys_also_elsewhere(connection: Connection, of: ColumnElement[bool]) -> set[str]:
    """The keys of these chunks that chunks of other documents have as well."""
    own = select(chunks.c.copy_key).join(versions).where(of, chunks.c.copy_key != "")
    several = select(chunks.c.copy_key).join(versions).where(chunks.c.copy_key.in_(own)).group_by(chunks.c.copy_key)
    return set(connection.scalars(several.having(func.count(versions.c.document_id.distinct()) > 1)))
