"""The contract of every `Index`, run over each implementation. What is right for one is right for all."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.index.base import Index
from ingest.index.exact import ExactScan, VectorRow
from ingest.index.lexical import LexicalIndex
from ingest.types import EVERYONE, Access, IndexRow, Within
from tests.indexes import INDEXES, ClosableIndex, Opener, opener_of, row


@pytest.fixture(params=INDEXES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return opener_of(request.param, tmp_path)


@pytest.fixture
def index(opener: Opener) -> Iterator[ClosableIndex]:
    opened = opener()
    yield opened
    opened.close()


LEAVE = row("leave", "员工每年享有十天带薪年休假。")
PUMP = row("pump", "The maximum pressure of the pump is 21,012 pascal.")
TRAVEL = row("travel", "Travel expenses are reimbursed within thirty days.", title="Expense policy")
ROWS = [LEAVE, PUMP, TRAVEL]


def found(index: Index, query: str, access: Access | None = None, limit: int = 10) -> list[str]:
    return [hit.chunk_id for hit in index.search(query, access=access or Access.of(), limit=limit)]


def test_an_empty_index_holds_and_finds_nothing(index: ClosableIndex) -> None:
    assert index.ids() == set()
    assert found(index, "pump") == []
    index.remove(["pump"])


@pytest.mark.parametrize(
    ("query", "first"), [("年休假有几天？", "leave"), ("maximum pressure?", "pump"), ("expense policy", "travel")]
)
def test_a_question_finds_the_chunk_that_holds_its_words(index: ClosableIndex, query: str, first: str) -> None:
    index.add(ROWS)
    assert found(index, query)[0] == first


def test_rows_added_one_by_one_are_all_found(index: ClosableIndex) -> None:
    for one in ROWS:
        index.add([one])
    assert index.ids() == {"leave", "pump", "travel"}
    assert [found(index, q)[0] for q in ("年休假", "pressure", "expenses")] == ["leave", "pump", "travel"]


def test_adding_nothing_changes_nothing(index: ClosableIndex) -> None:
    index.add([])
    assert index.ids() == set()


def test_scores_fall_and_the_same_search_gives_the_same_hits(index: ClosableIndex) -> None:
    index.add(ROWS)
    hits = index.search("pump expenses pressure", access=Access.of(), limit=10)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits == index.search("pump expenses pressure", access=Access.of(), limit=10)
    assert len({hit.chunk_id for hit in hits}) == len(hits)


def test_a_row_added_again_replaces_the_one_before(index: ClosableIndex) -> None:
    index.add(ROWS)
    index.add([row("pump", "Die Kantine liegt im Keller.")])
    assert index.ids() == {"leave", "pump", "travel"}
    assert found(index, "Kantine")[0] == "pump"
    assert "pump" not in found(index, "maximum pascal")


def test_of_one_id_twice_in_a_batch_the_last_counts(index: ClosableIndex) -> None:
    index.add([row("a", "an old pump"), row("b", "nothing else"), row("a", "a new compressor")])
    assert index.ids() == {"a", "b"}
    assert found(index, "compressor") == ["a"]
    assert found(index, "pump") == []


def test_removed_rows_are_not_found_and_unknown_ids_are_ignored(index: ClosableIndex) -> None:
    index.add(ROWS)
    index.remove(["pump", "never there"])
    assert index.ids() == {"leave", "travel"}
    assert "pump" not in found(index, "maximum pressure of the pump", Access.everything())
    index.add([PUMP])
    assert found(index, "maximum pressure")[0] == "pump"


def test_all_rows_may_be_removed(index: ClosableIndex) -> None:
    index.add(ROWS)
    index.remove(["leave", "pump", "travel"])
    assert index.ids() == set()
    assert found(index, "pump") == []


def test_what_was_added_and_removed_survives_reopening(opener: Opener) -> None:
    first = opener()
    first.add(ROWS)
    first.remove(["travel"])
    first.close()
    again = opener()
    assert again.ids() == {"leave", "pump"}
    assert found(again, "maximum pressure")[0] == "pump"
    assert "travel" not in found(again, "travel expenses")
    again.add([TRAVEL])
    assert found(again, "travel expenses")[0] == "travel"
    again.close()


def test_only_permitted_chunks_are_found(index: ClosableIndex) -> None:
    index.add(
        [
            row("hr", "secret salary table", "hr"),
            row("legal", "salary dispute", "legal"),
            row("both", "salary bands", "hr", "legal"),
        ]
    )
    assert set(found(index, "salary", Access.of("hr"))) == {"hr", "both"}
    assert set(found(index, "salary", Access.of("legal"))) == {"legal", "both"}
    assert set(found(index, "salary", Access.of("hr", "legal"))) == {"hr", "legal", "both"}
    assert set(found(index, "salary", Access.everything())) == {"hr", "legal", "both"}
    assert found(index, "salary", Access.of()) == []
    assert found(index, "salary", Access(frozenset())) == []


@pytest.mark.parametrize("name", ["HR", "h", "hr ", "hr/eu", "人事", "*", "' OR 1=1", "hr,legal"])
def test_a_group_is_its_exact_name(index: ClosableIndex, name: str) -> None:
    index.add([row("hr", "salary table", "hr"), row("other", "salary list", name)])
    assert found(index, "salary", Access.of("hr")) == ["hr"]
    assert found(index, "salary", Access.of(name)) == ["other"]


def test_the_limit_counts_permitted_chunks_only(index: ClosableIndex) -> None:
    index.add(
        [row(f"secret{i}", "salary salary salary", "board") for i in range(60)]
        + [row("open", "a note on salary and other things")]
    )
    assert found(index, "salary", limit=1) == ["open"]
    assert len(found(index, "salary", Access.of("board"), limit=7)) == 7


def test_changed_groups_take_the_place_of_the_old_ones(index: ClosableIndex) -> None:
    index.add([*ROWS, row("plan", "merger plan", "everyone", "staff")])
    index.add([row("plan", "merger plan", "board")])
    assert found(index, "merger plan", Access.of("staff")) == []
    assert found(index, "merger plan", Access.of("board"))[0] == "plan"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_finds_nothing(index: ClosableIndex, limit: int) -> None:
    index.add(ROWS)
    assert found(index, "pump", limit=limit) == []


def test_a_longer_list_begins_like_a_shorter_one(index: ClosableIndex, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.params["opener"] == "chroma":
        pytest.skip("Chroma's search is approximate, and looks further for a longer list")
    index.add([row(f"c{i:03}", f"pump number {i} " + "valve " * (i % 7)) for i in range(120)])
    long = found(index, "pump valve", limit=120)
    assert found(index, "pump valve", limit=5) == long[:5]
    assert len(set(long)) == len(long) == 120


@pytest.mark.parametrize(
    "query",
    [
        "",
        " \n\t",
        "？？！",
        "的",
        "AND OR NOT",
        'terms:"x" +(',
        "\x00",
        "a" * 20_000,
        "词" * 20_000,
        "word " * 5_000,
        "\ud800 pump",
        "1 2 3",
    ],
)
def test_any_question_is_answered_without_an_error(index: ClosableIndex, query: str) -> None:
    index.add(ROWS)
    assert set(found(index, query)) <= {"leave", "pump", "travel"}


@pytest.mark.parametrize("text", ["", " ", "？！", "x" * 50_000, "\x00\x01", "的 the of"])
def test_any_text_can_be_added_and_removed(index: ClosableIndex, text: str) -> None:
    index.add([row("odd", text), PUMP])
    assert index.ids() == {"odd", "pump"}
    assert found(index, "maximum pressure")[0] == "pump"
    index.remove(["odd"])
    assert index.ids() == {"pump"}


def test_searches_run_while_rows_are_added(index: ClosableIndex) -> None:
    index.add(ROWS)
    errors: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                assert found(index, "maximum pressure of the pump")[0] == "pump"
                assert not any(chunk.startswith("secret") for chunk in found(index, "salary"))
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(12):
        index.add([row(f"secret{i}", f"salary of person {i}", "hr"), row(f"open{i}", f"menu of day {i}")])
        index.remove([f"open{i - 1}"])
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(index.ids()) == 3 + 12 + 1


# Narrowed to some documents or chunks


def of(document: str, chunk_id: str, text: str, *groups: str) -> IndexRow:
    return IndexRow(chunk_id, "", text, frozenset(groups or {EVERYONE}), document)


SALARIES = [
    of("a", "a1", "salary table"),
    of("a", "a2", "salary bands", "hr"),
    of("b", "b1", "salary dispute"),
    of("b", "b2", "menu of the day"),
    of("c", "c1", "salary list", "hr"),
]


def narrowed(index: Index, within: Within, access: Access | None = None, limit: int = 10) -> set[str]:
    hits = index.search("salary", access=access or Access.of(), limit=limit, within=within)
    return {hit.chunk_id for hit in hits}


@pytest.mark.parametrize(
    ("within", "everyone", "administrator"),
    [
        (Within(frozenset("a")), {"a1"}, {"a1", "a2"}),
        (Within(frozenset("ab")), {"a1", "b1"}, {"a1", "a2", "b1"}),
        (Within(frozenset("c")), set(), {"c1"}),
        (Within(frozenset(), frozenset({"b1", "c1"})), {"b1"}, {"b1", "c1"}),
        (Within(frozenset("a"), frozenset({"b1", "a2"})), {"a1", "b1"}, {"a1", "a2", "b1"}),
        (Within(frozenset({"never there", ""}), frozenset({"neither"})), set(), set()),
        (Within(frozenset()), set(), set()),
    ],
)
def test_a_narrowed_search_finds_what_is_permitted_and_matches(
    index: ClosableIndex, within: Within, everyone: set[str], administrator: set[str]
) -> None:
    index.add(SALARIES)
    assert narrowed(index, within) == everyone
    assert narrowed(index, within, Access.everything()) == administrator
    assert narrowed(index, within, Access(frozenset())) == set()


def test_a_narrowed_search_finds_no_chunk_without_a_word_of_the_question(index: ClosableIndex) -> None:
    index.add(SALARIES)
    assert narrowed(index, Within(frozenset(), frozenset({"b2"}))) == set()


def test_the_limit_counts_matching_chunks_only(index: ClosableIndex) -> None:
    index.add([of("noise", f"n{i}", "salary salary salary") for i in range(80)] + SALARIES)
    assert narrowed(index, Within(frozenset("b")), limit=1) == {"b1"}
    assert len(narrowed(index, Within(frozenset({"noise"})), limit=7)) == 7


def test_a_narrowed_search_follows_rows_that_move_are_removed_and_reopened(opener: Opener) -> None:
    index = opener()
    index.add(SALARIES)
    index.add([of("c", "a1", "salary table"), of("d", "d1", "salary of the new ones")])
    index.remove(["b1"])
    for _ in range(2):
        assert narrowed(index, Within(frozenset("a")), Access.everything()) == {"a2"}
        assert narrowed(index, Within(frozenset("c")), Access.everything()) == {"a1", "c1"}
        assert narrowed(index, Within(frozenset("bd")), Access.everything()) == {"d1"}
        index.close()
        index = opener()
    index.close()


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from(["hr", "it"]), min_size=1)), min_size=1, max_size=12),
    documents=st.frozensets(st.sampled_from("abc")),
    chunks=st.frozensets(st.integers(0, 11)),
    groups=st.frozensets(st.sampled_from(["hr", "it"])),
)
def test_whatever_is_asked_for_only_the_permitted_and_matching_are_found(
    rows: list[tuple[str, set[str]]], documents: frozenset[str], chunks: frozenset[int], groups: frozenset[str]
) -> None:
    lexical, scan = LexicalIndex(None), ExactScan()
    kept = [of(document, str(number), "salary", *carried) for number, (document, carried) in enumerate(rows)]
    vector = np.ones(1, dtype=np.float32)
    lexical.add(kept)
    scan.add(VectorRow(one.chunk_id, one.groups, vector, one.document_id) for one in kept)
    access, within = Access(groups), Within(documents, frozenset(map(str, chunks)))
    wanted = {
        one.chunk_id
        for one in kept
        if access.permits(one.groups) and (one.document_id in documents or one.chunk_id in within.chunks)
    }
    assert narrowed(lexical, within, access, limit=20) == wanted
    assert {hit.chunk_id for hit in scan.nearest(vector, access=access, limit=20, within=within)} == wanted
