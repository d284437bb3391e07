"""How often the learned choice of quotes is right, each question judged by weights learned from other documents.

In five parts by document, or document by document where there are few. `first` counts the place that the weights learn, `marked`
any that people marked. The shipped weights are not read.

    python -m finetune.quoting_figures --data SQUAD --data CMRC --data DRCD
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.answers import share
from eval.quote_figures import QUOTES, marked_questions
from eval.retrieval import read_rows
from finetune.corruptions import Passage, read_passages
from finetune.quoting import Choice, fit_choices, make_choices

PARTS = 5
FEW_DOCUMENTS = 20

Places = Mapping[str, Sequence[tuple[str, int, int]]]
"""Question → where people marked its answer: passage, start, end."""


def crossed_figures(sets: Mapping[str, tuple[Sequence[Passage], Places]]) -> dict[str, dict[str, dict[str, Any]]]:
    """By set, `within_gold_passage` and `among_first_passages`: shares with intervals of `first`, `marked` and `marked@3`."""
    choices = [(name, choice) for name, (passages, _) in sets.items() for choice in make_choices(passages)]
    right: defaultdict[tuple[str, str], list[tuple[bool, bool, bool]]] = defaultdict(list)
    for lang in sorted({choice.passage.language for _, choice in choices}):
        mine = [(name, choice) for name, choice in choices if choice.passage.language == lang]
        part = _parts([_document(choice) for _, choice in mine])
        for kept in sorted(set(part)):
            weights = fit_choices([choice for (_, choice), one in zip(mine, part, strict=True) if one != kept])
            for (name, choice), one in zip(mine, part, strict=True):
                if one == kept:
                    # A question is asked of its passage alone, and of several (`make_choices`).
                    where = "within_gold_passage" if len({doc for doc, *_ in choice.places}) == 1 else "among_first_passages"
                    right[name, where].append(_right(choice, weights, sets[name][1][choice.question]))
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for (name, where), rows in right.items():
        first, marked, three = zip(*rows, strict=True)
        figures.setdefault(name, {})[where] = {
            "first": share(first),
            "marked": share(marked),
            f"marked@{QUOTES}": share(three),
        }
    return figures


def _document(choice: Choice) -> str:
    return choice.passage.title or choice.passage.id


def _parts(documents: Sequence[str]) -> list[int]:
    """The part that each is kept aside in."""
    names = sorted(set(documents))
    if len(names) <= FEW_DOCUMENTS:
        return [names.index(one) for one in documents]
    return [zlib.crc32(one.encode()) % PARTS for one in documents]


def _right(choice: Choice, weights: Sequence[float], places: Sequence[tuple[str, int, int]]) -> tuple[bool, bool, bool]:
    """Whether the best sentence holds the place learned, any marked one, and one of the best three such a one."""
    order = np.argsort(-(choice.features @ np.array(weights)), kind="stable")[:QUOTES]
    marked = [
        any(doc == at[0] and at[1] < end and start < at[2] for doc, start, end in places)
        for at in (choice.places[i] for i in order)
    ]
    return bool(choice.right[order[0]]), marked[0], any(marked)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the sets and prints the figures as JSON."""
    parser = argparse.ArgumentParser(description="How often the learned choice of quotes is right, crossed by document.")
    parser.add_argument("--data", type=Path, action="append", required=True, help="a BEIR folder with spans; repeat it")
    sets = {}
    for folder in parser.parse_args(arguments).data:
        rows = {row.chunk_id: row for row in read_rows(folder / "corpus.jsonl")}
        places = {one.text: one.places for one in marked_questions(folder / "queries.jsonl", rows)}
        sets[folder.name] = (read_passages(folder), places)
    print(json.dumps(crossed_figures(sets), indent=1))


if __name__ == "__main__":
    main()
