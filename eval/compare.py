"""Several arms' answers to the same cases → figures of each arm, and differences between arms, each with n and interval.

Invariants. An arm that failed on a case counts neither for nor against it there, and their number is told. Shares of cases
have Wilson intervals; means, shares of sentences, percentiles and differences have bootstrap intervals over cases, because
the sentences of one answer are not independent. A difference is taken over cases that both arms answered, case by case.
All intervals are of 95 %, and seeded: the same answers give the same figures. Knows nothing of how the answers were made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.answers import share
from eval.metrics.text import exact_match, holds_key_fact, token_f1
from eval.types import Arm, Case

RESAMPLES = 4000
_SEED = 20
_INTERVAL = (2.5, 97.5)
_PERCENTILES = (50, 95)

PAIRS = ((Arm.TUNED, Arm.BASE), (Arm.RAG, Arm.BASE), (Arm.TUNED_RAG, Arm.RAG), (Arm.TUNED_RAG, Arm.TUNED))
"""The differences that are told: the first arm minus the second."""

Figure = dict[str, float | int]
"""value, low, high, n."""
Answers = Mapping[str, Mapping[str, Any]]
"""Arm → the answer as `graft ask --json` prints it, or `{"error": …}`."""
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Measure:
    """A sum over cases divided by another: `of` gives what one case adds to both. `share`: it adds 0 or 1."""

    name: str
    of: Callable[[Case, Mapping[str, Any]], tuple[float, float]]
    share: bool


def compare_answers(
    cases: Sequence[Case],
    answers: Mapping[str, Answers],
    *,
    arms: Sequence[Arm],
    learned: Collection[str] | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Figures over all cases, by language, by kind and, where `learned` names the documents that the adapter learned from, by
    whether a case's answer stands in one of them; `answers` is by case id.
    """
    asked = [case for case in cases if case.id in answers]

    def part(chosen: Sequence[Case]) -> dict[str, Any]:
        return _part(chosen, answers, arms, resamples)

    result = {
        "arms": [str(arm) for arm in arms],
        "overall": part(asked),
        "by_language": _grouped(asked, lambda case: case.lang, part),
        "by_kind": _grouped(asked, lambda case: case.kind, part),
    }
    if learned is not None:
        result["by_learned"] = _grouped(asked, lambda case: _learned(case, learned), part)
    return result


