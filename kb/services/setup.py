"""Making what is missing: the schema, and word on whether an installation is complete."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kb.db import Database
from kb.services.errors import ServiceError

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class SchemaTooNew(ServiceError):
    """The database was written by a later release."""


def migrate(database: Database) -> str | None:
    """Bring the schema to this release's; returns a sentence where anything was done.

    Raises SchemaTooNew where a later release has been here: an older program must not write into a newer schema.
    """
    config = _config()
    head = ScriptDirectory.from_config(config).get_current_head()
    with database.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found == head:
        return None
    if found is not None and found not in _known(config):
        raise SchemaTooNew(
            "The database has the schema %(found)s, which this release does not know: run the release that made it.",
            found=found,
        )
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        # Asked again under the write lock: of several workers that start at once, one makes the tables.
        if MigrationContext.configure(connection).get_current_revision() != head:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return f"The database's schema was brought to {head}."


def current(database: Database) -> str | None:
    """The schema's revision, or None for an empty database."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _known(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
