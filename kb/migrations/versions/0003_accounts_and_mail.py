"""Accounts: organisations, invitations, registrations, second factors; mail; redaction

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# By which SQLite's nameless constraints are known.
NAMED = {'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}
PURPOSES = ('first-admin', 'sign-in', 'reset', 'address')


def upgrade() -> None:
    op.create_table('term_successors',
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('slug', sa.String(length=64), nullable=False),
    sa.Column('successor', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'slug', name=op.f('pk_term_successors'))
    )
    op.create_table('organisations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('type', sa.Enum('regional-authority', 'local-authority', 'agency', 'ngo', 'university', 'business', 'other', name='organisationtype', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('region_code', sa.String(length=64), nullable=True),
    sa.Column('url', sa.String(length=2000), nullable=True),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['region_code'], ['regions.code'], name=op.f('fk_organisations_region_code_regions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organisations')),
    sa.UniqueConstraint('name', name=op.f('uq_organisations_name'))
    )
    op.create_table('invitations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('role', sa.Enum('reader', 'member', 'editor', 'admin', name='role', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=True),
    sa.Column('region_code', sa.String(length=64), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('inviter_id', sa.Uuid(), nullable=True),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['inviter_id'], ['users.id'], name=op.f('fk_invitations_inviter_id_users')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_invitations_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['region_code'], ['regions.code'], name=op.f('fk_invitations_region_code_regions')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_invitations_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitations_token_hash'))
    )
    with op.batch_alter_table('invitations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitations_email'), ['email'], unique=False)

    op.create_table('mail_messages',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('message_id', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('claimed', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failed', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_mail_messages_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_messages')),
    sa.UniqueConstraint('message_id', name=op.f('uq_mail_messages_message_id'))
    )
    with op.batch_alter_table('mail_messages', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_messages_user_id'), ['user_id'], unique=False)
        batch_op.create_index('ix_mail_messages_waiting', ['sent', 'failed', 'due'], unique=False)

    op.create_table('recovery_codes',
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('used', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_recovery_codes_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('code_hash', name=op.f('pk_recovery_codes'))
    )
    with op.batch_alter_table('recovery_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recovery_codes_user_id'), ['user_id'], unique=False)

    op.create_table('registrations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('organisation', sa.String(length=200), nullable=False),
    sa.Column('region_code', sa.String(length=64), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed', sa.DateTime(timezone=True), nullable=True),
    sa.Column('accepted', sa.Boolean(), nullable=True),
    sa.Column('decided', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decider_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['decider_id'], ['users.id'], name=op.f('fk_registrations_decider_id_users')),
    sa.ForeignKeyConstraint(['region_code'], ['regions.code'], name=op.f('fk_registrations_region_code_regions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_registrations')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_registrations_token_hash'))
    )
    with op.batch_alter_table('registrations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_registrations_email'), ['email'], unique=False)

    with op.batch_alter_table('contacts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('given', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('withdrawn', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('one_time_links', schema=None) as batch_op:
        batch_op.add_column(sa.Column('email', sa.String(length=254), nullable=True))

    _add_organisation('practices')
    with op.batch_alter_table('practices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_practices_organisation_id'), ['organisation_id'], unique=False)

    with op.batch_alter_table('revisions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('redacted', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('redaction', sa.Text(), nullable=True))

    with op.batch_alter_table('user_sessions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('agent', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('seen', sa.DateTime(timezone=True), nullable=True))

    _add_organisation('users')
    # In place, not as a batch, which for the default of `notify` would make `users` anew, and so take the sessions and
    # tokens of everybody with it, or end where a practice has an owner.
    for column in (
        sa.Column('language', sa.String(length=8), server_default='en', nullable=False),
        sa.Column('confirmed', sa.DateTime(timezone=True), nullable=True),
        sa.Column('deleted', sa.DateTime(timezone=True), nullable=True),
        sa.Column('notify', sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column('totp_secret', sa.String(length=64), nullable=True),
        sa.Column('totp_used', sa.Integer(), nullable=True),
    ):
        op.add_column('users', column)
    op.create_index(op.f('ix_users_organisation_id'), 'users', ['organisation_id'])

    _widen_purposes(PURPOSES)
    # Whoever has an account was added by an operator who knows the address.
    op.execute("UPDATE users SET confirmed = created")


def _add_organisation(table: str) -> None:
    """Add the column in place: SQLite would empty what refers to a table that it makes anew."""
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(f'ALTER TABLE {table} ADD COLUMN organisation_id CHAR(32) REFERENCES organisations (id)')
    else:
        op.add_column(table, sa.Column('organisation_id', sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f'fk_{table}_organisation_id_organisations'), table, 'organisations',
                              ['organisation_id'], ['id'])


def _widen_purposes(purposes: tuple[str, ...]) -> None:
    """Let one-time links have further purposes. Nothing refers to their table, so it may be made anew."""
    name = op.f('ck_one_time_links_linkpurpose')
    values = ', '.join(f"'{purpose}'" for purpose in purposes)
    if op.get_bind().dialect.name != 'sqlite':
        op.drop_constraint(name, 'one_time_links', type_='check')
        op.create_check_constraint(name, 'one_time_links', f'purpose IN ({values})')
        return
    table = sa.Table(
        'one_time_links', sa.MetaData(),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        sa.Column('purpose', sa.String(length=32), nullable=False),
        sa.Column('user_id', sa.Uuid(), nullable=True),
        sa.Column('created', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires', sa.DateTime(timezone=True), nullable=False),
        sa.Column('used', sa.DateTime(timezone=True), nullable=True),
        sa.Column('email', sa.String(length=254), nullable=True),
        sa.CheckConstraint(f'purpose IN ({values})', name=name),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_one_time_links_user_id_users'),
                                ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_one_time_links')),
    )
    with op.batch_alter_table('one_time_links', recreate='always', copy_from=table):
        pass


def downgrade() -> None:
    """Take it back where nobody has an account yet: SQLite makes `users` anew, and refuses while anything refers to it."""
    _widen_purposes(PURPOSES[:2])
    with op.batch_alter_table('users', naming_convention=NAMED) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_users_organisation_id_organisations'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_users_organisation_id'))
        batch_op.drop_column('totp_used')
        batch_op.drop_column('totp_secret')
        batch_op.drop_column('notify')
        batch_op.drop_column('deleted')
        batch_op.drop_column('confirmed')
        batch_op.drop_column('language')
        batch_op.drop_column('organisation_id')

    with op.batch_alter_table('user_sessions', schema=None) as batch_op:
        batch_op.drop_column('seen')
        batch_op.drop_column('agent')

    with op.batch_alter_table('revisions', schema=None) as batch_op:
        batch_op.drop_column('redaction')
        batch_op.drop_column('redacted')

    with op.batch_alter_table('practices', naming_convention=NAMED) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_practices_organisation_id_organisations'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_practices_organisation_id'))
        batch_op.drop_column('organisation_id')

    with op.batch_alter_table('one_time_links', schema=None) as batch_op:
        batch_op.drop_column('email')

    with op.batch_alter_table('contacts', schema=None) as batch_op:
        batch_op.drop_column('withdrawn')
        batch_op.drop_column('given')

    with op.batch_alter_table('registrations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_registrations_email'))

    op.drop_table('registrations')
    with op.batch_alter_table('recovery_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_recovery_codes_user_id'))

    op.drop_table('recovery_codes')
    with op.batch_alter_table('mail_messages', schema=None) as batch_op:
        batch_op.drop_index('ix_mail_messages_waiting')
        batch_op.drop_index(batch_op.f('ix_mail_messages_user_id'))

    op.drop_table('mail_messages')
    with op.batch_alter_table('invitations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invitations_email'))

    op.drop_table('invitations')
    op.drop_table('organisations')
    op.drop_table('term_successors')
