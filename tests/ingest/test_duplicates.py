"""Copies are indexed once for the same readers, near duplicates are told of, and no right is lost or won by either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ingest.catalog import Catalog
from ingest.chunk_rows import document_title
from ingest.database import open_database
from ingest.duplicates import Duplicates, each_once
from ingest.errors import NotFound
from ingest.groups import Groups
from ingest.report import DocumentReports
from ingest.schema import metadata
from ingest.types import Access, Chunk, Hit, Page, ParsedDocument

ADMINISTRATOR = Access.everything()
LEAVE = (
    "Full-time staff are entitled to 27 working days of paid holiday in each calendar year. Holiday is requested at least two "
    "weeks before it begins, from the head of the department, who answers within three working days. Days that are not taken by "
    "the end of March of the following year are lost, unless the company itself asked the employee to move them."
)
PUMP = (
    "The seal of the pump is inspected every 500 hours of operation. The housing is opened, the ring is cleaned with alcohol, "
    "and its edge is looked at under a lamp; a ring with a visible notch is replaced at once and noted in the maintenance book."
)
ZH = "全职员工每年享有二十七个工作日的带薪年休假。休假须至少提前两周向部门负责人提出申请，负责人应在三个工作日内答复。"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    metadata.create_all(engine)
    for name in ("board", "works"):
        Groups(engine).create(name)
    yield engine
    engine.dispose()


@pytest.fixture
def catalog(database: Engine) -> Catalog:
    return Catalog(database)


def staged(catalog: Catalog, name: str, texts: list[str], *groups: str, title: str = "Rules") -> str:
    """A document of these passages, staged; its version's id."""
    text = "\n\n".join(texts)
    sha256 = f"{hash((title, text)) & (1 << 128) - 1:064x}"
    if not catalog.has_content(sha256):
        catalog.put_content(sha256, size_bytes=9, parsed=ParsedDocument((Page(1, 595.0, 842.0, text),), title))
    split = [Chunk("", 1, text.index(one), text.index(one) + len(one), one, (), "en") for one in texts]
    return catalog.stage(name, names_of_groups=groups or ("everyone",), sha256=sha256, split=split).version_id


def published(catalog: Catalog, name: str, texts: list[str], *groups: str, title: str = "Rules") -> str:
    """The same, published; the document's id."""
    version_id = staged(catalog, name, texts, *groups, title=title)
    catalog.publish(version_id)
    (found,) = [
        one for one in catalog.documents(access=ADMINISTRATOR) if (one.document, one.groups) == (name, groups or ("everyone",))
    ]
    return found.document_id


def indexed(catalog: Catalog) -> list[tuple[str, frozenset[str]]]:
    rows = catalog.index_rows()
    assert {row.chunk_id for row in rows} == catalog.indexed_chunk_ids()
    return sorted(((row.text[:9], row.groups) for row in rows), key=str)


EVERYONE, BOARD = frozenset({"everyone"}), frozenset({"board"})


def test_a_copy_for_the_same_readers_is_indexed_once(catalog: Catalog) -> None:
    published(catalog, "a.pdf", [LEAVE, PUMP])
    published(catalog, "b.pdf", [LEAVE.replace(" the ", "\nthe "), PUMP])
    assert indexed(catalog) == [("Full-time", EVERYONE), ("The seal ", EVERYONE)]


def test_a_copy_for_other_readers_is_indexed_too(catalog: Catalog) -> None:
    published(catalog, "a.pdf", [LEAVE])
    published(catalog, "a.pdf", [LEAVE], "board")
    published(catalog, "a.pdf", [LEAVE], "board", "everyone")
    assert len(indexed(catalog)) == 3


def test_what_differs_in_a_figure_a_sign_the_title_or_a_word_is_no_copy(catalog: Catalog) -> None:
    published(catalog, "a.pdf", [LEAVE, "Growth was 5 % in that year."])
    published(catalog, "b.pdf", [LEAVE.replace("27", "28"), "Growth was -5 % in that year."])
    published(catalog, "c.pdf", [LEAVE.replace("are not taken", "are taken")])
    published(catalog, "d.pdf", [LEAVE], title="Rules of the works")
    assert len(indexed(catalog)) == 6


def test_when_the_one_that_is_indexed_goes_it_is_the_turn_of_its_copy(catalog: Catalog) -> None:
    first = published(catalog, "a.pdf", [LEAVE, PUMP])
    published(catalog, "b.pdf", [LEAVE])
    keys = catalog.copied_keys(document_id=first)
    assert len(keys) == 1
    gone = set(catalog.remove(first, access=ADMINISTRATOR))
    (heir,) = catalog.index_rows(copy_keys=keys)
    assert heir.chunk_id not in gone
    assert indexed(catalog) == [("Full-time", EVERYONE)]


def test_a_copy_that_gets_other_readers_is_indexed_for_them(catalog: Catalog) -> None:
    published(catalog, "a.pdf", [LEAVE])
    second = published(catalog, "b.pdf", [LEAVE])
    catalog.set_groups(second, ["board"], access=ADMINISTRATOR)
    assert indexed(catalog) == [("Full-time", BOARD), ("Full-time", EVERYONE)]
    catalog.set_groups(second, ["everyone"], access=ADMINISTRATOR)
    assert indexed(catalog) == [("Full-time", EVERYONE)]
    assert len(catalog.left_out(copy_keys=catalog.copied_keys(document_id=second))) == 1


def test_a_passage_that_a_document_repeats_is_indexed_once(catalog: Catalog) -> None:
    published(catalog, "a.pdf", [LEAVE, PUMP, LEAVE])
    assert len(indexed(catalog)) == 2


