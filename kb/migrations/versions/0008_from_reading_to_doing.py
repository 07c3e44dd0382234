"""From reading to doing: adoptions, shortlists, transfer checks, figures of regions; sign-ins between two steps

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

ADAPTING = sa.text("CAST(adapted_from AS VARCHAR) != '[]'")
LIVE = sa.text('withdrawn IS NULL AND accepted IS NOT FALSE')


def upgrade() -> None:
    op.create_table('region_figures',
    sa.Column('region_code', sa.String(length=64), nullable=False),
    sa.Column('measure', sa.Enum('population', 'foreign-share', name='regionmeasure', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('value', sa.Double(), nullable=False),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('loaded', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['region_code'], ['regions.code'], name=op.f('fk_region_figures_region_code_regions')),
    sa.PrimaryKeyConstraint('region_code', 'measure', name=op.f('pk_region_figures'))
    )
    op.create_table('half_sign_ins',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('code_of', sa.String(length=64), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_half_sign_ins_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_half_sign_ins'))
    )
    with op.batch_alter_table('half_sign_ins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_half_sign_ins_user_id'), ['user_id'], unique=False)

    op.create_table('adoptions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('region_code', sa.String(length=64), nullable=False),
    sa.Column('organisation', sa.String(length=300), nullable=False),
    sa.Column('status', sa.Enum('considering', 'adapting', 'running', 'stopped', name='adoptionstatus', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('changes', sa.Text(), nullable=False),
    sa.Column('own_id', sa.Uuid(), nullable=True),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('contact_role', sa.Text(), nullable=False),
    sa.Column('contact_email', sa.Text(), nullable=False),
    sa.Column('contact_name', sa.Text(), nullable=False),
    sa.Column('contact_consent', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted', sa.Boolean(), nullable=True),
    sa.Column('decided', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decider_id', sa.Uuid(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('withdrawn', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(accepted IS NULL) = (decided IS NULL)', name=op.f('ck_adoptions_decided')),
    sa.CheckConstraint('own_id IS NULL OR own_id <> practice_id', name=op.f('ck_adoptions_not_itself')),
    sa.ForeignKeyConstraint(['decider_id'], ['users.id'], name=op.f('fk_adoptions_decider_id_users')),
    sa.ForeignKeyConstraint(['own_id'], ['practices.id'], name=op.f('fk_adoptions_own_id_practices')),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_adoptions_practice_id_practices')),
    sa.ForeignKeyConstraint(['region_code'], ['regions.code'], name=op.f('fk_adoptions_region_code_regions')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_adoptions_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_adoptions'))
    )
    with op.batch_alter_table('adoptions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_adoptions_own_id'), ['own_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_adoptions_practice_id'), ['practice_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_adoptions_region_code'), ['region_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_adoptions_user_id'), ['user_id'], unique=False)
        batch_op.create_index(
            'uq_adoptions_live', ['practice_id', 'region_code'], unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        )

    op.create_table('shortlist_entries',
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('added', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_shortlist_entries_practice_id_practices')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_shortlist_entries_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'practice_id', name=op.f('pk_shortlist_entries'))
    )
    op.create_table('transfer_checks',
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('region_code', sa.String(length=64), nullable=False),
    sa.Column('answers', sa.String(length=200), nullable=False),
    sa.Column('changed', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_transfer_checks_practice_id_practices')),
    sa.ForeignKeyConstraint(['region_code'], ['regions.code'], name=op.f('fk_transfer_checks_region_code_regions')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_transfer_checks_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'practice_id', 'region_code', name=op.f('pk_transfer_checks'))
    )

    with op.batch_alter_table('records', schema=None) as batch_op:
        batch_op.create_index(
            'ix_records_adapting', ['practice_id'], unique=False, sqlite_where=ADAPTING, postgresql_where=ADAPTING
        )


def downgrade() -> None:
    with op.batch_alter_table('records', schema=None) as batch_op:
        batch_op.drop_index('ix_records_adapting')

    op.drop_table('transfer_checks')
    op.drop_table('shortlist_entries')
    op.drop_table('adoptions')
    op.drop_table('half_sign_ins')
    op.drop_table('region_figures')
