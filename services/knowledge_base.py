"""The application object. Command line, HTTP, page and benchmarks all do what they do through this and nothing else.

Invariants. Every read takes the caller's `Access`. What the caller may not read looks exactly like what is not there.
`start` brings the indexes to what the catalog holds and goes on with unfinished jobs; `stop` loses nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import structlog

from eval.types import Answer, Arm, Quote, Style
from finetune.types import Lineage
from ingest.catalog import Catalog, DocumentRecord
from ingest.chunking import section_around
from ingest.conversation import Turn
from ingest.errors import Conflict, GraftError, InputRefused, NotFound, Unavailable
from ingest.explanation import Explanation
from ingest.files import FileStore, full_disk_said_plainly
from ingest.groups import Groups
from ingest.isolation import FileWorker
from ingest.layout import boxes_of_span
from ingest.narrowing import Filters
from ingest.pipeline import NewDocument, Pipeline
from ingest.report import DocumentReport, DocumentReports
from ingest.spelling import Correction
from ingest.types import Access, Bbox, Hit, Page, Section
from ingest.versions import Versions
from services.answering import ALONE, Answering, ChatAbility
from services.checking import Checker
from services.citing import span_of_quote
from services.comparing import Failed
from services.drafting import Done, Event
from services.engine import Engine
from services.jobs import Job, Jobs
from services.keys import Keys
from services.searching import Search, require_query
from services.wording import profile_note
from services.workflows import Workflows
from services.workshop import Workshop

log = structlog.get_logger()

PAGE_DPI = 110
LONGEST_QUESTION = 8000
"""In characters: more is pasted text, and no question."""


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text, and the spans of it that a citation rests on. `picture`: whether the page can also be drawn; `hidden`: how
    many characters the file carries there that no reader sees, and that are not in the text."""

    document: str
    document_id: str
    page: int
    text: str
    marks: tuple[tuple[int, int], ...]
    picture: bool
    hidden: int


