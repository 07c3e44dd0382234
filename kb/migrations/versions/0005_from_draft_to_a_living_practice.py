"""From a draft to a living practice: co-authors, previews, files, comments, freshness, reports, claims

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

# By which SQLite's nameless constraints are known.
NAMED = {'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}

OLD_COMMENTS = sa.text("""
    SELECT id, practice_id, revision_number, editor_id, comments, created, (
        SELECT max(number) FROM revisions
        WHERE revisions.practice_id = reviews.practice_id AND version IS NOT NULL) AS public
    FROM reviews
""").columns(id=sa.Uuid(), practice_id=sa.Uuid(), revision_number=sa.Integer(), editor_id=sa.Uuid(),
             comments=sa.JSON(), created=sa.DateTime(timezone=True), public=sa.Integer())  # fmt: skip


def _taken_from_reviews() -> list[dict[str, Any]]:
    """The comments that stood in the reviews, as rows. Nothing is left to do of what was asked before a version."""
    return [
        {
            'id': uuid.uuid4(),
            'practice_id': review.practice_id,
            'review_id': review.id,
            'revision_number': review.revision_number,
            'field': field,
            'body': body,
            'author_id': review.editor_id,
            'created': review.created,
            'resolved': review.created if review.revision_number <= (review.public or 0) else None,
        }
        for review in op.get_bind().execute(OLD_COMMENTS)
        for field, body in (review.comments or {}).items()
    ]


def upgrade() -> None:
    # First, while nothing refers to `reviews`: SQLite makes the table anew.
    moved = _taken_from_reviews()
    with op.batch_alter_table('reviews', schema=None) as batch_op:
        batch_op.drop_column('comments')
        batch_op.add_column(sa.Column('checklist', sa.JSON(), server_default='{}', nullable=False))

    op.create_table('link_checks',
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('checked', sa.DateTime(timezone=True), nullable=False),
    sa.Column('succeeded', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('url', name=op.f('pk_link_checks'))
    )
    op.create_table('mail_texts',
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('changed', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changer_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['changer_id'], ['users.id'], name=op.f('fk_mail_texts_changer_id_users')),
    sa.PrimaryKeyConstraint('kind', 'language', name=op.f('pk_mail_texts'))
    )
    op.create_table('stored_files',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('uploader_id', sa.Uuid(), nullable=True),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['uploader_id'], ['users.id'], name=op.f('fk_stored_files_uploader_id_users')),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_stored_files'))
    )
    op.create_table('buffers',
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('form', sa.Enum('practice', 'review', name='form', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('seen', sa.Integer(), nullable=True),
    sa.Column('copy', sa.String(length=40), nullable=True),
    sa.Column('pairs', sa.JSON(), nullable=False),
    sa.Column('saved', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_buffers_practice_id_practices')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_buffers_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('practice_id', 'user_id', 'form', name=op.f('pk_buffers'))
    )
    op.create_table('claims',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted', sa.Boolean(), nullable=True),
    sa.Column('decided', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decider_id', sa.Uuid(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['decider_id'], ['users.id'], name=op.f('fk_claims_decider_id_users')),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_claims_practice_id_practices')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_claims_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claims'))
    )
    op.create_index(op.f('ix_claims_practice_id'), 'claims', ['practice_id'])

    op.create_table('last_looks',
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('revision_number', sa.Integer(), nullable=False),
    sa.Column('before', sa.Integer(), nullable=True),
    sa.Column('looked', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_last_looks_practice_id_practices')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_last_looks_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('practice_id', 'user_id', name=op.f('pk_last_looks'))
    )
    op.create_table('offers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('part', sa.Enum('co-author', 'owner', name='part', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('stays', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('maker_id', sa.Uuid(), nullable=True),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['maker_id'], ['users.id'], name=op.f('fk_offers_maker_id_users')),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_offers_practice_id_practices')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offers')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_offers_token_hash'))
    )
    op.create_index(op.f('ix_offers_practice_id'), 'offers', ['practice_id'])

    op.create_table('practice_authors',
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('added', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_practice_authors_practice_id_practices')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_practice_authors_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('practice_id', 'user_id', name=op.f('pk_practice_authors'))
    )
    op.create_index(op.f('ix_practice_authors_user_id'), 'practice_authors', ['user_id'])

    op.create_table('practice_files',
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('added', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_practice_files_practice_id_practices')),
    sa.ForeignKeyConstraint(['sha256'], ['stored_files.sha256'], name=op.f('fk_practice_files_sha256_stored_files')),
    sa.PrimaryKeyConstraint('practice_id', 'sha256', name=op.f('pk_practice_files'))
    )
    op.create_index(op.f('ix_practice_files_sha256'), 'practice_files', ['sha256'])

    op.create_table('preview_links',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('maker_id', sa.Uuid(), nullable=True),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['maker_id'], ['users.id'], name=op.f('fk_preview_links_maker_id_users')),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_preview_links_practice_id_practices')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_preview_links')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_preview_links_token_hash'))
    )
    op.create_index(op.f('ix_preview_links_practice_id'), 'preview_links', ['practice_id'])

    op.create_table('reports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('field', sa.String(length=64), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closer_id', sa.Uuid(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['closer_id'], ['users.id'], name=op.f('fk_reports_closer_id_users')),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_reports_practice_id_practices')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_reports_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports'))
    )
    op.create_index(op.f('ix_reports_practice_id'), 'reports', ['practice_id'])

    comments = op.create_table('comments',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('practice_id', sa.Uuid(), nullable=False),
    sa.Column('review_id', sa.Uuid(), nullable=True),
    sa.Column('parent_id', sa.Uuid(), nullable=True),
    sa.Column('revision_number', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(length=64), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('author_id', sa.Uuid(), nullable=True),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('resolved', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolver_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['users.id'], name=op.f('fk_comments_author_id_users')),
    sa.ForeignKeyConstraint(['parent_id'], ['comments.id'], name=op.f('fk_comments_parent_id_comments')),
    sa.ForeignKeyConstraint(['practice_id'], ['practices.id'], name=op.f('fk_comments_practice_id_practices')),
    sa.ForeignKeyConstraint(['resolver_id'], ['users.id'], name=op.f('fk_comments_resolver_id_users')),
    sa.ForeignKeyConstraint(['review_id'], ['reviews.id'], name=op.f('fk_comments_review_id_reviews')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_comments'))
    )
    op.create_index(op.f('ix_comments_practice_id'), 'comments', ['practice_id'])
    op.bulk_insert(comments, moved)

    for column, kind in (('last_verified', sa.Date()), ('review_due', sa.Date()),
                         ('reminded', sa.DateTime(timezone=True)), ('escalated', sa.DateTime(timezone=True)),
                         ('was_published', sa.DateTime(timezone=True)), ('was_updated', sa.DateTime(timezone=True))):
        op.add_column('practices', sa.Column(column, kind, nullable=True))
    # In place: SQLite would empty what refers to a table that it makes anew.
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('ALTER TABLE practices ADD COLUMN merged_into_id CHAR(32) REFERENCES practices (id)')
    else:
        op.add_column('practices', sa.Column('merged_into_id', sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f('fk_practices_merged_into_id_practices'), 'practices', 'practices',
                              ['merged_into_id'], ['id'])
    op.create_index(op.f('ix_practices_review_due'), 'practices', ['review_due'])
    for column in ('last_verified', 'review_due'):
        op.execute(f'UPDATE practices SET {column} = '
                   f'(SELECT records.{column} FROM records WHERE records.practice_id = practices.id)')

    op.add_column('revisions', sa.Column('mended', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Take it back where there is no practice yet: SQLite makes `practices` anew, and refuses while anything refers to it."""
    op.drop_table('comments')
    op.drop_table('reports')
    op.drop_table('preview_links')
    op.drop_table('practice_files')
    op.drop_table('practice_authors')
    op.drop_table('offers')
    op.drop_table('last_looks')
    op.drop_table('claims')
    op.drop_table('buffers')
    op.drop_table('stored_files')
    op.drop_table('mail_texts')
    op.drop_table('link_checks')

    with op.batch_alter_table('revisions', schema=None) as batch_op:
        batch_op.drop_column('mended')

    with op.batch_alter_table('reviews', schema=None) as batch_op:
        batch_op.drop_column('checklist')
        batch_op.add_column(sa.Column('comments', sa.JSON(), server_default='{}', nullable=False))

    with op.batch_alter_table('practices', naming_convention=NAMED) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_practices_merged_into_id_practices'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_practices_review_due'))
        for column in ('merged_into_id', 'was_updated', 'was_published', 'escalated', 'reminded', 'review_due',
                       'last_verified'):
            batch_op.drop_column(column)
