"""What stands around a list of results: filters with their counts, chips, what else was searched, ways out, pages."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flask import request
from markupsafe import Markup

from kb.services import catalogue, presenting, query
from kb.services.catalogue import Results
from kb.services.errors import N_
from kb.services.presenting import Found
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import fold
from kb.web import alike, context, labels, languages, templating
from kb.web.carrying import carried
from kb.web.catalogues import gettext

FIRST_VALUES = 6
"""Values of a filter in sight before the rest goes behind "more"."""

MOST_REASONS = 4
"""Places that the line "Found in …" names."""

MOST_WAYS_OUT = 12
"""Filters of which it is found out, where nothing was found, how much a search without them would find."""

KINDS = {
    "theme": N_("the theme %(name)s"),
    "target_group": N_("the target group %(name)s"),
    "country": N_("the country %(name)s"),
    "region": N_("the region %(name)s"),
}
"""What words may also mean, as it stands in a sentence before its name."""

MAIN_FACETS = ("country", "theme", "region_type", "evidence", "level", "target_group", "status")
MORE_FACETS = ("authority_role", "funding", "language")
"""Filters that are asked for less: behind "More filters"."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value that a filter can take, and how many practices it would find."""

    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True)
class FacetGroup:
    """One filter of the list of practices. `unknown`: how many have no value, where that says something."""

    name: str
    legend: str
    values: tuple[FacetValue, ...]
    unknown: int = 0

    @property
    def first(self) -> tuple[FacetValue, ...]:
        """The values in sight; a single one more is not worth hiding."""
        return self.values if len(self.values) == FIRST_VALUES + 1 else self.values[:FIRST_VALUES]

    @property
    def rest(self) -> tuple[FacetValue, ...]:
        """The values behind "more"."""
        return self.values[len(self.first) :]

    @property
    def selected(self) -> bool:
        """Whether any value is chosen."""
        return any(value.selected for value in self.values)


@dataclass(frozen=True)
class Chip:
    """A chosen filter, in words, and the address without it."""

    name: str
    value: str
    url: str
    less: CatalogueQuery


@dataclass(frozen=True)
class Meaning:
    """What words of the question also mean, and the address of the search without it, or with it again."""

    facet: str
    code: str
    value: str
    url: str

    @property
    def text(self) -> Markup:
        """What it is, in a sentence, its name in bold."""
        return Markup.escape(gettext(KINDS[self.facet])) % {"name": Markup("<b>{}</b>").format(self.value)}

    @property
    def plain(self) -> str:
        """The same without markup."""
        return gettext(KINDS[self.facet], name=self.value)


def around(asked: query.Request, results: Results) -> dict[str, Any]:
    """Everything that the page of results shows beside them."""
    chosen = chips(asked.query)
    bare = asked.query.without_filters()
    meant = meanings(results)
    return {
        "chips": chosen,
        "without_filters": bare,
        "total_without": total(bare) if chosen else None,
        "wordless": total(replace(asked.query, q="")) if chosen and asked.query.q and not results.total else None,
        "ways_out": ways_out(chosen) if not results.total else (),
        "meanings": meant,
        "literal": literal(results),
        "reasons": {each.record["slug"]: reasons(each, meant) for each in results.items} if asked.query.q else {},
        "alike": alike.sentences(asked.query, results.items),
        "dropped": dropped(asked.query),
        "facets": facets(results, MAIN_FACETS),
        "more_facets": facets(results, MORE_FACETS),
        "kept": kept(asked),
        "page_numbers": page_numbers(results.page, results.pages),
        "address": context.config().base_url + templating.query_url(asked.query, asked.page, asked.per_page),
        "today": datetime.now(UTC),
        **orders(asked.query),
    }


def orders(asked: CatalogueQuery) -> dict[str, Any]:
    """The orders to choose from, and the present one.

    Without a question, relevance means the newest first, or, of regions like one, the most alike.
    """
    without_question = not (asked.q or asked.region_like) and asked.sort == "relevance"
    meant = {**labels.SORTS, "relevance": labels.SORTS["relevance"] if asked.q else labels.MOST_ALIKE}
    asks = asked.q or asked.region_like
    offered = [(sort, gettext(text)) for sort, text in meant.items() if asks or sort != "relevance"]
    return {"sorts": offered, "order": "newest" if without_question else asked.sort}


def total(asked: CatalogueQuery) -> int:
    """How many practices a query finds."""
    return catalogue.total(context.engine(), context.vocabulary(), asked)


