"""The store of samples: what was made, who may read it, what a person said of it, and what is left when its document goes.

Invariants. A sample is there once, by its id. Every read takes the caller's `Access`; a sample that the caller may not read
looks exactly like one that is not there, and one without an origin is an administrator's. A purged sample has no text; one
that is made anew, because its document is still there and carries other groups, is back with those. Knows no model.
"""

from __future__ import annotations

import builtins
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, exists, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from finetune.schema import adapters, dataset_samples, dataset_versions, samples
from finetune.types import Lineage, Message, Origin, Review, Sample, SampleKind, SampleStatus, Split
from ingest.errors import NotFound
from ingest.schema import chunks, now, versions
from ingest.tokens import normalise
from ingest.types import Access

# SQLite takes 32,766 variables in one statement, older builds 999.
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """A sample with what happened to it. `edited_from` is the sample that a person worded anew as this one."""

    sample: Sample
    reviewer: str
    reviewed_at: str | None
    edited_from: str | None
    created_at: str


class SampleStore:
    """Reads and writes the table of samples."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Writing

    def add(self, samples: Iterable[Sample]) -> int:
        """How many of the samples were not there yet and are now, all in one transaction."""
        with self._engine.begin() as connection:
            return sum(insert_sample(connection, sample) for sample in samples)

    def purge(self, document_id: str) -> Lineage:
        """What held samples of this document, which have lost their text now, in one transaction.

        Call it before the catalog forgets the document: samples of other documents that show the model one of its passages
        are found by the passages' text, and go too. What no data set holds is deleted, the data sets are marked incomplete,
        and the adapters that were trained on them get a flag.
        """
        with self._engine.begin() as connection:
            rows = _made_from(connection, document_id)
            lineage = _lineage(connection, document_id, rows)
            name = next((row.document for row in rows if row.document_id == document_id), document_id)
            gone = {row.id for row in rows}
            for dataset in lineage.datasets:
                _mark_incomplete(connection, dataset, name, gone)
            for ids in _portions(gone):
                connection.execute(update(samples).where(samples.c.id.in_(ids)).values(**_PURGED))
                held = exists().where(dataset_samples.c.sample_id == samples.c.id)
                connection.execute(delete(samples).where(samples.c.id.in_(ids), ~held))
            return lineage

    # Reading

    def known_questions(self, *, beside: Collection[str] = ()) -> set[str]:
        """Every accepted sample's question, normalised; not of those made from the chunks `beside`, nor from replaced versions
        of documents."""
        replaced = exists().where(
            versions.c.document_id == samples.c.document_id,
            versions.c.number == samples.c.version,
            versions.c.status == "superseded",
        )
        query = select(samples.c.question, samples.c.chunk).where(samples.c.status == SampleStatus.ACCEPTED, ~replaced)
        left_out = set(beside)
        with self._engine.connect() as connection:
            return {normalise(row.question) for row in connection.execute(query) if row.chunk not in left_out}

    def chunks_with(self, *, seed: int, model: str, prompt_hash: str) -> set[str]:
        """The chunks of which there are samples, accepted or rejected, that were made with this seed, model and prompt."""
        made = and_(samples.c.seed == seed, samples.c.model == model, samples.c.prompt_hash == prompt_hash)
        query = select(samples.c.chunk).where(made, samples.c.status != SampleStatus.PURGED)
        with self._engine.connect() as connection:
            return set(connection.scalars(query))

    def accepted(self, *, access: Access, live: Collection[tuple[str, int]]) -> builtins.list[Sample]:
        """The samples that may be trained on, in the order they were made: accepted, neither rejected nor replaced in review,
        imported or from one of the `live` (document id, version) pairs."""
        current = set(live)
        usable = and_(samples.c.status == SampleStatus.ACCEPTED, samples.c.review.in_((Review.OPEN, Review.ACCEPTED)))
        return [
            record.sample
            for row, record in self._permitted(usable, access)
            if not row.document_id or (row.document_id, row.version) in current
        ]

    def get(self, sample_id: str, *, access: Access) -> SampleRecord:
        """One sample.

        Raises:
            NotFound: there is none of this id that the caller may read.
        """
        for _, record in self._permitted(samples.c.id == sample_id, access):
            return record
        raise NotFound(f"there is no sample {sample_id!r}; `graft review list` shows those that wait for a decision")

    def list(
        self,
        *,
        access: Access,
        status: SampleStatus | None = None,
        review: Review | None = None,
        kind: SampleKind | None = None,
        language: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> builtins.list[SampleRecord]:
        """The permitted samples of these kinds in the order they were made, `limit` of them after the first `offset`."""
        wanted = {"status": status, "review": review, "kind": kind, "language": language}
        which = and_(true(), *(samples.c[name] == value for name, value in wanted.items() if value is not None))
        found = (record for _, record in self._permitted(which, access))
        last = None if limit is None else offset + limit
        return [record for place, record in enumerate(found) if place >= offset and (last is None or place < last)]

    def readers(self) -> dict[str, set[str]]:
        """For each document of which there are samples with text: all groups that its samples carry."""
        query = select(samples.c.document_id, samples.c.groups).where(samples.c.document_id != "")
        found: dict[str, set[str]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query.where(samples.c.status != SampleStatus.PURGED)):
                found.setdefault(row.document_id, set()).update(row.groups)
        return found

    def counts(self, *, access: Access) -> dict[str, dict[str, int]]:
        """Numbers of permitted samples: by status and review of all, by source, kind and language of the accepted, by the first
        word of the reason of the rejected."""
        names = ("status", "review", "source", "kind", "language", "reason")
        found: dict[str, Counter[str]] = {name: Counter() for name in names}
        query = select(*(samples.c[name] for name in (*names, "groups")))
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if not access.permits(row.groups):
                    continue
                found["status"][row.status] += 1
                if row.status == SampleStatus.ACCEPTED:
                    for name in ("review", "source", "kind", "language"):
                        found[name][getattr(row, name)] += 1
                elif row.status == SampleStatus.REJECTED:
                    found["reason"][row.reason.partition(":")[0]] += 1
        return {name: dict(sorted(counter.items())) for name, counter in found.items()}

    def lineage(self, document_id: str) -> Lineage:
        """What was made from this document and still holds its words: what `purge` would return and purge."""
        with self._engine.connect() as connection:
            return _lineage(connection, document_id, _made_from(connection, document_id))

    def _permitted(self, which: ColumnElement[bool], access: Access) -> Iterator[tuple[Any, SampleRecord]]:
        query = select(samples).where(which).order_by(samples.c.created_at, samples.c.id)
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if access.permits(row.groups):
                    yield row, record_of(row)


_PURGED = {
    "status": SampleStatus.PURGED,
    "question": "",
    "answer": "",
    "messages": [],
    "evidence": "",
    "reason": "",  # it may quote what it rejects
}


def insert_sample(
    connection: Connection, sample: Sample, *, edited_from: str | None = None, reviewer: str = "", reviewed_at: str | None = None
) -> int:
    """1 where the sample was not there, or was purged, and is there now; 0 where it is left as it was."""
    origin = sample.origin
    values = {
        "id": sample.id,
        "kind": sample.kind,
        "source": sample.source,
        "language": sample.language,
        "question": sample.question,
        "answer": sample.answer,
        "messages": [[message.role, message.content] for message in sample.messages],
        "fact": sample.fact,
        "document_id": origin.document_id if origin else "",
        "document": origin.document if origin else "",
        "version": origin.version if origin else 0,
        "chunk": origin.chunk if origin else "",
        "page": origin.page if origin else 0,
        "groups": list(origin.groups) if origin else [],
        "evidence": origin.evidence if origin else "",
        "prompt_hash": sample.prompt_hash,
        "model": sample.model,
        "seed": sample.seed,
        "status": sample.status,
        "reason": sample.reason,
        "review": sample.review,
        "reviewer": reviewer,
        "edited_from": edited_from,
        "created_at": now(),
        "reviewed_at": reviewed_at,
    }
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(samples).values(values)
    again = statement.on_conflict_do_update(
        index_elements=[samples.c.id], set_=values, where=samples.c.status == SampleStatus.PURGED
    )
    return int(connection.execute(again.returning(samples.c.id)).first() is not None)


def record_of(row: Any) -> SampleRecord:
    """The sample that a row of the table holds."""
    has_origin = bool(row.document_id or row.groups)
    origin = Origin(row.document_id, row.document, row.version, row.chunk, row.page, tuple(row.groups), row.evidence)
    sample = Sample(
        kind=SampleKind(row.kind),
        source=row.source,
        language=row.language,
        question=row.question,
        answer=row.answer,
        messages=tuple(Message(role, content) for role, content in row.messages),
        origin=origin if has_origin else None,
        fact=row.fact,
        prompt_hash=row.prompt_hash,
        model=row.model,
        seed=row.seed,
        status=SampleStatus(row.status),
        reason=row.reason,
        review=Review(row.review),
    )
    return SampleRecord(sample, row.reviewer, row.reviewed_at, row.edited_from, row.created_at)


# What was made from a document


def _made_from(connection: Connection, document_id: str) -> list[Any]:
    """The rows of samples that hold words of the document: its own, and those that show the model one of its passages."""
    has_text = samples.c.status != SampleStatus.PURGED
    own = connection.execute(select(samples).where(samples.c.document_id == document_id, has_text)).all()
    texts = connection.scalars(select(chunks.c.text).join(versions).where(versions.c.document_id == document_id)).all()
    if not texts:
        return list(own)
    by_first_line: defaultdict[str, list[str]] = defaultdict(list)
    for text in set(texts):
        by_first_line[text.partition("\n")[0]].append(text)
    shows_passages = samples.c.kind.in_((SampleKind.GROUNDED, SampleKind.REFUSAL))
    others = connection.execute(select(samples).where(samples.c.document_id != document_id, shows_passages, has_text)).all()
    shown = {row.id: set(_passages_in(row.messages, by_first_line)) for row in others}
    elsewhere = _held_by_others(connection, set().union(*shown.values()), document_id)
    return [*own, *(row for row in others if shown[row.id] - elsewhere)]


def _passages_in(messages: Any, by_first_line: Mapping[str, list[str]]) -> Iterator[str]:
    """The texts that the messages show; prompts show a passage's text on lines of its own."""
    for _, content in messages:
        for line in content.split("\n"):
            yield from (text for text in by_first_line.get(line, ()) if f"\n{text}\n" in content)


