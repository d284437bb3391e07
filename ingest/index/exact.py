"""Nearest vectors by looking at every permitted one: always right, and quick enough up to about 100,000 of them.

Invariants. Everything is in memory (1 KB a chunk at 256 dimensions) and made from the vectors that the catalog keeps. Only rows
that the caller may read are ranked. Safe to search from many threads while one adds.

The matrix lies with its dimensions as rows: a vector times it reads memory in long runs, 4 ms for 100,000 chunks where one row a
chunk takes 10. Source: `docs/decisions/0016-search-at-scale.md`, as of the constants below.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ingest.embedding import Vectors
from ingest.types import Access, ScoredChunk, Within

Value = TypeVar("Value", bound=Hashable)

LEAST_COSINE = 1e-3
"""What is below has nothing in common but rounding errors."""
COSINE_DIGITS = 6
FEW_SHARE = 1 / 64
"""Of rows that are permitted: so few are gathered and multiplied by themselves, more cost less together with all others."""
_ROOM = 1024
# Room that is no power of two: else the values of one chunk fall into the same few lines of the processor's cache.
_PADDING = 16
_SAMPLED = 16


@dataclass(frozen=True, slots=True)
class VectorRow:
    """A chunk's vector, (dim,) float32 of unit length, the groups that may find it, and whose it is."""

    chunk_id: str
    groups: frozenset[str]
    vector: Vectors
    document_id: str = ""


class _Numbering(Generic[Value]):
    """Gives each value a number, counted from 0 in the order in which they come."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._numbers: dict[Value, int] = {}

    def number(self, value: Value) -> int:
        """The value's number, a new one where it has none yet."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number

    def known(self, values: Iterable[Value]) -> list[int]:
        """The numbers of those values that have one."""
        return [self._numbers[value] for value in values if value in self._numbers]


class ExactScan:
    """All vectors in one matrix, with the numbers of group set and document beside each row: there are far fewer than rows."""

    def __init__(self, rows: Iterable[VectorRow] = ()) -> None:
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._matrix: Vectors = np.zeros((0, 0), dtype=np.float32)  # (dim, room): a column a chunk
        self._set_of_row = np.zeros(0, dtype=np.int32)
        self._sets: _Numbering[frozenset[str]] = _Numbering()
        self._document_of_row = np.zeros(0, dtype=np.int32)
        self._documents: _Numbering[str] = _Numbering()
        self.add(rows)

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self) -> set[str]:
        """The ids of all rows."""
        with self._lock:
            return set(self._ids)

    def add(self, rows: Iterable[VectorRow]) -> None:
        """Adds the rows, replacing those of the same chunk."""
        with self._lock:
            for row in rows:
                place = self._places.get(row.chunk_id)
                if place is None:
                    place = self._places[row.chunk_id] = len(self._ids)
                    self._ids.append(row.chunk_id)
                    self._make_room(len(row.vector))
                self._matrix[:, place] = row.vector
                self._set_of_row[place] = self._sets.number(row.groups)
                self._document_of_row[place] = self._documents.number(row.document_id)

    def _make_room(self, dimensions: int) -> None:
        held = len(self._ids) - 1
        if held == self._matrix.shape[1]:
            room = max(_ROOM, 2 * held) + _PADDING
            matrix = np.zeros((dimensions, room), dtype=np.float32)
            matrix[:, :held] = self._matrix if held else 0
            self._matrix = matrix
            self._set_of_row = np.resize(self._set_of_row, room)
            self._document_of_row = np.resize(self._document_of_row, room)

    def remove(self, chunk_ids: Collection[str]) -> None:
        """Removes the rows; unknown ids are ignored."""
        with self._lock:
            for chunk_id in chunk_ids:
                place = self._places.pop(chunk_id, None)
                if place is None:
                    continue
                last = self._ids.pop()
                if last != chunk_id:
                    self._ids[place] = last
                    self._places[last] = place
                    self._matrix[:, place] = self._matrix[:, len(self._ids)]
                    self._set_of_row[place] = self._set_of_row[len(self._ids)]
                    self._document_of_row[place] = self._document_of_row[len(self._ids)]

    def rows(self, chunk_ids: Sequence[str] | None = None) -> Iterator[VectorRow]:
        """All rows, or those of these chunks, as they are when each is reached."""
        for chunk_id in list(self._ids) if chunk_ids is None else chunk_ids:
            with self._lock:
                place = self._places.get(chunk_id)
                if place is None:
                    continue
                document_id = self._documents.values[self._document_of_row[place]]
                row = VectorRow(chunk_id, self._sets.values[self._set_of_row[place]], self._matrix[:, place].copy(), document_id)
            yield row

    def permitted_count(self, access: Access) -> int:
        """How many rows the caller may read."""
        with self._lock:
            return int(np.count_nonzero(self._permitted(access)))

    def permits(self, chunk_id: str, access: Access) -> bool:
        """Whether the chunk is held and the caller may read it."""
        with self._lock:
            place = self._places.get(chunk_id)
            return place is not None and access.permits(self._sets.values[self._set_of_row[place]])

    def nearest(self, vector: Vectors, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """At most `limit` permitted chunks by cosine, best first; of those `within` where given; none below `LEAST_COSINE`."""
        with self._lock:
            count = len(self._ids)
            permitted = self._permitted(access)
            if within is not None:
                permitted = permitted & self._matching(within)
            allowed = int(np.count_nonzero(permitted))
            if not allowed or limit < 1:
                return []
            if allowed < FEW_SHARE * count:
                places = np.flatnonzero(permitted)
                cosines = vector @ self._matrix[:, places]
            else:
                cosines = vector @ self._matrix[:, :count]
                cosines[~permitted] = -1.0
                places = np.arange(count)
            near = np.flatnonzero(cosines >= _least(cosines, limit))
            # Rounded, so that equal texts are equal wherever they stand in the matrix.
            rounded = np.round(cosines[near].astype(np.float64), COSINE_DIGITS)
            found = [ScoredChunk(self._ids[places[i]], float(c)) for i, c in zip(near, rounded, strict=True) if c >= LEAST_COSINE]
        return sorted(found, key=lambda chunk: (-chunk.score, chunk.chunk_id))[:limit]

    def _permitted(self, access: Access) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(n_rows,) bool."""
        of_set = np.array([access.permits(groups) for groups in self._sets.values], dtype=np.bool_)
        numbers = self._set_of_row[: len(self._ids)]
        return of_set[numbers] if len(numbers) else np.zeros(0, dtype=np.bool_)

    def _matching(self, within: Within) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(n_rows,) bool."""
        of_document = np.zeros(len(self._documents.values), dtype=np.bool_)
        of_document[self._documents.known(within.documents)] = True
        matching = of_document[self._document_of_row[: len(self._ids)]]
        matching[[self._places[one] for one in within.chunks if one in self._places]] = True
        return matching


def _least(cosines: Vectors, limit: int) -> float:
    """A cosine that the `limit` best all reach, and few others; rounding takes nothing from what reaches it."""
    sample = cosines[::_SAMPLED]  # no more of a part than of the whole lies above a value
    if len(sample) > limit:
        floor = float(np.partition(sample, -limit)[-limit])
        cosines = cosines[cosines >= floor]
    least = float(np.partition(cosines, -limit)[-limit]) if len(cosines) > limit else -1.0
    return max(LEAST_COSINE, least) - 2 * 10.0**-COSINE_DIGITS
