"""Practices that a draft may be the same as, each with why: asked before it is submitted, shown to editors.

Candidates are public practices and those that the asker may read anyway: their own, their organisation's, and, for
editors, what waits for a review. No draft of anyone else is ever looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from kb.models import Practice, Record, Revision, RevisionKind, State, User
from kb.search.port import NoSearch, Query, SearchEngine
from kb.services import likeness
from kb.services.errors import N_, Message
from kb.services.likeness import Likeness, Traits
from kb.services.permissions import can
from kb.services.publishing import as_document, public_records
from kb.services.record import Document, empty
from kb.services.similar import worded

MOST = 3
"""Candidates that are named: more are no help."""

LEAST = 0.4
"""Likeness from which a practice is asked about. `python -m bench writing` says what it finds and how often it errs."""

_CONSIDERED = 60  # public practices that are compared, for each way of finding them
_OF_ONES_OWN = 200  # practices that are not public that are compared
_ADDRESSES = 20  # of a draft that are looked for
_OPEN = (State.DRAFT, State.SUBMITTED, State.IN_REVIEW, State.CHANGES_REQUESTED)


@dataclass(frozen=True)
class Candidate:
    """A practice that may be the same, and why. `likeness` goes from 0 to 1.

    `public` says whether readers see it, at the address of `slug`; `mine`, that the asker may change it; `unclaimed`,
    that nobody owns it yet. `title`, `country` and `region_code` are as its newest readable text says.
    """

    practice_id: UUID
    slug: str | None
    title: str
    language: str | None
    country: str | None
    region_code: str | None
    state: State
    public: bool
    mine: bool
    unclaimed: bool
    reasons: tuple[Message, ...]
    likeness: float


def of(
    session: Session, engine: SearchEngine, document: Document, actor: User | None, but: UUID | None = None
) -> list[Candidate]:
    """Return up to MOST practices that a document may be the same as, the likeliest first.

    `actor` asks: only what they may read is compared. `but` is the practice that the document belongs to.
    """
    traits = Traits(document)
    found = []
    for practice, text in _candidates(session, engine, document, actor):
        if practice.id != but and practice.merged_into_id is None:
            alike = traits.likeness(Traits(text))
            if alike.whole >= LEAST:
                found.append(_candidate(practice, text, alike, actor))
    return sorted(found, key=lambda each: (-each.likeness, each.title))[:MOST]


def was_asked(session: Session, practice: Practice) -> bool:
    """Whether its writers have answered the question already: they were asked before the first submission."""
    submitted = (Revision.practice_id == practice.id, Revision.kind == RevisionKind.SUBMITTED)
    return practice.version > 0 or session.scalar(select(Revision.number).where(*submitted).limit(1)) is not None


def _candidate(practice: Practice, text: Document, alike: Likeness, actor: User | None) -> Candidate:
    public = practice.record is not None
    return Candidate(
        practice_id=practice.id,
        slug=practice.slug if public else None,
        title=str(text["title"] or ""),
        language=text["language"],
        country=text["country"],
        region_code=(text["region"] or {}).get("code"),
        state=practice.state,
        public=public,
        mine=can(actor, "edit", practice),
        unclaimed=practice.owner_id is None,
        reasons=tuple(_reasons(alike)),
        likeness=round(alike.whole, 2),
    )


def _reasons(alike: Likeness) -> Iterator[Message]:
    """Yield in what two practices are alike, the strongest reason first."""
    if alike.addresses:
        yield Message(N_("the page %(address)s"), {"address": min(alike.addresses)[:200]})
    if alike.title >= 0.5:
        yield Message(N_("title"))
    if alike.summary >= 0.25:
        yield Message(N_("summary"))
    if alike.lead:
        yield Message(N_("the organisation that leads it"))
    if alike.region == 1.0:
        yield Message(N_("region"))
    elif alike.region >= 0.7:
        yield Message(N_("a part of the region"))
    if alike.names >= 0.4:
        yield Message(N_("names and numbers"))
    if alike.tags >= 0.5:
        yield Message(N_("themes and target groups"))


def _candidates(
    session: Session, engine: SearchEngine, document: Document, actor: User | None
) -> Iterator[tuple[Practice, Document]]:
    """Yield practices that are worth comparing, each once, with their texts."""
    ids = {*_worded_alike(engine, document), *session.scalars(_linked(document))}
    for record in public_records(session, ids).values():
        yield record.practice, as_document(record, "")
    yield from _readable(session, actor)


def _worded_alike(engine: SearchEngine, document: Document) -> list[UUID]:
    """Return the public practices that read most alike; none where there is no index just now."""
    question = worded({**document, "title": document["title"] or "", "summary": document["summary"] or ""})
    if not question.clauses:
        return []
    try:
        hits = engine.search(Query(question, limit=_CONSIDERED, facets=False)).hits
    except NoSearch:
        return []
    return [UUID(hit.id) for hit in hits]


def _linked(document: Document) -> Any:
    """Select the public practices in the same place, of the same organisation, or that name the same page."""
    region, lead = ((document[key] or {}) for key in ("region", "lead_organisation"))
    ways: list[ColumnElement[bool]] = []
    if region.get("code"):
        ways.append(Record.region_code == region["code"])
    elif document["country"]:
        ways.append(and_(Record.country == document["country"], Record.region_code.is_(None)))
    if lead.get("name"):
        ways.append(func.lower(Record.lead_organisation_name) == str(lead["name"]).lower())
    pages = {likeness.address(each["url"]) for each in (*document["sources"], *document["links"])}
    for page in sorted(filter(None, pages))[:_ADDRESSES]:
        written = json.dumps(page)[1:-1]  # as the column holds it
        ways += [
            func.lower(cast(column, String)).contains(written, autoescape=True)
            for column in (Record.sources, Record.links)
        ]
    statement = select(Record.practice_id).order_by(Record.updated.desc()).limit(4 * _CONSIDERED)
    return statement.where(or_(*ways)) if ways else statement.where(Record.practice_id.is_(None))


def _readable(session: Session, actor: User | None) -> Iterator[tuple[Practice, Document]]:
    """Yield the practices that are not public and that someone may read, with their working copies."""
    if actor is None:
        return
    whose = [Practice.owner_id == actor.id]
    if actor.organisation_id is not None:
        whose.append(Practice.organisation_id == actor.organisation_id)
    if can(actor, "review"):
        whose.append(Practice.state.in_(_OPEN[1:]))
    statement = (
        select(Practice, Revision.document)
        .join(Revision, and_(Revision.practice_id == Practice.id, Revision.number == Practice.revision_count))
        .where(Practice.state.in_(_OPEN), ~Practice.record.has(), or_(*whose))
        .order_by(Practice.changed.desc())
        .limit(_OF_ONES_OWN)
    )
    for practice, document in session.execute(statement):
        if can(actor, "view", practice):
            yield practice, {**empty(), **document}
