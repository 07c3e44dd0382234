"""What harvesters are given: public records and word of those that are not public any more, in the order of change.

A practice is *gone* once it had a version and no list has it: archived, offline, merged or redacted. All that is told
of it is its id, since when, and the sets it was in; of one whose text was removed not even these.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from kb.models import Practice, Record, RecordRegion, RecordTheme, Revision
from kb.services.merged_terms import of_today
from kb.services.publishing import as_document, public_records
from kb.services.record import Document
from kb.services.vocabularies import COUNTRY_ALIASES, Vocabulary, countries

BATCH = 100
"""Entries of one answer."""

THEME, COUNTRY = "theme", "country"
KINDS = (THEME, COUNTRY)
"""Kinds of sets; a set is a kind, or one value of it: `theme:housing`, `country:IT`."""


@dataclass(frozen=True)
class Place:
    """How far a harvester has read: the last entry that it was given."""

    moment: datetime
    id: uuid.UUID


@dataclass(frozen=True)
class Wanted:
    """What a harvester asks for: from a moment on, before another one, in one set."""

    start: datetime | None = None
    before: datetime | None = None
    set: str | None = None


@dataclass(frozen=True)
class Entry:
    """One practice: when it last changed, the sets it is in, and its record; None once it is gone."""

    id: uuid.UUID
    moment: datetime
    sets: tuple[str, ...]
    document: Document | None


@dataclass(frozen=True)
class Extent:
    """What all public records span: when the first was published and anything changed last, the first day of the
    earliest practice, the languages of the texts, those of most practices first.
    """

    issued: datetime | None
    modified: datetime | None
    begins: date | None
    languages: tuple[str, ...]


def extent(session: Session) -> Extent:
    """What all public records span now."""
    issued, modified, begins = session.execute(
        select(func.min(Record.published), func.max(Record.datestamp), func.min(Record.start_min))
    ).one()
    offline = session.scalar(select(func.max(Practice.offline)).where(*_GONE))
    languages = select(Record.language).group_by(Record.language).order_by(func.count().desc(), Record.language)
    changed = max((moment for moment in (modified, offline) if moment), default=None)
    return Extent(issued, changed, begins, tuple(session.scalars(languages)))


class Repository:
    """The practices as harvesters see them."""

    def __init__(self, session: Session, vocabulary: Vocabulary, base_url: str) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._base_url = base_url

    def sets(self) -> list[str]:
        """Every set that there is: the kinds, all themes, and the countries that have a public practice."""
        found = set(self._session.scalars(select(Record.country).union(select(RecordRegion.country))))
        themes = [f"{THEME}:{slug}" for slug in self._vocabulary.themes]
        return [THEME, *themes, COUNTRY, *(f"{COUNTRY}:{code}" for code in sorted(found))]

    def earliest(self) -> datetime | None:
        """The moment before which nothing changed; None where nothing was ever public."""
        dates = (select(func.min(Record.datestamp)), select(func.min(Practice.offline)).where(*_GONE))
        found = [moment for moment in map(self._session.scalar, dates) if moment is not None]
        return min(found, default=None)

    def count(self, wanted: Wanted) -> int:
        """How many entries a harvester would get in all."""
        statements = (
            select(func.count()).select_from(Record).where(*self._public(wanted)),
            select(func.count()).select_from(Practice).where(*self._gone(wanted)),
        )
        return sum(self._session.scalar(statement) or 0 for statement in statements)

    def read(self, wanted: Wanted, after: Place | None = None) -> tuple[list[Entry], Place | None]:
        """The next entries in the order of change, and from where to go on; None where nothing is left.

        What changes while somebody reads moves to the end: it may come twice, and is never left out.
        """
        public = _next(Record.datestamp, Record.practice_id, after).where(*self._public(wanted))
        gone = _next(Practice.offline, Practice.id, after).where(*self._gone(wanted))
        rows = [(*row, False) for row in self._session.execute(public)]
        rows += [(*row, True) for row in self._session.execute(gone)]
        rows.sort()
        page = rows[:BATCH]
        entries = self._entries(page)
        return entries, Place(*page[-1][:2]) if len(rows) > BATCH else None

    def get(self, practice_id: uuid.UUID) -> Entry | None:
        """One practice that is public or gone; None for any other."""
        found = self._session.scalar(select(Record.datestamp).where(Record.practice_id == practice_id))
        gone = self._session.scalar(select(Practice.offline).where(Practice.id == practice_id, *_GONE))
        moment = found or gone
        entries = self._entries([(moment, practice_id, found is None)]) if moment else []
        return next(iter(entries), None)

    # What is in a set

    def _public(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        return [*_between(Record.datestamp, wanted), self._public_in(wanted.set)]

    def _gone(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        return [*_GONE, *_between(Practice.offline, wanted), self._gone_in(wanted.set)]

    def _public_in(self, name: str | None) -> ColumnElement[bool]:
        kind, value = self._meant(name)
        if value is None:
            return true() if name is None or kind else false()
        if kind == THEME:
            return Record.practice_id.in_(select(RecordTheme.practice_id).where(RecordTheme.theme == value))
        beside = select(RecordRegion.practice_id).where(RecordRegion.country == value)
        return or_(Record.country == value, Record.practice_id.in_(beside))

    def _gone_in(self, name: str | None) -> ColumnElement[bool]:
        """Which of those that are gone were in a set when they were last public, under the terms of today.

        One whose text was removed is in every set: nothing says any more in which it was, and who has it must hear.
        """
        kind, value = self._meant(name)
        if value is None:
            return true() if name is None or kind else false()
        held = cast(Revision.document["other_regions"] if kind == COUNTRY else Revision.document["themes"], String)
        named = [held.contains(f'"{each}"', autoescape=True) for each in self._once(kind, value)]
        if kind == COUNTRY:
            named.append(Revision.document["country"].as_string() == value)
        last = (Revision.practice_id == Practice.id, Revision.version == Practice.version)
        return select(Revision.id).where(*last, or_(Revision.redacted.is_not(None), *named)).exists()

    def _meant(self, name: str | None) -> tuple[str | None, str | None]:
        """The kind and the value that a set's name means; no kind where there is no such set."""
        kind, _colon, value = (name or "").partition(":")
        if kind == THEME and value:
            value = self._vocabulary.current("themes", value)
            return (kind, value) if value in self._vocabulary.themes else (None, None)
        if kind == COUNTRY and value:
            value = COUNTRY_ALIASES.get(value, value)
            return (kind, value) if value in countries() else (None, None)
        return (kind, None) if name in KINDS else (None, None)

    def _once(self, kind: str | None, value: str) -> list[str]:
        """How a revision may write a value: a theme also under the names of those merged into it."""
        merged = self._vocabulary.term_successors.get("themes", {}) if kind == THEME else {}
        return [value, *(old for old, new in merged.items() if new == value)]

    # Entries

    def _entries(self, rows: Iterable[tuple[Any, uuid.UUID, bool]]) -> list[Entry]:
        rows = list(rows)
        records = public_records(self._session, [id_ for _moment, id_, gone in rows if not gone])
        last = self._last_documents([id_ for _moment, id_, gone in rows if gone])
        entries = []
        for moment, id_, gone in rows:
            record = records.get(str(id_))
            document = as_document(record, self._base_url) if record is not None else None
            shown = last.get(id_) if gone else document
            entries.append(Entry(id_, moment, _sets(shown), document))
        return entries

    def _last_documents(self, ids: list[uuid.UUID]) -> dict[uuid.UUID, Document]:
        """The version that was public last, of each practice whose text is still there."""
        if not ids:
            return {}
        last = and_(Revision.practice_id == Practice.id, Revision.version == Practice.version)
        held = select(Practice.id, Revision.document).join(Revision, last)
        rows = self._session.execute(held.where(Practice.id.in_(ids), Revision.redacted.is_(None)))
        return {id_: of_today(document, self._vocabulary.term_successors) for id_, document in rows}


_GONE = (Practice.version > 0, Practice.offline.is_not(None), ~Practice.record.has())


def _between(column: InstrumentedAttribute[Any], wanted: Wanted) -> list[ColumnElement[bool]]:
    bounds = [column >= wanted.start] if wanted.start else []
    return bounds + ([column < wanted.before] if wanted.before else [])


def _next(
    moment: InstrumentedAttribute[Any], id_: InstrumentedAttribute[uuid.UUID], after: Place | None
) -> Select[Any, uuid.UUID]:
    """Moments and ids from a place on, one more than an answer holds."""
    statement = select(moment, id_).order_by(moment, id_).limit(BATCH + 1)
    if after is None:
        return statement
    return statement.where(moment >= after.moment, or_(moment > after.moment, id_ > after.id))


def _sets(document: Document | None) -> tuple[str, ...]:
    if document is None:
        return ()
    held = dict.fromkeys([document["country"], *(entry["country"] for entry in document["other_regions"])])
    return (*(f"{THEME}:{slug}" for slug in document["themes"]), *(f"{COUNTRY}:{code}" for code in held if code))
