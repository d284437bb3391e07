"""The chat model words questions anew: a rule has picked the value and asked for it once, the model asks in other words.

A small model asked for a question of its own mostly asks for something else: 9 of 120 such drafts passed curation, given a
right question to reword 38 of 77 (SmolLM2-135M-Instruct, English). In Chinese it copies or breaks the question.

Its output is bound to a JSON schema whose pattern begins with another fitting question word, so that it does not just repeat.
Decoding is greedy and no seed is sent: the same points give the same drafts, and vLLM 0.32 on a CPU dies of a seeded request
whose prompt it computes in two steps. What is drafted here is only a draft: `finetune.curation` decides.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from finetune.points import Asked, Point, bare_question, under_heading
from ingest.errors import Unavailable

CONCURRENT = 16
"""Requests under way at a time; the engine answers them in one batch."""
_TOKENS = 48

_INSTRUCTION = "Ask the same question in other words. Keep the names and things."
_EXAMPLES = (
    ("How many hours is a full-time week in Lund?", "How long do people in Lund work in a full-time week?"),
    ("What is the delivery time for spare parts?", "How many days does the delivery of spare parts take?"),
    (
        "Above what amount are orders approved by the plant manager?",
        "What amount must an order exceed to be approved by the plant manager?",
    ),
    ("When is the boiler inspected by the safety officer?", "On what date does the safety officer inspect the boiler?"),
    ("What is the torque for flange M8?", "Which torque does flange M8 need?"),
    ("By whom is the canteen run?", "Who runs the canteen?"),
)  # fmt: skip
# Stands for `How many` with what the value counts: left alone, the model counts years in place of months.
_HOW_MANY = "How many"
# What a rewording can begin with. The one that the given question begins with is left out.
_BEGINNINGS: dict[Asked, tuple[str, ...]] = {
    Asked.AMOUNT: ("How much", "What amount", "What is the amount", "What is the price", "What sum"),
    Asked.SHARE: ("What percentage", "How much", "What share", "What is the share", "What is the percentage"),
    Asked.DURATION: ("How long", _HOW_MANY, "What is the length of", "For how long"),
    Asked.NUMBER: (_HOW_MANY, "What number of", "What is the value of", "What is the maximum"),
    Asked.DATE: ("When", "On what date", "What is the date", "On which day", "What date"),
    Asked.TIME: ("When", "At what time", "What time", "What is the time"),
    Asked.WHO: ("Who", "What is the name of", "Which person"),
    Asked.WHERE: ("Where", "In which place", "In what city", "What is the place"),
    Asked.NAME: ("Who", "What is the name of", "Which", "By whom"),
    Asked.TEXT: ("What", "Which", "What does", "What should"),
    Asked.DEFINITION: ("What does", "How is", "What is meant by"),
}


class Drafting:
    """Asks one chat model for wordings."""

    def __init__(self, chat: BaseChatModel) -> None:
        self._chat = chat

    def questions(self, points: Sequence[Point], *, drafts: int) -> list[list[str]]:
        """For each point at most `drafts` different questions, in the order of the points; none where there is none to reword.

        Raises:
            Unavailable: the engine could not be reached or failed.
        """
        tasks = [(index, begin) for index, point in enumerate(points) for begin in beginnings(point)[:drafts]]
        with ThreadPoolExecutor(CONCURRENT) as pool:
            written = list(pool.map(lambda task: self._question(points[task[0]], task[1]), tasks))
        out: list[list[str]] = [[] for _ in points]
        for (index, _), question in zip(tasks, written, strict=True):
            if question and question not in out[index]:
                out[index].append(question)
        return out

    def _question(self, point: Point, begin: str) -> str:
        schema = {
            "type": "object",
            "properties": {"question": {"type": "string", "pattern": rf"^{begin} [^\"?\\]+\?$"}},
            "required": ["question"],
            "additionalProperties": False,
        }
        try:
            reply = self._chat.invoke(
                _messages(bare_question(point)),
                response_format={"type": "json_schema", "json_schema": {"name": "question", "schema": schema, "strict": True}},
                temperature=0,
                max_completion_tokens=_TOKENS,
            )
        except openai.LengthFinishReasonError:
            return ""  # its tokens were used up before the question had an end
        except (openai.APIError, OSError) as error:
            raise Unavailable(f"the engine failed while it wrote questions ({error}): start it again and repeat") from error
        question = _read(str(reply.text))
        return under_heading(question, point) if question else ""


def instruction_hash() -> str:
    """What a draft depends on beside the prompt's version: instruction, examples and beginnings."""
    content = json.dumps([_INSTRUCTION, _EXAMPLES, [list(words) for words in _BEGINNINGS.values()]])
    return hashlib.sha256(content.encode()).hexdigest()


def beginnings(point: Point) -> list[str]:
    """Question words that fit the point's value and that its own first question does not begin with."""
    if not point.questions:
        return []
    given = bare_question(point).lower()
    counted = re.search(r"(?:[^\W\d_]{3,} ?)+$", point.value.split(" ", 1)[-1])
    words = [f"{one} {counted[0]}" if one == _HOW_MANY and counted else one for one in _BEGINNINGS[point.asked]]
    return [one for one in words if not given.startswith(one.lower())]


def _messages(question: str) -> list[BaseMessage]:
    messages: list[BaseMessage] = [SystemMessage(_INSTRUCTION)]
    for given, reworded in _EXAMPLES:
        messages += [HumanMessage(given), AIMessage(json.dumps({"question": reworded}))]
    return [*messages, HumanMessage(question)]


def _read(text: str) -> str:
    """The question of the model's JSON; empty where it is none."""
    try:
        content = json.loads(text)
        return " ".join(str(content["question"]).split())
    except (ValueError, KeyError, TypeError):
        return ""
