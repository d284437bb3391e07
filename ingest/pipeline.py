"""Adding a document, in steps that may each be run again: read → stage → index → publish.

Invariants. Nothing of a document is visible before `publish`, and all of it after. A step that was killed and is run again
ends as if it had run once. The steps know no job system; whoever calls them decides what is kept between two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.catalog import Catalog, StagedVersion
from ingest.chunking import split
from ingest.files import FileStore
from ingest.index.base import Index
from ingest.isolation import PdfWorker
from ingest.settings import IngestSettings

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A file to be added: its name, its bytes by hash, and the groups that may read it."""

    name: str
    sha256: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps of adding a document."""

    catalog: Catalog
    files: FileStore
    index: Index
    worker: PdfWorker
    settings: IngestSettings

    def is_unchanged(self, new: NewDocument) -> bool:
        """Whether the document already shows just these bytes."""
        return self.catalog.live_sha256(new.name, new.groups) == new.sha256

    def read(self, new: NewDocument, *, progress: Progress | None = None) -> tuple[int, list[str]]:
        """The number of pages and the warnings; the parsing is kept and used for every document of the same bytes.

        Raises:
            InputRefused: the file cannot be read; the message says why.
        """
        path = self.files.path(new.sha256)
        if not self.catalog.has_content(new.sha256):
            parsed = self.worker.read(path, progress=progress)
            self.catalog.put_content(new.sha256, size_bytes=path.stat().st_size, parsed=parsed)
        content = self.catalog.content(new.sha256)
        return len(content.pages), list(content.warnings)

    def stage(self, new: NewDocument) -> StagedVersion:
        """The new version with its chunks, written and not yet visible."""
        chunks = split(self.catalog.content(new.sha256).pages, self.settings)
        return self.catalog.stage(new.name, names_of_groups=new.groups, sha256=new.sha256, split=chunks)

    def add_to_index(self, version_id: str) -> None:
        """Makes the version's chunks known to the indexes; the catalog's check hides them until they are published."""
        self.index.add(self.catalog.index_rows(version_id=version_id))

    def publish(self, version_id: str) -> None:
        """Makes the version the one that is seen, then takes the one before out of the indexes."""
        self.index.remove(self.catalog.publish(version_id))

    def discard(self, new: NewDocument) -> None:
        """Takes back what a failed adding left behind."""
        self.catalog.discard_unpublished(new.name, new.groups)

    def reconcile(self) -> tuple[int, int]:
        """Brings the indexes to what the catalog holds; how many chunks were added and removed."""
        held = self.index.ids()
        live = self.catalog.live_chunk_ids()
        missing = live - held
        if missing:
            self.index.add([row for row in self.catalog.index_rows() if row.chunk_id in missing])
        self.index.remove(held - live)
        return len(missing), len(held - live)

    def reindex(self) -> int:
        """Writes every published chunk to the indexes again, without a gap in which one is missing; how many."""
        rows = self.catalog.index_rows()
        self.index.add(rows)
        self.reconcile()
        return len(rows)
