"""Errors that readers report in public practices: kept, told to who can mend them, answered and closed by an editor."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from kb.models import Practice, Record, Report, User
from kb.services import accounts, audit, mail, notices, titles, versions
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.paging import PER_PAGE, Page, within
from kb.services.permissions import can
from kb.services.publishing import now
from kb.services.record import DOCUMENT_KEYS, tidy

BODY_LIMIT = 2000
"""Characters of a report, and of the answer to one."""

TOO_LONG = N_("Shorten the text: the limit is %(limit)d characters.")


@dataclass(frozen=True)
class Said:
    """What somebody wrote: what is wrong, in which field, and where to send the answer. Empty is not said."""

    body: str
    field: str = ""
    email: str = ""


def check(said: Said) -> Said:
    """Return a report as it is kept. Raises Invalid with everything that is wrong in it."""
    problems: list[Problem] = []
    body, email = tidy(said.body) or "", said.email.strip()
    if not body:
        problems.append(Problem.of("body", N_("Write what is wrong.")))
    elif len(body) > BODY_LIMIT:
        problems.append(Problem.of("body", TOO_LONG, limit=BODY_LIMIT))
    if said.field and said.field not in DOCUMENT_KEYS:
        problems.append(Problem.of("field", N_("Choose a part of the practice, or none.")))
    try:
        email = accounts.valid_address(email) if email else ""
    except Invalid as invalid:
        problems += invalid.problems
    if problems:
        raise Invalid(problems)
    return Said(body, said.field, email)


def subject(session: Session, slug: str) -> Practice:
    """The public practice at an address. Raises NotFound, Gone, or Moved where it was merged into another."""
    practice = session.scalar(select(Practice).join(Record).where(Practice.slug == slug))
    return practice if practice is not None else versions.refuse(session, slug)


def make(session: Session, actor: User | None, slug: str, said: Said, language: str = "en") -> Report:
    """Keep a report on a public practice; the editors and its owner are told. `actor` is None for a reader.

    `language` is that of the answer. The same report twice is one. Raises Invalid, NotFound.
    """
    said, practice = check(said), subject(session, slug)
    same = (Report.practice_id == practice.id, Report.body == said.body, Report.email == said.email)
    found = session.scalar(select(Report).where(*same, Report.closed.is_(None)).limit(1))
    if found is not None:
        return found
    report = Report(
        id=uuid.uuid4(), practice_id=practice.id, user_id=actor.id if actor else None, email=said.email,
        language=language, field=said.field, body=said.body,
    )  # fmt: skip
    session.add(report)
    data = {"title": titles.public(session, practice), "message": report.body}
    notices.tell_editors(session, "report-made", but=actor, url=f"/review/reports#r-{report.id}", **data)
    owner = practice.owner
    if owner is not None and not (actor and actor.id == owner.id) and not can(owner, "review"):  # editors know already
        notices.tell_person(session, "practice-reported", owner, url=f"/practices/{practice.slug}", **data)
    audit.note(session, actor, "report.make", "practice", practice.id, report=str(report.id))
    return report


def open_reports(session: Session) -> list[Report]:
    """Reports that wait for an answer, the longest waiting first."""
    return list(session.scalars(_listed().where(Report.closed.is_(None)).order_by(Report.created, Report.id)))


def closed_reports(session: Session, number: int = 1) -> Page[Report]:
    """Reports that were closed, the latest first."""
    total = session.scalar(select(func.count()).where(Report.closed.is_not(None))) or 0
    number = within(number, total)
    latest = _listed().where(Report.closed.is_not(None)).order_by(Report.closed.desc(), Report.id)
    return Page(list(session.scalars(latest.offset((number - 1) * PER_PAGE).limit(PER_PAGE))), number, total)


def close(session: Session, actor: User, report_id: uuid.UUID, answer: str, *, silently: bool = False) -> Report:
    """Close a report with an answer, which is mailed where an address was left.

    `silently` takes no answer and mails nothing. Raises NotAllowed, NotFound, Invalid without an answer, Conflict where
    it is closed already.
    """
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors answer reports."))
    report = session.get(Report, report_id)
    if report is None:
        raise NotFound(N_("There is no such report."))
    if report.closed is not None:
        raise Conflict(N_("This report was closed already."))
    answer = "" if silently else tidy(answer) or ""
    if not silently and not answer:
        raise Invalid([Problem.of("answer", N_("Write an answer, or close the report without one."))])
    if len(answer) > BODY_LIMIT:
        raise Invalid([Problem.of("answer", TOO_LONG, limit=BODY_LIMIT)])
    report.answer, report.closed, report.closer_id = answer, now(), actor.id
    if answer and report.email:
        data: dict[str, Any] = {
            "title": titles.public(session, report.practice),
            "url": f"/practices/{report.practice.slug}",
            "message": answer,
        }
        mail.tell(session, "report-answered", report.email, language=report.language, **data)
    audit.note(session, actor, "report.close", "practice", report.practice_id, report=str(report.id))
    return report


def about(person: User) -> ColumnElement[bool]:
    """Which reports somebody made: signed in, or with their address for the answer."""
    return or_(Report.user_id == person.id, Report.email == person.email)


def forget(session: Session, person: User) -> None:
    """Take somebody who leaves out of their reports; what they reported stays."""
    session.execute(update(Report).where(about(person)).values(user_id=None, email=""))


def forget_reporters(session: Session, before: datetime) -> int:
    """Remove the addresses of those whose reports were closed before a moment; returns how many."""
    old = (Report.closed < before, or_(Report.email != "", Report.user_id.is_not(None)))
    emptied = session.execute(update(Report).where(*old).values(email="", user_id=None))
    return cast(CursorResult[Any], emptied).rowcount


def _listed() -> Any:
    people = (joinedload(Report.user), joinedload(Report.closer))
    return select(Report).options(joinedload(Report.practice), *people)
