"""What a search is narrowed to: from what a person names, by the catalog, to the documents and chunks that an index filters by.

Invariants. A filter never widens what may be read: only documents that the caller may read match it. Of chunks that are copies
of each other the indexes hold one (`ingest.chunk_rows`); a filter for the document of another one of them finds it all the
same, by the one that is held, and tells it as the one that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, not_, or_, select

from ingest.chunk_rows import CHUNK_ROWS, copy_pairs, document_title
from ingest.errors import InputRefused, NotFound
from ingest.schema import chunks, document_groups, documents, versions
from ingest.types import Access, Within

_TYPE = re.compile(r"[a-z0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the documents of a search must be: all that is given must hold, of each any one value; what is empty says nothing.

    `documents`: ids or names. `since` and `until`: days, in UTC, on which the visible version was added, both included.
    `types`: endings of names such as `pdf`. `groups`: those that a document carries.
    """

    documents: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    types: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Filters()


def resolve(connection: Connection, filters: Filters, *, access: Access) -> Within:
    """The documents that match and that the caller may read, with the chunks that stand in the indexes for copies in them.

    A group that the caller does not hold says nothing, whether it exists or not.

    Raises:
        NotFound: a named document is not there for this caller: the same for one that is hidden and one that never was.
        InputRefused: the days are in the wrong order, or a type is no ending of a name.
    """
    conditions = _conditions(filters, access)
    named = select(documents.c.id, documents.c.name).join(versions).where(*conditions)
    if filters.documents:
        _require_named(connection, filters.documents, access)
    found = frozenset(row.id for row in connection.execute(named))
    there = connection.scalar(select(func.count()).select_from(versions).where(versions.c.status == "live")) or 0
    if len(found) in (0, there):
        return Within(found)
    side = versions.c.document_id.in_(select(documents.c.id).join(versions).where(*conditions))
    if 2 * len(found) > there:  # a key that both sides have is found from either: from the smaller one it costs less
        side = not_(side)
    held = {
        holder.id
        for copy, holder in copy_pairs(connection, side)
        if copy.status == "live" and copy.document_id in found and holder.document_id not in found
    }
    return Within(found, frozenset(held))


def _require_named(connection: Connection, named: Collection[str], access: Access) -> None:
    query = select(documents.c.id, documents.c.name).join(versions).where(*_conditions(Filters(tuple(named)), access))
    there = {name for row in connection.execute(query) for name in (row.id, row.name)}
    for name in named:
        if name not in there:
            raise NotFound(f"there is no document {name!r}; `graft documents list` shows those you may read")


def _conditions(filters: Filters, access: Access) -> list[ColumnElement[bool]]:
    """What a document and its visible version must fulfil, the caller's rights among it."""
    if filters.since and filters.until and filters.since > filters.until:
        raise InputRefused(f"since {filters.since} lies after until {filters.until}: give them the other way round")
    conditions: list[ColumnElement[bool]] = [versions.c.status == "live"]
    if not access.administrator:
        conditions.append(_carries(access.groups))
    if filters.documents:
        conditions.append(or_(documents.c.id.in_(filters.documents), documents.c.name.in_(filters.documents)))
    if filters.since:
        conditions.append(versions.c.created_at >= filters.since.isoformat())
    if filters.until and filters.until < date.max:
        conditions.append(versions.c.created_at < (filters.until + timedelta(days=1)).isoformat())
    if filters.types:
        conditions.append(or_(*(documents.c.name.iendswith(f".{_ending(one)}", autoescape=True) for one in filters.types)))
    if filters.groups:
        groups = set(filters.groups)
        conditions.append(_carries(groups if access.administrator else groups & access.groups))
    return conditions


def _carries(groups: Collection[str]) -> ColumnElement[bool]:
    carried = select(document_groups.c.document_id).where(document_groups.c.group_name.in_(groups))
    return documents.c.id.in_(carried)


def _ending(named: str) -> str:
    ending = named.strip().lower().removeprefix(".")
    if not _TYPE.fullmatch(ending):
        raise InputRefused(f"type {named!r} is no ending of a file's name: give one such as pdf, docx or md")
    return ending


def rows_within(connection: Connection, rows: Collection[Any], within: Within) -> dict[str, Any]:
    """For each of these live `CHUNK_ROWS` the row that it is told as: itself, or its copy in a document of `within`; none where
    there is neither. By chunk id."""
    told = {row.chunk_id: row for row in rows if row.document_id in within.documents}
    outside = [row.chunk_id for row in rows if row.chunk_id not in told]
    if not outside:
        return told
    own = select(chunks.c.copy_key).where(chunks.c.id.in_(outside), chunks.c.copy_key != "")
    query = CHUNK_ROWS.add_columns(chunks.c.copy_key).where(chunks.c.copy_key.in_(own), versions.c.status == "live")
    same = list(connection.execute(query.order_by(versions.c.created_at, versions.c.id, chunks.c.ordinal)))
    inside: dict[tuple[str, str, str], Any] = {}
    for row in same:
        if row.document_id in within.documents:
            inside.setdefault(_sameness(row), row)
    wanted = set(outside)
    told.update({row.chunk_id: inside[_sameness(row)] for row in same if row.chunk_id in wanted and _sameness(row) in inside})
    return told


def _sameness(row: Any) -> tuple[str, str, str]:
    return row.copy_key, row.group_key, document_title(row.title, row.name)
