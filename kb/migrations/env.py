"""Alembic's entry: migrations run over a connection that kb.services.setup hands in."""

from __future__ import annotations

from alembic import context

from kb.models import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema(),
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
