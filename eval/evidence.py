"""Is the evidence strong enough to answer this question at all? Decided before anything is generated.

The decision rests on how much of the question's rarity stands together in one place of the hits, and on what of it is
missing there: the name of a thing may be found everywhere and the attribute that is asked for nowhere near it. It compares
words; the weights come from `eval/models/evidence-*.json` (made by `finetune.sufficiency`). A hit's own score is not read:
scores of different indexes do not compare.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eval.quoting import Passage, Reading
from eval.units import Kind, read_units
from ingest.errors import GraftError
from ingest.tokens import is_han, language
from ingest.types import Hit

WEIGHTS_FILE = Path(__file__).parent / "models" / "evidence-v1.json"

SIGNS: dict[str, int] = {
    "best_score": 1,
    "window_coverage": 1,
    "hit_coverage": 1,
    "missing_exact": -1,
    "no_new_number": -1,
}
"""Name → the sign its weight must have in the probability that the evidence is enough."""

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
    """The calibrated probability that the hits hold the answer; `missing`: words of the question not found beside the rest."""

    probability: float
    enough: bool
    reason: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceReading:
    """The features in the order of `SIGNS`, and the question's words that the best place does not hold."""

    features: tuple[float, ...]
    missing: tuple[str, ...]


def judge_evidence(question: str, hits: Sequence[Hit], *, weights: Path = WEIGHTS_FILE) -> EvidenceVerdict:
    """Whether these hits, best first, are enough to answer the question.

    Raises:
        GraftError: the weights cannot be read.
    """
    lang = language(question)
    reading = Reading(question, hits)
    if not reading.passages:
        return EvidenceVerdict(0.0, False, _REASONS["nothing"][lang], ())
    if not reading.units:
        return EvidenceVerdict(0.0, False, _REASONS["no word"][lang], ())
    content = _read_weights(weights)
    model = content["languages"].get(lang) or next(iter(content["languages"].values()))
    read = read_evidence(reading)
    logit = model["bias"]
    for value, mean, scale, weight in zip(read.features, model["mean"], model["scale"], model["weights"], strict=True):
        logit += weight * min(content["clip"], max(-content["clip"], (value - mean) / scale))
    slope, offset = model["platt"]
    probability = 1 / (1 + math.exp(-(slope * logit + offset)))
    if probability >= model["threshold"]:
        return EvidenceVerdict(probability, True, "", read.missing)
    if not reading.held(frozenset().union(*(p.terms for p in reading.passages))):
        reason = _REASONS["other words"][lang]
    elif read.missing:
        reason = _REASONS["missing"][lang].format(words=_BETWEEN[lang].join(read.missing[:5]))
    else:
        reason = _REASONS["scattered"][lang]
    return EvidenceVerdict(probability, False, reason, read.missing)


def read_evidence(reading: Reading) -> EvidenceReading:
    """The features of a question's hits."""
    scored = max(reading.scored(), key=lambda s: s.score)
    best = scored.passage
    held_near = reading.held(_around(reading, best))
    hit_terms = frozenset().union(*(p.terms for p in reading.passages if p.hit == best.hit)) | reading.headings[best.hit]
    missing = [unit for unit in reading.units if unit.term not in held_near]
    exact = [u for u in missing if u.kind in (Kind.NUMBER, Kind.CODE) or u.name]
    written = read_units(reading.hits[best.hit].text[best.start : best.end])
    new_number = any(u.kind in (Kind.NUMBER, Kind.CODE) and u.term not in reading.matches for u in written)
    values = {
        "best_score": scored.score,
        "window_coverage": reading.coverage(held_near),
        "hit_coverage": reading.coverage(reading.held(hit_terms)),
        "missing_exact": float(len(exact)),
        "no_new_number": float(reading.asks_number and not new_number),
    }
    words = _words(reading, {unit.term for unit in missing})
    return EvidenceReading(tuple(float(values[name]) for name in SIGNS), words)


def _around(reading: Reading, best: Passage) -> frozenset[str]:
    """The terms of the best passage, of its neighbours in the same hit, its table's head row and the headings above."""
    members = [p for p in reading.passages if p.hit == best.hit]
    at = members.index(best)
    terms = best.terms | best.head_terms | reading.headings[best.hit]
    for neighbour in members[max(0, at - 1) : at + 2]:
        if neighbour.head is None or best.head is None:  # the row above or below is about something else
            terms |= neighbour.terms
    return terms


def _words(reading: Reading, missing: set[str]) -> tuple[str, ...]:
    """The missing units as they are written in the question; overlapping Chinese pairs joined."""
    spans: list[tuple[int, int]] = []
    for unit in sorted((u for u in reading.units if u.term in missing), key=lambda u: u.start):
        if spans and unit.kind is Kind.HAN and unit.start < spans[-1][1] and is_han(unit.term[0]):
            spans[-1] = (spans[-1][0], unit.end)
        else:
            spans.append((unit.start, unit.end))
    return tuple(reading.asked[start:end] for start, end in spans)


@lru_cache(maxsize=4)
def _read_weights(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraftError(f"The weights of the evidence decision {path} cannot be read: {error}.") from error
    if content.get("format") != 1 or content.get("features") != list(SIGNS):
        raise GraftError(f"The weights {path} were made for other features; make them again: python -m finetune.sufficiency.")
    return content
