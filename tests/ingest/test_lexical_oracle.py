"""tantivy's scores against rank-bm25: slow, in plain Python, obviously right."""

import random
from collections import Counter
from pathlib import Path

import pytest

from ingest.index import lexical
from ingest.index.lexical import LexicalIndex
from ingest.tokens import index_terms, query_terms
from ingest.types import EVERYONE, Access, IndexRow
from tests.indexes import BM25Oracle

ENGLISH = "pump valve pressure leave travel expense contract invoice safety manual engine filter oil water steel".split()
CHINESE = "年休假员工报销合同压力阀门泵油水钢安全手册发票"


def random_text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(ENGLISH) if rng.random() < 0.6 else "".join(rng.choices(CHINESE, k=2)) for _ in range(words))


@pytest.fixture
def corpus() -> dict[str, str]:
    rng = random.Random(7)
    # At most 40 terms: tantivy keeps lengths exactly up to there, and about to 1/8 beyond.
    return {f"c{i}": random_text(rng, rng.randint(1, 10)) for i in range(300)}


@pytest.fixture
def index(corpus: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LexicalIndex:
    monkeypatch.setattr(lexical, "TRIGRAM_WEIGHT", 0.0)  # the oracle knows the terms alone
    built = LexicalIndex(tmp_path)
    built.add([IndexRow(chunk_id, "", text, frozenset({EVERYONE})) for chunk_id, text in corpus.items()])
    return built


@pytest.mark.parametrize("seed", range(8))
def test_scores_are_those_of_the_oracle(index: LexicalIndex, corpus: dict[str, str], seed: int) -> None:
    terms = {chunk_id: index_terms(text) for chunk_id, text in corpus.items()}
    assert max(map(len, terms.values())) <= 40
    oracle = BM25Oracle(list(terms.values()))
    query = random_text(random.Random(seed), 4)
    expected = dict(zip(terms, oracle.get_scores(query_terms(query)), strict=True))
    hits = index.search(query, access=Access.of(), limit=len(corpus))
    scored = {hit.chunk_id: hit.score for hit in hits if hit.score > 0}
    assert scored == pytest.approx({chunk_id: score for chunk_id, score in expected.items() if score > 0}, rel=1e-3)


def test_after_deletes_and_replacements_the_ranking_is_that_of_a_fresh_index(corpus: dict[str, str], tmp_path: Path) -> None:
    def rows(texts: dict[str, str]) -> list[IndexRow]:
        return [IndexRow(chunk_id, "", text, frozenset({EVERYONE})) for chunk_id, text in texts.items()]

    churned, fresh = LexicalIndex(tmp_path / "churned"), LexicalIndex(tmp_path / "fresh")
    churned.add(rows(corpus))
    changed = {chunk_id: corpus[f"c{int(chunk_id[1:]) + 1}"] for chunk_id in list(corpus)[:40]}
    gone = [f"c{i}" for i in range(200, 300)]
    churned.add(rows(changed))
    churned.remove(gone)
    left = {chunk_id: text for chunk_id, text in (corpus | changed).items() if chunk_id not in gone}
    fresh.add(rows(left))
    assert churned.ids() == fresh.ids() == set(left)
    # Deleted rows count in the statistics until their segment is merged, so scores differ a little and hits do not.
    for query in ("pump pressure", "年休假", "contract invoice 合同"):
        of_churned = {hit.chunk_id for hit in churned.search(query, access=Access.of(), limit=500)}
        of_fresh = {hit.chunk_id for hit in fresh.search(query, access=Access.of(), limit=500)}
        assert of_churned == of_fresh


def test_a_title_that_is_mentioned_lifts_its_chunks_the_more_the_fewer_they_are(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path)
    rows = [IndexRow(f"a{i}", "Acme Handbook › Leave", f"days of rest {i}", frozenset({EVERYONE})) for i in range(20)]
    rows.append(IndexRow("b", "Leave", "days of rest 99", frozenset({EVERYONE})))
    index.add(rows)
    assert index.search("days of rest in the Acme Handbook", access=Access.of(), limit=1)[0].chunk_id.startswith("a")
    scores = Counter({hit.chunk_id: hit.score for hit in index.search("days of rest", access=Access.of(), limit=30)})
    named = Counter({hit.chunk_id: hit.score for hit in index.search("days of rest, leave", access=Access.of(), limit=30)})
    assert all(named[chunk_id] > scores[chunk_id] for chunk_id in scores)


def test_a_word_that_only_resembles_one_in_the_question_is_found_below_the_right_one(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path)
    texts = {"right": "the compressor manual", "near": "the compression manual", "none": "a holiday"}
    index.add([IndexRow(chunk_id, "", text, frozenset({EVERYONE})) for chunk_id, text in texts.items()])
    assert [hit.chunk_id for hit in index.search("compressor", access=Access.of(), limit=5)] == ["right", "near"]


@pytest.mark.parametrize("damage", ["meta.json emptied", "segment removed", "other format", "a file in its place"])
def test_a_folder_that_cannot_be_read_starts_again_empty(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "lexical"
    row = IndexRow("pump", "", "the pump", frozenset({EVERYONE}))
    index = LexicalIndex(folder)
    index.add([row])
    index.close()
    if damage == "meta.json emptied":
        (folder / "tantivy" / "meta.json").write_text("")
    elif damage == "segment removed":
        for file in (folder / "tantivy").glob("*.term"):
            file.unlink()
    elif damage == "other format":
        (folder / "format").write_text("0")
    else:
        for file in (folder / "tantivy").glob("*"):
            file.unlink()
        (folder / "tantivy").rmdir()
        (folder / "tantivy").write_text("")
    again = LexicalIndex(folder)
    assert again.ids() == set()
    again.add([row])
    assert [hit.chunk_id for hit in again.search("pump", access=Access.of(), limit=1)] == ["pump"]
