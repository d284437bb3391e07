"""Measures the product's search on a data set in BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv.

The index is the caller's, made by the same code that serves; each passage becomes one row that everyone may read. Queries
without a judgement (unanswerable ones) are not asked.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from eval.metrics.retrieval import retrieval_metrics
from ingest.errors import InputRefused
from ingest.index.base import Index
from ingest.types import EVERYONE, Access, IndexRow

DEPTH = 100
"""How long the lists are of which `map` is taken."""
BATCH_ROWS = 1000


def evaluate_retrieval(dataset_dir: Path, index_factory: Callable[[], Index]) -> dict[str, Any]:
    """recall@1/5/10, mrr@10, ndcg@10, map, queries, passages, and latency_ms {p50, p99} of one search after the other.

    Raises:
        InputRefused: the folder is not in BEIR layout; the message names the file and line.
    """
    rows = read_rows(dataset_dir / "corpus.jsonl")
    questions = read_texts(dataset_dir / "queries.jsonl")
    judgements = _judgements(dataset_dir / "qrels" / "test.tsv", {row.chunk_id for row in rows}, questions)
    index = index_factory()
    for start in range(0, len(rows), BATCH_ROWS):
        index.add(rows[start : start + BATCH_ROWS])
    run: dict[str, list[str]] = {}
    latencies_ms: list[float] = []
    for query_id in judgements:
        began = time.perf_counter()
        found = index.search(questions[query_id], access=Access.of(), limit=DEPTH)
        latencies_ms.append((time.perf_counter() - began) * 1000)
        run[query_id] = [hit.chunk_id for hit in found]
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    return {
        **retrieval_metrics(run, judgements),
        "queries": len(judgements),
        "passages": len(rows),
        "latency_ms": {"p50": round(float(p50), 3), "p99": round(float(p99), 3)},
    }


def read_rows(path: Path) -> list[IndexRow]:
    """The passages of a corpus. Raises: InputRefused, with file and line, where it is not in BEIR layout."""
    rows: dict[str, IndexRow] = {}
    for line, record in read_records(path, required=("_id", "text")):
        title = record.get("title") or ""
        if not isinstance(title, str):
            raise InputRefused(f'{path}:{line}: "title" is {title!r}; a string or nothing is allowed')
        if record["_id"] in rows:
            raise InputRefused(f"{path}:{line}: _id {record['_id']!r} stands there twice; ids must be unique")
        rows[record["_id"]] = IndexRow(record["_id"], title, record["text"], frozenset({EVERYONE}))
    if not rows:
        raise InputRefused(f"{path} holds no passage; one JSON object a line is needed, with _id, title and text")
    return list(rows.values())


def read_texts(path: Path) -> dict[str, str]:
    """The texts of a corpus or of queries, by id. Raises: InputRefused, with file and line, where it is not in BEIR layout."""
    return {record["_id"]: record["text"] for _, record in read_records(path, required=("_id", "text"))}


def _judgements(path: Path, passages: set[str], questions: dict[str, str]) -> dict[str, dict[str, int]]:
    """The judgements by query, of queries that have a relevant passage."""
    judgements: dict[str, dict[str, int]] = {}
    with _existing(path).open(encoding="utf-8", errors="replace", newline="") as file:
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if next(lines, None) != ["query-id", "corpus-id", "score"]:
            raise InputRefused(f"{path}:1: the header must read query-id, corpus-id, score, with tabs between")
        for line, fields in enumerate(lines, start=2):
            if len(fields) != 3 or not fields[2].lstrip("-").isdigit():
                raise InputRefused(f"{path}:{line}: {fields!r} is not a query id, a passage id and a whole number")
            query_id, passage_id, score = fields
            if query_id not in questions:
                raise InputRefused(f"{path}:{line}: query {query_id!r} is not in queries.jsonl")
            if passage_id not in passages:
                raise InputRefused(f"{path}:{line}: passage {passage_id!r} is not in corpus.jsonl")
            judgements.setdefault(query_id, {})[passage_id] = int(score)
    judgements = {query_id: judged for query_id, judged in judgements.items() if max(judged.values()) > 0}
    if not judgements:
        raise InputRefused(f"{path} judges no passage relevant; at least one score above 0 is needed")
    return judgements


def read_records(path: Path, *, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with their line numbers; blank lines are skipped."""
    with _existing(path).open("rb") as file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                record = json.loads(text)
            except ValueError as error:
                raise InputRefused(f"{path}:{line}: not JSON in UTF-8 ({error})") from error
            if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in required):
                raise InputRefused(f"{path}:{line}: an object with the strings {', '.join(required)} is needed")
            yield line, record


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputRefused(f"{path} is not there; BEIR layout is corpus.jsonl, queries.jsonl and qrels/test.tsv in one folder")
    return path
