"""`graft check`: lines of question, context and answer through the product's own judge.

In: `{"id","question"?,"context","answer"}` a line. Out: `{"id","score","hallucinated","spans","sentences"}`. Every line gets a
verdict or a typed error that names it. Knows nothing of right labels: those are `eval.hallucination_figures`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from eval.completing import complete
from eval.judge import JudgedAnswer
from ingest.errors import InputRefused


class AnswerJudge(Protocol):
    """Judges whole answers; a score of `threshold` or more means *hallucinated*. `version` names it in reports."""

    @property
    def version(self) -> str:
        """The judge's name and version."""

    @property
    def threshold(self) -> float:
        """The probability of unsupported content from which an answer is called hallucinated."""

    def judge_answer(self, answer: str, *, evidence: Sequence[str], question: str = "") -> JudgedAnswer:
        """The whole answer's calibrated score, its bad spans and its sentences.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """


@dataclass(frozen=True, slots=True)
class Line:
    """An answer to check: what it was asked, and the texts that it is held against."""

    id: str | int
    context: tuple[str, ...]
    answer: str
    question: str = ""

    @staticmethod
    def of(row: Mapping[str, Any]) -> Line:
        """The line of a JSON object; its other fields are left alone.

        Raises:
            InputRefused: a field is missing, empty or of the wrong kind.
        """
        name = row.get("id")
        if not isinstance(name, str | int):
            raise InputRefused(f'a line has no "id"; its fields are {sorted(row)}')
        context = row.get("context")
        texts = [context] if isinstance(context, str) else context
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or not any(t.strip() for t in texts):
            raise InputRefused(f'line {name!r}: "context" must be a text or a list of texts, and not empty')
        answer = row.get("answer")
        if not isinstance(answer, str) or not answer.strip():
            raise InputRefused(f'line {name!r}: "answer" must be a text, and not empty')
        question = row.get("question") or ""
        if not isinstance(question, str):
            raise InputRefused(f'line {name!r}: "question" must be a text or left out')
        return Line(name, tuple(texts), answer, question)

    @property
    def characters(self) -> int:
        """How long its texts are together."""
        return sum(map(len, self.context)) + len(self.answer) + len(self.question)


def judge_line(line: Line, *, judge: AnswerJudge) -> JudgedAnswer:
    """The judged answer of one line; a supported sentence may have a fault too, such as being beside the question."""
    judged = judge.judge_answer(line.answer, evidence=line.context, question=line.question)
    sentences = tuple(
        (start, end, complete(verdict, line.answer[start:end], question=line.question, hits=()).verdict)
        for start, end, verdict in judged.sentences
    )
    return replace(judged, sentences=sentences)


def check_line(line: Line, *, judge: AnswerJudge) -> dict[str, Any]:
    """`{"id","score","hallucinated","spans":[{"start","end","score"}],"sentences":[…]}`; scores are calibrated probabilities."""
    judged = judge_line(line, judge=judge)
    return {
        "id": line.id,
        "score": round(judged.score, 6),
        "hallucinated": judged.hallucinated,
        "spans": [{"start": start, "end": end, "score": score} for start, end, score in judged.spans],
        "sentences": [
            {
                "start": start,
                "end": end,
                "support": round(verdict.support, 4),
                "supported": verdict.supported,
                "judged": verdict.judged,
                "fault": verdict.fault,
                "reason": verdict.reason,
            }
            for start, end, verdict in judged.sentences
        ],
    }


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, one at a time, empty lines left out.

    Raises:
        InputRefused: the file cannot be read, or a line is no JSON object.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield _object(text, f"{path.name}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path} cannot be read as UTF-8 text: {error}") from error


def count_lines(path: Path) -> int:
    """How many lines `read_lines` will give.

    Raises:
        InputRefused: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return sum(bool(line.strip()) for line in file)
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputRefused(f"{where}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputRefused(f"{where}: an object is needed, seen {type(found).__name__}")
    return found
