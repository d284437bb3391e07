"""A catalog filled with made chunks as adding documents would fill it, without reading a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.utils.iter import batch_iterate
from sqlalchemy import Engine, Table, insert

from ingest.catalog import group_key
from ingest.chunk_rows import copy_key
from ingest.database import open_database
from ingest.schema import chunks, contents, documents, metadata, now, versions
from ingest.types import IndexRow

CHUNKS_OF_A_DOCUMENT = 100
DOCUMENTS_AT_ONCE = 10
"""Rows are handed to an index 1,000 at a time, as documents come one after another."""


def new_catalog(folder: Path) -> Engine:
    """An empty catalog in the folder."""
    engine = open_database(f"sqlite:///{folder}/catalog.sqlite")
    metadata.create_all(engine)
    return engine


def filled(engine: Engine, rows: Iterable[IndexRow], *, name: str = "news") -> Iterator[list[IndexRow]]:
    """The rows as an index is told of them, batch by batch; each batch was written to the catalog just before."""
    number = 0
    for some in batch_iterate(CHUNKS_OF_A_DOCUMENT * DOCUMENTS_AT_ONCE, rows):
        indexed: list[IndexRow] = []
        with engine.begin() as connection:
            for of_one in batch_iterate(CHUNKS_OF_A_DOCUMENT, some):
                number += 1
                document = f"{name}-{number:05}"
                for table, values in _rows_of(document, of_one):
                    connection.execute(insert(table), values)
                indexed += [replace(row, title=document) for row in of_one]
        yield indexed


def _rows_of(name: str, rows: Sequence[IndexRow]) -> list[tuple[Table, list[dict[str, Any]]]]:
    """The rows of each table for one published document of these chunks."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    content = {"sha256": sha256, "bytes": 1, "title": "", "page_count": 1, "warnings": [], "parsed_at": now()}
    document = {"id": name, "name": name, "group_key": group_key(rows[0].groups), "created_at": now()}
    version = {"id": name, "document_id": name, "number": 1, "sha256": sha256, "status": "live", "created_at": now()}
    held = [
        {
            "id": row.chunk_id,
            "version_id": name,
            "ordinal": place,
            "page": 1,
            "start": 0,
            "end": len(row.text),
            "text": row.text,
            "headings": [],
            "copy_key": copy_key((), row.text),
        }
        for place, row in enumerate(rows)
    ]
    return [(contents, [content]), (documents, [document]), (versions, [version]), (chunks, held)]
