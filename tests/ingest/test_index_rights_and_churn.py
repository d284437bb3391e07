"""What every `Index` promises under rights, change and kills, held against oracles."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pytest

from ingest.embedding import unit_rows
from ingest.errors import Unavailable
from ingest.index import lexical
from ingest.index.base import Index
from ingest.index.lexical import LexicalIndex
from ingest.tokens import index_terms, query_terms
from ingest.types import EVERYONE, Access, IndexRow
from tests.crashing import open_hybrid, write_until_killed
from tests.indexes import INDEXES, BM25Oracle, ClusterEmbeddings, Opener, opener_of, row

ALL = Access.everything()
SHARES = {"few": 0.005, "some": 0.05, "half": 0.5, "all": 1.0}


def found(index: Index, query: str, access: Access = ALL, limit: int = 10) -> list[str]:
    return [hit.chunk_id for hit in index.search(query, access=access, limit=limit)]


@pytest.fixture(params=INDEXES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same index each time; its vectors need no fit."""
    return opener_of(request.param, tmp_path, embedder=ClusterEmbeddings())


def clustered(count: int, *, rng: random.Random) -> list[IndexRow]:
    """Rows of 40 clusters, each readable by the groups that its draw is below the share of."""
    draws = [rng.random() for _ in range(count)]
    return [
        row(f"c{i}", f"cluster{rng.randrange(40)} number{i}", *(name for name, share in SHARES.items() if draw < share))
        for i, draw in enumerate(draws)
    ]


# Changes


def test_a_removed_row_never_returns(opener: Opener) -> None:
    rng = random.Random(3)
    index = opener()
    live: dict[str, IndexRow] = {}
    gone: dict[str, IndexRow] = {}
    for step in range(12):
        new = {one.chunk_id: one for one in (row(f"s{step}n{i}", f"cluster{i % 4} word{step}x{i}") for i in range(10))}
        index.add(list(new.values()))
        live |= new
        removed = rng.sample(sorted(live), 6)
        index.remove(removed)
        gone |= {chunk_id: live.pop(chunk_id) for chunk_id in removed}
        if step % 4 == 3:
            index.close()
            index = opener()
        assert index.ids() == set(live)
        for one in gone.values():
            assert gone.keys().isdisjoint(found(index, one.text, limit=200))
    index.close()


def test_after_deleting_half_and_updating_a_third_every_live_row_finds_itself(opener: Opener) -> None:
    rng = random.Random(5)
    rows = {f"c{i}": row(f"c{i}", f"cluster{i % 9} first{i}") for i in range(300)}
    index = opener()
    index.add(list(rows.values()))
    removed = rng.sample(sorted(rows), 150)
    index.remove(removed)
    live = {chunk_id: one for chunk_id, one in rows.items() if chunk_id not in removed}
    changed = [row(chunk_id, f"cluster{rng.randrange(9)} second{chunk_id}") for chunk_id in rng.sample(sorted(live), 90)]
    index.add(changed)
    live |= {one.chunk_id: one for one in changed}
    for _ in range(2):  # the second time after reopening
        assert index.ids() == set(live)
        for one in live.values():
            assert found(index, one.text, limit=1) == [one.chunk_id]
        index.close()
        index = opener()
    index.close()


# Rights


@pytest.mark.parametrize("name", ["exact", "chroma"])
def test_of_the_nearest_permitted_rows_at_least_99_in_100_are_found_however_few_are_permitted(tmp_path: Path, name: str) -> None:
    rows, embedder = clustered(3000, rng=random.Random(1)), ClusterEmbeddings()
    index = opener_of(name, tmp_path, embedder=embedder)()
    index.add(rows)
    vectors = unit_rows(embedder.embed_documents([one.text for one in rows]))
    queries = [f"cluster{i % 40} asked{i}" for i in range(60)]
    asked = unit_rows(embedder.embed_documents(queries))
    for group in SHARES:
        permitted = np.array([group in one.groups for one in rows])
        cosines = np.where(permitted, asked @ vectors.T, -2)
        right = total = 0
        for query, scores in zip(queries, cosines, strict=True):
            nearest = {rows[i].chunk_id for i in np.argsort(-scores)[:10] if scores[i] > 1e-3}
            right += len(nearest.intersection(found(index, query, Access(frozenset({group})))))
            total += len(nearest)
        assert total > 0
        assert right / total >= 0.99, f"{group}: {right} of {total}"
    index.close()


def test_of_the_best_permitted_rows_by_words_at_least_99_in_100_are_found_however_few_are_permitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "TRIGRAM_WEIGHT", 0.0)  # the oracle knows the terms alone
    rng = random.Random(2)
    words = [f"word{i}" for i in range(60)]
    rows = [
        row(one.chunk_id, " ".join(rng.choices(words, k=rng.randint(2, 30))), *one.groups) for one in clustered(3000, rng=rng)
    ]
    index = LexicalIndex(tmp_path / "lexical")
    for first in range(0, len(rows), 500):
        index.add(rows[first : first + 500])
    oracle = BM25Oracle([index_terms(one.text) for one in rows])
    for group in SHARES:
        permitted = np.array([group in one.groups for one in rows])
        right = total = 0
        for _ in range(40):
            query = " ".join(rng.sample(words, 4))
            scores = np.where(permitted, oracle.get_scores(query_terms(query)), 0)
            best = np.sort(scores)[::-1][:10]
            least = best[best > 0][-1] * (1 - 1e-3) if (best > 0).any() else 0
            hits = found(index, query, Access(frozenset({group})))
            right += sum(scores[int(chunk_id[1:])] >= least for chunk_id in hits)
            total += int((best > 0).sum())
        assert total > 0
        assert right / total >= 0.99, f"{group}: {right} of {total}"
    index.close()


