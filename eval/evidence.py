"""Is the evidence strong enough to answer this question at all? Decided before anything is generated.

The decision rests on how well the best sentence answers (`eval.quoting`'s score), on how much of the question stands together
with it, and on what of the question is missing there: the name of a thing may be found everywhere and the attribute that is asked
for nowhere near it. It compares words; the weights come from `eval/models/evidence-*.json` (made by `finetune.sufficiency`). A
hit's own score is not read: scores of different indexes do not compare. Hits of the question's own language and of the other one,
which are read by translations, are each decided on with weights of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eval.missing import missing_words
from eval.passages import Passage
from eval.quoting import SIGNS as QUOTING_SIGNS
from eval.quoting import Reading, ScoredPassage
from eval.terms import Term
from eval.weights_file import read_weights_file

WEIGHTS_FILE = Path(__file__).parent / "models" / "evidence-v3.json"

SIGNS: dict[str, int] = {
    "best_score": 1,
    "told": 1,
    "window_coverage": 1,
    "window_characters": 1,
    "hit_characters": 1,
    "missing_codes": -1,
    "no_answer_kind": -1,
    "lead": 1,
}
"""Name → the sign its weight must have in the probability that the evidence is enough."""

# What stands alone leads by as much as right passages of the parallel set mostly do.
_LEAD_ALONE = 2.0

# The search weighs the languages against each other: where it puts the question's own first, so probable must evidence of the
# other one be. Of the questions that it does not answer one in two hundred gets as far.
_BEHIND = 0.8

_ANSWER_KIND = list(QUOTING_SIGNS).index("answer_kind")

_REASONS = {
    "nothing": {"en": "nothing was found", "zh": "没有找到任何内容"},
    "no word": {"en": "the question holds no word to look for", "zh": "问题中没有可供查找的词"},
    "other words": {
        "en": "what was found shares no word with the question",
        "zh": "找到的内容与问题没有相同的词",
    },
    "missing": {
        "en": "beside the rest of the question, nothing that was found speaks of: {words}",
        "zh": "找到的内容没有同时提到：{words}",
    },
    "scattered": {
        "en": "the question's words were found, but not well enough in one place",
        "zh": "问题中的词虽有出现，但没有集中在同一处",
    },
}
_BETWEEN = {"en": ", ", "zh": "、"}


@dataclass(frozen=True, slots=True)
class EvidenceVerdict:
    """The calibrated probability that the hits hold the answer; `missing`: words of the question not found beside the
    rest; `languages`: those whose hits are enough, the likelier first."""

    probability: float
    enough: bool
    reason: str
    missing: tuple[str, ...]
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceReading:
    """The features in the order of `SIGNS`, the terms that the hits were read with, and which of them (their keys) the best place
    does not hold."""

    features: tuple[float, ...]
    terms: tuple[Term, ...]
    missing: frozenset[str]


def judge_evidence(reading: Reading, *, weights: Path = WEIGHTS_FILE) -> EvidenceVerdict:
    """Whether the hits, read best first, are enough to answer the question.

    Raises:
        GraftError: the weights cannot be read.
    """
    lang = reading.language
    by_language = read_evidence(reading)
    if not by_language:
        return EvidenceVerdict(0.0, False, _REASONS["nothing"][lang], ())
    first = reading.language_of(0)
    if not reading.asked_terms:
        return EvidenceVerdict(0.0, False, _REASONS["no word"][lang], ())
    content = _read_weights(weights)
    weighed = []
    for of, read in by_language.items():
        behind = of not in (lang, first)
        if behind and not reading.is_translated:
            continue
        models = content["languages" if of == lang or not reading.is_translated else "translated"]
        probability, threshold = _weigh(read, models[of], clip=content["clip"])
        enough = probability >= (max(threshold, _BEHIND) if behind else threshold)
        weighed.append((enough, of == (first if enough else lang), probability, of, read))
    if not weighed:
        return EvidenceVerdict(0.0, False, _REASONS["other words"][lang], ())
    weighed.sort(key=lambda one: one[:3], reverse=True)
    enough, _, probability, _, read = weighed[0]
    missing = missing_words(reading.asked, read.terms, read.missing, reading.chinese_words())
    if enough:
        return EvidenceVerdict(probability, True, "", missing, tuple(of for enough, _, _, of, _ in weighed if enough))
    if not any(reading.terms(hit).held(reading.hit_words(hit)) for hit in range(len(reading.hits)) if reading.passages[hit]):
        reason = _REASONS["other words"][lang]
    elif missing:
        reason = _REASONS["missing"][lang].format(words=_BETWEEN[lang].join(missing[:5]))
    else:
        reason = _REASONS["scattered"][lang]
    return EvidenceVerdict(probability, False, reason, missing)


def _weigh(read: EvidenceReading, model: dict[str, Any], *, clip: float) -> tuple[float, float]:
    """The probability that the evidence is enough, and the one from which on it is taken to be."""
    logit = model["bias"]
    for value, mean, scale, weight in zip(read.features, model["mean"], model["scale"], model["weights"], strict=True):
        logit += weight * min(clip, max(-clip, (value - mean) / scale))
    slope, offset = model["platt"]
    return 1 / (1 + math.exp(-(slope * logit + offset))), model["threshold"]


def read_evidence(reading: Reading) -> dict[str, EvidenceReading]:
    """The features of a question's hits, by language of the hits; empty where these hold no text."""
    by_language: dict[str, list[ScoredPassage]] = {}
    for scored in reading.scored():
        by_language.setdefault(reading.language_of(scored.hit), []).append(scored)
    return {of: _read(reading, scored) for of, scored in by_language.items()}


