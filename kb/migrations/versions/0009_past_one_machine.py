"""Past one machine: limits counted together, jobs that are done once, what all machines have to agree on

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # On PostgreSQL no write to these waits for the disk; they are empty after a crash, and after a failover.
    prefixes = ['UNLOGGED'] if op.get_bind().dialect.name == 'postgresql' else []
    op.create_table('limit_hits',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.Column('expires', sa.Double(), nullable=False),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_limit_hits')),
    prefixes=prefixes
    )
    with op.batch_alter_table('limit_hits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_limit_hits_expires'), ['expires'], unique=False)
        batch_op.create_index('ix_limit_hits_key_at', ['key', 'at'], unique=False)

    op.create_table('limit_windows',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('ends', sa.Double(), nullable=False),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_limit_windows')),
    prefixes=prefixes
    )
    with op.batch_alter_table('limit_windows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_limit_windows_ends'), ['ends'], unique=False)

    op.create_table('jobs',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('done', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_jobs'))
    )
    op.create_table('agreements',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('value', sa.String(length=100), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_agreements'))
    )


def downgrade() -> None:
    op.drop_table('agreements')
    op.drop_table('jobs')
    op.drop_table('limit_windows')
    op.drop_table('limit_hits')
