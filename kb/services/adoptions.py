"""Adoptions: a member says that a region takes a practice up, its owner or an editor confirms it, readers see it.

Who said it may later say how far the region has come, which readers see at once, and change the words. Changed words
of a confirmed adoption are shown as such until an owner or editor confirms them again, or refuses them: they wait like
new ones. Nothing is removed: what was refused or withdrawn stays, unseen, and may be said again. How adoptions and
practices are read together is in adoption_trail.py, that none leads in a circle in adoption_graph.py.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from kb.models import Adoption, AdoptionStatus, Practice, PracticeAuthor, Record, User
from kb.services import (
    adoption_checking,
    adoption_graph,
    adoption_mail,
    adoption_trail,
    audit,
    datestamps,
    notices,
    reports,
    titles,
)
from kb.services.adoption_checking import Told
from kb.services.adoption_graph import CANONICAL
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.limits import Asking
from kb.services.moderation import editors
from kb.services.permissions import can
from kb.services.publishing import touch
from kb.services.record import tidy
from kb.services.vocabularies import Vocabulary

ANSWER_LIMIT = 2000
"""Characters of the word of whoever decides."""

TOO_LONG = N_("Shorten the text: the limit is %(limit)d characters.")
TAKEN = N_("%(region)s has said so already. Whoever said it can change it, or withdraw it.")
MOVED = N_("This was changed meanwhile. Read it once more, then decide.")


def make(
    session: Session, actor: User, slug: str, told: Told, vocabulary: Vocabulary, count: Asking | None = None
) -> Adoption:
    """Say that a region takes up a public practice; the owner is told, or the editors where there is none.

    `count` counts what nothing is wrong with. Raises NotFound, Gone, Moved, NotAllowed for readers, Invalid with
    everything that is wrong, Conflict where the region has said so already, TooMany.
    """
    practice = reports.subject(session, slug)
    if not can(actor, "adopt"):
        raise NotAllowed(N_("Only members of the network may say that their region adapts a practice."))
    clean = adoption_checking.check(session, actor, practice, told, vocabulary)
    live = (Adoption.region_code == clean.region, Adoption.withdrawn.is_(None), Adoption.accepted.is_not(False))
    if session.scalar(select(Adoption.id).where(_of(practice), *live).limit(1)) is not None:
        raise Conflict(TAKEN, region=vocabulary.region_name(clean.region))
    _hit(count, actor)
    adoption = Adoption(id=uuid.uuid4(), practice_id=practice.id, region_code=clean.region, user_id=actor.id)
    _put(adoption, clean)
    adoption.created = adoption.changed = datetime.now(UTC)
    session.add(adoption)
    try:
        session.flush()
    except IntegrityError:  # on a server's database somebody may have said so in this moment
        raise Conflict(TAKEN, region=vocabulary.region_name(clean.region)) from None
    _note(session, actor, "make", adoption, status=clean.status)
    adoption_mail.tell_deciders(session, actor, "adoption-made", adoption, practice, vocabulary)
    return adoption


def change(
    session: Session, actor: User, adoption_id: uuid.UUID, told: Told, vocabulary: Vocabulary,
    count: Asking | None = None,
) -> Adoption:  # fmt: skip
    """Say how far the region has come by now, or put other words in place of the former.

    The region stays: withdraw it and say it of another. Raises NotFound for who did not say it, Invalid, TooMany,
    Conflict for what was refused or withdrawn.
    """
    _lock(session, adoption_id)
    adoption = own(session, actor, adoption_id)
    _still(adoption)
    practice = now_of(session, adoption)
    clean = adoption_checking.check(session, actor, practice, told, vocabulary, adoption)
    _hit(count, actor)
    before, status = _words(adoption), adoption.status
    _put(adoption, clean)
    anew = _words(adoption) != before
    if anew:
        adoption.changed = datetime.now(UTC)
        if adoption.accepted and _may_decide(session, actor, adoption):
            adoption.decided, adoption.decider_id = adoption.changed, actor.id
        _note(session, actor, "change", adoption)
        adoption_mail.tell_deciders(session, actor, "adoption-changed", adoption, practice, vocabulary)
    if adoption.status != status:
        _note(session, actor, "status", adoption, status=adoption.status)
    if adoption.accepted and (anew or adoption.status != status):
        _seen_anew(session, practice)
    return adoption


def withdraw(session: Session, actor: User, adoption_id: uuid.UUID, vocabulary: Vocabulary) -> Adoption:
    """Take back that a region takes a practice up. Raises NotFound for who did not say it, Conflict."""
    _lock(session, adoption_id)
    adoption = own(session, actor, adoption_id)
    _still(adoption)
    adoption.withdrawn = datetime.now(UTC)
    _note(session, actor, "withdraw", adoption)
    if adoption.accepted:
        practice = now_of(session, adoption)
        adoption_mail.tell_deciders(session, actor, "adoption-withdrawn", adoption, practice, vocabulary)
        _seen_anew(session, practice)
    return adoption


def decide(
    session: Session, actor: User, adoption_id: uuid.UUID, accepted: bool, answer: str, vocabulary: Vocabulary,
    seen: str = "",
) -> Adoption:  # fmt: skip
    """Confirm an adoption or its changed words, or refuse it with a word why; who said it is told.

    `seen` is the mark of what was read; "" does not ask. Raises NotFound, NotAllowed, also for one's own while somebody
    else could decide, Conflict where it was decided, withdrawn or changed meanwhile, Invalid for a refusal without a
    word.
    """
    _lock(session, adoption_id)
    adoption = get(session, adoption_id)
    practice = now_of(session, adoption)
    if not can(actor, "decide-adoption", practice):
        raise NotAllowed(N_("Only the owner of the practice or an editor may do this."))
    if adoption.withdrawn is not None:
        raise Conflict(N_("This was withdrawn meanwhile."))
    if adoption.accepted is not None and not adoption_trail.told_anew(adoption):
        raise Conflict(N_("This was decided already."))
    if seen not in ("", mark(adoption)):
        raise Conflict(MOVED)
    if not _may_decide(session, actor, adoption):
        raise NotAllowed(N_("Somebody else has to decide on this: you said it yourself."))
    said, seen_before = _answer(answer, needed=not accepted), bool(adoption.accepted)
    adoption.accepted, adoption.answer = accepted, said
    adoption.decided, adoption.decider_id = max(datetime.now(UTC), adoption.changed), actor.id
    if accepted and adoption.own is not None:
        adoption_graph.check_adoption(session, adoption.own, adoption.practice)
    session.flush()
    _note(session, actor, "decide", adoption, accepted=accepted)
    kind = "adoption-confirmed" if accepted else "adoption-refused"
    adoption_mail.tell_teller(session, actor, kind, adoption, practice, vocabulary, said)
    if accepted or seen_before:
        _seen_anew(session, practice)
    return adoption


def end(session: Session, actor: User, adoption_id: uuid.UUID, answer: str, vocabulary: Vocabulary) -> Adoption:
    """Take a confirmed adoption away as an editor, with a word why; who said it is told.

    Raises NotAllowed, NotFound, Conflict where readers do not see it, Invalid without a word.
    """
    _lock(session, adoption_id)
    adoption = get(session, adoption_id)
    if not can(actor, "end-adoption"):
        raise NotAllowed(N_("Only editors may do this."))
    if not adoption.accepted or adoption.withdrawn is not None:
        raise Conflict(N_("Readers do not see this any more."))
    adoption.answer = _answer(answer, needed=True)
    adoption.withdrawn = datetime.now(UTC)
    _note(session, actor, "end", adoption)
    practice = now_of(session, adoption)
    adoption_mail.tell_teller(session, actor, "adoption-ended", adoption, practice, vocabulary, adoption.answer)
    _seen_anew(session, practice)
    return adoption


# Reading


def get(session: Session, adoption_id: uuid.UUID) -> Adoption:
    """An adoption. Raises NotFound."""
    adoption = session.get(Adoption, adoption_id)
    if adoption is None:
        raise NotFound(N_("There is no such adoption, or it is not yours."))
    return adoption


def own(session: Session, actor: User, adoption_id: uuid.UUID) -> Adoption:
    """An adoption that somebody said, for them. Raises NotFound, NotAllowed for who is no member any more."""
    adoption = get(session, adoption_id)
    if adoption.user_id != actor.id:
        raise NotFound(N_("There is no such adoption, or it is not yours."))
    if not can(actor, "adopt"):
        raise NotAllowed(N_("Only members of the network may say that their region adapts a practice."))
    return adoption


def of_person(session: Session, actor: User) -> list[Adoption]:
    """What somebody said and did not withdraw, the last said first."""
    theirs = select(Adoption).where(Adoption.user_id == actor.id, Adoption.withdrawn.is_(None))
    practice = joinedload(Adoption.practice).options(titles.OF_LISTED)
    return list(session.scalars(theirs.options(practice).order_by(Adoption.created.desc())))


def said_of(session: Session, actor: User, practice: Practice) -> list[Adoption]:
    """What somebody said of regions that take a practice up, and stands: neither refused nor withdrawn; last first."""
    theirs = select(Adoption).where(Adoption.user_id == actor.id, _of(practice))
    theirs = theirs.where(Adoption.withdrawn.is_(None), Adoption.accepted.is_not(False))
    return list(session.scalars(theirs.order_by(Adoption.created.desc())))


def to_decide(session: Session, actor: User) -> list[Adoption]:
    """What waits for somebody as owner of the practice, the longest waiting first."""
    if not can(actor, "adopt"):
        return []
    now, adoptions = _waiting()
    written = select(PracticeAuthor.practice_id).where(PracticeAuthor.user_id == actor.id)
    theirs = or_(now.owner_id == actor.id, now.id.in_(written))
    if actor.organisation_id is not None:
        theirs = or_(theirs, now.organisation_id == actor.organisation_id)
    return list(session.scalars(adoptions.where(theirs)))


def waiting(session: Session) -> list[Adoption]:
    """Everything that waits for an owner or an editor, the longest waiting first."""
    return list(session.scalars(_waiting()[1]))


def waiting_count(session: Session) -> int:
    """How many adoptions wait."""
    return session.scalar(select(func.count()).select_from(_waiting()[1].order_by(None).subquery())) or 0


def waiting_for(session: Session, practice: Practice) -> list[Adoption]:
    """What waits of one practice, the longest waiting first."""
    now, adoptions = _waiting()
    return list(session.scalars(adoptions.where(now.id == practice.id)))


def now_of(session: Session, adoption: Adoption) -> Practice:
    """The practice that was adopted as it is by now: the one that it was merged into, or itself."""
    into = adoption.practice.merged_into_id
    return session.get_one(Practice, into) if into else adoption.practice


def mark(adoption: Adoption) -> str:
    """What tells what was said from what it says later."""
    return f"{adoption.changed.timestamp():.6f} {adoption.status}"


# Whom to write to, and leaving


def naming(session: Session, person: User) -> list[Adoption]:
    """The adoptions that name somebody's address as contact, and were not withdrawn."""
    named = select(Adoption).where(contact_is(person.email), Adoption.withdrawn.is_(None))
    return list(session.scalars(named.options(joinedload(Adoption.practice)).order_by(Adoption.created)))


