"""Other libraries on the same chunks, terms, vectors and questions, each as its documentation shows it, on one thread."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.utils.iter import batch_iterate

from ingest.tokens import index_terms, query_terms
from services.bench.scale.corpus import Corpus
from services.bench.scale.ours import QUESTIONS, read_vectors
from services.bench.scale.timing import DEPTH, Building, Found, ask_all, resident_mb

K1, B = 1.2, 0.75
"""As tantivy fixes them."""
_FEW_QUESTIONS = 20
"""For rank-bm25 above 10,000 chunks, where a search takes most of a second."""
_ALL_QUESTIONS_UP_TO = 10_000
_RANKED = 100
HNSW_NEIGHBOURS, HNSW_BUILDING, HNSW_SEARCHING = 16, 200, 100
"""For FAISS and Chroma alike: Chroma's neighbours, and as much care as our own builds take."""


def rank_bm25(corpus: Corpus, _folder: Path) -> dict[str, Any]:
    """rank-bm25 with Lucene's idf, which is what tantivy computes; its best 100 are the oracle of the other BM25s."""
    from rank_bm25 import BM25Okapi

    class Lucene(BM25Okapi):  # type: ignore[misc]
        def __init__(self, terms: list[list[str]]) -> None:
            super().__init__(terms, k1=K1, b=B)

        def _calc_idf(self, nd: dict[str, int]) -> None:
            self.idf = {term: math.log1p((self.corpus_size - n + 0.5) / (n + 0.5)) for term, n in nd.items()}

    before, building = resident_mb(), Building()
    known: dict[str, str] = {}  # one object a term: 100,000 chunks would not fit otherwise
    with building:
        index = Lucene([[known.setdefault(term, term) for term in index_terms(row.text)] for row in corpus.rows()])
    ids = [row.chunk_id for row in corpus.rows()]

    def search(text: str) -> Found:
        scores = index.get_scores(query_terms(text))
        return [(ids[i], scores[i]) for i in np.argsort(-scores, kind="stable")[:_RANKED]]

    count = QUESTIONS // 5 if corpus.size <= _ALL_QUESTIONS_UP_TO else _FEW_QUESTIONS
    return {"build_cpu_s": building.cpu_s, "rss_mb": resident_mb() - before, **ask_all(search, corpus.questions(), count=count)}


def bm25s(corpus: Corpus, _folder: Path) -> dict[str, Any]:
    """bm25s, method lucene, with NumPy."""
    import bm25s as library

    before, building = resident_mb(), Building()
    with building:
        numbers: dict[str, int] = {}
        texts = []
        for row in corpus.rows():
            texts.append(array("i", (numbers.setdefault(term, len(numbers)) for term in index_terms(row.text))))
        index = library.BM25(method="lucene", k1=K1, b=B)
        index.index((texts, numbers), show_progress=False)
        del texts
    ids = [row.chunk_id for row in corpus.rows()]

    def search(text: str) -> Found:
        terms = [term for term in query_terms(text) if term in numbers]
        found, scores = index.retrieve([terms], k=DEPTH, show_progress=False, n_threads=0)
        return [(ids[i], score) for i, score in zip(found[0], scores[0], strict=True)]

    return {
        "build_cpu_s": building.cpu_s,
        "rss_mb": resident_mb() - before,
        **ask_all(search, corpus.questions(), count=QUESTIONS),
    }


def chroma(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """A plain Chroma collection in a folder, without a filter."""
    import chromadb
    from chromadb.config import Settings

    ids, vectors, asked = read_vectors(corpus, folder)
    before, building = resident_mb(), Building()
    with building:
        quiet = Settings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(str(folder / f"chroma-{corpus.size}"), settings=quiet)
        graph = {
            "space": "ip",
            "max_neighbors": HNSW_NEIGHBOURS,
            "ef_construction": HNSW_BUILDING,
            "ef_search": HNSW_SEARCHING,
            "num_threads": 1,
        }
        collection = client.create_collection("chunks", embedding_function=None, configuration={"hnsw": graph})
        for places in batch_iterate(2000, range(len(ids))):
            collection.add(ids=[ids[i] for i in places], embeddings=np.array(vectors[places]))
    del vectors  # mapped, and no part of what a search needs

    def search(vector: np.ndarray[Any, Any]) -> Found:
        found = collection.query(query_embeddings=[vector], n_results=DEPTH, include=["distances"])
        return [(i, 1 - d) for i, d in zip(found["ids"][0], (found["distances"] or [[]])[0], strict=True)]

    return _vectors_asked(corpus, search, asked, building, before)


def faiss_flat(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """FAISS' exact index: the oracle of the other vector searches."""
    import faiss

    return _faiss(corpus, folder, faiss.IndexFlatIP)


def faiss_hnsw(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """FAISS' graph."""
    import faiss

    def make(dimensions: int) -> Any:
        index = faiss.IndexHNSWFlat(dimensions, HNSW_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = HNSW_BUILDING, HNSW_SEARCHING
        return index

    return _faiss(corpus, folder, make)


def _faiss(corpus: Corpus, folder: Path, make: Callable[[int], Any]) -> dict[str, Any]:
    import faiss

    faiss.omp_set_num_threads(1)
    ids, vectors, asked = read_vectors(corpus, folder)
    before, building = resident_mb(), Building()
    with building:
        index = make(vectors.shape[1])
        for places in batch_iterate(2000, range(len(ids))):
            index.add(np.array(vectors[places]))
    del vectors  # mapped, and no part of what a search needs

    def search(vector: np.ndarray[Any, Any]) -> Found:
        scores, places = index.search(vector[None], DEPTH)
        return [(ids[i], score) for i, score in zip(places[0], scores[0], strict=True)]

    return _vectors_asked(corpus, search, asked, building, before)


def _vectors_asked(
    corpus: Corpus,
    search: Callable[[np.ndarray[Any, Any]], Found],
    asked: np.ndarray[Any, Any],
    building: Building,
    before: float,
) -> dict[str, Any]:
    questions = corpus.questions()
    by_text = dict(zip((question.text for question in questions), asked, strict=True))
    found = ask_all(lambda text: search(by_text[text]), questions, count=QUESTIONS)
    return {"build_cpu_s": building.cpu_s, "rss_mb": resident_mb() - before, **found}
