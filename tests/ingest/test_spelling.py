"""A term that nobody holds is searched for as the nearest that somebody does, beside it and never in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.index.lexical import LexicalIndex
from ingest.spelling import Correction, corrections, told
from ingest.tokens import query_terms
from ingest.types import EVERYONE, Access, IndexRow

HELD = {"hx200": 3, "hx500": 9, "kx200": 1, "e15": 2, "a1b": 1, "warranti": 4, "pump": 9, "v2.1": 1, "motor": 5, "motors": 1}


def used(term: str) -> list[str]:
    return [one.used for one in corrections([term], lambda one: HELD.get(one, 0))]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hx2o0", ["hx200"]),  # a letter for a digit
        ("hxzoo", []),  # no digit is left: no code
        ("hxz0o", ["hx200"]),
        ("els", []),
        ("el5", ["e15"]),
        ("e1s", ["e15"]),
        ("hx20", []),
        ("hx2200", ["hx200"]),
        ("hx020", ["hx200"]),
        ("jx200", ["hx200", "kx200"]),  # the most frequent first
        ("hx600", ["hx500", "hx200"]),  # another digit, where nothing likelier is held
        ("warrenti", ["warranti"]),
        ("waranti", ["warranti"]),
        ("pumb", []),  # a short word
        ("motorss", ["motors"]),
        ("motor", []),  # held
        ("the", []),
        ("12345", []),
        ("质量", []),
        ("a" * 400 + "1", []),
    ],
)
def test_the_likeliest_held_neighbour_is_named(written: str, meant: list[str]) -> None:
    assert used(written) == meant


def test_only_a_few_unknown_terms_are_looked_into() -> None:
    asked: list[str] = []

    def nobody(term: str) -> int:
        asked.append(term)
        return 0

    assert corrections([f"unknown{letter}word" for letter in "abcdefghij"], nobody) == []
    assert len(asked) < 5000


@given(st.text(max_size=40))
def test_any_question_is_looked_into_and_only_held_terms_are_named(question: str) -> None:
    named = corrections(query_terms(question), lambda one: HELD.get(one, 0))
    assert all(one.used in HELD and one.seen not in HELD for one in named)


def test_only_what_a_permitted_text_holds_is_told_as_it_is_written_there() -> None:
    named = [Correction("hx2o0", "hx200"), Correction("hx2o0", "kx200"), Correction("warrenti", "warranti")]
    question = "The warrenty of HX-2O0?"
    assert told(named, question, ["All about the HX-200, and more."]) == [Correction("HX-2O0", "HX-200")]
    assert told(named, question, ["Our warranties."]) == [Correction("warrenty", "warranties")]
    assert told(named, question, []) == []


def row(chunk_id: str, text: str, group: str = EVERYONE) -> IndexRow:
    return IndexRow(chunk_id, "", text, frozenset({group}))


def test_what_was_written_counts_more_than_what_was_perhaps_meant() -> None:
    index = LexicalIndex(None)
    index.add([row("right", "the pump HX-200 runs"), row("other", "the pump KX-900 runs"), row("word", "zeppelin flights")])

    def found(query: str) -> list[str]:
        return [hit.chunk_id for hit in index.search(query, access=Access.of(), limit=5)]

    assert found("HX-2O0")[0] == "right"
    assert found("zeppelim")[0] == "word"
    index.add([row("written", "the pump HX-2O0 runs")])
    assert found("HX-2O0")[0] == "written"
    assert index.corrections("HX-2O0") == []
    assert [(one.seen, one.used) for one in index.corrections("zeppelim")] == [("zeppelim", "zeppelin")]
