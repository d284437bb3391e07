"""The question that is asked back where the evidence is too weak: which thing is meant, and what else a word could be called.

Made of the question's own words and the headings of what was found, so that it can say nothing that is in neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.quoting import Reading
from eval.units import read_units, shipped_background
from ingest.types import Hit
from services.wording import asked_back

_MOST_CHOICES = 3
_MOST_WORDS = 2
# A hit that holds less of the question than this share of what the best one holds is about something else.
_COMPETES = 0.6


def clarifying_question(question: str, hits: Sequence[Hit], *, missing: Sequence[str], language: str) -> str | None:
    """What to ask back; None where neither two things compete nor a word is missing. `missing` as the evidence verdict has it."""
    choices = _competing(question, hits)
    return asked_back(choices if len(choices) > 1 else [], _nameable(missing), reword=bool(missing), language=language)


def _nameable(missing: Sequence[str]) -> list[str]:
    """The rarest of the missing words."""
    background = shipped_background()
    rarity: dict[str, float] = {}
    for word in missing:
        units = [unit for unit in read_units(word) if unit.content]
        if units:
            rarity[word] = max(background.idf(unit.term) for unit in units)
    return sorted(rarity, key=lambda word: -rarity[word])[:_MOST_WORDS]


def _competing(question: str, hits: Sequence[Hit]) -> list[tuple[str, str]]:
    """Section and document of the places that hold nearly as much of the question as the best one, one a section."""
    reading = Reading(question, hits)
    held = [0.0] * len(hits)
    for scored in reading.scored():
        held[scored.hit] = max(held[scored.hit], scored.coverage)
    best = max(held, default=0.0)
    places = [
        (hit.headings[-1] if hit.headings else "", hit.document)
        for hit, share in zip(hits, held, strict=True)
        if share and share >= _COMPETES * best
    ]
    return list(dict.fromkeys(places))[:_MOST_CHOICES]
