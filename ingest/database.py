"""Opens the one SQL database that holds the catalog, the jobs and everything else that must not be lost."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url


def open_database(url: str) -> Engine:
    """An engine whose committed transactions survive a kill or a power cut.

    SQLite runs in write-ahead mode with full fsync; writers take their lock when they begin, so that two of them wait for
    each other instead of failing half way.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA busy_timeout=30000")

    return engine
