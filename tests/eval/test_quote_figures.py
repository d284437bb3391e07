from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.quote_figures import evaluate_quoting
from ingest.errors import InputRefused
from ingest.index.lexical import LexicalIndex

PASSAGES = {
    "p1": "The oil is changed every 2,000 hours. The pump weighs 48 kg without the motor.",
    "p2": "Warranty claims are sent to Birgit Solheim. She answers within three days.",
}


def data_set(folder: Path, queries: list[dict[str, Any]]) -> Path:
    corpus = [{"_id": of, "title": "", "text": text} for of, text in PASSAGES.items()]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def asked(text: str, doc: str, answer: str) -> dict[str, Any]:
    start = PASSAGES[doc].index(answer)
    return {"_id": text, "text": text, "spans": [{"doc": doc, "start": start, "end": start + len(answer)}]}


def test_a_quote_is_right_where_it_holds_the_marked_place(tmp_path: Path) -> None:
    queries = [
        asked("How much does the pump weigh?", "p1", "48 kg"),
        asked("Within how many days does she answer claims?", "p2", "Birgit"),
    ]
    found = evaluate_quoting(data_set(tmp_path, queries), lambda: LexicalIndex(None), questions=10)
    assert found["questions"] == 2
    assert found["within_gold_passage"]["hit@1"]["value"] == 0.5
    assert found["within_gold_passage"]["hit@3"]["value"] == 1.0
    assert found["among_first_hits"]["hit@1"]["n"] == 2


def test_questions_are_taken_evenly(tmp_path: Path) -> None:
    queries = [asked(f"How much does pump {n} weigh?", "p1", "48 kg") for n in range(9)]
    found = evaluate_quoting(data_set(tmp_path, queries), lambda: LexicalIndex(None), questions=3)
    assert found["questions"] == 3


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([], "no query carries"),
        ([{"doc": "p9", "start": 0, "end": 1}], "not in corpus.jsonl"),
        ([{"doc": "p1"}], "doc, start and end"),
        ("p1", "doc, start and end"),
    ],
)
def test_queries_without_usable_spans_are_refused(tmp_path: Path, spans: Any, message: str) -> None:
    folder = data_set(tmp_path, [{"_id": "q", "text": "oil?", "spans": spans}])
    with pytest.raises(InputRefused, match=message):
        evaluate_quoting(folder, lambda: LexicalIndex(None), questions=3)
