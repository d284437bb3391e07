"""`graft eval hallucination`: how well a judge tells supported answers from unsupported ones, on lines with a label.

A line is one of `graft check` with `"label"` (1 = unsupported), maybe `"lang"`, `"kind"` and `"spans"` (the bad parts). Lines
are judged one after the other; kept of each are its label, score and groups, and of the worst mistakes the line itself.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from eval.answers import share
from eval.hallucination import AnswerJudge, Line, judge_line
from eval.judge import JudgedAnswer
from eval.metrics.classification import Estimate, auroc, balanced_accuracy, bootstrap, f1, precision, recall, recall_at_precision
from eval.metrics.reliability import brier, calibration_error, reliability
from ingest.errors import InputRefused
from ingest.tokens import language

MOST_MISTAKES = 12
"""Of missed ones, and of false alarms."""
WANTED_RECALL, WANTED_PRECISION = 0.9, 0.8
"""What the product holds its judge to on its own grounded set."""
# Answers to one context are alike, so contexts are drawn for an interval; of fewer than this many, single answers are.
_FEWEST_CONTEXTS = 20
_MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class _Item:
    """What is kept of a judged line; `context` tells lines of the same context from others."""

    label: int
    score: float
    lang: str
    kind: str
    context: str


def evaluate_hallucination(
    rows: Iterable[Mapping[str, Any]], *, judge: AnswerJudge, progress: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Figures with 95 % intervals, over all lines, by language and by kind; ROC curve, reliability bins, the worst mistakes.

    Raises:
        InputRefused: a line cannot be judged, a label is missing, there is no line, or all labels are the same.
    """
    items: list[_Item] = []
    spans = _Spans()
    mistakes = _Mistakes(judge.threshold)
    began = time.perf_counter()
    faults: dict[int, Counter[str]] = {0: Counter(), 1: Counter()}
    for row in rows:
        line = Line.of(row)
        label = row.get("label")
        if label not in (0, 1):
            raise InputRefused(f'line {line.id!r}: "label" must be 0 or 1, seen {label!r}')
        judged = judge_line(line, judge=judge)
        item = _item(row, line, judged)
        items.append(item)
        faults[item.label].update(map(str, judged.faults))
        spans.count(row, judged)
        mistakes.see(item, row, line, judged)
        progress()
    taken_s = time.perf_counter() - began
    if not items:
        raise InputRefused("there is no line to evaluate: one has id, context, answer and label")
    result = _figures(items, judge.threshold)
    result |= {"threshold": judge.threshold, "judge": judge.version, "items_per_s": len(items) / taken_s} | spans.figures()
    result["by_language"] = {
        lang: _figures(members, judge.threshold)
        for lang, members in _grouped(items, lambda one: one.lang).items()
        if len({one.label for one in members}) == 2
    }
    result["faults"] = {"unsupported": dict(faults[1]), "supported": dict(faults[0])}
    result["by_kind"] = _kinds(items, judge.threshold)
    result["roc"] = {"all": _roc(items)} | {
        lang: _roc([one for one in items if one.lang == lang]) for lang in result["by_language"]
    }
    result["mistakes"] = mistakes.told()
    return result


def _item(row: Mapping[str, Any], line: Line, judged: JudgedAnswer) -> _Item:
    context = hashlib.sha256("\n".join(line.context).encode()).hexdigest()[:16]
    return _Item(
        int(row["label"]), judged.score, str(row.get("lang") or language(line.answer)), str(row.get("kind") or ""), context
    )


def _grouped(items: Sequence[_Item], key: Callable[[_Item], Any]) -> dict[Any, list[_Item]]:
    return {name: list(members) for name, members in itertools.groupby(sorted(items, key=key), key)}


def _figures(items: Sequence[_Item], threshold: float) -> dict[str, Any]:
    labels, scores = [one.label for one in items], [one.score for one in items]
    flagged = [score >= threshold for score in scores]
    contexts = [one.context for one in items]
    groups = contexts if len(set(contexts)) >= _FEWEST_CONTEXTS else None
    found: dict[str, Any] = {"n": len(items), "unsupported": sum(labels)}
    found |= _estimated("auroc", bootstrap(auroc, labels, scores, groups=groups))
    for name, metric in (("f1", f1), ("balanced_accuracy", balanced_accuracy), ("recall", recall)):
        found |= _estimated(name, bootstrap(metric, labels, flagged, groups=groups))
    found |= _estimated("precision", bootstrap(precision, labels, flagged, groups=groups) if any(flagged) else None)
    found |= _estimated("brier", bootstrap(brier, labels, scores, groups=groups))
    bins = reliability(labels, scores)
    found |= {"calibration_error": calibration_error(bins), "reliability": [asdict(one) for one in bins]}
    # What the best threshold for these very lines would reach, known only once their labels are.
    found["recall_at_precision_.8"] = recall_at_precision(labels, scores, wanted=WANTED_PRECISION)
    pairs = list(zip(labels, flagged, strict=True))
    found["confusion"] = {
        name: pairs.count(pair)
        for name, pair in {
            "unsupported_flagged": (1, True),
            "unsupported_passed": (1, False),
            "supported_flagged": (0, True),
            "supported_passed": (0, False),
        }.items()
    }
    return found


