"""A practice's life beside the review: put away and taken up again, archived, taken offline, and back.

Every step is a row of the table in permissions.py, writes one audit entry, and tells the owner what somebody else did.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Form, Practice, Revision, State, User
from kb.services import audit, buffers, moderation, notices, previews, references
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import Transition, can, entitled, transition
from kb.services.publishing import make_public_again, return_to_public
from kb.services.publishing import unpublish as take_offline

REASON_LIMIT = 2000
"""Characters of the reason for which a practice is archived or taken offline."""

OWNERS = ("abandon", "discard-update", "resume")
"""Steps that whose practice it is makes here."""

EDITORS = ("archive", "restore", "unpublish", "republish")
"""Steps that editors make here."""

BACK = ("restore", "republish")
"""Steps that show readers a practice again: of one's own another editor makes them, as with publishing."""


def abandon(session: Session, actor: User, practice: Practice, reason: str = "") -> None:
    """Put a draft away: it waits for nobody any more, and can be taken up again. Raises NotAllowed, Conflict."""
    practice.state = _step(session, actor, practice, "abandon").target
    practice.editor_id = None
    _note(session, actor, practice, "abandon", reason)


def resume(session: Session, actor: User, practice: Practice, reason: str = "") -> None:
    """Go on with what was put away, turned down or taken offline.

    Raises NotAllowed, or Conflict for what has no text any more or was merged into another practice.
    """
    practice.state = _step(session, actor, practice, "resume").target
    _note(session, actor, practice, "resume", reason)


def discard_update(session: Session, actor: User, practice: Practice, reason: str = "") -> None:
    """Give an update up: the working copy is the public version again, and what this person typed since is dropped.

    Raises NotAllowed, Conflict.
    """
    practice.state = _step(session, actor, practice, "discard-update").target
    practice.editor_id = None
    buffers.drop(session, actor, practice, Form.PRACTICE)
    return_to_public(session, practice)
    _note(session, actor, practice, "discard-update", reason)


def archive(session: Session, actor: User, practice: Practice, reason: str = "") -> None:
    """Say that a practice is no longer maintained: its page stays, lists and search leave it out.

    Raises NotAllowed, Conflict, Invalid for a reason that is too long.
    """
    step = _step(session, actor, practice, "archive")
    reason = _checked(reason)
    practice.state = step.target
    take_offline(session, practice)
    previews.end_all(session, actor, practice)
    _note(session, actor, practice, "archive", reason)
    data = {"url": f"/practices/{practice.slug}", "message": reason}
    notices.tell_owner(session, "practice-archived", practice, but=actor, **data)


def restore(session: Session, actor: User, practice: Practice, reason: str = "") -> None:
    """Take a practice out of the archive, as it was. Raises NotAllowed, Conflict."""
    _put_online(session, actor, practice, "restore", reason)


def unpublish(session: Session, actor: User, practice: Practice, reason: str = "") -> None:
    """Take a practice offline at once; an update that is being written stays where it is.

    Raises NotAllowed, Conflict, Invalid without a reason: its owner reads it.
    """
    step = _step(session, actor, practice, "unpublish")
    reason = _checked(reason, needed=True)
    practice.state = step.target
    take_offline(session, practice)
    references.settle(session, practice)
    previews.end_all(session, actor, practice)
    _note(session, actor, practice, "unpublish", reason)
    data = {"url": f"/my/practices/{practice.id}/edit", "message": reason}
    notices.tell_owner(session, "practice-unpublished", practice, but=actor, **data)


def republish(session: Session, actor: User, practice: Practice, reason: str = "") -> None:
    """Put a practice online again as it was, in the same version. Raises NotAllowed, Conflict."""
    _put_online(session, actor, practice, "republish", reason)


STEPS = {
    "abandon": abandon, "discard-update": discard_update, "resume": resume,
    "archive": archive, "restore": restore, "unpublish": unpublish, "republish": republish,
}  # fmt: skip
"""The steps of OWNERS and EDITORS, by the name that they have in the table."""


def possible(session: Session, actor: User | None, practice: Practice) -> list[str]:
    """Those of STEPS that this person can make now."""
    allowed = [action for action in STEPS if can(actor, action, practice)]
    open_to = [action for action in allowed if not _own(session, actor, practice, action)]
    return [action for action in open_to if _hindrance(session, practice, action) is None]


def get(session: Session, actor: User, practice_id: uuid.UUID, action: str) -> Practice:
    """A practice whose step this person could make, though perhaps not now; else it does not exist for them.

    Raises NotFound.
    """
    practice = session.get(Practice, practice_id)
    hidden = action in EDITORS and practice is not None and not practice.version
    if practice is None or hidden or not entitled(actor, action, practice):
        raise NotFound(N_("There is no such practice, or it is not yours."))
    return practice


