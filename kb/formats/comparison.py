"""Several records side by side: what each says, row by row, and in which rows they differ. For the page and for Word.

The rows are what an official asks of a practice before taking it home: where it stands, what it takes, why it was
needed, how sure its results are, what a copy needs, and where that is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kb.formats import telling
from kb.formats.about import About, Document
from kb.formats.telling import HEADINGS
from kb.formats.text import N_, line

SHORT = ("region_type", "level", "status", "authority_role", "evidence", "funding", "theme", "target_group")
"""Rows of short facts. That they differ says something; of long texts and amounts all but always every one differs."""

ALL = {2: N_("Both"), 3: N_("All three"), 4: N_("All four")}
"""All records that are compared, as it stands before what they say alike, by how many they are."""

HEADED = {
    "level": N_("Level"),
    "status": N_("Status"),
    "authority_role": N_("Role of the region"),
    "evidence": N_("Evidence"),
    "funding": N_("Paid by"),
    "theme": N_("Themes"),
    "target_group": N_("For"),
}
"""What the rows of short facts are called."""

PLACES = {
    "urban": N_("mostly urban"),
    "intermediate": N_("towns and country"),
    "rural": N_("mostly rural"),
    "mountain": N_("in the mountains"),
    "coast": N_("on the coast"),
    "border": N_("on the border"),
}
"""Types of a region as they stand in a sentence."""


class Kind(StrEnum):
    """How the cells of a row are shown."""

    WORDS = "words"
    NUMBER = "number"
    EVIDENCE = "evidence"
    LIST = "list"
    PROSE = "prose"
    LINKS = "links"


@dataclass(frozen=True)
class Cell:
    """What one record says in a row; nothing where it was not reported.

    `said` is one line, or Markdown where the row is PROSE; `entries` are those of a LIST, or the titles and addresses
    of LINKS. `value` is the code of the evidence. `language` is that of the text, where its writer chose the words.
    """

    said: str = ""
    entries: tuple[tuple[str, str], ...] = ()
    value: str | None = None
    language: str | None = None
    note: str = ""
    unordered: frozenset[str] = frozenset()

    @property
    def meant(self) -> tuple[object, ...]:
        """What makes two cells say the same: of a set of terms the terms, in whatever order they stand."""
        return (self.unordered or self.said, self.entries, self.value, self.note)

    def __bool__(self) -> bool:
        return bool(self.said or self.entries or self.value or self.note)


@dataclass(frozen=True)
class Row:
    """One thing that is said of every record, in their order."""

    key: str
    heading: str
    kind: Kind
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """Whether the records do not all say the same; that nobody says anything is the same too."""
        return len({cell.meant for cell in self.cells}) > 1

    @property
    def marked(self) -> bool:
        """Whether the difference is one to point out: see SHORT."""
        return self.differs and self.key in SHORT


@dataclass(frozen=True)
class Group:
    """Rows under a heading."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Asked:
    """One question of a transfer check: what was asked, the record's own words about it, shortened and in the record's
    language, and what was answered. Without the last two it only counts what is left out.
    """

    text: str
    quote: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Checked:
    """Whether a practice could work in a region, as somebody answered: questions under headings, and how much is there.

    `notice`: that the answers are of an earlier version; `url` is the address of the whole result.
    """

    heading: str
    parts: tuple[tuple[str, tuple[Asked, ...]], ...]
    there: str
    notice: str
    url: str


@dataclass(frozen=True)
class Column:
    """One record among those that are compared, and what is known of it beside the record.

    `shown` is its title and summary as the reader can best read them: see `docx.one`. `types` are codes of the types of
    its region, none where nobody knows; `adoptions` says in a line each who took it up; `notice` is what a reader must
    know first, such as that it is archived; `check` is what a transfer check of it came to, if one was handed over.
    """

    document: Document
    shown: Mapping[str, Any]
    types: tuple[str, ...] = ()
    adoptions: tuple[str, ...] = ()
    notice: str | None = None
    check: Checked | None = None

    @property
    def title(self) -> str:
        """The title as its reader can best read it, in one line."""
        return line(self.shown["title"])


