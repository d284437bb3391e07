"""The catalog alone: what is visible to whom, and that nothing is visible in part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from ingest.catalog import Catalog, StagedVersion, group_key
from ingest.database import open_database
from ingest.errors import Conflict, InputRefused, NotFound
from ingest.groups import Groups
from ingest.schema import metadata
from ingest.types import Access, Chunk, Page, ParsedDocument, ScoredChunk
from ingest.vectors import CatalogVectors

ADMINISTRATOR = Access.everything()
PAGE = Page(1, 595.0, 842.0, "One. Two.")
# SQLite takes 32,766 variables in one statement.
MORE_THAN_SQL_TAKES = 33_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def catalog(database: Engine) -> Catalog:
    for name in ("board", "works"):
        Groups(database).create(name)
    return Catalog(database)


def staged(catalog: Catalog, name: str, *groups: str, content: str = "a", pieces: int = 2) -> StagedVersion:
    sha256 = content * 64
    if not catalog.has_content(sha256):
        catalog.put_content(sha256, size_bytes=9, parsed=ParsedDocument((PAGE,), "Title", ("a warning",)))
    split = [Chunk("", 1, 0, 4, "One.", (f"Heading {name} {content} {number}",)) for number in range(pieces)]
    return catalog.stage(name, names_of_groups=groups or ("everyone",), sha256=sha256, split=split)


def published(catalog: Catalog, name: str, *groups: str, content: str = "a", pieces: int = 2) -> StagedVersion:
    version = staged(catalog, name, *groups, content=content, pieces=pieces)
    catalog.publish(version.version_id)
    return version


def chunks_of(catalog: Catalog, version: StagedVersion) -> list[str]:
    return [row.chunk_id for row in catalog.index_rows(version_id=version.version_id)]


def test_a_staged_version_is_indexed_and_seen_by_nobody(catalog: Catalog) -> None:
    version = staged(catalog, "a.pdf")
    scored = [ScoredChunk(chunk, 1.0) for chunk in chunks_of(catalog, version)]
    assert len(scored) == 2
    assert catalog.indexed_chunk_ids() == {one.chunk_id for one in scored}
    assert catalog.hits(scored, access=ADMINISTRATOR) == []
    assert catalog.documents(access=ADMINISTRATOR) == []
    assert catalog.counts(access=ADMINISTRATOR) == (0, 0)
    with pytest.raises(NotFound):
        catalog.document(version.document_id, access=ADMINISTRATOR)
    catalog.publish(version.version_id)
    assert [hit.chunk for hit in catalog.hits(scored, access=ADMINISTRATOR)] == [one.chunk_id for one in scored]
    assert catalog.counts(access=ADMINISTRATOR) == (1, 2)


def test_staging_and_publishing_again_change_nothing(catalog: Catalog) -> None:
    first, again = staged(catalog, "a.pdf"), staged(catalog, "a.pdf")
    assert first == again
    assert catalog.publish(first.version_id) == catalog.publish(first.version_id) == []
    second = staged(catalog, "a.pdf", content="b")
    old = chunks_of(catalog, first)
    assert sorted(catalog.publish(second.version_id)) == sorted(catalog.publish(second.version_id)) == sorted(old)
    assert catalog.hits([ScoredChunk(chunk, 1.0) for chunk in old], access=ADMINISTRATOR) == []
    assert catalog.indexed_chunk_ids() == set(chunks_of(catalog, second))


def test_publishing_what_was_removed_meanwhile_is_told(catalog: Catalog) -> None:
    published(catalog, "a.pdf")
    second = staged(catalog, "a.pdf", content="b")
    catalog.remove(second.document_id, access=ADMINISTRATOR)
    with pytest.raises(NotFound, match="removed meanwhile"):
        catalog.publish(second.version_id)


def test_hits_are_checked_once_more_on_the_way_out(catalog: Catalog) -> None:
    version = published(catalog, "a.pdf", "board", "works")
    scored = [ScoredChunk("chk_unknown", 9.0), *(ScoredChunk(chunk, 1.0) for chunk in chunks_of(catalog, version))]
    for access, sees in ((Access.of(), 0), (Access.of("board"), 2), (Access.of("works"), 2), (ADMINISTRATOR, 2)):
        assert len(catalog.hits(scored, access=access)) == sees


def test_a_failed_adding_is_taken_back_and_what_was_there_stays(catalog: Catalog) -> None:
    kept = published(catalog, "a.pdf")
    failed = staged(catalog, "a.pdf", content="b")
    gone = chunks_of(catalog, failed)
    assert sorted(catalog.discard_unpublished("a.pdf", ["everyone"], sha256="b" * 64)) == sorted(gone)
    assert catalog.has_content("a" * 64)
    assert not catalog.has_content("b" * 64)
    assert catalog.indexed_chunk_ids() == set(chunks_of(catalog, kept))
    staged(catalog, "new.pdf", content="c")
    catalog.discard_unpublished("new.pdf", ["everyone"], sha256="c" * 64)
    assert catalog.discard_unpublished("new.pdf", ["everyone"], sha256="c" * 64) == []
    assert catalog.referenced_contents() == {"a" * 64}


def test_removing_takes_what_nothing_else_needs(catalog: Catalog) -> None:
    one, other = published(catalog, "a.pdf"), published(catalog, "b.pdf")
    published(catalog, "a.pdf", content="b")
    assert len(catalog.remove(one.document_id, access=ADMINISTRATOR)) == 4
    assert (catalog.has_content("a" * 64), catalog.has_content("b" * 64)) == (True, False)
    catalog.remove(other.document_id, access=ADMINISTRATOR)
    assert not catalog.has_content("a" * 64)
    with pytest.raises(NotFound):
        catalog.remove(other.document_id, access=ADMINISTRATOR)


def test_a_document_of_many_chunks_can_be_regrouped_replaced_and_removed(catalog: Catalog, database: Engine) -> None:
    version = published(catalog, "a.pdf", pieces=MORE_THAN_SQL_TAKES)
    catalog.set_groups(version.document_id, ["board"], access=ADMINISTRATOR)
    assert catalog.regrouped() == [version.document_id]
    rows = catalog.index_rows(document_id=version.document_id)
    assert (len(rows), {row.groups for row in rows}) == (MORE_THAN_SQL_TAKES, {frozenset({"board"})})
    vectors = CatalogVectors(database, catalog)
    for first in range(0, 2_000, 1_000):
        vectors.put("fit", rows[first : first + 1_000], np.ones((1_000, 4), dtype=np.float32))
    assert len(list(vectors.vectors("fit"))) == 2_000
    stale = catalog.publish(staged(catalog, "a.pdf", "board", content="b").version_id)
    assert len(stale) == MORE_THAN_SQL_TAKES
    vectors.drop(stale)
    assert list(vectors.vectors("fit")) == []
    assert len(catalog.remove(version.document_id, access=ADMINISTRATOR)) == MORE_THAN_SQL_TAKES + 2


def test_a_refused_change_of_groups_changes_nothing(catalog: Catalog) -> None:
    published(catalog, "a.pdf")
    restricted = published(catalog, "a.pdf", "board")
    with pytest.raises(Conflict):
        catalog.set_groups(restricted.document_id, ["everyone"], access=ADMINISTRATOR)
    assert catalog.document(restricted.document_id, access=ADMINISTRATOR).groups == ("board",)
    assert catalog.regrouped() == []


def test_a_document_may_come_to_be_for_everyone_before_any_other_was(catalog: Catalog) -> None:
    version = published(catalog, "a.pdf", "board")
    catalog.set_groups(version.document_id, ["everyone", "works"], access=ADMINISTRATOR)
    assert catalog.document(version.document_id, access=Access.of()).groups == ("everyone", "works")


def test_a_page_is_that_of_the_version_that_is_seen(catalog: Catalog) -> None:
    version = published(catalog, "a.pdf")
    assert catalog.page(version.document_id, 1, access=ADMINISTRATOR)[1] == PAGE
    with pytest.raises(NotFound, match="pages 1 to 1"):
        catalog.page(version.document_id, 2, access=ADMINISTRATOR)
    staged(catalog, "a.pdf", content="b")
    with pytest.raises(NotFound, match="in version 2"):
        catalog.page(version.document_id, 1, access=ADMINISTRATOR, version=2)


def test_a_chunk_has_a_place_in_its_own_document_and_on_its_own_page_only(catalog: Catalog) -> None:
    one, other = published(catalog, "a.pdf"), published(catalog, "b.pdf")
    (chunk, _) = chunks_of(catalog, one)
    assert catalog.chunk_span(chunk, document_id=one.document_id, page=1) == (0, 4)
    assert catalog.chunk_span(chunk, document_id=other.document_id, page=1) is None
    assert catalog.chunk_span(chunk, document_id=one.document_id, page=2) is None


def test_groups_are_a_set_whatever_their_order(catalog: Catalog) -> None:
    assert group_key(["works", "board", "works"]) == group_key(["board", "works"])
    one, same = published(catalog, "a.pdf", "works", "board"), published(catalog, "a.pdf", "board", "works", content="b")
    assert one.document_id == same.document_id


def test_group_names_that_cannot_be_told_apart_are_refused(database: Engine) -> None:
    groups = Groups(database)
    for name in ("", "  ", "a\nb", "a,b", "a\x00b", "\u202eb", "\ud800", "x" * 101):
        with pytest.raises(InputRefused, match="cannot be used"):
            groups.create(name)
    groups.create("board")
    with pytest.raises(Conflict, match="there already"):
        groups.create("board")
    assert groups.require([], access=Access.of()) == ("everyone",)
    for access, known in ((Access.of(), "everyone"), (ADMINISTRATOR, "board, everyone")):
        with pytest.raises(InputRefused, match=f"there is no group 'bord'; known: {known}"):
            groups.require(["bord"], access=access)
