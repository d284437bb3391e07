"""Several arms at once: one search, every arm judged alike, an arm that fails leaves the others alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import pytest

from eval.judge import HouseJudge
from eval.types import Answer, Arm, Style
from ingest.conversation import Turn, condensed
from ingest.errors import GraftError, InputRefused, NotFound, Unavailable
from ingest.types import Access
from services.answering import Answering, ChatAbility
from services.comparing import Failed, merged
from services.drafting import Done, Event, JudgedSentence, Sources
from services.prompts import ServingPrompts
from services.settings import AnswerSettings
from services.writing import Token
from tests.answering import HOLIDAY, HOTEL, QUESTION, RIGHT, WRONG, Shelf
from tests.fakes import FakeChat

ALL = tuple(Arm)

Told = list[tuple[Arm | None, Event | Failed]]


def answering(shelf: Shelf, chats: Mapping[Arm, FakeChat | GraftError]) -> Answering:
    def model(arm: Arm, _access: Access) -> FakeChat:
        chat = chats.get(arm, NotFound(f"there is no arm {arm}"))
        if isinstance(chat, GraftError):
            raise chat
        return chat

    return Answering(
        retriever=shelf,
        chat=model,
        ability=ChatAbility(generated={}, quotes={}, writes=frozenset({"zh", "en"})),
        judge=HouseJudge(),
        boxes=lambda _quote, _access: ((1.0, 2.0, 3.0, 4.0),),
        prompts=ServingPrompts(),
        settings=AnswerSettings(),
    )


async def compared(one: Answering, question: str = QUESTION, *, arms: Sequence[Arm] = ALL, history: Sequence[Turn] = ()) -> Told:
    async with aclosing(one.compare(question, access=Access.of("hr"), arms=arms, history=history)) as events:
        return [event async for event in events]


def answers(told: Told) -> dict[Arm | None, Answer]:
    return {arm: event.answer for arm, event in told if isinstance(event, Done)}


async def test_all_arms_answer_from_one_search_on_the_callers_behalf() -> None:
    shelf = Shelf(HOLIDAY, HOTEL)
    chats = {arm: FakeChat(answer=f"{RIGHT} {WRONG}") for arm in ALL}
    told = await compared(answering(shelf, chats))
    assert shelf.asked == [(QUESTION, Access.of("hr"))]
    assert told[0] == (None, Sources(tuple(shelf.hits)))
    assert sum(isinstance(event, Sources) for _, event in told) == 1
    for arm in ALL:
        own = [event for name, event in told if name is arm]
        assert isinstance(own[-1], Done)
        words = "".join(event.text for event in own if isinstance(event, Token))
        assert words.split() == chats[arm].answer.split()
        assert [event.sentence for event in own if isinstance(event, JudgedSentence)] == list(own[-1].answer.sentences)
        assert own[-1].answer.style is Style.GENERATED
        assert {"total", "first_token"} <= own[-1].answer.timings_ms.keys()


async def test_the_model_alone_sees_no_passage_and_is_judged_by_the_same_ones() -> None:
    shelf = Shelf(HOLIDAY, HOTEL)
    chats = {arm: FakeChat(answer=f"{RIGHT} {WRONG}") for arm in ALL}
    found = answers(await compared(answering(shelf, chats)))
    verdicts = {arm: [(one.text, one.support, one.supported) for one in answer.sentences] for arm, answer in found.items()}
    assert len({str(verdict) for verdict in verdicts.values()}) == 1
    assert [supported for *_, supported in verdicts[Arm.BASE]] == [True, False]
    for arm in (Arm.BASE, Arm.TUNED):
        assert "27" not in chats[arm].prompts[0]
        assert "search" not in found[arm].timings_ms
    for arm in (Arm.RAG, Arm.TUNED_RAG):
        assert HOLIDAY in chats[arm].prompts[0]
        assert "search" in found[arm].timings_ms


async def test_weak_evidence_makes_only_the_arms_abstain_that_read_it() -> None:
    shelf = Shelf(HOTEL)
    chats = {arm: FakeChat(answer=WRONG) for arm in ALL}
    found = answers(await compared(answering(shelf, chats), "What is the boiling point of tungsten?"))
    assert {arm for arm, answer in found.items() if answer.abstained} == {Arm.RAG, Arm.TUNED_RAG}
    assert chats[Arm.RAG].prompts == []
    assert [one.supported for one in found[Arm.BASE].sentences] == [False]


async def test_without_any_passage_nothing_that_is_said_is_supported() -> None:
    found = answers(await compared(answering(Shelf(), {Arm.BASE: FakeChat(answer=RIGHT)}), arms=[Arm.BASE]))
    (sentence,) = found[Arm.BASE].sentences
    assert (sentence.supported, sentence.support) == (False, 0.0)
    assert sentence.reason


async def test_a_model_that_refuses_abstains_with_or_without_passages() -> None:
    chats = {arm: FakeChat(answer=ServingPrompts().refusal("en")) for arm in ALL}
    found = answers(await compared(answering(Shelf(HOLIDAY), chats)))
    assert all(answer.abstained for answer in found.values())
    assert "was given no passages" in (found[Arm.TUNED].reason or "")
    assert "in the passages" in (found[Arm.TUNED_RAG].reason or "")


async def test_arms_that_fail_say_why_and_do_not_end_the_others() -> None:
    chats = {
        Arm.BASE: FakeChat(answer=RIGHT, fails_after=2),
        Arm.RAG: FakeChat(answer=RIGHT),
        Arm.TUNED: NotFound("no adapter is live"),
        Arm.TUNED_RAG: Unavailable("the adapter's engine is starting"),
    }
    told = await compared(answering(Shelf(HOLIDAY), chats))
    failed = {arm: event.error for arm, event in told if isinstance(event, Failed)}
    assert {arm: type(error) for arm, error in failed.items()} == {
        Arm.BASE: Unavailable,
        Arm.TUNED: NotFound,
        Arm.TUNED_RAG: Unavailable,
    }
    assert "failed while it wrote" in str(failed[Arm.BASE])
    assert [one.text for one in answers(told)[Arm.RAG].sentences] == [RIGHT]


async def test_an_arm_that_is_asked_twice_answers_once() -> None:
    told = await compared(answering(Shelf(HOLIDAY), {Arm.BASE: FakeChat(answer=RIGHT)}), arms=[Arm.BASE, Arm.BASE])
    assert sum(isinstance(event, Done) for _, event in told) == 1


async def test_a_follow_up_leans_on_the_question_before_it() -> None:
    shelf = Shelf(HOLIDAY)
    await compared(answering(shelf, {}), "And managers?", history=[Turn("user", QUESTION)])
    assert shelf.asked[0][0] == condensed("And managers?", [Turn("user", QUESTION)]) != "And managers?"


@pytest.mark.parametrize(("question", "arms"), [("  ", ALL), (QUESTION, ())])
async def test_what_cannot_be_compared_is_said_before_the_first_event(question: str, arms: Sequence[Arm]) -> None:
    with pytest.raises(InputRefused):
        await compared(answering(Shelf(HOLIDAY), {}), question, arms=arms)


async def test_closing_a_comparison_stops_every_model() -> None:
    chats = {arm: FakeChat(answer="word", endless=True) for arm in ALL}
    events = answering(Shelf(HOLIDAY), chats).compare(QUESTION, access=Access.of(), arms=ALL)
    writing: set[Arm | None] = set()
    async for arm, event in events:
        if isinstance(event, Token):
            writing.add(arm)
        if writing == set(ALL):
            break
    await events.aclose()
    assert all(chat.closed.is_set() for chat in chats.values())
    written = [chat.written for chat in chats.values()]
    await asyncio.sleep(0.05)
    assert [chat.written for chat in chats.values()] == written


def test_an_arm_is_there_unless_no_model_serves_it_to_the_caller() -> None:
    chats = {Arm.BASE: FakeChat(), Arm.RAG: Unavailable("the language model is starting")}
    assert answering(Shelf(), chats).arms(Access.of()) == {
        Arm.BASE: "",
        Arm.RAG: "",
        Arm.TUNED: "there is no arm tuned",
        Arm.TUNED_RAG: "there is no arm tuned-rag",
    }


async def test_streams_are_merged_as_they_come_and_not_one_after_the_other() -> None:
    turn = asyncio.Event()

    async def first() -> AsyncGenerator[int, None]:
        yield 1
        await turn.wait()
        yield 3

    async def second() -> AsyncGenerator[int, None]:
        yield 2
        turn.set()

    assert [item async for item in merged({"a": first(), "b": second()})] == [("a", 1), ("b", 2), ("a", 3)]


async def test_an_error_that_nobody_raised_on_purpose_is_not_hidden() -> None:
    closed = asyncio.Event()

    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        raise ZeroDivisionError

    async def endless() -> AsyncGenerator[int, None]:
        try:
            await asyncio.Event().wait()
            yield 1
        finally:
            closed.set()

    with pytest.raises(ZeroDivisionError):
        _ = [item async for item in merged({"a": broken(), "b": endless()})]
    assert closed.is_set()
