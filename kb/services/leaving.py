"""Leaving: an account is deleted, its person forgotten; what they contributed stays, without the name.

What stays: practices that are public, or that were sent to the editors and wait for them, or that colleagues of the
same organisation share. The rest of somebody's practices is taken out of sight and emptied. The row of the account
stays as a husk that says nothing, because revisions, reviews and the audit log refer to it by its number.
"""

from __future__ import annotations

import uuid

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from kb.models import (
    ApiToken,
    Buffer,
    Contact,
    HalfSignIn,
    HarvestSource,
    Invitation,
    LastLook,
    MailMessage,
    OneTimeLink,
    Practice,
    RecoveryCode,
    Registration,
    Revision,
    Role,
    SavedSearch,
    ShortlistEntry,
    StagedImport,
    StoredFile,
    TransferCheck,
    User,
    UserSession,
)
from kb.services import adoptions, audit, authors, claims, consent, contacting, mail, people, previews, privacy, reports
from kb.services.errors import N_, Conflict
from kb.services.permissions import WAITING, transition
from kb.services.publishing import now, public_revision, return_to_public
from kb.services.redaction import NEVER_SENT, empty_practice, empty_revisions

OF_ONE = (
    UserSession, HalfSignIn, OneTimeLink, ApiToken, RecoveryCode, LastLook, Buffer, SavedSearch, ShortlistEntry,
    StagedImport, TransferCheck,
)  # fmt: skip
"""Tables whose rows are one person's, named by `user_id`, and mean nothing without them."""

LAST = N_("You are the last administrator. Make somebody else one first; then your account can be deleted.")


def placeholder(user: User) -> str:
    """The address of whoever left. No form accepts it: it has no top-level domain."""
    return f"deleted-{user.id}@invalid"


def refuse_last(session: Session, user: User) -> None:
    """Raise Conflict for the last administrator who can sign in."""
    if user.role != Role.ADMIN:
        return
    able = (User.active, User.deleted.is_(None), User.password_hash.is_not(None))
    others = (User.role == Role.ADMIN, *able, User.id != user.id)
    if session.scalar(select(User.id).where(*others).limit(1)) is None:
        raise Conflict(LAST)


def erase(session: Session, actor: User, user_id: uuid.UUID) -> None:
    """Delete somebody else's account, as they asked or because they left the network.

    Raises NotAllowed for who is no administrator, NotFound, Conflict for oneself and for the last administrator.
    """
    person = people.get(session, actor, user_id)
    if person.id == actor.id:
        raise Conflict(N_("Delete your own account from your account page."))
    leave(session, person, actor=actor)


def leave(session: Session, user: User, *, actor: User | None = None) -> None:
    """Delete someone's account: they are signed out everywhere, and nothing here names them any more.

    `actor` is who does it: the person, after giving the password, an administrator, or None for the operator. Raises
    Conflict for the last administrator.
    """
    person = session.get_one(User, user.id)
    refuse_last(session, person)
    address, language = person.email, person.language
    for practice in session.scalars(select(Practice).where(Practice.owner_id == person.id)):
        _part_with(session, person, practice, actor)
    session.execute(update(Practice).where(Practice.editor_id == person.id).values(editor_id=None))
    _forget(session, person)
    _make_husk(person)
    audit.note(session, actor, "user.delete", "user", person.id)
    if "." in address.rpartition("@")[2]:  # the first administrator has no address yet
        mail.tell(session, "account-deleted", address, language=language)


def _part_with(session: Session, person: User, practice: Practice, actor: User | None) -> None:
    """Let a practice go on without its owner, or take it out of sight where nobody else has seen it."""
    step = transition("leave", practice)
    practice.owner_id = None
    if authors.shared(session, practice, but=person) or practice.state in WAITING:
        return
    if practice.version == 0:
        empty_practice(session, practice)
    else:
        _drop_update(session, practice)
    if step is not None:
        practice.state = step.target
        audit.note(session, actor, "practice.leave", "practice", practice.id)


def _drop_update(session: Session, practice: Practice) -> None:
    """Empty what was written since the public version, which becomes the working copy again."""
    public = public_revision(session, practice)
    if public is None or public.number == practice.revision_count:
        return
    empty_revisions(session, practice.id, NEVER_SENT, Revision.number > public.number)
    return_to_public(session, practice)


def _forget(session: Session, person: User) -> None:
    """Remove what belongs to the person alone, and their address wherever it stands."""
    for table in OF_ONE:
        session.execute(delete(table).where(table.user_id == person.id))
    mine = or_(Invitation.email == person.email, Invitation.user_id == person.id)
    session.execute(delete(Invitation).where(mine))
    session.execute(delete(Registration).where(Registration.email == person.email))
    session.execute(delete(MailMessage).where(privacy.mail_of(person)))
    reports.forget(session, person)
    contacting.forget(session, person)
    session.execute(update(StoredFile).where(StoredFile.uploader_id == person.id).values(uploader_id=None))
    session.execute(update(HarvestSource).where(HarvestSource.owner_id == person.id).values(owner_id=None))
    claims.forget(session, person)
    adoptions.forget(session, person)
    authors.forget(session, person)
    previews.forget(session, person)
    ids = [contact.practice_id for contact in consent.contacts_with(session, person.email)]
    session.execute(delete(Contact).where(Contact.practice_id.in_(ids)))


def _make_husk(person: User) -> None:
    person.name, person.email = "", placeholder(person)
    person.password_hash = person.totp_secret = person.totp_used = None
    person.region_code = person.organisation_id = person.confirmed = None
    person.active = person.notify = False
    person.role, person.language = Role.READER, "en"
    person.deleted = now()
