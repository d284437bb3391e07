"""Vector builds: made aside, swapped, checked on opening, and made again from the catalog's vectors after damage."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from ingest.embedding import NamedEmbeddings, unit_rows
from ingest.index.chroma import ChromaBuild
from ingest.index.exact import ExactScan, VectorRow
from ingest.index.vector import MemoryVectorStore, VectorIndex
from ingest.types import EVERYONE, Access, IndexRow

ALL = Access.everything()


def rows(count: int, *, first: int = 0, group: str = EVERYONE) -> list[IndexRow]:
    return [
        IndexRow(f"c{i}", "", f"text{i} about topic{i % 7} and thing{i % 5}", frozenset({group}))
        for i in range(first, first + count)
    ]


def fixed() -> NamedEmbeddings:
    """An embedder that needs no fit: a text's vector is random, and the same each time."""
    return NamedEmbeddings(DeterministicFakeEmbedding(size=16), name="fake")


def build_folder(folder: Path) -> Path:
    (only,) = folder.glob("vector-*")
    return only


def found(index: VectorIndex, query: str, access: Access = ALL, limit: int = 1) -> list[str]:
    return [hit.chunk_id for hit in index.search(query, access=access, limit=limit)]


def assert_finds_each(index: VectorIndex, expected: list[IndexRow]) -> None:
    assert index.ids() == {row.chunk_id for row in expected}
    for row in expected:
        assert found(index, f"\n{row.text}") == [row.chunk_id]


@pytest.fixture
def store() -> MemoryVectorStore:
    return MemoryVectorStore()


# Fits


def test_a_corpus_that_grows_by_a_third_gets_a_new_fit_and_no_old_vectors_stay(tmp_path: Path, store: MemoryVectorStore) -> None:
    index = VectorIndex(tmp_path, store)
    index.add(rows(30))
    first = store.build()
    index.add(rows(5, first=30))
    assert store.build() == first  # 5 of 30 is less than a third
    index.add(rows(10, first=35))
    assert store.build() not in (None, first)
    assert build_folder(tmp_path).name == store.build()
    assert len({vector.shape for vectors in store._vectors.values() for vector in vectors.values()}) == 1
    assert len(store._vectors) == 1
    assert index.ids() == {row.chunk_id for row in rows(45)}


def test_words_that_came_after_the_fit_are_known_after_the_next(tmp_path: Path, store: MemoryVectorStore) -> None:
    index = VectorIndex(tmp_path, store)
    index.add(rows(30))
    index.add([IndexRow("new", "", "zeppelin", frozenset({EVERYONE}))])
    assert found(index, "zeppelin") == []
    index.add(rows(15, first=30))
    assert found(index, "zeppelin") == ["new"]


