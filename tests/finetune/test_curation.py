"""What is accepted is found, supported, said once, and not an evaluation question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from eval.judge import HouseJudge
from finetune.curation import Curation, Draft
from finetune.points import Asked, Point
from finetune.questions import question_key
from ingest.types import Access, Hit

EVIDENCE = "Credits from cancelled tickets belong to the company and expire after eleven months."
TEXT = f"Tickets that are not needed must be cancelled. {EVIDENCE} First class is never paid."
PASSAGE = Hit("travel.pdf", "doc_1", 1, 2, "chunk_1", 1.0, TEXT, 0, ("Travel policy", "Booking"))
OTHER = Hit("travel.pdf", "doc_1", 1, 3, "chunk_2", 0.5, "Rental cars are limited to the compact class.", 0, ("Travel policy",))
GOOD = "After how many months do credits from cancelled tickets expire?"


class Found:
    """A retriever that finds what it is given, and remembers on whose behalf it searched."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = hits
        self.asked: list[tuple[str, Access]] = []

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        self.asked.append((query, access))
        return list(self.hits[:limit])


def draft(question: str = GOOD, *, source: str = "rule:how-long", answer: str = "") -> Draft:
    statement = answer or "Credits from cancelled tickets expire after eleven months."
    point = Point("how-long", Asked.DURATION, "en", EVIDENCE, EVIDENCE[:-1], "eleven months", statement, "Booking", (GOOD,))
    return Draft(PASSAGE, point, question, source)


def curation(*hits: Hit, protected: Sequence[str] = (), known: Sequence[str] = ()) -> Curation:
    retriever = Found(*(hits or (OTHER, PASSAGE)))
    return Curation(retriever=retriever, judge=HouseJudge(), protected=protected, known=known, access=Access.of())


def test_a_question_that_is_found_and_supported_is_accepted() -> None:
    judged = curation().decide(draft())
    assert judged.reason == ""
    assert [hit.chunk for hit in judged.found] == ["chunk_2", "chunk_1"]


@pytest.mark.parametrize(
    ("question", "seen"),
    [
        ("After how many months do credits from cancelled tickets expire", "question mark"),
        ("How many?", "characters"),
        ("Do credits from cancelled tickets expire at some time?", "no question word"),
        ("How long do they last after the tickets were cancelled? And why?", "without the passage"),
        ("How long does it take until credits from tickets expire?", "without the passage"),
        ("How long do credits from cancelled tickets last, eleven months?", "its own answer"),
        ("How long is it that there is one of the months?", "without the passage"),
        ("How many months is the length of time here?", "does not name"),
    ],
)
def test_a_bad_wording_is_trivial_and_says_why(question: str, seen: str) -> None:
    reason = curation().decide(draft(question)).reason
    assert reason.startswith("trivial: ")
    assert seen in reason


def test_a_model_may_neither_bring_in_words_nor_leave_out_what_was_asked() -> None:
    strays = curation().decide(
        draft("How many months do airlines and hotels keep cancelled credits from tickets, expire?", source="model")
    )
    assert "words of its own" in strays.reason
    short = curation().decide(draft("How long are the credits and tickets of the company?", source="model"))
    assert "leaves out" in short.reason
    good = curation().decide(draft("How long does it take for credits from cancelled tickets to expire?", source="model"))
    assert good.reason.startswith("trivial")
    assert curation().decide(draft("How long after do credits from cancelled tickets expire?", source="model")).reason == ""


def test_the_same_question_is_accepted_once_however_it_is_written() -> None:
    one = curation()
    assert one.decide(draft()).reason == ""
    assert one.decide(draft(f"{GOOD.lower()}")).reason.startswith("duplicate: ")
    assert curation(known=[GOOD]).decide(draft()).reason.startswith("duplicate: ")


def test_an_evaluation_question_is_never_trained_on() -> None:
    protected = ["After how many months do the credits from cancelled tickets expire?"]
    assert curation(protected=protected).decide(draft()).reason.startswith("leak: ")
    assert curation(protected=["How much is a hot lunch in Lund?"]).decide(draft()).reason == ""


def test_what_the_index_does_not_find_is_rejected() -> None:
    assert "does not bring its passage" in curation(OTHER).decide(draft()).reason


def test_an_answer_that_the_passage_does_not_bear_out_is_rejected() -> None:
    reason = curation().decide(draft(answer="Credits from cancelled tickets expire after 14 months.")).reason
    assert reason.startswith("judge: ")


def test_the_index_is_searched_with_the_callers_rights() -> None:
    retriever, access = Found(PASSAGE), Access.of("hr")
    Curation(retriever=retriever, judge=HouseJudge(), protected=(), known=(), access=access).decide(draft())
    assert retriever.asked == [(GOOD, access)]


def test_the_key_of_a_question_holds_neither_frame_nor_punctuation() -> None:
    assert question_key("请问年假有几天？") == question_key("年假有几天?")
    assert question_key(GOOD) == question_key(GOOD.removesuffix("?").lower())


@pytest.mark.parametrize(
    ("question", "seen"),
    [
        ("After how many years do credits from cancelled tickets expire?", "it counts years"),
        ("What is the credits from cancelled tickets and their use?", "does not ask for a duration"),
        ("How long does credits from cancelled tickets takes to expire?", "takes does not agree"),
    ],
)
def test_a_model_may_not_ask_for_another_value(question: str, seen: str) -> None:
    assert seen in curation().decide(draft(question, source="model")).reason
