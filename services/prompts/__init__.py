"""The prompts that the chat model is served, by version: text files beside this module. Training samples are made with them too.

The beginning of a prompt is constant and the passages follow in a fixed form, so that the engine's prefix cache works. Documents
are data: of a passage the model is given a copy without invisible characters, without marks that look like the prompt's own, and
without sentences that speak to a model. Version 1 is what the shipped reader was trained on; version 2 marks every line of a
document, for larger models (docs/decisions/0025). A file that differs from its hash in `manifest.json` is refused: a change of
any text is a new version, whose name and hash answers, samples and adapters remember.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from eval.instructions import without_instructions
from eval.prompt_files import read_prompts
from ingest.types import Hit
from services.sanitising import without_prompt_marks

DEFAULT_VERSION = "1"

FOLDER = Path(__file__).parent

# What was taken out of a passage leaves empty lines.
_EMPTY_LINES = re.compile(r"\n{3,}")


class ServingPrompts:
    """The prompts of one version; to training, its `PromptBuilder`."""

    def __init__(self, version: str = DEFAULT_VERSION) -> None:
        """Raises UsageError for a version that is not there, GraftError where its files were changed."""
        files = read_prompts(FOLDER, version)
        self._texts = files.texts
        self.version = files.version

    def grounded(self, question: str, hits: Sequence[Hit], *, language: str) -> list[BaseMessage]:
        """The messages that ask for an answer from these passages, numbered from 1 in the order given."""
        return self._with_passages("grounded", "asked", hits, question=question, language=language)

    def repair(
        self, question: str, hits: Sequence[Hit], *, sentence: str, unsupported: Sequence[str], language: str
    ) -> list[BaseMessage]:
        """The messages that ask for one sentence in place of this one; `unsupported` are its parts that no passage bears out."""
        parts = " … ".join(unsupported) or sentence
        return self._with_passages(
            "repair", "repaired", hits, question=question, language=language, sentence=sentence, unsupported=parts
        )

    def closed_book(self, question: str, *, language: str) -> list[BaseMessage]:
        """The messages that ask the model alone."""
        return [SystemMessage(self._texts[f"closed_book.{language}"]), HumanMessage(without_prompt_marks(question))]

    def refusal(self, language: str) -> str:
        """The words in which the model says that the passages do not hold the answer."""
        return self._texts[f"refusal.{language}"]

    def is_refusal(self, text: str, *, language: str) -> bool:
        """Whether the model said, in the words it was given for that, that the passages do not hold the answer."""
        return self.refusal(language).rstrip(".。").lower() in text.lower()

    def _with_passages(self, rules: str, asked: str, hits: Sequence[Hit], *, language: str, **said: str) -> list[BaseMessage]:
        passages = "\n".join(self._passage(number, hit) for number, hit in enumerate(hits, 1))
        told = {name: without_prompt_marks(text) for name, text in said.items()}
        return [
            SystemMessage(self._texts[f"{rules}.{language}"].format(refusal=self.refusal(language))),
            HumanMessage(self._texts[f"{asked}.{language}"].format(passages=passages, **told)),
        ]

    def _passage(self, number: int, hit: Hit) -> str:
        headings = [heading for heading in hit.headings if without_instructions(heading)]
        place = " › ".join(without_prompt_marks(heading, one_line=True) for heading in headings)
        text = _EMPTY_LINES.sub("\n\n", without_prompt_marks(without_instructions(hit.text)))
        if (line := self._texts.get("line")) is not None:
            text = "\n".join(line.format(line=one) for one in text.split("\n"))
        return self._texts["passage"].format(number=number, place=place, text=text)
