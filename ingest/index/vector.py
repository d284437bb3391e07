"""Search by meaning: embeds, keeps the vectors in the catalog, and looks them up by exact scan or in Chroma.

Invariants. The catalog's vectors are the truth and both lookups are derived from them. Vectors of two fits never meet: a new fit
is a new build, made aside and then swapped in by the catalog's pointer. Nothing is embedded on opening: what cannot be opened is
not held, `ids` says so, and whoever compares it with the catalog adds it again. One writer at a time, any number of searches.

    <folder>/<build>/lsa/       the fit, where the embedder is fitted on the corpus itself; beside it fit.json: on how many rows
    <folder>/<build>/chroma/    the approximate index, where there are more rows than an exact scan should read
"""

from __future__ import annotations

import json
import secrets
import shutil
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog
from langchain_core.utils.iter import batch_iterate

from ingest.embedding import SAMPLE_TEXTS, Embedder, LatentSemanticEmbeddings, Vectors, unit_rows
from ingest.errors import InputRefused
from ingest.index.chroma import ChromaBuild
from ingest.index.exact import ExactScan, VectorRow
from ingest.types import Access, IndexRow, ScoredChunk, Within

EXACT_LIMIT = 100_000
"""Up to so many permitted rows, all are scanned: 4 ms and always right, where Chroma's filtered query takes 24 ms."""
EMBEDDED_AT_ONCE = 256
NEW_SHARE_BEFORE_REFIT = 1 / 3
"""A fit knows only the words of the rows that it was made from. It is made anew when rows added or replaced since then come to
a third of them, or the corpus has shrunk by a third."""
NEW_SHARE_OF_A_SAMPLE = 1.0
"""The same for a corpus that is fitted on a sample: one that is twice as large gives a sample of the same size. Growth to 100,000
rows costs three fits from there instead of six. Source: `docs/decisions/0016-search-at-scale.md`."""
GROWTH_BEFORE_RETRY = 1.2
"""How much larger the corpus must be before a Chroma build is tried again after one that did not pass its check."""

_log = structlog.get_logger(__name__)


class VectorStore(Protocol):
    """Where the catalog keeps vectors. Every method may be called again after a crash."""

    def rows(self) -> Iterable[IndexRow]:
        """Every chunk of a live or staged version: what a new fit is made for. One that is missing here loses its vector."""

    def vectors(self, fingerprint: str) -> Iterable[VectorRow]:
        """The vectors kept under this fingerprint, with the groups that their documents carry now."""

    def put(self, fingerprint: str, rows: Sequence[IndexRow], vectors: Vectors) -> None:
        """Keeps (n_rows, dim) vectors, replacing those of the same chunk and fingerprint; chunks that are gone are ignored."""

    def drop(self, chunk_ids: Collection[str]) -> None:
        """Forgets the chunks' vectors under every fingerprint."""

    def keep_only(self, fingerprint: str) -> None:
        """Forgets all vectors of other fingerprints."""

    def build(self) -> str | None:
        """The name of the live build, or None."""

    def set_build(self, name: str) -> None:
        """Makes a build the live one, in one transaction."""


@dataclass(frozen=True, slots=True)
class _State:
    """What is searched now. `fitted_rows` is how large the corpus was when the embedder was fitted."""

    name: str
    embedder: Embedder
    fitted_rows: int
    exact: ExactScan
    chroma: ChromaBuild | None = None


