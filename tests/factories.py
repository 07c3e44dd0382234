"""Plausible things for tests: documents, contacts, practices, people."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Organisation, Origin, Practice, State, User
from kb.services import accounts, practices, publishing, setup, vocabularies
from kb.services.checking import check
from kb.services.record import Document, shape
from kb.services.vocabularies import Vocabulary, VocabularyCache

PASSWORD = "correct horse battery 9"

CONTACT = {"role": "Project officer", "email": "office@example.org", "name": "Sam Doe", "consent": False}


def document(**changes: Any) -> Document:
    """A document that may be published, with some fields put in place of others."""
    fields: dict[str, Any] = {
        "title": "Mentors for newly arrived nurses",
        "language": "en",
        "summary": "Hospitals of the region pair newly arrived nurses with senior colleagues for a year.",
        "country": "IT",
        "region": {"code": "ITH5", "name": None},
        "level": "regional",
        "lead_organisation": {"name": "Regional health service", "type": "agency", "url": None},
        "status": "running",
        "start": "2021",
        "actions": "Pairs meet weekly; the hospital counts the hours as training.",
        "themes": ["labour-inclusion"],
        "target_groups": ["migrant-workers"],
        "sources": [{"title": "Programme page", "url": "https://example.org/nurses"}],
    }
    return shape({**fields, **changes})


def downgrade(database: Database, revision: str) -> None:
    """Take a database in which nobody has an account back to the schema of an earlier release."""
    config = Config()
    config.set_main_option("script_location", str(setup.MIGRATIONS))
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def person(session: Session, email: str, role: str) -> User:
    """Someone with an account and the tests' password."""
    return accounts.add_user(session, email, role, name=email.partition("@")[0].title(), password=PASSWORD)


def organisation(session: Session, name: str, *people: User) -> Organisation:
    """A body whose members these people are."""
    body = Organisation(id=uuid.uuid4(), name=name)
    session.add(body)
    session.flush()
    for each in people:
        each.organisation_id = body.id
    return body


LOADED: dict[int, Vocabulary] = {}
"""The vocabularies as they were loaded into the folders of this process, by generation: reading them takes a while."""


def vocabulary(session: Session) -> Vocabulary:
    """The vocabularies of a base, not read again where nobody changed them since they were loaded into its folder."""
    return LOADED.get(vocabularies.generation(session)) or vocabularies.load(session)


def vocabulary_cache(database: Database) -> VocabularyCache:
    """A cache of the vocabularies that need not read what nobody changed since it was loaded into the base's folder."""
    cache = VocabularyCache()
    with database.read() as session:
        cache._held = LOADED.get(vocabularies.generation(session))
    return cache


def draft(session: Session, owner: User, **changes: Any) -> Practice:
    """A member's draft that could be submitted as it is."""
    return practices.start(session, owner, document(**changes), dict(CONTACT))


def submitted(session: Session, owner: User, **changes: Any) -> Practice:
    """A member's submission that waits for an editor."""
    practice = draft(session, owner, **changes)
    practices.submit(session, owner, practice, vocabulary(session))
    return practice


def published(session: Session, owner: User | None = None, **changes: Any) -> Practice:
    """A public practice."""
    practice = Practice(
        id=uuid.uuid4(), owner_id=owner.id if owner else None, organisation_id=owner.organisation_id if owner else None,
        origin=Origin.MEMBER, state=State.DRAFT,
    )  # fmt: skip
    session.add(practice)
    session.flush()
    publishing.publish(session, practice, check(document(**changes), vocabulary(session)))
    session.flush()
    return practice


def statements(database: Database, act: Callable[[], None]) -> list[str]:
    """The statements that something has the database run, without their values."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return said