def _estimated(name: str, estimate: Estimate | None) -> dict[str, Any]:
    """The figure and its interval; both None where it is not defined."""
    if estimate is None:
        return {name: None, f"{name}_interval": None}
    return {name: estimate.value, f"{name}_interval": [estimate.low, estimate.high]}


def _kinds(items: Sequence[_Item], threshold: float) -> list[dict[str, Any]]:
    """For each language, kind and label, the share that is flagged: wanted high where the label is 1, low where it is 0."""
    groups = _grouped(items, lambda one: (one.lang, one.label, one.kind))
    return [
        {"lang": lang, "label": label, "kind": kind, "flagged": share(one.score >= threshold for one in members)}
        for (lang, label, kind), members in groups.items()
    ]


def _roc(items: Sequence[_Item]) -> list[tuple[float, float]]:
    """Points (false alarms, found) from (0, 0) to (1, 1), at most `_MOST_POINTS`, one a threshold that tells answers apart."""
    scores = np.array([one.score for one in items])
    labels = np.array([one.label for one in items], dtype=bool)
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-1.0))  # equal scores are one threshold
    found, alarms = np.cumsum(labels[order])[last], np.cumsum(~labels[order])[last]
    points = [(0.0, 0.0), *zip(alarms / max(1, (~labels).sum()), found / max(1, labels.sum()), strict=True)]
    step = max(1, len(points) // _MOST_POINTS)
    return [(round(float(x), 4), round(float(y), 4)) for x, y in [*points[:-1:step], points[-1]]]


class _Spans:
    """Characters that are marked in the data, by the judge, and by both."""

    def __init__(self) -> None:
        self._both = self._wanted = self._found = 0

    def count(self, row: Mapping[str, Any], judged: JudgedAnswer) -> None:
        if "spans" not in row:
            return
        try:
            wanted = {at for span in row["spans"] for at in range(span["start"], span["end"])}
        except (KeyError, TypeError) as error:
            raise InputRefused(f'line {row["id"]!r}: "spans" must be a list of {{"start", "end"}}, or left out') from error
        found = {at for start, end, _ in judged.spans for at in range(start, end)}
        self._both += len(wanted & found)
        self._wanted += len(wanted)
        self._found += len(found)

    def figures(self) -> dict[str, float]:
        """`span_f1`, or nothing where no line marks its bad parts."""
        return {"span_f1": 2 * self._both / (self._wanted + self._found)} if self._wanted else {}


class _Mistakes:
    """The lines on which the judge was surest and wrong."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._kept: dict[int, list[tuple[float, int, dict[str, Any]]]] = {0: [], 1: []}
        self._seen = itertools.count()

    def see(self, item: _Item, row: Mapping[str, Any], line: Line, judged: JudgedAnswer) -> None:
        if (item.score >= self._threshold) == bool(item.label):
            return
        wrong_by = abs(item.score - self._threshold)
        kept = self._kept[item.label]
        told = {
            "id": line.id,
            "lang": item.lang,
            "kind": item.kind,
            "label": item.label,
            "score": round(item.score, 4),
            "question": line.question,
            "answer": line.answer,
            "spans": row.get("spans", []),
            "context": "\n".join(line.context),
            "reasons": [verdict.reason for _, _, verdict in judged.sentences if verdict.reason],
        }
        # The running number decides between equals, the earlier line first; lines themselves have no order.
        heapq.heappush(kept, (wrong_by, -next(self._seen), told))
        if len(kept) > MOST_MISTAKES:
            heapq.heappop(kept)

    def told(self) -> list[dict[str, Any]]:
        """Missed ones first, then false alarms, the surest first."""
        return [line for label in (1, 0) for _, _, line in sorted(self._kept[label], key=lambda one: one[:2], reverse=True)]