def withdraw_contact(session: Session, actor: User, adoption_id: uuid.UUID) -> None:
    """Take consent back for the person whom an adoption names: name and address go, the role stays.

    That person may do it, who said the adoption, and editors. Raises NotFound for anybody else.
    """
    _lock(session, adoption_id)
    adoption = get(session, adoption_id)
    oneself = adoption.contact_email.strip().lower() == actor.email
    if not (oneself or adoption.user_id == actor.id or can(actor, "end-adoption")):
        raise NotFound(N_("There is no such adoption, or it is not yours."))
    adoption.contact_name = adoption.contact_email = ""
    adoption.contact_consent = False
    _note(session, actor, "withdraw-contact", adoption)


def forget(session: Session, person: User) -> None:
    """Take somebody who leaves out of adoptions: what waits is dropped; of the rest the region stays, not the person.

    Where they are named as contact by somebody else, that goes too.
    """
    session.execute(delete(Adoption).where(Adoption.user_id == person.id, Adoption.accepted.is_(None)))
    nobody = {"contact_role": "", "contact_email": "", "contact_name": "", "contact_consent": False}
    session.execute(update(Adoption).where(Adoption.user_id == person.id).values(user_id=None, **nobody))
    session.execute(update(Adoption).where(contact_is(person.email)).values(**nobody))


