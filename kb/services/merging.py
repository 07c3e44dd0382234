"""Duplicates: one practice is merged into another, its address leads there, and an editor can undo it.

A merged practice is archived with `merged_into_id` set. Nothing of it is lost: its versions stay in the revisions.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Practice, PracticeAuthor, Record, RevisionKind, User
from kb.services import adoption_graph, audit, authors, claims, moderation, notices, previews, titles
from kb.services.errors import N_, Conflict, NotAllowed, NotFound
from kb.services.merged_terms import of_today, term_successors
from kb.services.permissions import Transition, can, transition, writes
from kb.services.practices import working_copy
from kb.services.publishing import add_revision, make_public_again, public_revision, touch, unpublish
from kb.services.record import LABELS, LISTS, Document

FOUND = 20
"""Practices that a search for the other one lists."""

TAKEABLE = {"sources": "url", "links": "url", "translations": "language"}
"""Lists whose entries the other practice can take over, and by what an entry is known."""


@dataclass(frozen=True)
class Pair:
    """A practice beside the one that it would be merged into, and what that one lacks.

    `takeable` are entries that an update of it can take over; `listed` names other fields that it leaves empty.
    """

    old: Document
    new: Document
    takeable: dict[str, list[dict[str, Any]]]
    listed: list[str]

    @property
    def differing(self) -> list[str]:
        """The fields in which the two differ, in the order of the record."""
        return [key for key in LABELS if key in self.old and self.old[key] != self.new[key]]


def get(session: Session, actor: User, practice_id: uuid.UUID) -> Practice:
    """A practice that is public, or was merged. Raises NotAllowed, NotFound."""
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors merge practices."))
    practice = session.get(Practice, practice_id)
    if practice is None or (practice.record is None and practice.merged_into_id is None):
        raise NotFound(N_("There is no such practice, or it is not public."))
    return practice


def find(session: Session, text: str, but: Practice) -> list[Practice]:
    """Public practices at an address, or with all words of a text in the title, by title; without `but`."""
    public = select(Practice).join(Record).where(Practice.id != but.id)
    slug = urlsplit(text.strip()).path.rstrip("/").rpartition("/")[2]
    exact = list(session.scalars(public.where(Practice.slug == slug)))
    if exact or not text.strip():
        return exact
    titled = (or_(func.lower(Record.title).contains(word.lower(), autoescape=True)) for word in text.split()[:10])
    return list(session.scalars(public.where(*titled).order_by(Record.title).limit(FOUND)))


def merged_here(session: Session, practice: Practice) -> list[Practice]:
    """The practices that were merged into one, by title."""
    return list(
        session.scalars(select(Practice).where(Practice.merged_into_id == practice.id).order_by(Practice.title))
    )


def pair(session: Session, actor: User, practice: Practice, into: Practice) -> Pair:
    """What would come of a merge. Raises NotAllowed, Conflict where it cannot be made."""
    _checked(session, actor, practice, into)
    old, new = _public(session, practice), _public(session, into)
    takeable = {key: entries for key in TAKEABLE if (entries := _missing(old[key], new, key))}
    listed = [
        key for key in LABELS
        if key in old and key not in TAKEABLE and old[key] not in (None, []) and new[key] in (None, [])
    ]  # fmt: skip
    return Pair(old, new, takeable, listed)


def merge(session: Session, actor: User, practice: Practice, into: Practice, *, take: bool = False) -> None:
    """Merge a practice into another: it goes offline, and its address leads there.

    Whose it was becomes co-author of the other, or its owner where that has none. With `take` an update of the other
    begins that has the sources, links and translations which it lacks. Raises NotAllowed, Conflict.
    """
    step = _checked(session, actor, practice, into)
    lacking = pair(session, actor, practice, into) if take else None
    unpublish(session, practice)
    previews.end_all(session, actor, practice)
    practice.state, practice.merged_into_id, practice.editor_id = step.target, into.id, None
    touch(session, into)  # whoever took up the one has taken up the other by that: the index counts them
    given = _hand_on(session, actor, practice, into)
    if lacking is not None:  # not before the other has its owner, who is to have this update
        _take_over(session, actor, into, lacking)
    claims.refuse_others(session, actor, practice, claims.MERGED)
    audit.note(session, actor, "practice.merge", "practice", practice.id, into=str(into.id), **given)
    old, new = titles.public(session, practice), titles.public(session, into)
    notices.tell_owner(session, "practice-merged", practice, but=actor, other=new, url=f"/practices/{into.slug}")
    told, url = {actor.id, *notices.writers(practice)}, f"/my/practices/{into.id}/edit"
    for key, person in notices.writers(into).items():
        if key not in told:
            notices.tell_person(session, "practice-joined", person, title=new, other=old, url=url)


def undo(session: Session, actor: User, practice: Practice) -> None:
    """Undo a merge: the practice is online again as it was, and the parts that came with the merge are taken back.

    What the other took over stays there. Raises NotAllowed, also for one's own while there is another editor, Conflict.
    """
    into = session.get(Practice, practice.merged_into_id) if practice.merged_into_id else None
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors merge practices."))
    if into is None or transition("unmerge", practice) is None:
        raise Conflict(N_("This practice is not merged into another."))
    if moderation.own(session, actor, practice):
        raise NotAllowed(moderation.ANOTHER)
    _take_back(session, actor, practice, into)
    practice.merged_into_id = None
    make_public_again(session, practice)
    touch(session, into)
    audit.note(session, actor, "practice.unmerge", "practice", practice.id, into=str(into.id))
    notices.tell_owner(session, "practice-published", practice, but=actor, url=f"/practices/{practice.slug}")


def _checked(session: Session, actor: User, practice: Practice, into: Practice) -> Transition:
    """The step of the workflow. Raises NotAllowed, Conflict where the two cannot be merged."""
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors merge practices."))
    if practice.id == into.id:
        raise Conflict(N_("A practice cannot be merged into itself."))
    if practice.merged_into_id is not None:
        raise Conflict(N_("This practice was merged into another one already."))
    if into.merged_into_id is not None or into.record is None:
        raise Conflict(N_("The other practice is not public. Choose one that readers see."))
    if merged_here(session, practice):
        raise Conflict(N_("Other practices were merged into this one. Undo that first, or merge the other way round."))
    step = transition("merge", practice)
    if step is None or practice.record is None:
        raise Conflict(N_("An update of this practice is in work. Decide on it first, then merge."))
    if transition("start-update", into) is None:  # who wrote this one would come upon a draft that is not theirs
        raise Conflict(N_("An update of the practice that stays is in work. Merge when it is published or given up."))
    adoption_graph.check_merge(session, practice, into)
    return step


def _public(session: Session, practice: Practice) -> Document:
    revision = public_revision(session, practice)
    return of_today(revision.document if revision else None, term_successors(session))


def _missing(entries: Iterable[dict[str, Any]], new: Document, key: str) -> list[dict[str, Any]]:
    """The entries that the other has not: another address, or a language that it is not in."""
    name = TAKEABLE[key]
    known = {_plain(each[name]) for each in new[key]} | ({_plain(new["language"])} if key == "translations" else set())
    return [each for each in entries if _plain(each[name]) not in known]


def _plain(value: Any) -> str:
    return str(value or "").rstrip("/").lower()


def _take_over(session: Session, actor: User, into: Practice, found: Pair) -> None:
    """Begin an update of the other practice with what it lacks. Raises Conflict where one is in work."""
    step = transition("start-update", into)
    if step is None or not found.takeable:
        raise Conflict(
            N_("Nothing can be taken over: an update of the other practice is in work, or it lacks nothing.")
        )
    document = working_copy(session, into)
    document = {**document, **{key: [*document[key], *found.takeable[key]] for key in found.takeable if key in LISTS}}
    into.state = step.target
    add_revision(session, into, RevisionKind.SAVED, document, author_id=actor.id)
    audit.note(session, actor, "practice.start-update", "practice", into.id)


def _hand_on(session: Session, actor: User, practice: Practice, into: Practice) -> dict[str, Any]:
    """Give those who wrote the one their part in the other; what was given, for the log and for the way back."""
    given: dict[str, Any] = {}
    owner = practice.owner
    if into.owner_id is None and owner is not None:
        given = {"owned": str(into.organisation_id or ""), "wrote": writes(owner, into)}
        authors.hand_out(session, actor, into, owner, stays=False)
        _note_owner(session, actor, into, None, owner.id)
        claims.refuse_others(session, actor, into, claims.GIVEN)
    held = {into.owner_id, *(each.user_id for each in into.authors)}
    wrote = {each.user_id for each in practice.authors} | ({owner.id} if owner is not None else set())
    new = sorted(wrote - held, key=str)
    into.authors.extend(PracticeAuthor(user_id=each, added=datetime.now(UTC)) for each in new)
    session.flush()
    return {**given, "authors": [str(each) for each in new]} if new else given


def _take_back(session: Session, actor: User, practice: Practice, into: Practice) -> None:
    """Take back the parts that the merge gave, where they are still as it gave them: not those given anew since."""
    of_it = (AuditEntry.action == "practice.merge", AuditEntry.object_id == str(practice.id))
    entry = session.scalar(select(AuditEntry).where(*of_it).order_by(AuditEntry.id.desc()).limit(1))
    if entry is None:
        return
    given, owner = entry.detail, practice.owner
    new = given.get("authors", ())
    into.authors[:] = [each for each in into.authors if str(each.user_id) not in new or each.added > entry.created]
    if "owned" in given and owner is not None and into.owner_id == owner.id:
        into.owner_id = None
        into.organisation_id = uuid.UUID(given["owned"]) if given["owned"] else None
        if given.get("wrote"):
            into.authors.append(PracticeAuthor(user_id=owner.id, added=datetime.now(UTC)))
        _note_owner(session, actor, into, owner.id, None)


def _note_owner(session: Session, actor: User, into: Practice, old: uuid.UUID | None, new: uuid.UUID | None) -> None:
    """The entry about the practice that stays: whose it was, and whose it is."""
    ids = {"from": str(old) if old else None, "to": str(new) if new else None}
    audit.note(session, actor, "practice.reassign", "practice", into.id, part="owner", **ids)
