"""Texts → vectors, behind LangChain's `Embeddings`: the house LSA, and any service that LangChain speaks to. The encoders are in
`ingest.encoder`.

Invariants. Every embedder has a `fingerprint`: vectors with different fingerprints never meet in one index. Vectors are float32
and have unit length, or are zero where a text says nothing that the embedder knows. Weights are read from and written to
safetensors and JSON only. Nothing is fetched on import.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD

from ingest.errors import InputRefused
from ingest.tokens import index_terms, query_terms

Vectors = NDArray[np.float32]

DIMENSIONS = 256
VOCABULARY = 120_000
"""The terms that the most texts hold, 1 KB of memory each. Those of one text alone stay while there is room: leaving them out
cost up to .06 of nDCG@10. Source: `docs/decisions/0003-search-without-an-encoder.md`."""
POWER_ITERATIONS = 1
"""More are slower and no better here: nDCG@10 .948, .942, .936 with 1, 2, 5 of them on DRCD, .661, .657, .659 on CAIL."""
SAMPLE_TEXTS = 20_000
"""A larger corpus is fitted on a sample: 15 s at 100,000 chunks. Source: `docs/decisions/0003-search-without-an-encoder.md`."""


class Embedder(Protocol):
    """LangChain's two methods, and which vectors may be compared with each other."""

    @property
    def fingerprint(self) -> str:
        """At most 100 characters; the same for the same weights and settings, on every machine."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in order."""

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""


def unit_rows(vectors: Sequence[Sequence[float]] | NDArray[np.floating]) -> Vectors:
    """The rows as float32 of unit length; rows of zeros stay as they are."""
    matrix = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=-1, keepdims=True)
    unit: Vectors = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)
    return unit


class LatentSemanticEmbeddings(Embeddings):
    """LSA: TF-IDF of our own terms, projected on the corpus' main directions. Needs no download and knows both languages.

    Made by `fit` or `load`, never changed after.
    """

    def __init__(self, terms: Sequence[str], weights: NDArray[np.float32], components: NDArray[np.float32]) -> None:
        """`weights`: inverse document frequencies, (n_terms,) float32; `components`: (n_terms, dim) float32."""
        self._terms = list(terms)
        self._columns = {term: column for column, term in enumerate(terms)}
        self._weights = weights
        self._components = components
        digest = hashlib.sha256("\n".join(terms).encode())
        digest.update(np.ascontiguousarray(weights).tobytes())
        digest.update(np.ascontiguousarray(components).tobytes())
        self.fingerprint = f"lsa-{components.shape[1]}-{digest.hexdigest()[:16]}"

    @classmethod
    def fit(cls, texts: Sequence[str], *, seed: int = 0) -> LatentSemanticEmbeddings:
        """An embedder for a corpus like these texts; of more than `SAMPLE_TEXTS` texts a seeded sample is taken.

        Raises:
            InputRefused: there is no text.
        """
        if not texts:
            raise InputRefused("no text to fit on; at least one is needed")
        if len(texts) > SAMPLE_TEXTS:
            chosen = np.random.default_rng(seed).choice(len(texts), SAMPLE_TEXTS, replace=False)
            texts = [texts[i] for i in sorted(chosen)]
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__  # a term that is new gets the next number
        bags = [_bag([numbers[term] for term in index_terms(text)]) for text in texts]
        found = list(numbers)
        frequencies = np.bincount(np.concatenate([numbers for numbers, _ in bags]), minlength=len(found))
        order = sorted(range(len(found)), key=lambda number: (-frequencies[number], found[number]))[:VOCABULARY]
        terms = [found[number] for number in order]
        weights = (1 + np.log((1 + len(texts)) / (1 + frequencies[order]))).astype(np.float32)
        columns = np.full(len(found), -1, dtype=np.int32)
        columns[order] = np.arange(len(order))
        matrix = _tf_idf([_known(columns[numbers], counts) for numbers, counts in bags], weights)
        del bags, numbers, columns  # a sample of 20,000 long chunks is 100 MB, and the decomposition needs as much again
        dimensions = min(DIMENSIONS, *matrix.shape)
        if len(terms) < 2:  # nothing to decompose
            return cls(terms, weights, np.ones((len(terms), 1), dtype=np.float32))
        with np.errstate(invalid="ignore", divide="ignore"):  # equal texts have no variance
            svd = TruncatedSVD(dimensions, n_iter=POWER_ITERATIONS, random_state=seed).fit(matrix)
        return cls(terms, weights, np.ascontiguousarray(svd.components_.T, dtype=np.float32))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """See `Embedder`."""
        vectors: list[list[float]] = self._project([index_terms(text) for text in texts]).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """See `Embedder`. Question words carry no topic and are left out."""
        vector: list[float] = self._project([query_terms(text)])[0].tolist()
        return vector

    def _project(self, texts: Sequence[Sequence[str]]) -> Vectors:
        column = self._columns.get
        bags = [_known(*_bag([column(term, -1) for term in terms])) for terms in texts]
        return unit_rows(_tf_idf(bags, self._weights) @ self._components)

    def save(self, folder: Path) -> None:
        """Writes `lsa.safetensors` and `lsa.json` into the folder, which is made where it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({"weights": self._weights, "components": self._components}, folder / "lsa.safetensors")
        (folder / "lsa.json").write_text(json.dumps({"fingerprint": self.fingerprint, "terms": self._terms}, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path) -> LatentSemanticEmbeddings:
        """What `save` wrote.

        Raises:
            InputRefused: the files are missing, damaged, or not of one fit.
        """
        try:
            tensors = load_file(folder / "lsa.safetensors")
            said = json.loads((folder / "lsa.json").read_text())
            loaded = cls(said["terms"], tensors["weights"], tensors["components"])
            fits = loaded.fingerprint == said["fingerprint"]
        except Exception as error:  # safetensors raises its own error class, which it does not export for typing
            raise InputRefused(f"{folder} holds no readable LSA model ({error}); `graft reindex` makes it again") from error
        if not fits:
            raise InputRefused(f"{folder}: the LSA files are not of one fit; `graft reindex` makes them again")
        return loaded


Bag = tuple[NDArray[np.int32], NDArray[np.int32]]
"""The distinct terms of a text, by number, and how often each stands in it. In arrays: as dictionaries, the terms of 20,000 long
chunks take more than a gigabyte."""


def _bag(numbers: Sequence[int]) -> Bag:
    """The bag of a text's terms."""
    distinct, counts = np.unique(np.array(numbers, dtype=np.int32), return_counts=True)
    return distinct, counts.astype(np.int32)


