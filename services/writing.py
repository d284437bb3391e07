"""What a chat model writes: its words as they come, and its sentences as soon as each is whole.

Knows nothing of documents or verdicts.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage

from ingest.errors import Unavailable
from ingest.sentences import sentence_spans
from services.sanitising import Held, plain

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


@dataclass(frozen=True, slots=True)
class Whole:
    """A sentence that is complete; its last token came at `written_s` of `time.perf_counter`."""

    text: str
    written_s: float


async def sentences(
    chat: BaseChatModel, prompt: list[BaseMessage], *, evidence: Sequence[str] = ()
) -> AsyncGenerator[Token | Usage | Whole, None]:
    """Tokens, and each sentence once it is complete, until the model ends or repeats itself.

    Neither holds an image, a link or markup; addresses only where the `evidence` does. Tokens come a word late for that.

    Raises:
        Unavailable: the engine failed while it wrote.
    """
    said: set[str] = set()
    async with aclosing(_all_sentences(chat, prompt, evidence)) as written:
        async for event in written:
            if isinstance(event, Whole):
                if event.text in said or len(said) == _MOST_SENTENCES:
                    return  # a small model repeats itself until its tokens are used up
                said.add(event.text)
            yield event


async def _all_sentences(
    chat: BaseChatModel, prompt: list[BaseMessage], evidence: Sequence[str]
) -> AsyncGenerator[Token | Usage | Whole, None]:
    text, told = "", 0
    held = Held(evidence)
    came: list[tuple[int, float]] = []  # length of the text after each token, and when that was

    def wholes(spans: Sequence[tuple[int, int]]) -> Iterator[Whole]:
        for start, end in spans:
            shown = plain(text[told + start : told + end], evidence=evidence)
            yield Whole(shown, next(at_s for length, at_s in came if length >= told + end))

    try:
        async for chunk in chat.astream(prompt):
            if isinstance(chunk, AIMessageChunk) and chunk.usage_metadata:
                yield Usage(chunk.usage_metadata["input_tokens"], chunk.usage_metadata["output_tokens"])
            piece = str(chunk.text)
            if not piece:
                continue
            text += piece
            came.append((len(text), time.perf_counter()))
            if shown := held.feed(piece):
                yield Token(shown)
            complete = sentence_spans(text[told:])[:-1]
            for sentence in wholes(complete):
                yield sentence
            told += complete[-1][1] if complete else 0
    except (openai.APIError, OSError) as error:
        raise Unavailable(f"the engine failed while it wrote the answer ({error}): ask again, or ask for quotes") from error
    if shown := held.rest():
        yield Token(shown)
    for sentence in wholes(sentence_spans(text[told:])):
        yield sentence
