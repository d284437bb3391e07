"""The chat model rewords questions: bound to a schema, concurrently, and without a seed."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import openai
import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from openai.types.chat import ChatCompletion
from pydantic import PrivateAttr

from finetune.drafting import Drafting, beginnings, instruction_hash
from finetune.points import Asked, Point
from ingest.errors import Unavailable


class Rewording(BaseChatModel):
    """Answers with the beginning that it is bound to and fixed words; remembers what it was asked with."""

    rest: str = " is the price of a hot lunch in the canteen?"
    broken: bool = False
    lost: bool = False
    endless: bool = False
    _calls: list[tuple[list[BaseMessage], dict[str, Any]]] = PrivateAttr(default_factory=list)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "rewording"

    @property
    def calls(self) -> list[tuple[list[BaseMessage], dict[str, Any]]]:
        return self._calls

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.lost:
            raise ConnectionError("refused")
        if self.endless:
            raise openai.LengthFinishReasonError(
                completion=ChatCompletion(id="1", choices=[], created=0, model="small", object="chat.completion")
            )
        with self._lock:
            self._calls.append((messages, kwargs))
        pattern = kwargs["response_format"]["json_schema"]["schema"]["properties"]["question"]["pattern"]
        begin = pattern.removeprefix("^").split(" [")[0]
        text = begin + self.rest if self.broken else json.dumps({"question": begin + self.rest})
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


def point(
    asked: Asked = Asked.AMOUNT, question: str = "How much does the canteen charge for a hot lunch?", topic: str = ""
) -> Point:
    evidence = "The canteen charges EUR 4.80 for a hot lunch."
    return Point("how-much", asked, "en", evidence, evidence[:-1], "EUR 4.80", evidence, topic, (question,))


def test_each_draft_begins_with_another_question_word_than_the_given_question() -> None:
    assert beginnings(point())[:2] == ["What amount", "What is the amount"]
    chat = Rewording()
    (drafts,) = Drafting(chat).questions([point()], drafts=2)
    assert drafts == [f"{begin} is the price of a hot lunch in the canteen?" for begin in ("What amount", "What is the amount")]


def test_the_model_is_bound_to_a_schema_decodes_greedily_and_gets_no_seed() -> None:
    chat = Rewording()
    Drafting(chat).questions([point()], drafts=1)
    messages, options = chat.calls[0]
    schema = options["response_format"]["json_schema"]["schema"]
    assert re.match(schema["properties"]["question"]["pattern"], "What amount is charged for lunch?")
    assert options["temperature"] == 0
    assert "seed" not in options
    assert messages[-1].content == "How much does the canteen charge for a hot lunch?"


def test_the_heading_is_taken_off_for_the_model_and_put_on_again_where_it_is_needed() -> None:
    chat = Rewording(rest=" do you pay?")
    about = "Meals in the canteen"
    (drafts,) = Drafting(chat).questions([point(question=f"Regarding “{about}”, how much do you pay?", topic=about)], drafts=1)
    assert chat.calls[0][0][-1].content == "How much do you pay?"
    assert drafts == [f"Regarding “{about}”, what amount do you pay?"]


def test_what_is_no_json_is_no_draft() -> None:
    assert Drafting(Rewording(broken=True)).questions([point(), point()], drafts=2) == [[], []]


def test_a_question_that_its_tokens_cut_short_is_no_draft() -> None:
    assert Drafting(Rewording(endless=True)).questions([point()], drafts=2) == [[]]


def test_a_point_without_a_question_is_not_asked_about() -> None:
    chat = Rewording()
    empty = Point("how-much", Asked.AMOUNT, "en", "EUR 4.", "EUR 4", "EUR 4", "EUR 4.", "", ())
    assert Drafting(chat).questions([empty], drafts=3) == [[]]
    assert chat.calls == []


def test_a_lost_engine_is_said_plainly() -> None:
    with pytest.raises(Unavailable, match="engine failed while it wrote questions"):
        Drafting(Rewording(lost=True)).questions([point()], drafts=1)


def test_the_instruction_has_one_hash() -> None:
    assert instruction_hash() == instruction_hash()
    assert len(instruction_hash()) == 64
