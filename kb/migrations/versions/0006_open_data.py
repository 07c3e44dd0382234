"""Open data: what a harvester asks for, tokens with a scope and an end, saved searches, harvests, staged imports

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

SCOPE = sa.Enum('draft', 'submit', name='scope', native_enum=False, create_constraint=True, length=32)
FREQUENCY = sa.Enum('daily', 'weekly', name='frequency', native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    with op.batch_alter_table('api_tokens', schema=None) as batch_op:
        batch_op.add_column(sa.Column('name', sa.String(length=100), server_default='', nullable=False))
        batch_op.add_column(sa.Column('hint', sa.String(length=8), server_default='', nullable=False))
        batch_op.add_column(sa.Column('scope', SCOPE, server_default='submit', nullable=False))
        batch_op.add_column(sa.Column('expires', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('used', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('revoked', sa.DateTime(timezone=True), nullable=True))

    op.add_column('practices', sa.Column('offline', sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f('ix_practices_offline'), 'practices', ['offline'])
    op.add_column('records', sa.Column(
        'datestamp', sa.DateTime(timezone=True), server_default='1970-01-01 00:00:00', nullable=False
    ))  # fmt: skip
    op.create_index('ix_records_datestamp', 'records', ['datestamp', 'practice_id'])
    op.execute('UPDATE records SET datestamp = updated')
    op.execute(
        'UPDATE practices SET offline = changed '
        'WHERE version > 0 AND NOT EXISTS (SELECT 1 FROM records WHERE records.practice_id = practices.id)'
    )

    op.create_table('harvest_sources',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('owner_id', sa.Uuid(), nullable=True),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ran', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['users.id'], name=op.f('fk_harvest_sources_owner_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_harvest_sources')),
    sa.UniqueConstraint('url', name=op.f('uq_harvest_sources_url'))
    )
    op.create_table('harvested',
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('source_id', sa.Uuid(), nullable=False),
    sa.Column('remote_id', sa.String(length=64), nullable=False),
    sa.Column('remote_slug', sa.String(length=120), nullable=False),
    sa.Column('remote_version', sa.Integer(), nullable=False),
    sa.Column('remote_updated', sa.String(length=32), nullable=False),
    sa.Column('revision_number', sa.Integer(), nullable=False),
    sa.Column('waiting', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('gone', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled', sa.DateTime(timezone=True), nullable=True),
    sa.Column('changed', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_harvested_practice_id_practices')),
    sa.ForeignKeyConstraint(['source_id'], ['harvest_sources.id'], name=op.f('fk_harvested_source_id_harvest_sources')),
    sa.PrimaryKeyConstraint('practice_id', name=op.f('pk_harvested')),
    sa.UniqueConstraint('source_id', 'remote_id', name=op.f('uq_harvested_source_id_remote_id'))
    )
    op.create_index(op.f('ix_harvested_source_id'), 'harvested', ['source_id'])

    op.create_table('saved_searches',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('frequency', FREQUENCY, nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checked', sa.DateTime(timezone=True), nullable=False),
    sa.Column('told', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stopped', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_saved_searches_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_searches'))
    )
    op.create_index(op.f('ix_saved_searches_user_id'), 'saved_searches', ['user_id'])
    op.create_table('saved_matches',
    sa.Column('search_id', sa.Uuid(), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_saved_matches_practice_id_practices')),
    sa.ForeignKeyConstraint(['search_id'], ['saved_searches.id'], name=op.f('fk_saved_matches_search_id_saved_searches'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('search_id', 'practice_id', name=op.f('pk_saved_matches'))
    )
    op.create_table('staged_imports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('filename', sa.String(length=200), nullable=False),
    sa.Column('aim', sa.String(length=16), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('taken', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_staged_imports_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staged_imports'))
    )
    op.create_index(op.f('ix_staged_imports_user_id'), 'staged_imports', ['user_id'])


def downgrade() -> None:
    for table in ('staged_imports', 'saved_matches', 'saved_searches', 'harvested', 'harvest_sources'):
        op.drop_table(table)
    op.drop_index('ix_records_datestamp', 'records')
    op.drop_column('records', 'datestamp')
    op.drop_index(op.f('ix_practices_offline'), 'practices')
    op.drop_column('practices', 'offline')
    # A token that was revoked or ran out must not work again where nothing says so any more.
    op.execute('DELETE FROM api_tokens WHERE revoked IS NOT NULL OR expires IS NOT NULL')
    with op.batch_alter_table('api_tokens', schema=None) as batch_op:
        for column in ('revoked', 'used', 'expires'):
            batch_op.drop_column(column)
        batch_op.drop_constraint('scope', type_='check')
        for column in ('scope', 'hint', 'name'):
            batch_op.drop_column(column)
