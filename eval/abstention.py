"""How well the product tells, before it writes, that the documents do not answer: cases, and cases without their document.

Each case is asked as it is, and each answerable one once more with the documents taken away that hold its answer: then, as for
an unanswerable case, to abstain is right. The product is given as a function: this module knows nothing of how it is reached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eval.answers import share
from eval.types import Case

Abstains = Callable[[str, tuple[str, ...], frozenset[str]], bool | None]
"""(question, groups, names of documents to leave out) → whether the product abstains; None where nothing would be left to ask."""

WITHOUT_DOCUMENT = "without its document"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the product abstained from a case, and whether that was right. `kind` is the case's, or `without its document`."""

    case: Case
    kind: str
    abstained: bool
    right: bool


def evaluate_abstention(
    cases: Iterable[Case], abstains: Abstains, *, progress: Callable[[Decision], None] | None = None
) -> dict[str, Any]:
    """Precision, recall and F1 of abstaining, over all, by language and kind of case, and a row a decision. `plain` counts the
    plain and the unanswerable cases alone: of the others, finding the document is the harder part."""
    decisions = []
    for case in cases:
        removed = frozenset(page.document for page in case.gold)
        asked = (
            [(case.kind, frozenset[str]()), (WITHOUT_DOCUMENT, removed)] if case.answerable else [(case.kind, frozenset[str]())]
        )
        for kind, without in asked:
            abstained = abstains(case.question, case.groups, without)
            if abstained is None:
                continue
            decisions.append(Decision(case, kind, abstained, abstained != (case.answerable and not without)))
            if progress:
                progress(decisions[-1])
    plain = [one for one in decisions if one.case.kind == "plain" or not one.case.answerable]
    return {
        "overall": figures(decisions),
        "plain": figures(plain),
        "by_language": _grouped(decisions, lambda one: one.case.lang),
        "plain_by_language": _grouped(plain, lambda one: one.case.lang),
        "by_kind": _grouped(decisions, lambda one: one.case.kind),
        "by_kind_and_language": _grouped(decisions, lambda one: f"{one.case.kind} {one.case.lang}"),
        "decisions": [
            {"id": one.case.id, "kind": one.kind, "question": one.case.question, "abstained": one.abstained, "right": one.right}
            for one in decisions
        ],
    }


def figures(decisions: Sequence[Decision]) -> dict[str, Any]:
    """Precision, recall and F1 of abstaining, and the share abstained from of each sort of question that there is."""
    should = [one for one in decisions if one.abstained == one.right]
    abstained = [one for one in decisions if one.abstained]
    rightly = sum(one.right for one in abstained)
    measures: dict[str, Any] = {
        "questions": len(decisions),
        "f1": round(2 * rightly / (len(should) + len(abstained)), 3) if should or abstained else None,
        "precision": share(one.right for one in abstained),
        "recall": share(one.abstained for one in should),
        "abstained_answerable": share(one.abstained for one in decisions if one.abstained != one.right),
        "abstained_unanswerable": share(one.abstained for one in decisions if not one.case.answerable),
        "abstained_without_document": share(one.abstained for one in decisions if one.kind == WITHOUT_DOCUMENT),
    }
    return {name: value for name, value in measures.items() if value is not None}


def _grouped(decisions: Iterable[Decision], key: Callable[[Decision], str]) -> dict[str, Any]:
    groups: defaultdict[str, list[Decision]] = defaultdict(list)
    for one in decisions:
        groups[key(one)].append(one)
    return {name: figures(members) for name, members in sorted(groups.items())}
