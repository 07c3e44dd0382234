"""Reading: the list of practices, one practice, and the same base by theme, region and country."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from kb.formats import telling
from kb.models import Practice
from kb.services import catalogue, freshness, query, shown_files, tallies, versions
from kb.services.catalogue import Results
from kb.services.errors import N_, NotFound
from kb.services.query import CatalogueQuery
from kb.services.record import RECOMMENDED, Document
from kb.services.similar import similar
from kb.services.vocabularies import COUNTRY_ALIASES, TermInfo, by_name, countries, fold
from kb.web import accounts, adopting, context, exports, labels, languages, representations, templating
from kb.web.editions import editioned
from kb.web.results import around

bp = Blueprint("catalogue", __name__)

SHOWN = 20
"""Practices on a theme's, region's or country's page, before the link to all."""


# The list of practices


@bp.get("/practices")
@editioned
def search() -> ResponseReturnValue:
    """Search and browse."""
    asked = query.parse(request.args.items(multi=True), context.vocabulary())
    if not asked.canonical:
        return redirect(templating.query_url(asked.query, asked.page, asked.per_page))
    results = _found(asked.query, asked.page, asked.per_page)
    if results.page > results.pages:
        raise NotFound(N_("There is no page %(page)d: the last is %(last)d."), page=results.page, last=results.pages)
    page = render_template("catalogue/search.html", results=results, query=asked.query, **around(asked, results))
    return exports.name_alternates(make_response(page), asked.query)


def _found(asked: CatalogueQuery, page: int = 1, per_page: int = SHOWN) -> Results:
    return catalogue.search(
        context.reading(), context.engine(), context.vocabulary(), asked, page, per_page, reader=languages.chosen()
    )


# One practice


@bp.get("/practices/<slug>")
def practice(slug: str) -> ResponseReturnValue:
    """Everything that a practice's record says, and what it does not say."""
    session, base_url = context.reading(), context.config().base_url
    online = versions.online(session, slug, base_url)
    record = online.document
    page = render_template(
        "catalogue/practice.html",
        may_verify=_may_verify(session, record),
        archived=online.archived,
        ownerless=online.practice.owner_id is None,
        similar=[(each, _shared(record, each)) for each in similar(session, context.engine(), base_url, record)],
        **adopting.trail(online),
        **about(record),
    )
    return representations.name_files(make_response(page), record)


def _may_verify(session: Session, record: Document) -> bool:
    """Whether whoever reads may say that it is still correct."""
    user = accounts.current()
    practice = session.get(Practice, uuid.UUID(record["id"])) if user else None
    return practice is not None and freshness.may_verify(user, practice)


def about(record: Document) -> dict[str, Any]:
    """What the page of a practice shows of its record alone, in whichever version."""
    session = context.reading()
    return {
        "record": record,
        "stored": shown_files.stored(session, record),
        "narrative": list(telling.headings(record, templating.reader()).items()),
        "recommended": RECOMMENDED,
        "reported": sum(record[key] is not None for key in RECOMMENDED),
        "missing": [key for key in RECOMMENDED if record[key] is None],
        "contact": catalogue.contact(session, accounts.current(), record["slug"]),
        "models": catalogue.titles(session, [entry["slug"] for entry in record["adapted_from"]]),
        "licence": labels.LICENCES[record["licence"]],
        "today": datetime.now(UTC),
    }


def _shared(record: Document, other: Document) -> str:
    """What a similar practice shares, in a line: themes first, people where no theme is shared."""
    themes = [slug for slug in record["themes"] if slug in other["themes"]]
    names = [labels.facet("theme", slug, languages.chosen()) for slug in themes[:2]]
    return gettext("Same theme: %(names)s", names=templating.listed(names)) if names else ""


# By theme


@bp.get("/themes")
@editioned
def themes() -> ResponseReturnValue:
    """All themes with what they cover."""
    counts = tallies.facet_counts(context.reading(), context.engine()).get("theme", {})
    terms = _by_name(context.vocabulary().themes.values())
    return render_template("catalogue/themes.html", themes=terms, counts=counts)


@bp.get("/themes/<slug>")
@editioned
def theme(slug: str) -> ResponseReturnValue:
    """One theme: what it covers, what was found under it, where."""
    current = context.vocabulary().current("themes", slug)
    if current != slug:
        return redirect(url_for("catalogue.theme", slug=current), 301)
    term = context.vocabulary().themes.get(slug)
    if term is None:
        raise NotFound(N_("There is no theme at this address."))
    asked = CatalogueQuery(theme=(slug,))
    results = _found(asked)
    return render_template(
        "catalogue/theme.html",
        term=term,
        synonyms=term.synonyms.get(languages.chosen(), ()),
        results=results,
        countries=_ledger(results, asked, "country"),
        groups=_ledger(results, asked, "target_group"),
    )


def _by_name(terms: Iterable[TermInfo]) -> list[TermInfo]:
    return by_name(terms, lambda term: term.name(languages.chosen()))


