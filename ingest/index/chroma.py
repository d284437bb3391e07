"""One index build in Chroma: an approximate index for sets too large to scan, thrown away at the first doubt.

Invariants. A build has a folder of its own, is used by one process, and is made from vectors that the catalog keeps. A write
that did not end, ids that differ from the catalog's, or a row that no longer finds itself: each condemns the build.

Chroma 1.5.9 gives reasons: a kill can corrupt a collection, deletes and upserts can make live rows unreachable, an upsert
keeps old metadata (and so old groups), a second process returns deleted rows, telemetry is on unless switched off.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.config import Settings
from langchain_core.utils.iter import batch_iterate

from ingest.embedding import Vectors
from ingest.index.exact import LEAST_COSINE, ExactScan, VectorRow
from ingest.types import Access, ScoredChunk

COLLECTION = "chunks"
BATCH_ROWS = 2000
HNSW = {"space": "ip", "ef_construction": 200, "ef_search": 200, "max_neighbors": 16}
CHECKED_ROWS = 512
"""Many equal rows (a form's footer, say) can cut others off in the graph: a sample of 64 overlooked 20 such rows among 320."""
SELF_COSINE = 0.999
"""What a row's nearest neighbour must reach: the row itself, or a copy of it."""
GREATEST_CHURN = 0.2
"""The share of removed and replaced rows after which a build is made anew. Source: docs/decisions/0003."""


class ChromaBuild:
    """One folder with one collection."""

    def __init__(self, folder: Path, collection: Any, client: Any, changed: int) -> None:
        """Use `make` or `open`."""
        self._folder = folder
        self._collection = collection
        self._client = client
        self._changed = changed

    @classmethod
    def make(cls, folder: Path, rows: Iterable[VectorRow]) -> ChromaBuild:
        """A new build of these rows in a folder that is cleared first."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        client = _client(folder)
        collection = client.create_collection(COLLECTION, embedding_function=None, configuration={"hnsw": HNSW})
        build = cls(folder, collection, client, 0)
        build._insert(rows)
        return build

    @classmethod
    def open(cls, folder: Path, truth: ExactScan) -> ChromaBuild | None:
        """The build in the folder if it can be trusted to hold what `truth` holds, else None."""
        try:
            journal = json.loads((folder / "journal.json").read_text())
            if journal["writing"]:
                return None
            client = _client(folder)
            build = cls(folder, client.get_collection(COLLECTION, embedding_function=None), client, journal["changed"])
        except Exception:  # noqa: BLE001 - a damaged database fails in ways that Chroma does not name
            return None
        if build.is_sound(truth):
            return build
        build.close()
        return None

    def is_sound(self, truth: ExactScan) -> bool:
        """Whether the ids are those of `truth`, and every sampled row finds itself."""
        try:
            ids = sorted(truth.ids())
            if set(self._collection.get(include=[])["ids"]) != set(ids):
                return False
            sample = random.Random(0).sample(ids, min(CHECKED_ROWS, len(ids)))
            return all(
                any(hit.score >= SELF_COSINE for hit in self.nearest(row.vector, access=Access.everything(), limit=1))
                for row in truth.rows(sample)
                if row.vector.any()
            )
        except Exception:  # noqa: BLE001 - see `open`
            return False

    def is_worn(self) -> bool:
        """Whether so many rows were removed or replaced that the build should be made anew."""
        return bool(self._changed > GREATEST_CHURN * max(1, self._collection.count()))

    def change(self, *, removed: Collection[str], added: Iterable[VectorRow]) -> None:
        """Removes rows, then adds rows; a row that is replaced must be in both."""
        self._delete(removed)
        self._insert(added)

    def _insert(self, rows: Iterable[VectorRow]) -> None:
        self._note(writing=True)
        for batch in batch_iterate(BATCH_ROWS, rows):
            self._collection.add(
                ids=[row.chunk_id for row in batch],
                embeddings=np.stack([row.vector for row in batch]),
                metadatas=[{_key(group): True for group in row.groups} or None for row in batch],
            )
        self._note(writing=False)

    def _delete(self, chunk_ids: Collection[str]) -> None:
        if not chunk_ids:
            return
        self._note(writing=True)
        for batch in batch_iterate(BATCH_ROWS, chunk_ids):
            self._collection.delete(ids=batch)
        self._changed += len(chunk_ids)
        self._note(writing=False)

    def _note(self, *, writing: bool) -> None:
        beside = self._folder / "journal.new"
        beside.write_text(json.dumps({"writing": writing, "changed": self._changed}))
        beside.replace(self._folder / "journal.json")

    def nearest(self, vector: Vectors, *, access: Access, limit: int) -> list[ScoredChunk]:
        """At most `limit` permitted chunks by cosine, best first, nearly always the nearest; none below `LEAST_COSINE`."""
        keys = [{_key(group): True} for group in sorted(access.groups)]
        if limit < 1 or not (keys or access.administrator):
            return []
        where = None if access.administrator else keys[0] if len(keys) == 1 else {"$or": keys}
        found = self._collection.query(query_embeddings=[vector], n_results=limit, where=where, include=["distances"])
        hits = [ScoredChunk(i, 1.0 - d) for i, d in zip(found["ids"][0], found["distances"][0], strict=True)]
        hits = [hit for hit in hits if hit.score >= LEAST_COSINE]
        return sorted(hits, key=lambda chunk: (-chunk.score, chunk.chunk_id))

    def close(self) -> None:
        """Lets go of the folder's files."""
        self._client.close()


def _client(folder: Path) -> Any:
    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


def _key(group: str) -> str:
    return f"group:{group}"