def _held_by_others(connection: Connection, texts: Collection[str], document_id: str) -> set[str]:
    """Those of the texts that another document's chunks hold as well: they stay."""
    found: set[str] = set()
    for some in _portions(texts):
        query = select(chunks.c.text).join(versions).where(chunks.c.text.in_(some), versions.c.document_id != document_id)
        found.update(connection.scalars(query))
    return found


def _lineage(connection: Connection, document_id: str, rows: Collection[Any]) -> Lineage:
    held: set[str] = set()
    for ids in _portions({row.id for row in rows}):
        query = select(dataset_samples.c.dataset_id).where(dataset_samples.c.sample_id.in_(ids)).distinct()
        held.update(connection.scalars(query))
    trained = connection.scalars(select(adapters.c.id).where(adapters.c.dataset.in_(held)).order_by(adapters.c.id))
    return Lineage(document_id, len(rows), tuple(sorted(held)), tuple(trained))


def _mark_incomplete(connection: Connection, dataset: str, document: str, gone: Collection[str]) -> None:
    """Says in the data set, and in the adapters that were trained on it, what was removed."""
    members = connection.execute(
        select(dataset_samples.c.sample_id, dataset_samples.c.split).where(dataset_samples.c.dataset_id == dataset)
    ).all()
    lost = [row for row in members if row.sample_id in gone]
    what = f"document {document} was removed"
    before = connection.scalar(select(dataset_versions.c.incomplete).where(dataset_versions.c.id == dataset))
    told = f"{what}: {len(lost)} of {len(members)} samples"
    connection.execute(
        update(dataset_versions)
        .where(dataset_versions.c.id == dataset)
        .values(incomplete="; ".join(filter(None, [before, told])))
    )
    learned = sum(row.split == Split.TRAIN for row in members)
    flag = f"{what}: {sum(row.split == Split.TRAIN for row in lost)} of the {learned} samples it learned from"
    for row in connection.execute(select(adapters.c.id, adapters.c.flags).where(adapters.c.dataset == dataset)).all():
        connection.execute(update(adapters).where(adapters.c.id == row.id).values(flags=[*row.flags, flag]))


def _portions(ids: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _IDS_AT_ONCE):
        yield ordered[start : start + _IDS_AT_ONCE]