@dataclass(frozen=True, slots=True)
class Status:
    """How the product stands."""

    profile: str
    engine: dict[str, str]
    adapter: dict[str, str]
    documents: int
    chunks: int
    note: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A company's documents and the answers from them."""

    profile: str
    catalog: Catalog
    versions: Versions
    groups: Groups
    keys: Keys
    files: FileStore
    pipeline: Pipeline
    reports: DocumentReports
    drawer: FileWorker
    workflows: Workflows
    jobs: Jobs
    workshop: Workshop
    retriever: Search
    answering: Answering
    checker: Checker
    ability: ChatAbility
    engine: Engine

    def start(self) -> None:
        """Makes the stored state whole and begins to work."""
        with full_disk_said_plainly(self.files.folder):
            if added := self.pipeline.reconcile():
                log.info("indexes brought to the catalog's state", chunks_added=added)
            self.pipeline.drop_unneeded_files(self.jobs.needed_files)
            for told in self.workshop.reconcile():
                log.warning(told)
            self.workflows.start()
            self.jobs.start()
            self.workshop.runs.start()

    def stop(self) -> None:
        """Ends all work and lets go of the files; what is unfinished goes on at the next start."""
        self.workflows.signal_stop()
        self.pipeline.worker.close()  # a reading under way is given up, and begun again at the next start
        self.workshop.live.stop()
        self.workflows.stop()
        self.engine.stop()
        self.drawer.close()
        self.pipeline.index.close()

    # Documents

    def add(
        self,
        name: str,
        pieces: Iterable[bytes],
        *,
        groups: Sequence[str],
        access: Access,
        once: str | None = None,
        password: str = "",
        source: str = "",
    ) -> Job:
        """The job that adds a file; when this returns, the file and the job survive a crash.

        `once` names the request: the same name again gets the same job and adds nothing. `password` opens an encrypted file;
        `source` is the folder that the file comes from and is kept in step with.

        Raises:
            InputRefused: the name is empty, or the caller holds no such group.
            Conflict: a request of this name added something else.
            StorageFull: there is no room for the file.
        """
        if not name.strip():
            raise InputRefused("the document has no name: give it one")
        known = self.groups.require(groups, access=access)
        try:
            with self.files.put(pieces) as sha256:
                return self.jobs.submit(NewDocument(name, sha256, known, password, source), once=once)
        except Conflict:
            self.pipeline.drop_unneeded_files(self.jobs.needed_files)
            raise

    def documents(self, *, access: Access) -> list[DocumentRecord]:
        """The documents that the caller may read, by name."""
        return self.catalog.documents(access=access)

    def report(self, document_id: str, *, access: Access) -> DocumentReport:
        """The languages of a document, what it repeats, and the personal data in it, masked.

        Raises:
            NotFound: no such document for this caller.
        """
        return self.reports.of(document_id, access=access)

    def remove(self, document_id: str, *, access: Access) -> Lineage:
        """Deletes a document and everything made from it; what that was.

        Raises:
            NotFound: no such document for this caller.
        """
        self.catalog.document(document_id, access=access)
        with self.workshop.changing:
            lineage = self.workshop.forget(document_id)  # first: a kill in between leaves a document that can be removed again
            self.pipeline.remove(document_id, access=access)
        self.jobs.forget(document_id)
        self.pipeline.drop_unneeded_files(self.jobs.needed_files)
        return lineage

    def read_again(self, document_id: str, *, access: Access) -> Job:
        """The job that reads the document's file anew, as after an update of Graft; nothing changes where that fails.

        Raises:
            NotFound: no such document for this caller.
        """
        return self.jobs.read_again(self.catalog.document(document_id, access=access))

    def set_groups(self, document_id: str, groups: Sequence[str], *, access: Access) -> DocumentRecord:
        """The document, carrying other groups from now on. Where a group loses it, what was made from it is purged.

        Raises:
            NotFound: no such document for this caller. InputRefused: a group does not exist.
            Conflict: a document of the same name carries these groups.
        """
        known = self.groups.require(groups, access=access)
        with self.workshop.changing:
            before = self.catalog.document(document_id, access=access).groups
            self.pipeline.set_groups(document_id, known, access=access)
            if not set(before) <= set(known):
                self.workshop.forget(document_id)
        self.jobs.follow_groups(document_id, known)
        return self.catalog.document(document_id, access=access)

    def remove_group(self, name: str) -> None:
        """Removes a group that nothing carries, so that a later one of the same name begins without readers.

        Raises:
            NotFound: no such group. Conflict: a document, a key or a job in work carries it.
        """
        if name in self.keys.groups():
            raise Conflict(f"keys hold group {name!r}: revoke them first (graft keys list, graft keys revoke)")
        if name in self.jobs.needed_groups():
            raise Conflict(
                f"a document is being added to group {name!r}, or could not be: wait, or dismiss it (graft jobs list --open)"
            )
        self.groups.remove(name)
        self.jobs.forget_group(name)

    def original(self, document_id: str, *, access: Access, version: int | None = None) -> tuple[DocumentRecord, Path]:
        """The document, and where the file of this version is, or of the newest where none is named.

        Raises:
            NotFound: no such document or version for this caller.
        """
        found = self.versions.one(document_id, version, access=access)
        return self.catalog.document(document_id, access=access), self.files.path(found.sha256)

    def page_image(
        self,
        document_id: str,
        number: int,
        *,
        access: Access,
        version: int | None = None,
        chunk: str | None = None,
        quote: str | None = None,
    ) -> bytes:
        """The page as PNG, of the newest version where none is named, with the chunk's text or just the quote boxed.

        Raises:
            NotFound: no such document, version or page for this caller, or the page is text alone.
        """
        sha256, page = self.catalog.page(document_id, number, access=access, version=version)
        if not page.has_picture:
            raise NotFound(f"page {number} has no picture: a file of this type is shown as text, at the address without .png")
        span = self._cited(document_id, page, chunk=chunk, quote=quote)
        boxes: Sequence[Bbox] = boxes_of_span(page, *span) if span else ()
        return self.drawer.render(self.files.path(sha256), number, boxes=boxes, dpi=PAGE_DPI)

    def page_text(
        self,
        document_id: str,
        number: int,
        *,
        access: Access,
        version: int | None = None,
        chunk: str | None = None,
        quote: str | None = None,
    ) -> PageText:
        """The page's text, of the newest version where none is named, with the chunk's place in it or just the quote's.

        Raises:
            NotFound: no such document, version or page for this caller.
        """
        _, page = self.catalog.page(document_id, number, access=access, version=version)
        span = self._cited(document_id, page, chunk=chunk, quote=quote)
        name = self.catalog.document(document_id, access=access).document
        return PageText(name, document_id, number, page.text, (span,) if span else (), page.has_picture, page.hidden)

    def _cited(self, document_id: str, page: Page, *, chunk: str | None, quote: str | None) -> tuple[int, int] | None:
        """Where on the page the quote stands, or else the chunk."""
        span = self.catalog.chunk_span(chunk, document_id=document_id, page=page.number) if chunk else None
        found = span_of_quote(quote, page.text, start=span[0] if span else 0) if quote else None
        return found or span

    # Questions

    def search(self, query: str, *, access: Access, limit: int, filters: Filters | None = None) -> list[Hit]:
        """At most `limit` passages that the caller may read, best first; of the documents that match the filters.

        Raises: as `Search.search`.
        """
        return self.retriever.search(query, access=access, limit=limit, filters=filters)

    def like(self, chunk_id: str, *, access: Access, limit: int, filters: Filters | None = None) -> list[Hit]:
        """At most `limit` passages like this one, best first; see `Search.like`.

        Raises: as `Search.like`.
        """
        return self.retriever.like(chunk_id, access=access, limit=limit, filters=filters)

    def explain(self, query: str, hits: Sequence[Hit]) -> list[Explanation]:
        """See `Search.explain`."""
        return self.retriever.explain(query, hits)

    def corrections(self, query: str, hits: Sequence[Hit]) -> list[Correction]:
        """See `Search.corrections`."""
        return self.retriever.corrections(query, hits)

    def search_version(self, query: str, *, document_id: str, version: int | None, access: Access, limit: int) -> list[Hit]:
        """At most `limit` passages of one version of a document, old ones too, best first; of the newest where none is named.

        Raises:
            InputRefused: the query is empty, or the limit is not in 1 to 100.
            NotFound: no such document or version for this caller.
        """
        require_query(query, limit)
        return self.versions.search(query, document_id=document_id, version=version, access=access, limit=limit)

    def section(self, hit: Hit, *, access: Access) -> Section:
        """What stands around a hit under the same headings of its page.

        Raises:
            NotFound: the document was removed meanwhile.
        """
        _, page = self.catalog.page(hit.document_id, hit.page, access=access, version=hit.version)
        start, end = section_around(page, hit.start, hit.start + len(hit.text))
        return Section(start, end, page.text[start:end])

    def stream(
        self,
        question: str,
        *,
        access: Access,
        arm: Arm,
        style: Style,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
    ) -> AsyncGenerator[Event, None]:
        """The events of one answer, from the documents that match the filters; see `Answering.stream`.

        Raises:
            InputRefused: the question is longer than `LONGEST_QUESTION`, or the arm reads no documents that could be narrowed.
        """
        _require_readable(question)
        if filters and arm in ALONE:
            raise InputRefused(f"arm {arm} reads no documents, so nothing can be narrowed: leave the filters out, or use arm rag")
        among = self.retriever.narrowed(filters)
        return self.answering.stream(question, access=access, arm=arm, style=style, history=history, among=among)

    def compare(
        self,
        question: str,
        *,
        access: Access,
        arms: Sequence[Arm],
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
    ) -> AsyncGenerator[tuple[Arm | None, Event | Failed], None]:
        """The events of several arms' answers from one search, of the documents that match the filters; see `Answering.compare`.

        Raises:
            InputRefused: the question is longer than `LONGEST_QUESTION`.
        """
        _require_readable(question)
        among = self.retriever.narrowed(filters)
        return self.answering.compare(question, access=access, arms=arms, history=history, among=among)

    async def ask(
        self,
        question: str,
        *,
        access: Access,
        arm: Arm,
        style: Style,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
    ) -> Answer:
        """The whole answer; what `stream` ends with."""
        streamed = self.stream(question, access=access, arm=arm, style=style, history=history, filters=filters)
        async with aclosing(streamed) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.answer
        raise GraftError("the answer ended without its last event")

    # The whole

    def status(self, *, access: Access) -> Status:
        """How many documents the caller may read, and how the engine stands."""
        documents, chunks = self.catalog.counts(access=access)
        engine = self.engine.status
        try:
            model = self.engine.endpoint().model
        except Unavailable:
            model = ""
        told = {"state": str(engine.state), "detail": engine.sentence, "model": model}
        adapter = self.workshop.live.standing(access=access)
        return Status(self.profile, told, adapter, documents, chunks, profile_note(self.ability.writes))


def _require_readable(question: str) -> None:
    if len(question) > LONGEST_QUESTION:
        raise InputRefused(f"the question has {len(question)} characters; at most {LONGEST_QUESTION} are read: shorten it")


def boxes_of_quote(catalog: Catalog, quote: Quote, access: Access) -> tuple[Bbox, ...]:
    """Where on its page a quote is printed."""
    hit = quote.hit
    _, page = catalog.page(hit.document_id, hit.page, access=access, version=hit.version)
    return boxes_of_span(page, hit.start + quote.start, hit.start + quote.end)
