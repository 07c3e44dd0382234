"""Public records as documents, for lists and files: one statement reads them, however much stands in other tables.

`documents` reads them whole; `listed` what a list of results says of them, which takes half the time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ScalarSelect, Select, String, bindparam, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from kb.models import Practice, Record, RecordRegion, RecordTargetGroup, RecordTheme, Region
from kb.services import freshness
from kb.services.publishing import number, written_document
from kb.services.record import NARRATIVE, Document

_PART, _ENTRY = "\x1f", "\x1e"
"""What stands between the parts of an entry and between entries: control characters that no name has."""


def _entries(
    table: type[RecordTheme | RecordTargetGroup | RecordRegion], *parts: InstrumentedAttribute[Any]
) -> Select[Any]:
    """The rows of a table that belong to a record, as one text, in no order: not every database has one for this."""
    entry: Any = cast(table.position, String)
    for part in parts:
        entry = entry + _PART + func.coalesce(part, "")
    return select(func.aggregate_strings(entry, _ENTRY)).where(table.practice_id == Record.practice_id)


def _beside(statement: Select[Any]) -> ScalarSelect[Any]:
    return statement.correlate(Record).scalar_subquery()


_FURTHER = _entries(RecordRegion, RecordRegion.country, RecordRegion.region_code, Region.name_latin)

LISTED = (
    "title", "original_title", "language", "summary", "translations", "country", "place", "level", "partners", "start",
    "end", "status", *NARRATIVE, "evidence", "beneficiaries", "editor_note",
)  # fmt: skip
"""Keys that are shown in a list of results, or that answer questions, as columns of their own hold them."""


def _public(*columns: Any) -> Select[Any]:
    """These columns of the public records among some practices, and what stands in other tables."""
    return (
        select(
            *columns,
            Practice.slug,
            Region.name_latin.label("region_name"),
            _beside(_entries(RecordTheme, RecordTheme.theme)).label("themes"),
            _beside(_entries(RecordTargetGroup, RecordTargetGroup.target_group)).label("target_groups"),
            _beside(_FURTHER.outerjoin(Region, Region.code == RecordRegion.region_code)).label("other_regions"),
        )
        .join(Practice, Practice.id == Record.practice_id)
        .outerjoin(Region, Region.code == Record.region_code)
        .where(Record.practice_id.in_(bindparam("ids", expanding=True)))
    )


_RECORDS = _public(*Record.__table__.columns, Practice.version, Practice.origin, Practice.origin_url)
_LISTED = _public(
    *(getattr(Record, key) for key in LISTED),
    Record.practice_id,
    Record.region_code,
    Record.lead_organisation_name,
    Record.budget_eur,
    Record.last_verified,
    Record.review_due,
)


def documents(session: Session, ids: Iterable[uuid.UUID], base_url: str) -> dict[str, Document]:
    """The public records among some practices, whole, by the practice's id as text, in one statement.

    They are what `publishing.as_document` makes of each.
    """
    rows = session.connection().execute(_RECORDS, {"ids": list(ids)}).all()  # no objects for the session to keep
    return {str(row.practice_id): _document(row, base_url) for row in rows}


def listed(session: Session, ids: Iterable[uuid.UUID]) -> dict[str, Document]:
    """What a list of results says of the public records among some practices, by the practice's id as text.

    They have the keys of `LISTED`, id, slug, region, other_regions, lead_organisation, budget_eur, themes,
    target_groups and the dates of freshness, with what `documents` has there; of the organisation the name alone.
    """
    rows = session.connection().execute(_LISTED, {"ids": list(ids)}).all()
    return {str(row.practice_id): _brief(row) for row in rows}


def _document(row: Any, base_url: str) -> Document:
    origin = {"kind": row.origin, "url": row.origin_url}
    return written_document(row, base_url, version=row.version, origin=origin, **_of_other_tables(row))


def _brief(row: Any) -> Document:
    return {
        **dict(zip(LISTED, row, strict=False)),  # they come first
        **_of_other_tables(row),
        "lead_organisation": {"name": row.lead_organisation_name},
        "budget_eur": number(row.budget_eur),
        **freshness.written(row),
    }


def _of_other_tables(row: Any) -> Document:
    return {
        "id": str(row.practice_id),
        "slug": row.slug,
        "region": {"code": row.region_code, "name": row.region_name} if row.region_code else None,
        "other_regions": [
            {"country": country, "code": code or None, "name": name or None}
            for country, code, name in _read(row.other_regions)
        ],
        "themes": [theme for (theme,) in _read(row.themes)],
        "target_groups": [group for (group,) in _read(row.target_groups)],
    }


def _read(entries: str | None) -> list[list[str]]:
    """The parts of each entry, in the order of their positions."""
    split = [entry.split(_PART) for entry in entries.split(_ENTRY)] if entries else []
    return [parts for _position, *parts in sorted(split, key=lambda parts: int(parts[0]))]
