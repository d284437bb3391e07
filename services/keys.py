"""API keys: kept as SHA-256 of a random 256-bit secret, so that a stolen table opens nothing; each with its groups.

Invariant. While no key was ever made, callers on this machine are the administrator and nobody else is served; from the first
key on, every call needs one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, Boolean, Column, Engine, Row, String, Table, func, insert, select, update

from ingest.errors import NotFound, NotPermitted
from ingest.schema import metadata, now
from ingest.types import Access

key_table = Table(
    "api_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("groups", JSON, nullable=False),
    Column("administrator", Boolean, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
)

# Begins every secret, so that one that leaked into a log or a repository is recognised for what it is.
_PREFIX = "graft_"


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret."""

    key_id: str
    name: str
    groups: tuple[str, ...]
    administrator: bool
    created_at: str
    revoked_at: str | None


def hash_of(secret: str) -> str:
    """What is kept of a secret. It is random and long, so one round of a fast hash cannot be searched."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Keys:
    """Reads and writes the table of keys."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, *, groups: Sequence[str], administrator: bool = False) -> tuple[Key, str]:
        """The new key and its secret, which is shown this once and kept nowhere."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        key_id = f"key_{secrets.token_hex(6)}"
        with self._engine.begin() as connection:
            connection.execute(
                insert(key_table).values(
                    id=key_id,
                    name=name,
                    sha256=hash_of(secret),
                    groups=sorted(set(groups)),
                    administrator=administrator,
                    created_at=now(),
                )
            )
        return self._get(key_id), secret

    def list(self) -> list[Key]:
        """All keys, the oldest first, revoked ones too."""
        with self._engine.connect() as connection:
            return [_key(row) for row in connection.execute(select(key_table).order_by(key_table.c.created_at, key_table.c.id))]

    def revoke(self, key_id: str) -> Key:
        """Makes a key worthless at once.

        Raises:
            NotFound: there is no such key.
        """
        with self._engine.begin() as connection:
            connection.execute(
                update(key_table).where(key_table.c.id == key_id, key_table.c.revoked_at.is_(None)).values(revoked_at=now())
            )
        return self._get(key_id)

    def groups(self) -> set[str]:
        """The groups that working keys hold."""
        with self._engine.connect() as connection:
            lists = connection.scalars(select(key_table.c.groups).where(key_table.c.revoked_at.is_(None)))
            return {name for names in lists for name in names}

    def required(self) -> bool:
        """Whether callers need a key: from the first one that was made."""
        with self._engine.connect() as connection:
            return bool(connection.scalar(select(func.count()).select_from(key_table)))

    def access(self, secret: str) -> Access:
        """What the holder of the secret may read.

        Raises:
            NotPermitted: the key is unknown or revoked.
        """
        query = select(key_table).where(key_table.c.sha256 == hash_of(secret), key_table.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotPermitted("the API key is unknown or revoked: ask your administrator for one")
        return Access.everything() if row.administrator else Access.of(*row.groups)

    def _get(self, key_id: str) -> Key:
        with self._engine.connect() as connection:
            row = connection.execute(select(key_table).where(key_table.c.id == key_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no key {key_id!r}; `graft keys list` shows all")
        return _key(row)


def _key(row: Row[tuple[object, ...]]) -> Key:
    return Key(row.id, row.name, tuple(row.groups), row.administrator, row.created_at, row.revoked_at)
