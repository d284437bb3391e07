"""The store of samples: once each, for those who may read them, and without a word left when their document goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import DBAPIError

from finetune import schema
from finetune.datasets import Datasets
from finetune.samples import SampleStore
from finetune.types import Message, Origin, Review, Sample, SampleKind, SampleStatus, Split
from ingest.catalog import Catalog, StagedVersion
from ingest.database import open_database
from ingest.errors import Conflict, NotFound
from ingest.groups import Groups
from ingest.schema import metadata
from ingest.types import Access, Chunk, Hit, Page, ParsedDocument
from services.prompts import ServingPrompts

ADMINISTRATOR = Access.everything()
READER = Access.of()
BOARD = Access.of("board")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(database: Engine) -> SampleStore:
    return SampleStore(database)


def made_fact(question: str) -> str:
    """A name of the fact that says nothing of it."""
    return f"fact {len(question)}"


def sample(
    question: str = "When was Quillmere founded?",
    *,
    document: str = "doc_a",
    groups: tuple[str, ...] = ("everyone",),
    version: int = 1,
    chunk: str = "",
    kind: SampleKind = SampleKind.CLOSED_BOOK,
    shown: str = "",
    **other: object,
) -> Sample:
    origin = Origin(document, f"{document}.pdf", version, chunk or f"chk_{document}", 3, groups, "It was founded in 1994.")
    messages = (Message("user", f"{shown}{question}"), Message("assistant", "In 1994."))
    made = Sample(
        kind,
        "rule:when",
        "en",
        question,
        "In 1994.",
        messages,
        origin,
        fact=made_fact(question),
        prompt_hash="p",
        model="m",
        seed=7,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def built(database: Engine, *samples: Sample, name: str = "all") -> str:
    """The id of a data set of these samples."""
    return Datasets(database).build(name, samples, seed=0, protected=[], content_of={}).id


def rejected(question: str, reason: str) -> Sample:
    return sample(question, status=SampleStatus.REJECTED, reason=reason)


# Keeping


def test_a_sample_comes_back_as_it_was(store: SampleStore) -> None:
    one = sample("什么时候？", language="zh", groups=("board", "works"))
    without_origin = replace(one, origin=None, question="When?", messages=(Message("user", "When?"), Message("assistant", "x")))
    assert store.add([one, without_origin]) == 2
    assert store.get(one.id, access=ADMINISTRATOR).sample == one
    assert store.get(without_origin.id, access=ADMINISTRATOR).sample == without_origin


def test_a_sample_is_there_once_and_stays_as_it_was_decided(store: SampleStore) -> None:
    one = sample()
    assert store.add([one, one]) == 1
    assert store.add([replace(one, status=SampleStatus.REJECTED, reason="judge: later")]) == 0
    assert store.get(one.id, access=ADMINISTRATOR).sample.status is SampleStatus.ACCEPTED


def test_nothing_of_a_batch_is_kept_where_one_sample_cannot_be(store: SampleStore) -> None:
    broken = sample("Other?", prompt_hash=object())
    with pytest.raises(DBAPIError):
        store.add([sample(), broken])
    assert store.list(access=ADMINISTRATOR) == []


# Rights


def test_a_sample_of_a_document_that_may_not_be_read_is_not_there(store: SampleStore) -> None:
    secret, plain = sample("Secret?", document="doc_b", groups=("board",)), sample()
    nobodys = replace(sample("Whose?"), origin=None)
    store.add([secret, plain, nobodys])
    assert [record.sample for record in store.list(access=READER)] == [plain]
    assert store.accepted(access=READER, live={("doc_a", 1), ("doc_b", 1)}) == [plain]
    assert store.counts(access=READER)["status"] == {"accepted": 1}
    assert store.counts(access=BOARD)["status"] == {"accepted": 2}
    assert store.counts(access=ADMINISTRATOR)["status"] == {"accepted": 3}
    for access, one in ((READER, secret), (BOARD, nobodys)):
        with pytest.raises(NotFound) as hidden:
            store.get(one.id, access=access)
        with pytest.raises(NotFound) as missing:
            store.get("smp_none", access=access)
        assert str(hidden.value).replace(one.id, "smp_none") == str(missing.value)


# Reading


def test_only_accepted_samples_of_live_versions_are_trained_on(store: SampleStore) -> None:
    old, new, imported = sample("Old?"), sample("New?", version=2), sample("Imported?", document="")
    store.add([old, new, imported, rejected("Wrong?", "judge: no"), sample("No?", review=Review.REJECTED)])
    store.add([sample("Edited?", review=Review.EDITED), sample("Seen?", version=2, review=Review.ACCEPTED)])
    found = {one.question for one in store.accepted(access=ADMINISTRATOR, live=[("doc_a", 2)])}
    assert found == {"New?", "Imported?", "Seen?"}


def test_samples_are_counted_by_what_they_are(store: SampleStore) -> None:
    store.add([sample(), sample("Why?", source="model", kind=SampleKind.GROUNDED)])
    store.add([rejected("A?", "judge: 0.1"), rejected("B?", "judge: 0.3"), rejected("C?", "trivial: one word")])
    assert store.counts(access=ADMINISTRATOR) == {
        "status": {"accepted": 2, "rejected": 3},
        "review": {"open": 2},
        "source": {"model": 1, "rule:when": 1},
        "kind": {"closed-book": 1, "grounded": 1},
        "language": {"en": 2},
        "reason": {"judge": 2, "trivial": 1},
    }


def test_lists_are_filtered_and_cut_after_the_rights(store: SampleStore) -> None:
    every = [sample(f"Question {n}?", groups=("board",) if n % 2 else ("everyone",)) for n in range(6)]
    for one in every:
        store.add([one])
    allowed = [record.sample for record in store.list(access=READER)]
    assert {one.question for one in allowed} == {"Question 0?", "Question 2?", "Question 4?"}
    assert [record.sample for record in store.list(access=READER, limit=1, offset=1)] == allowed[1:2]
    assert store.list(access=READER, limit=0) == []
    assert store.list(access=READER, kind=SampleKind.GROUNDED) == []
    assert len(store.list(access=READER, kind=SampleKind.CLOSED_BOOK, language="en", review=Review.OPEN)) == 3


def test_known_questions_are_those_of_accepted_samples_of_other_chunks(store: SampleStore) -> None:
    store.add([sample("Who, then?"), sample("What?", chunk="chk_other"), rejected("Why?", "judge: no")])
    assert store.known_questions() == {"who, then?", "what?"}
    assert store.known_questions(beside=["chk_other"]) == {"who, then?"}


def test_a_new_version_of_a_document_may_ask_what_its_old_one_asked(database: Engine, store: SampleStore) -> None:
    old = published(database, "a.pdf", "It was founded in 1994.", content="a")
    store.add([sample(document=old.document_id)])
    assert store.known_questions() != set()
    published(database, "a.pdf", "It was founded in 1995.", content="b")
    assert store.known_questions() == set()


# What was made from a document


def published(database: Engine, name: str, *texts: str, content: str, groups: tuple[str, ...] = ("everyone",)) -> StagedVersion:
    """A document of one page whose chunks have these texts."""
    catalog = Catalog(database)
    if not catalog.has_content(content * 64):
        page = Page(1, 595.0, 842.0, " ".join(texts))
        catalog.put_content(content * 64, size_bytes=9, parsed=ParsedDocument((page,), name, ()))
    split = [Chunk("", 1, 0, len(text), text, ()) for text in texts]
    version = catalog.stage(name, names_of_groups=groups, sha256=content * 64, split=split)
    catalog.publish(version.version_id)
    return version


def adapter(database: Engine, adapter_id: str, dataset: str) -> None:
    values = {
        "id": adapter_id,
        "name": adapter_id,
        "base_model": "base",
        "dataset": dataset,
        "method": "lora",
        "config": {},
        "metrics": {},
        "parity": {},
        "licence": "",
        "group_sets": [["everyone"]],
        "state": "candidate",
        "flags": [],
        "created_at": "",
        "changed_at": "",
    }
    with database.begin() as connection:
        connection.execute(insert(schema.adapters).values(values))


def flags(database: Engine, adapter_id: str) -> list[str]:
    with database.connect() as connection:
        return list(connection.scalar(select(schema.adapters.c.flags).where(schema.adapters.c.id == adapter_id)) or [])


def words_left(database: Engine, word: str) -> int:
    """In how many columns of the samples' rows the word still stands, where the document came from aside."""
    with database.connect() as connection:
        rows = connection.execute(select(schema.samples)).mappings().all()
    kept = ("document", "document_id", "chunk")
    return sum(word in str(value) for row in rows for name, value in row.items() if name not in kept)


