"""The review queue: the doubtful first, each decided once, and an edit that leaves the old sample as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from eval.judge import HouseJudge
from finetune.review import ReviewQueue, edited
from finetune.samples import SampleStore
from finetune.types import Message, Origin, Review, Sample, SampleKind, SampleStatus
from ingest.database import open_database
from ingest.errors import Conflict, InputRefused, NotFound
from ingest.schema import metadata
from ingest.types import Access

ADMINISTRATOR = Access.everything()
EVIDENCE = "Quillmere Flow Control was founded in 1994 by Lin Zhaoheng."


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(database: Engine) -> SampleStore:
    return SampleStore(database)


@pytest.fixture
def queue(database: Engine) -> ReviewQueue:
    return ReviewQueue(database, judge=HouseJudge())


def sample(
    question: str = "When was Quillmere founded?", *, groups: tuple[str, ...] = ("everyone",), evidence: str = EVIDENCE
) -> Sample:
    prompt = f"[1] \n{EVIDENCE}\n\nQuestion: {question}"
    messages = (Message("system", "Be short."), Message("user", prompt), Message("assistant", 'It says "1994". 1994 [1]'))
    origin = Origin("doc_a", "a.pdf", 2, "chk_a", 3, groups, evidence)
    return Sample(SampleKind.GROUNDED, "model", "en", question, "1994", messages, origin, "f", "p", "m", 7)


def decide(queue: ReviewQueue, sample_id: str, how: str) -> None:
    if how == "accept":
        queue.accept(sample_id, reviewer="ann", access=ADMINISTRATOR)
    elif how == "reject":
        queue.reject(sample_id, reason="wrong year", reviewer="ann", access=ADMINISTRATOR)
    else:
        queue.edit(sample_id, answer="in 1994", reviewer="ann", access=ADMINISTRATOR)


def test_the_most_doubtful_wait_first(store: SampleStore, queue: ReviewQueue) -> None:
    rules = [replace(sample(f"rule {n}?"), source="rule:when", kind=SampleKind.CLOSED_BOOK) for n in range(3)]
    model = [replace(sample(f"model {n}?"), kind=SampleKind.CLOSED_BOOK) for n in range(2)]
    rare_model = replace(sample("rare model?"), kind=SampleKind.REFUSAL)
    rare_rule = replace(sample("rare rule?"), source="rule:table", kind=SampleKind.CLOSED_BOOK)
    imported = replace(sample("imported?"), source="import", kind=SampleKind.CHAT)
    store.add([imported, *rules, rare_rule, *model, rare_model])
    found = queue.pending(access=ADMINISTRATOR, limit=100)
    assert found[0] == rare_model
    assert set(found[1:3]) == set(model)
    assert found[3] == rare_rule
    assert set(found[4:7]) == set(rules)
    assert found[7:] == [imported]
    assert queue.pending(access=ADMINISTRATOR, limit=2) == found[:2]


def test_only_accepted_samples_that_the_caller_may_read_wait(store: SampleStore, queue: ReviewQueue) -> None:
    rejected = replace(sample("bad?"), status=SampleStatus.REJECTED, reason="judge: no")
    store.add([sample(), sample("secret?", groups=("board",)), rejected])
    assert queue.pending(access=Access.of(), limit=9) == [sample()]
    with pytest.raises(NotFound):
        queue.accept(sample("secret?", groups=("board",)).id, reviewer="ann", access=Access.of())


@pytest.mark.parametrize(
    ("how", "review", "left"), [("accept", Review.ACCEPTED, 1), ("reject", Review.REJECTED, 0), ("edit", Review.EDITED, 1)]
)
@pytest.mark.parametrize("again", ["accept", "reject", "edit"])
def test_a_sample_is_decided_once(
    store: SampleStore, queue: ReviewQueue, how: str, review: Review, left: int, again: str
) -> None:
    store.add([sample()])
    decide(queue, sample().id, how)
    record = store.get(sample().id, access=ADMINISTRATOR)
    assert (record.sample.review, record.reviewer, record.reviewed_at is None) == (review, "ann", False)
    assert record.sample.reason == ("wrong year" if how == "reject" else "")
    assert queue.pending(access=ADMINISTRATOR, limit=9) == []
    assert len(store.accepted(access=ADMINISTRATOR, live=[("doc_a", 2)])) == left
    with pytest.raises(Conflict, match=f"was {review} by ann at"):
        decide(queue, sample().id, again)


def test_what_curation_rejected_or_a_removal_purged_is_not_decided(store: SampleStore, queue: ReviewQueue) -> None:
    store.add([replace(sample(), status=SampleStatus.REJECTED, reason="judge: no")])
    with pytest.raises(Conflict, match=r"is rejected \(judge: no\)"):
        decide(queue, sample().id, "accept")


def test_a_rejection_needs_a_reason(store: SampleStore, queue: ReviewQueue) -> None:
    store.add([sample()])
    with pytest.raises(InputRefused, match="needs a reason"):
        queue.reject(sample().id, reason=" ", reviewer="ann", access=ADMINISTRATOR)
    assert len(queue.pending(access=ADMINISTRATOR, limit=9)) == 1


# Editing


def test_an_edit_is_a_new_sample_of_the_same_origin_and_the_old_one_stays(store: SampleStore, queue: ReviewQueue) -> None:
    store.add([sample()])
    made = queue.edit(sample().id, question="Founded when?", answer="in 1994", reviewer="ann", access=ADMINISTRATOR)
    record = store.get(made.sample.id, access=ADMINISTRATOR)
    assert (record.edited_from, record.reviewer, record.reviewed_at) == (sample().id, "ann", made.reviewed_at)
    new = record.sample
    assert (new.source, new.review, new.origin, new.fact) == ("person", Review.ACCEPTED, sample().origin, "f")
    assert [message.content for message in new.messages] == [
        "Be short.",
        f"[1] \n{EVIDENCE}\n\nQuestion: Founded when?",
        'It says "in 1994". 1994 [1]',
    ]
    old = store.get(sample().id, access=ADMINISTRATOR).sample
    assert replace(old, review=Review.OPEN) == sample()
    assert store.accepted(access=ADMINISTRATOR, live=[("doc_a", 2)]) == [new]


def test_what_the_evidence_does_not_bear_out_is_warned_of_and_kept(store: SampleStore, queue: ReviewQueue) -> None:
    store.add([sample("one?"), sample("two?"), sample("three?", evidence="")])
    wrong = queue.edit(sample("one?").id, answer="It was founded in 2003 by Edith Garrow.", reviewer="ann", access=ADMINISTRATOR)
    assert EVIDENCE in wrong.warning
    assert wrong.sample in store.accepted(access=ADMINISTRATOR, live=[("doc_a", 2)])
    right = queue.edit(sample("two?").id, answer="It was founded in 1994.", reviewer="ann", access=ADMINISTRATOR)
    unknown = queue.edit(sample("three?", evidence="").id, answer="In 2003.", reviewer="ann", access=ADMINISTRATOR)
    assert (right.warning, unknown.warning) == ("", "")


def test_an_edit_to_words_that_are_there_already_is_refused_and_decides_nothing(store: SampleStore, queue: ReviewQueue) -> None:
    store.add([sample("one?"), sample("two?")])
    with pytest.raises(Conflict, match="these words is there already"):
        queue.edit(sample("one?").id, question="two?", reviewer="ann", access=ADMINISTRATOR)
    assert len(queue.pending(access=ADMINISTRATOR, limit=9)) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({}, "nothing was changed"),
        ({"question": "When was Quillmere founded?", "answer": " 1994 "}, "nothing was changed"),
        ({"answer": "  "}, "must hold text"),
    ],
)
def test_an_edit_that_changes_nothing_is_refused(words: dict[str, str], told: str) -> None:
    with pytest.raises(InputRefused, match=told):
        edited(sample(), **words)


def test_the_question_is_replaced_where_it_was_asked_last() -> None:
    asked = "When?"
    messages = (
        Message("user", asked),
        Message("assistant", "1994?"),
        Message("user", f"{asked} {asked}"),
        Message("assistant", "Then."),
    )
    one = replace(sample(), question=asked, answer="1994", messages=messages)
    new = edited(one, question="Why?", answer="Because.")
    assert [message.content for message in new.messages] == ["When?", "1994?", "When? Why?", "Because."]


def test_an_answer_that_no_longer_cites_is_warned_of(store: SampleStore, queue: ReviewQueue) -> None:
    answer = f"1994 [1]: “{EVIDENCE}”"
    cited = replace(sample(), answer=answer, messages=(*sample().messages[:-1], Message("assistant", answer)))
    store.add([cited, replace(cited, kind=SampleKind.CLOSED_BOOK)])
    first, second = (one.id for one in queue.pending(access=ADMINISTRATOR, limit=9))
    kept = queue.edit(first, answer=f"Founded in 1994 [1]: “{EVIDENCE}”", reviewer="ann", access=ADMINISTRATOR)
    lost = queue.edit(second, answer="It was founded in 1994.", reviewer="ann", access=ADMINISTRATOR)
    assert kept.warning == ""
    assert lost.warning.startswith("the old answer cites its passage and the new one does not")
    assert lost.sample.messages[-1].content == "It was founded in 1994."


def test_a_question_that_the_conversation_does_not_hold_cannot_be_edited() -> None:
    with pytest.raises(InputRefused, match="word for word"):
        edited(replace(sample(), question="When, roughly?"), question="Why?")
