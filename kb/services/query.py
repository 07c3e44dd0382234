"""The one query object: page, API, exports, feeds and saved searches all parse the same parameters with this code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kb.models import AuthorityRole, Evidence, FundingSource, Level, RegionType, Status
from kb.search.parsing import parse as parse_question
from kb.search.port import SORTS, Query
from kb.search.question import Question
from kb.search.thesaurus import Thesaurus, Value
from kb.services import region_likeness
from kb.services.checking import LANGUAGES
from kb.services.errors import N_, Invalid, Label, Problem
from kb.services.vocabularies import COUNTRY_ALIASES, Vocabulary, countries

Params = list[tuple[str, str]]

FACET_PARAMS = (
    "country", "theme", "target_group", "status", "level", "authority_role", "evidence", "funding", "language",
    "region_type",
)  # fmt: skip
"""Parameters that may be repeated and are facets of the index."""

CHOICES = {
    "status": tuple(Status),
    "level": tuple(Level),
    "authority_role": tuple(AuthorityRole),
    "evidence": tuple(Evidence),
    "funding": tuple(FundingSource),
    "language": LANGUAGES,
    "region_type": tuple(RegionType),
}
"""Facets whose values are a fixed list."""

SINGLE = ("q", "year_from", "year_to", "updated_since", "sort", "page", "per_page")
DROPPABLE = ("theme", "target_group", "country", "region")
"""What words of a question may also mean, and the reader may say they do not: `drop=theme:housing`."""

KNOWN = (*FACET_PARAMS, "region", "region_like", "drop", *SINGLE)
"""Every parameter that a list of practices takes, beside `lang`."""

NAMES = {
    name: Label(text)
    for name, text in {
        "country": N_("country"),
        "region": N_("region"),
        "region_like": N_("region"),
        "theme": N_("theme"),
        "target_group": N_("target group"),
        "status": N_("status"),
        "level": N_("level"),
        "authority_role": N_("role of the region"),
        "evidence": N_("kind of evidence"),
        "funding": N_("source of money"),
        "language": N_("language"),
        "region_type": N_("type of region"),
        "year_from": N_("The first year"),
        "year_to": N_("The last year"),
        "page": N_("The page number"),
        "per_page": N_("The number a page"),
    }.items()
}
"""What parameters are called in sentences for people."""

QUESTION_LIMIT = 1000
"""Characters of a question. Longer ones are refused in a sentence rather than read in part."""

MOST_VALUES = 100
"""Values that the filters of one query may have together: a page says each, with an address that has all others."""

PER_PAGE = 20
PER_PAGE_LIMIT = 100
LAST_PAGE = 100_000
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?")


@dataclass(frozen=True)
class CatalogueQuery:
    """What a reader asks for, in canonical form. The page's number and language stay outside it."""

    q: str = ""
    country: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    region_type: tuple[str, ...] = ()
    region_like: tuple[str, ...] = ()
    theme: tuple[str, ...] = ()
    target_group: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    authority_role: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    funding: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None
    updated_since: str | None = None
    drop: tuple[str, ...] = ()
    sort: str = "relevance"

    def to_params(self) -> Params:
        """The parameters that parse to this query, in a fixed order, defaults left out."""
        params: Params = []
        for name, value in vars(self).items():  # the fields, in their order
            if isinstance(value, tuple):
                params += [(name, each) for each in value]
            elif value not in (None, "") and not (name == "sort" and value == "relevance"):
                params.append((name, str(value)))
        return params

    def filters(self) -> Params:
        """The chosen filters one by one, as (parameter, value); the question and the order are none."""
        return [(name, value) for name, value in self.to_params() if name not in ("q", "drop", "sort")]

    def without(self, name: str, value: str | None = None) -> CatalogueQuery:
        """The query less one filter, or less one value of it."""
        held = getattr(self, name)
        if isinstance(held, tuple):
            held = tuple(each for each in held if value is not None and each != value)
        else:
            held = None
        changed: dict[str, Any] = {name: held}
        return replace(self, **changed)

    def without_filters(self) -> CatalogueQuery:
        """The bare question in the same order."""
        return CatalogueQuery(q=self.q, drop=self.drop, sort=self.sort)

    def dropping(self, values: Iterable[Value]) -> CatalogueQuery:
        """The query less something that the words of the question also mean, as (facet, value) pairs."""
        return replace(self, drop=tuple(dict.fromkeys((*self.drop, *map(":".join, values)))))

    def question(self, thesaurus: Thesaurus) -> Question:
        """What `q` asks for."""
        dropped = [(facet, value) for facet, _, value in (each.partition(":") for each in self.drop)]
        return parse_question(self.q, thesaurus, dropped)

    def to_engine(
        self,
        thesaurus: Thesaurus,
        page: int,
        per_page: int,
        *,
        facets: bool = True,
        places: bool = False,
        pairs: tuple[tuple[str, str], ...] = (),
        alike: Mapping[str, int] | None = None,
    ) -> Query:
        """The same question as an engine understands it.

        `alike` are the regions like those of `region_like`, as `region_likeness.alike_codes` has them.
        """
        return Query(
            question=self.question(thesaurus),
            filters={name: getattr(self, name) for name in FACET_PARAMS if getattr(self, name)},
            regions=self.region,
            alike=(alike or {}) if self.region_like else None,
            not_regions=self.region_like,
            year_from=self.year_from,
            year_to=self.year_to,
            updated_since=self.updated_since,
            sort=self.sort,
            offset=(page - 1) * per_page,
            limit=per_page,
            facets=facets,
            places=places,
            pairs=pairs,
        )


