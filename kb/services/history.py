"""Everything that was ever saved of a practice, for its authors and the editors: who, when, what, and bringing it back.

Readers see the public versions alone; those are in `versions`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from kb.models import Practice, Revision, User
from kb.services import audit, authors, practices
from kb.services.differences import FieldDifference, changed, fields
from kb.services.errors import N_, Gone, NotFound
from kb.services.merged_terms import of_today, term_successors
from kb.services.paging import Page, within
from kb.services.record import Document

PER_PAGE = 25


@dataclass(frozen=True)
class Step:
    """One revision: who kept it (None: the software), and the fields in which it differs from the one before.

    `changed` is None for the first, and where the text of one of the two is gone.
    """

    revision: Revision
    author: User | None
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Comparison:
    """Two revisions, the older first, and what differs between them."""

    older: Step
    newer: Step
    differences: list[FieldDifference]
    language: str | None


def page(session: Session, actor: User, practice: Practice, number: int = 1) -> Page[Step]:
    """The revisions of a practice, the newest first. Whoever may see the practice may see them (`practices.get`).

    Here and below those are left out that were closed when an editor gave the practice to somebody new.
    """
    mine = _open(session, actor, practice)
    total = session.scalar(select(func.count()).select_from(Revision).where(mine)) or 0
    number = within(number, total, PER_PAGE)
    newest_first = select(Revision).where(mine).order_by(Revision.number.desc())
    # one more than is shown, with which the last is compared
    found = list(session.scalars(newest_first.offset((number - 1) * PER_PAGE).limit(PER_PAGE + 1)))
    befores: list[Revision | None] = [*found[1:], None]
    successors = term_successors(session)
    texts = {each.number: of_today(each.document, successors) for each in found if each.redacted is None}
    steps = []
    for revision, before in zip(found, befores, strict=True):
        differs = None
        next_to_it = before is not None and before.number == revision.number - 1  # none that is closed lies between
        if before is not None and next_to_it and {before.number, revision.number} <= texts.keys():
            differs = tuple(changed(texts[before.number], texts[revision.number]))
        steps.append(Step(revision, _author(session, revision), differs))
    return Page(steps[:PER_PAGE], number, total, PER_PAGE)


def numbers(session: Session, actor: User, practice: Practice) -> list[int]:
    """The revisions whose text is there, the newest first."""
    there = (_open(session, actor, practice), Revision.redacted.is_(None))
    return list(session.scalars(select(Revision.number).where(*there).order_by(Revision.number.desc())))


def read(session: Session, actor: User, practice: Practice, number: int) -> tuple[Step, Document]:
    """One revision and its text under the terms of today. Raises NotFound, Gone with why its text was removed."""
    revision = _revision(session, actor, practice, number)
    return Step(revision, _author(session, revision)), of_today(revision.document, term_successors(session))


def compare(session: Session, actor: User, practice: Practice, older: int, newer: int) -> Comparison:
    """What differs between two revisions of a practice. Raises as `read` does."""
    first, second = (_revision(session, actor, practice, number) for number in (older, newer))
    before, after = (of_today(each.document, term_successors(session)) for each in (first, second))
    older_step, newer_step = (Step(each, _author(session, each)) for each in (first, second))
    return Comparison(older_step, newer_step, fields(before, after), after["language"])


def restore(session: Session, actor: User, practice: Practice, number: int, seen: int) -> bool:
    """Make an earlier text the working copy, as a new revision; says whether it differs from what stood there.

    `seen` is the number of the revision that was the newest when this was decided. Raises NotAllowed, NotFound, Gone,
    Conflict where somebody saved since.
    """
    before = practice.revision_count
    document = of_today(_revision(session, actor, practice, number).document, term_successors(session))
    practices.save(session, actor, practice, document, None, seen)
    if practice.revision_count == before:
        return False
    audit.note(session, actor, "practice.restore-text", "practice", practice.id, revision=number)
    return True


def _open(session: Session, actor: User, practice: Practice) -> ColumnElement[bool]:
    """Which revisions of a practice somebody may see: what was public, their own, those since it was given away."""
    seen = (Revision.number > authors.closed(session, practice), Revision.version.is_not(None))
    return (Revision.practice_id == practice.id) & or_(*seen, Revision.author_id == actor.id)


def _revision(session: Session, actor: User, practice: Practice, number: int) -> Revision:
    known = min(number, practice.revision_count)  # a number past the database's integers is none either
    revision = session.scalar(select(Revision).where(_open(session, actor, practice), Revision.number == known))
    if revision is None or revision.number != number:
        raise NotFound(N_("This practice was never saved under the number %(number)d."), number=number)
    if revision.redacted is not None:
        raise Gone(N_("This text was removed: %(reason)s"), reason=revision.redaction or "")
    return revision


def _author(session: Session, revision: Revision) -> User | None:
    return session.get(User, revision.author_id) if revision.author_id else None
