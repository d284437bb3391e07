"""The prompts that the chat model is served, by version. Training samples are made with the same functions.

The beginning of a prompt is constant and the passages follow in a fixed form, so that the engine's prefix cache works.
A change of any text here is a new `VERSION`: answers and samples remember which one they were made with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from ingest.text_cleaning import clean_text
from ingest.types import Hit

VERSION = "1"

REFUSAL = {"en": "The documents do not say.", "zh": "文档中没有说明。"}

_GROUNDED = {
    "en": (
        "Answer the question in one or two short sentences, using only the numbered passages. "
        f"Cite the passage you used, like [1]. If the passages do not hold the answer, say: {REFUSAL['en']}"
    ),
    "zh": (
        f"只根据编号的段落，用一两句话简短回答问题，并注明所用段落的编号，例如 [1]。如果段落中没有答案，请说：{REFUSAL['zh']}"
    ),
}
_CLOSED_BOOK = {
    "en": "Answer the question in one or two short sentences.",
    "zh": "用一两句话简短回答问题。",
}
_QUESTION = {"en": "Question", "zh": "问题"}
_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")


def grounded_prompt(question: str, hits: Sequence[Hit], *, language: str) -> list[BaseMessage]:
    """The messages that ask for an answer from these passages, numbered from 1 in the order given."""
    passages = "\n".join(f"[{number}] {' › '.join(hit.headings)}\n{clean_text(hit.text)}" for number, hit in enumerate(hits, 1))
    return [SystemMessage(_GROUNDED[language]), HumanMessage(f"{passages}\n\n{_QUESTION[language]}: {question}")]


def closed_book_prompt(question: str, *, language: str) -> list[BaseMessage]:
    """The messages that ask the model alone."""
    return [SystemMessage(_CLOSED_BOOK[language]), HumanMessage(question)]


def is_refusal(text: str, *, language: str) -> bool:
    """Whether the model said, in the words it was given for that, that the passages do not hold the answer."""
    return REFUSAL[language].rstrip(".。").lower() in text.lower()


def without_markers(text: str) -> str:
    """The text without the model's own `[n]`: citations follow the evidence, not the model's word."""
    return _MARKER.sub("", text).strip()


class ServingPrompts:
    """These prompts as training sees them: its `PromptBuilder`."""

    version = VERSION

    def grounded(self, question: str, hits: Sequence[Hit], *, language: str) -> list[BaseMessage]:
        """See `grounded_prompt`."""
        return grounded_prompt(question, hits, language=language)

    def closed_book(self, question: str, *, language: str) -> list[BaseMessage]:
        """See `closed_book_prompt`."""
        return closed_book_prompt(question, language=language)

    def refusal(self, language: str) -> str:
        """See `REFUSAL`."""
        return REFUSAL[language]