Columns = Sequence[Column]


def groups(columns: Columns, about: About) -> list[Group]:
    """The rows of a comparison, in groups; `about` names terms in the reader's language.

    A row that only some records can have, such as partners, is left out where none has it.
    """
    made = (
        (N_("At a glance"), _glance(columns, about)),
        (N_("What it takes"), _takes(columns, about)),
        (N_("What it is, and why"), _story(columns, about)),
        (N_("How sure can you be?"), _sure(columns, about)),
        (N_("What a copy needs"), _needs(columns, about)),
        (N_("Where this is from"), _origin(columns, about)),
    )
    return [Group(about.say(heading), tuple(rows)) for heading, rows in made]


def alike(columns: Columns, about: About) -> str:
    """Which short facts all records have in common, in a sentence: "All three: on the border; status: running."

    Of terms of which a record has several, such as themes, those that all have.
    """
    shared = [*_places(columns, about), *_facts(columns, about)]
    if not shared:
        return about.say(N_("Of the short facts, none is the same in all."))
    return f"{_is(about.say(ALL[len(columns)]), '; '.join(shared), about)}."


def _places(columns: Columns, about: About) -> Iterator[str]:
    kinds = _common(each.types for each in columns)
    if kinds:
        yield ", ".join(about.say(text) for kind, text in PLACES.items() if kind in kinds)


def _facts(columns: Columns, about: About) -> Iterator[str]:
    documents = [each.document for each in columns]
    for key in ("level", "status", "authority_role", "evidence"):
        for value in _common([each[key]] for each in documents):
            if value:
                yield _is(_within(about.say(HEADED[key]), about), _within(about.term(key, value), about), about)
    several = {
        "funding": [[one["source"] for one in each["funding"]] for each in documents],
        "theme": [each["themes"] for each in documents],
        "target_group": [each["target_groups"] for each in documents],
    }
    for key, codes in several.items():
        terms = sorted(about.term(key, code) for code in _common(codes) if code)
        if terms:  # names, which keep their capitals
            yield _is(_within(about.say(HEADED[key]), about), ", ".join(terms), about)


def _common(codes: Iterable[Sequence[str | None]]) -> set[str | None]:
    return set.intersection(*map(set, codes))


def _is(name: str, value: str, about: About) -> str:
    return about.say(N_("%(name)s: %(value)s")) % {"name": name, "value": value}


def _within(text: str, about: About) -> str:
    """A heading or a label within a sentence; German nouns keep their capital, and so do abbreviations."""
    return text if about.language == "de" or text[1:2].isupper() else text[:1].lower() + text[1:]


def _glance(columns: Columns, about: About) -> Iterator[Row]:
    say, term, documents = about.say, about.term, [each.document for each in columns]
    yield _words("where", say(N_("Where")), (telling.where(each, about) for each in documents))
    yield _terms("region_type", say(N_("Type of region")), (each.types for each in columns), about)
    for key in ("level", "status"):
        yield _words(key, say(HEADED[key]), (term(key, each[key]) for each in documents))
    yield _words("time", say(N_("Time")), (telling.span(each, about) for each in documents))
    roles = [each["authority_role"] for each in documents]
    said = (term("authority_role", role) if role else "" for role in roles)
    yield _words("authority_role", say(HEADED["authority_role"]), said)
    leads = (telling.organisation(each["lead_organisation"], about) for each in documents)
    yield _words("lead_organisation", say(N_("Run by")), leads)
    if any(each["partners"] for each in documents):
        bodies = [[telling.organisation(body, about) for body in each["partners"]] for each in documents]
        yield _list("partners", say(N_("With")), bodies)
    yield _terms("theme", say(HEADED["theme"]), (each["themes"] for each in documents), about)
    yield _terms("target_group", say(HEADED["target_group"]), (each["target_groups"] for each in documents), about)


