"""The cross-encoder reads those that could be first, as many as its time allows, and leaves the others below in their order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.cross_encoder import LEAST_PAIRS, REACH, CrossEncoderReranker, affordable_pairs
from ingest.errors import InputRefused
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex
from ingest.rerank import Candidate, unit_numbers
from ingest.types import EVERYONE, Access, IndexRow
from tests.ingest.tiny_encoders import write_tiny_cross_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_cross_encoder(tmp_path_factory.mktemp("cross-encoders") / "tiny")


class Catalog:
    """Texts by chunk id, and which of them were asked for."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.asked: list[str] = []

    def __call__(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        self.asked += chunk_ids
        return {one: self.texts[one] for one in chunk_ids if one in self.texts}


def candidates(*scores: float) -> list[Candidate]:
    return [Candidate(f"c{i}", score, unit_numbers("")) for i, score in enumerate(scores)]


def texts(count: int) -> Catalog:
    words = ["pump", "pressure", "travel", "年", "休", "假", "员", "工"]
    return Catalog({f"c{i}": f"{words[i % 8]} {words[i // 8 % 8]} pump" for i in range(count)})


def test_a_leader_far_ahead_is_left_where_it_is_and_nothing_is_read(tmp_path: Path) -> None:
    catalog = texts(3)
    reranker = CrossEncoderReranker(str(tmp_path / "not there"), catalog, budget_ms=1e9)
    assert reranker.scores("pump", candidates(1.5, 1.4 - REACH, 0.1)) == [0, 0, 0]
    assert reranker.scores("pump", candidates(1.5)) == [0]
    assert catalog.asked == []


def test_only_those_within_reach_of_the_best_are_read(folder: Path) -> None:
    catalog = texts(4)
    scores = CrossEncoderReranker(str(folder), catalog, budget_ms=1e9, device="cpu").scores(
        "pump", candidates(1.0, 0.2, 1.39 - REACH, 1.4)
    )
    assert sorted(catalog.asked) == ["c0", "c3"]
    assert [score > 0 for score in scores] == [True, False, False, True]


def test_what_the_time_does_not_allow_is_not_read_but_never_fewer_than_a_few(folder: Path) -> None:
    catalog = texts(20)
    scores = CrossEncoderReranker(str(folder), catalog, budget_ms=1e-6, device="cpu").scores(
        "pump", candidates(*(1 - i / 100 for i in range(20)))
    )
    assert catalog.asked == [f"c{i}" for i in range(LEAST_PAIRS)]
    assert [score > 0 for score in scores] == [True] * LEAST_PAIRS + [False] * (20 - LEAST_PAIRS)


@pytest.mark.parametrize(("budget_ms", "pair_ms", "pairs"), [(300, 10, 30), (300, 299, LEAST_PAIRS), (300, 0, 300_000)])
def test_the_budget_divided_by_the_time_of_a_pair_is_how_many_are_read(budget_ms: float, pair_ms: float, pairs: int) -> None:
    assert affordable_pairs(budget_ms, pair_ms) == pairs


def test_a_chunk_that_is_gone_scores_0(folder: Path) -> None:
    catalog = texts(4)
    del catalog.texts["c1"]
    scores = CrossEncoderReranker(str(folder), catalog, budget_ms=1e9, device="cpu").scores("pump", candidates(1, 1, 1, 1))
    assert [score > 0 for score in scores] == [True, False, True, True]


def test_scores_are_the_models_probabilities(folder: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    catalog = texts(4)
    found = CrossEncoderReranker(str(folder), catalog, budget_ms=1e9, device="cpu").scores("pump", candidates(1, 1, 1, 1))
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    for score, text in zip(found, catalog.texts.values(), strict=True):
        with torch.inference_mode():
            logit = model(**tokenizer("pump", text, return_tensors="pt")).logits[0, 0]
        assert score == pytest.approx(float(torch.sigmoid(logit)), abs=1e-5)


def test_many_threads_get_what_one_gets(folder: Path) -> None:
    reranker = CrossEncoderReranker(str(folder), texts(8), budget_ms=1e9, device="cpu")
    asked = candidates(*[1.0] * 8)
    alone = reranker.scores("pump", asked)
    found: list[list[float]] = []
    threads = [threading.Thread(target=lambda: found.append(reranker.scores("pump", asked))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 6


def test_a_model_with_many_labels_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_cross_encoder(tmp_path / "labels", labels=3)
    with pytest.raises(InputRefused, match="3 scores"):
        CrossEncoderReranker(str(folder), texts(2), budget_ms=1e9, device="cpu").scores("pump", candidates(1, 1))


def test_weights_in_pickle_are_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    import torch
    from safetensors.torch import load_file

    pickled = tmp_path / "pickled"
    shutil.copytree(folder, pickled)
    torch.save(load_file(pickled / "model.safetensors"), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    with pytest.raises(InputRefused, match="safetensors"):
        CrossEncoderReranker(str(pickled), texts(2), budget_ms=1e9, device="cpu").scores("pump", candidates(1, 1))


# In the index


class Preferring:
    """A second reranker that reads these chunks alone."""

    def __init__(self, **scores: float) -> None:
        self.of = scores
        self.seen: list[Candidate] = []

    def scores(self, query: str, candidates: Sequence[Candidate]) -> list[float]:
        self.seen = list(candidates)
        return [self.of.get(candidate.chunk_id, 0.0) for candidate in candidates]


ROWS = [
    IndexRow(f"c{i}", "manual", f"the pump {'pressure ' * i}is checked", frozenset({EVERYONE if i < 4 else "board"}))
    for i in range(6)
]


def index(folder: Path, second: Preferring | None = None) -> HybridIndex:
    vectors = VectorIndex(folder, MemoryVectorStore())
    made = HybridIndex(LexicalIndex(folder / "lexical"), vectors, second=second)
    made.add(ROWS)
    return made


def test_the_second_reranker_decides_and_what_it_scores_alike_keeps_its_order(tmp_path: Path) -> None:
    before = index(tmp_path / "one").search("pump pressure", access=Access.of(), limit=10)
    last = before[-1].chunk_id
    after = index(tmp_path / "two", Preferring(**{last: 0.4})).search("pump pressure", access=Access.of(), limit=10)
    assert [hit.chunk_id for hit in after] == [last, *(hit.chunk_id for hit in before[:-1])]
    assert [hit.score for hit in after] == [hit.score for hit in before]


def test_a_second_reranker_that_reads_nothing_changes_nothing(tmp_path: Path) -> None:
    before = index(tmp_path / "one").search("pump pressure", access=Access.of(), limit=10)
    assert index(tmp_path / "two", Preferring()).search("pump pressure", access=Access.of(), limit=10) == before


def test_the_second_reranker_sees_only_what_the_caller_may_read_with_its_first_scores(tmp_path: Path) -> None:
    second = Preferring(c5=1.0)
    found = index(tmp_path, second).search("pump pressure", access=Access.of(), limit=10)
    assert {candidate.chunk_id for candidate in second.seen} == {"c0", "c1", "c2", "c3"}
    assert [candidate.score for candidate in second.seen] == [hit.score for hit in found]
    assert {hit.chunk_id for hit in found} == {"c0", "c1", "c2", "c3"}


def test_a_longer_list_begins_like_a_shorter_one(tmp_path: Path) -> None:
    made = index(tmp_path, Preferring(c0=0.9, c2=0.8))
    long, short = (made.search("pump pressure", access=Access.everything(), limit=limit) for limit in (6, 2))
    assert long[:2] == short
