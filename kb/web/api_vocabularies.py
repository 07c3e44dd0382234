"""The API's lists beside the practices: themes, target groups, regions, and what is missing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import current_app
from flask.typing import ResponseReturnValue

from kb.services import catalogue, changes, coverage, query
from kb.services.vocabularies import RegionInfo, TermInfo, Vocabulary
from kb.web import context, labels, languages
from kb.web.api import answer, bp, only, parameters


@bp.get("/themes")
def themes() -> ResponseReturnValue:
    """The themes, with labels, synonyms and mappings."""
    only()
    counts = catalogue.facet_counts(context.engine())["theme"]
    items = [{**_term(term, counts), "mappings": term.mappings} for term in context.vocabulary().themes.values()]
    return answer({"total": len(items), "items": items}, changes.latest(context.reading()))


@bp.get("/target-groups")
def target_groups() -> ResponseReturnValue:
    """The target groups, with labels and synonyms."""
    only()
    counts = catalogue.facet_counts(context.engine())["target_group"]
    items = [_term(term, counts) for term in context.vocabulary().target_groups.values()]
    return answer({"total": len(items), "items": items}, changes.latest(context.reading()))


@bp.get("/regions")
def regions() -> ResponseReturnValue:
    """Every region of the list: NUTS 2024, the United Kingdom's of 2021, and local codes."""
    only()
    return answer(_regions(context.vocabulary()), changes.latest(context.reading()))


@bp.get("/coverage", endpoint="coverage")
def show_coverage() -> ResponseReturnValue:
    """Theme by country for any query: `empty` of the `pairs` hold no practice."""
    _own, rest = parameters()
    asked = query.parse(rest, context.vocabulary(), strict=True)
    found = coverage.coverage(context.engine(), context.vocabulary(), asked.query)
    language = languages.chosen()
    themes = [
        {
            **_counted("theme", theme, count, language),
            "countries": {code: found.pairs[theme, code] for code in found.having[theme]},
            "missing": list(found.lacking[theme]),
        }
        for theme, count in found.themes.items()
    ]
    countries = [_counted("country", code, count, language) for code, count in found.countries.items()]
    pairs = len(themes) * len(countries)
    body = {"total": found.total, "pairs": pairs, "empty": found.empty, "themes": themes, "countries": countries}
    return answer(body, changes.latest(context.reading()))


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
