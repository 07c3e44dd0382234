"""The audit log is only ever added to: the database refuses to change or delete an entry

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

REFUSAL = 'entries of the audit log are never changed or deleted'


def upgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        for action in ('update', 'delete'):
            op.execute(
                f"CREATE TRIGGER audit_entries_no_{action} BEFORE {action.upper()} ON audit_entries "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION refuse_change_of_audit_entries() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_entries()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        for action in ('update', 'delete'):
            op.execute(f'DROP TRIGGER audit_entries_no_{action}')
        return
    op.execute('DROP TRIGGER audit_entries_no_change ON audit_entries')
    op.execute('DROP FUNCTION refuse_change_of_audit_entries()')
