"""The search crosses languages on the parallel set as well as its decision page says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eval.across import Crossing, evaluate_crossing, table
from eval.parallel import FOLDER
from eval.retrieval import evaluate_retrieval
from ingest.crosslingual import Translator
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex

LEAST_RECALL_AT_10 = 0.9


@pytest.fixture
def product_index(tmp_path: Path, translator: Translator) -> Callable[[], HybridIndex]:
    return lambda: HybridIndex(LexicalIndex(None, translator=translator), VectorIndex(tmp_path, MemoryVectorStore()))


def test_questions_of_either_language_find_the_others_passages(product_index: Callable[[], HybridIndex]) -> None:
    crossings = evaluate_crossing(FOLDER, product_index)
    assert len(crossings) == 12  # 2 directions, 3 ways to hold the facts, 2 parts
    assert {one.n for one in crossings} == {36}
    assert min(one.recall_at_10 for one in crossings) >= LEAST_RECALL_AT_10, table(crossings)


def test_without_a_dictionary_hardly_any_is_found(tmp_path: Path) -> None:
    crossings = evaluate_crossing(FOLDER, lambda: HybridIndex(LexicalIndex(None), VectorIndex(tmp_path, MemoryVectorStore())))
    assert max(one.recall_at_10 for one in crossings if one.held == "mixed") < 0.5


def test_the_set_is_in_beir_layout_and_its_own_language_leads(product_index: Callable[[], HybridIndex]) -> None:
    report = evaluate_retrieval(FOLDER, product_index)
    assert (report["passages"], report["queries"]) == (144, 144)
    assert report["mrr@10"] > 0.9


def test_the_table_names_every_figure() -> None:
    assert table([Crossing("zh", "only", "tuned", 36, 0.5, 0.75, 1.0)]).splitlines()[1].split() == [
        *("zh", "only", "tuned", "36", "0.500", "0.750", "1.000")
    ]
