"""Reads the questions of the sample corpus from `asked/*.txt` and turns them into cases.

    @ kind language                          the kind and language of the questions that follow
    prefix | subject | attribute | question [| answer / other form]        about the fact so named; its value is the answer
    prefix | absent, terms | question        of an unanswerable one: no sentence of the corpus holds all of these terms
    % comment

A question names its fact by document prefix, subject and attribute, so that pages and answers follow the build.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import GraftError

ASKED = Path(__file__).parent / "asked"


class QuestionError(GraftError):
    """A question names a fact that is not there, or more than one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as written. `absent` holds the terms that make an unanswerable one so."""

    id: str
    kind: str
    language: str
    prefix: str
    text: str
    subject: str = ""
    attribute: str = ""
    answers: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def read_questions() -> list[Question]:
    """All questions, in the order of their files' names."""
    out: list[Question] = []
    counts: dict[str, int] = {}
    for path in sorted(ASKED.glob("*.txt")):
        kind = language = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("%"):
                continue
            if line.startswith("@"):
                kind, language = line[1:].split()
                continue
            key = f"{kind}-{language}"
            counts[key] = counts.get(key, 0) + 1
            out.append(_question(f"{key}-{counts[key]:02d}", kind, language, [part.strip() for part in line.split("|")]))
    return out


def _question(identity: str, kind: str, language: str, parts: list[str]) -> Question:
    if kind == "unanswerable":
        prefix, absent, text = parts
        terms = tuple(term.strip() for term in absent.split(","))
        return Question(identity, kind, language, prefix, text, absent=terms)
    prefix, subject, attribute, text, *forms = parts
    answers = tuple(form.strip() for form in forms[0].split(" / ")) if forms else ()
    return Question(identity, kind, language, prefix, text, subject, attribute, answers)


def fact_of(question: Question, facts: list[dict[str, Any]]) -> dict[str, Any]:
    """The one fact that an answerable question asks for.

    Raises:
        QuestionError: none or several carry its name.
    """
    named = [
        fact
        for fact in facts
        if fact["id"].rpartition("-")[0] == question.prefix
        and fact["subject"] == question.subject
        and fact["attribute"] == question.attribute
    ]
    if len(named) != 1:
        raise QuestionError(f"{question.id}: {len(named)} facts are named {question.subject} :: {question.attribute}")
    return named[0]


def case_row(question: Question, facts: list[dict[str, Any]], groups: dict[str, list[str]]) -> dict[str, Any]:
    """The line of `cases.jsonl` for one question; `groups` names the groups of restricted documents."""
    row: dict[str, Any] = {
        "id": question.id,
        "lang": question.language,
        "kind": question.kind,
        "question": question.text,
        "answerable": question.kind != "unanswerable",
        "answers": [],
        "gold": [],
        "groups": [],
    }
    if row["answerable"]:
        fact = fact_of(question, facts)
        row["answers"] = list(question.answers) or [fact["value"]]
        row["gold"] = [{"document": fact["document"], "page": fact["page"]}]
        held = groups.get(fact["document"], [])
        row["groups"] = [held[int(question.id[-2:]) % len(held)]] if held else []
    return row
