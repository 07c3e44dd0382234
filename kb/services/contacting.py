"""Writing to the owner of a practice through the site: the sender never sees an address, the owner only what is told.

A message goes to the owner and the co-authors who have an account here; where there is none, to the contact whom the
practice names. It is a mail like any other: its text lies in the outbox until it is sent, and nowhere afterwards.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import MailMessage, Practice, User
from kb.services import audit, mail, notices, titles
from kb.services.errors import N_, Conflict, Invalid, Problem, TooMany
from kb.services.limits import Asking
from kb.services.record import tidy

TOPIC_LIMIT = 100
MESSAGE_LIMIT = 4000
"""Characters."""

SIGNED, UNSIGNED = "owner-message", "owner-message-unsigned"
"""Kinds of mail: one that tells who wrote, so that it can be answered, and one that does not."""

NOBODY = N_("Nobody is named to whom this practice could pass a message.")
OWN = N_("This is your own practice: there is nobody else to write to.")
OFTEN = N_("You wrote to owners as often as is allowed in a day. You can send this in %(hours)d h.")

_ADDRESS = re.compile(r"""(?<![^\s<(\[,;:"'])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,63}(?![^\s>)\],;:.!?"'])""")
"""An address of mail that stands by itself: it opens no page."""

_DOT = re.compile(r"(?<=[\w-])[.。．｡](?=[^\W\d_][\w-])")
"""A dot as between the parts of a host's name, in any of the signs that count as one there (UTS 46)."""


@dataclass(frozen=True)
class Letter:
    """What somebody writes. `tell`: the owner is told the sender's name and address, to answer to."""

    topic: str
    message: str
    tell: bool = False


@dataclass(frozen=True)
class Recipient:
    """To whom a message goes; `user` is None for a contact without an account."""

    address: str
    user: User | None = None


def check(letter: Letter, sender: User) -> Letter:
    """Return a letter as it is sent. Raises Invalid with everything that is wrong in it."""
    topic, message = " ".join((tidy(letter.topic) or "").split()), tidy(letter.message) or ""
    problems: list[Problem] = []
    for field, text, limit, empty in (
        ("topic", topic, TOPIC_LIMIT, N_("Write in a few words what it is about.")),
        ("message", message, MESSAGE_LIMIT, N_("Write your message.")),
    ):
        if not text:
            problems.append(Problem.of(field, empty))
        elif len(text) > limit:
            problems.append(Problem.of(field, N_("Shorten this: the limit is %(limit)d characters."), limit=limit))
    if letter.tell and not notices.reachable(sender):
        text = N_("Your account has no e-mail address yet that could be told. Add one to your account first.")
        problems.append(Problem.of("tell", text))
    if problems:
        raise Invalid(problems)
    return Letter(topic, message, letter.tell)


def reaches(practice: Practice, sender: User | None) -> bool:
    """Whether a message about a practice would reach somebody; `sender` is None for whoever is not signed in."""
    try:
        return bool(recipients(practice, sender))
    except Conflict:
        return False


def owned(practice: Practice) -> bool:
    """Whether messages about a practice go to people with an account here, not to the contact whom it names."""
    return bool(_writers(practice))


def _writers(practice: Practice) -> list[User]:
    return [person for person in notices.writers(practice).values() if notices.reachable(person)]


def recipients(practice: Practice, sender: User | None) -> list[Recipient]:
    """To whom a message about a practice goes, each once, never to whoever sends it.

    Raises Conflict where there is nobody, or nobody else.
    """
    me, mine = (sender.id, sender.email) if sender else (None, "")
    writers = _writers(practice)
    others = [Recipient(person.email, person) for person in writers if person.id != me]
    if others:
        return others
    contact = practice.contact.email.strip() if practice.contact else ""
    if contact and contact.lower() != mine and not writers:
        return [Recipient(contact)]
    raise Conflict(OWN if writers or contact else NOBODY)


def send(session: Session, sender: User, practice: Practice, letter: Letter, counted: Asking) -> int:
    """Put a letter into the outbox for everybody it goes to; returns how many that are.

    The same letter twice, while the first waits, is one. Raises Invalid, Conflict where nobody would get it, TooMany.
    """
    letter, people = check(letter, sender), recipients(practice, sender)
    data = {
        "title": titles.public(session, practice),
        "topic": unlinked(letter.topic),
        "message": unlinked(letter.message),
        "url": f"/practices/{practice.slug}/report",
    }
    kind = UNSIGNED
    if letter.tell:
        kind = SIGNED
        data |= {"name": unlinked(sender.name or sender.email), "address": sender.email, "reply_to": sender.email}
    waiting = [(each.address, each.data) for each in _waiting(session)]
    people = [person for person in people if (person.address, data) not in waiting]
    if people:
        _count(counted, sender)
        for person in people:
            mail.tell(session, kind, person.address, user=person.user, language=sender.language, **data)
        audit.note(session, sender, "practice.contact", "practice", practice.id, told=letter.tell)
    return len(people)


def unlinked(text: str) -> str:
    """Text in which no program for mail finds a web address to make a link of: `https[:]//example[.]org/a.b`.

    Addresses of mail stay as they are.
    """
    pieces, end = [], 0
    for address in _ADDRESS.finditer(text):
        pieces += [_broken(text[end : address.start()]), address[0]]
        end = address.end()
    return "".join((*pieces, _broken(text[end:])))


def _broken(text: str) -> str:
    return _DOT.sub(r"[\g<0>]", text).replace("://", "[:]//")


def forget(session: Session, person: User) -> None:
    """Drop the messages that wait to be sent and tell the name and address of somebody who leaves."""
    for message in _waiting(session):
        if message.data.get("reply_to") == person.email:
            session.delete(message)


def _waiting(session: Session) -> Iterator[MailMessage]:
    unsent = (MailMessage.kind.in_((SIGNED, UNSIGNED)), MailMessage.sent.is_(None))
    return iter(session.scalars(select(MailMessage).where(*unsent).with_for_update()).all())


def _count(counted: Asking, sender: User) -> None:
    try:
        counted.hit("", str(sender.id))
    except TooMany as refused:
        hours = max(1, math.ceil(refused.retry_after / 3600))
        raise TooMany(OFTEN, refused.retry_after, hours=hours) from None
