"""The adoption trail as readers see it: who took a practice up, what one came from, how many regions there are.

Two things make the trail: confirmed adoptions that were not withdrawn, and public practices that name another in
`adapted_from`. Adoptions of a practice that was merged go along to the one that it is now; of a region that is there
twice by that, the one that is further is seen. The practice that came of an adoption is named only while it is public.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, text
from sqlalchemy.orm import Session, aliased, joinedload

from kb.models import ADAPTING, Adoption, AdoptionStatus, Practice, Record, Region, User
from kb.services.adoption_graph import CANONICAL
from kb.services.permissions import can

COUNTED = (AdoptionStatus.ADAPTING, AdoptionStatus.RUNNING, AdoptionStatus.STOPPED)
"""Where a region has to stand to be counted among those that took a practice up: "considering" is not yet."""

BATCH = 200
"""Practices whose trail is read together for an export."""

SEEN = and_(Adoption.accepted.is_(True), Adoption.withdrawn.is_(None))
"""Which adoptions readers see, where the practice that was adopted is public."""


@dataclass(frozen=True)
class Named:
    """A practice that readers see: its address, title and the language of that."""

    slug: str
    title: str
    language: str


@dataclass(frozen=True)
class Taken:
    """A region that took a practice up.

    Told by an adoption, with its `id`, `status`, dates and whoever may know a `contact`; or, without these, by the
    public practice `own` alone, which says that it was adapted from the other. `region` is None where that is national.
    `told_anew`: its words were changed after they were confirmed. `whole` is the region of which this one is the only
    part, where there is such.
    """

    region: str | None
    country: str
    changes: str
    own: Named | None = None
    language: str | None = None
    id: uuid.UUID | None = None
    status: AdoptionStatus | None = None
    organisation: str = ""
    said: datetime | None = None
    confirmed: datetime | None = None
    told_anew: bool = False
    contact: Mapping[str, str] | None = None
    whole: str | None = None

    @property
    def counted(self) -> bool:
        """Whether the region is counted among those that took the practice up."""
        return self.status is None or self.status in COUNTED

    @property
    def place(self) -> str:
        """What is counted once: the region, with all codes that it has, or the country where there is none."""
        return self.whole or self.region or self.country


@dataclass(frozen=True)
class CameFrom:
    """A practice that another came of an adoption of, and what was changed."""

    original: Named
    changes: str


def taken_up(session: Session, practice: Practice, actor: User | None = None) -> list[Taken]:
    """The regions that took a practice up, those furthest on first. `actor` is who reads, for the contacts."""
    return _taken_up(session, [practice.id], _naming(session, [practice.id]), actor).get(practice.id, [])


def taken_up_each(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Taken]]:
    """The regions that took up each of some practices, as `taken_up` for visitors; what nobody took up is not in it."""
    return _taken_up(session, ids, _naming(session, ids), None) if ids else {}


def regions(taken: Iterable[Taken]) -> int:
    """How many regions took a practice up, each counted once."""
    return len({each.place for each in taken if each.counted})


def came_from(session: Session, practice_id: uuid.UUID) -> list[CameFrom]:
    """The public practices of whose confirmed adoptions a practice came, by title."""
    own, original = aliased(Practice), aliased(Practice)
    found = (
        select(original.slug, Record.title, Record.language, Adoption.changes)
        .select_from(Adoption)
        .join(own, own.id == Adoption.own_id)
        .join(Practice, Practice.id == Adoption.practice_id)
        .join(original, original.id == CANONICAL)
        .join(Record, Record.practice_id == original.id)
        .where(SEEN, or_(own.id == practice_id, own.merged_into_id == practice_id))
        .order_by(Record.title, Adoption.created)
    )
    return [CameFrom(Named(str(slug), title, language), changes)
            for slug, title, language, changes in session.execute(found)]  # fmt: skip


def of_regions(session: Session, codes: Collection[str]) -> list[tuple[Taken, Named]]:
    """What some regions took up, with the practice each, by its title."""
    now = aliased(Practice)
    found = (
        select(Adoption, now.slug, Record.title, Record.language)
        .join(Practice, Practice.id == Adoption.practice_id)
        .join(now, now.id == CANONICAL)
        .join(Record, Record.practice_id == now.id)
        .where(SEEN, Adoption.region_code.in_(codes))
        .options(joinedload(Adoption.region))
        .order_by(Record.title, Adoption.created)
    )
    rows = session.execute(found).all()
    own = _own(session, [adoption for adoption, *_ in rows])
    best: dict[tuple[str, str], tuple[Taken, Named]] = {}
    for adoption, slug, title, language in rows:
        taken, key = _told(adoption, own, None), (str(slug), adoption.region_code)
        if key not in best or _further(taken) > _further(best[key][0]):
            best[key] = taken, Named(str(slug), title, language)
    return list(best.values())


def counts(session: Session) -> dict[str, int]:
    """How many regions took up each public practice, by its slug; those that nobody took up are not in it."""
    now = aliased(Practice)
    into = select(Practice.slug, now.slug).join(now, now.id == Practice.merged_into_id)
    is_now = {str(slug): str(other) for slug, other in session.execute(into)}
    places: dict[str, set[str]] = {}
    wholes = _wholes(session)
    adopted = select(now.slug, Adoption.region_code).select_from(Adoption)
    adopted = adopted.join(Practice, Practice.id == Adoption.practice_id).join(now, now.id == CANONICAL)
    for slug, code in session.execute(adopted.where(SEEN, Adoption.status.in_(COUNTED))):
        places.setdefault(str(slug), set()).add(wholes.get(code, code))
    naming = select(Record.adapted_from, Record.region_code, Record.country).where(_NAMES_ANY)
    for entries, code, country in session.execute(naming):
        for entry in entries:
            taken = places.setdefault(is_now.get(entry["slug"], entry["slug"]), set())
            taken.add(wholes.get(code, code) if code else country)
    return {slug: len(held) for slug, held in places.items()}


def every(session: Session) -> Iterator[tuple[Named, Taken]]:
    """The whole trail: every public practice that somebody took up, by slug, with who did, read in batches.

    Nobody's contact is in it.
    """
    adopted = select(CANONICAL).join(Adoption, Adoption.practice_id == Practice.id).where(SEEN)
    naming = _naming(session)
    wanted = or_(Practice.id.in_(adopted), Practice.id.in_(list(naming)))
    shown = select(Practice.id, Practice.slug, Record.title, Record.language).join(Record).where(wanted)
    for batch in session.execute(shown.order_by(Practice.slug)).partitions(BATCH):
        found = _taken_up(session, [row.id for row in batch], naming, None)
        for row in batch:
            original = Named(str(row.slug), row.title, row.language)
            yield from ((original, taken) for taken in found.get(row.id, ()))
        session.expunge_all()


def contact_of(adoption: Adoption, actor: User | None) -> dict[str, str] | None:
    """Whom to write to about an adoption; None where nobody is named, or this person may not know.

    The name is there only with its bearer's consent.
    """
    if not adoption.contact_email or not can(actor, "see-contact"):
        return None
    name = adoption.contact_name if adoption.contact_consent else ""
    return {"role": adoption.contact_role, "email": adoption.contact_email, "name": name}


def told_anew(adoption: Adoption) -> bool:
    """Whether the words of a confirmed adoption were changed since, by somebody who does not confirm them."""
    return bool(adoption.accepted) and adoption.decided is not None and adoption.changed > adoption.decided


def _taken_up(
    session: Session,
    ids: Collection[uuid.UUID],
    naming: Mapping[uuid.UUID, list[tuple[Record, str | None]]],
    actor: User | None,
) -> dict[uuid.UUID, list[Taken]]:
    """Who took up each of some practices, which are none that were merged."""
    of_them = or_(Practice.id.in_(ids), Practice.merged_into_id.in_(ids))
    told = select(Adoption, CANONICAL).join(Practice, Practice.id == Adoption.practice_id).where(SEEN, of_them)
    rows = session.execute(told.options(joinedload(Adoption.region)).order_by(Adoption.created)).all()
    own = _own(session, [adoption for adoption, _key in rows])
    best: dict[tuple[uuid.UUID, str], Taken] = {}
    for adoption, key in rows:
        taken, place = _told(adoption, own, actor), (key, adoption.region_code)
        if place not in best or _further(taken) > _further(best[place]):
            best[place] = taken
    found: dict[uuid.UUID, list[Taken]] = {}
    for (key, _code), taken in sorted(best.items(), key=lambda each: _further(each[1]), reverse=True):
        found.setdefault(key, []).append(taken)
    for key in ids:
        linked = {taken.own.slug for taken in found.get(key, ()) if taken.own}
        known = [_by_record(*each) for each in naming.get(key, ()) if each[0].practice.slug not in linked]
        if known:
            found.setdefault(key, []).extend(known)
    if all(len(taken) < 2 for taken in found.values()):
        return found
    wholes = _wholes(session)
    return {
        key: [replace(each, whole=wholes.get(each.region)) if each.region else each for each in taken]
        for key, taken in found.items()
    }


def _wholes(session: Session) -> dict[str, str]:
    """The highest code of the same place, of regions that are the only part of another: ES22 of Navarra (ES220)."""
    above = aliased(Region)
    only = select(func.min(Region.code), above.code).join(above, above.code == Region.parent).where(above.level > 0)
    up = {code: parent for code, parent in session.execute(only.group_by(above.code).having(func.count() == 1))}
    return {code: up.get(parent, parent) for code, parent in up.items()}


def _naming(
    session: Session, ids: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, list[tuple[Record, str | None]]]:
    """The public practices that name each of `ids` (None: any), by title, with what they say was changed."""
    original = select(Practice.slug, CANONICAL).where(Practice.slug.is_not(None))
    if ids is not None:
        original = original.where(or_(Practice.id.in_(ids), Practice.merged_into_id.in_(ids)))
        slugs = {str(slug): key for slug, key in session.execute(original)}
        wanted = [or_(*(_names(slug) for slug in slugs))]
    else:
        wanted, slugs = [], {}
    adapting = select(Record).where(_NAMES_ANY, *wanted).options(joinedload(Record.practice))
    records = session.scalars(adapting.order_by(Record.title))
    rows = [(record, entry) for record in records for entry in record.adapted_from]
    if ids is None and rows:
        named = original.where(Practice.slug.in_({entry["slug"] for _record, entry in rows}))
        slugs = {str(slug): key for slug, key in session.execute(named)}
    found: dict[uuid.UUID, list[tuple[Record, str | None]]] = {}
    for record, entry in rows:
        key = slugs.get(entry["slug"])
        if key is not None and all(record is not known for known, _changes in found.get(key, ())):
            found.setdefault(key, []).append((record, entry["changes"]))
    return found


def _names(slug: str) -> ColumnElement[bool]:
    """Whether a public practice says that it was adapted from the one at an address; may hold of some others too."""
    return cast(Record.adapted_from, String).contains(f'"{slug}"', autoescape=True)


_NAMES_ANY = text(ADAPTING)
"""Whether a public practice was adapted from any, in the words of the index that knows those that were."""


def _own(session: Session, adoptions: Iterable[Adoption]) -> dict[uuid.UUID, Named]:
    """The practices that came of some adoptions, as far as readers see them."""
    ids = {adoption.own_id for adoption in adoptions if adoption.own_id}
    if not ids:
        return {}
    now = aliased(Practice)
    found = select(Practice.id, now.slug, Record.title, Record.language).join(now, now.id == CANONICAL)
    found = found.join(Record, Record.practice_id == now.id).where(Practice.id.in_(ids))
    return {key: Named(str(slug), title, language) for key, slug, title, language in session.execute(found)}


def _told(adoption: Adoption, own: Mapping[uuid.UUID, Named], actor: User | None) -> Taken:
    return Taken(
        region=adoption.region_code,
        country=adoption.region.country,
        changes=adoption.changes,
        own=own.get(adoption.own_id) if adoption.own_id else None,
        id=adoption.id,
        status=adoption.status,
        organisation=adoption.organisation,
        said=adoption.created,
        confirmed=adoption.decided,
        told_anew=told_anew(adoption),
        contact=contact_of(adoption, actor),
    )


def _by_record(record: Record, changes: str | None) -> Taken:
    own = Named(record.practice.slug or "", record.title, record.language)
    return Taken(record.region_code, record.country, changes or "", own, record.language)


def _further(taken: Taken) -> int:
    """How far a region has come."""
    return list(AdoptionStatus).index(taken.status) if taken.status else -1
