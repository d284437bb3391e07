"""The tables of documents, versions, pages, chunks and vectors, on the one metadata that all packages share.

Invariants. Pages belong to a content (the bytes), so that documents with the same bytes share one parsing; chunks belong to
a version, so that rights and lineage are never shared. Deleting a row deletes what was made from it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

groups = Table(
    "groups",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("created_at", String(32), nullable=False),
)

contents = Table(
    "contents",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("bytes", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("page_count", Integer, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("parsed_at", String(32), nullable=False),
    # How often it was read: the chunks of another reading have other ids.
    Column("reading", Integer, nullable=False, server_default="1"),
    # The file's copy that opens without a password, where the file itself needs one.
    Column("unlocked", String(64)),
)

pages = Table(
    "pages",
    metadata,
    Column("sha256", ForeignKey("contents.sha256", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("ocr", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("layout", JSON, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    # The sorted group names as one string: the same name in other groups is another document.
    Column("group_key", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("name", "group_key"),
)

document_groups = Table(
    "document_groups",
    metadata,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("group_name", ForeignKey("groups.name", ondelete="RESTRICT"), primary_key=True, index=True),
)

versions = Table(
    "versions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("sha256", ForeignKey("contents.sha256"), nullable=False, index=True),
    Column("status", String(12), nullable=False),  # staged → live → superseded
    # How its chunks were split: by other settings they are made anew from the pages.
    Column("chunking", String(16), nullable=False, server_default=""),
    # The folder that it was added from and is kept in step with; empty where it was added by itself.
    Column("source", Text, nullable=False, server_default=""),
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("document_id", "number"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("page", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("headings", JSON, nullable=False),
    Column("language", String(3), nullable=False, server_default=""),
    # Equal for chunks of the same words; `ingest.chunk_rows` says which of them are copies.
    Column("copy_key", String(32), nullable=False, server_default="", index=True),
    Column("signature", LargeBinary),  # MinHash of the text, see ingest.similarity; null of what an older version wrote
)

vectors = Table(
    "vectors",
    metadata,
    # Which fit of which embedder made the vector: vectors of two fits never meet in one index build.
    Column("fingerprint", String(100), primary_key=True),
    Column("chunk_id", ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float32, little endian
)

pointers = Table(
    "pointers",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)


def now() -> str:
    """The time, in UTC, as all tables write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
