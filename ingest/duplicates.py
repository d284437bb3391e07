"""Passages and documents that say nearly the same: told of a document, and shown once in a list of hits.

Invariants. Nobody learns of a document that they may not read: only permitted ones are compared. Nothing is taken away: a hit
that stands for others names them. Passages that differ in a figure or in a word that turns the sense are never taken for one
another, however alike: one of them may be the correction of the other.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select

from ingest.schema import chunks, documents, versions
from ingest.similarity import SIGNATURE_SIZE, estimated_likeness, from_bytes, joined, likeness, shingles
from ingest.tokens import normalise, units
from ingest.types import Access, Hit, Place

NEAR = 0.8
"""Passages and documents of this likeness are told of as near duplicates."""
SAME = 0.9
"""Hits of this likeness are shown as one, where nothing else speaks against it."""
_MOST_TOLD = 20
# Signatures that agree in one of 16 bands of 4 are compared whole: finds 99.98 % of the pairs of likeness .8.
_BAND = 4

_NUMBER = re.compile(r"[-−–+]?\d[\d.,]*%?")
# With a larger share of letters that only one of them has, texts are not looked at further: those of likeness .9 differ in one
# word of twenty, which is a tenth of the letters of both.
_OTHER_LETTERS = 0.2
# Words whose coming or going turns the sense.
_TURNS = frozenset(
    "not no never none nor without except unless only may must shall should cannot before after more less "
    "不 未 没 無 无 非 禁 免 除 须 必 可 应 得 仅 勿 莫 前 后 上 下 内 外 增 减".split()
)


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Another document with passages of this one: its estimated likeness as a whole, and how many of the passages it has."""

    document: str
    document_id: str
    likeness: float
    passages: int


class Duplicates:
    """Compares published documents by the signatures of their passages."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, document_id: str, *, access: Access) -> list[NearDuplicate]:
        """The documents that the caller may read and that have passages of this one, the most alike first."""
        query = (
            select(documents.c.id, documents.c.name, documents.c.group_key, chunks.c.signature)
            .join(versions, versions.c.document_id == documents.c.id)
            .join(chunks, chunks.c.version_id == versions.c.id)
            .where(versions.c.status == "live", chunks.c.signature.is_not(None))
        )
        with self._engine.connect() as connection:
            rows = [row for row in connection.execute(query) if access.permits(row.group_key.split("\n"))]
        signatures = from_bytes([row.signature for row in rows])
        owners = np.array([row.id for row in rows], dtype=object)
        own = owners == document_id
        shared: defaultdict[str, set[int]] = defaultdict(set)
        for passage, other in _near_pairs(signatures[own], signatures[~own]):
            shared[owners[~own][other]].add(passage)
        whole = joined(signatures[own])
        names = {row.id: row.name for row in rows}
        told = [
            NearDuplicate(
                document=names[other],
                document_id=other,
                likeness=round(float(estimated_likeness(whole, joined(signatures[owners == other])[None])[0]), 2),
                passages=len(passages),
            )
            for other, passages in shared.items()
        ]
        return sorted(told, key=lambda one: (-one.likeness, -one.passages, one.document, one.document_id))[:_MOST_TOLD]


def _near_pairs(some: NDArray[np.uint32], others: NDArray[np.uint32]) -> set[tuple[int, int]]:
    """The pairs of rows that are at least `NEAR`."""
    pairs: set[tuple[int, int]] = set()
    for first in range(0, SIGNATURE_SIZE, _BAND):
        ours, theirs = (_band_numbers(matrix[:, first : first + _BAND]) for matrix in (some, others))
        order = np.argsort(theirs, kind="stable")
        begin, end = (np.searchsorted(theirs[order], ours, side=side) for side in ("left", "right"))
        for row in np.flatnonzero(begin < end).tolist():
            pairs.update((row, other) for other in order[begin[row] : end[row]].tolist())
    by_row: defaultdict[int, list[int]] = defaultdict(list)
    for row, other in pairs:
        by_row[row].append(other)
    return {
        (row, candidates[place])
        for row, candidates in by_row.items()
        for place in np.flatnonzero(estimated_likeness(some[row], others[candidates]) >= NEAR).tolist()
    }


def _band_numbers(band: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """(n,) one number a row, the same for rows of the same values; others collide so rarely that a comparison bears it."""
    number = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        number = number * np.uint64(0x9E3779B97F4A7C15) + column
    return number


def each_once(hits: Iterable[Hit]) -> list[Hit]:
    """The hits in their order, each passage once: those that say the same as a better one are told of in its `also_in`."""
    kept: list[tuple[Hit, _Profile]] = []
    for hit in hits:
        profile = _Profile(hit.text)
        for number, (better, known) in enumerate(kept):
            if known.says_the_same(profile):
                place = Place(hit.document, hit.document_id, hit.page, hit.chunk)
                kept[number] = (replace(better, also_in=(*better.also_in, place)), known)
                break
        else:
            kept.append((hit, profile))
    return [hit for hit, _ in kept]


class _Profile:
    """A text as it is compared; what costs more is made only where what costs less does not tell."""

    def __init__(self, text: str) -> None:
        self._text = text
        folded = normalise(text)
        self._signs = "".join(folded.split())
        self._numbers = sorted(_NUMBER.findall(folded))

    def says_the_same(self, other: _Profile) -> bool:
        """Whether a reader of the one learns nothing from the other."""
        if self._signs == other._signs:
            return True
        if self._numbers != other._numbers or _difference(self._letters, other._letters) > _OTHER_LETTERS * len(self._signs):
            return False
        if likeness(self._shingles, other._shingles) < SAME:
            return False
        differing = (self._units - other._units) + (other._units - self._units)
        return _TURNS.isdisjoint(differing)

    @cached_property
    def _letters(self) -> Counter[str]:
        return Counter(self._signs)

    @cached_property
    def _shingles(self) -> NDArray[np.uint64]:
        return shingles(self._text)

    @cached_property
    def _units(self) -> Counter[str]:
        return Counter(units(self._text))


def _difference(one: Counter[str], other: Counter[str]) -> int:
    """How many letters stand in only one of the two."""
    return sum(abs(one[letter] - other[letter]) for letter in one.keys() | other.keys())