def _known(columns: NDArray[np.int32], counts: NDArray[np.int32]) -> Bag:
    """The bag without the terms that have no column (-1)."""
    known = columns >= 0
    return columns[known], counts[known]


def _tf_idf(bags: Sequence[Bag], weights: NDArray[np.float32]) -> csr_matrix:
    """(n_bags, n_terms) float32 of (1 + ln tf) · idf, rows of unit length."""
    ends = np.cumsum([0, *(len(columns) for columns, _ in bags)])
    columns = np.concatenate([columns for columns, _ in bags]) if bags else np.zeros(0, dtype=np.int32)
    counts = np.concatenate([counts for _, counts in bags]) if bags else np.zeros(0, dtype=np.int32)
    data = (1 + np.log(counts.astype(np.float32))) * weights[columns]
    lengths = np.sqrt(np.add.reduceat(np.append(data**2, 0), ends[:-1])) if bags else np.zeros(0)
    sizes = np.diff(ends)
    data = data / np.repeat(np.where(sizes > 0, lengths, 1), sizes)
    return csr_matrix((data.astype(np.float32), columns, ends), shape=(len(bags), len(weights)))


class NamedEmbeddings(Embeddings):
    """Any LangChain embeddings (a service such as `OpenAIEmbeddings`) under a name that tells its vectors from others'."""

    def __init__(self, embeddings: Embeddings, *, name: str) -> None:
        """`name` must change with the model, its revision, its prefixes and its dimensions."""
        self._embeddings = embeddings
        self.fingerprint = f"named-{name}"[:100]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """See `Embedder`."""
        return unit_rows(self._embeddings.embed_documents(texts)).tolist() if texts else []

    def embed_query(self, text: str) -> list[float]:
        """See `Embedder`."""
        vector: list[float] = unit_rows([self._embeddings.embed_query(text)])[0].tolist()
        return vector