def contact_is(email: str) -> ColumnElement[bool]:
    """Whether an adoption's contact has an address, however it was typed there."""
    return func.lower(func.trim(Adoption.contact_email)) == email


# What is kept


def _put(adoption: Adoption, told: Told) -> None:
    adoption.status, adoption.changes = AdoptionStatus(told.status), told.changes
    adoption.organisation = told.organisation
    adoption.own_id = uuid.UUID(told.own) if told.own else None
    adoption.contact_role, adoption.contact_email = told.contact["role"], told.contact["email"]
    adoption.contact_name, adoption.contact_consent = told.contact["name"], told.contact["consent"]


def _words(adoption: Adoption) -> tuple[Any, ...]:
    """What readers see of an adoption and somebody confirmed, but how far it has come."""
    return adoption.changes, adoption.organisation, adoption.own_id


# Who decides


def _may_decide(session: Session, actor: User, adoption: Adoption) -> bool:
    """Whether somebody may decide on an adoption: not on their own, while anybody else could."""
    practice = now_of(session, adoption)
    if not can(actor, "decide-adoption", practice):
        return False
    if adoption.user_id != actor.id:
        return True
    others = {*(each.id for each in editors(session)), *notices.writers(practice)} - {actor.id}
    return not others


def may_decide(session: Session, actor: User, adoption: Adoption) -> bool:
    """Whether an adoption waits, and somebody may decide on it."""
    open_to = adoption.withdrawn is None and (adoption.accepted is None or adoption_trail.told_anew(adoption))
    return open_to and _may_decide(session, actor, adoption)


