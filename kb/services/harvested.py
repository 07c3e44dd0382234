"""Practices that came from another installation: what becomes of them when they change there, or are there no more.

Nobody's words are lost and nothing becomes public by itself. A new text goes into the working copy only where nobody
has written here since the last one; else it waits, and a person decides. What is gone there stays here.
"""

from __future__ import annotations

import uuid
from typing import Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kb.models import Buffer, Form, Harvested, HarvestSource, Origin, Practice, Record, Revision, State, User
from kb.services import audit, differences, practices
from kb.services.differences import FieldDifference
from kb.services.errors import N_, Conflict, NotAllowed, NotFound
from kb.services.harvest_judging import KEPT_HERE, Incoming
from kb.services.merged_terms import of_today, term_successors
from kb.services.permissions import EDITABLE, can, owns
from kb.services.publishing import now
from kb.services.record import Document

Came = Literal["added", "updated", "waiting", "kept", "here"]
"""What became of one record: a new draft, a new text, a new notice, nothing new, a practice that is here by itself."""

FREE = (State.DRAFT, State.PUBLISHED)
"""States in which the software may put a new text in: no editor is at work on the one that is there."""

OPEN = (*EDITABLE, State.PUBLISHED)
"""States in which a person may."""

PUT_AWAY = (State.WITHDRAWN, State.REJECTED, State.ARCHIVED)
"""States in which nobody waits for news from there."""

TOO_LATE = N_("This cannot be done any more: somebody was faster, or has changed the practice since.")


def keep(session: Session, source: HarvestSource, owner: User, record: Incoming) -> Came:
    """Take a record over, in the caller's transaction: as a new draft of `owner`, as an update, or as a notice."""
    mine = (Harvested.source_id == source.id, Harvested.remote_id == record.remote_id)
    held = session.scalar(select(Harvested).where(*mine))
    if held is not None:
        held.gone = held.settled = None
        held.remote_slug = record.slug
        return _renew(session, held, owner, record)
    if session.get(Practice, uuid.UUID(record.remote_id)) is not None:
        return "here"  # both have it, from the seed or by an import
    document = _fitting(session, source.id, record.document)
    practice = practices.start(session, owner, document, None, Origin.HARVEST)
    practice.origin_url = record.url
    held = Harvested(practice_id=practice.id, source_id=source.id, remote_id=record.remote_id, remote_slug=record.slug)
    _took(held, practice, record.state)
    session.add(held)
    session.flush()
    return "added"


def _renew(session: Session, held: Harvested, owner: User, record: Incoming) -> Came:
    """Take the new text of a practice that was taken before."""
    practice, known = held.practice, state_of(held)
    if (known == record.state and not held.waiting) or _removed(session, practice):
        return "kept"
    before = practices.working_copy(session, practice)
    document = _beside(before, _fitting(session, held.source_id, record.document))
    if not differences.changed(before, document):
        _took(held, practice, record.state)
        return "kept"
    writer = _writer(practice, practice.owner, owner)
    if writer is not None and practice.state in FREE and _untouched(session, held, before):
        practices.save(session, writer, practice, document, None)
        practice.origin_url = record.url
        _took(held, practice, record.state)
        return "updated"
    if known == record.state:
        return "kept"
    held.waiting = {"version": record.version, "updated": record.updated, "document": record.document}
    held.changed = now()
    return "kept" if practice.state in PUT_AWAY else "waiting"


def state_of(held: Harvested) -> tuple[int, str]:
    """The newest version there that was looked at, whether it was taken or waits."""
    if held.waiting:
        return held.waiting["version"], held.waiting["updated"]
    return held.remote_version, held.remote_updated


def lose(held: Harvested) -> bool:
    """Note that the other installation has a practice no more; says whether anybody is to be told."""
    held.gone = held.changed = now()
    return held.practice.state not in PUT_AWAY


# What a person decides


def of(session: Session, actor: User, practice_id: uuid.UUID) -> Harvested:
    """Where a practice came from, for who may see its working copy and decide about it. Raises NotFound."""
    held = session.get(Harvested, practice_id)
    if held is None or not can(actor, "view", held.practice) or not _decides(actor, held.practice):
        raise NotFound(N_("There is no such practice, or it is not yours."))
    return held


def compare(session: Session, held: Harvested) -> tuple[list[FieldDifference], str | None]:
    """What the text that waits would change in the working copy, and its language."""
    before = practices.working_copy(session, held.practice)
    document = _waiting(session, held, before)
    return (differences.fields(before, document), document["language"]) if document else ([], None)


