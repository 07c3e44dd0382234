"""The schema: making what is missing, bringing an older one to this release's, refusing what is neither.

All that an upgrade does is one transaction: a process that dies in the middle leaves the schema and every row as they
were, and the next start does it anew. Of several processes that start at once one does it, and the others wait.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Column, Connection, MetaData, String, Table, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from kb.db import Database
from kb.models import schema
from kb.services.errors import ServiceError

MIGRATIONS = Path(__file__).parents[1] / "migrations"

AUDIT_GUARDS = ("audit_entries_no_delete", "audit_entries_no_update")
"""Triggers on SQLite that refuse whoever would change the audit log, as migration 0004 makes them."""

MARK = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""The table in which Alembic keeps the revision of a database's schema: the mark of a release."""

UPGRADING = 0x6B62_7570
"""The number by which processes on PostgreSQL wait for each other's upgrade: "kbup", of no meaning elsewhere."""


class SchemaTooNew(ServiceError):
    """The database was written by a later release."""


class SchemaBroken(ServiceError):
    """The database has the schema of no release, or could not be brought to this one's."""


def migrate(database: Database, before: Callable[[str], object] | None = None) -> str | None:
    """Bring the schema to this release's; returns a sentence where anything was done.

    `before` is called with an older schema's revision before anything in it changes, while nobody else can write.
    Raises SchemaTooNew where a later release has been here, because an older program must not write into a newer
    schema; SchemaBroken where parts of the schema are missing, or an older one cannot be brought to this release's.
    """
    config = _config()
    with database.engine.connect() as connection:
        found, head = _examined(connection, config)
    if found == head:
        return None
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        _alone(connection)
        # Asked again under the write lock: of several processes that start at once, one changes the schema.
        found, head = _examined(connection, config)
        if found == head:
            return None
        if found is not None and before is not None:
            before(found)
        _upgrade(connection, config, found)
    return f"The database's schema was brought to {head}."


def _alone(connection: Connection) -> None:
    """Wait until nobody else brings the schema up, and hold that right until the transaction ends.

    On SQLite the transaction itself is the right: only one can write.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(UPGRADING)))


def make(connection: Connection) -> None:
    """Make this release's schema in a database that holds nothing, in the transaction that is open."""
    _alone(connection)
    _upgrade(connection, _config(), None)


def unmake(connection: Connection) -> None:
    """Remove every table of the schema with all that it holds, in the transaction that is open."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS refuse_change_of_audit_entries() CASCADE")
    schema().drop_all(connection)
    MARK.drop(connection, checkfirst=True)


def unmark(connection: Connection) -> None:
    """Take the mark of its release from a database, so that nobody serves from it."""
    connection.execute(MARK.delete())


def mark(connection: Connection, revision: str) -> None:
    """Give a database the mark of its release back."""
    connection.execute(MARK.insert().values(version_num=revision))


def newest() -> str:
    """The revision of this release's schema."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current(database: Database) -> str | None:
    """The schema's revision, or None for an empty database."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def lacking(connection: Connection) -> list[str]:
    """The tables and columns of this release's schema that a database does not have, as `table` or `table.column`."""
    inspector = inspect(connection)
    held = {name: {column["name"] for column in found} for (_, name), found in inspector.get_multi_columns().items()}
    missing = []
    for name, table in sorted(schema().tables.items()):
        if name not in held:
            missing.append(name)
        else:
            missing += [f"{name}.{column.name}" for column in table.columns if column.name not in held[name]]
    return missing


def differences(connection: Connection) -> list[str]:
    """What a database of this release's schema lacks, or has otherwise than the models and migrations say, in words.

    Tables, columns, their types, indexes, unique and foreign keys, and the guard of the audit log. What somebody added
    is no fault.
    """
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    steps: list[tuple[Any, ...]] = []
    for each in compare_metadata(context, schema()):
        steps += each if isinstance(each, list) else [each]  # the changes of one column come as a list
    found = [_said(*step) for step in steps if not str(step[0]).startswith("remove_")]
    if connection.dialect.name == "sqlite":
        held = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars())
        found += [f"lacks the guard {name}" for name in AUDIT_GUARDS if name not in held]
    return found


def _said(kind: str, *about: Any) -> str:
    """A step that Alembic would take to mend a schema, as what is wrong with it."""
    names = (each if isinstance(each, str) else getattr(each, "name", None) for each in about)
    action, _, thing = kind.partition("_")
    what = "lacks the" if action == "add" else "has another"
    return f"{what} {thing} {'.'.join(dict.fromkeys(name for name in names if name))}"


def _examined(connection: Connection, config: Config) -> tuple[str | None, str | None]:
    """The revision that is there, None for an empty database, and this release's. Raises SchemaTooNew, SchemaBroken."""
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    marks = MigrationContext.configure(connection).get_current_heads()
    if not marks and not set(inspect(connection).get_table_names()) & set(schema().tables):
        return None, head
    if len(marks) != 1:
        raise SchemaBroken(
            "The database holds tables, but not the mark of one release: an upgrade, a restore or a move did not end, "
            "or it is the database of something else. Restore a backup, or set KB_DATABASE_URL to another."
        )
    (found,) = marks
    if found not in {script.revision for script in scripts.walk_revisions()}:
        raise SchemaTooNew(
            "The database has the schema %(found)s, which this release does not know: run the release that made it.",
            found=found,
        )
    if found == head:
        _refuse_incomplete(connection, found)
    return found, head


def _refuse_incomplete(connection: Connection, found: str) -> None:
    if missing := lacking(connection):
        raise SchemaBroken(
            "The database says that it has the schema %(found)s, but lacks %(missing)s: an upgrade or a restore did "
            "not end. Restore a backup.",
            found=found, missing=", ".join(missing[:5]) + (" and more" if len(missing) > 5 else ""),
        )  # fmt: skip


def _upgrade(connection: Connection, config: Config, found: str | None) -> None:
    """Run the migrations in the transaction that is open. Raises SchemaBroken, and then nothing is to be kept."""
    try:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _refuse_incomplete(connection, "of this release")
        _refuse_orphans(connection)
    except (SQLAlchemyError, CommandError, ValueError) as error:  # ValueError: JSON that is none
        raise SchemaBroken(
            "The database could not be brought from the schema %(found)s to this release's, and stays as it was "
            "(%(error)s). Mend that and start again, or run the release that made it.",
            found=found or "of an empty one", error=getattr(error, "orig", None) or error,
        ) from error  # fmt: skip


def _refuse_orphans(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":  # elsewhere no row can lose its parent
        return
    if orphans := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        table, row, parent, *_ = orphans[0]
        raise SchemaBroken(
            "The database was not brought to this release's schema, and stays as it was: row %(row)s of the table "
            "%(table)s refers to a row of %(parent)s that is not there. Restore a backup.",
            row=row, table=table, parent=parent,
        )  # fmt: skip


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