def test_a_fit_that_fails_leaves_the_old_build_alone(
    tmp_path: Path, store: MemoryVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = VectorIndex(tmp_path, store)
    index.add(rows(10))
    before, build = found(index, "text3", limit=5), store.build()

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(MemoryVectorStore, "put", full)
    with pytest.raises(OSError, match="No space"):
        index.add(rows(20, first=10))
    assert store.build() == build
    assert found(index, "text3", limit=5) == before
    monkeypatch.undo()
    assert_reopens_with(tmp_path, store, 10)


def assert_reopens_with(folder: Path, store: MemoryVectorStore, count: int) -> None:
    again = VectorIndex(folder, store)
    assert again.ids() == {row.chunk_id for row in rows(count)}
    assert build_folder(folder).name == store.build()


@pytest.mark.parametrize("file", ["lsa/lsa.safetensors", "lsa/lsa.json", "fit.json"])
def test_a_lost_fit_holds_nothing_until_the_rows_are_added_again(tmp_path: Path, store: MemoryVectorStore, file: str) -> None:
    VectorIndex(tmp_path, store).add(rows(20))
    (build_folder(tmp_path) / file).write_bytes(b"damaged")
    again = VectorIndex(tmp_path, store)
    assert again.ids() == set()
    assert found(again, "text3") == []
    again.add(rows(20))
    assert found(again, "text3") == ["c3"]


def test_a_given_embedder_embeds_nothing_again_where_the_folder_is_lost(tmp_path: Path, store: MemoryVectorStore) -> None:
    VectorIndex(tmp_path / "a", store, embedder=fixed()).add(rows(20))

    class Refusing(NamedEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise AssertionError("embedded again")

    again = VectorIndex(tmp_path / "b", store, embedder=Refusing(DeterministicFakeEmbedding(size=16), name="fake"), exact_limit=0)
    assert_finds_each(again, rows(20))


def test_another_embedder_does_not_see_the_vectors_of_the_one_before(tmp_path: Path, store: MemoryVectorStore) -> None:
    VectorIndex(tmp_path, store, embedder=fixed()).add(rows(20))
    other = VectorIndex(tmp_path, store, embedder=NamedEmbeddings(DeterministicFakeEmbedding(size=24), name="other"))
    assert other.ids() == set()
    other.add(rows(20))
    assert_finds_each(other, rows(20))
    assert_finds_each(VectorIndex(tmp_path, store, embedder=fixed()), rows(20))


# Exact scan and Chroma


def vector_rows(count: int, *, group: str = EVERYONE) -> list[VectorRow]:
    vectors = unit_rows(np.random.default_rng(0).normal(size=(count, 32)))
    return [VectorRow(f"c{i}", frozenset({group}), vector) for i, vector in enumerate(vectors)]


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[ChromaBuild]:
    build = ChromaBuild.make(tmp_path / "chroma", vector_rows(200))
    yield build
    build.close()


def test_the_exact_scan_ranks_like_sorting_all_cosines() -> None:
    held = vector_rows(300)
    scan = ExactScan(held)
    query = unit_rows(np.random.default_rng(1).normal(size=(1, 32)))[0]
    expected = sorted(held, key=lambda row: -float(row.vector @ query))[:10]
    hits = scan.nearest(query, access=ALL, limit=10)
    assert [hit.chunk_id for hit in hits] == [row.chunk_id for row in expected]
    assert [hit.score for hit in hits] == pytest.approx([float(row.vector @ query) for row in expected], abs=1e-5)


def test_the_exact_scan_over_few_permitted_rows_agrees_with_the_scan_over_all() -> None:
    held = vector_rows(300)
    query = held[0].vector
    mixed = [VectorRow(row.chunk_id, frozenset({"few" if i % 10 == 0 else "many"}), row.vector) for i, row in enumerate(held)]
    few = [row for i, row in enumerate(held) if i % 10 == 0]
    assert ExactScan(mixed).permitted_count(Access.of("few")) == 30
    assert ExactScan(mixed).nearest(query, access=Access.of("few"), limit=9) == ExactScan(few).nearest(query, access=ALL, limit=9)


def test_removing_rows_in_any_order_leaves_the_others_findable() -> None:
    held = vector_rows(50)
    scan = ExactScan(held)
    scan.remove(["c49", "c0", "c25", "c48", "never"])
    left = [row for row in held if row.chunk_id not in ("c49", "c0", "c25", "c48")]
    assert len(scan) == 46
    for row in left:
        assert scan.nearest(row.vector, access=ALL, limit=1)[0].chunk_id == row.chunk_id
    assert {row.chunk_id: row.vector.tolist() for row in scan.rows()} == {row.chunk_id: row.vector.tolist() for row in left}


def test_chroma_agrees_with_the_exact_scan(chroma: ChromaBuild) -> None:
    scan = ExactScan(vector_rows(200))
    for row in vector_rows(20):
        expected = [hit.chunk_id for hit in scan.nearest(row.vector, access=ALL, limit=5)]
        assert [hit.chunk_id for hit in chroma.nearest(row.vector, access=ALL, limit=5)] == expected


def test_a_row_replaced_in_chroma_loses_its_old_groups(chroma: ChromaBuild) -> None:
    row = vector_rows(1)[0]
    chroma.change(removed=["c0"], added=[VectorRow("c0", frozenset({"board"}), row.vector)])
    assert "c0" not in [hit.chunk_id for hit in chroma.nearest(row.vector, access=Access.of("staff"), limit=200)]
    assert chroma.nearest(row.vector, access=Access.of("board"), limit=1)[0].chunk_id == "c0"


def test_chroma_sends_no_telemetry(chroma: ChromaBuild) -> None:
    assert chroma._client.get_settings().anonymized_telemetry is False


def test_a_build_is_sound_only_for_the_rows_it_was_made_of(chroma: ChromaBuild) -> None:
    assert chroma.is_sound(ExactScan(vector_rows(200)))
    assert not chroma.is_sound(ExactScan(vector_rows(199)))
    other = ExactScan(VectorRow(row.chunk_id, row.groups, -row.vector) for row in vector_rows(200))
    assert not chroma.is_sound(other)


@pytest.mark.parametrize(
    "damage", ["write that did not end", "database cut", "database emptied", "graph emptied", "gone", "journal gone"]
)
def test_a_damaged_build_is_not_opened_and_never_raises(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "chroma"
    ChromaBuild.make(folder, vector_rows(1500)).close()
    database = folder / "chroma.sqlite3"
    if damage == "write that did not end":
        (folder / "journal.json").write_text(json.dumps({"writing": True, "changed": 0}))
    elif damage == "database cut":
        database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    elif damage == "database emptied":
        database.write_bytes(b"")
    elif damage == "graph emptied":
        graphs = list(folder.glob("*/*.bin"))
        assert graphs
        for file in graphs:
            file.write_bytes(b"")
    elif damage == "gone":
        for file in folder.iterdir():
            file.unlink() if file.is_file() else None
    else:
        (folder / "journal.json").unlink()
    assert ChromaBuild.open(folder, ExactScan(vector_rows(1500))) is None


def test_large_permitted_sets_are_searched_in_chroma_and_small_ones_by_scan(tmp_path: Path, store: MemoryVectorStore) -> None:
    index = VectorIndex(tmp_path, store, embedder=fixed(), exact_limit=50)
    index.add(rows(40, group="a"))
    assert not list(tmp_path.glob("*/chroma"))
    index.add(rows(40, first=40, group="b"))
    assert list(tmp_path.glob("*/chroma"))
    asked: list[Access] = []
    build = index._state.chroma if index._state else None
    assert build is not None
    nearest = build.nearest
    build.nearest = lambda vector, *, access, limit: asked.append(access) or nearest(vector, access=access, limit=limit)  # type: ignore[method-assign, func-returns-value]
    assert found(index, "\n" + rows(1)[0].text, Access.of("a")) == ["c0"]
    assert asked == []
    assert found(index, "\n" + rows(1)[0].text, ALL) == ["c0"]
    assert asked == [ALL]
    index.close()


def test_a_worn_build_is_made_anew(tmp_path: Path, store: MemoryVectorStore) -> None:
    index = VectorIndex(tmp_path, store, embedder=fixed(), exact_limit=0)
    index.add(rows(100))
    first = store.build()
    index.remove([f"c{i}" for i in range(10)])
    assert store.build() == first
    index.remove([f"c{i}" for i in range(10, 30)])
    assert store.build() != first
    assert build_folder(tmp_path).name == store.build()
    assert_finds_each(index, rows(70, first=30))
    index.close()


def test_a_build_that_fails_in_use_is_passed_over_and_replaced(tmp_path: Path, store: MemoryVectorStore) -> None:
    index = VectorIndex(tmp_path, store, embedder=fixed(), exact_limit=0)
    index.add(rows(50))
    first = store.build()
    index.close()  # from here on every call of the build fails
    assert_finds_each(index, rows(50))
    index.add(rows(5, first=50))
    assert store.build() != first
    assert_finds_each(index, rows(55))
    index.close()


def test_many_equal_texts_are_found_however_the_graph_turns_out(tmp_path: Path, store: MemoryVectorStore) -> None:
    index = VectorIndex(tmp_path, store, embedder=fixed(), exact_limit=0)
    index.add([IndexRow(f"same{i}", "", "form", frozenset({EVERYONE})) for i in range(300)] + rows(20))
    for row in rows(20):
        assert found(index, f"\n{row.text}") == [row.chunk_id]
    index.close()


def test_a_damaged_build_is_made_again_from_the_catalogs_vectors_on_opening(tmp_path: Path, store: MemoryVectorStore) -> None:
    index = VectorIndex(tmp_path, store, exact_limit=0)
    index.add(rows(60))
    index.close()
    journal = next(tmp_path.glob("*/chroma/journal.json"))
    journal.write_text(json.dumps({"writing": True, "changed": 0}))
    first = store.build()
    again = VectorIndex(tmp_path, store, exact_limit=0)
    assert store.build() != first
    assert build_folder(tmp_path).name == store.build()
    assert again.ids() == {row.chunk_id for row in rows(60)}
    assert found(again, "text17") == ["c17"]
    again.close()


CHILD = """
    import sys
    from itertools import count
    from pathlib import Path
    from ingest.index.vector import MemoryVectorStore, VectorIndex
    sys.path.insert(0, {tests!r})
    from test_vector_index import fixed, rows
    index = VectorIndex(Path(sys.argv[1]), MemoryVectorStore(), embedder=fixed(), exact_limit=0)
    index.add(rows(1500))
    print("ready", flush=True)
    for n in count():
        index.add(rows(40, first=1500))
        index.remove([row.chunk_id for row in rows(40, first=1500)])
"""


@pytest.mark.parametrize("after_s", [0.02, 0.2])
def test_after_a_kill_in_the_middle_of_writing_the_rows_are_found(
    tmp_path: Path, store: MemoryVectorStore, after_s: float
) -> None:
    code = textwrap.dedent(CHILD).format(tests=str(Path(__file__).parent))
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(after_s)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    # What the catalog would hold: the first 1,500 rows, and a pointer to a build that was being written.
    embedder = fixed()
    store.put(embedder.fingerprint, rows(1500), unit_rows(embedder.embed_documents([f"\n{row.text}" for row in rows(1500)])))
    store.set_build(max(tmp_path.glob("vector-*"), key=lambda folder: folder.stat().st_mtime).name)
    index = VectorIndex(tmp_path, store, embedder=embedder, exact_limit=0)
    assert index.ids() == {row.chunk_id for row in rows(1500)}
    assert all(found(index, f"\n{row.text}") == [row.chunk_id] for row in rows(1500)[::25])
    index.close()
