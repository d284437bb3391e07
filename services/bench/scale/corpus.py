"""Many chunks out of few sentences, and questions whose right chunk is known.

Invariants. All is seeded: the same sentences and seed give the same chunks and questions. A question is a clause of a sentence
that was kept out of the recombination and stands in one chunk only, which lies anywhere in the corpus. Chunks are made when they
are asked for: a million of them are never in memory.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import InputRefused
from ingest.types import EVERYONE, IndexRow

NEWS = Path("retrieval", "crud-news-bulk")
CHUNK_CHARACTERS = 320
"""What a chunk of the product's default size holds of Chinese text."""
QUESTIONS = 1000
FEWEST_SENTENCES = 50
_SENTENCE_CHARACTERS = range(12, 161)
_CLAUSE_CHARACTERS = range(8, 31)
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]|[^。！？!?\n]+?[.!?](?=\s|$)")
_CLAUSE = re.compile(r"[，；：、,;:“”\"（）()]")
_HELD_OUT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Question:
    """A clause, and the id of the one chunk that holds its sentence."""

    text: str
    chunk_id: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """`size` chunks; `kept_out` are the sentences that questions are made of, `sentences` all others."""

    size: int
    sentences: Sequence[str]
    kept_out: Sequence[str]
    seed: int = 0

    @staticmethod
    def of(sentences: Sequence[str], size: int, *, seed: int = 0) -> Corpus:
        """A corpus of `size` chunks.

        Raises:
            InputRefused: there are too few sentences.
        """
        if len(sentences) < FEWEST_SENTENCES:
            raise InputRefused(f"{len(sentences)} sentences are too few to recombine; at least {FEWEST_SENTENCES} are needed")
        mixed = list(sentences)
        random.Random(f"{seed} kept out").shuffle(mixed)
        rest = mixed[int(len(mixed) * _HELD_OUT_SHARE) :]
        known = "\n".join(rest)
        # A clause that another sentence holds too has more than one right chunk.
        kept_out = [one for one in mixed[: len(mixed) - len(rest)] if (clause := _clause(one)) and clause not in known]
        return Corpus(size, rest, kept_out[: min(QUESTIONS, size)], seed)

    def questions(self) -> list[Question]:
        """One question a sentence that was kept out."""
        return [Question(_clause(one), _name(place)) for place, one in zip(self._places(), self.kept_out, strict=True)]

    def rows(self) -> Iterator[IndexRow]:
        """All chunks, in order, each of them readable by everyone."""
        asked = dict(zip(self._places(), self.kept_out, strict=True))
        for number in range(self.size):
            rng = random.Random(f"{self.seed} {number}")
            parts = [asked[number]] if number in asked else []
            length = sum(map(len, parts))
            while length < CHUNK_CHARACTERS:
                parts.append(rng.choice(self.sentences))
                length += len(parts[-1])
            rng.shuffle(parts)
            yield IndexRow(_name(number), "", "".join(parts), frozenset({EVERYONE}))

    def _places(self) -> list[int]:
        return random.Random(f"{self.seed} {self.size}").sample(range(self.size), len(self.kept_out))


def read_sentences(folder: Path) -> list[str]:
    """The distinct sentences of all text files in the folder, in order.

    Raises:
        InputRefused: there is no text.
    """
    texts = [path.read_text(encoding="utf-8", errors="ignore") for path in sorted(folder.glob("*.txt"))]
    if not texts:
        raise InputRefused(f"{folder} holds no text file; name the folder that holds {NEWS}")
    return split_sentences(texts)


def split_sentences(texts: Sequence[str]) -> list[str]:
    """The distinct sentences of usual length, in order."""
    found = (match.strip() for text in texts for match in _SENTENCE.findall(text))
    return list(dict.fromkeys(one for one in found if len(one) in _SENTENCE_CHARACTERS))


def _clause(sentence: str) -> str:
    """The sentence's longest clause of usual length; "" where it has none."""
    clauses = [part.strip(" 。！？!?.") for part in _CLAUSE.split(sentence)]
    return max((one for one in clauses if len(one) in _CLAUSE_CHARACTERS), key=len, default="")


def _name(number: int) -> str:
    return f"chunk-{number:07}"
