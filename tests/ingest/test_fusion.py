"""How scores of several searches become one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.fusion import ENCODER_WEIGHTS, LEXICAL_WEIGHTS, Fusion, Weights, min_max, over_best, reciprocal_ranks
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex
from ingest.types import Access
from tests.indexes import row

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(min_value=0, max_value=100, allow_subnormal=False))


@given(SCORES)
def test_every_scale_ends_at_one_and_keeps_the_order(scores: dict[str, float]) -> None:
    for fused in (min_max(scores), over_best(scores), reciprocal_ranks(scores)):
        assert fused.keys() == scores.keys()
        assert all(0 <= value <= 1 for value in fused.values())
        for one in scores:
            for other in scores:
                if scores[one] > scores[other]:
                    assert fused[one] >= fused[other]


def test_ranks_forget_by_how_much_the_first_is_ahead() -> None:
    assert reciprocal_ranks({"a": 100.0, "b": 1.0}) == reciprocal_ranks({"a": 2.0, "b": 1.9})


def test_what_was_not_found_has_no_rank() -> None:
    assert reciprocal_ranks({"a": 1.0, "b": 0.0})["b"] == 0.0


def test_vectors_weigh_the_more_the_less_the_words_hold_and_nothing_where_it_would_not_be_felt() -> None:
    weights = Weights(rerank=1.0, vector=0.5)
    assert [weights.vector_by_need(share) for share in (0.0, 0.5, 0.99)] == [0.5, 0.25, 0.0]
    assert Weights(rerank=1.0, vector=0.5, least_vector=0.2).vector_by_need(1.0) == 0.2


def test_vectors_are_asked_only_where_words_hold_too_little(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = HybridIndex(LexicalIndex(None), vector := VectorIndex(tmp_path, MemoryVectorStore()))
    index.add([row("pump", "The pump runs at 20 bar."), row("lamp", "The lamp is green.")])
    asked: list[str] = []
    monkeypatch.setattr(vector, "search", lambda query, **_: asked.append(query) or [])
    for query in ("pump bar", "Which compressor is installed in the northern hall?"):
        index.search(query, access=Access.of(), limit=5)
    assert asked == ["Which compressor is installed in the northern hall?"]


def test_both_languages_have_weights() -> None:
    assert LEXICAL_WEIGHTS.keys() == ENCODER_WEIGHTS.keys() == {"zh", "en"}


@pytest.mark.parametrize("fusion", Fusion)
def test_either_way_of_fusing_finds_the_right_chunk_first_and_tells_its_parts(fusion: Fusion, tmp_path) -> None:
    index = HybridIndex(LexicalIndex(None), VectorIndex(tmp_path, MemoryVectorStore()), fusion=fusion)
    index.add([row("pump", "The pump runs at 20 bar."), row("lamp", "The lamp is green."), row("valve", "A valve leaks oil.")])
    first, *_ = index.search("How many bar does the pump run at?", access=Access.of(), limit=3)
    assert first.chunk_id == "pump"
    assert first.score == pytest.approx(first.parts.total)
    assert first.parts.words == 1.0


def test_a_number_that_is_missing_takes_away(tmp_path) -> None:
    index = HybridIndex(LexicalIndex(None), VectorIndex(tmp_path, MemoryVectorStore()))
    index.add([row("right", "Clause 12 on notice periods"), row("wrong", "Clause 13 on notice periods")])
    parts = {hit.chunk_id: hit.parts for hit in index.search("notice periods of clause 12", access=Access.of(), limit=2)}
    assert parts["right"].missing_numbers == 0
    assert parts["wrong"].missing_numbers < 0
