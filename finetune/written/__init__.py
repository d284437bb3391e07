"""Written answers and questions about passages of invented documents: what the judges learn from besides corruptions.

Every answer says whether its passage bears it out, what kind of mistake it makes, and where; every question, whether its
document answers it, and in which sentence. Sixty-four invented documents of sixty-four invented organisations, half of them
Chinese; none is of the sample corpus, and nothing here is in a set that judges are measured on. The README beside this file
says how they were made. Importing this reads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class WrittenPassage:
    """A section of an invented document, its table rows as the product reads them."""

    id: str
    document: str
    title: str
    section: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer to a question about a passage. `label` is 1 where the passage does not bear it out; `spans` are its bad parts."""

    passage: WrittenPassage
    question: str
    answer: str
    label: int
    kind: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    """A question near to a passage. `answer_sentence` is the sentence or table row that answers it; empty where nothing does."""

    passage: WrittenPassage
    question: str
    kind: str
    answer_sentence: str


@cache
def written_passages() -> tuple[WrittenPassage, ...]:
    """The passages, those of a document one after the other."""
    return tuple(WrittenPassage(**row) for row in _rows("passages"))


def written_answers() -> list[WrittenAnswer]:
    """The answers, those about a passage one after the other."""
    passages = {passage.id: passage for passage in written_passages()}
    return [
        WrittenAnswer(
            passages[row["passage"]],
            row["question"],
            row["answer"],
            row["label"],
            row["kind"],
            tuple((span["start"], span["end"]) for span in row["spans"]),
        )
        for row in _rows("answers")
    ]


def written_questions() -> list[WrittenQuestion]:
    """The questions, those about a passage one after the other."""
    passages = {passage.id: passage for passage in written_passages()}
    return [
        WrittenQuestion(passages[row["passage"]], row["question"], row["kind"], row["answer_sentence"])
        for row in _rows("questions")
    ]


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (_HERE / f"{name}.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)