def sentences_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sentences that the answer shows: none where it abstains."""
    return [] if answer["abstained"] else list(answer["sentences"])


def has_key_fact(case: Case, answer: Mapping[str, Any]) -> bool | None:
    """Whether the answer holds what the case asks for; None where that cannot be told."""
    if "error" in answer or not case.answerable or not case.answers:
        return None
    return holds_key_fact(_said(answer), case.answers)


def _learned(case: Case, learned: Collection[str]) -> str:
    if not case.gold:
        return ""
    return "learned" if any(page.document in learned for page in case.gold) else "not learned"


def _grouped(
    cases: Sequence[Case], key: Callable[[Case], str], part: Callable[[Sequence[Case]], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    names = sorted({key(case) for case in cases} - {""})
    return {name: part([case for case in cases if key(case) == name]) for name in names}


def _part(cases: Sequence[Case], answers: Mapping[str, Answers], arms: Sequence[Arm], resamples: int) -> dict[str, Any]:
    weights = _weights(len(cases), resamples)
    columns = {arm: _columns(cases, [answers[case.id][arm] for case in cases]) for arm in arms}
    pairs = [pair for pair in PAIRS if set(pair) <= columns.keys()]
    return {
        "cases": len(cases),
        "arms": {str(arm): _figures(columns[arm], weights) for arm in arms},
        "differences": {f"{one} minus {other}": _differences(columns[one], columns[other], weights) for one, other in pairs},
    }


def _weights(cases: int, resamples: int) -> _Floats:
    """How often each case is drawn in each resample: `(resamples, cases)`."""
    if not cases:
        return np.zeros((resamples, 0))
    drawn = np.random.default_rng(_SEED).multinomial(cases, np.full(cases, 1 / cases), size=resamples)
    return drawn.astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Columns:
    """What one arm did, a row a case: `above` and `below` are `(cases, measures)`, times are NaN where there is none."""

    failed: NDArray[np.bool_]
    above: _Floats
    below: _Floats
    times_ms: dict[str, _Floats]


def _columns(cases: Sequence[Case], answers: Sequence[Mapping[str, Any]]) -> _Columns:
    failed = np.array(["error" in answer for answer in answers], dtype=np.bool_)
    parts = np.zeros((len(cases), len(_MEASURES), 2))
    times_ms = {name: np.full(len(cases), np.nan) for name in ("total", "first_token")}
    for row, (case, answer) in enumerate(zip(cases, answers, strict=True)):
        if "error" not in answer:
            parts[row] = [measure.of(case, answer) for measure in _MEASURES]
            for name, column in times_ms.items():
                column[row] = answer["timings_ms"].get(name, np.nan)
    return _Columns(failed, parts[:, :, 0], parts[:, :, 1], times_ms)


def _figures(columns: _Columns, weights: _Floats) -> dict[str, Any]:
    figures: dict[str, Any] = {"failed": int(columns.failed.sum())}
    drawn = _ratios(weights @ columns.above, weights @ columns.below)
    for index, measure in enumerate(_MEASURES):
        above, below = columns.above[:, index], columns.below[:, index]
        if measure.share:
            figures[measure.name] = share(bool(one) for one in above[below > 0])
        else:
            value = _ratios(above.sum(keepdims=True), below.sum(keepdims=True))[0]
            figures[measure.name] = _figure(value, drawn[:, index], int(below.sum()))
    for name, column in columns.times_ms.items():
        figures |= _times(f"{name}_ms", column, weights)
    return figures


def _differences(one: _Columns, other: _Columns, weights: _Floats) -> dict[str, Figure | None]:
    both = ~(one.failed | other.failed)
    kept = weights[:, both]

    def ratios(columns: _Columns) -> tuple[_Floats, _Floats]:
        above, below = columns.above[both], columns.below[both]
        return _ratios(above.sum(axis=0), below.sum(axis=0)), _ratios(kept @ above, kept @ below)

    (value, drawn), (value_of_other, drawn_of_other) = ratios(one), ratios(other)
    counts = ((one.below[both] > 0) | (other.below[both] > 0)).sum(axis=0)
    return {
        measure.name: _figure(value[index] - value_of_other[index], (drawn - drawn_of_other)[:, index], int(counts[index]))
        for index, measure in enumerate(_MEASURES)
    }


def _times(name: str, column: _Floats, weights: _Floats) -> dict[str, Figure | None]:
    """The percentiles of what was timed: of each resample, the value at which its weights add up to the share."""
    timed = ~np.isnan(column)
    values, order = np.sort(column[timed]), np.argsort(column[timed])
    if not values.size:
        return {f"{name}_p{percent}": None for percent in _PERCENTILES}
    reached = np.cumsum(weights[:, timed][:, order], axis=1)
    figures: dict[str, Figure | None] = {}
    for percent in _PERCENTILES:
        places = (reached < percent / 100 * reached[:, -1:]).sum(axis=1)
        drawn = values[np.minimum(places, values.size - 1)]
        figures[f"{name}_p{percent}"] = _figure(float(np.percentile(values, percent)), drawn, values.size, digits=1)
    return figures


def _ratios(above: _Floats, below: _Floats) -> _Floats:
    """`above / below`, NaN where there is nothing to divide by."""
    ratios: _Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratios


def _figure(value: float, drawn: _Floats, n: int, *, digits: int = 3) -> Figure | None:
    """The value with the interval of its resamples; None where it is not defined."""
    defined = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not defined.size:
        return None
    low, high = np.percentile(defined, _INTERVAL)
    return {"value": round(float(value), digits), "low": round(float(low), digits), "high": round(float(high), digits), "n": n}


# What one case adds to a measure: (above, below)


def _said(answer: Mapping[str, Any]) -> str:
    return " ".join(sentence["text"] for sentence in sentences_of(answer))


def _with_gold(test: Callable[[str, Sequence[str]], float]) -> Callable[[Case, Mapping[str, Any]], tuple[float, float]]:
    """Compares with the right answers, where the case has some; who abstains has said nothing that is right."""

    def of(case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
        if not case.answerable or not case.answers:
            return 0, 0
        said = _said(answer)
        return (float(test(said, case.answers)) if said else 0.0), 1

    return of


def _supported_sentences(_case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
    shown = sentences_of(answer)
    return sum(sentence["supported"] for sentence in shown), len(shown)


def _hallucinated_sentences(_case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
    shown = sentences_of(answer)
    return sum(not sentence["supported"] for sentence in shown), len(shown)


def _hallucinated_answers(_case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
    shown = sentences_of(answer)
    return any(not sentence["supported"] for sentence in shown), bool(shown)


def _abstention_recall(case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
    return answer["abstained"] and not case.answerable, not case.answerable


def _abstention_precision(case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
    return answer["abstained"] and not case.answerable, answer["abstained"]


def _wrong_refusals(case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
    return answer["abstained"] and case.answerable, case.answerable


def _tokens(name: str) -> Callable[[Case, Mapping[str, Any]], tuple[float, float]]:
    def of(_case: Case, answer: Mapping[str, Any]) -> tuple[float, float]:
        return answer["usage"].get(name, 0), name in answer["usage"]

    return of


_MEASURES = (
    _Measure("key_fact", _with_gold(holds_key_fact), share=True),
    _Measure("exact_match", _with_gold(exact_match), share=True),
    _Measure("f1", _with_gold(token_f1), share=False),
    _Measure("supported_sentences", _supported_sentences, share=False),
    _Measure("hallucinated_answers", _hallucinated_answers, share=True),
    _Measure("hallucinated_sentences", _hallucinated_sentences, share=False),
    _Measure("abstention_recall", _abstention_recall, share=True),
    _Measure("abstention_precision", _abstention_precision, share=True),
    _Measure("wrong_refusals", _wrong_refusals, share=True),
    _Measure("prompt_tokens", _tokens("prompt_tokens"), share=False),
    _Measure("completion_tokens", _tokens("completion_tokens"), share=False),
)
