"""The database's history: one Alembic tree for the tables of all packages."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from finetune import schema as finetune_schema
from ingest.errors import GraftError
from ingest.schema import metadata
from services import job_table, keys, runs

TABLES_OF = (job_table.job_table, keys.key_table, runs.run_table, finetune_schema.samples)
"""Tables declared outside `ingest.schema`; naming them here puts them on the metadata before it is compared."""


def migrate(engine: Engine) -> None:
    """Brings the database to this version's tables; does nothing where it has them.

    Raises:
        GraftError: the database was written by a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present == scripts.get_current_head():
        return
    if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
        raise GraftError("the database was written by a newer version of Graft: update Graft, or use another GRAFT_HOME")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


__all__ = ["TABLES_OF", "metadata", "migrate"]
