"""Samples → the splits of a data set, without leaks.

Invariants. The same bytes are in one split, whatever the document is called. The same question is in one split. Nothing asks
what a protected evaluation question asks. `rephrased` asks facts of `train` in words that no sample of `train` asks them in.
The same samples and seed give the same splits in any order of the samples. Pure: knows no database.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from finetune.questions import NEARLY_EQUAL, Questions, question_key
from finetune.types import Sample, SampleKind, Split

HELD_OUT_SHARE = 0.1
"""Of the samples of each language, in `validation` and in `test` each."""
_DRAWS = 16
"""With seven documents a language one draw held out 13 to 18 % for a share of 10 %: documents are large."""
FEWEST_DOCUMENTS = 3
"""A language with fewer is all `train`: a held-out document would take half of what there is to learn."""
MOST_REPHRASED = {"en": 80, "zh": 40}
"""Facts a language of which a phrasing is held out: enough for a ±10 points interval, and little of what is learned from."""
_MANY_PHRASINGS = 3
_FEW_PHRASINGS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """Which sample is in which split, in the order of the data set; `dropped` counts what is in none, by reason."""

    rows: tuple[tuple[Split, Sample], ...]
    dropped: dict[str, int] = field(default_factory=dict)


def plan(samples: Sequence[Sample], *, seed: int, protected: Sequence[str], content_of: Mapping[str, str]) -> Plan:
    """The splits of these samples. `content_of` is document id → SHA-256 of its bytes.

    Dropped are: `protected`, what asks (nearly) what a protected question asks; `between splits`, held-out samples whose
    question is in `train` or in an earlier split; `rephrased`, what asks in `train` (nearly) what `rephrased` asks.
    """
    dropped: Counter[str] = Counter()
    guarded = Questions(protected)
    distinct = {sample.id: sample for sample in samples}
    kept = []
    for sample in sorted(distinct.values(), key=lambda one: _order(seed, one.id)):
        if guarded.hold(sample.question):
            dropped["protected"] += 1
        else:
            kept.append(sample)
    split_of = _splits_of_units(kept, seed=seed, content_of=content_of)
    by_split: dict[Split, list[Sample]] = {split: [] for split in Split}
    for sample in kept:
        by_split[split_of[_unit(sample, content_of)]].append(sample)
    seen: set[str] = set()
    for split in (Split.TRAIN, Split.VALIDATION, Split.TEST):  # what is learned from goes before what is measured on
        whole = by_split[split]
        by_split[split] = [sample for sample in whole if question_key(sample.question) not in seen]
        dropped["between splits"] += len(whole) - len(by_split[split])
        seen.update(question_key(sample.question) for sample in whole)
    before = len(by_split[Split.TRAIN])
    by_split[Split.TRAIN], by_split[Split.REPHRASED] = _hold_phrasings_out(by_split[Split.TRAIN], seed=seed)
    dropped["rephrased"] = before - len(by_split[Split.TRAIN]) - len(by_split[Split.REPHRASED])
    rows = tuple((split, sample) for split, members in by_split.items() for sample in members)
    return Plan(rows, {reason: count for reason, count in sorted(dropped.items()) if count})


def _order(seed: int | str, name: str) -> str:
    """Sorts by chance, the same way for the same seed whatever else is sorted."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


# Documents


def _unit(sample: Sample, content_of: Mapping[str, str]) -> str:
    """What is never divided between splits: a document's bytes; of an imported conversation, its question."""
    if sample.origin is None or not sample.origin.document_id:
        return "question:" + question_key(sample.question)
    return content_of.get(sample.origin.document_id, sample.origin.document_id)


def _splits_of_units(samples: Sequence[Sample], *, seed: int, content_of: Mapping[str, str]) -> dict[str, Split]:
    """Unit → split, so that each language has about its share of samples held out."""
    languages: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        languages[_unit(sample, content_of)][sample.language] += 1
    strata: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for unit, counts in languages.items():
        language = max(sorted(counts), key=counts.__getitem__)
        strata[language][unit] = counts.total()
    return {unit: split for _, sizes in sorted(strata.items()) for unit, split in _hold_out(sizes, seed=seed).items()}


def _hold_out(sizes: Mapping[str, int], *, seed: int) -> dict[str, Split]:
    """Units of one language → splits: of some random draws the first whose held-out parts come nearest to their share."""
    if len(sizes) < FEWEST_DOCUMENTS:
        return dict.fromkeys(sizes, Split.TRAIN)
    wanted = HELD_OUT_SHARE * sum(sizes.values())

    def missed(drawn: Mapping[str, Split]) -> float:
        held = (sum(sizes[unit] for unit, taken in drawn.items() if taken is split) for split in (Split.TEST, Split.VALIDATION))
        return sum(abs(size - wanted) for size in held)

    return min((_drawn(sizes, wanted, seed=f"{seed}/{number}") for number in range(_DRAWS)), key=missed)


def _drawn(sizes: Mapping[str, int], wanted: float, *, seed: str) -> dict[str, Split]:
    """Units → splits. Units are taken, by chance, while that brings the held-out part nearer to what is wanted."""
    found = dict.fromkeys(sorted(sizes, key=lambda unit: _order(seed, unit)), Split.TRAIN)
    for split, others in ((Split.TEST, 2), (Split.VALIDATION, 1)):  # units that stay, for the splits still to come
        held = 0
        free = [unit for unit, taken in found.items() if taken is Split.TRAIN]
        for unit in free:
            nearer = abs(held + sizes[unit] - wanted) < abs(held - wanted)
            if nearer and sum(taken is Split.TRAIN for taken in found.values()) > others:
                found[unit], held = split, held + sizes[unit]
        if not held:
            found[min(free, key=sizes.__getitem__)] = split
    return found


# Phrasings


def _hold_phrasings_out(train: Sequence[Sample], *, seed: int) -> tuple[list[Sample], list[Sample]]:
    """What stays in train, and one phrasing of each chosen fact. Samples of any kind that ask a held-out question leave train
    too: with the passage beside it, the question would still have been seen."""
    phrasings: defaultdict[str, list[Sample]] = defaultdict(list)
    facts_asked: defaultdict[str, set[str]] = defaultdict(set)
    for sample in train:
        if sample.kind is SampleKind.CLOSED_BOOK and sample.fact:
            phrasings[sample.fact].append(sample)
            facts_asked[question_key(sample.question)].add(sample.fact)
    everything = Questions(sample.question for sample in train)
    held: list[Sample] = []
    per_language: Counter[str] = Counter()
    for fact in sorted(phrasings, key=lambda fact: (len(phrasings[fact]) < _MANY_PHRASINGS, _order(seed, fact))):
        language = phrasings[fact][0].language
        if per_language[language] >= MOST_REPHRASED.get(language, 0):
            continue
        free = [
            one
            for one in phrasings[fact]
            if facts_asked[question_key(one.question)] == {fact} and everything.nearest_other(one.question) < NEARLY_EQUAL
        ]
        chosen = _least_alike(free, phrasings[fact])
        if chosen is not None:
            held.append(chosen)
            per_language[language] += 1
    out = {question_key(sample.question) for sample in held}
    return [sample for sample in train if question_key(sample.question) not in out], held


def _least_alike(candidates: Sequence[Sample], phrasings: Sequence[Sample]) -> Sample | None:
    """The candidate whose words are least like the nearest of the other phrasings; None where nothing would be left."""
    if len({question_key(one.question) for one in phrasings}) < _FEW_PHRASINGS:
        return None
    others = Questions(one.question for one in phrasings)
    return min(candidates, key=lambda one: others.nearest_other(one.question), default=None)