def test_lineage_names_what_holds_samples_of_a_document_and_purging_marks_it(database: Engine, store: SampleStore) -> None:
    gone = [sample("Who is Zanzibar?"), sample("Where is Zanzibar?"), rejected("Zanzibar?", "trivial: Zanzibar")]
    stays = [sample("What is Quito?", document="doc_b"), sample("Where is Quito?", document="doc_b")]
    store.add([*gone, *stays])
    with_it, without = built(database, gone[0], *stays), built(database, *stays)
    adapter(database, "ada_1", with_it)
    adapter(database, "ada_2", without)
    expected = store.lineage("doc_a")
    assert (expected.samples, expected.datasets, expected.adapters) == (3, (with_it,), ("ada_1",))

    assert store.purge("doc_a") == expected
    datasets = Datasets(database)
    assert datasets.get(with_it, access=ADMINISTRATOR).incomplete == "document doc_a.pdf was removed: 1 of 3 samples"
    assert flags(database, "ada_1") == ["document doc_a.pdf was removed: 1 of the 3 samples it learned from"]
    assert datasets.get(without, access=ADMINISTRATOR).incomplete == ""
    assert flags(database, "ada_2") == []
    assert words_left(database, "Zanzibar") == 0
    (held,) = [record.sample for record in store.list(access=ADMINISTRATOR, status=SampleStatus.PURGED)]
    assert store.get(gone[0].id, access=ADMINISTRATOR).sample == held
    assert held.origin is not None
    assert (held.question, held.answer, held.messages, held.origin.evidence) == ("", "", (), "")
    assert (held.origin.document_id, held.origin.chunk, held.fact) == ("doc_a", "chk_doc_a", gone[0].fact)
    with pytest.raises(NotFound):
        store.get(gone[1].id, access=ADMINISTRATOR)
    assert set(store.accepted(access=ADMINISTRATOR, live=[("doc_a", 1), ("doc_b", 1)])) == set(stays)
    with pytest.raises(Conflict, match="incomplete"):
        datasets.rows(with_it, Split.TRAIN, access=ADMINISTRATOR)


