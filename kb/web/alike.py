"""Regions like mine: choosing one's region, why a practice's region is like it, and both on a region's page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kb.services import catalogue, query, reading, region_likeness
from kb.services.errors import N_
from kb.services.presenting import Found
from kb.services.query import CatalogueQuery
from kb.services.record import Document
from kb.services.region_likeness import Alike, Fact, Ranking, Reason
from kb.services.vocabularies import by_name, fold
from kb.web import accounts, context, languages, templating
from kb.web.carrying import carried
from kb.web.catalogues import gettext

bp = Blueprint("alike", __name__)

SHOWN = 4
"""Practices from like regions on a region's page, and regions most like it, before the link to all."""

OFFERED = 20
"""Regions that a name finds, of which one is to be chosen."""

LEVELS = (2, 3)
"""Levels of the regions that are offered of a whole country: the first of them of which there are several."""

REASONS = {
    Reason.URBAN: N_("mostly urban"),
    Reason.INTERMEDIATE: N_("towns and country"),
    Reason.RURAL: N_("mostly rural"),
    Reason.BORDER: N_("on the border"),
    Reason.COAST: N_("on the coast"),
    Reason.MOUNTAIN: N_("in the mountains"),
    Reason.ISLAND: N_("an island"),
    Reason.CAPITAL: N_("a capital"),
    Reason.NORTH: N_("in the far north"),
    Reason.REMOTE: N_("far from other regions"),
    Reason.NEAR: N_("close by"),
    Reason.PEOPLE: N_("about as many people"),
    Reason.FOREIGN: N_("about the same share of foreign citizens"),
    Reason.COUNTRY: N_("in the same country"),
}
"""What two regions have in common, as it stands in a list after a colon."""

FACTS = {
    Fact.URBAN_TYPE: N_("whether it is urban or rural"),
    Fact.BORDER: N_("whether it lies on the border"),
    Fact.COAST: N_("whether it lies on the coast"),
    Fact.MOUNTAIN: N_("whether it lies in the mountains"),
    Fact.POPULATION: N_("how many people live there"),
    Fact.FOREIGN_SHARE: N_("how many of them are foreign citizens"),
}
"""What may not be known of a region, as it stands in a list."""


UNKNOWN = {
    Fact.URBAN_TYPE: N_("Whether it is urban or rural is not known."),
    Fact.BORDER: N_("Whether it lies on the border is not known."),
    Fact.COAST: N_("Whether it lies on the coast is not known."),
    Fact.MOUNTAIN: N_("Whether it lies in the mountains is not known."),
    Fact.POPULATION: N_("How many people live there is not known."),
    Fact.FOREIGN_SHARE: N_("How many foreign citizens live there is not known."),
}
"""What is not known of a region that is like another, as a sentence."""


@dataclass(frozen=True)
class Choice:
    """A region that the filter offers: one that is chosen, or whoever reads has."""

    code: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Section:
    """What a region's page shows of regions like it: the most alike, and the first of `total` practices from any.

    `why` says of each by its slug why its region is like it. `asked` is the search that finds all.
    """

    ranking: Ranking
    foremost: tuple[Alike, ...]
    asked: CatalogueQuery
    total: int
    records: tuple[Document, ...]
    why: dict[str, str]

    @property
    def first(self) -> list[tuple[str, str, str]]:
        """The regions most like it: code, country, and why."""
        regions = context.vocabulary().regions
        return [
            (each.code, templating.country_name(regions[each.code].country), in_words(each)) for each in self.foremost
        ]


@bp.get("/regions/like-mine")
def choose() -> ResponseReturnValue:
    """Choose one's region by name or code; then on to the practices from regions like it, the rest of a search kept."""
    vocabulary = context.vocabulary()
    text = " ".join(request.args.get("mine", "").split())[:100]
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("mine", "region_like")]
    asked = query.parse(kept, vocabulary).query
    code = vocabulary.find_place(text) if text else None
    if code and vocabulary.regions[code].level:
        return redirect(templating.query_url(asked, region_like=(code,)))
    country, found = (code, _parts(code)) if code else _named(text)
    page = render_template(
        "catalogue/like_mine.html", text=text, whole=country, found=found, query=asked, mine=own_region(),
        kept=asked.to_params() + carried(), least=region_likeness.ENOUGH,
    )  # fmt: skip
    return page, 400 if text and not found else 200


