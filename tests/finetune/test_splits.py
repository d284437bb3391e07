"""Splits: documents stay whole, questions do not leak, and held-out phrasings are of facts that are learned."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.questions import NEARLY_EQUAL, Questions, question_key
from finetune.splits import FEWEST_DOCUMENTS, MOST_REPHRASED, Plan, plan
from finetune.types import Message, Origin, Sample, SampleKind, Split

THINGS = "valve pump motor flange gasket bearing filter sensor cabinet trolley burner washer spindle lever"
WORDS = THINGS.split()


def sample(
    question: str, *, document: str = "a", fact: str = "", language: str = "en", kind: SampleKind = SampleKind.CLOSED_BOOK
) -> Sample:
    origin = Origin(document, f"{document}.pdf", 1, f"chunk of {document}", 1, ("everyone",), "") if document else None
    messages = (Message("user", f"{kind} {question}"), Message("assistant", "1994"))
    return Sample(kind, "rule:number", language, question, "1994", messages, origin, fact=fact)


def planned(samples: list[Sample], *, seed: int = 0, protected: tuple[str, ...] = ()) -> Plan:
    return plan(samples, seed=seed, protected=protected, content_of={})


def of(found: Plan, split: Split) -> list[Sample]:
    return [one for where, one in found.rows if where is split]


def library(documents: int, each: int, *, language: str = "en") -> list[Sample]:
    """Samples whose questions have no two terms in common."""
    return [
        sample(
            f"w{language}{document}x{number} q{language}{document}y{number}", document=f"{language}{document}", language=language
        )
        for document in range(documents)
        for number in range(each)
    ]


# Documents


def test_a_document_is_in_one_split_and_so_are_its_copies() -> None:
    samples = library(10, 6)
    content = {f"en{number}": f"content {number // 2}" for number in range(10)}
    found = plan(samples, seed=0, protected=(), content_of=content)
    splits: dict[str, set[Split]] = {}
    for split, one in found.rows:
        assert one.origin is not None
        splits.setdefault(content[one.origin.document_id], set()).add(split)
    assert len(splits) == 5
    assert all(len(where) == 1 for where in splits.values())
    assert {split for where in splits.values() for split in where} == {Split.TRAIN, Split.VALIDATION, Split.TEST}


def test_about_a_tenth_of_each_language_is_held_out_twice() -> None:
    found = planned(library(40, 5) + library(20, 5, language="zh"))
    for language, total in (("en", 200), ("zh", 100)):
        counts = Counter(split for split, one in found.rows if one.language == language)
        assert counts == {Split.TRAIN: total * 0.8, Split.VALIDATION: total * 0.1, Split.TEST: total * 0.1}


@pytest.mark.parametrize("documents", [1, 2])
def test_a_language_of_few_documents_is_all_train(documents: int) -> None:
    found = planned(library(documents, 4) + library(6, 4, language="zh"))
    assert {split for split, one in found.rows if one.language == "en"} == {Split.TRAIN}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 60), min_size=FEWEST_DOCUMENTS, max_size=12), st.integers(0, 5))
def test_each_split_has_a_document_whatever_their_sizes(sizes: list[int], seed: int) -> None:
    samples = [one for number, size in enumerate(sizes) for one in library(number + 1, size)[-size:]]
    counts = Counter(split for split, _ in planned(samples, seed=seed).rows)
    assert counts[Split.TRAIN] and counts[Split.VALIDATION] and counts[Split.TEST]


def test_the_seed_alone_decides_and_not_the_order_of_the_samples() -> None:
    samples = library(12, 5)
    first = planned(samples, seed=3)
    assert planned(samples[::-1] + samples, seed=3) == first
    assert len({frozenset(one.id for one in of(planned(samples, seed=seed), Split.TEST)) for seed in range(5)}) > 1


def test_imported_conversations_are_split_one_by_one_and_the_same_question_together() -> None:
    asked = [f"w{number // 2}x q{number // 2}y" for number in range(40)]
    imported = [
        Sample(SampleKind.CHAT, "import", "en", one, str(n), (Message("user", one), Message("assistant", str(n))))
        for n, one in enumerate(asked)
    ]
    found = planned(imported)
    assert Counter(split for split, _ in found.rows) == {
        Split.TRAIN: 32,
        Split.VALIDATION: 4,
        Split.TEST: 4,
    }
    assert found.dropped == {}


# Leaks


def test_what_a_protected_question_asks_is_in_no_split() -> None:
    protected = ("How many days of paid holiday do full-time employees get each year?", "全职员工每年有多少天带薪假？")
    samples = [
        sample("how many days of paid holiday do full-time employees get each year"),
        sample("Each year, how many days of paid holiday does a full-time employee get?"),
        sample("请问全职员工每年有多少天带薪假", language="zh"),
        sample("Who signs the holiday request of a full-time employee?"),
        sample("全职员工的试用期是多久？", language="zh"),
    ]
    found = planned(samples, protected=protected)
    assert {one.question for _, one in found.rows} == {samples[3].question, samples[4].question}
    assert found.dropped == {"protected": 3}


def test_the_same_question_of_two_documents_stays_where_it_is_learned() -> None:
    samples = [
        one for number in range(10) for one in [*library(number + 1, 5)[-5:], sample("Who signs?", document=f"en{number}")]
    ]
    found = planned(samples)
    assert {split for split, one in found.rows if one.question == "Who signs?"} == {Split.TRAIN}
    keys = {split: {question_key(one.question) for one in of(found, split)} for split in Split}
    assert sum(map(len, keys.values())) == len(set().union(*keys.values()))
    assert found.dropped == {"between splits": 2}


def test_who_and_when_ask_for_different_things() -> None:
    assert not Questions(["Who founded Quillmere?"]).hold("When was Quillmere founded?")
    assert Questions(["When was Quillmere founded?"]).hold("When, then, was Quillmere founded")


def test_courtesy_makes_no_other_question() -> None:
    assert Questions(["When was Quillmere founded?"]).hold("Please tell me when Quillmere was founded.")
    assert Questions(["公司成立于哪一年？"]).hold("请问公司成立于哪一年？")


def test_a_question_of_another_thing_in_the_same_words_is_another_question() -> None:
    assert not Questions(["What is the annual budget of the sales department?"]).hold(
        "What is the annual budget of the legal department?"
    )
    assert not Questions(["销售部的年度预算是多少？"]).hold("法务部的年度预算是多少？")


# Phrasings


def phrasings(fact: int, number: int, *, document: str = "a") -> list[Sample]:
    """Some ways to ask for one fact; the last is the least like the others."""
    thing = f"{WORDS[fact % len(WORDS)]}{fact}"
    ways = [
        f"What pressure does the {thing} bear?",
        f"Which pressure may act upon the {thing}?",
        f"How hard can one press a {thing} before it breaks?",
    ]
    return [sample(way, fact=f"fact {fact}", document=document) for way in ways[3 - number :]]


def test_one_phrasing_of_a_fact_is_held_out_and_it_is_the_one_least_like_the_others() -> None:
    found = planned([one for fact in range(6) for one in phrasings(fact, 3)])
    held = of(found, Split.REPHRASED)
    assert sorted(one.fact for one in held) == [f"fact {fact}" for fact in range(6)]
    assert all(one.question.startswith("How hard") for one in held)
    assert Counter(one.fact for one in of(found, Split.TRAIN)) == {f"fact {fact}": 2 for fact in range(6)}


def test_a_fact_that_is_asked_in_one_way_is_only_learned() -> None:
    found = planned([*phrasings(0, 1), *phrasings(1, 2)])
    assert [one.fact for one in of(found, Split.REPHRASED)] == ["fact 1"]
    assert {one.fact for one in of(found, Split.TRAIN)} == {"fact 0", "fact 1"}


def test_phrasings_that_are_nearly_the_same_are_not_held_out() -> None:
    twins = ["What is the notice period of managers?", "Of managers, what is the notice period?"]
    found = planned([sample(one, fact="f") for one in twins])
    assert of(found, Split.REPHRASED) == []
    assert len(of(found, Split.TRAIN)) == 2


def test_a_held_out_question_is_not_learned_with_a_passage_either() -> None:
    ways = phrasings(0, 3)
    passages = [sample(one.question, fact=one.fact, kind=SampleKind.GROUNDED) for one in ways]
    found = planned([*ways, *passages])
    (held,) = of(found, Split.REPHRASED)
    assert held.question not in {one.question for one in of(found, Split.TRAIN)}
    assert len(of(found, Split.TRAIN)) == 4
    assert found.dropped == {"rephrased": 1}


def test_a_question_that_two_facts_answer_is_not_held_out() -> None:
    shared = "Where is it kept?"
    ways = [*phrasings(0, 3), sample(shared, fact="fact 0")]
    other = [sample(shared, fact="fact 1", kind=SampleKind.CLOSED_BOOK, document="b"), *phrasings(1, 2, document="b")]
    found = planned([*ways, *other])
    assert shared not in {one.question for one in of(found, Split.REPHRASED)}
    assert len(of(found, Split.REPHRASED)) == 2


def test_facts_of_many_phrasings_are_held_out_first_and_at_most_so_many_a_language() -> None:
    facts = MOST_REPHRASED["en"]
    few = [one for fact in range(30) for one in phrasings(fact, 2)]
    many = [one for fact in range(30, 30 + facts - 10) for one in phrasings(fact, 3)]
    held = of(planned(few + many), Split.REPHRASED)
    assert len(held) == facts
    assert sum(int(one.fact.split()[1]) >= 30 for one in held) == facts - 10
    assert len(of(planned(few), Split.REPHRASED)) == 30


def test_nothing_in_train_is_nearly_a_held_out_question() -> None:
    found = planned([one for fact in range(40) for one in phrasings(fact, 3)])
    learned = Questions(one.question for one in of(found, Split.TRAIN))
    assert all(learned.nearest_other(one.question) < NEARLY_EQUAL for one in of(found, Split.REPHRASED))
    assert not any(learned.hold(one.question) for one in of(found, Split.REPHRASED))
