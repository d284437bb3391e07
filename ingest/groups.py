"""The groups that documents and keys may carry.

Invariant. `everyone` is always there: it is the group of documents that were added without naming one.
"""

from __future__ import annotations

from collections.abc import Collection
from unicodedata import category

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from ingest.errors import Conflict, InputRefused, NotFound
from ingest.schema import groups, now
from ingest.types import EVERYONE, Access


class Groups:
    """Reads and writes the table of groups."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str) -> None:
        """Makes a group that documents and keys may carry.

        Raises:
            InputRefused: the name is empty, too long, or holds a comma, a line break or another character that nobody sees.
            Conflict: there is such a group.
        """
        if not name.strip() or len(name) > 100 or "," in name or any(category(c).startswith("C") for c in name):
            raise InputRefused(f"group name {name!r} cannot be used: give 1 to 100 characters without comma or control character")
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(groups).values(name=name, created_at=now()))
        except IntegrityError as error:
            raise Conflict(f"group {name!r} is there already") from error

    def remove(self, name: str) -> None:
        """Removes a group that no document carries.

        Raises:
            NotFound: no such group. Conflict: documents carry it.
        """
        if name == EVERYONE:
            raise Conflict(f"group {EVERYONE!r} is the one of documents added without a group and stays")
        try:
            with self._engine.begin() as connection:
                if not connection.execute(delete(groups).where(groups.c.name == name)).rowcount:
                    raise NotFound(f"there is no group {name!r}; `graft groups list` shows all")
        except IntegrityError as error:
            raise Conflict(
                f"documents carry group {name!r}: give them other groups first (graft documents set-groups)"
            ) from error

    def names(self) -> list[str]:
        """All groups, sorted; `everyone` is always there."""
        with self._engine.connect() as connection:
            names = set(connection.scalars(select(groups.c.name)))
        return sorted(names | {EVERYONE})

    def require(self, names: Collection[str], *, access: Access) -> tuple[str, ...]:
        """The names, sorted, `everyone` where none is given.

        Raises:
            InputRefused: one of them does not exist, or the caller does not hold it: the two look the same.
        """
        known = [name for name in self.names() if access.permits([name])]
        unknown = sorted(set(names) - set(known))
        if unknown:
            make = f". Make it first: graft groups create {unknown[0]}" if access.administrator else ""
            raise InputRefused(f"there is no group {unknown[0]!r}; known: {', '.join(known)}{make}")
        return tuple(sorted(set(names))) or (EVERYONE,)
