"""Whether the database is whole: its file, its schema, its values, the audit log, what people and mail left behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, or_, select
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from kb.formats.text import iso
from kb.models import (
    ApiToken,
    AuditEntry,
    HalfSignIn,
    MailMessage,
    Practice,
    TargetGroup,
    TermSuccessor,
    Theme,
    User,
    UserSession,
    schema,
)
from kb.services import outbox, setup
from kb.services.progress import Progress

MAIL_PATIENCE = timedelta(hours=2)
"""How long a mail may be due: whoever sends mail tries each once an hour at least."""

_UNREADABLE = (SQLAlchemyError, ValueError, LookupError, TypeError, AttributeError)
"""What comes of a value that is not of its kind: broken UTF-8, JSON, dates, numbers, words of an enum."""


def damage(session: Session, progress: Progress) -> Iterator[str]:
    """What keeps the rest from being looked at, a sentence each: a damaged file, another schema, unreadable values."""
    found = list(_file(session)) or list(_schema(session))
    yield from found
    if not found:
        yield from _values(session, progress)


def faults(session: Session) -> Iterator[str]:
    """What is wrong beside practices and their revisions, a sentence each."""
    yield from _audit(session)
    yield from _terms(session)
    yield from _merged(session)
    yield from _accounts(session)
    yield from _mail(session)


def _file(session: Session) -> Iterator[str]:
    """What SQLite finds wrong with its file, its constraints and its foreign keys."""
    if session.get_bind().dialect.name != "sqlite":
        return
    try:
        connection = session.connection()
        damage = [text for (text,) in connection.exec_driver_sql("PRAGMA integrity_check(20)") if text != "ok"]
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except DatabaseError as error:
        damage, orphans = [str(error.orig)], []
    yield from (f"The database file is damaged: {text}. Restore a backup." for text in damage)
    for table, row, parent, _key in orphans:
        yield f"Row {row} of the table {table} refers to a row of {parent} that is not there. Restore a backup."


def _schema(session: Session) -> Iterator[str]:
    for difference in setup.differences(session.connection()):
        yield f"The schema {difference}, unlike this release's. Restore a backup from before that was changed."


def _values(session: Session, progress: Progress) -> Iterator[str]:
    """Rows with a value that cannot be read as what it is."""
    tables = schema().sorted_tables
    for table in progress(tables, len(tables)):
        try:
            for _row in session.execute(select(table).execution_options(yield_per=500)):
                pass
        except _UNREADABLE:
            yield from _unreadable(session, table)


def _unreadable(session: Session, table: Table) -> Iterator[str]:
    """The columns of a table in which a value cannot be read, one by one."""
    for column in table.columns:
        try:
            session.execute(select(column)).all()
        except _UNREADABLE as error:
            said = str(getattr(error, "orig", None) or error).partition("\n")[0][:200]
            yield f"A value of {table.name}.{column.name} cannot be read ({said}). Restore a backup."


def _audit(session: Session) -> Iterator[str]:
    """Entries that were taken out. A server's database leaves out numbers by itself, where a transaction failed."""
    if session.get_bind().dialect.name != "sqlite":
        return
    before = func.lag(AuditEntry.id, 1, 0).over(order_by=AuditEntry.id)
    numbered = select(AuditEntry.id, before.label("before")).subquery()
    gaps = session.execute(select(numbered).where(numbered.c.id != numbered.c.before + 1)).all()
    for gap in gaps:
        yield (
            f"The audit log lacks the entries {gap.before + 1} to {gap.id - 1}: somebody took them out. Compare it "
            "with a backup."
        )


def _terms(session: Session) -> Iterator[str]:
    """Retired terms that lead to one that is not in the list."""
    for table, kind in ((Theme, "theme"), (TargetGroup, "target_group")):
        listed = select(table.slug)
        for row in session.scalars(
            select(TermSuccessor).where(TermSuccessor.kind == kind, TermSuccessor.successor.not_in(listed))
        ):
            yield (
                f"The retired {kind.replace('_', ' ')} {row.slug} leads to {row.successor}, which is not in the list. "
                "Add it to the list."
            )


def _merged(session: Session) -> Iterator[str]:
    """Practices that were merged into one that is merged itself: their addresses lead nowhere."""
    into = aliased(Practice)
    pairs = select(Practice.slug, into.slug).join(into, into.id == Practice.merged_into_id)
    for slug, other in session.execute(pairs.where(into.merged_into_id.is_not(None))):
        yield f"{slug} was merged into {other}, which was merged itself. Undo one of the two."


def _accounts(session: Session) -> Iterator[str]:
    """Accounts that are shut out or deleted, with sessions or tokens left."""
    left: dict[uuid.UUID, list[str]] = {}
    held: tuple[tuple[Any, str], ...] = (
        (UserSession, "sessions"), (HalfSignIn, "sign-ins before their code"), (ApiToken, "tokens"),
    )  # fmt: skip
    for table, called in held:
        gone = or_(~User.active, User.deleted.is_not(None))
        counted = select(User.id, func.count()).join(table, table.user_id == User.id).where(gone).group_by(User.id)
        for key, count in session.execute(counted):
            left.setdefault(key, []).append(f"{count} {called}")
    for key, what in left.items():
        yield (
            f"The account {key} is disabled or deleted, but has {' and '.join(what)}. Nobody gets in with them; "
            "delete these rows."
        )


def _mail(session: Session) -> Iterator[str]:
    late = (*outbox.WAITING, MailMessage.due < datetime.now(UTC) - MAIL_PATIENCE)
    count, since = session.execute(select(func.count(), func.min(MailMessage.due)).where(*late)).one()
    if count:
        yield f"{count} mails should have gone since {iso(since)}, and nobody sends them. Run send-mail."