def _ledger(results: Results, asked: CatalogueQuery, name: str) -> list[tuple[str, str, int]]:
    """A filter's values as rows of a ledger: (address, name, count)."""
    rows = []
    for value, count in results.facets.get(name, ()):
        only: dict[str, Any] = {name: (value,)}
        rows.append((templating.query_url(asked, **only), templating.facet_label(name, value), count))
    return sorted(rows, key=lambda row: (-row[2], fold(row[1])))


# By region and country


@bp.get("/regions")
def regions() -> ResponseReturnValue:
    """Regions by country, those with practices first; or those that a name or a code finds."""
    text = " ".join(request.args.get("q", "").split())[:100]
    vocabulary = context.vocabulary()
    counts = catalogue.region_counts(context.reading(), vocabulary)
    found = catalogue.find_regions(vocabulary, text, languages.chosen()) if text else []
    return render_template(
        "catalogue/regions.html",
        text=text,
        found=[_region_row(code, counts[code]) for code in found],
        countries=_countries(counts),
    )


@bp.get("/regions/<code>")
@editioned
def region(code: str) -> ResponseReturnValue:
    """One region: its names, where it belongs, what is below it, and its practices with those of its sub-regions."""
    vocabulary = context.vocabulary()
    if code not in vocabulary.regions:
        return _elsewhere(code)
    info = vocabulary.regions[code]
    if info.level == 0:
        return redirect(url_for("catalogue.country", code=info.country), 301)
    counts = catalogue.region_counts(context.reading(), vocabulary)
    above = list(vocabulary.lineage(code))[1:-1][::-1]
    return render_template(
        "catalogue/region.html",
        region=info,
        above=above,
        nearest=next(((each, counts[each]) for each in above[::-1] if counts[each]), None),
        below=[_region_row(each, counts[each]) for each in _parts(code)],
        results=_found(CatalogueQuery(region=(code,))),
    )


def _parts(code: str) -> Sequence[str]:
    """The parts of a region; where one part is the whole of it, as ES220 is of Navarra (ES22), the parts of that."""
    children = context.vocabulary().children
    parts = children.get(code, ())
    while len(parts) == 1:
        parts = children.get(parts[0], ())
    return parts


@bp.get("/countries/<code>")
@editioned
def country(code: str) -> ResponseReturnValue:
    """One country: its practices and the regions that have any."""
    canonical = COUNTRY_ALIASES.get(code.upper(), code.upper())
    if canonical not in countries():
        raise NotFound(N_("No country has the code “%(code)s”."), code=code[:20])
    if canonical != code:
        return redirect(url_for("catalogue.country", code=canonical), 301)
    vocabulary = context.vocabulary()
    counts = catalogue.region_counts(context.reading(), vocabulary)
    results = _found(CatalogueQuery(country=(code,)))
    return render_template(
        "catalogue/country.html",
        code=code,
        results=results,
        themes=_ledger(results, results.query, "theme"),
        regions=_regions_of(code, counts),
    )


def _elsewhere(code: str) -> ResponseReturnValue:
    """Where to go from a code that is written otherwise, or retired. Raises NotFound."""
    vocabulary = context.vocabulary()
    for candidate in (code.upper(), code.lower()):
        if candidate in vocabulary.regions:
            return redirect(url_for("catalogue.region", code=candidate), 301)
    after = vocabulary.successors.get(code.upper(), ())
    if len(after) == 1:
        return redirect(url_for("catalogue.region", code=after[0]), 301)
    if after:  # several took over: the reader chooses
        return redirect(url_for("catalogue.regions", q=code.upper()))
    alias = vocabulary.country_region(code.upper())
    if alias:
        return redirect(url_for("catalogue.country", code=code.upper()), 301)
    raise NotFound(N_("No region has the code “%(code)s”."), code=code[:80])


def _region_row(code: str, count: int) -> dict[str, Any]:
    info = context.vocabulary().regions[code]
    return {"code": code, "name": templating.region_name(code), "region": info, "count": count}


def _countries(counts: Any) -> list[dict[str, Any]]:
    """Countries with practices, by name, each with those of its regions that have any."""
    vocabulary = context.vocabulary()
    rows = []
    for info in vocabulary.regions.values():
        if info.level == 0 and counts[info.code]:
            row = _region_row(info.code, counts[info.code])
            below = [each for each in _regions_of(info.country, counts) if each["name"] != row["name"]]
            rows.append({**row, "country": info.country, "regions": below})
    return by_name(rows, lambda row: row["name"])


def _regions_of(country_code: str, counts: Any) -> list[dict[str, Any]]:
    """The regions of a country with practices: the smallest ones that hold each, not those above them."""
    vocabulary = context.vocabulary()
    held = [code for code in counts if counts[code] and _belongs(code, country_code)]
    above = {step for code in held for step in list(vocabulary.lineage(code))[1:]}
    rows = [_region_row(code, counts[code]) for code in held if code not in above or _own(code, counts)]
    return sorted(rows, key=lambda row: (-row["count"], fold(row["name"])))


def _belongs(code: str, country_code: str) -> bool:
    info = context.vocabulary().regions[code]
    return info.country == country_code and info.level > 0


def _own(code: str, counts: Any) -> bool:
    """Whether a region has practices beyond those of its sub-regions."""
    below = context.vocabulary().children.get(code, ())
    return bool(counts[code] > sum(counts[each] for each in below))
