"""Who writes a practice: its owner and co-authors. A part is offered by mail and taken by whoever has the address.

The answer to an offer is the same whether or not the address has an account, and the mail's link takes nothing by
itself: whoever opens it signs in with the account of that address and presses a button.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session, joinedload

from kb.models import AuditEntry, Offer, Part, Practice, PracticeAuthor, Role, User
from kb.services import accounts, audit, mail, notices
from kb.services.errors import N_, Conflict, Gone, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import EDITABLE, at_least, can, holds, owns, transition, writes
from kb.services.publishing import return_to_public
from kb.services.tokens import digest, fresh

LIFE = timedelta(days=14)
"""How long an offer may be taken."""

MOST = 20
"""Offers of one practice that may be open at the same time."""

KINDS = {Part.CO_AUTHOR: "offer-co-author", Part.OWNER: "offer-owner"}
"""The mail that brings an offer."""


def co_authors(session: Session, practice: Practice) -> list[PracticeAuthor]:
    """Those who write a practice beside its owner, the first to come first."""
    theirs = select(PracticeAuthor).where(PracticeAuthor.practice_id == practice.id)
    return list(session.scalars(theirs.options(joinedload(PracticeAuthor.user)).order_by(PracticeAuthor.added)))


def open_offers(session: Session, practice: Practice) -> list[Offer]:
    """The offers of a practice that can still be taken, the newest first."""
    waiting = select(Offer).where(Offer.practice_id == practice.id, *_waiting())
    return list(session.scalars(waiting.options(joinedload(Offer.maker)).order_by(Offer.created.desc())))


def may_offer(actor: User | None, practice: Practice) -> tuple[Part, ...]:
    """The parts of a practice that somebody may offer to others."""
    offered = ((Part.CO_AUTHOR, can(actor, "share", practice)), (Part.OWNER, holds(actor, practice)))
    return tuple(part for part, may in offered if may)


def may_withdraw(actor: User, offer: Offer) -> bool:
    """Whether somebody may take an offer back: who made it, and whose the practice is."""
    return offer.maker_id == actor.id or holds(actor, offer.practice)


def offer(
    session: Session, actor: User, practice: Practice, part: Part | str, email: str, base_url: str, *,
    stays: bool = True,
) -> Offer:  # fmt: skip
    """Mail somebody an offer of a part, in place of an earlier one to the same address.

    `stays`: whether the present owner goes on as co-author once the other is the owner. Raises NotAllowed, Invalid.
    """
    part = _part(actor, practice, part)
    address = accounts.valid_address(email)
    if address == actor.email:
        raise Invalid([Problem.of("email", N_("This is your own address."))])
    now = datetime.now(UTC)
    same = (Offer.practice_id == practice.id, Offer.email == address, *_waiting())
    session.execute(update(Offer).where(*same).values(withdrawn=now))
    if len(open_offers(session, practice)) >= MOST:
        text = N_("There are %(most)d open offers already. Take one back first.")
        raise Invalid([Problem.of("email", text, most=MOST)])
    token = fresh()
    made = Offer(id=uuid.uuid4(), token_hash=digest(token), practice_id=practice.id, part=part, email=address,
                 stays=stays, maker_id=actor.id, created=now, expires=now + LIFE)  # fmt: skip
    session.add(made)
    known = accounts.find(session, address)
    mail.tell(
        session, KINDS[part], address, user=known if known and notices.reachable(known) else None,
        language=actor.language, title=practice.title, inviter=actor.name or actor.email,
        url=f"{base_url}/offers/{token}", days=LIFE.days,
    )  # fmt: skip
    audit.note(session, actor, "practice.offer", "practice", practice.id, part=part.value)
    return made


def withdraw(session: Session, actor: User, practice: Practice, offer_id: uuid.UUID) -> None:
    """Take an offer back: its link stops working. Raises NotFound, NotAllowed, Conflict where it is not open."""
    found = session.get(Offer, offer_id)
    if found is None or found.practice_id != practice.id:
        raise NotFound(N_("There is no such offer."))
    if not may_withdraw(actor, found):
        raise NotAllowed(N_("Only who made an offer takes it back."))
    if found.accepted is not None or found.withdrawn is not None:
        raise Conflict(N_("This offer was taken, or taken back, already."))
    found.withdrawn = datetime.now(UTC)
    audit.note(session, actor, "practice.withdraw-offer", "practice", practice.id, part=found.part.value)


def check(session: Session, actor: User, token: str) -> Offer:
    """The offer behind a link, for the person it was made to.

    Raises NotFound, NotAllowed for anybody else, Gone with a sentence where it does not work any more.
    """
    found = session.scalar(select(Offer).where(Offer.token_hash == digest(token)))
    if found is None:
        raise NotFound(N_("This offer is not known. Perhaps its address was not copied whole."))
    if found.email != actor.email:
        raise NotAllowed(N_("This offer was made to another address. Sign in with the account of that address."))
    if found.accepted is not None:
        raise Gone(N_("You took this offer already: the practice is among yours."))
    if found.withdrawn is not None:
        raise Gone(N_("This offer was taken back, or a newer one took its place. Look for a later mail."))
    if found.expires <= datetime.now(UTC):
        raise Gone(N_("This offer is too old: it worked for %(days)d days."), days=LIFE.days)
    if found.part not in may_offer(found.maker, found.practice):
        raise Gone(N_("Whoever made this offer cannot make it any more."))
    return found


def accept(session: Session, actor: User, token: str) -> Practice:
    """Take what was offered. Raises as `check` does, and NotAllowed for someone who may not write practices."""
    found = check(session, actor, token)
    if not at_least(actor, Role.MEMBER):
        raise NotAllowed(
            N_("Only members of the network write practices. Ask the editors to make you one, then come back.")
        )
    practice = found.practice
    if found.part == Part.OWNER and practice.owner_id is None:  # an editor offered it, not who wrote what is not sent
        hand_out(session, actor, practice, actor, stays=found.stays)
    elif found.part == Part.OWNER:
        give(session, practice, actor, stays=found.stays)
    elif practice.owner_id != actor.id and not writes(actor, practice):
        _add(practice, actor)
    found.accepted = datetime.now(UTC)
    audit.note(session, actor, "practice.take-part", "practice", practice.id, part=found.part.value)
    name = actor.name or actor.email
    notices.tell_person(session, "offer-accepted", found.maker, title=practice.title, name=name, url=_address(practice))
    return practice


def remove(session: Session, actor: User, practice: Practice, user_id: uuid.UUID) -> None:
    """End a co-author's part: one's own, or, as owner, another's. Raises NotFound, NotAllowed."""
    part = next((each for each in practice.authors if each.user_id == user_id), None)
    if part is None:
        raise NotFound(N_("This person is no co-author."))
    if user_id != actor.id and not holds(actor, practice):
        raise NotAllowed(N_("Only the owner takes a co-author’s part away."))
    practice.authors.remove(part)
    action = "practice.give-up-part" if user_id == actor.id else "practice.remove-author"
    audit.note(session, actor, action, "practice", practice.id, part=Part.CO_AUTHOR.value)


