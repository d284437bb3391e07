"""The sample corpus → sentences whose label is known by construction, each with the page it is judged against.

Supported: a fact's sentence, the sentence trimmed or reworded, or the fact said anew. Unsupported: the same with another
fact's value, another number, another thing's attribute, or a sentence of another document. Everything follows from the
facts' order: there is no chance in it. The judge never learns from these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.units import canonical_number

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_CLAUSES = re.compile(r"(?<=[，；、])|(?<=[,;])\s+")

# Other words for the same: what an honest writer changes without changing what is said.
_REWORDED = {
    "en": (
        (r"\bmust be\b", "has to be"),
        (r"\bmust\b", "need to"),
        (r"\bmay\b", "can"),
        (r"\breceives?\b", "gets"),
        (r"\bemployees\b", "members of staff"),
        (r"\bcompany\b", "firm"),
        (r"\bis paid\b", "gets paid"),
        (r"\bwithin\b", "in no more than"),
        (r"\bevery\b", "each"),
        (r"\bbefore\b", "ahead of"),
        (r"\blasts\b", "takes"),
        (r"\bat least\b", "no less than"),
        (r"\bup to\b", "at most"),
        (r"\bafter\b", "following"),
        (r"\bshall\b", "must"),
    ),
    "zh": (
        ("应当", "必须"),
        ("应在", "须在"),
        ("应由", "须由"),
        ("不得超过", "最多为"),
        ("可以", "能够"),
        ("员工", "职工"),
        ("进行", "开展"),
        ("每年", "每一年"),
        ("负责", "承担"),
        ("需要", "需"),
        ("以内", "之内"),
        ("规定", "要求"),
    ),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the sample corpus, as `facts.jsonl` holds it."""

    id: str
    subject: str
    attribute: str
    value: str
    document: str
    page: int
    language: str
    place: str
    sentence: str

    @staticmethod
    def of(row: Mapping[str, object]) -> Fact:
        """The fact of a parsed line of `facts.jsonl`."""
        text = {name: str(row[name]) for name in ("id", "subject", "attribute", "value", "document", "language", "sentence")}
        return Fact(**text, page=int(str(row["page"])), place=str(row["in"]))


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """A sentence against a page. `label` is 1 where the page does not bear it out; `kind` says how it was made."""

    id: str
    sentence: str
    evidence: str
    language: str
    kind: str
    label: int


def labelled_sentences(facts: Sequence[Fact], pages: Mapping[tuple[str, int], str]) -> list[LabelledSentence]:
    """One supported and one unsupported sentence a fact, where its page's text is given, in the facts' order."""
    said = {(f.subject, f.attribute, f.value) for f in facts}
    out: list[LabelledSentence] = []
    for number, fact in enumerate(facts):
        evidence = pages.get((fact.document, fact.page))
        if evidence is None:
            continue
        good_kind, good = _supported(fact, number)
        out.append(LabelledSentence(f"{fact.id}+", good, evidence, fact.language, good_kind, 0))
        bad = _unsupported(fact, number, facts, said, evidence)
        if bad is not None:
            out.append(LabelledSentence(f"{fact.id}-", bad[1], evidence, fact.language, bad[0], 1))
    return out


def _supported(fact: Fact, number: int) -> tuple[str, str]:
    makers = (
        (" verbatim", fact.sentence),
        ("trimmed", _trimmed(fact)),
        ("reworded", _reworded(fact)),
        ("said anew", _stated(fact)),
    )
    kind, sentence = makers[number % 4]
    if sentence == fact.sentence and kind != " verbatim":
        kind, sentence = "said anew", _stated(fact)
    return kind.strip(), sentence


def _unsupported(
    fact: Fact, number: int, facts: Sequence[Fact], said: set[tuple[str, str, str]], evidence: str
) -> tuple[str, str] | None:
    """The first of the ways to be wrong that applies, beginning with another one for each fact."""
    others = [f for f in (*facts[number + 1 :], *facts[:number]) if f.language == fact.language]
    ways = (
        lambda: ("value swapped", _with_value(fact, [f for f in others if f.document == fact.document], said, anew=False)),
        lambda: ("number changed", _number_changed(fact)),
        lambda: (
            "attribute mixed",
            _with_value(fact, [f for f in others if f.page == fact.page and f.document == fact.document], said),
        ),
        lambda: ("other document", _of_another_document(others, fact, evidence)),
    )
    for step in range(4):
        kind, sentence = ways[(number + step) % 4]()
        if sentence and sentence not in evidence:
            return kind, sentence
    return None


def _stated(fact: Fact, value: str | None = None) -> str:
    if fact.language == "zh":
        return f"{fact.subject}的{fact.attribute}是{value or fact.value}。"
    return f"The {fact.attribute} of {fact.subject} is {value or fact.value}."


def _trimmed(fact: Fact) -> str:
    """The sentence without a clause at its end or beginning that does not hold the value."""
    clauses = _CLAUSES.split(fact.sentence)
    for kept in (clauses[:-1], clauses[1:]):
        text = ("" if fact.language == "zh" else " ").join(kept).rstrip(" ,;，；、")
        if fact.value in text and len(text) >= 12:
            return text + ("。" if fact.language == "zh" else ".")
    return fact.sentence


def _reworded(fact: Fact) -> str:
    """The sentence with other words for the same, its value and subject untouched."""
    before, value, after = fact.sentence.partition(fact.value)
    if not value:
        return fact.sentence
    for pattern, other in _REWORDED[fact.language]:
        before, after = re.sub(pattern, other, before), re.sub(pattern, other, after)
    return before + value + after


def _with_value(fact: Fact, others: Sequence[Fact], said: set[tuple[str, str, str]], *, anew: bool = True) -> str | None:
    """The fact with another one's value of the same kind: in its own sentence, or said anew."""
    numeric = bool(_DIGITS.search(fact.value))
    for other in others:
        same_kind = (
            bool(_DIGITS.search(other.value)) == numeric and other.value not in fact.value and fact.value not in other.value
        )
        if not same_kind or (fact.subject, fact.attribute, other.value) in said or other.value in fact.sentence:
            continue
        return _stated(fact, other.value) if anew else fact.sentence.replace(fact.value, other.value, 1)
    return None


def _number_changed(fact: Fact) -> str | None:
    """The sentence with the last digit of the value's first number moved by three."""
    found = _DIGITS.search(fact.value)
    if found is None or fact.value not in fact.sentence:
        return None
    old = found.group()
    new = old[:-1] + str((int(old[-1]) + 3) % 10)
    if canonical_number(new) == canonical_number(old):
        return None
    return fact.sentence.replace(fact.value, fact.value.replace(old, new, 1), 1)


def _of_another_document(others: Sequence[Fact], fact: Fact, evidence: str) -> str | None:
    return next((f.sentence for f in others if f.document != fact.document and f.value not in evidence), None)
