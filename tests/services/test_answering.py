"""From a question to its checked answer: what is generated is judged, what is quoted is exact, what is weak is not answered."""

from __future__ import annotations

import asyncio

import pytest

from eval.types import Arm, Style
from ingest.conversation import Turn
from ingest.errors import InputRefused, NotFound, Unavailable
from ingest.types import Access
from services.drafting import Sources
from services.prompts import ServingPrompts
from services.writing import Token
from tests.answering import (
    HOLIDAY,
    HOTEL,
    LEAVE,
    QUESTION,
    QUESTION_ZH,
    RIGHT,
    WRONG,
    Shelf,
    answer_of,
    answering,
    assert_sound,
    told,
)
from tests.fakes import FakeChat


async def test_a_generated_answer_is_judged_sentence_by_sentence() -> None:
    shelf, chat = Shelf(HOLIDAY, HOTEL), FakeChat(answer=f"{RIGHT} [2] {WRONG}")
    events = await told(answering(shelf, chat), style=Style.GENERATED)
    assert_sound(events, shelf)
    answer = answer_of(events)
    assert [(one.text, one.supported) for one in answer.sentences] == [(RIGHT, True), (WRONG, False)]
    assert answer.citations[0].quote == HOLIDAY.split(". ")[0] + "."
    assert answer.sentences[1].citations == ()
    assert "not supported" in answer.answer
    assert isinstance(events[0], Sources)
    assert "".join(event.text for event in events if isinstance(event, Token)).split() == chat.answer.split()
    assert answer.usage == {"prompt_tokens": 7, "completion_tokens": len(chat.answer.split(" "))}
    assert answer.timings_ms.keys() == {"search", "first_token", "total"}


@pytest.mark.parametrize(("question", "text", "language"), [(QUESTION, HOLIDAY, "en"), (QUESTION_ZH, LEAVE, "zh")])
async def test_a_quoted_answer_is_word_for_word_and_needs_no_engine(question: str, text: str, language: str) -> None:
    shelf = Shelf(text, HOTEL)
    for style in (Style.QUOTES, Style.AUTO):
        events = await told(answering(shelf, None), question, style=style)
        assert_sound(events, shelf)
        answer = answer_of(events)
        assert (answer.style, answer.language, answer.abstained) == (Style.QUOTES, language, False)
        assert text.startswith(answer.sentences[0].text)
        assert (answer.reason is None) is (style is Style.QUOTES)


async def test_the_frame_of_a_quote_says_when_it_is_in_another_language() -> None:
    shelf = Shelf("XR-200 型泵的价格 price 为每台 3000 元。")
    answer = answer_of(await told(answering(shelf, None), "What is the price of the XR-200?"))
    assert answer.answer.startswith("The documents say, in Chinese:")
    assert answer.citations[0].quote == shelf.hits[0].text


async def test_a_model_that_does_not_write_the_language_is_not_asked() -> None:
    shelf, chat = Shelf(LEAVE), FakeChat(answer="年假是二十七天。")
    answer = answer_of(await told(answering(shelf, chat, writes=["en"]), QUESTION_ZH))
    assert (answer.style, chat.prompts) == (Style.QUOTES, [])


async def test_a_model_that_is_worse_than_quoting_is_shown_with_the_quote_that_bears_it_out() -> None:
    shelf = Shelf(HOLIDAY, HOTEL)
    weak = answering(shelf, FakeChat(answer=f"{RIGHT} {WRONG}"), generated=0.4, quotes=0.8)
    events = await told(weak)
    assert_sound(events, shelf)
    answer = answer_of(events)
    assert answer.style is Style.MIXED
    assert [one.style for one in answer.sentences][:2] == [Style.GENERATED, Style.QUOTES]
    assert WRONG not in answer.answer
    only_wrong = answering(shelf, FakeChat(answer=WRONG), generated=0.4, quotes=0.8)
    quoted = answer_of(await told(only_wrong))
    assert (quoted.style, quoted.abstained) == (Style.QUOTES, False)


async def test_a_quote_that_the_model_copied_is_not_shown_twice() -> None:
    shelf = Shelf(HOLIDAY)
    copied = HOLIDAY.split(". ")[0] + "."
    answer = answer_of(await told(answering(shelf, FakeChat(answer=copied), generated=0.4, quotes=0.8)))
    assert answer.answer.count(copied) == 1


async def test_a_question_that_the_documents_do_not_answer_is_not_answered() -> None:
    shelf, chat = Shelf(HOTEL), FakeChat(answer="The boiling point is 5555 degrees.")
    for style in (Style.AUTO, Style.GENERATED, Style.QUOTES):
        events = await told(answering(shelf, chat), "What is the boiling point of tungsten?", style=style)
        assert_sound(events, shelf)
        answer = answer_of(events)
        assert (answer.abstained, answer.citations, answer.sentences) == (True, (), ())
        assert answer.reason
        assert answer.reason.rstrip(".") in answer.answer
        assert "handbook.pdf, page 1" in answer.answer
        assert len(answer.nearest) == 1
    assert chat.prompts == []
    nothing = answer_of(await told(answering(Shelf(), chat)))
    assert (nothing.abstained, nothing.nearest) == (True, ())


