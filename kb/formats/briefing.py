"""What a council is given about several practices: a table of facts, a page each, numbered sources. For page, Word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb.formats import telling
from kb.formats.about import About, Document
from kb.formats.comparison import Column
from kb.formats.telling import Fact
from kb.formats.text import N_, line

STORY = ("results", "transferability", "difficulties", "lessons")
"""The long texts of a practice's page, in their order: how sure one can be, what a copy needs, what was hard."""


@dataclass(frozen=True)
class Briefing:
    """What is put before a council: the question that it has to answer, for whom, and the practices.

    `question` and `audience` are as somebody typed them, in one line; empty where they left them out.
    """

    columns: Sequence[Column]
    question: str = ""
    audience: str = ""


@dataclass(frozen=True)
class Source:
    """A source with its number in the whole briefing."""

    number: int
    title: str
    url: str


@dataclass(frozen=True)
class Overview:
    """The table that compares: what its columns are called, and a row for each practice after its title."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def overview(columns: Sequence[Column], about: About) -> Overview:
    """The facts by which practices are compared first. One that is not known says so."""
    say = about.say
    headings = (N_("Where"), N_("Status"), N_("People reached"), N_("Budget"), N_("Evidence"))
    rows = tuple(_compared(each.document, about) for each in columns)
    return Overview(tuple(say(heading) for heading in headings), rows)


def _compared(document: Document, about: About) -> tuple[str, ...]:
    unknown = about.say(N_("Not reported"))
    parts = (about.term("status", document["status"]), telling.span(document, about))
    reached, evidence = document["beneficiaries"], document["evidence"]
    return (
        telling.where(document, about),
        ", ".join(part for part in parts if part),
        telling.number(reached, about) if reached is not None else unknown,
        telling.budget(document, about, short=True) or unknown,
        about.term("evidence", evidence) if evidence else unknown,
    )


def facts(document: Document, about: About) -> list[Fact]:
    """The facts of a practice's page: those of the table, who runs it, its part in it, who paid, for whom."""
    say, term, unknown = about.say, about.term, about.say(N_("Not reported"))
    role = document["authority_role"]
    paid = dict.fromkeys(term("funding", each["source"]) for each in document["funding"] if each["source"])
    run_by = telling.organisation(document["lead_organisation"], about) or unknown
    if role:
        run_by += f"; {say(N_('Role of the region'))}: {term('authority_role', role)}"
    compared = zip(overview((), about).headings, _compared(document, about), strict=True)
    return [
        *compared,
        (say(N_("Run by")), run_by),
        (say(N_("Paid by")), ", ".join(paid) or unknown),
        (say(N_("For")), ", ".join(term("target_group", slug) for slug in document["target_groups"])),
    ]


def headings(document: Document, about: About) -> dict[str, str]:
    """The headings of a practice's long texts, by their keys; of one that was stopped, why comes first."""
    told = telling.headings(document, about)
    named = {key: told[key] for key in STORY} | {"transferability": about.say(N_("Conditions for taking it over"))}
    if document["status"] != "discontinued":
        return named
    return {"difficulties": named["difficulties"], **{k: v for k, v in named.items() if k != "difficulties"}}


def numbered(columns: Sequence[Column]) -> tuple[list[Source], list[list[int]]]:
    """The sources of all, each address once, numbered from 1; and for each practice the numbers of its own."""
    known: dict[str, Source] = {}
    own = []
    for each in columns:
        numbers = []
        for entry in each.document["sources"]:
            url = line(entry["url"])
            made = known.setdefault(url, Source(len(known) + 1, line(entry["title"]) or url, url))
            numbers.append(made.number)
        own.append(list(dict.fromkeys(numbers)))
    return list(known.values()), own