def _lock(session: Session, adoption_id: uuid.UUID) -> None:
    """Read an adoption anew, and let nobody else write it before this transaction ends.

    SQLite has one writer at a time anyway; on a server's database two could decide on what both have read before.
    """
    session.flush()
    held = select(Adoption).where(Adoption.id == adoption_id).with_for_update(of=Adoption)
    session.scalars(held.execution_options(populate_existing=True)).one_or_none()


def _still(adoption: Adoption) -> None:
    if adoption.withdrawn is not None or adoption.accepted is False:
        raise Conflict(N_("This was refused or withdrawn. Say it anew from the page of the practice."))


def _hit(count: Asking | None, actor: User) -> None:
    if count is not None:
        count.hit("", str(actor.id))


def _answer(answer: str, *, needed: bool) -> str:
    said = tidy(answer) or ""
    if needed and not said:
        raise Invalid([Problem.of("answer", N_("Say in a sentence why not: it is mailed."))])
    if len(said) > ANSWER_LIMIT:
        raise Invalid([Problem.of("answer", TOO_LONG, limit=ANSWER_LIMIT)])
    return said


def _of(practice: Practice) -> ColumnElement[bool]:
    """Which adoptions are of a practice, or of one that was merged into it."""
    merged = select(Practice.id).where(Practice.merged_into_id == practice.id)
    return or_(Adoption.practice_id == practice.id, Adoption.practice_id.in_(merged))


def _waiting() -> tuple[Any, Select[Adoption]]:
    """What waits for a decision of public practices, and those practices as they are by now."""
    now = aliased(Practice)
    anew = and_(Adoption.accepted.is_(True), Adoption.changed > Adoption.decided)
    found = select(Adoption).join(Practice, Practice.id == Adoption.practice_id).join(now, now.id == CANONICAL)
    found = found.join(Record, Record.practice_id == now.id).options(
        contains_eager(Adoption.practice).options(titles.OF_LISTED)
    )
    found = found.where(Adoption.withdrawn.is_(None), or_(Adoption.accepted.is_(None), anew))
    return now, found.order_by(Adoption.changed, Adoption.id)


# What follows


def _seen_anew(session: Session, practice: Practice) -> None:
    """Have the index count again, and whoever keeps a copy of a page or list ask for it anew."""
    touch(session, practice)
    if practice.record is not None:
        datestamps.stamp(session, practice)


def _note(session: Session, actor: User, action: str, adoption: Adoption, **detail: Any) -> None:
    ids = {"adoption": str(adoption.id), "region": adoption.region_code}
    audit.note(session, actor, f"adoption.{action}", "practice", adoption.practice_id, **ids, **detail)
