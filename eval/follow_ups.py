"""Second questions that lean on a first one, and those that do not: is the right page found?

A case is a turn that went before, a question, and the page that answers it. Each is asked in three ways: the question alone,
both questions joined, and condensed (`ingest.conversation`). Half of the cases, `held`, were never tuned on.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.types import GoldPage, Retriever
from ingest.conversation import Turn, condensed
from ingest.types import Access


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A conversation's last question, and what went before. `kind`: how it leans on that (`topic`, `stand`: not at all)."""

    id: str
    language: str
    kind: str
    split: str
    history: tuple[Turn, ...]
    question: str
    gold: GoldPage


WAYS: Mapping[str, Callable[[FollowUp], str]] = {
    "alone": lambda case: case.question,
    "joined": lambda case: "\n".join([*(turn.content for turn in case.history if turn.role == "user"), case.question]),
    "condensed": lambda case: condensed(case.question, case.history),
}


def read_follow_ups(path: Path) -> list[FollowUp]:
    """The cases of a file of JSON lines."""
    return [
        FollowUp(
            id=row["id"],
            language=row["lang"],
            kind=row["kind"],
            split=row["split"],
            history=tuple(Turn(turn["role"], turn["content"]) for turn in row["history"]),
            question=row["question"],
            gold=GoldPage(**row["gold"]),
        )
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def pages_found(cases: Sequence[FollowUp], retriever: Retriever, *, among: int) -> dict[str, dict[str, bool]]:
    """Way → case → whether the right page is among the first so many passages, with the rights of an administrator."""
    found: dict[str, dict[str, bool]] = {way: {} for way in WAYS}
    for case in cases:
        for way, asked in WAYS.items():
            hits = retriever.search(asked(case), access=Access.everything(), limit=among)
            found[way][case.id] = any((hit.document, hit.page) == (case.gold.document, case.gold.page) for hit in hits)
    return found


def shares(cases: Sequence[FollowUp], found: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, tuple[int, int]]]:
    """Split and kind (`all` for all kinds) → way → how many of how many were found."""
    counted: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for way, by_case in found.items():
        for case in cases:
            for part in (f"{case.split} all", f"{case.split} {case.kind}"):
                right, of = counted[part].get(way, (0, 0))
                counted[part][way] = (right + by_case[case.id], of + 1)
    return dict(counted)
