"""What tests of adoptions share: people, a practice, and each step in a line."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Adoption, MailMessage, Practice, User
from kb.services import accounts, adoption_trail, adoptions
from kb.services.adoption_checking import Told
from kb.services.errors import Invalid
from tests import factories

PEOPLE = {"alice": "member", "charlie": "member", "bob": "editor", "erin": "editor", "dora": "admin", "rita": "reader"}

NAVARRA: dict[str, Any] = {"region": {"code": "ES22"}, "country": "ES"}


def who(session: Session, name: str) -> User:
    return accounts.get(session, f"{name}@example.org")


def original(session: Session) -> Practice:
    return session.scalars(select(Practice).where(Practice.slug == "the-original")).one()


def told(**changes: Any) -> Told:
    contact = {"role": "Officer", "email": "office@example.net", "name": "Ane", "consent": False}
    fields = {"region": "ES22", "status": "adapting", "changes": "We pay by result.", "contact": contact}
    return Told(**{**fields, **changes})


def said(session: Session, name: str = "charlie", slug: str = "the-original", **changes: Any) -> Adoption:
    return adoptions.make(session, who(session, name), slug, told(**changes), factories.vocabulary(session))


def decided(session: Session, adoption: Adoption, name: str = "alice", accepted: bool = True) -> None:
    word = "" if accepted else "We know nothing of it."
    adoptions.decide(session, who(session, name), adoption.id, accepted, word, factories.vocabulary(session))


def changed(session: Session, adoption: Adoption, name: str = "charlie", **changes: Any) -> None:
    adoptions.change(session, who(session, name), adoption.id, told(**changes), factories.vocabulary(session))


def count(session: Session, slug: str = "the-original") -> int:
    session.flush()
    return adoption_trail.counts(session).get(slug, 0)


def mails(session: Session) -> list[tuple[str, str]]:
    session.flush()
    return [(each.kind, each.address.partition("@")[0]) for each in session.scalars(select(MailMessage))]


def fields(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [problem.field for problem in refused.value.problems]
