"""Data-set versions: the same content is the same version, its rights are those of all its documents, and its card tells all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from eval.judge import HouseJudge
from finetune.datasets import Datasets
from finetune.formats.records import Conversation
from finetune.review import ReviewQueue
from finetune.samples import SampleStore
from finetune.types import DatasetVersion, Message, Origin, Sample, SampleKind, Split
from ingest.database import open_database
from ingest.errors import Conflict, InputRefused, NotFound
from ingest.schema import metadata
from ingest.types import Access

ADMINISTRATOR = Access.everything()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def datasets(database: Engine) -> Datasets:
    return Datasets(database)


def sample(number: int, *, document: str = "doc_a", groups: tuple[str, ...] = ("everyone",), language: str = "en") -> Sample:
    """One of many samples whose questions have nothing in common."""
    asked = f"w{number}x{document} q{number}y{document}"
    messages = (Message("system", "Be short."), Message("user", asked), Message("assistant", f"answer {number}"))
    origin = Origin(document, f"{document}.pdf", 1, f"chk_{document}", 1, groups, "evidence")
    made = Sample(SampleKind.CLOSED_BOOK, "rule:who", language, asked, f"answer {number}", messages, origin)
    return replace(made, model="m", prompt_hash="p")


def library(documents: int = 6, each: int = 5) -> list[Sample]:
    return [sample(number, document=f"doc_{document}") for document in range(documents) for number in range(each)]


def build(
    database: Engine, samples: list[Sample], *, name: str = "all", seed: int = 0, protected: tuple[str, ...] = ()
) -> DatasetVersion:
    SampleStore(database).add(samples)
    return Datasets(database).build(name, samples, seed=seed, protected=protected, content_of={})


def import_(
    datasets: Datasets, conversations: list[Conversation], *groups: str, licence: str = "CC BY 4.0", file: str = "chats.jsonl"
) -> DatasetVersion:
    return datasets.import_(
        "chats",
        conversations,
        groups=groups or ("everyone",),
        licence=licence,
        file=file,
        protected=["Is this asked in the exam?"],
    )


def chat(asked: str, answer: str = "Yes.") -> Conversation:
    return Message("user", asked), Message("assistant", answer)


# Versions


def test_the_same_content_is_the_same_version_and_other_content_another(database: Engine, datasets: Datasets) -> None:
    samples = library()
    first = build(database, samples)
    assert build(database, samples[::-1], name="again") == first
    assert build(database, samples, seed=1).id != first.id
    assert build(database, samples[1:]).id != first.id
    assert [one.name for one in datasets.list(access=ADMINISTRATOR)] == ["all", "all", "all"]


def test_the_id_is_the_hash_of_what_is_in_which_split(database: Engine, datasets: Datasets) -> None:
    version = build(database, library())
    content = sorted([str(split), one.id] for split in Split for one in datasets.rows(version.id, split, access=ADMINISTRATOR))
    assert version.id == "ds_" + hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def test_rows_are_the_samples_of_a_split_in_a_fixed_order(database: Engine, datasets: Datasets) -> None:
    samples = library()
    version = build(database, samples)
    by_split = {split: list(datasets.rows(version.id, split, access=ADMINISTRATOR)) for split in Split}
    assert {split: len(rows) for split, rows in by_split.items()} == version.counts
    assert {one for rows in by_split.values() for one in rows} == set(samples)
    assert list(datasets.rows(version.id, Split.TRAIN, access=ADMINISTRATOR)) == by_split[Split.TRAIN]
    assert by_split[Split.TRAIN] != sorted(by_split[Split.TRAIN], key=samples.index)


def test_a_name_means_the_newest_of_this_name(database: Engine, datasets: Datasets) -> None:
    first, second = build(database, library(3)), build(database, library(4))
    assert datasets.get("all", access=ADMINISTRATOR).id in {first.id, second.id}
    assert datasets.get(first.id, access=ADMINISTRATOR) == first
    assert datasets.list(access=ADMINISTRATOR)[0] == datasets.get("all", access=ADMINISTRATOR)
    with pytest.raises(NotFound, match="there is no data set 'other'"):
        datasets.get("other", access=ADMINISTRATOR)


def test_nothing_to_train_on_is_refused_and_says_why(database: Engine) -> None:
    with pytest.raises(InputRefused, match=r"no sample is left to train on \(dropped: nothing\)"):
        build(database, [])
    with pytest.raises(InputRefused, match="protected: 1"):
        build(database, [sample(1)], protected=(sample(1).question,))
    with pytest.raises(InputRefused, match="no name"):
        build(database, [sample(1)], name=" ")


def test_an_incomplete_version_is_listed_and_neither_read_nor_built_again(database: Engine, datasets: Datasets) -> None:
    samples = library()
    version = build(database, samples)
    SampleStore(database).purge("doc_1")
    (listed,) = datasets.list(access=ADMINISTRATOR)
    assert "doc_1.pdf was removed: 5 of 30 samples" in listed.incomplete
    for split in Split:
        with pytest.raises(Conflict, match="incomplete"):
            datasets.rows(version.id, split, access=ADMINISTRATOR)
    SampleStore(database).add(samples)
    with pytest.raises(Conflict, match="give another seed"):
        build(database, samples)
    assert build(database, samples, seed=1).incomplete == ""


def test_a_document_that_is_removed_while_its_data_set_is_built_leaves_none(database: Engine, datasets: Datasets) -> None:
    store, samples = SampleStore(database), library()
    store.add(samples)
    accepted = store.accepted(access=ADMINISTRATOR, live={(f"doc_{n}", 1) for n in range(6)})
    store.purge("doc_1")
    with pytest.raises(Conflict, match="5 of the samples are gone"):
        datasets.build("all", accepted, seed=0, protected=[], content_of={})
    assert datasets.list(access=ADMINISTRATOR) == []


# Rights


def test_a_data_set_is_there_for_who_holds_a_group_of_each_of_its_documents(database: Engine, datasets: Datasets) -> None:
    sets = (("board", "works"), ("everyone",), ("board", "legal"))
    samples = [sample(number, document=f"doc_{number}", groups=groups) for number, groups in enumerate(sets)]
    version = build(database, samples)
    assert version.group_sets == (("board", "legal"), ("board", "works"), ("everyone",))
    for groups in (["board"], ["works", "legal"]):
        assert datasets.get(version.id, access=Access.of(*groups)) == version
    for groups in ([], ["works"], ["legal"]):
        access = Access.of(*groups)
        assert datasets.list(access=access) == []
        for read in (
            lambda at=access: datasets.get(version.id, access=at),
            lambda at=access: datasets.rows(version.id, Split.TRAIN, access=at),
        ):
            with pytest.raises(NotFound, match="there is no data set"):
                read()


def test_samples_that_name_no_group_are_an_administrators(database: Engine, datasets: Datasets) -> None:
    version = build(database, [replace(sample(1), origin=None)])
    assert datasets.list(access=Access.of("board")) == []
    assert datasets.list(access=ADMINISTRATOR) == [version]


# Card


def test_the_card_says_what_is_in_each_split_and_what_was_dropped(database: Engine) -> None:
    samples = [*library(), sample(1, document="doc_z", language="zh")]
    version = build(database, samples, seed=5, protected=(samples[0].question, samples[7].question))
    card = version.card
    assert (card["name"], card["seed"], card["made_at"]) == ("all", 5, version.created_at)
    assert card["dropped"] == {"protected": 2}
    assert {split: one["samples"] for split, one in card["splits"].items()} == version.counts
    train = card["splits"]["train"]
    assert train["languages"]["zh"] == 1
    assert train["kinds"] == {"closed-book": train["samples"]}
    assert train["sources"] == {"rule:who": train["samples"]}
    documents = [one["document_id"] for split in card["splits"].values() for one in split["documents"]]
    assert sorted(documents) == sorted({one.origin.document_id for one in samples if one.origin})
    prompts = sum(len("Be short." + one.question) for one in samples if one.id in ids(database, version))
    assert sum(split["characters"]["prompts"] for split in card["splits"].values()) == prompts
    assert card["licence"] == "internal"
    assert card["group_sets"] == [["everyone"]]
    assert (card["models"], card["prompt_hashes"]) == ({"m": 29}, {"p": 29})
    json.dumps(card)


def ids(database: Engine, version: DatasetVersion) -> set[str]:
    found = (Datasets(database).rows(version.id, split, access=ADMINISTRATOR) for split in Split)
    return {one.id for rows in found for one in rows}


# Imports


def test_imported_conversations_become_samples_of_their_groups(database: Engine, datasets: Datasets) -> None:
    conversations = [chat(f"w{n}x q{n}y?") for n in range(20)]
    version = import_(datasets, conversations, "board", "works")
    assert version.group_sets == (("board", "works"),)
    assert version.counts == {"train": 16, "validation": 2, "test": 2, "rephrased": 0}
    assert version.card["licence"] == "CC BY 4.0"
    found = [one for split in Split for one in datasets.rows(version.id, split, access=Access.of("works"))]
    assert {one.messages for one in found} == set(conversations)
    assert {(one.kind, one.source) for one in found} == {(SampleKind.CHAT, "import")}
    assert len(SampleStore(database).accepted(access=Access.of("board"), live=[])) == 20
    assert SampleStore(database).accepted(access=Access.of(), live=[]) == []


def test_the_same_file_is_the_same_data_set_and_in_other_groups_another(datasets: Datasets) -> None:
    conversations = [chat(f"w{n}x q{n}y?") for n in range(5)]
    first = import_(datasets, conversations)
    assert import_(datasets, conversations) == first
    other = import_(datasets, conversations, "board")
    assert other.id != first.id
    assert datasets.list(access=Access.of()) == [first]


def test_what_the_exam_asks_is_not_even_kept_of_an_import(database: Engine, datasets: Datasets) -> None:
    version = import_(datasets, [chat("Is this asked in the exam?"), chat("w1x q1y?"), chat("w2x q2y?")])
    assert version.card["dropped"] == {"protected": 1}
    assert SampleStore(database).counts(access=ADMINISTRATOR)["status"] == {"accepted": 2}


def test_what_a_person_rejected_does_not_come_back_with_another_import(database: Engine, datasets: Datasets) -> None:
    import_(datasets, [chat("w1x q1y?"), chat("w2x q2y?")])
    (first, second) = SampleStore(database).accepted(access=ADMINISTRATOR, live=[])
    ReviewQueue(database, judge=HouseJudge()).reject(first.id, reason="rude", reviewer="ann", access=ADMINISTRATOR)
    version = import_(datasets, [first.messages, second.messages, chat("w3x q3y?")])
    assert version.card["dropped"] == {"review": 1}
    assert first.id not in ids(database, version)


def test_a_mixed_data_set_names_the_licences_of_what_was_imported_and_edited_since(database: Engine, datasets: Datasets) -> None:
    import_(datasets, [chat("w1x q1y?")], licence="MIT", file="a.jsonl")
    import_(datasets, [chat("w2x q2y?"), chat("w3x q3y?")], licence="", file="b.jsonl")
    store = SampleStore(database)
    store.add([sample(1)])
    queue = ReviewQueue(database, judge=HouseJudge())
    (mit,) = [one for one in store.accepted(access=ADMINISTRATOR, live=[]) if one.question == "w1x q1y?"]
    queue.edit(mit.id, answer="No.", reviewer="ann", access=ADMINISTRATOR)
    accepted = store.accepted(access=ADMINISTRATOR, live=[("doc_a", 1)])
    version = datasets.build("mixed", accepted, seed=0, protected=[], content_of={})
    assert version.card["licence"] == "internal; MIT; not stated"
    assert version.card["reviewed_by_a_person"] == 1
    plain = [one for one in accepted if one.question != "w2x q2y?" and one.question != "w3x q3y?"]
    assert datasets.build("part", plain, seed=0, protected=[], content_of={}).card["licence"] == "internal; MIT"
