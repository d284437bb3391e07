"""Our own parts: BM25 alone, the whole search, and the exact scan of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.utils.iter import batch_iterate

from ingest.catalog import Catalog
from ingest.embedding import LatentSemanticEmbeddings, Vectors
from ingest.index.exact import ExactScan, VectorRow
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import VectorIndex
from ingest.tokens import query_terms
from ingest.types import EVERYONE, Access, ScoredChunk, Within
from ingest.vectors import CatalogVectors
from services.bench.scale.catalog import filled, new_catalog
from services.bench.scale.corpus import Corpus
from services.bench.scale.timing import DEPTH, Building, Found, ask_all, peak_mb, resident_mb

QUESTIONS = 500
REINDEXED_AT_ONCE = 100_000
"""All of most corpora, and not more than memory holds."""
VECTORS = "vectors.npy"
ASKED = "asked.npy"
IDS = "ids.npy"
_READER = Access.of()


class TermsAlone(LexicalIndex):
    """Plain BM25: the terms of the question, without 3-grams and titles, which the other libraries do not have."""

    def search(self, query: str, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """See `Index`."""
        asked = [self._term("terms", term) for term in query_terms(query)]
        found = self._best(self._view, asked, access=access, limit=limit, within=within)
        return [ScoredChunk(one.chunk_id, one.score) for one in found]


def plain_bm25(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """BM25 of the terms, in tantivy's folder, with the filter by rights; built in as few goes as `graft reindex` would."""
    before, building = resident_mb(), Building()
    index = TermsAlone(folder / f"plain-{corpus.size}")
    for rows in batch_iterate(REINDEXED_AT_ONCE, corpus.rows()):
        with building:
            index.add(rows)
    del rows  # and no part of the memory that is told
    with building:
        index.close()
    built = resident_mb()

    def search(text: str) -> Found:
        return [(hit.chunk_id, hit.score) for hit in index.search(text, access=_READER, limit=DEPTH)]

    asked = ask_all(search, corpus.questions(), count=QUESTIONS)
    return {"build_cpu_s": building.cpu_s, "built_mb": built - before, "rss_mb": resident_mb() - before, **asked}


def whole_build(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """Building what the product searches, 1,000 rows at a time. Keeps the vectors for the other libraries."""
    place = _place(corpus, folder)
    place.mkdir()
    engine = new_catalog(place)
    before, lexical_cpu, vector_cpu = resident_mb(), Building(), Building()
    lexical = LexicalIndex(place / "lexical")
    vector = VectorIndex(place, CatalogVectors(engine, Catalog(engine)))
    fits: list[str | None] = []
    for rows in filled(engine, corpus.rows()):
        with lexical_cpu:
            lexical.add(rows)
        with vector_cpu:
            vector.add(rows)
        live = Catalog(engine).pointer("vector_build")
        fits += [] if live in fits else [live]
    HybridIndex(lexical, vector).close()
    built, most = resident_mb() - before, peak_mb() - before
    _keep_vectors(place, CatalogVectors(engine, Catalog(engine)), corpus)
    return {
        "build_cpu_s": lexical_cpu.cpu_s + vector_cpu.cpu_s,
        "lexical_cpu_s": lexical_cpu.cpu_s,
        "vector_cpu_s": vector_cpu.cpu_s,
        "fits": len(fits),
        "built_mb": built,
        "peak_mb": most,
    }


def whole(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """The product's search in a process that opened what another one built: the state in which a server answers."""
    before, opening = resident_mb(), Building()
    with opening:
        index = _opened(corpus, folder)
    opened = resident_mb()

    def search(text: str) -> Found:
        return [(hit.chunk_id, hit.score) for hit in index.search(text, access=_READER, limit=DEPTH)]

    asked = ask_all(search, corpus.questions(), count=QUESTIONS)
    return {"open_cpu_s": opening.cpu_s, "opened_mb": opened - before, "rss_mb": resident_mb() - before, **asked}


def exact(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """Our exact scan over the same vectors as the other libraries."""
    ids, vectors, asked = read_vectors(corpus, folder)
    before, building = resident_mb(), Building()
    with building:
        scan = ExactScan(VectorRow(one, frozenset({EVERYONE}), vector) for one, vector in zip(ids, vectors, strict=True))
    del vectors  # mapped, and no part of what a search needs
    by_text = dict(zip((question.text for question in corpus.questions()), asked, strict=True))

    def search(text: str) -> Found:
        return [(hit.chunk_id, hit.score) for hit in scan.nearest(by_text[text], access=_READER, limit=DEPTH)]

    found = ask_all(search, corpus.questions(), count=QUESTIONS)
    return {"build_cpu_s": building.cpu_s, "rss_mb": resident_mb() - before, **found}


def read_vectors(corpus: Corpus, folder: Path) -> tuple[list[str], Vectors, Vectors]:
    """Ids, the chunks' vectors, and those of the questions, as `whole_build` left them.

    Raises:
        OSError: it has not been built.
    """
    place = _place(corpus, folder)
    return np.load(place / IDS).tolist(), np.load(place / VECTORS, mmap_mode="r"), np.load(place / ASKED)


def _place(corpus: Corpus, folder: Path) -> Path:
    return folder / f"whole-{corpus.size}"


def _opened(corpus: Corpus, folder: Path) -> HybridIndex:
    place = _place(corpus, folder)
    engine = new_catalog(place)
    return HybridIndex(LexicalIndex(place / "lexical"), VectorIndex(place, CatalogVectors(engine, Catalog(engine))))


def _keep_vectors(place: Path, store: CatalogVectors, corpus: Corpus) -> None:
    (fit,) = place.glob("vector-*/lsa")
    embedder = LatentSemanticEmbeddings.load(fit)
    rows = list(store.vectors(embedder.fingerprint))
    np.save(place / IDS, np.array([row.chunk_id for row in rows]))
    np.save(place / VECTORS, np.stack([row.vector for row in rows]))
    np.save(place / ASKED, np.array([embedder.embed_query(one.text) for one in corpus.questions()], dtype=np.float32))
