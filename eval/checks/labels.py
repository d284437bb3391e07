"""Labelled values, as minutes and forms have them: `Present: … Excused: …`, 主持：… 缺席：….

The sentence says a label with what the evidence gives under another one, and with nothing of what it gives under this one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eval.checks.claim import Claim
from eval.checks.finding import Finding
from eval.checks.statements import fold_in_place
from eval.types import Fault
from eval.units import read_units
from ingest.tokens import simplified

# Neither `passage 2: …` nor a sentence with a colon: a label has no digit, and its values are short.
_LABELLED = re.compile(
    r"(?:^|(?<=[.。;；\n]))[ \t]*"
    r"([^\s\d:：.。;；,，、|][^\d:：.。;；,，、|\n]{1,30})[:：][ \t]*([^:：.。;；|\n]{2,200})(?=[.。;；\n]|$)"
)
_LONGEST = {True: 30, False: 10}  # characters of an English value, and of a Chinese one
_BETWEEN = re.compile(r"[,，、]\s*|\s+(?:and|&)\s+|\s*\([^)]*\)|（[^）]*）")
# 批准人 is who 批准, 联系电话 stays.
_WHO = re.compile(r"(?:人员|人|者|员)$")
_LEAST = 2

_REASON = {
    "en": "the evidence has {ours} under “{other}”, and under “{label}” {theirs}",
    "zh": "依据中{ours}列在“{other}”之下，“{label}”之下是{theirs}",
}


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A label with its values, folded; `words` are the terms that a sentence has to hold to say the label."""

    label: str
    values: tuple[str, ...]
    words: frozenset[str]


def check_labels(claim: Claim) -> Finding | None:
    """A value that stands under another label than the one that the sentence says."""
    text = simplified(claim.statement.folded)
    said = {unit.term for unit in claim.statement.units}
    for evidence in claim.evidence.evidence.texts:
        entries = _read_labels(evidence)
        named = [entry for entry in entries if _is_named(entry, text, said)]
        if len(named) != 1 or any(value in text for value in named[0].values):
            continue
        for other in entries:
            for value in other.values:
                if other.label != named[0].label and len(value) >= _LEAST and value in text:
                    at = text.index(value)
                    span = (at, at + len(value))
                    reason = _REASON[claim.language].format(
                        ours=claim.statement.text[slice(*span)],
                        other=other.label,
                        label=named[0].label,
                        theirs=", ".join(named[0].values[:3]),
                    )
                    return Finding("labels", Fault.CONTRADICTED, reason, (span,))
    return None


def _read_labels(text: str) -> list[_Labelled]:
    """The labels of a text; none where it has just one."""
    folded = simplified(fold_in_place(text))
    found = []
    for match in _LABELLED.finditer(folded):
        values = tuple(value for value in (part.strip() for part in _BETWEEN.split(match[2])) if value)
        words = frozenset(unit.term for unit in read_units(match[1]) if unit.content)
        if values and words and all(len(value) <= _LONGEST[value.isascii()] for value in values):
            found.append(_Labelled(match[1].strip(), values, words))
    return found if len(found) > 1 else []


def _is_named(entry: _Labelled, text: str, said: set[str]) -> bool:
    return entry.words <= said or (not entry.label.isascii() and _WHO.sub("", entry.label) in text)
