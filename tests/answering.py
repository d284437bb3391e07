"""An answering over a shelf of texts and a stand-in model, and what every stream of events must be."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from eval.judge import HouseJudge
from eval.types import Answer, Arm, Quote, Style
from ingest.conversation import Turn
from ingest.errors import NotFound, Unavailable
from ingest.types import Access, Bbox, Hit
from services.answering import Answering, ChatAbility
from services.drafting import Done, Event, JudgedSentence
from services.policy import Unsupported, WeakEvidence
from services.prompts import ServingPrompts
from services.settings import AnswerSettings
from tests.fakes import FakeChat

HOLIDAY = "Every full-time employee has 27 days of paid holiday in each calendar year. Unused days expire at the end of March."
HOTEL = "A hotel night in Germany is paid up to 140 euros, breakfast included. Trains are booked in second class."
LEAVE = "正式员工每个日历年享有二十七天带薪年假。未使用的年假在三月底作废。"
QUESTION = "How many days of paid holiday does a full-time employee have in each calendar year?"
QUESTION_ZH = "正式员工每个日历年享有多少天带薪年假？"
RIGHT = "A full-time employee has 27 days of paid holiday in each calendar year."
WRONG = "Purple elephants deliver the payslips on Thursdays."
BOX = (1.0, 2.0, 3.0, 4.0)


def hit(text: str, *, name: str = "handbook.pdf", number: int = 1) -> Hit:
    return Hit(name, f"doc_{number}", 1, number, f"chk_{number}", 1.0 / number, text, 0, ("Leave",))


class Shelf:
    """A retriever that finds these texts, whatever is asked, and remembers what and on whose behalf."""

    def __init__(self, *texts: str) -> None:
        self.hits = [hit(text, number=number) for number, text in enumerate(texts, start=1)]
        self.asked: list[tuple[str, Access]] = []

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        self.asked.append((query, access))
        return self.hits[:limit]


def answering(
    shelf: Shelf,
    chat: FakeChat | None,
    *,
    writes: Sequence[str] = ("zh", "en"),
    generated: float = 1.0,
    quotes: float = 0.0,
    unsupported: Unsupported = Unsupported.MARK,
    weak_evidence: WeakEvidence = WeakEvidence.REFUSE,
) -> Answering:
    def model(arm: Arm, _access: Access) -> FakeChat:
        if arm in (Arm.TUNED, Arm.TUNED_RAG):
            raise NotFound("no adapter is live")
        if chat is None:
            raise Unavailable("the language model is not running")
        return chat

    def boxes(_quote: Quote, _access: Access) -> tuple[Bbox, ...]:
        return (BOX,)

    rates = [dict.fromkeys(("zh", "en"), rate) for rate in (generated, quotes)]
    ability = ChatAbility(generated=rates[0], quotes=rates[1], writes=frozenset(writes))
    settings = AnswerSettings(unsupported=unsupported, weak_evidence=weak_evidence)
    return Answering(
        retriever=shelf,
        chat=model,
        ability=ability,
        judge=HouseJudge(),
        boxes=boxes,
        prompts=ServingPrompts(),
        settings=settings,
    )


async def told(
    one: Answering,
    question: str = QUESTION,
    *,
    arm: Arm = Arm.RAG,
    style: Style = Style.AUTO,
    history: Sequence[Turn] = (),
    access: Access = Access.of(),  # noqa: B008 - frozen
) -> list[Event]:
    async with aclosing(one.stream(question, access=access, arm=arm, style=style, history=history)) as events:
        return [event async for event in events]


def answer_of(events: Sequence[Event]) -> Answer:
    assert isinstance(events[-1], Done)
    return events[-1].answer


def assert_sound(events: Sequence[Event], shelf: Shelf) -> None:
    """What every stream and every answer must be."""
    answer = answer_of(events)
    pieces = [event for event in events if isinstance(event, JudgedSentence)]
    assert [piece.index for piece in pieces] == list(range(len(pieces)))
    assert [piece.sentence for piece in pieces] == list(answer.sentences)
    if not answer.abstained:
        assert "".join(piece.shown for piece in pieces) == answer.answer
    assert [citation.marker for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    by_chunk = {one.chunk: one for one in shelf.hits}
    for citation in answer.citations:
        assert citation.quote in by_chunk[citation.chunk].text
        assert citation.bbox == (BOX,)
    cited = {marker for sentence in answer.sentences for marker in sentence.citations}
    assert cited == {citation.marker for citation in answer.citations}
    for sentence in answer.sentences:
        assert 0.0 <= sentence.support <= 1.0
        if sentence.style is Style.QUOTES:
            assert any(sentence.text in one.text for one in shelf.hits)
        for marker in sentence.citations:
            assert f"[{marker}]" in answer.answer
