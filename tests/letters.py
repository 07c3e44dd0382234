"""What lies in the outbox, as tests read it."""

from __future__ import annotations

from sqlalchemy import select

from kb.db import Database
from kb.models import MailMessage


def letters(database: Database, kind: str | None = None) -> list[MailMessage]:
    """The mails that wait, oldest first, all or those of one kind."""
    with database.read() as session:
        found = session.scalars(select(MailMessage).order_by(MailMessage.id)).all()
    return [each for each in found if kind in (None, each.kind)]


def link(database: Database, kind: str) -> str:
    """The path of the link in the newest mail of a kind."""
    url: str = letters(database, kind)[-1].data["url"]
    return "/" + url.split("/", 3)[3]


def token(database: Database, kind: str) -> str:
    """The token in that link."""
    return link(database, kind).rsplit("/", 1)[1]
