"""Retrieval metrics on worked examples, and the measuring of a BEIR folder with the product's own index."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.metrics.retrieval import MEASURES, retrieval_metrics
from eval.retrieval import evaluate_retrieval
from ingest.errors import InputRefused
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex
from ingest.types import Access, IndexRow, ScoredChunk


def test_metrics_are_those_worked_out_by_hand() -> None:
    found = retrieval_metrics({"q": ["b", "a", "x", "c"]}, {"q": {"a": 1, "c": 1}})
    # Relevant at ranks 2 and 4: DCG = 1/log2(3) + 1/log2(5), the ideal 1 + 1/log2(3).
    ndcg = (0.63093 + 0.43068) / 1.63093
    expected = {"recall@1": 0, "recall@5": 1, "recall@10": 1, "mrr@10": 0.5, "ndcg@10": ndcg, "map": (1 / 2 + 2 / 4) / 2}
    assert found == pytest.approx(expected, abs=1e-4)


def test_a_query_that_found_nothing_counts_as_zero() -> None:
    judged = {"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 1}}
    assert retrieval_metrics({"q1": ["a"], "q2": []}, judged) == pytest.approx(dict.fromkeys(MEASURES, 1 / 3))


def test_queries_without_a_relevant_passage_and_lists_without_judgements_do_not_count() -> None:
    found = retrieval_metrics({"q1": ["a"], "other": ["x"]}, {"q1": {"a": 1}, "q2": {"a": 0}})
    assert found == pytest.approx(dict.fromkeys(MEASURES, 1.0))


def test_the_order_of_a_list_counts_and_not_the_spelling_of_ids() -> None:
    for ids in (["z", "a"], ["a", "z"]):
        assert retrieval_metrics({"q": ids}, {"q": {ids[0]: 1}})["recall@1"] == 1.0


def test_nothing_relevant_is_refused() -> None:
    with pytest.raises(InputRefused, match="qrels"):
        retrieval_metrics({}, {"q": {"a": 0}})


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    corpus = [
        {"_id": "leave", "title": "员工手册", "text": "员工每年享有十天带薪年休假。"},
        {"_id": "pump", "title": "", "text": "The maximum pressure of the pump is 21,012 pascal."},
        {"_id": "travel", "text": "Travel expenses are reimbursed within thirty days."},
    ]
    queries = [
        {"_id": "q1", "text": "年休假有几天？"},
        {"_id": "q2", "text": "What is the maximum pressure?"},
        {"_id": "q3", "text": "Who is the king of France?", "answerable": False},
    ]
    for name, records in (("corpus", corpus), ("queries", queries)):
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tleave\t1\nq2\tpump\t1\nq2\ttravel\t0\n")
    return folder


def product_index(folder: Path) -> HybridIndex:
    return HybridIndex(LexicalIndex(folder / "lexical"), VectorIndex(folder, MemoryVectorStore()))


def test_a_folder_in_beir_layout_is_measured_with_the_products_index(dataset: Path, tmp_path: Path) -> None:
    report = evaluate_retrieval(dataset, lambda: product_index(tmp_path / "index"))
    assert list(report) == [*MEASURES, "queries", "passages", "latency_ms"]
    assert {name: report[name] for name in MEASURES} == dict.fromkeys(MEASURES, 1.0)
    assert (report["queries"], report["passages"]) == (2, 3)
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]


def test_only_judged_queries_are_asked_and_each_passage_is_one_row_for_everyone(dataset: Path) -> None:
    asked: list[str] = []
    added: list[IndexRow] = []

    class Recording:
        def add(self, rows: Sequence[IndexRow]) -> None:
            added.extend(rows)

        def remove(self, chunk_ids: object) -> None:
            raise AssertionError("nothing is removed")

        def search(self, query: str, *, access: Access, limit: int) -> list[ScoredChunk]:
            assert all(access.permits(row.groups) for row in added)
            asked.append(query)
            return []

        def ids(self) -> set[str]:
            return set()

    report = evaluate_retrieval(dataset, Recording)
    assert asked == ["年休假有几天？", "What is the maximum pressure?"]
    assert [(row.chunk_id, row.title) for row in added] == [("leave", "员工手册"), ("pump", ""), ("travel", "")]
    assert report["map"] == 0.0


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("corpus.jsonl", None, "corpus.jsonl is not there"),
        ("queries.jsonl", None, "queries.jsonl is not there"),
        ("qrels/test.tsv", None, "test.tsv is not there"),
        ("corpus.jsonl", "", "holds no passage"),
        ("corpus.jsonl", "{nonsense", "corpus.jsonl:1: not JSON"),
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n{"_id": 7, "text": "x"}', "corpus.jsonl:2: an object"),
        ("corpus.jsonl", '["a"]', "corpus.jsonl:1: an object"),
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n{"_id": "a", "text": "x"}', "corpus.jsonl:2: _id 'a' stands there twice"),
        ("corpus.jsonl", '{"_id": "a", "text": "x", "title": 3}', 'corpus.jsonl:1: "title" is 3'),
        ("queries.jsonl", '{"_id": "q1"}', "queries.jsonl:1: an object"),
        ("qrels/test.tsv", "q1\tleave\t1\n", "test.tsv:1: the header"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tleave\n", "test.tsv:2:"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tleave\t0.5\n", "test.tsv:2:"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq9\tleave\t1\n", "query 'q9' is not in queries.jsonl"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tnone\t1\n", "passage 'none' is not in corpus.jsonl"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tleave\t0\n", "judges no passage relevant"),
    ],
)
def test_a_bad_layout_is_refused_naming_the_place(dataset: Path, file: str, content: str | None, said: str) -> None:
    path = dataset / file
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")

    def never() -> HybridIndex:
        raise AssertionError("no index is made for a data set that cannot be read")

    with pytest.raises(InputRefused) as refusal:
        evaluate_retrieval(dataset, never)
    assert said in str(refusal.value)


def test_bytes_that_are_no_text_are_refused(dataset: Path) -> None:
    (dataset / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "\xff\xfe"}')
    with pytest.raises(InputRefused, match=r"corpus\.jsonl"):
        evaluate_retrieval(dataset, lambda: pytest.fail("no index is made"))
