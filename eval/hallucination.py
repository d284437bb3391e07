"""`graft check` and `graft eval hallucination`: lines of question, context and answer through the product's own judge.

In: `{"id","question"?,"context","answer"}` a line, for evaluating with `"label"` (1 = hallucinated). Every line gets a
verdict or a typed error that names it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.judge import HouseJudge, JudgedAnswer
from eval.metrics.classification import auroc, balanced_accuracy, bootstrap, f1
from ingest.errors import InputRefused


def check_line(line: dict[str, Any], *, judge: HouseJudge) -> dict[str, Any]:
    """`{"id","score","hallucinated","spans":[{"start","end","score"}]}`; the score is a calibrated probability.

    Raises:
        InputRefused: a field is missing or empty.
    """
    judged = judge_line(line, judge=judge)
    spans = [{"start": start, "end": end, "score": score} for start, end, score in judged.spans]
    return {"id": line["id"], "score": round(judged.score, 6), "hallucinated": judged.hallucinated, "spans": spans}


def judge_line(line: dict[str, Any], *, judge: HouseJudge) -> JudgedAnswer:
    """The judged answer of one line.

    Raises:
        InputRefused: a field is missing or empty.
    """
    name = line.get("id")
    if not isinstance(name, str | int):
        raise InputRefused(f'A line has no "id"; its fields are {sorted(line)}.')
    context = line.get("context")
    texts = [context] if isinstance(context, str) else context
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or not any(t.strip() for t in texts):
        raise InputRefused(f'Line {name!r}: "context" must be a text or a list of texts, and not empty.')
    answer = line.get("answer")
    if not isinstance(answer, str) or not answer.strip():
        raise InputRefused(f'Line {name!r}: "answer" must be a text, and not empty.')
    question = line.get("question") or ""
    if not isinstance(question, str):
        raise InputRefused(f'Line {name!r}: "question" must be a text or left out.')
    return judge.judge_answer(answer, evidence=texts, question=question)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, empty lines left out.

    Raises:
        InputRefused: the file cannot be read, or a line is no JSON object.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield _object(text, f"{path.name}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path} cannot be read as UTF-8 text: {error}.") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputRefused(f"{where}: not JSON ({error}).") from error
    if not isinstance(found, dict):
        raise InputRefused(f"{where}: an object is needed, seen {type(found).__name__}.")
    return found


def evaluate_hallucination(path: Path, *, judge: HouseJudge) -> dict[str, Any]:
    """AUROC (with its interval), F1 and balanced accuracy at the threshold, span F1 where spans are given, and the speed.

    Raises:
        InputRefused: the file or a line cannot be read, a label is missing, or all labels are the same.
    """
    labels: list[int] = []
    scores: list[float] = []
    counts = [0, 0, 0]
    started = time.perf_counter()
    for line in read_lines(path):
        if line.get("label") not in (0, 1):
            raise InputRefused(f'Line {line.get("id")!r}: "label" must be 0 or 1, seen {line.get("label")!r}.')
        judged = judge_line(line, judge=judge)
        labels.append(int(line["label"]))
        scores.append(judged.score)
        if "spans" in line:
            _count_characters(counts, line["spans"], judged)
    seconds = time.perf_counter() - started
    if not labels:
        raise InputRefused(f"{path} holds no line.")
    decisions = [score >= judge.threshold for score in scores]
    estimate = bootstrap(auroc, labels, scores)
    result: dict[str, Any] = {
        "n": len(labels),
        "auroc": estimate.value,
        "auroc_interval": [estimate.low, estimate.high],
        "f1": f1(labels, decisions),
        "balanced_accuracy": balanced_accuracy(labels, decisions),
        "threshold": judge.threshold,
        "judge": judge.version,
        "items_per_s": len(labels) / seconds,
    }
    if counts[1]:
        result["span_f1"] = 2 * counts[0] / (counts[1] + counts[2])
    return result


def _count_characters(counts: list[int], gold: list[dict[str, int]], judged: JudgedAnswer) -> None:
    """Adds the characters found rightly, those marked in the data, and those marked by the judge."""
    wanted = {at for span in gold for at in range(span["start"], span["end"])}
    found = {at for start, end, _ in judged.spans for at in range(start, end)}
    counts[0] += len(wanted & found)
    counts[1] += len(wanted)
    counts[2] += len(found)
