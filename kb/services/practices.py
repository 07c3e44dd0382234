"""Writing a practice: drafts that always save, and submission. What was typed is kept before it is judged."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from kb.models import Contact, Origin, Practice, PracticeAuthor, Review, Revision, RevisionKind, State, User
from kb.services import adoption_graph, audit, consent, notices
from kb.services.checking import check, check_contact
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.merged_terms import of_today, renewed, term_successors
from kb.services.permissions import can, transition
from kb.services.publishing import add_revision
from kb.services.record import EDITORS_ONLY, Document
from kb.services.shown_files import settle
from kb.services.vocabularies import Vocabulary

MOVED = N_("This practice was changed meanwhile, in another window or by someone else.")


def start(
    session: Session,
    actor: User,
    document: Document,
    contact: dict[str, Any] | None,
    origin: Origin = Origin.MEMBER,
    practice_id: uuid.UUID | None = None,
) -> Practice:
    """Begin a practice with a first draft, whatever state the draft is in. Raises NotAllowed.

    It is shared with the organisation that its author belongs to at this moment, and stays so when the author leaves.
    `practice_id` is the number that the writer's form brought; where it is taken, the practice gets another one.
    """
    if not can(actor, "write"):
        raise NotAllowed(N_("Only members of the network may submit practices."))
    taken = practice_id is None or session.get(Practice, practice_id) is not None
    practice = Practice(
        id=uuid.uuid4() if taken else practice_id,
        owner_id=actor.id,
        organisation_id=actor.organisation_id,
        origin=origin,
        state=State.DRAFT,
    )
    session.add(practice)
    session.flush()
    keep_contact(practice, contact)
    document = _permitted(session, actor, practice, document)
    add_revision(session, practice, RevisionKind.SAVED, document, author_id=actor.id)
    audit.note(session, actor, "practice.start", "practice", practice.id)
    return practice


def save(
    session: Session,
    actor: User,
    practice: Practice,
    document: Document,
    contact: dict[str, Any] | None,
    seen: int | None = None,
    contact_seen: str = "",
) -> None:
    """Keep a new draft of a practice as a revision; on a published one this starts an update.

    A draft that says the same as the working copy changes nothing but the contact. `seen` is the number of the revision
    that the writer began from, `contact_seen` the mark of the contact; None and "" do not ask. What is typed in a form
    stays there. Raises NotAllowed, or Conflict where someone saved since and it said something else.
    """
    if not can(actor, "edit", practice):
        raise NotAllowed(N_("This practice cannot be changed now: it is with the editors, or it is not yours."))
    document = renewed(_permitted(session, actor, practice, document), term_successors(session))
    same = working_copy(session, practice) == document
    contact = changed_contact(contact, contact_seen)
    if not (same and same_contact(practice, contact)):  # a second click on the button says the same as the first
        unmoved(practice, seen)
    if contact_seen not in ("", contact_mark(contact_of(practice))) and not same_contact(practice, contact):
        raise Conflict(MOVED)
    if keep_contact(practice, contact):
        audit.note(session, actor, "contact.change", "practice", practice.id)
    if same:
        return
    if step := transition("start-update", practice):
        practice.state = step.target
        audit.note(session, actor, "practice.start-update", "practice", practice.id)
    add_revision(session, practice, RevisionKind.SAVED, document, author_id=actor.id)
    audit.note(session, actor, "practice.save", "practice", practice.id)


def unmoved(practice: Practice, seen: int | None) -> None:
    """Raise Conflict where the working copy is no longer the revision that someone saw."""
    if seen is not None and seen != practice.revision_count:
        raise Conflict(MOVED)


def submit(
    session: Session,
    actor: User,
    practice: Practice,
    vocabulary: Vocabulary,
    seen: int | None = None,
    *,
    quietly: bool = False,
) -> None:
    """Send the working copy to the editors, and tell them unless `quietly`.

    `seen` is the number of the revision that is meant; None does not ask. Raises Invalid with everything that is
    missing, NotAllowed, Conflict where someone saved since.
    """
    step = transition("submit", practice)
    if step is None or not can(actor, "submit", practice):
        raise NotAllowed(N_("This practice cannot be submitted now."))
    unmoved(practice, seen)
    clean = _fit(session, actor, practice, vocabulary)
    add_revision(session, practice, RevisionKind.SUBMITTED, clean, author_id=actor.id)
    practice.state = step.target
    practice.editor_id = None
    audit.note(session, actor, "practice.submit", "practice", practice.id)
    if not quietly:
        data = {"title": practice.title, "url": f"/review/{practice.id}"}
        notices.tell_editors(session, "practice-waiting", but=actor, **data)


def _fit(session: Session, actor: User, practice: Practice, vocabulary: Vocabulary) -> Document:
    """The working copy as it may be submitted. Raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    document = working_copy(session, practice)
    try:
        document = settle(session, actor, practice, document)
    except Invalid as invalid:
        problems += invalid.problems
        document = {**document, "images": [], "attachments": []}  # what is wrong there is said once
    try:
        document = check(document, vocabulary)
        adoption_graph.check_named(session, practice, document)
        adoption_graph.check_document(session, practice, document)
    except Invalid as invalid:
        problems += invalid.problems
    if practice.origin == Origin.MEMBER:
        try:
            check_contact(contact_of(practice))
        except Invalid as invalid:
            problems += invalid.problems
    if problems:
        raise Invalid(problems)
    return document


