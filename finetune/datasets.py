"""Data-set versions: made from samples, listed, read, never changed.

Invariants. A version's id follows from what is in which split, so the same content is the same version. It keeps the group sets
of its documents, and is there only for who holds at least one group of each. An incomplete version can be looked at and not be
read. Knows no file format and no model.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from finetune.formats.records import Conversation
from finetune.samples import insert_sample, record_of
from finetune.schema import dataset_samples, dataset_versions, samples
from finetune.splits import Plan, plan
from finetune.types import DatasetVersion, Origin, Review, Sample, SampleKind, SampleStatus, Split
from ingest.catalog import group_key
from ingest.errors import Conflict, InputRefused, NotFound
from ingest.schema import now
from ingest.tokens import language
from ingest.types import Access

_OF_DOCUMENTS = "internal"
"""The licence of what was made from the company's documents."""
IMPORT = "import"
"""The source of imported samples."""
_NOT_STATED = "not stated"
_IMPORT_SEED = 0
_IS_REPLACED = samples.c.review.in_((Review.REJECTED, Review.EDITED))


class Datasets:
    """Reads and writes the tables of data-set versions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Making

    def build(
        self, name: str, samples: Sequence[Sample], *, seed: int, protected: Sequence[str], content_of: Mapping[str, str]
    ) -> DatasetVersion:
        """The data set of these samples, which the store holds; the one that is there already where it has the same content.

        `protected` are evaluation questions that no sample may repeat; `content_of` is document id → SHA-256 of its bytes.

        Raises:
            InputRefused: no sample is left to train on. Conflict: the same data set is there and has become incomplete, or a
                document was removed meanwhile.
        """
        planned = plan(samples, seed=seed, protected=protected, content_of=content_of)
        with self._engine.begin() as connection:
            licences = _licences_of_imports(connection, planned)
            return _keep(connection, name, planned, seed=seed, licences=licences)

    def import_(
        self,
        name: str,
        conversations: Sequence[Conversation],
        *,
        groups: Sequence[str],
        licence: str,
        file: str,
        protected: Sequence[str],
    ) -> DatasetVersion:
        """The data set of these conversations, which holders of one of the groups may use; `file` is what they came in.

        Conversations that a leak check drops are not kept as samples either; those that a person rejected or worded anew
        since an earlier import are dropped as `review`.

        Raises:
            InputRefused: nothing is left to train on. Conflict: as `build`.
        """
        made = [_imported(messages, groups=groups, file=file) for messages in conversations]
        with self._engine.begin() as connection:
            decided = set(connection.scalars(select(samples.c.id).where(samples.c.source == IMPORT, _IS_REPLACED)))
            planned = plan(
                [sample for sample in made if sample.id not in decided], seed=_IMPORT_SEED, protected=protected, content_of={}
            )
            if left_out := len({sample.id for sample in made} & decided):
                planned = replace(planned, dropped=planned.dropped | {"review": left_out})
            for _, sample in planned.rows:
                insert_sample(connection, sample)
            return _keep(connection, name, planned, seed=_IMPORT_SEED, licences={licence.strip() or _NOT_STATED})

    # Reading

    def list(self, *, access: Access) -> builtins.list[DatasetVersion]:
        """The versions that the caller may use, the newest first."""
        query = select(dataset_versions).order_by(dataset_versions.c.created_at.desc(), dataset_versions.c.id)
        with self._engine.connect() as connection:
            versions = map(_version, connection.execute(query))
            return [one for one in versions if all(access.permits(groups) for groups in one.group_sets)]

    def get(self, named: str, *, access: Access) -> DatasetVersion:
        """The version of this id, or the newest of this name.

        Raises:
            NotFound: there is none that the caller may use.
        """
        found = self.list(access=access)
        for one in [one for one in found if one.id == named] or [one for one in found if one.name == named]:
            return one
        raise NotFound(f"there is no data set {named!r}; `graft dataset list` shows those you may use")

    def rows(self, dataset_id: str, split: Split, *, access: Access) -> Iterator[Sample]:
        """The samples of one split, in their order.

        Raises:
            NotFound: as `get`. Conflict: the data set is incomplete.
        """
        version = self.get(dataset_id, access=access)
        if version.incomplete:
            raise Conflict(
                f"data set {version.id} is incomplete ({version.incomplete}): it can no longer be used; build a new one "
                "(graft dataset build)"
            )
        query = (
            select(samples)
            .join(dataset_samples, dataset_samples.c.sample_id == samples.c.id)
            .where(dataset_samples.c.dataset_id == version.id, dataset_samples.c.split == split)
            .order_by(dataset_samples.c.ordinal)
        )
        with self._engine.connect() as connection:
            return iter([record_of(row).sample for row in connection.execute(query)])


def _imported(messages: Conversation, *, groups: Sequence[str], file: str) -> Sample:
    asked = next(message.content for message in messages if message.role == "user")
    answered = messages[-1].content
    # The same conversation in other groups is another sample, as the same bytes in other groups are another document.
    place = "imp_" + hashlib.sha256(group_key(groups).encode()).hexdigest()[:20]
    return Sample(
        kind=SampleKind.CHAT,
        source=IMPORT,
        language=language(asked + answered),
        question=asked,
        answer=answered,
        messages=messages,
        origin=Origin("", file, 0, place, 0, tuple(sorted(set(groups))), ""),
    )


def _keep(connection: Connection, name: str, planned: Plan, *, seed: int, licences: set[str]) -> DatasetVersion:
    """Writes the version, unless it is there."""
    if not name.strip():
        raise InputRefused("the data set has no name: give it one")
    if not any(split is Split.TRAIN for split, _ in planned.rows):
        told = ", ".join(f"{reason}: {count}" for reason, count in planned.dropped.items()) or "nothing"
        raise InputRefused(f"no sample is left to train on (dropped: {told}): synthesise or import some")
    usable = set(connection.scalars(select(samples.c.id).where(samples.c.status == SampleStatus.ACCEPTED)))
    if gone := sum(sample.id not in usable for _, sample in planned.rows):
        raise Conflict(f"{gone} of the samples are gone, because a document was removed meanwhile: build the data set again")
    dataset_id = _id_of(planned)
    found = connection.execute(select(dataset_versions).where(dataset_versions.c.id == dataset_id)).one_or_none()
    if found is not None and found.incomplete:
        raise Conflict(f"data set {dataset_id} has the same content and is incomplete ({found.incomplete}): give another seed")
    if found is not None:
        return _version(found)
    created_at = now()
    counts = Counter(split for split, _ in planned.rows)
    group_sets = {sample.origin.groups if sample.origin else () for _, sample in planned.rows}
    values = {
        "id": dataset_id,
        "name": name,
        "group_sets": [list(groups) for groups in sorted(group_sets)],
        "counts": {str(split): counts[split] for split in Split},
        "card": _card(name, planned, seed=seed, licences=licences, made_at=created_at),
        "incomplete": "",
        "created_at": created_at,
    }
    connection.execute(insert(dataset_versions).values(values))
    members = [
        {"dataset_id": dataset_id, "sample_id": sample.id, "split": split, "ordinal": ordinal}
        for ordinal, (split, sample) in enumerate(planned.rows)
    ]
    connection.execute(insert(dataset_samples), members)
    return _version(connection.execute(select(dataset_versions).where(dataset_versions.c.id == dataset_id)).one())


def _id_of(planned: Plan) -> str:
    content = sorted((str(split), sample.id) for split, sample in planned.rows)
    return "ds_" + hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _card(name: str, planned: Plan, *, seed: int, licences: set[str], made_at: str) -> dict[str, Any]:
    """What a person should know of the data set before using it."""
    every = [sample for _, sample in planned.rows]
    origins = [sample.origin for sample in every if sample.origin]
    return {
        "name": name,
        "made_at": made_at,
        "seed": seed,
        "splits": {str(split): _card_of_split([s for where, s in planned.rows if where is split]) for split in Split},
        "dropped": planned.dropped,
        "licence": "; ".join([*([_OF_DOCUMENTS] if any(origin.document_id for origin in origins) else []), *sorted(licences)]),
        "licences_of_imports": sorted(licences),
        "group_sets": [list(groups) for groups in sorted({origin.groups for origin in origins})],
        "models": _numbers(sample.model for sample in every if sample.model),
        "prompt_hashes": _numbers(sample.prompt_hash for sample in every if sample.prompt_hash),
        "reviewed_by_a_person": sum(sample.review is not Review.OPEN for sample in every),
    }


def _card_of_split(members: Sequence[Sample]) -> dict[str, Any]:
    documents = {(s.origin.document_id, s.origin.document, s.origin.version) for s in members if s.origin}
    answers = sum(len(sample.messages[-1].content) for sample in members)
    return {
        "samples": len(members),
        "kinds": _numbers(sample.kind for sample in members),
        "languages": _numbers(sample.language for sample in members),
        "sources": _numbers(sample.source for sample in members),
        "documents": [
            {"document": document, "document_id": document_id, "version": version}
            for document_id, document, version in sorted(documents, key=lambda one: (one[1], one[0]))
            if document_id
        ],
        "characters": {
            "prompts": sum(len(message.content) for sample in members for message in sample.messages) - answers,
            "answers": answers,
        },
    }


def _numbers(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(map(str, values)).items()))


def _licences_of_imports(connection: Connection, planned: Plan) -> set[str]:
    """The licences under which imported samples came, also those that a person worded anew since."""
    origins = {(s.origin.document, s.origin.chunk) for _, s in planned.rows if s.origin and not s.origin.document_id}
    if not origins:
        return set()
    query = (
        select(samples.c.document, samples.c.chunk, dataset_samples.c.dataset_id)
        .join(dataset_samples, dataset_samples.c.sample_id == samples.c.id)
        .where(samples.c.source == IMPORT)
        .distinct()
    )
    holding = {row.dataset_id for row in connection.execute(query) if (row.document, row.chunk) in origins}
    cards = connection.scalars(select(dataset_versions.c.card).where(dataset_versions.c.id.in_(holding)))
    return {licence for card in cards for licence in card["licences_of_imports"]}


def _version(row: Any) -> DatasetVersion:
    return DatasetVersion(
        id=row.id,
        name=row.name,
        group_sets=tuple(tuple(groups) for groups in row.group_sets),
        counts=row.counts,
        card=row.card,
        incomplete=row.incomplete,
        created_at=row.created_at,
    )