@dataclass(frozen=True)
class Request:
    """A parsed list of parameters. `canonical` is False where an alias or a retired code was understood."""

    query: CatalogueQuery
    page: int = 1
    per_page: int = PER_PAGE
    canonical: bool = True

    def to_params(self) -> Params:
        """The parameters that parse to this request, in canonical form."""
        params = self.query.to_params()
        if self.per_page != PER_PAGE:
            params.append(("per_page", str(self.per_page)))
        if self.page != 1:
            params.append(("page", str(self.page)))
        return params


def parse(params: Iterable[tuple[str, str]], vocabulary: Vocabulary, *, strict: bool = False) -> Request:
    """Read the parameters of a list of practices.

    `strict` (the API) refuses unknown parameters; a page ignores them. Raises Invalid with a sentence for every
    value that nobody knows.
    """
    return _Parser(vocabulary, strict).parse(params)


class _Parser:
    def __init__(self, vocabulary: Vocabulary, strict: bool) -> None:
        self.vocabulary = vocabulary
        self.strict = strict
        self.problems: list[Problem] = []
        self.canonical = True

    def parse(self, params: Iterable[tuple[str, str]]) -> Request:
        single: dict[str, str] = {}
        many: dict[str, list[str]] = {}
        for name, raw in self._distinct(params):
            value = raw.replace("\x00", " ").strip()
            if name not in KNOWN:
                if self.strict and name != "lang":
                    self._wrong(name, N_("There is no parameter called “%(value)s”."), name)
            elif not value:
                continue
            elif name in SINGLE:
                single[name] = value
            else:
                for each in self._values(name, value):
                    if each not in many.setdefault(name, []):
                        many[name].append(each)
        query = CatalogueQuery(
            q=self._question(single.get("q", "")),
            **{name: tuple(values) for name, values in many.items()},
            year_from=self._number("year_from", single, 1000, 9999),
            year_to=self._number("year_to", single, 1000, 9999),
            updated_since=self._moment(single.get("updated_since")),
            sort=self._sort(single.get("sort", "relevance")),
        )
        if query.year_from and query.year_to and query.year_from > query.year_to:
            self._wrong("year_to", N_("The last year, %(value)s, lies before the first."), str(query.year_to))
        self._few(sum(map(len, many.values())))
        page = self._number("page", single, 1, LAST_PAGE) or 1
        per_page = self._number("per_page", single, 1, PER_PAGE_LIMIT) or PER_PAGE
        if self.problems:
            raise Invalid(self.problems)
        return Request(query, page, per_page, self.canonical)

    def _distinct(self, params: Iterable[tuple[str, str]]) -> Params:
        """The parameters, each pair of name and value once but for those that may not be repeated.

        Raises Invalid where there are too many: whatever else is wrong would take as many sentences.
        """
        pairs = list(params)
        many = dict.fromkeys(each for each in pairs if each[0] not in SINGLE)
        self._few(sum(self.strict or name in KNOWN for name, _value in many))
        if self.problems:
            raise Invalid(self.problems)
        return [*many, *(each for each in pairs if each[0] in SINGLE)]

    def _few(self, chosen: int) -> None:
        if chosen > MOST_VALUES:
            text = N_("Choose fewer filters: there are %(count)d, the limit is %(limit)d.")
            self.problems.append(Problem.of("", text, count=chosen, limit=MOST_VALUES))

    def _values(self, name: str, value: str) -> list[str]:
        """The canonical values that one given value stands for; none, and a problem, where nobody knows it."""
        if name == "country":
            return self._country(value)
        if name == "region":
            return self._region(value)
        if name == "region_like":
            return self._alike_to(value)
        if name == "drop":
            return self._dropped(value)
        if name in CHOICES:
            return [value] if value in CHOICES[name] else self._unknown(name, value)
        return self._term(name, value)

    def _term(self, name: str, value: str) -> list[str]:
        slug = self.vocabulary.current(f"{name}s", value)
        self._alias(slug != value)
        known: Iterable[str] = getattr(self.vocabulary, f"{name}s")
        return [slug] if slug in known else self._unknown(name, value)

    def _country(self, value: str) -> list[str]:
        code = COUNTRY_ALIASES.get(value.upper(), value.upper())
        self._alias(code != value)
        return [code] if code in countries() else self._unknown("country", value)

    def _region(self, value: str, name: str = "region") -> list[str]:
        vocabulary = self.vocabulary
        code = vocabulary.known_code(value)
        if code is None and value.upper() in vocabulary.successors:
            self._alias(True)
            return list(vocabulary.successors[value.upper()])
        if code is None:
            code = vocabulary.country_region(value.upper())
        self._alias(code is not None and code != value)
        return [code] if code else self._unknown(name, value)

    def _alike_to(self, value: str) -> list[str]:
        """The codes of regions, as for `region`; a whole country is none that others can be like."""
        codes = self._region(value, "region_like")
        for code in codes:
            try:
                region_likeness.refuse_country(self.vocabulary, code)
            except Invalid as refused:
                self.problems += refused.problems
        return codes

    def _dropped(self, value: str) -> list[str]:
        facet, _, dropped = value.partition(":")
        if facet in DROPPABLE and dropped:
            return [f"{facet}:{each}" for each in self._values(facet, dropped)]
        self._wrong("drop", N_("“%(value)s” is nothing that a question can mean, such as theme:housing."), value)
        return []

    def _question(self, text: str) -> str:
        if len(text) > QUESTION_LIMIT:
            self.problems.append(
                Problem.of(
                    "q", N_("Shorten the question: it has %(count)d characters, the limit is %(limit)d."),
                    count=len(text), limit=QUESTION_LIMIT,
                )
            )  # fmt: skip
            return ""
        # Undecodable bytes arrive as U+FFFD: they can be part of no word.
        return " ".join(text.replace("\ufffd", " ").split())

    def _number(self, name: str, single: dict[str, str], least: int, most: int) -> int | None:
        text = single.get(name)
        if text is None:
            return None
        if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
            return int(text)
        self.problems.append(
            Problem.of(
                name, N_("%(name)s must be a whole number from %(least)d to %(most)d, not “%(value)s”."),
                name=NAMES[name], least=least, most=most, value=text[:40],
            )
        )  # fmt: skip
        return None

    def _moment(self, text: str | None) -> str | None:
        """A date as it is; a moment in UTC, as records have theirs. One without a zone is taken to be in UTC."""
        if text is None:
            return None
        try:
            if _MOMENT.fullmatch(text):
                moment = _canonical(text)
                self._alias(moment != text)
                return moment
        except (ValueError, OverflowError):
            pass
        self._wrong("updated_since", N_("“%(value)s” is not a date such as 2026-09-30."), text)
        return None

    def _sort(self, text: str) -> str:
        if text not in SORTS:
            self._wrong("sort", N_("Nothing can be sorted by “%(value)s”."), text)
        return text

    def _alias(self, used: bool) -> None:
        self.canonical = self.canonical and not used

    def _unknown(self, name: str, value: str) -> list[str]:
        self.problems.append(
            Problem.of(name, N_("No %(name)s is called “%(value)s”."), name=NAMES[name], value=value[:80])
        )
        return []

    def _wrong(self, name: str, text: str, value: str) -> None:
        self.problems.append(Problem.of(name, text, value=value[:80]))


def _canonical(text: str) -> str:
    if len(text) == len("2026-09-30"):
        return date.fromisoformat(text).isoformat()
    moment = datetime.fromisoformat(text)
    if moment.microsecond:  # as JavaScript writes it: records say the second, so the next whole one is meant
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return moment.replace(tzinfo=None).isoformat() + "Z"  # strftime would write the year 999 in three digits
