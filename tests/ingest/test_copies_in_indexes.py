"""Whatever is added, replaced, removed and regrouped: an index holds what the catalog wants, and no reader loses a word."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from ingest.catalog import Catalog
from ingest.chunk_size import ChunkSize
from ingest.database import open_database
from ingest.errors import Conflict
from ingest.files import FileStore
from ingest.groups import Groups
from ingest.index.hybrid import HybridIndex
from ingest.isolation import FileWorker
from ingest.pipeline import NewDocument, Pipeline
from ingest.schema import contents, documents, metadata, pointers
from ingest.types import Access, Block, BlockKind, IndexRow, Line, Page, ParsedDocument

ADMINISTRATOR = Access.everything()
PARAGRAPHS = ("The pump holds twelve bar.", "The valve is closed at night.", "年假十五天。")


class Held:
    """What an index was told to hold."""

    def __init__(self) -> None:
        self.rows: dict[str, IndexRow] = {}

    def add(self, rows: Sequence[IndexRow]) -> None:
        self.rows |= {row.chunk_id: row for row in rows}

    def remove(self, chunk_ids: Collection[str]) -> None:
        for chunk_id in chunk_ids:
            self.rows.pop(chunk_id, None)

    def reconcile(self, wanted: Collection[str]) -> set[str]:
        self.remove(set(self.rows).difference(wanted))
        return set(wanted) - set(self.rows)


class NoFiles:
    """Originals that nobody reads: all contents are parsed."""

    def path(self, sha256: str) -> Path:
        return Path(sha256)


def content(catalog: Catalog, paragraphs: Sequence[int], title: str) -> str:
    """The hash of a content of these paragraphs, each under a heading of its own, parsed."""
    text, blocks, lines = "", [], []
    for place, number in enumerate(paragraphs):
        for kind, words in ((BlockKind.HEADING, f"Part {number}"), (BlockKind.TEXT, PARAGRAPHS[number])):
            text += "\n\n" if text else ""
            box = (60.0, 200.0 + 20 * place, 500.0, 210.0 + 20 * place)
            blocks.append(Block(kind, len(text), len(text) + len(words), box))
            lines.append(Line(len(text), len(text) + len(words), box))
            text += words
    sha256 = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()
    if not catalog.has_content(sha256):
        page = Page(1, 595.0, 842.0, text, tuple(blocks), tuple(lines))
        catalog.put_content(sha256, size_bytes=1, parsed=ParsedDocument((page,), title))
    return sha256


NAMES = st.sampled_from(["a.pdf", "b.pdf", "c.pdf"])
GROUP_SETS = st.sampled_from([("everyone",), ("board",), ("board", "works")])
CONTENTS = st.tuples(st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=4), st.sampled_from(["Rules", "Rules", ""]))
CHANGES = st.lists(
    st.tuples(st.just("add"), NAMES, GROUP_SETS, CONTENTS)
    | st.tuples(st.just("remove"), st.integers(0, 5))
    | st.tuples(st.just("regroup"), st.integers(0, 5), GROUP_SETS),
    min_size=2,
    max_size=9,
)


def change(pipeline: Pipeline, step: tuple[Any, ...]) -> None:
    if step[0] == "add":
        _, name, groups, (paragraphs, title) = step
        new = NewDocument(name, content(pipeline.catalog, paragraphs, title), groups)
        if pipeline.unchanged(new) is None:
            staged = pipeline.stage(new)
            pipeline.add_to_index(staged.version_id)
            pipeline.publish(staged.version_id)
        return
    there = pipeline.catalog.documents(access=ADMINISTRATOR)
    if not there:
        return
    document_id = there[step[1] % len(there)].document_id
    if step[0] == "remove":
        pipeline.remove(document_id, access=ADMINISTRATOR)
    else:
        with contextlib.suppress(Conflict):
            pipeline.set_groups(document_id, step[2], access=ADMINISTRATOR)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for all histories: making one takes longer than most of them."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('copies')}/catalog.sqlite")
    metadata.create_all(engine)
    for group in ("board", "works"):
        Groups(engine).create(group)
    yield engine
    engine.dispose()


@settings(max_examples=25, deadline=None)
@given(CHANGES)
def test_an_index_follows_and_nobody_loses_or_wins_a_word(database: Engine, changes: list[tuple[Any, ...]]) -> None:
    with database.begin() as connection:
        for table in (documents, contents, pointers):
            connection.execute(delete(table))
    catalog, held = Catalog(database), Held()
    index, nobody = cast(HybridIndex, held), cast(FileWorker, None)
    pipeline = Pipeline(catalog, cast(FileStore, NoFiles()), index, nobody, ChunkSize())
    for step in changes:
        change(pipeline, step)
        assert set(held.rows) == catalog.indexed_chunk_ids()
        readers = {one.document_id: frozenset(one.groups) for one in catalog.documents(access=ADMINISTRATOR)}
        wanted = {(hit.text, readers[hit.document_id]) for hit in catalog.passages(access=ADMINISTRATOR)}
        assert {(row.text, row.groups) for row in held.rows.values()} == wanted
        assert len({(row.title, row.text, row.groups) for row in held.rows.values()}) == len(held.rows)
    assert pipeline.reconcile() == 0
