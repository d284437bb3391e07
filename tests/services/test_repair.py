"""What becomes of weak evidence and of sentences that no document bears out, by policy; and that it can be seen."""

from __future__ import annotations

import asyncio

import pytest

import services.answering
from eval.evidence import EvidenceVerdict
from eval.types import Answer, Arm, Fault, RepairAction, Style
from ingest.types import Access
from services.drafting import Doubted, JudgedSentence, Removed
from services.policy import Unsupported, WeakEvidence
from services.prompts import ServingPrompts
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

TRAINS = "Trains are booked in second class."
EXPIRY = "Unused days expire at the end of March."


async def answered(chat: FakeChat, policy: Unsupported, *, style: Style = Style.GENERATED, shelf: Shelf | None = None) -> Answer:
    shelf = shelf or Shelf(HOLIDAY, HOTEL)
    events = await told(answering(shelf, chat, unsupported=policy), style=style)
    assert_sound(events, shelf)
    return answer_of(events)


async def test_an_unsupported_sentence_is_written_once_more_from_its_evidence() -> None:
    shelf, chat = Shelf(HOLIDAY, HOTEL), FakeChat(answer=f"{RIGHT} {WRONG}", later=f"{EXPIRY} [1] And elephants.")
    events = await told(answering(shelf, chat, unsupported=Unsupported.REGENERATE), style=Style.GENERATED)
    assert_sound(events, shelf)
    answer = answer_of(events)
    assert [one.text for one in answer.sentences] == [RIGHT, EXPIRY]
    replaced = answer.sentences[1].replaces
    assert replaced is not None
    assert (replaced.text, replaced.action) == (WRONG, RepairAction.REGENERATED)
    assert "does not hold" in replaced.reason
    assert answer.sentences[1].supported
    assert answer.citations[answer.sentences[1].citations[0] - 1].quote == EXPIRY
    assert answer.usage["prompt_tokens"] == 7  # the repair ended after its first sentence, before it told what it used
    doubted = [place for place, event in enumerate(events) if isinstance(event, Doubted)]
    assert isinstance(events[doubted[0] + 1], JudgedSentence)


async def test_the_repair_names_the_unsupported_part_and_reads_the_nearest_passages() -> None:
    wrong = "A full-time employee has 27 days of paid holiday and a golden bicycle with wooden pedals."
    chat = FakeChat(answer=wrong, later=RIGHT)
    shelf = Shelf(HOTEL, "Nothing about it stands here.", HOLIDAY)
    await answered(chat, Unsupported.REGENERATE, shelf=shelf)
    (_, prompt) = chat.prompts
    assert f"Sentence: {wrong}" in prompt
    assert "golden bicycle with wooden pedals" in prompt.rsplit("Not borne out:", 1)[1]
    assert HOLIDAY in prompt
    assert "Nothing about it" not in prompt


@pytest.mark.parametrize("later", [WRONG, "The moon pays for elephants on Sundays.", TRAINS, ServingPrompts().refusal("en")])
async def test_what_is_no_better_the_second_time_gives_way_to_a_quote(later: str) -> None:
    chat = FakeChat(answer=WRONG, later=later)
    answer = await answered(chat, Unsupported.REGENERATE)
    (quoted,) = answer.sentences
    assert (quoted.style, HOLIDAY.startswith(quoted.text)) == (Style.QUOTES, True)
    assert quoted.replaces is not None
    assert (quoted.replaces.text, quoted.replaces.action) == (WRONG, RepairAction.QUOTED)
    assert len(chat.prompts) == 2


@pytest.mark.parametrize("policy", [Unsupported.QUOTE, Unsupported.REGENERATE])
async def test_what_the_answer_says_or_cites_already_is_not_said_again(policy: Unsupported) -> None:
    answer = await answered(FakeChat(answer=f"{RIGHT} {WRONG}", later=RIGHT), policy)
    assert [one.text for one in answer.sentences] == [RIGHT]
    assert [(one.text, one.action) for one in answer.removed] == [(WRONG, RepairAction.REMOVED)]


async def test_an_answer_of_which_nothing_is_left_is_an_abstention() -> None:
    answer = await answered(FakeChat(answer=WRONG), Unsupported.REMOVE)
    assert (answer.abstained, answer.reason) == (True, "nothing that the chat model wrote is borne out by the passages")
    assert "Nearest passages: handbook.pdf" in answer.answer
    assert [one.text for one in answer.removed] == [WRONG]


async def test_a_quote_takes_the_place_of_an_unsupported_sentence() -> None:
    answer = await answered(FakeChat(answer=f"{TRAINS} {WRONG}"), Unsupported.QUOTE)
    written, quoted = answer.sentences
    assert (written.replaces, quoted.style) == (None, Style.QUOTES)
    assert quoted.replaces is not None
    assert (quoted.replaces.text, quoted.replaces.action) == (WRONG, RepairAction.QUOTED)
    assert answer.style is Style.MIXED


