"""Sentences without a fault, and how many of them each check speaks against all the same.

They are the sentences of answers that are labelled supported: of public labelled sets, and of the development part of the
grounded set. An answer that only carries a wrong label counts as an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from eval.answer_parts import answer_spans, judged_part
from eval.check_figures.tally import Tally, checked
from eval.checks.statements import Statements
from eval.grounded_set import LANGUAGES, Part, grounded_lines
from eval.hallucination import read_lines
from eval.public_judgements import SETS
from eval.support import Evidence

ANY = "any"

Line = tuple[str, Sequence[str], str, Sequence[str]]
"""The set, the evidence, the question, and the good sentences of an answer."""


def measure_alarms(lines: Iterable[Line]) -> Tally:
    """By set and check, and by set and `any`: how many good sentences are spoken against."""
    tally = Tally()
    for name, context, question, sentences in lines:
        evidence = Statements(Evidence(context, question=question))
        for sentence in sentences:
            found = {finding.check for finding in checked(judged_part(sentence)[0], evidence).findings}
            tally.add((name, ANY), bool(found))
            for check in found:
                tally.add((name, check), is_true=True)
    for name, check in tally.tried:
        tally.tried[name, check] = tally.tried[name, ANY]
    return tally


def labelled_lines(folder: Path) -> Iterator[Line]:
    """The good sentences of the public sets in a folder (`eval.public_judgements`); one that is not there is left out."""
    for name, part in SETS.items():
        if part == "keywords" or not (folder / name).is_dir():
            continue
        for line in read_lines(folder / name / "items.jsonl"):
            parts = (
                line["sentences"] if part == "sentences" else [{"label": line["label"], "start": 0, "end": len(line["answer"])}]
            )
            good = [line["answer"][one["start"] : one["end"]] for one in parts if not one["label"]]
            yield name, [line["context"]], line["question"] or "", [one for text in good for one in _sentences(text)]


def development_lines() -> Iterator[Line]:
    """The good sentences of the grounded set's development part."""
    for language in LANGUAGES:
        for line in grounded_lines(Part.DEV, languages=[language]):
            if not line["label"]:
                yield f"grounded set, {language}", line["context"], line["question"], _sentences(line["answer"])


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in answer_spans(text)]
