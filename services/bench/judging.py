"""How well the house judge tells supported from unsupported, and what a sentence costs it, preparing the evidence included.

On the grounded set's development part and on the public labelled sets that are there. The judge runs in this process, alone, with
the shipped calibration. The evidence of most sets is new for nearly each answer, which in the product it is once an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from eval.grounded_set import LANGUAGES, Part, grounded_lines
from eval.hallucination import read_lines
from eval.judge import HouseJudge
from eval.public_judgements import SETS, measure_lines
from services.bench.clock import Deadline

Lines = tuple[str, Iterator[dict[str, Any]], str]
"""A set's name, its lines, which are read when they are asked for, and the part of a line that is labelled."""


def measure_judge(sets: Iterable[Lines], deadline: Deadline) -> dict[str, Any]:
    """A row a set: n, unsupported, AUROC with its interval, CPU milliseconds a sentence; of those that time was left for."""
    judge = HouseJudge()
    return {"sets": [measure_lines(name, lines, part, judge=judge) for name, lines, part in deadline.until(sets)]}


def own_sets() -> Iterator[Lines]:
    """The grounded set's development part, by language."""
    for language in LANGUAGES:
        yield f"grounded set (dev), {language}", grounded_lines(Part.DEV, languages=[language]), "answer"


def public_sets(folder: Path) -> Iterator[Lines]:
    """The public labelled sets that are in the folder."""
    for name, part in SETS.items():
        if (folder / name).is_dir():
            yield name, read_lines(folder / name / "items.jsonl"), part
