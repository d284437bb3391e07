"""Stand-ins that honour the real interfaces, and small PDF files to add."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pymupdf
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

A4 = (595.0, 842.0)


def pdf(*pages: str, title: str = "", size: tuple[float, float] = A4, rotation: int = 0) -> bytes:
    """A PDF with one text a page, set in 11 points; an empty text leaves a page without a text layer."""
    document = pymupdf.open()
    for text in pages:
        page = document.new_page(width=size[0], height=size[1])
        if text:
            font = "china-s" if any(ord(character) > 0x2E80 for character in text) else "helv"
            page.insert_textbox((60, 90, size[0] - 60, size[1] - 90), text, fontsize=11, fontname=font)
        page.set_rotation(rotation)
    document.set_metadata({"title": title})
    return bytes(document.tobytes(deflate=True, no_new_id=True))


class FakeChat(BaseChatModel):
    """Writes the answer that it was given, word by word; remembers its prompts, and whether it was let finish.

    With `endless`, it goes on until whoever reads it stops. With `later`, it writes that from its second prompt on.
    """

    answer: str = ""
    later: str | None = None
    endless: bool = False
    fails_after: int | None = None
    _prompts: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _closed: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _finished: int = PrivateAttr(default=0)
    _written: int = PrivateAttr(default=0)
    _running: int = PrivateAttr(default=0)

    @property
    def _llm_type(self) -> str:
        return "fake"

    @property
    def prompts(self) -> list[str]:
        """Every prompt as one text."""
        return ["\n".join(str(message.content) for message in prompt) for prompt in self._prompts]

    @property
    def written(self) -> int:
        """How many words were written in all."""
        return self._written

    @property
    def running(self) -> int:
        """How many answers are being written."""
        return self._running

    @property
    def finished(self) -> int:
        """How many answers were read to their end."""
        return self._finished

    @property
    def closed(self) -> asyncio.Event:
        """Set when a stream has ended, whether it was read to its end or given up."""
        return self._closed

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.answer))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self._prompts.append(messages)
        text = self.answer if self.later is None or len(self._prompts) == 1 else self.later
        words = 0
        self._running += 1
        try:
            if self.endless and not text:
                await asyncio.Event().wait()  # a model that never says a word
            for number, word in enumerate(self._words(text)):
                if number == self.fails_after:
                    raise ConnectionError("the connection was lost")
                await asyncio.sleep(0.01 if self.endless else 0)
                self._written += 1
                words = number + 1
                yield ChatGenerationChunk(message=AIMessageChunk(word))
            usage = UsageMetadata(input_tokens=7, output_tokens=words, total_tokens=7 + words)
            yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=usage))
            self._finished += 1
        finally:
            self._running -= 1
            self._closed.set()

    def _words(self, text: str) -> Iterator[str]:
        while True:
            for word in text.split(" "):
                yield word + " "
            if not self.endless:
                return
