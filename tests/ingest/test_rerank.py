"""The window rerank, against a slow oracle that looks at every window."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rerank import (
    NEAR_PAIR_REACH,
    NEAR_PAIR_WEIGHT,
    PAIR_WEIGHT,
    WINDOWS,
    Candidate,
    Reranker,
    WindowReranker,
    document_frequency_weight,
    missing_numbers,
    unit_numbers,
)


def candidates(*texts: str) -> list[Candidate]:
    return [Candidate(f"c{i}", 1.0, unit_numbers(text)) for i, text in enumerate(texts)]


def even(term: str) -> float:
    return 1.0


def best_by_every_window(query: Sequence[str], text: Sequence[str], width: int) -> float:
    """The greatest weight of distinct query units, pairs and near pairs whose first unit lies in a window, units weighing 1."""
    best = 0.0
    pairs = set(pairwise(query))
    near = {pair for pair in pairs if pair[0] != pair[1]}
    for start in range(max(1, len(text))):
        window = range(start, min(start + width, len(text)))
        singles = {text[i] for i in window} & set(query)
        held = {(text[i], text[i + 1]) for i in window if i + 1 < len(text)} & pairs
        following = {(text[i], other) for i in window for other in text[i + 1 : i + 1 + NEAR_PAIR_REACH]} & near
        best = max(best, len(singles) + PAIR_WEIGHT * len(held) + NEAR_PAIR_WEIGHT * len(following))
    return best


TEXTS = st.lists(st.lists(st.sampled_from("abcdefghxyz"), max_size=200), min_size=1, max_size=4)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6), TEXTS)
def test_scores_are_those_of_trying_every_window(query: list[str], texts: list[list[str]]) -> None:
    # Units that the tokenizer leaves as they are, and that are no stop words ("a" is).
    spelled = {letter: f"{letter}q" for letter in "abcdefghxyz"}
    asked = [spelled[letter] for letter in query]
    spelled_texts = [[spelled[letter] for letter in text] for text in texts]
    found = candidates(*(" ".join(text) for text in spelled_texts))
    expected = [0.0] * len(texts)
    for width in WINDOWS:
        sums = [best_by_every_window(asked, text, width) for text in spelled_texts]
        if max(sums) > 0:
            expected = [value + one / max(sums) / len(WINDOWS) for value, one in zip(expected, sums, strict=True)]
    assert WindowReranker(even).scores(" ".join(asked), found) == pytest.approx(expected)


def test_words_that_stand_together_beat_words_apart() -> None:
    filler = "other things are said here in between " * 20
    together, apart = WindowReranker(even).scores(
        "pump pressure limit", candidates("the pump pressure limit. " + filler, f"pump {filler} pressure {filler} limit")
    )
    assert together > apart


def test_the_same_words_in_order_beat_another_order() -> None:
    ordered, shuffled = WindowReranker(even).scores("年休假", candidates("带薪年休假规定", "假定年度休整"))
    assert ordered > shuffled


def test_rare_words_weigh_more() -> None:
    weights = {"turbin": 5.0}
    rare, common = WindowReranker(lambda term: weights.get(term, 0.5)).scores("turbine oil", candidates("a turbine", "an oil"))
    assert rare > common


def test_stop_words_and_question_words_never_match() -> None:
    assert WindowReranker(even).scores("what is the pump", candidates("what is the", "什么"))[0] == 0.0
    assert WindowReranker(even).scores("为什么停机", candidates("为什么", "停机"))[0] == 0.0


def test_repeating_a_word_gains_nothing() -> None:
    once, often = WindowReranker(even).scores("pump valve", candidates("pump valve", "pump pump pump valve pump"))
    assert once == often


@pytest.mark.parametrize("query", ["", "？", "the of", "的"])
def test_a_question_without_terms_scores_every_candidate_alike(query: str) -> None:
    assert len(set(WindowReranker(even).scores(query, candidates("the pump", "valve")))) == 1


def test_no_candidates_give_no_scores() -> None:
    reranker: Reranker = WindowReranker(even)
    assert reranker.scores("pump", []) == []


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=5))
def test_scores_lie_between_0_and_1(query: str, texts: list[str]) -> None:
    assert all(0.0 <= score <= 1.0 + 1e-9 for score in WindowReranker(even).scores(query, candidates(*texts)))


@pytest.mark.parametrize(
    ("query", "text", "missing"),
    [
        ("sales in 2019", "sales in 2019", 0),
        ("sales in 2019", "sales in 2018", 1),
        ("2018 to 2019", "2020", 2),
        ("21,012 units", "21012 units", 0),
        ("２０１９年", "2019年", 0),
        ("no number", "nothing", 0),
    ],
)
def test_numbers_of_the_question_that_the_text_lacks_are_counted(query: str, text: str, missing: int) -> None:
    assert missing_numbers(query, candidates(text, query)) == [missing, 0]


def test_the_weight_falls_with_the_count_and_never_below_0() -> None:
    weights = [document_frequency_weight(count, 1000) for count in range(1001)]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0
    assert document_frequency_weight(5, 3) > 0  # deleted rows may still be counted
    assert document_frequency_weight(0, 0) >= 0


def test_a_long_question_over_long_candidates_is_scored() -> None:
    rng = random.Random(1)
    words = [f"w{i}q" for i in range(400)]
    texts = [" ".join(rng.choices(words, k=2000)) for _ in range(50)]
    assert len(WindowReranker(even).scores(" ".join(rng.choices(words, k=3000)), candidates(*texts))) == 50