def test_a_new_version_is_indexed_beside_the_one_before_until_it_is_published(catalog: Catalog) -> None:
    published(catalog, "a.pdf", [LEAVE, PUMP])
    version_id = staged(catalog, "a.pdf", [LEAVE, ZH])
    assert len(indexed(catalog)) == 4
    assert len(catalog.index_rows(version_id=version_id)) == 2
    catalog.publish(version_id)
    assert len(indexed(catalog)) == 2


def test_what_is_not_published_is_no_reason_to_leave_anything_out(catalog: Catalog) -> None:
    waiting = [staged(catalog, name, [LEAVE]) for name in ("a.pdf", "b.pdf")]
    assert len(indexed(catalog)) == 2
    for version_id in waiting:
        catalog.publish(version_id)
    assert len(indexed(catalog)) == 1


def test_near_duplicates_are_told_of_with_what_they_share(catalog: Catalog, database: Engine) -> None:
    first = published(catalog, "a.pdf", [LEAVE, PUMP, ZH])
    published(catalog, "draft.pdf", [LEAVE.replace("27", "26"), PUMP, ZH], title="Draft")
    published(catalog, "zh.pdf", [ZH, "今天下雨，会议改期。"], title="其他")
    published(catalog, "other.pdf", ["Nothing of this kind stands here, only some words on the weather of the month."])
    told = Duplicates(database).of(first, access=ADMINISTRATOR)
    assert [(one.document, one.passages) for one in told] == [("draft.pdf", 3), ("zh.pdf", 1)]
    assert told[0].likeness > 0.8 > told[1].likeness


def test_nobody_is_told_of_a_duplicate_that_they_may_not_read(catalog: Catalog, database: Engine) -> None:
    public = published(catalog, "a.pdf", [LEAVE])
    published(catalog, "secret.pdf", [LEAVE], "board")
    duplicates = Duplicates(database)
    assert duplicates.of(public, access=Access.of()) == []
    assert [one.document for one in duplicates.of(public, access=Access.of("board"))] == ["secret.pdf"]


def test_a_report_counts_languages_copies_and_personal_data_and_shows_no_number(catalog: Catalog, database: Engine) -> None:
    card = "Paid with card 4111 1111 1111 1111 by someone@example.com, card 4111 1111 1111 1111."
    document_id = published(catalog, "a.pdf", [LEAVE, card, LEAVE])
    report = DocumentReports(database, catalog).of(document_id, access=ADMINISTRATOR)
    assert (report.passages, report.languages, report.repeated_passages) == (3, {"en": 3}, 1)
    assert report.personal_data == {"bank_card": 2, "email": 1}
    assert {(one.kind, one.page) for one in report.samples} == {("bank_card", 1), ("email", 1)}
    assert not any("4111" in one.sample or "someone" in one.sample for one in report.samples)
    with pytest.raises(NotFound):
        DocumentReports(database, catalog).of("doc_none", access=ADMINISTRATOR)


def test_a_report_of_a_document_that_may_not_be_read_is_not_there(catalog: Catalog, database: Engine) -> None:
    document_id = published(catalog, "a.pdf", [LEAVE], "board")
    with pytest.raises(NotFound):
        DocumentReports(database, catalog).of(document_id, access=Access.of("works"))


@pytest.mark.parametrize(
    ("title", "called"),
    [
        ("Employee Handbook", "Employee Handbook"),
        ("Microsoft Word - Travel policy", "Travel policy"),
        ("", "a.pdf"),
        ("untitled", "a.pdf"),
        ("PowerPoint Presentation", "a.pdf"),
        ("Document1", "a.pdf"),
        ("无标题", "a.pdf"),
        ("Document control", "Document control"),
    ],
)
def test_a_title_that_a_program_wrote_is_none(title: str, called: str) -> None:
    assert document_title(title, "a.pdf") == called


# Hits


def hit(number: int, text: str) -> Hit:
    return Hit(f"{number}.pdf", f"doc_{number}", 1, number, f"chk_{number}", 1.0 / number, text, 0)


def test_a_passage_is_shown_once_and_names_where_else_it_stands() -> None:
    twin = LEAVE.replace("the company itself", "the firm itself")
    hits = [hit(1, LEAVE), hit(2, PUMP), hit(3, LEAVE.upper()), hit(4, twin)]
    folded = each_once(hits)
    assert [one.chunk for one in folded] == ["chk_1", "chk_2"]
    assert [(place.document, place.page) for place in folded[0].also_in] == [("3.pdf", 3), ("4.pdf", 4)]


@pytest.mark.parametrize(
    "other",
    [
        LEAVE.replace("27", "28"),
        LEAVE.replace("are not taken", "are taken"),
        LEAVE.replace("at least two weeks before", "at least two weeks after"),
        LEAVE[:200],
        PUMP,
    ],
)
def test_passages_that_a_reader_should_compare_are_both_shown(other: str) -> None:
    assert [one.chunk for one in each_once([hit(1, LEAVE), hit(2, other)])] == ["chk_1", "chk_2"]


def test_chinese_passages_are_compared_by_their_characters() -> None:
    long = ZH * 3
    assert len(each_once([hit(1, long), hit(2, long.replace("答复。", "答覆。", 1))])) == 1
    assert len(each_once([hit(1, long), hit(2, long.replace("须至少", "至少", 1))])) == 2
    assert len(each_once([hit(1, "增长 5%"), hit(2, "增长 -5%")])) == 2


def test_folding_again_changes_nothing() -> None:
    once = each_once([hit(1, LEAVE), hit(2, LEAVE), hit(3, ZH)])
    assert each_once(once) == once
    assert each_once([replace(one, also_in=()) for one in once]) == [replace(one, also_in=()) for one in once]
