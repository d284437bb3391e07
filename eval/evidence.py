"""Is the evidence strong enough to answer this question at all? Decided before anything is generated.

The decision rests on how well the best sentence answers (`eval.quoting`'s score), on how much of the question stands together
with it, and on what of the question is missing there: the name of a thing may be found everywhere and the attribute that is asked
for nowhere near it. It compares words; the weights come from `eval/models/evidence-*.json` (made by `finetune.sufficiency`). A
hit's own score is not read: scores of different indexes do not compare.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eval.quoting import SIGNS as QUOTING_SIGNS
from eval.quoting import Reading, ScoredPassage
from eval.terms import Term, Translate
from eval.weights_file import read_weights_file
from ingest.tokens import is_han
from ingest.types import Hit

WEIGHTS_FILE = Path(__file__).parent / "models" / "evidence-v2.json"

SIGNS: dict[str, int] = {
    "best_score": 1,
    "window_coverage": 1,
    "hit_coverage": 1,
    "hit_characters": 1,
    "missing_exact": -1,
    "no_answer_kind": -1,
}
"""Name → the sign its weight must have in the probability that the evidence is enough."""

TRANSLATED_THRESHOLD = {"en": 0.07, "zh": 0.015}
"""By language of the passages, the probability from which on they are enough for a question of the other language. Chosen on half
of the parallel set: where it tells questions whose passage is there best from those whose passage is taken away (the two shares
refused lie furthest apart; of equals the stricter). docs/decisions/0023."""

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


def judge_evidence(
    question: str, hits: Sequence[Hit], *, translate: Translate | None = None, weights: Path = WEIGHTS_FILE
) -> EvidenceVerdict:
    """Whether these hits, best first, are enough to answer the question; `translate` reads those of the other language.

    Raises:
        GraftError: the weights cannot be read.
    """
    reading = Reading(question, hits, translate=translate)
    lang = reading.language
    by_language = read_evidence(reading)
    if not by_language:
        return EvidenceVerdict(0.0, False, _REASONS["nothing"][lang], ())
    if not reading.asked_terms:
        return EvidenceVerdict(0.0, False, _REASONS["no word"][lang], ())
    content = _read_weights(weights)
    weighed = []
    for of, read in by_language.items():
        if of != lang and of != reading.language_of(0):
            continue  # the search, which weighs the languages against each other, found better in the question's own
        probability, threshold = _weigh(read, content["languages"][of], clip=content["clip"])
        if of != lang and translate is not None:
            threshold = TRANSLATED_THRESHOLD[of]
        weighed.append((probability >= threshold, of == lang, probability, read))
    if not weighed:
        return EvidenceVerdict(0.0, False, _REASONS["other words"][lang], ())
    enough, _, probability, read = max(weighed, key=lambda one: one[:3])
    if enough:
        return EvidenceVerdict(probability, True, "", read.missing)
    if not any(reading.terms(hit).held(reading.hit_words(hit)) for hit in range(len(reading.hits)) if reading.passages[hit]):
        reason = _REASONS["other words"][lang]
    elif read.missing:
        reason = _REASONS["missing"][lang].format(words=_BETWEEN[lang].join(read.missing[:5]))
    else:
        reason = _REASONS["scattered"][lang]
    return EvidenceVerdict(probability, False, reason, read.missing)


def _weigh(read: EvidenceReading, model: dict[str, Any], *, clip: float) -> tuple[float, float]:
    """The probability that the evidence is enough, and the one from which on it is taken to be."""
    logit = model["bias"]
    for value, mean, scale, weight in zip(read.features, model["mean"], model["scale"], model["weights"], strict=True):
        logit += weight * min(clip, max(-clip, (value - mean) / scale))
    slope, offset = model["platt"]
    return 1 / (1 + math.exp(-(slope * logit + offset))), model["threshold"]


def read_evidence(reading: Reading) -> dict[str, EvidenceReading]:
    """The features of a question's hits, by language of the hits; empty where these hold no text."""
    best: dict[str, ScoredPassage] = {}
    for scored in reading.scored():
        of = reading.language_of(scored.hit)
        if of not in best or scored.score > best[of].score:
            best[of] = scored
    return {of: _read(reading, scored) for of, scored in best.items()}


def _read(reading: Reading, best: ScoredPassage) -> EvidenceReading:
    terms = reading.terms(best.hit)
    near = terms.held(_around(reading, best))
    missing = [term for term in terms.terms if term.key not in near]
    whole = terms.coverage(terms.held(reading.hit_words(best.hit) | reading.headings[best.hit]))
    values = {
        "best_score": best.score,
        "window_coverage": terms.coverage(near),
        "hit_coverage": whole,
        "hit_characters": _characters(reading, best.hit, otherwise=whole),
        "missing_exact": float(sum(term.exact for term in missing)),
        "no_answer_kind": 1.0 - best.features[_ANSWER_KIND],
    }
    return EvidenceReading(tuple(values[name] for name in SIGNS), _words(reading.asked, missing))


def _characters(reading: Reading, number: int, *, otherwise: float) -> float:
    """What a Chinese hit and its headings hold of the question's characters: pairs run over the ends of words, so that they miss
    what is put in another order. Of a question without any, the coverage stands for it."""
    if reading.language_of(number) != "zh":
        return 0.0
    hit = reading.hits[number]
    held = reading.characters_held("\n".join([*hit.headings, hit.text]))
    return otherwise if held is None else held


def _around(reading: Reading, best: ScoredPassage) -> frozenset[str]:
    """The words of the best passage, of its neighbours in the same hit, its table's head row and the headings above."""
    passage, members = best.passage, reading.passages[best.hit]
    at = members.index(passage)
    words = passage.terms | passage.head_terms | reading.headings[best.hit]
    for neighbour in members[max(0, at - 1) : at + 2]:
        if neighbour.head is None or passage.head is None:  # the row above or below is about something else
            words |= neighbour.terms
    return words


def _words(asked: str, missing: Sequence[Term]) -> tuple[str, ...]:
    """The missing terms as the question writes them; overlapping Chinese pairs joined."""
    spans: list[tuple[int, int]] = []
    for term in sorted(missing, key=lambda term: term.start):
        if spans and term.start < spans[-1][1] and is_han(asked[term.start]):
            spans[-1] = (spans[-1][0], term.end)
        elif term.start < term.end:
            spans.append((term.start, term.end))
    return tuple(dict.fromkeys(asked[start:end] for start, end in spans))


@lru_cache(maxsize=4)
def _read_weights(path: Path) -> dict[str, Any]:
    return read_weights_file(path, what="weights of the evidence decision", features=SIGNS, made_by="finetune.sufficiency")
