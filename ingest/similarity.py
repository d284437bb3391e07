"""How alike two texts are: the share of their shingles that they have in common (Jaccard), exactly or estimated by MinHash.

A shingle is three words in a row, or five Chinese characters: what stands between is the same in both. Shingles are numbers made
by CRC-32 of the words, so that a signature means the same in every process and version and may be kept in the database.

Written here in NumPy: `datasketch` would bring an index in memory, where signatures belong to the catalog, and its hashes may
change with its versions. What that costs: `docs/decisions/0008-cleaning-and-duplicates.md`.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest.tokens import is_han, pieces

Shingles: TypeAlias = NDArray[np.uint64]
Signature: TypeAlias = NDArray[np.uint32]

SIGNATURE_SIZE = 64
"""Hash functions: the estimate of a likeness of .8 has a standard error of .05."""
WORDS = 3
HAN_CHARACTERS = 5

_PRIME = np.uint64((1 << 31) - 1)
_EMPTY = np.uint32((1 << 32) - 1)
"""What a signature of no shingles is made of: no hash reaches it."""


@cache
def _parameters() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The multipliers and offsets of the hash functions (a·x + b) mod p: fixed, because signatures are kept."""
    # Splitmix-like steps over the golden ratio's digits; any fixed numbers below the prime do.
    steps = np.arange(1, 2 * SIGNATURE_SIZE + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    steps ^= steps >> np.uint64(31)
    numbers = steps * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(33)
    return numbers[:SIGNATURE_SIZE] % (_PRIME - np.uint64(1)) + np.uint64(1), numbers[SIGNATURE_SIZE:] % _PRIME


def shingles(text: str) -> Shingles:
    """(n,) the distinct shingles as numbers below 2³¹ − 1, sorted; of a text shorter than one, the text itself."""
    found: set[int] = set()
    words: list[str] = []
    for piece in pieces(text):
        if is_han(piece[0]):
            width = min(HAN_CHARACTERS, len(piece))
            found.update(_number(piece[i : i + width]) for i in range(len(piece) - width + 1))
            words.append(piece[0])  # Chinese among words parts them
        else:
            words.append(piece)
    width = min(WORDS, len(words))
    if width:
        found.update(_number(" ".join(words[i : i + width])) for i in range(len(words) - width + 1))
    return np.array(sorted(found), dtype=np.uint64)


def _number(words: str) -> int:
    return zlib.crc32(words.encode()) % int(_PRIME)


def likeness(first: Shingles, second: Shingles) -> float:
    """The share of all shingles of the two that both have, in [0, 1]; 0 where one has none."""
    if not len(first) or not len(second):
        return 0.0
    common = len(np.intersect1d(first, second, assume_unique=True))
    return common / (len(first) + len(second) - common)


def signature(of: Shingles) -> Signature:
    """(SIGNATURE_SIZE,) the least value of each hash function over the shingles."""
    if not len(of):
        return np.full(SIGNATURE_SIZE, _EMPTY)
    multipliers, offsets = _parameters()
    # Both factors are below 2³¹, so a product and its offset fit into 64 bits.
    least: Signature = ((of[:, None] * multipliers + offsets) % _PRIME).min(axis=0).astype(np.uint32)
    return least


def joined(signatures: Sequence[Signature] | NDArray[np.uint32]) -> Signature:
    """The signature of all the texts' shingles together."""
    least: Signature = np.min(np.asarray(signatures, dtype=np.uint32).reshape(-1, SIGNATURE_SIZE), axis=0, initial=_EMPTY)
    return least


def estimated_likeness(one: Signature, many: NDArray[np.uint32]) -> NDArray[np.float64]:
    """(n,) the estimated likeness of one signature to each row of an (n, SIGNATURE_SIZE) matrix; 0 to one of no shingles."""
    likely: NDArray[np.float64] = ((many == one) & (many != _EMPTY)).mean(axis=1)
    return likely


def to_bytes(one: Signature) -> bytes:
    """The signature as the catalog keeps it."""
    return one.astype("<u4").tobytes()


def from_bytes(kept: Sequence[bytes]) -> NDArray[np.uint32]:
    """(n, SIGNATURE_SIZE) the signatures that were kept."""
    return np.frombuffer(b"".join(kept), dtype="<u4").reshape(-1, SIGNATURE_SIZE).astype(np.uint32)
