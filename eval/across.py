"""How well a search finds documents of the other language, on the parallel set.

Three ways to hold the facts, of which the first two are asked for a bar of .9 of recall@10 (`tests/eval/test_across.py`):

    only        the index holds the other language's passages alone
    mixed       every fact is held in one language alone, half of them in each
    parallel    every fact is held in both languages; asked for is the other language's passage, behind the own one

Numbers were chosen on the facts of even number; the others were kept aside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eval.retrieval import read_texts
from ingest.index.base import Index
from ingest.types import EVERYONE, Access, IndexRow

DEPTH = 10
OTHER = {"zh": "en", "en": "zh"}


@dataclass(frozen=True, slots=True)
class Crossing:
    """recall@k of `n` questions in one language about passages in the other. `part` is `tuned` or `kept aside`."""

    asked: str
    held: str
    part: str
    n: int
    recall_at_1: float
    recall_at_5: float
    recall_at_10: float


def evaluate_crossing(folder: Path, index_factory: Callable[[], Index]) -> list[Crossing]:
    """Of both directions, all three ways and both parts. The index is the caller's, made by the same code that serves."""
    passages = read_texts(folder / "corpus.jsonl")
    questions = read_texts(folder / "queries.jsonl")
    numbers = sorted({chunk_id.removeprefix("zh-") for chunk_id in passages if chunk_id.startswith("zh-")})
    places: dict[tuple[str, str, str], list[int]] = {}

    def ask(held: str, languages: dict[str, set[str]]) -> None:
        index = index_factory()
        index.add([_row(f"{of}-{number}", passages) for of, some in languages.items() for number in sorted(some)])
        for asked, other in OTHER.items():
            for number in sorted(languages.get(other, ())):
                if held == "mixed" and number in languages.get(asked, ()):
                    continue
                found = [
                    hit.chunk_id for hit in index.search(questions[f"ask-{asked}-{number}"], access=Access.of(), limit=DEPTH)
                ]
                wanted = f"{other}-{number}"
                part = "kept aside" if int(number) % 2 else "tuned"
                places.setdefault((asked, held, part), []).append(found.index(wanted) if wanted in found else DEPTH)

    every = set(numbers)
    for other in OTHER:
        ask("only", {other: every})
    half = {number for number in numbers if int(number) // 2 % 2}
    ask("mixed", {"en": half, "zh": every - half})
    ask("mixed", {"en": every - half, "zh": half})
    ask("parallel", {"en": every, "zh": every})
    return [Crossing(*key, len(ranks), *(_share(ranks, k) for k in (1, 5, 10))) for key, ranks in sorted(places.items())]


def _share(ranks: Sequence[int], k: int) -> float:
    return round(sum(rank < k for rank in ranks) / len(ranks), 4)


def _row(chunk_id: str, passages: dict[str, str]) -> IndexRow:
    return IndexRow(chunk_id, "", passages[chunk_id], frozenset({EVERYONE}))


def table(crossings: Sequence[Crossing]) -> str:
    """The figures as lines of text."""
    head = f"{'asked in':9} {'held':9} {'part':11} {'n':>3}  recall@1 @5 @10"
    rows = [
        f"{one['asked']:9} {one['held']:9} {one['part']:11} {one['n']:3}  "
        f"{one['recall_at_1']:.3f} {one['recall_at_5']:.3f} {one['recall_at_10']:.3f}"
        for one in map(asdict, crossings)
    ]
    return "\n".join([head, *rows])
