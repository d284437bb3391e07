"""How often the quoted sentence holds the answer, on a data set in BEIR layout whose queries carry `spans`.

Asked twice: inside the passage that holds the answer, and among the first hits of a search, which is the caller's: made by the
same code that serves. A quote is right where it overlaps one of the places that people marked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.answers import share
from eval.quoting import select_quotes
from eval.retrieval import read_records, read_rows
from eval.terms import Translate
from eval.types import Quote
from ingest.errors import InputRefused
from ingest.index.base import Index
from ingest.types import TITLE_SEPARATOR, Access, Hit, IndexRow

FIRST_HITS = 5
QUOTES = 3


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the places of its answers: passage, start, end."""

    text: str
    places: tuple[tuple[str, int, int], ...]


def evaluate_quoting(
    dataset_dir: Path, index_factory: Callable[[], Index], *, questions: int, translate: Translate | None = None
) -> dict[str, Any]:
    """hit@1 and hit@3 with intervals, `within_gold_passage` and `among_first_hits`, over evenly spaced questions of the folder,
    and latency_ms {p50, p99} of choosing among the first hits.

    Raises:
        InputRefused: the folder is not in BEIR layout, or no query carries spans; the message names the file and line.
    """
    rows = {row.chunk_id: row for row in read_rows(dataset_dir / "corpus.jsonl")}
    asked = marked_questions(dataset_dir / "queries.jsonl", rows)
    asked = asked[:: max(1, len(asked) // questions)][:questions]
    index = index_factory()
    index.add(list(rows.values()))
    within: list[list[bool]] = []
    among: list[list[bool]] = []
    latencies_ms = []
    for question in asked:
        (first, *_) = question.places
        within.append(_right(question, select_quotes(question.text, [_hit(rows[first[0]])], limit=QUOTES)))
        found = index.search(question.text, access=Access.of(), limit=FIRST_HITS)
        hits = [_hit(rows[one.chunk_id]) for one in found]
        began = time.perf_counter()
        quotes = select_quotes(question.text, hits, limit=QUOTES, translate=translate)
        latencies_ms.append((time.perf_counter() - began) * 1000)
        among.append(_right(question, quotes))
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    return {
        "within_gold_passage": _shares(within),
        "among_first_hits": _shares(among),
        "questions": len(asked),
        "passages": len(rows),
        "latency_ms": {"p50": round(float(p50), 2), "p99": round(float(p99), 2)},
    }


def marked_questions(path: Path, rows: dict[str, IndexRow]) -> list[Question]:
    """The questions of `queries.jsonl` whose places people marked; `rows` are the passages by id.

    Raises:
        InputRefused: the file cannot be taken; the message names file and line.
    """
    questions = []
    for line, record in read_records(path, required=("_id", "text")):
        try:
            places = tuple((span["doc"], int(span["start"]), int(span["end"])) for span in record.get("spans", ()))
        except (TypeError, KeyError, ValueError) as error:
            raise InputRefused(f"{path}:{line}: spans are a list of objects with doc, start and end ({error!r})") from error
        for doc, *_ in places:
            if doc not in rows:
                raise InputRefused(f"{path}:{line}: passage {doc!r} is not in corpus.jsonl")
        if places:
            questions.append(Question(record["text"], places))
    if not questions:
        raise InputRefused(f'{path}: no query carries "spans", the places of its answers: [{{"doc", "start", "end"}}]')
    return questions


def _hit(row: IndexRow) -> Hit:
    return Hit(row.title, row.title, 1, 1, row.chunk_id, 1.0, row.text, 0, tuple(filter(None, row.title.split(TITLE_SEPARATOR))))


def _right(question: Question, quotes: Sequence[Quote]) -> list[bool]:
    return [any(q.hit.chunk == doc and q.start < end and start < q.end for doc, start, end in question.places) for q in quotes]


def _shares(right: Sequence[Sequence[bool]]) -> dict[str, Any]:
    return {f"hit@{limit}": share(any(of[:limit]) for of in right) for limit in (1, QUOTES)}