GROUPS = [EVERYONE, "hr", "legal", "board", "works"]


def random_access(rng: random.Random) -> Access:
    return Access(frozenset(rng.sample([*GROUPS, "unknown"], rng.randint(0, 4))), administrator=rng.random() < 0.02)


def random_groups(rng: random.Random, step: int) -> Sequence[str]:
    # In every third stretch nearly all rows are for everyone, so that some callers may read everything.
    return [EVERYONE] if step % 3 == 0 and rng.random() < 0.995 else rng.sample(GROUPS, rng.randint(1, 3))


@pytest.mark.parametrize(("name", "queries"), [("lexical", 8000), ("hybrid", 2000)])
def test_no_search_of_thousands_shows_what_its_caller_may_not_read_or_misses_what_it_may(
    tmp_path: Path, name: str, queries: int
) -> None:
    rng = random.Random(11)
    words = [*(f"word{i}" for i in range(40)), *"年休假员工报销合同压力阀门"]
    index = opener_of(name, tmp_path, embedder=ClusterEmbeddings())()
    rows: dict[str, IndexRow] = {}
    stretches = 20
    for step in range(stretches):
        changed = [
            row(f"c{rng.randrange(80)}", " ".join(rng.sample(words, rng.randint(1, 5))), *random_groups(rng, step))
            for _ in range(120 if step % 3 == 0 else 20)
        ]
        index.add(changed)
        rows |= {one.chunk_id: one for one in changed}
        terms = {chunk_id: set(index_terms(one.text)) for chunk_id, one in rows.items()}
        for _ in range(queries // stretches):
            query, access = " ".join(rng.sample(words, rng.randint(1, 3))), random_access(rng)
            hits = set(found(index, query, access, limit=len(rows)))
            permitted = {chunk_id for chunk_id, one in rows.items() if access.permits(one.groups)}
            assert hits <= permitted
            assert {chunk_id for chunk_id in permitted if terms[chunk_id].intersection(query_terms(query))} <= hits
    index.close()


# Processes


def test_a_folder_of_words_has_one_writer_and_says_so(tmp_path: Path, clean_processes: ForkServerContext) -> None:
    first = LexicalIndex(tmp_path / "lexical")
    first.add([row("pump", "the pump")])
    with pytest.raises(Unavailable, match="is in use"):
        LexicalIndex(tmp_path / "lexical")
    with clean_processes.Pool(1) as pool, pytest.raises(Unavailable, match="is in use"):
        pool.apply(LexicalIndex, (tmp_path / "lexical",))
    assert found(first, "pump") == ["pump"]
    first.close()
    again = LexicalIndex(tmp_path / "lexical")
    assert found(again, "pump") == ["pump"]
    again.close()


@pytest.mark.parametrize("kills", [6, pytest.param(30, marks=pytest.mark.slow)])
def test_kills_while_writing_lose_nothing_acknowledged_and_bring_nothing_removed_back(
    tmp_path: Path, clean_processes: ForkServerContext, kills: int
) -> None:
    rng = random.Random(kills)
    journal = tmp_path / "journal"
    journal.touch()
    for _ in range(kills):
        begun = len(journal.read_text().splitlines())
        process = clean_processes.Process(target=write_until_killed, args=(str(tmp_path), str(journal)))
        process.start()
        deadline = time.monotonic() + 60
        while len(journal.read_text().splitlines()) < begun + 4 and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.15))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        assert_as_acknowledged(tmp_path, journal.read_text().splitlines())


def assert_as_acknowledged(folder: Path, journal: Sequence[str]) -> None:
    """What was said to be added is held and found, and what was said to be removed is neither."""
    last = dict(line.split()[::-1] for line in journal)  # the last word on each batch
    added = [f"{batch}n{i}" for batch, state in last.items() if state == "added" for i in range(5)]
    removed = {f"{batch}n{i}" for batch, state in last.items() if state == "removed" for i in range(5)}
    index = open_hybrid(folder)
    assert set(added) <= index.ids()
    assert removed.isdisjoint(index._lexical.ids() | index._vector.ids())
    for chunk_id in added[-20:]:
        assert found(index, f"cluster text{chunk_id}", limit=1) == [chunk_id]
        assert found(index._vector, f"cluster text{chunk_id}", limit=1) == [chunk_id]
    for chunk_id in sorted(removed)[-20:]:
        assert removed.isdisjoint(found(index, f"cluster text{chunk_id}", limit=50))
    index.close()