def _named(text: str) -> tuple[str | None, list[str]]:
    """The country that a name means and its regions, or None and the regions that it may mean, the best first."""
    vocabulary = context.vocabulary()
    found = catalogue.find_regions(vocabulary, text, languages.chosen()) if text else []
    for code in found:
        if vocabulary.regions[code].level == 0 and fold(text) in map(fold, _country_names(code)):
            return code, _parts(code)
    found = found or vocabulary.similar_regions(text)
    places = (vocabulary.place(code) for code in found if vocabulary.regions[code].level)
    return None, list(dict.fromkeys(places))[:OFFERED]


def _country_names(code: str) -> list[str]:
    return [templating.region_name(code), *context.vocabulary().regions[code].names]


def _parts(country: str) -> list[str]:
    """Codes of the regions of a whole country, by name."""
    vocabulary = context.vocabulary()
    within = [each for each in vocabulary.regions.values() if each.level and country in vocabulary.lineage(each.code)]
    for level in LEVELS:
        if len(codes := [each.code for each in within if each.level == level]) > 1:
            return by_name(codes, templating.region_name)
    return [each.code for each in within]


def own_region() -> str | None:
    """The region of whoever is signed in, where they gave one that others can be like."""
    user, vocabulary = accounts.current(), context.vocabulary()
    code = user.region_code if user else None
    return code if code and code in vocabulary.regions and vocabulary.regions[code].level else None


@bp.app_template_global()
def alike_choices(asked: CatalogueQuery) -> list[Choice]:
    """The regions of the filter: those chosen, and one's own."""
    codes = dict.fromkeys(filter(None, (*asked.region_like, own_region())))
    return [Choice(code, templating.facet_label("region_like", code), code in asked.region_like) for code in codes]


def in_words(alike: Alike) -> str:
    """Why a region is like another, "mostly rural, on the border, on the coast", then what is not known of it."""
    reasons = ", ".join(gettext(REASONS[reason]) for reason in alike.reasons)
    return ". ".join(filter(None, (reasons, _not_known(alike.code))))


def _not_known(code: str) -> str:
    facts = region_likeness.unknown(context.vocabulary(), code)
    return " ".join(gettext(UNKNOWN[fact]) for fact in facts)


def _listed(facts: Iterable[Fact]) -> str:
    return templating.listed(gettext(FACTS[fact]) for fact in facts)


@bp.app_template_filter()
def unknown_facts(ranking: Ranking) -> str:
    """What is not known of a region."""
    return _listed(ranking.unknown)


def sentence(codes: Iterable[str], record: Document) -> str:
    """Whose region a practice is from and why that is like one asked for; empty where it is not."""
    named = [record["region"], *record["other_regions"]]
    others = [each["code"] for each in named if each and each["code"]]
    best = region_likeness.most_alike(context.vocabulary(), codes, others)
    if best is None:
        return ""
    code, alike = best
    names = {"place": templating.region_name(alike.code), "region": templating.region_name(code)}
    return gettext("%(place)s is like %(region)s: %(reasons)s", reasons=in_words(alike), **names)


def sentences(asked: CatalogueQuery, items: Iterable[Found]) -> dict[str, str]:
    """For each practice of a list, by slug, why its region is like the one asked for; nothing where none was."""
    return _why(asked, (each.record for each in items)) if asked.region_like else {}


def _why(asked: CatalogueQuery, records: Iterable[Document]) -> dict[str, str]:
    return {record["slug"]: sentence(asked.region_like, record) for record in records}


@bp.app_template_global()
def not_comparable(asked: CatalogueQuery) -> list[Ranking]:
    """Of which of the regions asked for too little is known to say which others are like them."""
    vocabulary = context.vocabulary()
    rankings = (region_likeness.ranked(vocabulary, code, 0) for code in asked.region_like)
    return [each for each in rankings if not each.comparable]


@bp.app_template_global()
def alike_section(code: str) -> Section:
    """What a region's page shows of regions like it."""
    vocabulary = context.vocabulary()
    asked = CatalogueQuery(region_like=(code,))
    ids = catalogue.matching_ids(context.engine(), vocabulary, asked)
    first = ids[:SHOWN]
    there = reading.documents(context.reading(), map(uuid.UUID, first), context.config().base_url)
    records = tuple(there[each] for each in first if each in there)  # an index that lags may know what is gone
    ranking = region_likeness.ranked(vocabulary, code, 0)
    foremost = region_likeness.foremost(vocabulary, code, SHOWN)
    return Section(ranking, foremost, asked, len(ids), records, _why(asked, records))
