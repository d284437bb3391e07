"""Run by Alembic: migrates over the connection that it is given."""

from __future__ import annotations

from alembic import context

from services.migrations import metadata


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in metadata.tables  # DBOS keeps its own tables beside ours


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=_is_ours,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