def give_up(session: Session, actor: User, practice: Practice) -> None:
    """Let a practice go that one owns. It stays its co-authors' and the organisation's; of a public one without either
    the editors take care.

    Raises NotAllowed, and Conflict where nobody could go on with it.
    """
    if practice.owner_id != actor.id:
        raise NotAllowed(N_("Only the owner gives a practice up."))
    if practice.version == 0 and not shared(session, practice, but=actor):
        text = N_("Nobody else could go on with it. Offer it to somebody first, or put it away.")
        raise Conflict(text)
    practice.owner_id = None
    audit.note(session, actor, "practice.give-up-part", "practice", practice.id, part=Part.OWNER.value)


def may_give_up(session: Session, actor: User, practice: Practice) -> bool:
    """Whether somebody owns a practice that others could go on with."""
    return practice.owner_id == actor.id and (practice.version > 0 or shared(session, practice, but=actor))


def shared(session: Session, practice: Practice, *, but: User) -> bool:
    """Whether somebody else can go on writing: a co-author, or a member of the organisation whose practice it is."""
    writers = select(PracticeAuthor.user_id).where(PracticeAuthor.practice_id == practice.id)
    theirs: ColumnElement[bool] = User.id.in_(writers)
    if practice.organisation_id is not None:
        theirs = or_(theirs, User.organisation_id == practice.organisation_id)
    able = (User.id != but.id, User.active, User.role != Role.READER)
    return session.scalar(select(User.id).where(theirs, *able).limit(1)) is not None


