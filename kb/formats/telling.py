"""A record in words, for pages and for the formats that people read: dates, amounts, spans, headings, facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_compact_decimal, format_decimal

from kb.formats.about import About, Document, Reader
from kb.formats.text import N_, line

LOCALES = {"en": "en_GB"}
"""Where the format of dates and numbers is another than that of the bare language."""

HEADINGS = {
    "context": N_("Why it was needed"),
    "objectives": N_("What it wanted"),
    "actions": N_("What was done"),
    "results": N_("What came of it"),
    "difficulties": N_("What was difficult"),
    "lessons": N_("What was learnt"),
    "transferability": N_("Could it work in your region?"),
}
"""The long texts in the order of the page, under its headings."""

Fact = tuple[str, str]
"""What is said, and what is said of it; both in one line and in the reader's language."""

OVER = ("ended", "discontinued")
"""Where a practice stands that goes on no more."""


def headings(document: Document, reader: Reader) -> dict[str, str]:
    """The headings of the long texts in their order; of a practice that was stopped, why comes first.

    Where a practice goes on no more, its lessons are what its people would do another time.
    """
    named = {key: reader.say(text) for key, text in HEADINGS.items()}
    if document["status"] in OVER:
        named["lessons"] = reader.say(N_("What we would do differently"))
    if document["status"] != "discontinued":
        return named
    return {"difficulties": reader.say(N_("Why it stopped")), **{k: v for k, v in named.items() if k != "difficulties"}}


def facts(document: Document, about: About) -> Iterator[Fact]:
    """What the page shows at a glance, and of what is not known that it was not reported."""
    say, term, unknown = about.say, about.term, about.say(N_("Not reported"))
    yield say(N_("Where")), where(document, about)
    if document["other_regions"]:
        yield say(N_("Also in")), "; ".join(_region(each, each["country"], about) for each in document["other_regions"])
    yield say(N_("Run by")), organisation(document["lead_organisation"], about) or unknown
    if document["partners"]:
        yield say(N_("With")), "; ".join(organisation(each, about) for each in document["partners"])
    yield say(N_("Status")), term("status", document["status"])
    yield say(N_("Time")), span(document, about) or unknown
    yield say(N_("Level")), term("level", document["level"])
    role = document["authority_role"]
    yield say(N_("Role of the region")), term("authority_role", role) if role else unknown
    yield say(N_("Themes")), ", ".join(term("theme", slug) for slug in document["themes"])
    yield say(N_("For")), ", ".join(term("target_group", slug) for slug in document["target_groups"])
    evidence = document["evidence"]
    yield say(N_("Evidence")), term("evidence", evidence) if evidence else unknown
    reached = document["beneficiaries"]
    yield say(N_("People reached")), number(reached, about) if reached is not None else unknown
    yield say(N_("Budget")), budget(document, about) or unknown


def where(document: Document, about: About) -> str:
    """The place, its region and its country."""
    region = _region(document["region"], document["country"], about)
    return ", ".join(part for part in (line(document["place"]), region) if part)


def _region(region: Document | None, country: str, about: About) -> str:
    name = about.term("region", region["code"]) if region and region["code"] else ""
    return ", ".join(dict.fromkeys(part for part in (name, about.term("country", country)) if part))


def organisation(body: Document | None, about: About) -> str:
    """A body with its kind."""
    if not body:
        return ""
    name = line(body["name"])
    return f"{name} ({about.term('organisation', body['type'])})" if body["type"] else name


def span(document: Document, reader: Reader) -> str:
    """When it ran, as exactly as is known: "since May 2016", "2016 to June 2018"; empty where nothing is."""
    start, end = (partial(document[key], reader) if document[key] else None for key in ("start", "end"))
    if start and end:
        return start if start == end else reader.say(N_("%(start)s to %(end)s")) % {"start": start, "end": end}
    if end:
        return reader.say(N_("until %(end)s")) % {"end": end}
    if not start:
        return ""
    over = document["status"] in OVER
    return reader.say(N_("from %(start)s, end not reported") if over else N_("since %(start)s")) % {"start": start}


def budget(document: Document, about: About, *, short: bool = False) -> str:
    """The budget with its year; empty where there is none. `short`: €19 million."""
    if document["budget_eur"] is None:
        return ""
    year = document["budget_year"]
    return money(document["budget_eur"], about, short=short) + (
        f" {about.say(N_('in %(year)d')) % {'year': year}}" if year else ""
    )


def grant(each: Document, about: About) -> str:
    """One source of money: who, how much, and the note."""
    name = about.term("funding", each["source"]) if each["source"] else ""
    amount = money(each["amount_eur"], about) if each["amount_eur"] is not None else ""
    return ": ".join(part for part in (name, ", ".join(p for p in (amount, line(each["note"])) if p)) if part)


def indicator(each: Document, about: About) -> str:
    """What was counted: before, result with its unit, year."""
    before = about.say(N_("Before:"))
    value = " ".join(line(part) for part in (each["value"], each["unit"]) if part)
    parts = (value, f"{before} {line(each['baseline'])}" if each["baseline"] else "", str(each["year"] or ""))
    return ": ".join(part for part in (line(each["name"]), ", ".join(p for p in parts if p)) if part)


def number(value: float, reader: Reader) -> str:
    """A number as the reader writes it: 2,596."""
    return _number(value, reader.language)


@lru_cache(maxsize=4096, typed=True)
def _number(value: float, language: str) -> str:
    return str(format_decimal(value, locale=_locale(language)))


def money(value: float, reader: Reader, *, short: bool = False) -> str:
    """An amount in euro, to the euro, with its sign where the reader's language puts it; `short`: €19 million."""
    return _money(value, reader.language, short)


@lru_cache(maxsize=4096, typed=True)
def _money(value: float, language: str, short: bool) -> str:
    here = _locale(language)
    if short and value >= 1_000_000:
        text = str(format_compact_decimal(value, format_type="long", fraction_digits=2, locale=here))
    else:
        text = str(format_decimal(round(value), locale=here))
    text = "\u00a0".join(text.split())  # "2,23 Millionen €" is read as one
    before = str(here.currency_formats["standard"].pattern).startswith("¤")
    return f"€{text}" if before else f"{text}\u00a0€"


def partial(text: str, reader: Reader) -> str:
    """A partial date in words: "2016", "May 2016"."""
    if len(text) == 4:
        return text
    return str(format_skeleton("yMMMM", date.fromisoformat(f"{text[:7]}-01"), locale=locale(reader)))


def day(text: str, reader: Reader) -> str:
    """A day, or the day of a moment, in words: "23 November 2026"."""
    return str(format_date(date.fromisoformat(text[:10]), "long", locale=locale(reader)))


def locale(reader: Reader) -> Locale:
    """How numbers and dates are written in the reader's language."""
    return _locale(reader.language)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(LOCALES.get(language, language))


def absolute(url: str, about: About) -> str:
    """The address of a file, of this site's too, for a reader elsewhere."""
    return f"{about.base_url}{url}" if url.startswith("/") else url
