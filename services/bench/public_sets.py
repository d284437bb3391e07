"""Public data sets, where a folder of them is present: SQuAD and DRCD passages, and the questions on FinanceBench's PDFs.

The sets are no part of the product and are only read. Search on passages runs as `graft eval retrieval` does it, in a process of
its own that is ended when its time is over. The PDFs are added to a server like any others; BM25 over their pages' plain text is
measured beside it as the plain peer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pymupdf
from rank_bm25 import BM25Okapi

from eval.answers import evaluate_answers, share
from eval.metrics.retrieval import retrieval_metrics
from eval.metrics.text import holds_key_fact
from eval.types import Case, GoldPage, Style
from ingest.errors import GraftError
from services.bench.adding import add_files
from services.bench.clock import Deadline
from services.client import Client
from services.commands.questions import answer_to

PASSAGE_SETS = ("squad-v1.1-dev", "drcd-dev")
FINANCEBENCH = Path("pdf", "financebench-pdfs")
# Pages are ranked by their best passage: this many passages hold at least ten pages in practice.
_PASSAGES = 50
# The data set's own remark, which is no part of an answer.
_REMARK = " The answer here assumes"
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d|\d")
_LONGEST_PHRASE_WORDS = 6


def evaluate_passages(folder: Path, deadline: Deadline) -> dict[str, Any]:
    """What `graft eval retrieval` prints.

    Raises:
        GraftError: it failed, or was not done in time.
    """
    command = [sys.executable, "-m", "services.cli", "eval", "retrieval", str(folder), "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=deadline.left_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise GraftError(f"{folder.name} was not done in {error.timeout:.0f} s") from error
    if done.returncode != 0:
        raise GraftError(f"{folder.name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def evaluate_filings(client: Client, folder: Path, deadline: Deadline) -> dict[str, Any]:
    """Pages found, key facts in quoted answers and the speed of adding, of the questions on the folder's PDFs."""
    paths = sorted(folder.glob("*.pdf"))
    added = add_files(client, paths, groups={}, deadline=deadline)
    there = added["jobs"].keys() - added["failed"].keys()
    cases = [case for case in read_questions(folder / "questions.jsonl") if case.gold[0].document in there]
    if not cases:
        raise GraftError(f"none of the {len(paths)} filings could be added in time")
    ranked = {case.id: _pages(client, case) for case in cases}
    judged = {case.id: {_place(page.document, page.page): 1 for page in case.gold} for case in cases}

    def ask(question: str, _groups: tuple[str, ...]) -> dict[str, Any]:
        return answer_to(client, question, style=Style.QUOTES)

    answers = evaluate_answers(cases, ask)
    return {
        "adding": added,
        "questions": len(cases),
        "pages": retrieval_metrics(ranked, judged),
        "pages_of_bm25": retrieval_metrics(_bm25(paths, cases), judged),
        "any_page": {
            f"found@{depth}": share(_found(ranked[case.id][:depth], judged[case.id]) for case in cases) for depth in (5, 10)
        },
        "key_facts": share(_held(case, row) for case, row in zip(cases, answers["cases"], strict=True)),
        "answers": answers,
    }


def read_questions(path: Path) -> list[Case]:
    """The questions with their pages as cases."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    return [
        Case(
            id=line["id"],
            lang=line["lang"],
            kind="filing",
            question=line["question"],
            answerable=True,
            answers=tuple(line["answers"]),
            gold=tuple(GoldPage(line["document"], page) for page in line["pages"]),
        )
        for line in lines
    ]


def key_facts(answer: str) -> tuple[str, ...]:
    """What of a free-text answer must stand in a quoted one: all its figures but years and single digits, or a short phrase.

    Nothing for yes, no and longer prose, which cannot be compared word for word.
    """
    answer = answer.split(_REMARK)[0].strip()
    figures = [figure for figure in _FIGURE.findall(answer) if not _YEAR.fullmatch(figure)]
    if figures:
        return tuple(dict.fromkeys(figures))
    words = answer.rstrip(".").split()
    return (" ".join(words),) if 1 < len(words) <= _LONGEST_PHRASE_WORDS else ()


def _held(case: Case, row: Mapping[str, Any]) -> bool | None:
    facts = key_facts(case.answers[0])
    if not facts:
        return None
    return not row["abstained"] and all(holds_key_fact(row["answer"], [fact]) for fact in facts)


def _found(ranked: Sequence[str], judged: Mapping[str, int]) -> bool:
    return not judged.keys().isdisjoint(ranked)


def _pages(client: Client, case: Case) -> list[str]:
    """The pages of the hits, best first, each once."""
    hits = client.call("POST", "/api/search", json={"query": case.question, "limit": _PASSAGES})["hits"]
    return list(dict.fromkeys(_place(hit["document"], hit["page"]) for hit in hits))


def _place(document: str, page: int) -> str:
    return f"{document}#{page}"


def _bm25(paths: Sequence[Path], cases: Sequence[Case]) -> dict[str, list[str]]:
    places, texts = [], []
    for path in paths:
        with pymupdf.open(path) as document:
            for number, page in enumerate(document, 1):
                places.append(_place(path.name, number))
                texts.append(_words(page.get_text()))
    peer = BM25Okapi(texts)
    return {case.id: peer.get_top_n(_words(case.question), places, n=10) for case in cases}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
