"""What a chat model writes: its words as they come, and its sentences as soon as each is whole.

Knows nothing of documents or verdicts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage

from ingest.errors import Unavailable
from ingest.sentences import sentence_spans

# The prompt asks for one or two sentences; what comes after four is no answer to it.
_MOST_SENTENCES = 4


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of what the model is writing, not judged yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that the prompt and the answer had."""

    prompt_tokens: int
    completion_tokens: int


async def sentences(chat: BaseChatModel, prompt: list[BaseMessage]) -> AsyncGenerator[Token | Usage | str, None]:
    """Tokens, and each sentence as a plain string once it is complete, until the model ends or repeats itself.

    Raises:
        Unavailable: the engine failed while it wrote.
    """
    said: set[str] = set()
    async with aclosing(_all_sentences(chat, prompt)) as written:
        async for event in written:
            if isinstance(event, str):
                if event in said or len(said) == _MOST_SENTENCES:
                    return  # a small model repeats itself until its tokens are used up
                said.add(event)
            yield event


async def _all_sentences(chat: BaseChatModel, prompt: list[BaseMessage]) -> AsyncGenerator[Token | Usage | str, None]:
    text, told = "", 0
    try:
        async for chunk in chat.astream(prompt):
            if isinstance(chunk, AIMessageChunk) and chunk.usage_metadata:
                yield Usage(chunk.usage_metadata["input_tokens"], chunk.usage_metadata["output_tokens"])
            piece = str(chunk.text)
            if not piece:
                continue
            yield Token(piece)
            text += piece
            for start, end in sentence_spans(text[told:])[:-1]:
                yield text[told + start : told + end]
                told += end
                break
    except (openai.APIError, OSError) as error:
        raise Unavailable(f"the engine failed while it wrote the answer ({error}): ask again, or ask for quotes") from error
    for start, end in sentence_spans(text[told:]):
        yield text[told + start : told + end]
