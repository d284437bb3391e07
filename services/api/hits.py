"""The shape of a passage that was found: what a search, an answer and a comparison show of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from eval.instructions import is_suspicious
from ingest.explanation import Explanation
from ingest.text_cleaning import clean_text
from ingest.types import Hit, Section


class PlaceModel(BaseModel):
    """Where else a passage stands that the caller may read."""

    document: str
    document_id: str
    page: int
    chunk: str


class SectionModel(BaseModel):
    """The section around a passage, as far as it stands on the same page, whose text it is from `start` to `end`."""

    start: int
    end: int
    text: str


class ScorePartsModel(BaseModel):
    """What a score is made of: the words (1 for the best passage), how close together they stand, the vectors, and what numbers
    of the query that are missing take away."""

    words: float
    windows: float
    vectors: float
    missing_numbers: float


class FoundTermModel(BaseModel):
    """A word of the query in the form that is searched for, how much it tells, which of `title`, `section` and `text` hold it,
    and the words of the text that were counted for it because they say nearly the same."""

    term: str
    weight: float
    fields: list[str]
    like: list[str]


class OtherNameModel(BaseModel):
    """A word of the query, and what stands for it in the text: out of the dictionary or the company's own glossary."""

    word: str
    found: str


class ExplanationModel(BaseModel):
    """Why a passage stands where it does. `window` is the span of its text, in code points, where most of the query stands."""

    parts: ScorePartsModel
    terms: list[FoundTermModel]
    other_names: list[OtherNameModel]
    window: tuple[int, int] | None


class HitModel(BaseModel):
    """A passage that was found; higher scores are better. `text` is clean: a citation's quote is the page's own. `suspicious`:
    it holds what speaks to a language model, which is not answered from. `section` and `explanation` are there where they were
    asked for."""

    document: str
    document_id: str
    version: int
    page: int
    chunk: str
    score: float
    text: str
    headings: list[str]
    language: str
    also_in: list[PlaceModel]
    suspicious: bool = False
    section: SectionModel | None = None
    explanation: ExplanationModel | None = None


class CorrectionModel(BaseModel):
    """A term of the query that no passage holds, and one that looks like it, was searched for too, and stands in a hit."""

    seen: str
    used: str


def hit_model(one: Hit, section: Section | None = None, explanation: Explanation | None = None) -> dict[str, Any]:
    """A hit as JSON."""
    around = asdict(section) | {"text": clean_text(section.text)} if section else None
    told = asdict(one) | {"text": clean_text(one.text), "section": around, "suspicious": is_suspicious(one)}
    told |= {"explanation": asdict(explanation) if explanation else None}
    left_out = {name for name in ("section", "explanation") if told[name] is None}
    return HitModel.model_validate(told).model_dump(mode="json", exclude=left_out)
