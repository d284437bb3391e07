"""Asks the cases of a test set and measures the answers: key facts, citations, abstention, support.

The product is given as two functions, so that this module knows nothing of how it is reached. Every share has its n and a
95 % Wilson interval.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from eval.metrics.text import exact_match, holds_key_fact, token_f1
from eval.types import Case, Fault, GoldPage
from ingest.errors import InputRefused

Ask = Callable[[str, tuple[str, ...]], dict[str, Any]]
"""(question, groups) → the answer as `graft ask --json` prints it."""
Find = Callable[[str, tuple[str, ...], int], list[dict[str, Any]]]
"""(query, groups, limit) → hits as `graft search --json` prints them."""

RECALL_AT = 5


def read_cases(path: Path) -> list[Case]:
    """The cases of a JSON-lines file.

    Raises:
        InputRefused: the file cannot be read, or a line is no case; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines would also cut at separators within a string
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path} is not UTF-8 text; JSON lines are needed") from error
    cases = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                cases.append(_case(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise InputRefused(
                    f"{path}, line {number} is no case ({error!r}); needed: id, question, answerable; allowed: lang, kind, "
                    "and the lists answers, gold, groups"
                ) from error
    if not cases:
        raise InputRefused(f"{path} holds no case")
    return cases


def _case(line: Any) -> Case:
    if not isinstance(line, dict):
        raise TypeError(f"{type(line).__name__}, not an object")
    for name, kind in (("question", str), ("answers", list), ("gold", list), ("groups", list)):
        if not isinstance(line.get(name, kind()), kind):
            raise TypeError(f"{name} is {line[name]!r}")
    return Case(
        id=str(line["id"]),
        lang=line.get("lang", ""),
        kind=line.get("kind", ""),
        question=line["question"],
        answerable=bool(line["answerable"]),
        answers=tuple(line.get("answers", ())),
        gold=tuple(GoldPage(gold["document"], gold["page"]) for gold in line.get("gold", ())),
        groups=tuple(line.get("groups", ())),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case. Measures that do not apply to it are None."""

    case: Case
    style: str
    abstained: bool
    key_fact: bool | None
    exact_match: bool | None
    f1: float | None
    cited_gold_page: bool | None
    found_gold_page: bool | None
    sentences: int
    supported_sentences: int
    model_sentences: int
    faults: tuple[str, ...]
    answer: str


def outcome(case: Case, answer: dict[str, Any], hits: Sequence[dict[str, Any]] | None) -> Outcome:
    """How the answer, and the hits for the same question, compare with the case."""
    sentences = answer["sentences"]
    said = " ".join(sentence["text"] for sentence in sentences)
    gold = {(page.document, page.page) for page in case.gold}
    answered = case.answerable and not answer["abstained"]
    has_answers, has_gold = case.answerable and bool(case.answers), case.answerable and bool(gold)
    cited = {(citation["document"], citation["page"]) for citation in answer["citations"]}
    found = {(hit["document"], hit["page"]) for hit in hits or ()}
    return Outcome(
        case=case,
        style=answer["style"],
        abstained=answer["abstained"],
        key_fact=(answered and holds_key_fact(said, case.answers)) if has_answers else None,
        exact_match=(answered and exact_match(said, case.answers)) if has_answers else None,
        f1=(token_f1(said, case.answers) if answered else 0.0) if has_answers else None,
        cited_gold_page=bool(gold & cited) if has_gold and answered else None,
        found_gold_page=bool(gold & found) if has_gold and hits is not None else None,
        sentences=len(sentences),
        supported_sentences=sum(sentence["supported"] for sentence in sentences),
        model_sentences=sum(sentence["style"] == "generated" for sentence in sentences),
        faults=tuple(sentence["fault"] for sentence in sentences if sentence.get("fault")),
        answer=answer["answer"],
    )


def evaluate_answers(
    cases: Iterable[Case], ask: Ask, find: Find | None = None, *, progress: Callable[[Outcome], None] | None = None
) -> dict[str, Any]:
    """Figures over all cases, by language, kind and style, and a row a case."""
    outcomes = []
    for case in cases:
        hits = find(case.question, case.groups, RECALL_AT) if find else None
        outcomes.append(outcome(case, ask(case.question, case.groups), hits))
        if progress:
            progress(outcomes[-1])
    return {
        "overall": summary(outcomes),
        "by_language": _grouped(outcomes, lambda one: one.case.lang),
        "by_kind": _grouped(outcomes, lambda one: one.case.kind),
        "by_kind_and_language": _grouped(outcomes, lambda one: f"{one.case.kind} {one.case.lang}"),
        "by_style": _grouped(outcomes, lambda one: one.style),
        "cases": [_row(one) for one in outcomes],
    }


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The measures of some outcomes; those without a case that they apply to are left out. `faults` counts sentences by kind."""
    abstained = [one for one in outcomes if one.abstained]
    unanswerable = [one for one in outcomes if not one.case.answerable]
    shown = sum(one.sentences for one in outcomes)
    measures: dict[str, Any] = {
        "cases": len(outcomes),
        "key_fact": share(one.key_fact for one in outcomes),
        "exact_match": share(one.exact_match for one in outcomes),
        "f1": _mean([one.f1 for one in outcomes if one.f1 is not None]),
        f"recall@{RECALL_AT}": share(one.found_gold_page for one in outcomes),
        "cited_gold_page": share(one.cited_gold_page for one in outcomes),
        "abstention_recall": share(one.abstained for one in unanswerable),
        "abstention_precision": share(not one.case.answerable for one in abstained),
        "wrongly_abstained": share(one.abstained for one in outcomes if one.case.answerable),
        "sentences": shown,
        "supported_sentences": round(sum(one.supported_sentences for one in outcomes) / shown, 3) if shown else None,
        "sentences_written_by_the_model": round(sum(one.model_sentences for one in outcomes) / shown, 3) if shown else None,
    }
    if shown:
        counts = Counter(fault for one in outcomes for fault in one.faults)
        measures["faults"] = {str(fault): counts[fault] for fault in Fault}
    return {name: value for name, value in measures.items() if value is not None}


def share(values: Iterable[bool | None]) -> dict[str, float | int] | None:
    """The share of True among what is not None, with its 95 % Wilson interval and n; None where nothing is left."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    interval = binomtest(sum(known), len(known)).proportion_ci(method="wilson")
    return {
        "value": round(sum(known) / len(known), 3),
        "low": round(interval.low, 3),
        "high": round(interval.high, 3),
        "n": len(known),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def _grouped(outcomes: Iterable[Outcome], key: Callable[[Outcome], str]) -> dict[str, Any]:
    groups: defaultdict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[key(one)].append(one)
    return {name: summary(members) for name, members in sorted(groups.items())}


def _row(one: Outcome) -> dict[str, Any]:
    return {
        "id": one.case.id,
        "kind": one.case.kind,
        "question": one.case.question,
        "answer": one.answer,
        "style": one.style,
        "abstained": one.abstained,
        "key_fact": one.key_fact,
        "cited_gold_page": one.cited_gold_page,
        "found_gold_page": one.found_gold_page,
    }
