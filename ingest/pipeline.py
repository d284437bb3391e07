"""Adding a document, in steps that may each be run again: read → stage → index → publish; and changing or removing one.

Invariants. Nothing of a document is visible before `publish`, and all of it after. A step that was killed and is run again
ends as if it had run once. The catalog and the indexes change together, one change at a time; where a kill parts them,
`reconcile` brings the indexes after the catalog. The steps know no job system; whoever calls them decides what is kept
between two of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from langchain_core.utils.iter import batch_iterate

from ingest.catalog import Catalog, DocumentRecord, StagedVersion
from ingest.chunk_size import ChunkSize
from ingest.chunking import chunking_of, split
from ingest.errors import PasswordNeeded
from ingest.files import FileStore, pieces
from ingest.index.hybrid import HybridIndex
from ingest.isolation import FileWorker, no_check
from ingest.types import Access, ParsedDocument

Progress = Callable[[int, int], None]
Check = Callable[[], None]
"""Called several times a second while a file is read; what it raises ends the reading."""

# SQLite takes 32,766 variables in one statement.
_KEYS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A file to be added: its name, its bytes by hash, and the groups that may read it.

    `password` opens it where it is encrypted; `source` is the folder that it comes from and is kept in step with.
    """

    name: str
    sha256: str
    groups: tuple[str, ...]
    password: str = field(default="", repr=False)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps of adding a document, and of changing one that is there."""

    catalog: Catalog
    files: FileStore
    index: HybridIndex
    worker: FileWorker
    size: ChunkSize
    _changing: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def unchanged(self, new: NewDocument) -> DocumentRecord | None:
        """The document where it already shows just these bytes."""
        record = self.catalog.published(new.name, new.groups)
        return record if record is not None and record.sha256 == new.sha256 else None

    def read(self, new: NewDocument, *, progress: Progress | None = None, check: Check = no_check) -> ParsedDocument:
        """What the file says; the parsing is kept and used for every document of the same bytes.

        Raises:
            PasswordNeeded: the file is encrypted, and the password does not open it, whether it was read before or not.
            InputRefused: the file cannot be read; the message says why.
        """
        if not self.catalog.has_content(new.sha256):
            self._parse(new, progress=progress, check=check)
        elif self.catalog.unlocked_copy(new.sha256) is not None:  # who has the bytes need not have the password
            with self._unlocked(new):
                pass
        return self.catalog.content(new.sha256)

    def _parse(self, new: NewDocument, *, progress: Progress | None = None, check: Check = no_check) -> None:
        path = self.files.path(new.sha256)
        size_bytes = path.stat().st_size
        if not new.password:
            parsed = self.worker.read(path, name=new.name, progress=progress, check=check)
            self.catalog.put_content(new.sha256, size_bytes=size_bytes, parsed=parsed)
            return
        with self._unlocked(new) as copy:
            parsed = self.worker.read(copy or path, name=new.name, progress=progress, check=check)
            if copy is None:
                self.catalog.put_content(new.sha256, size_bytes=size_bytes, parsed=parsed)
            else:
                with copy.open("rb") as file, self.files.put(pieces(file)) as unlocked:
                    self.catalog.put_content(new.sha256, size_bytes=size_bytes, parsed=parsed, unlocked=unlocked)

    @contextmanager
    def _unlocked(self, new: NewDocument) -> Iterator[Path | None]:
        """The file's copy that needs no password, until the block ends; None where the file itself needs none."""
        if not new.password:
            raise PasswordNeeded("the file is encrypted and needs a password: give it with --password, or in the password field")
        with self.files.scratch() as copy:
            locked = self.worker.unlock(self.files.path(new.sha256), copy, password=new.password)
            yield copy if locked else None

    def read_again(self, new: NewDocument, *, progress: Progress | None = None, check: Check = no_check) -> ParsedDocument:
        """What the file of a document that is there says, read anew; every version that shows these bytes says so from now on.

        Raises:
            NotFound: the document was removed meanwhile. InputRefused: the file cannot be read any more; all stays as it was.
        """
        path = self.files.path(self.catalog.unlocked_copy(new.sha256) or new.sha256)
        parsed = self.worker.read(path, name=new.name, progress=progress, check=check)
        chunks = split(parsed.pages, self.size)
        with self._changing:
            changed = self.catalog.showing(new.sha256)
            keys = {key for document_id in changed for key in self.catalog.copied_keys(document_id=document_id)}
            stale = self.catalog.replace_content(new.sha256, parsed, chunks, chunking=chunking_of(self.size))
            self.index.remove(stale)
            for document_id in changed:
                self.index.add(self.catalog.index_rows(document_id=document_id))
                keys |= self.catalog.copied_keys(document_id=document_id)
            self._index_copies(keys)
        return parsed

    def stage(self, new: NewDocument) -> StagedVersion:
        """The new version with its chunks, written and not yet visible."""
        with self._changing:
            if not self.catalog.has_content(new.sha256):  # another document of the same bytes was removed meanwhile
                self._parse(new)
            return self.catalog.stage(
                new.name,
                names_of_groups=new.groups,
                sha256=new.sha256,
                split=split(self.catalog.content(new.sha256).pages, self.size),
                chunking=chunking_of(self.size),
                source=new.source,
            )

    def add_to_index(self, version_id: str) -> None:
        """Makes the version's chunks known to the indexes; the catalog's check hides them until they are published."""
        with self._changing:
            self.index.add(self.catalog.index_rows(version_id=version_id))

    def publish(self, version_id: str) -> None:
        """Makes the version the one that is seen, then takes the one before out of the indexes.

        Raises:
            NotFound: the document was removed meanwhile.
        """
        with self._changing:
            keys = self.catalog.copied_keys(version_id=version_id)
            self.index.remove(self.catalog.publish(version_id))
            self._index_copies(keys)

    def discard(self, new: NewDocument) -> None:
        """Takes back what a failed adding left behind."""
        with self._changing:
            self.index.remove(self.catalog.discard_unpublished(new.name, new.groups, sha256=new.sha256))

    def set_groups(self, document_id: str, names_of_groups: Collection[str], *, access: Access) -> None:
        """Gives a document other groups, in the catalog and in the indexes.

        Raises:
            NotFound: no such document for this caller. Conflict: the same name is there in these groups.
        """
        with self._changing:
            self.catalog.set_groups(document_id, names_of_groups, access=access)
            self._index_regrouped()

    def remove(self, document_id: str, *, access: Access) -> None:
        """Deletes a document from the catalog and the indexes.

        Raises:
            NotFound: no such document for this caller.
        """
        with self._changing:
            keys = self.catalog.copied_keys(document_id=document_id)
            self.index.remove(self.catalog.remove(document_id, access=access))
            self._index_copies(keys)

    def drop_unneeded_files(self, in_work: Callable[[], set[str]]) -> None:
        """Deletes the originals that no document shows and no job in work adds."""
        self.files.keep_only(lambda: self.catalog.referenced_contents() | in_work())

    def reconcile(self) -> int:
        """Splits again what was split by other settings, without reading a file, and brings the indexes to what the catalog
        holds; how many chunks had to be added."""
        with self._changing:
            chunking = chunking_of(self.size)
            for version_id, sha256 in self.catalog.split_otherwise(chunking):
                pages = self.catalog.content(sha256).pages
                self.catalog.replace_chunks(version_id, split(pages, self.size), chunking=chunking)
            missing = self.index.reconcile(self.catalog.indexed_chunk_ids())
            if missing:
                self.index.add([row for row in self.catalog.index_rows() if row.chunk_id in missing])
            self._index_regrouped()
            return len(missing)

    def reindex(self) -> int:
        """Writes every chunk to the indexes again, without a gap in which one is missing; how many."""
        with self._changing:
            rows = self.catalog.index_rows()
            self.index.add(rows)
            self.index.reconcile({row.chunk_id for row in rows})
            return len(rows)

    def _index_regrouped(self) -> None:
        for document_id in self.catalog.regrouped():
            self.index.add(self.catalog.index_rows(document_id=document_id))
            self._index_copies(self.catalog.copied_keys(document_id=document_id))
            self.catalog.forget_regrouped(document_id)

    def _index_copies(self, keys: Collection[str]) -> None:
        """Brings the indexes to what the catalog wants of the chunks with these keys: when a chunk goes, or gets other readers,
        it is the turn of one of its copies, and one that came to stand beside its like is no longer needed."""
        for some in batch_iterate(_KEYS_AT_ONCE, keys):
            rows, left_out = self.catalog.index_rows(copy_keys=some), self.catalog.left_out(copy_keys=some)
            self.index.add(rows)
            self.index.remove(left_out)