def _read(reading: Reading, scored: Sequence[ScoredPassage]) -> EvidenceReading:
    """What the best of these passages, all of one language, and its surroundings hold of the question."""
    best = max(scored, key=lambda one: one.score)
    hit, passage = reading.hits[best.hit], best.passage
    terms, topic, headings = reading.terms(best.hit), reading.topic(best.hit), reading.headings[best.hit]
    around, head = _around(reading, best)
    near = terms.held(frozenset().union(headings, passage.head_terms, *(one.terms for one in around)))
    here = terms.held(passage.terms | passage.head_terms | headings)
    whole = terms.held(reading.hit_words(best.hit) | headings)
    coverage = terms.coverage(near)
    above = "\n".join(hit.headings)
    window = f"{above}\n{head}\n{hit.text[around[0].start : around[-1].end]}"
    han = reading.language_of(best.hit) == "zh"
    values = {
        "best_score": best.score,
        "told": topic.told(here, f"{above}\n{head}\n{hit.text[passage.start : passage.end]}"),
        "window_coverage": coverage,
        "window_characters": _or_else(topic.characters_told(window), coverage) if han else 0.0,
        "hit_characters": _or_else(topic.characters_told(f"{above}\n{hit.text}"), terms.coverage(whole)) if han else 0.0,
        "missing_codes": float(sum(term.exact and _has_digit(term) and term.key not in whole for term in terms.terms)),
        "no_answer_kind": 1.0 - best.features[_ANSWER_KIND],
        "lead": _lead(best, scored) if reading.language_of(best.hit) != reading.language else 0.0,
    }
    missing = frozenset(term.key for term in terms.terms if term.key not in near)
    return EvidenceReading(tuple(values[name] for name in SIGNS), terms.terms, missing)


def _or_else(share: float | None, otherwise: float) -> float:
    """Of a question without Chinese characters, the coverage stands for their share."""
    return otherwise if share is None else share


def _has_digit(term: Term) -> bool:
    return any(character.isdigit() for character in term.key)


def _lead(best: ScoredPassage, scored: Sequence[ScoredPassage]) -> float:
    """By how much the best passage is better than the best of other hits. Translations that only happen to be there are spread
    over the hits; within one language it tells less, where two documents often say the same."""
    others = [one.score for one in scored if one.hit != best.hit]
    return best.score - max(others) if others else _LEAD_ALONE


def _around(reading: Reading, best: ScoredPassage) -> tuple[tuple[Passage, ...], str]:
    """The best passage with its neighbours in the same hit, and the head row of its table. The row above or below another row is
    about something else."""
    passage, members = best.passage, reading.passages[best.hit]
    if passage.head:
        return (passage,), reading.hits[best.hit].text[slice(*passage.head)]
    at = members.index(passage)
    return members[max(0, at - 1) : at + 2], ""


@lru_cache(maxsize=4)
def _read_weights(path: Path) -> dict[str, Any]:
    return read_weights_file(path, what="weights of the evidence decision", features=SIGNS, made_by="finetune.sufficiency")