def may_take(held: Harvested) -> bool:
    """Whether the text that waits can be put into the working copy as the practice stands."""
    return bool(held.waiting) and held.practice.state in OPEN


def take_over(session: Session, actor: User, held: Harvested, seen: int | None = None) -> None:
    """Make the text that waits the working copy; what stood there stays in the history.

    An editor does it in the name of its owner. `seen` is the number of the revision that it was compared with. Raises
    Conflict where nothing waits any more or somebody wrote since, NotAllowed.
    """
    practice = held.practice
    writer = _writer(practice, actor, practice.owner)
    if writer is None:
        raise NotAllowed(N_("This practice has nobody who could go on with it: give it to a member first."))
    document = _waiting(session, held, practices.working_copy(session, practice))
    if document is None or practice.state not in OPEN:
        raise Conflict(TOO_LATE)
    practices.unmoved(practice, seen)
    practices.save(session, writer, practice, document, None)
    _took(held, practice, state_of(held))
    audit.note(session, actor, "harvest.take", "practice", practice.id)


def leave(session: Session, actor: User, held: Harvested) -> None:
    """Go on with the text that is here; what comes next from there is a notice again. Raises Conflict."""
    if not held.waiting:
        raise Conflict(TOO_LATE)
    held.remote_version, held.remote_updated = state_of(held)
    held.waiting = None
    audit.note(session, actor, "harvest.leave", "practice", held.practice_id)


def stay(session: Session, actor: User, held: Harvested) -> None:
    """Keep a practice that is gone there, and be told no more. Raises Conflict."""
    if held.gone is None:
        raise Conflict(TOO_LATE)
    held.settled = now()
    audit.note(session, actor, "harvest.keep", "practice", held.practice_id)


def _decides(actor: User, practice: Practice) -> bool:
    """A draft is its author's own; what editors see is theirs to decide too."""
    return owns(actor, practice) or can(actor, "review")


# What the text would be here


def _took(held: Harvested, practice: Practice, state: tuple[int, str]) -> None:
    """Note that the working copy says what the practice said there in a version."""
    held.remote_version, held.remote_updated = state
    held.revision_number = practice.revision_count
    held.waiting, held.changed = None, now()


def _fitting(session: Session, source_id: uuid.UUID, document: Document) -> Document:
    """A text from there with the terms of here, and of the practices it was adapted from those that are known here."""
    names = {entry["slug"] for entry in document["adapted_from"]}
    came = select(Harvested.remote_slug, Practice.slug).join(Practice, Harvested.practice_id == Practice.id)
    mine = (Harvested.source_id == source_id, Harvested.remote_slug.in_(names), Practice.slug.is_not(None))
    known = {slug: slug for slug in session.scalars(select(Practice.slug).join(Record).where(Practice.slug.in_(names)))}
    known |= {there: here for there, here in session.execute(came.where(*mine)) if here is not None}
    models = [{**entry, "slug": known[entry["slug"]]} for entry in document["adapted_from"] if entry["slug"] in known]
    return of_today({**document, "adapted_from": models}, term_successors(session))


def _beside(before: Document, document: Document) -> Document:
    """A text from there with what is only ever written here."""
    return {**document, **{key: before[key] for key in KEPT_HERE}}


def _waiting(session: Session, held: Harvested, before: Document) -> Document | None:
    if not held.waiting:
        return None
    return _beside(before, _fitting(session, held.source_id, held.waiting["document"]))


def _untouched(session: Session, held: Harvested, before: Document) -> bool:
    """Whether nobody has changed the text since it was taken, or is about to.

    To submit and to publish it makes revisions that say the same.
    """
    typing = select(Buffer.user_id).where(Buffer.practice_id == held.practice_id, Buffer.form == Form.PRACTICE)
    if session.scalar(typing.limit(1)) is not None:
        return False
    taken = session.scalar(_revision(held.practice_id, held.revision_number))
    changed = differences.changed(of_today(taken.document if taken else None, term_successors(session)), before)
    return not set(changed) - set(KEPT_HERE)


def _removed(session: Session, practice: Practice) -> bool:
    """Whether an administrator removed the text: it must not come back by this way."""
    newest = session.scalar(_revision(practice.id, practice.revision_count))
    return newest is not None and newest.redacted is not None


def _revision(practice_id: uuid.UUID, number: int) -> Select[Revision]:
    return select(Revision).where(Revision.practice_id == practice_id, Revision.number == number)


def _writer(practice: Practice, *people: User | None) -> User | None:
    """The first of some people who may write a practice."""
    return next((each for each in people if each is not None and can(each, "edit", practice)), None)