async def test_a_model_that_refuses_is_an_abstention() -> None:
    shelf = Shelf(HOLIDAY)
    for quotes in (0.0, 1.1):  # less right than what the model writes, or more, so that both are shown
        answer = answer_of(await told(answering(shelf, FakeChat(answer=ServingPrompts().refusal("en")), quotes=quotes)))
        assert (answer.abstained, answer.sentences) == (True, ())
        assert answer.reason == "the chat model found no answer in the passages"


@pytest.mark.parametrize("arm", [Arm.RAG, Arm.BASE])
async def test_a_model_that_repeats_itself_is_stopped(arm: Arm) -> None:
    chat = FakeChat(answer=RIGHT, endless=True)
    answer = answer_of(await told(answering(Shelf(HOLIDAY), chat), arm=arm, style=Style.GENERATED))
    assert [one.text for one in answer.sentences] == [RIGHT]
    await asyncio.wait_for(chat.closed.wait(), timeout=10)
    assert chat.finished == 0


async def test_the_models_own_markers_are_not_believed() -> None:
    answer = answer_of(await told(answering(Shelf(HOTEL, HOLIDAY), FakeChat(answer=f"{RIGHT} [1]")), style=Style.GENERATED))
    (citation,) = answer.citations
    assert (citation.marker, citation.page) == (1, 2)


async def test_the_model_alone_sees_no_document_and_is_not_judged() -> None:
    shelf, chat = Shelf(HOLIDAY), FakeChat(answer="Thirty days. Perhaps more.")
    events = await told(answering(shelf, chat), arm=Arm.BASE)
    answer = answer_of(events)
    assert shelf.asked == []
    assert "27" not in chat.prompts[0]
    assert [(one.supported, one.citations) for one in answer.sentences] == [(False, ())] * 2
    assert answer.answer == "Thirty days. Perhaps more."
    assert answer.sentences[0].reason


async def test_a_question_that_leans_on_the_one_before_is_searched_with_its_words() -> None:
    shelf = Shelf(HOLIDAY)
    history = [Turn("user", QUESTION), Turn("assistant", "27 days.")]
    await told(answering(shelf, None), "And managers?", history=history)
    await told(answering(shelf, None), "What does a hotel night in Germany cost at most?", history=history)
    assert [query for query, _ in shelf.asked] == [
        "days paid holiday full-time employee each calendar year\nAnd managers?",
        "What does a hotel night in Germany cost at most?",
    ]


async def test_every_search_is_made_on_the_callers_behalf() -> None:
    shelf = Shelf(HOLIDAY)
    await told(answering(shelf, None), access=Access.of("board"))
    assert shelf.asked == [(QUESTION, Access.of("board"))]


@pytest.mark.parametrize(
    ("question", "arm", "style", "error"),
    [
        ("  ", Arm.RAG, Style.AUTO, InputRefused),
        (QUESTION, Arm.RAG, Style.GENERATED, Unavailable),
        (QUESTION, Arm.BASE, Style.AUTO, Unavailable),
        (QUESTION, Arm.BASE, Style.QUOTES, InputRefused),
        (QUESTION, Arm.TUNED, Style.AUTO, NotFound),
        (QUESTION, Arm.TUNED_RAG, Style.QUOTES, NotFound),
        (QUESTION, Arm.TUNED_RAG, Style.AUTO, NotFound),
    ],
)
async def test_what_cannot_be_done_is_said_before_the_first_event(question: str, arm: Arm, style: Style, error: type) -> None:
    with pytest.raises(error):
        await anext(answering(Shelf(HOLIDAY), None).stream(question, access=Access.of(), arm=arm, style=style))


async def test_an_engine_that_fails_in_the_middle_says_so() -> None:
    chat = FakeChat(answer=RIGHT, fails_after=3)
    with pytest.raises(Unavailable, match="failed while it wrote"):
        await told(answering(Shelf(HOLIDAY), chat), style=Style.GENERATED)


async def test_closing_the_stream_stops_the_model() -> None:
    chat = FakeChat(answer="word", endless=True)
    events = answering(Shelf(HOLIDAY), chat).stream(QUESTION, access=Access.of(), arm=Arm.RAG, style=Style.GENERATED)
    async for event in events:
        if isinstance(event, Token):
            break
    await events.aclose()
    await asyncio.wait_for(chat.closed.wait(), timeout=10)
    written = chat.written
    await asyncio.sleep(0.05)
    assert chat.written == written
