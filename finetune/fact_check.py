"""Are the accepted samples right? An exact check against the facts of a corpus that was written with them.

    python -m finetune.fact_check [--facts FILE] [--wrong] DATABASE

A fact names the document, the page and the sentence or table row that states it, with subject, attribute and value. A sample is
checked where its evidence is that sentence. It is right where its answer holds the value of the very fact that its question asks
for: the one of the sentence whose subject and attribute the question names best, or, where a question names none of them, wrong.
Text is compared in NFKC without white space and without a table's bars. This module knows no model and judges no wording.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DatabaseError

from eval import sample_corpus
from eval.answers import share
from eval.metrics.text import holds_key_fact
from eval.report import share_text
from finetune.samples import SampleStore
from finetune.types import Sample, SampleKind, SampleStatus
from ingest.database import open_database
from ingest.errors import InputRefused
from ingest.tokens import index_terms, normalise
from ingest.types import Access

_LEAST_EVIDENCE = 6
"""Characters of evidence below which containment says nothing."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a corpus and where it stands."""

    document: str
    page: int
    sentence: str
    subject: str
    attribute: str
    value: str
    language: str


def read_facts(path: Path) -> list[Fact]:
    """The facts of a JSON-lines file.

    Raises:
        InputRefused: the file cannot be read, or a line is no fact; the message names the line.
    """
    facts: list[Fact] = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            facts.append(Fact(*(row[name] for name in Fact.__slots__)))
        except (ValueError, KeyError, TypeError) as error:
            raise InputRefused(f"{path}, line {number} is no fact ({error!r}); needed: {', '.join(Fact.__slots__)}") from error
    return facts


def check_samples(samples: Iterable[Sample], facts: Sequence[Fact]) -> dict[str, Any]:
    """Shares of right samples, overall, by source, language and kind, each with n and a 95 % Wilson interval.

    `accepted` counts all accepted samples. `unlisted` are those whose sentence states facts of the corpus while their answer
    holds the value of none of them and their question names none of them in full: they ask for something that the corpus does
    not list. They are not in `correct`; `correct_if_unlisted_are_wrong` counts them against. `wrong` lists what is wrong.
    Refusals state no fact and are not checked.
    """
    by_page: defaultdict[tuple[str, int], list[tuple[str, Fact]]] = defaultdict(list)
    for fact in facts:
        by_page[fact.document, fact.page].append((_bare(fact.sentence), fact))
    accepted = 0
    unlisted = 0
    right: list[tuple[Sample, bool]] = []
    wrong: list[dict[str, str]] = []
    for sample in samples:
        if sample.status is not SampleStatus.ACCEPTED:
            continue
        accepted += 1
        stated = _stated(sample, by_page) if sample.kind is not SampleKind.REFUSAL else []
        if not stated:
            continue
        if _is_unlisted(sample, stated):
            unlisted += 1
            continue
        right.append((sample, asks_for_what_it_answers(sample, stated)))
        if not right[-1][1]:
            wrong.append({"question": sample.question, "answer": sample.answer, "source": sample.source})
    strict = [correct for _, correct in right] + [False] * unlisted
    return {
        "accepted": accepted,
        "checkable": len(right),
        "unlisted": unlisted,
        "correct": share(correct for _, correct in right),
        "correct_if_unlisted_are_wrong": share(strict),
        "by_source": _grouped(right, lambda sample: sample.source),
        "by_writer": _grouped(right, lambda sample: sample.source.split(":")[0]),
        "by_language": _grouped(right, lambda sample: sample.language),
        "by_kind": _grouped(right, lambda sample: sample.kind),
        "wrong": wrong,
    }


def asks_for_what_it_answers(sample: Sample, stated: Sequence[Fact]) -> bool:
    """Whether the answer holds the value of a fact that the question names as well as any other of the same sentence."""
    asked = set(index_terms(sample.question))
    named = [_named(fact, asked) for fact in stated]
    best = max(named)
    return best > 0 and any(
        score == best and holds_key_fact(sample.answer, [fact.value]) for fact, score in zip(stated, named, strict=True)
    )


def _is_unlisted(sample: Sample, stated: Sequence[Fact]) -> bool:
    asked = set(index_terms(sample.question))
    return all(not holds_key_fact(sample.answer, [fact.value]) and _named(fact, asked) < 1 for fact in stated)


def _named(fact: Fact, asked: set[str]) -> float:
    """The share of the fact's subject and attribute that the question names, in [0, 1]."""
    terms = set(index_terms(f"{fact.subject} {fact.attribute}"))
    return len(terms & asked) / len(terms) if terms else 0.0


def _stated(sample: Sample, by_page: dict[tuple[str, int], list[tuple[str, Fact]]]) -> list[Fact]:
    """The facts whose sentence holds the sample's evidence, or is held by it."""
    if sample.origin is None:
        return []
    evidence = _bare(sample.origin.evidence)
    if len(evidence) < _LEAST_EVIDENCE:
        return []
    pairs = by_page.get((sample.origin.document, sample.origin.page), [])
    return [fact for sentence, fact in pairs if evidence in sentence or sentence in evidence]


def _bare(text: str) -> str:
    return "".join(normalise(text).replace("|", "").split())


def _grouped(right: Sequence[tuple[Sample, bool]], key: Any) -> dict[str, Any]:
    groups: defaultdict[str, list[bool]] = defaultdict(list)
    for sample, correct in right:
        groups[str(key(sample))].append(correct)
    return {name: share(values) for name, values in sorted(groups.items())}


def _stored(database: Path) -> list[Sample]:
    """All samples of a home. Exported data sets would not do: they do not say where a sample comes from.

    Raises:
        InputRefused: there is no such file, or it holds no samples.
    """
    if not database.is_file():
        raise InputRefused(f"there is no file {database}: give the graft.sqlite of a home that holds the sample corpus")
    engine = open_database(f"sqlite:///{database}")
    try:
        return [record.sample for record in SampleStore(engine).list(access=Access.everything())]
    except DatabaseError as error:
        raise InputRefused(f"{database} is no database of this version of the product: {error.orig}") from error
    finally:
        engine.dispose()


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """The report without what is wrong, for people."""
    yield f"accepted {report['accepted']}, checked {report['checkable']}, asking for what no fact lists {report['unlisted']}"
    yield f"{'right':<34}{share_text(report['correct'])}"
    yield f"{'right, if the unlisted are wrong':<34}{share_text(report['correct_if_unlisted_are_wrong'])}"
    for by in ("writer", "source", "language", "kind"):
        yield from (f"{by + ' ' + name:<34}{share_text(shown)}" for name, shown in report[f"by_{by}"].items())


def main(arguments: Sequence[str] | None = None) -> None:
    """Checks the samples of a home and prints the shares that are right."""
    parser = argparse.ArgumentParser(description="How many accepted samples are right, by the facts that their corpus states.")
    parser.add_argument("database", type=Path, help="graft.sqlite of a home that holds the corpus; it may be in use")
    parser.add_argument("--facts", type=Path, default=sample_corpus.FACTS, help="facts.jsonl; default: the sample corpus's")
    parser.add_argument("--wrong", action="store_true", help="list the wrong samples too, a line of JSON each")
    options = parser.parse_args(arguments)
    try:
        report = check_samples(_stored(options.database), read_facts(options.facts))
    except InputRefused as error:
        parser.error(str(error))
    for line in _lines(report):
        print(line)
    for one in report["wrong"] if options.wrong else ():
        print(json.dumps(one, ensure_ascii=False))


if __name__ == "__main__":
    main()