def test_purging_again_changes_nothing(database: Engine, store: SampleStore) -> None:
    store.add([sample()])
    dataset = built(database, sample())
    adapter(database, "ada_1", dataset)
    store.purge("doc_a")
    before = Datasets(database).get(dataset, access=ADMINISTRATOR)
    assert store.purge("doc_a").samples == store.purge("doc_unknown").samples == 0
    assert Datasets(database).get(dataset, access=ADMINISTRATOR) == before
    assert len(flags(database, "ada_1")) == 1


def test_a_data_set_says_of_each_document_that_was_removed(database: Engine, store: SampleStore) -> None:
    samples = [sample("Who?"), sample("What?", document="doc_b"), sample("Why?", document="doc_c")]
    store.add(samples)
    dataset = built(database, *samples)
    store.purge("doc_a")
    store.purge("doc_b")
    told = Datasets(database).get(dataset, access=ADMINISTRATOR).incomplete
    assert told == "document doc_a.pdf was removed: 1 of 3 samples; document doc_b.pdf was removed: 1 of 3 samples"


def prompt_with(texts: list[str]) -> str:
    """The serving prompt that shows these passages."""
    hits = [Hit("b.pdf", "doc", 1, 1, "chk", 0.0, text, 0, ("Heading",)) for text in texts]
    return str(ServingPrompts().grounded("", hits, language="en")[-1].content)


def test_samples_of_other_documents_that_show_a_passage_of_it_lose_their_text_too(database: Engine, store: SampleStore) -> None:
    groups = Groups(database)
    groups.create("board")
    gone = published(database, "a.pdf", "Zanzibar is green.\nIt is far.", "Common words.", content="a")
    other = published(database, "b.pdf", "Quito is high.", "Common words.", content="b")
    asked = {
        "foreign": ["Quito is high.", "Zanzibar is green.\nIt is far."],
        "own": ["Quito is high.", "Common words."],
        "alike": ["Zanzibar is green."],
    }
    made = {
        name: sample(f"{name}?", document=other.document_id, kind=SampleKind.GROUNDED, shown=prompt_with(texts))
        for name, texts in asked.items()
    }
    store.add(made.values())
    assert store.purge(gone.document_id).samples == 1
    left = {record.sample.question for record in store.list(access=ADMINISTRATOR)}
    assert left == {"own?", "alike?"}


def test_a_purged_sample_that_is_made_anew_is_back_with_its_documents_new_groups(database: Engine, store: SampleStore) -> None:
    store.add([sample()])
    dataset = built(database, sample())
    store.purge("doc_a")
    assert store.add([sample(groups=("board",))]) == 1
    assert store.list(access=READER) == []
    assert [record.sample.question for record in store.list(access=BOARD)] == ["When was Quillmere founded?"]
    assert Datasets(database).get(dataset, access=ADMINISTRATOR).incomplete
