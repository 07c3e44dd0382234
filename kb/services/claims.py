"""Claims: a member says that a public practice without an owner is theirs to keep, and an editor decides."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from kb.models import Claim, Practice, Role, User
from kb.services import audit, authors, notices, reports, titles
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.moderation import editors
from kb.services.paging import PER_PAGE, Page, within
from kb.services.permissions import at_least, can
from kb.services.publishing import now
from kb.services.record import tidy

REASON_LIMIT = 2000
"""Characters of a reason, and of the editor's word."""

TOO_LONG = N_("Shorten the text: the limit is %(limit)d characters.")
OWNED = N_("This practice has an owner already. If something in it is wrong, report it.")
GIVEN = N_("Somebody else was confirmed as the owner of this practice.")
MERGED = N_("This practice was merged into another one. You can claim that one.")


def subject(session: Session, slug: str) -> Practice:
    """The public practice at an address. Raises NotFound, Gone, Moved."""
    return reports.subject(session, slug)


def make(session: Session, actor: User, slug: str, reason: str) -> Claim:
    """Claim a practice; the editors are told.

    Raises NotFound, NotAllowed for readers, Conflict where it has an owner or this person's claim waits already,
    Invalid without a reason.
    """
    practice = subject(session, slug)
    if not can(actor, "write"):
        raise NotAllowed(N_("Only members of the network may claim practices."))
    if practice.owner_id is not None:
        raise Conflict(OWNED)
    if waits(session, actor, practice):
        raise Conflict(N_("You have claimed this practice already. An editor decides, and you get a mail then."))
    said = tidy(reason) or ""
    if not said:
        raise Invalid([Problem.of("reason", N_("Write why it is yours, in a sentence or two."))])
    if len(said) > REASON_LIMIT:
        raise Invalid([Problem.of("reason", TOO_LONG, limit=REASON_LIMIT)])
    claim = Claim(id=uuid.uuid4(), practice_id=practice.id, user_id=actor.id, reason=said)
    session.add(claim)
    data = {"url": f"/review/claims#c-{claim.id}", "name": actor.name or actor.email}
    notices.tell_editors(session, "claim-made", but=actor, title=titles.public(session, practice), **data)
    audit.note(session, actor, "claim.make", "practice", practice.id, claim=str(claim.id))
    return claim


def waits(session: Session, person: User, practice: Practice) -> bool:
    """Whether somebody's claim of a practice is undecided."""
    theirs = (Claim.practice_id == practice.id, Claim.user_id == person.id, Claim.decided.is_(None))
    return session.scalar(select(Claim.id).where(*theirs).limit(1)) is not None


def open_claims(session: Session) -> list[Claim]:
    """Claims that wait for a decision, the longest waiting first."""
    return list(session.scalars(_listed().where(Claim.decided.is_(None)).order_by(Claim.created, Claim.id)))


def decided_claims(session: Session, number: int = 1) -> Page[Claim]:
    """Claims that were decided, the latest first."""
    total = session.scalar(select(func.count()).where(Claim.decided.is_not(None))) or 0
    number = within(number, total)
    latest = _listed().where(Claim.decided.is_not(None)).order_by(Claim.decided.desc(), Claim.id)
    return Page(list(session.scalars(latest.offset((number - 1) * PER_PAGE).limit(PER_PAGE))), number, total)


def decide(session: Session, actor: User, claim_id: uuid.UUID, accepted: bool, answer: str = "") -> Claim:
    """Confirm or refuse a claim, and tell who made it.

    With a confirmation the practice is theirs and their organisation's, and other claims of it are refused. Raises
    NotAllowed, also for one's own claim while there is another editor, NotFound, Conflict where it cannot be decided
    (any more), Invalid for a refusal without a word.
    """
    claim = _undecided(session, actor, claim_id)
    said = tidy(answer) or ""
    if len(said) > REASON_LIMIT:
        raise Invalid([Problem.of("answer", TOO_LONG, limit=REASON_LIMIT)])
    if not accepted and not said:
        raise Invalid([Problem.of("answer", N_("Say in a sentence why not: it is mailed."))])
    if accepted:
        _give(session, actor, claim)
    _close(session, actor, claim, accepted, said)
    kind, practice = "claim-accepted" if accepted else "claim-refused", claim.practice
    url = f"/my/practices/{practice.id}/edit" if accepted else f"/practices/{practice.slug}"
    _tell(session, actor, kind, claim, url=url, message=said)
    if accepted:
        refuse_others(session, actor, practice, GIVEN)
    return claim


def refuse_others(session: Session, actor: User, practice: Practice, sentence: str) -> None:
    """Refuse every claim of a practice that waits, with a sentence of ours: GIVEN or MERGED."""
    kind = "claim-merged" if sentence == MERGED else "claim-given"
    for claim in session.scalars(select(Claim).where(Claim.practice_id == practice.id, Claim.decided.is_(None))):
        _close(session, actor, claim, False, sentence)
        _tell(session, actor, kind, claim, url=f"/practices/{practice.slug}")


def forget(session: Session, person: User) -> None:
    """Take somebody who leaves out of their claims: what waits is dropped, of the rest the reason is emptied."""
    session.execute(delete(Claim).where(Claim.user_id == person.id, Claim.decided.is_(None)))
    session.execute(update(Claim).where(Claim.user_id == person.id).values(reason=""))


def _undecided(session: Session, actor: User, claim_id: uuid.UUID) -> Claim:
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors decide on claims."))
    claim = session.get(Claim, claim_id)
    if claim is None:
        raise NotFound(N_("There is no such claim."))
    # Claims of one practice are decided one after the other: on a server's database two editors might do so at once.
    session.flush()
    session.get_one(Practice, claim.practice_id, populate_existing=True, with_for_update=True)
    session.refresh(claim)
    if claim.decided is not None:
        raise Conflict(N_("This claim was decided already."))
    if claim.user_id == actor.id and any(each.id != actor.id for each in editors(session)):
        raise NotAllowed(N_("Another editor has to decide on this: it is your own claim."))
    return claim


def _give(session: Session, actor: User, claim: Claim) -> None:
    """Make who claimed a practice its owner. Raises Conflict."""
    practice, person = claim.practice, claim.user
    if practice.owner_id is not None:
        raise Conflict(N_("This practice has an owner by now. Refuse the claim."))
    if practice.record is None:
        raise Conflict(N_("This practice is not public any more. Refuse the claim."))
    if not at_least(person, Role.MEMBER):
        raise Conflict(N_("Who made this claim is no member any more. Refuse the claim."))
    authors.hand_out(session, actor, practice, person, stays=False)


def _close(session: Session, actor: User, claim: Claim, accepted: bool, answer: str) -> None:
    claim.accepted, claim.decided, claim.decider_id, claim.answer = accepted, now(), actor.id, answer
    audit.note(session, actor, "claim.decide", "practice", claim.practice_id, claim=str(claim.id), accepted=accepted)


def _tell(session: Session, actor: User, kind: str, claim: Claim, **data: Any) -> None:
    if claim.user_id != actor.id:
        title = titles.known(session, claim.user, claim.practice)
        notices.tell_person(session, kind, claim.user, title=title, **data)


def _listed() -> Any:
    return select(Claim).options(joinedload(Claim.practice), joinedload(Claim.user), joinedload(Claim.decider))
