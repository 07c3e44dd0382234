"""How many public practices there are by theme, target group and country: asked of the index, else of the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select, union
from sqlalchemy.orm import Session

from kb.models import Record, RecordRegion, RecordTargetGroup, RecordTheme
from kb.search.port import SearchEngine, SearchUnavailable
from kb.services import catalogue


def facet_counts(session: Session, engine: SearchEngine) -> Mapping[str, dict[str, int]]:
    """For every facet, how many public practices each value finds, the highest first.

    Where the engine does not answer, only what the home, theme and country pages show. Raises IndexLost.
    """
    try:
        return catalogue.facet_counts(engine)
    except SearchUnavailable:
        return {facet: _counted(session, pairs) for facet, pairs in _pairs().items()}


def _pairs() -> dict[str, Select[Any]]:
    """What selects, for each facet, every public practice with every value that it has, once."""
    countries = union(
        select(Record.practice_id, Record.country), select(RecordRegion.practice_id, RecordRegion.country)
    )
    return {
        "theme": select(RecordTheme.theme.label("value")),
        "target_group": select(RecordTargetGroup.target_group.label("value")),
        "country": select(countries.subquery().c.country.label("value")),
    }


def _counted(session: Session, pairs: Select[Any]) -> dict[str, int]:
    found = pairs.subquery().c.value
    number = func.count()
    rows = session.execute(select(found, number).group_by(found).order_by(number.desc(), found))
    return {str(value): count for value, count in rows}
