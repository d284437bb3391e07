"""Every `Index`, opened over a folder; what an embedder knows without a fit; and the oracles that searches are held against."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from langchain_core.embeddings import Embeddings
from rank_bm25 import BM25Okapi

from ingest.embedding import Embedder, Vectors, unit_rows
from ingest.index.base import Index
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex, VectorStore
from ingest.types import EVERYONE, IndexRow


class ClosableIndex(Index, Protocol):
    """An index that can be closed and opened again."""

    def close(self) -> None:
        """Lets go of its files."""


Opener = Callable[[], ClosableIndex]
INDEXES = ("lexical", "exact", "chroma", "hybrid")


def opener_of(name: str, folder: Path, *, store: VectorStore | None = None, embedder: Embedder | None = None) -> Opener:
    """Opens the same index each time: what was added before is still there. A new index joins with its name and one line."""
    kept = store or MemoryVectorStore()

    def vector(exact_limit: int) -> VectorIndex:
        return VectorIndex(folder, kept, embedder=embedder, exact_limit=exact_limit)

    openers: dict[str, Opener] = {
        "lexical": lambda: LexicalIndex(folder / "lexical"),
        "exact": lambda: vector(10**9),
        "chroma": lambda: vector(0),
        "hybrid": lambda: HybridIndex(LexicalIndex(folder / "lexical"), vector(10**9)),
    }
    return openers[name]


def row(chunk_id: str, text: str, *groups: str, title: str = "") -> IndexRow:
    """A row, for everyone where no group is named."""
    return IndexRow(chunk_id, title, text, frozenset(groups or {EVERYONE}))


class ClusterEmbeddings(Embeddings):
    """Unit vectors in clusters: a text's first word names its cluster, the whole text its place there. Knows no titles, and needs
    no fit."""

    fingerprint = "clusters"
    dimensions = 32

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """See `Embedder`."""
        vectors: list[list[float]] = unit_rows(np.stack([self._vector(text.rsplit("\n", 1)[-1]) for text in texts])).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """See `Embedder`."""
        return self.embed_documents([text])[0]

    def _vector(self, text: str) -> Vectors:
        def drawn(words: str) -> Vectors:
            generator = np.random.default_rng(zlib.crc32(words.encode()))
            return generator.normal(size=self.dimensions).astype(np.float32)

        near: Vectors = drawn(text.split(" ", 1)[0]) + 0.5 * drawn(text)
        return near


class BM25Oracle(BM25Okapi):  # type: ignore[misc, unused-ignore]
    """BM25Okapi with Lucene's idf, ln(1 + (N − n + ½)/(n + ½)), and constants as tantivy fixes them."""

    def __init__(self, corpus: list[list[str]]) -> None:
        super().__init__(corpus, k1=1.2, b=0.75)

    def _calc_idf(self, nd: dict[str, int]) -> None:
        self.idf = {term: math.log1p((self.corpus_size - n + 0.5) / (n + 0.5)) for term, n in nd.items()}