def chips(asked: CatalogueQuery) -> list[Chip]:
    """The chosen filters, each with the search that does without it."""
    chips = []
    for name, value in asked.filters():
        less = asked.without(name, value)
        shown = labels.facet(name, value, languages.chosen())
        chips.append(Chip(gettext(labels.FACETS[name]), shown, templating.query_url(less), less))
    return chips


def ways_out(chips: Iterable[Chip]) -> list[tuple[Chip, int]]:
    """Where nothing is found: the filters whose removal would find something, and how much.

    Only the first ones are looked at: each is a search of its own, and an address can hold hundreds.
    """
    counted = [(chip, total(chip.less)) for chip in islice(chips, MOST_WAYS_OUT)]
    return [(chip, count) for chip, count in counted if count]


def facets(results: Results, names: Iterable[str]) -> list[FacetGroup]:
    """The filters that can change anything: those with more than one value, or with one chosen."""
    groups, language = [], languages.chosen()
    for name in names:
        chosen = getattr(results.query, name)
        counts = {value: 0 for value in chosen} | dict(results.facets.get(name, ()))
        values = [
            FacetValue(value, labels.facet(name, value, language), count, value in chosen)
            for value, count in counts.items()
            if count or value in chosen
        ]
        if len(values) > 1 or chosen:
            values.sort(key=lambda each: (-each.count, fold(each.label)))
            unknown = results.untyped if name == "region_type" else 0
            groups.append(FacetGroup(name, gettext(labels.FACETS[name]), tuple(values), unknown))
    return groups


def kept(asked: query.Request) -> list[tuple[str, str]]:
    """What the filter form sends along unseen: the question, the order, and filters that it has no control for."""
    shown = {*MAIN_FACETS, *MORE_FACETS, "region_like", "year_from", "year_to"}
    kept = [(name, value) for name, value in asked.query.to_params() if name not in shown]
    if asked.per_page != query.PER_PAGE:
        kept.append(("per_page", str(asked.per_page)))
    if "lang" in request.args:
        kept.append(("lang", languages.chosen()))
    return kept + carried()


def page_numbers(page: int, pages: int) -> list[int | None]:
    """The numbers that a pager shows: first, last, two around the present one; None where some are left out."""
    shown = [n for n in range(1, pages + 1) if n in (1, pages) or abs(n - page) <= 2]
    numbers: list[int | None] = []
    for before, n in zip([0, *shown], shown, strict=False):
        numbers += [None, n] if n - before > 1 else [n]
    return numbers


def meanings(results: Results) -> list[Meaning]:
    """What else was searched, each with the search that leaves it out."""
    return [
        _meaning(facet, value, results.query.dropping([(facet, value)]))
        for facet, value in dict.fromkeys((each.facet, value) for each in results.expansions for value in each.values)
    ]


def dropped(asked: CatalogueQuery) -> list[Meaning]:
    """What the reader left out of what else is searched, each with the search that takes it in again."""
    pairs = [each.partition(":") for each in asked.drop]
    return [_meaning(facet, value, asked.without("drop", f"{facet}:{value}")) for facet, _, value in pairs]


def literal(results: Results) -> str:
    """The address of the search for the words of the question alone."""
    pairs = [(each.facet, value) for each in results.expansions for value in each.values]
    return templating.query_url(results.query.dropping(pairs))


def _meaning(facet: str, value: str, other: CatalogueQuery) -> Meaning:
    name = labels.facet(facet, value, languages.chosen())
    return Meaning(facet, value, name, templating.query_url(other))


def reasons(found: Found, meanings: Iterable[Meaning]) -> list[str]:
    """Where a practice answers the question, in words: the weightiest few, for a list of all of them says nothing.

    A tag by which it was found is named.
    """
    names: dict[str, list[str]] = {}
    for each in meanings:
        if each.code in _values(found, each.facet):
            names.setdefault(presenting.TAGS[each.facet], []).append(each.plain)
    texts = []
    for key in found.matched:
        if key in names:
            texts += names[key]
        elif key != "original_title" or "title" not in found.matched:
            texts.append(gettext(labels.MATCHED[key]))
    return texts[:MOST_REASONS]


def _values(found: Found, facet: str) -> Container[str]:
    record = found.record
    if facet == "region":
        region = record["region"]
        return frozenset(context.vocabulary().lineage(region["code"])) if region else ()
    held = record[presenting.TAGS[facet]]
    return (held,) if isinstance(held, str) else tuple(held)