def withdraw(session: Session, actor: User, practice: Practice) -> None:
    """Take a submission back to go on writing. Raises NotAllowed."""
    step = transition("withdraw", practice)
    if step is None or not can(actor, "withdraw", practice):
        raise NotAllowed(N_("This practice cannot be withdrawn now."))
    practice.state = step.target
    audit.note(session, actor, "practice.withdraw", "practice", practice.id)


def get(session: Session, actor: User | None, practice_id: uuid.UUID) -> Practice:
    """A practice whose working copy this person may see; for anyone else it does not exist. Raises NotFound."""
    practice = session.get(Practice, practice_id)
    if practice is None or not can(actor, "view", practice):
        raise NotFound(N_("There is no such practice, or it is not yours."))
    return practice


def begun(session: Session, actor: User, practice_id: uuid.UUID) -> Practice | None:
    """The practice that this person already began under the number in their form, or None."""
    practice = session.get(Practice, practice_id)
    return practice if practice is not None and practice.owner_id == actor.id else None


def of(session: Session, actor: User) -> list[Practice]:
    """The practices that someone owns or writes, then those of their organisation, each the last changed first."""
    if not can(actor, "write"):
        return []
    written = select(PracticeAuthor.practice_id).where(PracticeAuthor.user_id == actor.id)
    own = or_(Practice.owner_id == actor.id, Practice.id.in_(written))
    held = select(Practice).options(joinedload(Practice.owner)).order_by(Practice.changed.desc())
    found = list(session.scalars(held.where(own)))
    if actor.organisation_id is not None:
        others = (Practice.owner_id.is_distinct_from(actor.id), Practice.id.not_in(written))
        shared = (Practice.organisation_id == actor.organisation_id, *others)
        found += session.scalars(held.where(*shared))
    return found


def working_copy(session: Session, practice: Practice) -> Document:
    """The newest revision's document, with every key of today's record and the terms of today."""
    document = session.scalar(
        select(Revision.document).where(Revision.practice_id == practice.id, Revision.number == practice.revision_count)
    )
    return of_today(document, term_successors(session))


def contact_of(practice: Practice) -> dict[str, Any]:
    """The contact as a document, empty strings where nothing is known."""
    contact = practice.contact
    if contact is None:
        return {"role": "", "email": "", "name": "", "consent": False}
    return {"role": contact.role, "email": contact.email, "name": contact.name, "consent": contact.consent}


def same_contact(practice: Practice, contact: dict[str, Any] | None) -> bool:
    """Whether a contact says what the practice's own says already; None says nothing new."""
    kept = contact_of(practice)
    return contact is None or all((contact.get(key) or "") == (value or "") for key, value in kept.items())


def contact_mark(contact: Mapping[str, Any]) -> str:
    """What tells one contact from another: it has no revisions whose number a form could carry."""
    said = [contact.get(key) or "" for key in ("role", "email", "name", "consent")]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def changed_contact(contact: dict[str, Any] | None, began: str) -> dict[str, Any] | None:
    """A contact, or None where it is the one whose mark its writer began from: then they have not touched it."""
    return None if contact is not None and contact_mark(contact) == began else contact


def last_review(session: Session, practice: Practice) -> Review | None:
    """The editors' latest answer on a practice."""
    return session.scalar(
        select(Review).where(Review.practice_id == practice.id).order_by(Review.created.desc()).limit(1)
    )


def keep_contact(practice: Practice, contact: dict[str, Any] | None) -> bool:
    """Put a contact in place of the one that stood there and say whether it differs; None leaves it as it is."""
    if contact is None:
        return False
    said = contact_of(practice)
    if practice.contact is None:
        practice.contact = Contact(name="", email="", consent=False)
    before = (practice.contact.name, practice.contact.email, practice.contact.consent)
    practice.contact.role = str(contact.get("role") or "")
    practice.contact.email = str(contact.get("email") or "")
    practice.contact.name = str(contact.get("name") or "")
    practice.contact.consent = contact.get("consent") is True
    consent.date_change(practice.contact, before)
    return said != contact_of(practice)


def _permitted(session: Session, actor: User, practice: Practice, document: Document) -> Document:
    """The document, with what only editors write as it stood before where someone else wrote it."""
    if can(actor, "review"):
        return document
    before = working_copy(session, practice)
    return {**document, **{key: before[key] for key in EDITORS_ONLY}}
