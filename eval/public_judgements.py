"""How well the house judge ranks the parts of public labelled sets: answers, sentences, single keywords.

    python -m eval.public_judgements FOLDER [--set NAME]...

`FOLDER` holds one folder a set, each with `items.jsonl` (`{"id","lang","question","context","answer","label"}`, some with
`sentences` or `keywords` that carry labels of their own). Label 1 is unsupported. Prints a line of JSON a set, the overlap of
tokens beside the judge, as scores go. No set is learned from, and none is part of the product.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.hallucination import read_lines
from eval.judge import HouseJudge
from eval.metrics.classification import auroc, bootstrap
from eval.units import read_units

SETS = {
    "ragtruth-qa-test": "answer",
    "wice": "answer",
    "begin": "answer",
    "qags": "sentences",
    "uhgeval-concise": "keywords",
}
"""What is labelled in each set: whole answers, or the parts that a field of the line lists."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One labelled part: the item it belongs to, its label, the scores of judge and overlap (higher: less supported), and what
    the judge took for it: `cpu_s`, of which the evidence's preparation is a part, for so many `sentences`."""

    item: str
    label: int
    score: float
    overlap: float
    cpu_s: float
    sentences: int


def judge_lines(lines: Iterable[Mapping[str, Any]], part: str, *, judge: HouseJudge) -> Iterator[Judgement]:
    """Each labelled part of the lines, judged in the context of its line."""
    for line in lines:
        context = [line["context"]] if isinstance(line["context"], str) else line["context"]
        answer, question = line["answer"], line["question"] or ""
        started = time.process_time()
        if part == "answer":
            judged = judge.judge_answer(answer, evidence=context, question=question)
            parts, sentences = [(line["label"], judged.score, answer)], len(judged.sentences)
        else:
            texts = [answer[one["start"] : one["end"]] for one in line[part]]
            verdicts = judge.judge(texts, evidence=context, question=question)
            labelled = zip(line[part], texts, verdicts, strict=True)
            parts, sentences = [(one["label"], 1 - verdict.support, text) for one, text, verdict in labelled], 1
        took = (time.process_time() - started) / max(1, len(parts))
        # After the judge, who would else be timed on words that are read already.
        given = {unit.term for text in (*context, question) for unit in read_units(text)}
        for label, score, text in parts:
            yield Judgement(line["id"], label, score, _strange(text, given), took, sentences)


def measure_set(folder: Path, *, judge: HouseJudge) -> dict[str, Any]:
    """`measure_lines` of one of the `SETS`.

    Raises:
        InputRefused: the set cannot be read.
    """
    return measure_lines(folder.name, read_lines(folder / "items.jsonl"), SETS[folder.name], judge=judge)


def measure_lines(name: str, lines: Iterable[Mapping[str, Any]], part: str, *, judge: HouseJudge) -> dict[str, Any]:
    """AUROC of judge and overlap with intervals over items, and the judge's CPU time a sentence."""
    judged = list(judge_lines(lines, part, judge=judge))
    labels, items = [one.label for one in judged], [one.item for one in judged]
    scores = bootstrap(auroc, labels, [one.score for one in judged], groups=items)
    overlap = bootstrap(auroc, labels, [one.overlap for one in judged], groups=items)
    return {
        "set": name,
        "part": part,
        "n": len(judged),
        "unsupported": sum(labels),
        "judge": judge.version,
        "auroc": round(scores.value, 4),
        "auroc_interval": [round(scores.low, 4), round(scores.high, 4)],
        "overlap_auroc": round(overlap.value, 4),
        "overlap_auroc_interval": [round(overlap.low, 4), round(overlap.high, 4)],
        "cpu_ms_a_sentence": round(1000 * sum(one.cpu_s for one in judged) / sum(one.sentences for one in judged), 2),
    }


def _strange(text: str, given: set[str]) -> float:
    """The share of the text's units that are not given; 1 where it has none."""
    units = read_units(text)
    return sum(unit.term not in given for unit in units) / len(units) if units else 1.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures each set that the folder holds."""
    parser = argparse.ArgumentParser(description="Measure the house judge on public labelled sets.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", dest="names", action="append", choices=list(SETS), help="measure this one alone; repeat it")
    options = parser.parse_args(arguments)
    judge = HouseJudge()
    for name in options.names or SETS:
        print(json.dumps(measure_set(options.folder / name, judge=judge)), flush=True)


if __name__ == "__main__":
    main()