def _story(columns: Columns, about: About) -> Iterator[Row]:
    summaries = (Cell(each.shown["summary"] or "", language=each.shown["summary_language"]) for each in columns)
    yield Row("summary", about.say(N_("Summary")), Kind.PROSE, tuple(summaries))
    yield _prose("context", columns, about)


def _takes(columns: Columns, about: About) -> Iterator[Row]:
    say, documents = about.say, [each.document for each in columns]
    budgets = tuple(Cell(telling.budget(each, about, short=True)) for each in documents)
    yield Row("budget_eur", say(N_("Budget")), Kind.NUMBER, budgets)
    reached = (each["beneficiaries"] for each in documents)
    numbers = tuple(Cell(telling.number(n, about) if n is not None else "") for n in reached)
    yield Row("beneficiaries", say(N_("People reached")), Kind.NUMBER, numbers)
    paid = (dict.fromkeys(one["source"] for one in each["funding"] if one["source"]) for each in documents)
    yield _terms("funding", say(HEADED["funding"]), (list(each) for each in paid), about)


def _sure(columns: Columns, about: About) -> Iterator[Row]:
    say, documents = about.say, [each.document for each in columns]
    steps = [each["evidence"] for each in documents]
    cells = tuple(Cell(about.term("evidence", step) if step else "", value=step) for step in steps)
    yield Row("evidence", say(HEADED["evidence"]), Kind.EVIDENCE, cells)
    yield _prose("results", columns, about)
    if any(each["indicators"] for each in documents):
        counted = [[telling.indicator(one, about) for one in each["indicators"]] for each in documents]
        yield _list("indicators", say(N_("Indicators")), counted, documents)


def _needs(columns: Columns, about: About) -> Iterator[Row]:
    yield _prose("transferability", columns, about, heading=N_("Conditions"), note="editor_note")
    yield _prose("difficulties", columns, about)
    yield _prose("lessons", columns, about)
    if any(each.adoptions for each in columns):
        yield _list("adoptions", about.say(N_("Taken up by")), [each.adoptions for each in columns])


def _origin(columns: Columns, about: About) -> Iterator[Row]:
    say, documents = about.say, [each.document for each in columns]
    sources = tuple(
        Cell(entries=tuple((line(one["title"] or one["url"]), line(one["url"])) for one in each["sources"]))
        for each in documents
    )
    yield Row("sources", say(N_("Sources")), Kind.LINKS, sources)
    version, verified = say(N_("%(n)d, of %(when)s")), (each["last_verified"] for each in documents)
    published = (version % {"n": each["version"], "when": telling.day(each["updated"], about)} for each in documents)
    yield _words("version", say(N_("Version")), published)
    days = (telling.day(day, about) if day else "" for day in verified)
    yield _words("last_verified", say(N_("Last verified")), days)
    yield _words("licence", say(N_("Licence")), (each["licence"] or "" for each in documents))


def _words(key: str, heading: str, said: Iterable[str]) -> Row:
    return Row(key, heading, Kind.WORDS, tuple(Cell(text) for text in said))


def _terms(facet: str, heading: str, codes: Iterable[Sequence[str]], about: About) -> Row:
    cells = tuple(
        Cell(", ".join(about.term(facet, code) for code in each), unordered=frozenset(each)) for each in codes
    )
    return Row(facet, heading, Kind.WORDS, cells)


def _list(key: str, heading: str, texts: Sequence[Sequence[str]], written: Sequence[Document] = ()) -> Row:
    """A row of lists; in the languages of `written`, where their writers chose the words."""
    languages = [each["language"] for each in written] or [None] * len(texts)
    cells = (
        Cell(entries=tuple((text, "") for text in each), language=language)
        for each, language in zip(texts, languages, strict=True)
    )
    return Row(key, heading, Kind.LIST, tuple(cells))


def _prose(key: str, columns: Columns, about: About, heading: str = "", note: str = "") -> Row:
    documents = (each.document for each in columns)
    cells = tuple(
        Cell(each[key] or "", language=each["language"], note=line(each[note]) if note else "") for each in documents
    )
    return Row(key, about.say(heading or HEADINGS[key]), Kind.PROSE, cells)
