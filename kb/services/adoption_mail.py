"""Who gets a mail about an adoption: those who decide on it, and who said it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Adoption, MailMessage, Practice, User
from kb.services import notices, titles
from kb.services.moderation import editors
from kb.services.vocabularies import Vocabulary


def tell_deciders(
    session: Session, actor: User, kind: str, adoption: Adoption, practice: Practice, vocabulary: Vocabulary
) -> None:
    """Tell whose practice it is; the editors, where that is nobody who can be reached, or who said it.

    Nobody gets a second mail of a kind about it while the first waits to be sent: both lead to the same words.
    `practice` is the one that was adopted as it is by now. That an adoption was withdrawn is no news to editors.
    """
    data = {"region": vocabulary.region_name(adoption.region_code), "url": _url(practice)}
    data |= {"message": adoption.changes} if kind != "adoption-withdrawn" else {}
    theirs = [each for each in notices.writers(practice).values() if notices.reachable(each) and each.id != actor.id]
    for person in theirs:
        _tell(session, kind, person, title=titles.known(session, person, practice), **data)
    if not theirs and kind in ("adoption-made", "adoption-changed"):
        for editor in editors(session):
            if editor.id != actor.id:
                _tell(session, "adoption-waiting", editor, title=titles.public(session, practice), **data)


def tell_teller(
    session: Session, actor: User, kind: str, adoption: Adoption, practice: Practice, vocabulary: Vocabulary,
    message: str,
) -> None:  # fmt: skip
    """Tell who said it what was decided, unless they did that themselves."""
    if adoption.user_id is None or adoption.user_id == actor.id:
        return
    data = {"region": vocabulary.region_name(adoption.region_code), "url": _url(practice), "message": message}
    notices.tell_person(session, kind, adoption.user, title=titles.public(session, practice), **data)


def _tell(session: Session, kind: str, person: User, **data: Any) -> None:
    session.flush()
    held = MailMessage.data
    about = (held["url"].as_string() == data["url"], held["region"].as_string() == data["region"])
    unsent = (MailMessage.sent.is_(None), MailMessage.failed.is_(None), MailMessage.claimed.is_(None))
    waits = select(MailMessage.id).where(MailMessage.user_id == person.id, MailMessage.kind == kind, *unsent, *about)
    if session.scalar(waits.limit(1)) is None:
        notices.tell_person(session, kind, person, **data)


def _url(practice: Practice) -> str:
    return f"/practices/{practice.slug}/adoptions"
