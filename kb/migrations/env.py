"""Alembic's entry: migrations run over a connection that kb.services.setup hands in."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from kb.models import schema

SORTED_OTHERWISE = """
SELECT c.oid::regclass::text AS "table", quote_ident(a.attname) AS "column",
    format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relname = ANY(:tables) AND c.relkind = 'r' AND pg_table_is_visible(c.oid)
AND NOT a.attisdropped AND a.attnum > 0 AND a.attcollation NOT IN (0, '"C"'::regcollation)
"""


def sort_alike(connection: Connection) -> None:
    """Have PostgreSQL sort and compare every text by its code points, as SQLite does, whatever its own order is.

    An order of a language depends on the system's libraries, and an upgrade of those spoils indexes.
    """
    tables = [*schema().tables, "alembic_version"]
    changes: dict[str, list[str]] = {}
    for row in connection.execute(text(SORTED_OTHERWISE), {"tables": tables}):
        found: Any = row._mapping
        changes.setdefault(found["table"], []).append(f'ALTER {found["column"]} TYPE {found["type"]} COLLATE "C"')
    for table, columns in changes.items():
        connection.exec_driver_sql(f"ALTER TABLE {table} {', '.join(columns)}")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema(),
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
    if context.get_context().dialect.name == "postgresql":
        sort_alike(context.config.attributes["connection"])
