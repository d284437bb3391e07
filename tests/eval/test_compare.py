"""Figures of arms and their differences: counted right, with intervals that hold what they should, the same every time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from eval.compare import compare_answers
from eval.types import Arm, Case, GoldPage


def case(number: int, *, lang: str = "en", kind: str = "plain", answerable: bool = True, document: str = "a.pdf") -> Case:
    gold = (GoldPage(document, 1),) if answerable else ()
    return Case(f"c{number}", lang, kind, "How many?", answerable, ("27 days",) if answerable else (), gold)


def answer(*sentences: tuple[str, bool], abstained: bool = False, ms: float = 1000.0, tokens: int | None = 10) -> dict[str, Any]:
    return {
        "abstained": abstained,
        "sentences": [{"text": text, "supported": supported} for text, supported in sentences],
        "usage": {} if tokens is None else {"prompt_tokens": 100, "completion_tokens": tokens},
        "timings_ms": {"total": ms, "first_token": ms / 10} if not abstained else {"total": ms},
    }


RIGHT = answer(("It is 27 days.", True))
WRONG = answer(("It is 12 days.", False))
HALF = answer(("It is 27 days.", True), ("Elephants deliver it.", False))
ABSTAINS = answer(abstained=True)
FAILED = {"error": {"detail": "the engine failed"}}


def compared(cases: Sequence[Case], base: Sequence[Any], rag: Sequence[Any], **options: Any) -> dict[str, Any]:
    answers = {one.id: {"base": b, "rag": r} for one, b, r in zip(cases, base, rag, strict=True)}
    return compare_answers(cases, answers, arms=[Arm.BASE, Arm.RAG], **options)


def test_every_measure_is_counted_over_the_cases_that_it_applies_to() -> None:
    cases = [case(1), case(2), case(3), case(4, answerable=False), case(5, answerable=False)]
    figures = compared(cases, [RIGHT, WRONG, HALF, WRONG, ABSTAINS], [RIGHT, RIGHT, ABSTAINS, ABSTAINS, ABSTAINS])["overall"][
        "arms"
    ]
    base, rag = figures["base"], figures["rag"]
    values = {name: (figure["value"], figure["n"]) for name, figure in base.items() if isinstance(figure, dict)}
    assert values["key_fact"] == (0.667, 3)
    assert values["exact_match"] == (0.0, 3)
    assert values["hallucinated_answers"] == (0.75, 4)
    assert values["hallucinated_sentences"] == (0.6, 5)
    assert values["supported_sentences"] == (0.4, 5)
    assert values["abstention_recall"] == (0.5, 2)
    assert values["abstention_precision"] == (1.0, 1)
    assert values["wrong_refusals"] == (0.0, 3)
    assert values["completion_tokens"] == (10.0, 5)
    assert (rag["key_fact"]["value"], rag["wrong_refusals"]["value"]) == (0.667, 0.333)
    assert (rag["abstention_recall"]["value"], rag["abstention_precision"]["value"]) == (1.0, 0.667)
    assert 0 < rag["f1"]["value"] < 1


def test_an_answer_that_holds_exactly_the_right_words_matches_exactly() -> None:
    figures = compared([case(1)], [answer(("27 days.", True))], [RIGHT])["overall"]["arms"]
    assert (figures["base"]["exact_match"]["value"], figures["rag"]["exact_match"]["value"]) == (1.0, 0.0)
    assert figures["base"]["f1"]["value"] == 1.0


def test_what_applies_to_no_case_has_no_figure() -> None:
    figures = compared([case(1, answerable=False)], [ABSTAINS], [answer(("Yes.", True), tokens=None)])["overall"]
    assert figures["arms"]["base"]["key_fact"] is None
    assert figures["arms"]["base"]["hallucinated_answers"] is None
    assert figures["arms"]["base"]["first_token_ms_p50"] is None
    assert figures["arms"]["rag"]["completion_tokens"] is None
    assert figures["differences"]["rag minus base"]["key_fact"] is None


def test_an_arm_that_failed_counts_neither_for_nor_against_it_and_leaves_its_pair() -> None:
    cases = [case(number) for number in range(4)]
    figures = compared(cases, [RIGHT, WRONG, WRONG, WRONG], [FAILED, RIGHT, RIGHT, WRONG])["overall"]
    assert (figures["arms"]["rag"]["failed"], figures["arms"]["rag"]["key_fact"]["n"]) == (1, 3)
    assert figures["arms"]["base"]["key_fact"]["n"] == 4
    difference = figures["differences"]["rag minus base"]["key_fact"]
    assert (difference["value"], difference["n"]) == (0.667, 3)


def test_pairing_makes_the_interval_of_a_difference_narrower_than_that_of_strangers() -> None:
    """100 cases of which both arms know the same half, and one arm 10 more: the arms differ, though their intervals overlap."""
    cases = [case(number) for number in range(100)]
    base = [RIGHT if number < 50 else WRONG for number in range(100)]
    rag = [RIGHT if number < 60 else WRONG for number in range(100)]
    figures = compared(cases, base, rag)["overall"]
    difference = figures["differences"]["rag minus base"]["key_fact"]
    assert difference["value"] == 0.1
    # The spread of a mean of 100 zeros and ones of which a tenth are ones: 1.96 * sqrt(.1 * .9 / 100) = .059
    assert difference["low"] == pytest.approx(0.1 - 0.055, abs=0.012)
    assert difference["high"] == pytest.approx(0.1 + 0.06, abs=0.012)
    assert figures["arms"]["base"]["key_fact"]["high"] > figures["arms"]["rag"]["key_fact"]["low"]
    assert figures["differences"]["rag minus base"]["hallucinated_answers"]["value"] == -0.1


def test_ninety_five_of_a_hundred_intervals_hold_the_true_difference() -> None:
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(100):
        cases = [case(number) for number in range(60)]
        base = [RIGHT if right else WRONG for right in generator.random(60) < 0.4]
        rag = [RIGHT if right else WRONG for right in generator.random(60) < 0.6]
        found = compared(cases, base, rag, resamples=400)["overall"]["differences"]["rag minus base"]["key_fact"]
        held += found["low"] <= 0.2 <= found["high"]
    assert 88 <= held <= 100


def test_times_are_percentiles_with_intervals_that_hold_them() -> None:
    cases = [case(number) for number in range(200)]
    slow = [answer(("It is 27 days.", True), ms=float(number)) for number in range(200)]
    figures = compared(cases, slow, slow)["overall"]["arms"]["base"]
    median, late = figures["total_ms_p50"], figures["total_ms_p95"]
    assert (median["value"], median["n"]) == (99.5, 200)
    assert 80 < median["low"] < 99.5 < median["high"] < 120
    assert late["value"] == pytest.approx(189.05, abs=0.051)
    assert 178 < late["low"] <= late["value"] <= late["high"] <= 199


def test_the_same_answers_give_the_same_figures() -> None:
    cases = [case(number) for number in range(30)]
    answers = [[RIGHT, WRONG, HALF][number % 3] for number in range(30)]
    first, again = (json.dumps(compared(cases, answers, answers[::-1], resamples=200)) for _ in range(2))
    assert first == again


def test_cases_are_told_apart_by_language_kind_and_learned_document() -> None:
    cases = [
        case(1),
        case(2, lang="zh", document="b.pdf"),
        case(3, kind="restricted", document="b.pdf"),
        case(4, answerable=False, kind="none"),
    ]
    answers = [RIGHT, WRONG, WRONG, ABSTAINS]
    figures = compared(cases, answers, answers, learned={"a.pdf"})
    counts = {name: {group: part["cases"] for group, part in figures[name].items()} for name in figures if name.startswith("by_")}
    assert counts == {
        "by_language": {"en": 3, "zh": 1},
        "by_kind": {"none": 1, "plain": 2, "restricted": 1},
        "by_learned": {"learned": 1, "not learned": 2},
    }
    assert figures["by_learned"]["learned"]["arms"]["base"]["key_fact"]["value"] == 1.0
    assert "by_learned" not in compared(cases, answers, answers)


def test_only_the_four_telling_pairs_are_subtracted() -> None:
    answers = {"c1": dict.fromkeys(Arm, RIGHT)}
    figures = compare_answers([case(1)], answers, arms=list(Arm))["overall"]
    assert list(figures["differences"]) == ["tuned minus base", "rag minus base", "tuned-rag minus rag", "tuned-rag minus tuned"]


def test_without_any_case_there_are_no_figures_and_no_error() -> None:
    figures = compare_answers([case(1)], {}, arms=[Arm.BASE, Arm.RAG])
    assert figures["overall"]["cases"] == 0
    assert figures["overall"]["arms"]["base"]["key_fact"] is None
