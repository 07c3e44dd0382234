"""The API's lists beside the practices: themes, target groups, regions, and what is missing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import current_app
from flask.typing import ResponseReturnValue

from kb.services import changes, coverage, query, tallies
from kb.services.coverage import Table
from kb.services.vocabularies import RegionInfo, TermInfo, Vocabulary
from kb.web import context, labels, languages
from kb.web.api import answer, bp, only, parameters
from kb.web.coverage import named
from kb.web.openapi_coverage import SEVERAL


@bp.get("/themes")
def themes() -> ResponseReturnValue:
    """The themes, with labels, synonyms and mappings."""
    only()
    counts = tallies.facet_counts(context.reading(), context.engine())["theme"]
    items = [{**_term(term, counts), "mappings": term.mappings} for term in context.vocabulary().themes.values()]
    return answer({"total": len(items), "items": items}, changes.latest(context.reading()))


@bp.get("/target-groups")
def target_groups() -> ResponseReturnValue:
    """The target groups, with labels and synonyms."""
    only()
    counts = tallies.facet_counts(context.reading(), context.engine())["target_group"]
    items = [_term(term, counts) for term in context.vocabulary().target_groups.values()]
    return answer({"total": len(items), "items": items}, changes.latest(context.reading()))


@bp.get("/regions")
def regions() -> ResponseReturnValue:
    """Every region of the list: NUTS 2024, the United Kingdom's of 2021, and local codes."""
    only()
    return answer(_regions(context.vocabulary()), changes.latest(context.reading()))


@bp.get("/coverage", endpoint="coverage")
def show_coverage() -> ResponseReturnValue:
    """A table of what is there and what is missing, for any query; theme by country where none is named."""
    own, rest = parameters("table")
    layout = named(own.get("table", [coverage.MAIN])[-1])
    asked = query.parse(rest, context.vocabulary(), strict=True)
    found = coverage.tables(context.engine(), context.vocabulary(), asked.query, (layout.name,))[layout.name]
    return answer(_table(found), changes.latest(context.reading()))


def _table(table: Table) -> dict[str, Any]:
    """A table under the names of what it counts: `empty` of its `pairs` hold no practice."""
    layout, language = table.layout, languages.chosen()
    rows = [_counted(layout.rows, value, count, language) for value, count in table.rows.items()]
    body: dict[str, Any] = {"total": table.total, SEVERAL[layout.rows]: rows}
    if layout.columns:
        name = SEVERAL[layout.columns]
        for row in rows:
            held = {column: table.cells[row["value"], column] for column in table.having[row["value"]]}
            row |= {name: held, "missing": list(table.lacking[row["value"]])}
        columns = [_counted(layout.columns, value, count, language) for value, count in table.columns.items()]
        body = {
            "total": table.total,
            "pairs": table.pairs,
            "empty": table.empty,
            SEVERAL[layout.rows]: rows,
            name: columns,
        }
    return body if table.unreported is None else {**body, "not_reported": table.unreported}


@lru_cache(maxsize=1)
def _regions(vocabulary: Vocabulary) -> str:
    """The list of regions as JSON: half a megabyte that only another generation of the vocabularies changes."""
    items = [_region(region) for region in vocabulary.regions.values()]
    return current_app.json.dumps({"total": len(items), "items": items}, separators=(",", ":")) + "\n"


def _counted(facet: str, value: str, count: int, language: str) -> dict[str, Any]:
    return {"value": value, "label": labels.facet(facet, value, language), "count": count}


def _term(term: TermInfo, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "slug": term.slug,
        "label": term.name(languages.chosen()),
        "scope_note": term.scope_note,
        "labels": dict(term.labels),
        "synonyms": {language: list(words) for language, words in term.synonyms.items()},
        "practices": counts.get(term.slug, 0),
    }


def _region(region: RegionInfo) -> dict[str, Any]:
    return {
        "code": region.code,
        "edition": region.edition,
        "level": region.level,
        "country": region.country,
        "parent": region.parent,
        "name": region.name_latin,
        "name_en": region.name_en,
        "name_native": region.name_native,
        "synonyms": {language: list(names) for language, names in region.synonyms.items()},
        "lon": region.lon,
        "lat": region.lat,
        "types": list(region.types),
    }
