"""The prompts that the chat model is served, by version: text files beside this module. Training samples are made with them too.

The beginning of a prompt is constant and the passages follow in a fixed form, so that the engine's prefix cache works. Documents
are data: of a passage the model is given a copy without invisible characters, without marks that look like the prompt's own, and
without sentences that speak to a model. Version 1 is what the shipped reader was trained on; version 2 marks every line of a
document, for larger models (docs/decisions/0025). A file that differs from its hash in `manifest.json` is refused: a change of
any text is a new version, whose name and hash answers, samples and adapters remember.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from eval.instructions import without_instructions
from ingest.errors import GraftError, UsageError
from ingest.types import Hit
from services.sanitising import without_prompt_marks

DEFAULT_VERSION = "1"

_FOLDER = Path(__file__).parent
MANIFEST_FILE = _FOLDER / "manifest.json"

# What was taken out of a passage leaves empty lines.
_EMPTY_LINES = re.compile(r"\n{3,}")


class ServingPrompts:
    """The prompts of one version; to training, its `PromptBuilder`."""

    def __init__(self, version: str = DEFAULT_VERSION) -> None:
        """Raises UsageError for a version that is not there, GraftError where its files were changed."""
        self._texts, digest = _read(version)
        self.version = f"{version}-{digest[:12]}"

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


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and bytes of a version's files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.txt")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions() -> Mapping[str, str]:
    """Each version's hash as it was recorded when the version was made."""
    recorded: dict[str, str] = json.loads(MANIFEST_FILE.read_text(encoding="utf-8"))
    return recorded


def _read(version: str) -> tuple[dict[str, str], str]:
    recorded = versions()
    if version not in recorded:
        raise UsageError(f"there are no prompts of version {version!r}; there are: {', '.join(recorded)}")
    folder = _FOLDER / f"v{version}"
    if digest_of(folder) != recorded[version]:
        raise GraftError(
            f"the prompts in {folder} are not those of version {version} any more: put them back, or make a new version of them"
        )
    return {path.stem: path.read_text(encoding="utf-8").rstrip("\n") for path in folder.glob("*.txt")}, recorded[version]