def offline(session: Session, actor: User) -> list[Practice]:
    """Practices that were public and are archived or taken offline, the last changed first. Raises NotAllowed."""
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors may do this."))
    out = (Practice.version > 0, ~Practice.record.has(), Practice.merged_into_id.is_(None))
    held = (Revision.practice_id == Practice.id, Revision.version == Practice.version, Revision.redacted.is_(None))
    readable = select(Revision.id).where(*held).exists()
    return list(session.scalars(select(Practice).where(*out, readable).order_by(Practice.changed.desc())))


def archived(session: Session, slug: str) -> Practice | None:
    """The archived practice at an address, if there is one: its page and its versions stay readable."""
    statement = select(Practice).where(Practice.slug == slug, Practice.state == State.ARCHIVED)
    return session.scalar(statement.where(Practice.merged_into_id.is_(None)))


def archived_on(session: Session, practice: Practice) -> datetime:
    """When a practice was archived."""
    noted = (AuditEntry.object_kind == "practice", AuditEntry.object_id == str(practice.id),
             AuditEntry.action == "practice.archive")  # fmt: skip
    statement = select(AuditEntry.created).where(*noted).order_by(AuditEntry.id.desc()).limit(1)
    return session.scalar(statement) or practice.changed


def offline_since(session: Session, practice: Practice) -> datetime | None:
    """When an editor took a practice offline that is offline now; None where that is not why it is."""
    if practice.record is not None or practice.state == State.ARCHIVED:
        return None
    told = ("practice.publish", "practice.republish", "practice.restore", "practice.unpublish", "practice.redact")
    noted = (AuditEntry.object_kind == "practice", AuditEntry.object_id == str(practice.id),
             AuditEntry.action.in_(told))  # fmt: skip
    newest = session.scalar(select(AuditEntry).where(*noted).order_by(AuditEntry.id.desc()).limit(1))
    return newest.created if newest is not None and newest.action == "practice.unpublish" else None


def _put_online(session: Session, actor: User, practice: Practice, action: str, reason: str) -> None:
    _step(session, actor, practice, action)
    make_public_again(session, practice)
    _note(session, actor, practice, action, reason)
    notices.tell_owner(session, "practice-published", practice, but=actor, url=f"/practices/{practice.slug}")


def _step(session: Session, actor: User, practice: Practice, action: str) -> Transition:
    """The transition, or why there is none: not this person's to make, or not from where the practice stands."""
    if not entitled(actor, action, practice):
        raise NotAllowed(N_("This practice is not yours to do this with."))
    step = transition(action, practice)
    if step is None or not can(actor, action, practice):
        raise Conflict(N_("This cannot be done any more: somebody was faster, or has changed the practice since."))
    if _own(session, actor, practice, action):
        raise NotAllowed(moderation.ANOTHER)
    hindrance = _hindrance(session, practice, action)
    if hindrance is not None:
        raise hindrance
    return step


def _own(session: Session, actor: User | None, practice: Practice, action: str) -> bool:
    """Whether another editor has to make a step, because the practice is this editor's own."""
    return action in BACK and actor is not None and moderation.own(session, actor, practice)


def _hindrance(session: Session, practice: Practice, action: str) -> Conflict | None:
    """Why a practice does not come back, though the table would let it: its text is gone, or another stands for it."""
    if action not in ("resume", "restore", "republish"):
        return None
    if practice.merged_into_id is not None:
        return Conflict(N_("This practice was merged into another one: its address leads there."))
    number = Revision.number == practice.revision_count if action == "resume" else Revision.version == practice.version
    gone = select(Revision.redacted).where(Revision.practice_id == practice.id, number)
    if session.scalar(gone) is not None:
        return Conflict(N_("The text of this practice was removed: there is nothing to come back to."))
    return None


def _checked(reason: str, *, needed: bool = False) -> str:
    reason = reason.strip()
    if needed and not reason:
        raise Invalid([Problem.of("reason", N_("Say why: the owner reads it."))])
    if len(reason) > REASON_LIMIT:
        text = N_("Shorten the reason: the limit is %(limit)d characters.")
        raise Invalid([Problem.of("reason", text, limit=REASON_LIMIT)])
    return reason


def _note(session: Session, actor: User, practice: Practice, action: str, reason: str) -> None:
    """Write the audit entry. A reason may name people: the log only says that there was one."""
    detail = {"reason": True} if reason.strip() else {}
    audit.note(session, actor, f"practice.{action}", "practice", practice.id, **detail)