def forget(session: Session, person: User) -> None:
    """Take somebody who leaves out of everything here; what they offered to others does not hold any more."""
    session.execute(delete(PracticeAuthor).where(PracticeAuthor.user_id == person.id))
    session.execute(delete(Offer).where(Offer.email == person.email))
    mine = update(Offer).where(Offer.maker_id == person.id)
    session.execute(mine.where(*_waiting()).values(withdrawn=datetime.now(UTC)))
    session.execute(mine.values(maker_id=None))


def _part(actor: User, practice: Practice, part: Part | str) -> Part:
    """The part as the enum. Raises Invalid for none, NotAllowed for one that is not this person's to give."""
    if part not in tuple(Part):
        raise Invalid([Problem.of("part", N_("Choose what you offer."))])
    if Part(part) not in may_offer(actor, practice):
        if part == Part.OWNER and owns(actor, practice):
            raise NotAllowed(N_("Only the owner gives a practice to somebody else, or an editor where there is none."))
        raise NotAllowed(N_("This practice is not yours to share."))
    return Part(part)


def give(session: Session, practice: Practice, new: User, *, stays: bool) -> None:
    """Make somebody the owner; their organisation shares the practice from now on.

    `stays`: who owned it before goes on as co-author. Whether the actor may do it is for the caller to ask.
    """
    before = practice.owner
    practice.authors[:] = [each for each in practice.authors if each.user_id != new.id]
    if before is not None and before.id != new.id and stays and before.active:
        _add(practice, before)
    practice.owner_id, practice.organisation_id = new.id, new.organisation_id
    practice.reminded = practice.escalated = None  # whoever has it now was asked nothing yet
    session.flush()
    session.expire(practice, ["owner"])


def hand_out(session: Session, actor: User, practice: Practice, new: User, *, stays: bool) -> None:
    """Make somebody the owner by the editors' word, not the owner's: as `give`, but somebody new gets what is public.

    To whom it was not before, a public practice comes without the update that was not sent, the contact of who had it
    and, in the history, the texts that were never public.
    """
    if practice.version > 0 and not owns(new, practice):
        _begin_anew(session, actor, practice)
    give(session, practice, new, stays=stays)


def closed(session: Session, practice: Practice) -> int:
    """The revision up to which the history shows only what was public, and to everybody what they wrote; 0 for none."""
    handed = (AuditEntry.object_kind == "practice", AuditEntry.object_id == str(practice.id),
              AuditEntry.action == "practice.begin-anew")  # fmt: skip
    last = select(AuditEntry.detail).where(*handed).order_by(AuditEntry.id.desc()).limit(1)
    return int((session.scalar(last) or {}).get("revision", 0))


def _begin_anew(session: Session, actor: User, practice: Practice) -> None:
    until = practice.revision_count - 1  # the last is what is public, or what the editors have
    step = transition("discard-update", practice) or transition("abandon", practice)
    if practice.state in EDITABLE and step is not None:
        until += 1
        practice.state, practice.editor_id = step.target, None
        return_to_public(session, practice)
    practice.contact = None
    audit.note(session, actor, "practice.begin-anew", "practice", practice.id, revision=until)


def _add(practice: Practice, person: User) -> None:
    practice.authors.append(PracticeAuthor(user_id=person.id, added=datetime.now(UTC)))


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return (Offer.accepted.is_(None), Offer.withdrawn.is_(None), Offer.expires > datetime.now(UTC))


def _address(practice: Practice) -> str:
    return f"/my/practices/{practice.id}/sharing"