async def test_a_sentence_is_left_out_or_marked() -> None:
    removed = await answered(FakeChat(answer=f"{RIGHT} {WRONG}"), Unsupported.REMOVE)
    assert (len(removed.sentences), [one.text for one in removed.removed]) == (1, [WRONG])
    marked = await answered(FakeChat(answer=f"{RIGHT} {WRONG}"), Unsupported.MARK)
    assert (len(marked.sentences), marked.removed) == (2, ())
    assert "(not supported by the documents)" in marked.answer


@pytest.mark.parametrize("policy", [Unsupported.MARK, Unsupported.QUOTE, Unsupported.REMOVE])
async def test_where_quotes_follow_nothing_unsupported_is_shown(policy: Unsupported) -> None:
    chat = FakeChat(answer=f"{RIGHT} {WRONG}")
    answer = await answered(chat, policy, style=Style.MIXED)
    assert [one.text for one in answer.removed] == [WRONG]
    assert all(one.supported for one in answer.sentences)
    assert all(one.replaces is None for one in answer.sentences)


async def test_what_cannot_be_judged_is_shown_as_that_and_not_repaired() -> None:
    chat = FakeChat(answer=f"{RIGHT} Yes.")
    answer = await answered(chat, Unsupported.REGENERATE)
    unjudged = answer.sentences[1]
    assert (unjudged.judged, unjudged.supported, unjudged.replaces) == (False, False, None)
    assert "Yes. (not checked against the documents)" in answer.answer
    assert len(chat.prompts) == 1


async def test_every_removal_is_told_when_it_happens() -> None:
    events = await told(
        answering(Shelf(HOLIDAY), FakeChat(answer=f"{WRONG} {RIGHT}"), unsupported=Unsupported.REMOVE), style=Style.GENERATED
    )
    kinds = [type(event) for event in events if isinstance(event, Removed | JudgedSentence)]
    assert kinds == [Removed, JudgedSentence]


async def test_closing_the_stream_stops_a_repair() -> None:
    chat = FakeChat(answer=WRONG, later="", endless=True)  # its second answer never comes
    one = answering(Shelf(HOLIDAY), chat, unsupported=Unsupported.REGENERATE)
    events = one.stream(QUESTION, access=Access.of(), arm=Arm.RAG, style=Style.GENERATED)
    while not isinstance(await anext(events), Doubted):
        pass
    repairing = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.05)
    assert len(chat.prompts) == 2
    repairing.cancel()
    await asyncio.gather(repairing, return_exceptions=True)
    await events.aclose()
    async with asyncio.timeout(10):
        while chat.running:
            await asyncio.sleep(0.01)


async def test_weak_evidence_is_refused_asked_about_quoted_or_answered_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = EvidenceVerdict(0.1, False, "nothing speaks of: moon base", ("moon base",))
    monkeypatch.setattr(services.answering, "judge_evidence", lambda *_asked, **_how: weak)
    question = "What does a hotel night on the moon base cost?"
    shelf, chat = Shelf(HOTEL, HOLIDAY), FakeChat(answer="A hotel night in Germany is paid up to 140 euros.")
    found = {}
    for policy in WeakEvidence:
        events = await told(answering(shelf, chat, weak_evidence=policy), question, style=Style.GENERATED)
        assert_sound(events, shelf)
        found[policy] = answer_of(events)
    refused, asked, quoted, marked = (found[policy] for policy in WeakEvidence)
    assert (refused.abstained, refused.asks) == (True, None)
    assert asked.abstained
    assert asked.asks is not None
    assert asked.asks in asked.answer
    assert "moon base" in asked.asks
    assert (asked.reason, asked.nearest) == (refused.reason, refused.nearest)
    assert (quoted.abstained, quoted.style, len(chat.prompts)) == (False, Style.QUOTES, 1)
    assert (marked.abstained, marked.style) == (False, Style.GENERATED)
    for answer in (quoted, marked):
        assert answer.reason == "the evidence is weak: nothing speaks of: moon base"


async def test_nothing_found_is_refused_by_every_policy() -> None:
    for policy in WeakEvidence:
        answer = answer_of(await told(answering(Shelf(), FakeChat(answer=RIGHT), weak_evidence=policy)))
        assert (answer.abstained, answer.asks) == (True, None)


@pytest.mark.parametrize(
    ("question", "text", "wrong"), [(QUESTION, HOLIDAY, WRONG), (QUESTION_ZH, LEAVE, "紫色大象每周四发工资。")]
)
async def test_a_sentence_says_what_is_wrong_with_it(question: str, text: str, wrong: str) -> None:
    answer = answer_of(await told(answering(Shelf(text), FakeChat(answer=wrong)), question, style=Style.GENERATED))
    (sentence,) = answer.sentences
    assert sentence.judged
    assert sentence.fault in {None, *Fault}
    assert answer.answer.endswith((")", "）"))
