"""The tables of samples, data-set versions and adapters, on the one metadata that all packages share.

Invariants. Text of a sample lives in `samples` alone, so that purging it there purges it everywhere. What holds a purged sample
still names it. Rows of a data-set version are written with it, in one transaction, and never changed.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from ingest.schema import metadata

samples = Table(
    "samples",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("source", String(40), nullable=False),
    Column("language", String(8), nullable=False),
    Column("question", Text, nullable=False),  # "" once purged, as answer, messages and evidence
    Column("answer", Text, nullable=False),
    Column("messages", JSON, nullable=False),  # [[role, content], …]
    Column("fact", String(64), nullable=False, index=True),
    # No foreign keys: what was purged keeps where it came from.
    Column("document_id", String(40), nullable=False, index=True),
    Column("document", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("chunk", String(64), nullable=False),
    Column("page", Integer, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("prompt_hash", String(64), nullable=False),
    Column("model", Text, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("status", String(10), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("review", String(10), nullable=False, index=True),
    Column("reviewer", Text, nullable=False),
    Column("edited_from", String(32)),  # the sample that a person worded anew
    Column("created_at", String(32), nullable=False),
    Column("reviewed_at", String(32)),
)

dataset_versions = Table(
    "dataset_versions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("group_sets", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("card", JSON, nullable=False),
    Column("incomplete", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
)

dataset_samples = Table(
    "dataset_samples",
    metadata,
    Column("dataset_id", ForeignKey("dataset_versions.id", ondelete="CASCADE"), primary_key=True),
    Column("sample_id", ForeignKey("samples.id"), primary_key=True, index=True),
    Column("split", String(12), nullable=False),
    Column("ordinal", Integer, nullable=False),
)

adapters = Table(
    "adapters",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("base_model", Text, nullable=False),
    Column("dataset", String(32), nullable=False, index=True),
    Column("method", String(16), nullable=False),
    Column("config", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("parity", JSON, nullable=False),
    Column("licence", Text, nullable=False),
    Column("group_sets", JSON, nullable=False),
    Column("state", String(10), nullable=False, index=True),
    Column("flags", JSON, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("changed_at", String(32), nullable=False),
)