class VectorIndex:
    """An `Index` by vectors. Scores are cosines."""

    def __init__(
        self, folder: Path, store: VectorStore, *, embedder: Embedder | None = None, exact_limit: int = EXACT_LIMIT
    ) -> None:
        """Opens what is there. Without an `embedder`, the house LSA is fitted on the corpus itself, and again as it grows."""
        self._folder = folder
        self._store = store
        self._fixed = embedder
        self._exact_limit = exact_limit
        self._writing = threading.Lock()
        self._state: _State | None = None
        self._rows_since_fit = 0
        self._rows_when_refused = 0
        self._open()
        self._sweep()

    # Reading

    def ids(self) -> set[str]:
        """See `Index`."""
        return self._state.exact.ids() if self._state else set()

    def search(self, query: str, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """See `Index`. A question of which the embedder knows no word finds nothing."""
        state = self._state
        if state is None or limit < 1:
            return []
        return self._nearest(state, state.embedder.embed_query(query), access=access, limit=limit, within=within)

    def like(self, text: str, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """The chunks nearest to a text of the same kind, best first."""
        state = self._state
        if state is None or limit < 1:
            return []
        return self._nearest(state, state.embedder.embed_documents([text])[0], access=access, limit=limit, within=within)

    def _nearest(
        self, state: _State, embedded: Sequence[float], *, access: Access, limit: int, within: Within | None
    ) -> list[ScoredChunk]:
        vector = unit_rows([embedded])[0]
        if not vector.any():
            return []
        # Chroma knows no documents: a narrowed search is an exact scan, of fewer rows.
        if within is not None or state.chroma is None or state.exact.permitted_count(access) <= self._exact_limit:
            return state.exact.nearest(vector, access=access, limit=limit, within=within)
        try:
            found = state.chroma.nearest(vector, access=access, limit=limit)
        except Exception:  # noqa: BLE001 - damaged, or closed by a swap: the scan is slower and as right
            return state.exact.nearest(vector, access=access, limit=limit)
        return [hit for hit in found if state.exact.permits(hit.chunk_id, access)]

    # Writing

    def add(self, rows: Sequence[IndexRow]) -> None:
        """See `Index`. May fit the embedder anew and embed the whole corpus."""
        by_id = {row.chunk_id: row for row in rows}
        if not by_id:
            return
        with self._writing:
            state = self._state
            if state is None or self._is_outgrown(state, by_id):
                everything = {row.chunk_id: row for row in self._store.rows()} | by_id
                self._swap(self._fitted(list(everything.values())))
                return
            replaced = state.exact.ids().intersection(by_id)
            for batch in batch_iterate(EMBEDDED_AT_ONCE, by_id.values()):
                self._embed(state, batch)
            self._rows_since_fit += len(by_id)
            self._follow(state, removed=replaced, added=list(by_id))

    def remove(self, chunk_ids: Collection[str]) -> None:
        """See `Index`."""
        if not chunk_ids:
            return
        with self._writing:
            self._store.drop(chunk_ids)
            state = self._state
            if state is not None:
                held = state.exact.ids().intersection(chunk_ids)
                state.exact.remove(held)
                self._follow(state, removed=held, added=[])

    def close(self) -> None:
        """Lets go of Chroma's files."""
        if self._state and self._state.chroma:
            self._state.chroma.close()

    def _embed(self, state: _State, rows: Sequence[IndexRow]) -> None:
        """Embeds the rows, keeps their vectors, and makes them findable by exact scan."""
        vectors = unit_rows(state.embedder.embed_documents([row.titled_text for row in rows]))
        self._store.put(state.embedder.fingerprint, rows, vectors)
        pairs = zip(rows, vectors, strict=True)
        state.exact.add(VectorRow(row.chunk_id, row.groups, vector, row.document_id) for row, vector in pairs)

    def _follow(self, state: _State, *, removed: Collection[str], added: Sequence[str]) -> None:
        """Brings Chroma to what the exact scan holds; a build that fails or is worn is given up for a new one."""
        chroma = state.chroma
        if chroma is not None:
            try:
                chroma.change(removed=removed, added=state.exact.rows(added))
            except Exception:  # noqa: BLE001 - a damaged database fails in ways that Chroma does not name
                chroma = None
                self._state = state = replace(state, chroma=None)
        enough = max(self._exact_limit, GROWTH_BEFORE_RETRY * self._rows_when_refused)
        if len(state.exact) > enough and (chroma is None or chroma.is_worn()):
            self._swap(self._with_chroma(replace(state, name=_new_name())))

    # Builds

    def _is_outgrown(self, state: _State, added: Collection[str]) -> bool:
        """Whether the corpus is no longer the one that the embedder was fitted on."""
        if self._fixed is not None:
            return False
        fitted = state.fitted_rows
        share = NEW_SHARE_BEFORE_REFIT if fitted < SAMPLE_TEXTS else NEW_SHARE_OF_A_SAMPLE
        return self._rows_since_fit + len(added) >= share * fitted or len(state.exact) <= (1 - NEW_SHARE_BEFORE_REFIT) * fitted

    def _fitted(self, rows: Sequence[IndexRow]) -> _State:
        """A new build for a new fit of LSA on these rows, with all their vectors."""
        fit = LatentSemanticEmbeddings.fit([row.titled_text for row in rows])
        state = _State(_new_name(), fit, len(rows), ExactScan())
        self._rows_since_fit = 0
        fit.save(self._folder / state.name / "lsa")
        (self._folder / state.name / "fit.json").write_text(json.dumps({"rows": len(rows)}))
        for batch in batch_iterate(EMBEDDED_AT_ONCE, rows):
            self._embed(state, batch)
        return self._with_chroma(state) if len(rows) > self._exact_limit else state

    def _with_chroma(self, state: _State) -> _State:
        """The state with a new Chroma build in its folder; without one where it does not pass the check.

        Many rows with the same text can leave others unreachable in the graph: then all are scanned, slower and as right.
        """
        folder = self._folder / state.name
        if isinstance(state.embedder, LatentSemanticEmbeddings) and self._state is not None and not folder.exists():
            shutil.copytree(self._folder / self._state.name, folder, ignore=shutil.ignore_patterns("chroma"))
        chroma = ChromaBuild.make(folder / "chroma", state.exact.rows())
        if chroma.is_sound(state.exact):
            return replace(state, chroma=chroma)
        chroma.close()
        self._rows_when_refused = len(state.exact)
        _log.warning("vector index refused: sampled rows do not find themselves; all rows are scanned", rows=len(state.exact))
        return replace(state, chroma=None)

    def _swap(self, new: _State) -> None:
        """Makes a finished build the live one, first for the next start, then here; only then is the old one given up."""
        old = self._state
        self._store.set_build(new.name)
        self._state = new
        if old is not None and old.chroma is not None:
            old.chroma.close()
        self._store.keep_only(new.embedder.fingerprint)
        self._sweep()

    def _sweep(self) -> None:
        """Deletes the folders of all builds but the live one."""
        for folder in self._folder.glob("vector-*"):
            if self._state is None or folder.name != self._state.name:
                shutil.rmtree(folder, ignore_errors=True)

    # Opening

    def _open(self) -> None:
        """Takes up the live build from the catalog's pointer and vectors; nothing where there is none, or its fit is lost."""
        name = self._store.build()
        embedder, fitted_rows = self._fixed, 0
        if embedder is None:
            if name is None:
                return
            try:
                embedder = LatentSemanticEmbeddings.load(self._folder / name / "lsa")
                fitted_rows = int(json.loads((self._folder / name / "fit.json").read_text())["rows"])
            except (OSError, ValueError, KeyError, InputRefused):
                return
        if name is None:
            name = _new_name()
            self._store.set_build(name)
        self._state = state = _State(name, embedder, fitted_rows, ExactScan(self._store.vectors(embedder.fingerprint)))
        self._rows_since_fit = max(0, len(state.exact) - fitted_rows)
        if len(state.exact) <= self._exact_limit:
            return
        chroma = ChromaBuild.open(self._folder / name / "chroma", state.exact)
        if chroma is not None:
            self._state = replace(state, chroma=chroma)
        else:
            self._swap(self._with_chroma(replace(state, name=_new_name())))


class MemoryVectorStore:
    """A `VectorStore` for indexes that are thrown away, such as those of a benchmark."""

    def __init__(self) -> None:
        self._rows: dict[str, IndexRow] = {}
        self._vectors: dict[str, dict[str, Vectors]] = {}
        self._build: str | None = None

    def rows(self) -> Iterable[IndexRow]:
        """See `VectorStore`."""
        return list(self._rows.values())

    def texts(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        """The texts of the chunks that are held, title first: what a cross-encoder reads."""
        return {one: row.titled_text for one in chunk_ids if (row := self._rows.get(one)) is not None}

    def vectors(self, fingerprint: str) -> Iterator[VectorRow]:
        """See `VectorStore`."""
        for chunk_id, vector in list(self._vectors.get(fingerprint, {}).items()):
            yield VectorRow(chunk_id, self._rows[chunk_id].groups, vector, self._rows[chunk_id].document_id)

    def put(self, fingerprint: str, rows: Sequence[IndexRow], vectors: Vectors) -> None:
        """See `VectorStore`."""
        kept = self._vectors.setdefault(fingerprint, {})
        for row, vector in zip(rows, vectors, strict=True):
            self._rows[row.chunk_id] = row
            kept[row.chunk_id] = np.array(vector)

    def drop(self, chunk_ids: Collection[str]) -> None:
        """See `VectorStore`."""
        for chunk_id in chunk_ids:
            self._rows.pop(chunk_id, None)
            for kept in self._vectors.values():
                kept.pop(chunk_id, None)

    def keep_only(self, fingerprint: str) -> None:
        """See `VectorStore`."""
        self._vectors = {fingerprint: self._vectors.get(fingerprint, {})}

    def build(self) -> str | None:
        """See `VectorStore`."""
        return self._build

    def set_build(self, name: str) -> None:
        """See `VectorStore`."""
        self._build = name


def _new_name() -> str:
    return f"vector-{secrets.token_hex(6)}"
