"""Fingerprints of revisions: `check` sees by them whether a version is still what was saved

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

BATCH = 500

REVISIONS = sa.table(
    'revisions',
    sa.column('id', sa.Uuid()), sa.column('practice_id', sa.Uuid()), sa.column('number', sa.Integer()),
    sa.column('kind', sa.String()), sa.column('version', sa.Integer()), sa.column('document', sa.JSON()),
    sa.column('redacted', sa.DateTime(timezone=True)), sa.column('fingerprint', sa.String()),
)  # fmt: skip


def upgrade() -> None:
    op.add_column('revisions', sa.Column('fingerprint', sa.String(length=64), nullable=True))
    connection = op.get_bind()
    # What was emptied has none. A few at a time: all texts at once may be more than the memory holds.
    ids = list(connection.scalars(sa.select(REVISIONS.c.id).where(REVISIONS.c.redacted.is_(None))))
    put = sa.update(REVISIONS).where(REVISIONS.c.id == sa.bindparam('which'))
    put = put.values(fingerprint=sa.bindparam('said'))
    for first in range(0, len(ids), BATCH):
        rows = connection.execute(sa.select(REVISIONS).where(REVISIONS.c.id.in_(ids[first : first + BATCH])))
        connection.execute(put, [{'which': row.id, 'said': _fingerprint(row)} for row in rows.all()])


def _fingerprint(row: sa.Row) -> str:
    said = [row.practice_id.hex, row.number, row.kind, row.version, row.document]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(',', ':')).encode()).hexdigest()


def downgrade() -> None:
    op.drop_column('revisions', 'fingerprint')
