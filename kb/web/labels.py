"""What the values of the record are called on the pages: one table an enum, translated when they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from babel import Locale

from kb.models import AdoptionStatus, Evidence, Frequency, Origin, RegionType, Role, State, Status
from kb.services.errors import N_
from kb.services.labels import AUTHORITY_ROLE, EVIDENCE, FUNDING, LEVEL, LICENCES, ORGANISATION, STATUS
from kb.services.record import NO_MAIN
from kb.services.vocabularies import country_name
from kb.web import context
from kb.web.catalogues import gettext, pgettext

__all__ = ["AUTHORITY_ROLE", "EVIDENCE", "FUNDING", "LEVEL", "LICENCES", "ORGANISATION", "STATUS"]

EVIDENCE_MEANING = {
    Evidence.MONITORING: N_("The body that runs it counts"),
    Evidence.SELF_EVALUATION: N_("It also judges itself"),
    Evidence.EXTERNAL_EVALUATION: N_("Someone else judges"),
    Evidence.COUNTERFACTUAL: N_("Against people without it"),
}
"""The four steps of the scale, weakest first, in plain words."""

REGION_TYPE = {
    RegionType.URBAN: N_("Mostly urban"),
    RegionType.INTERMEDIATE: N_("Towns and country"),
    RegionType.RURAL: N_("Mostly rural"),
    RegionType.MOUNTAIN: N_("Mountains"),
    RegionType.COAST: N_("Coast"),
    RegionType.BORDER: N_("Border"),
}

ORIGIN = {
    Origin.SEED: N_("Compiled from public sources, not confirmed by the organisation."),
    Origin.MEMBER: N_("Written by a member of the network and read by an editor."),
    Origin.IMPORT: N_("Taken over from another collection and read by an editor."),
    Origin.HARVEST: N_("Taken over from another website and read by an editor."),
}

STATE = {
    State.DRAFT: N_("Draft"),
    State.SUBMITTED: N_("Submitted"),
    State.IN_REVIEW: N_("In review"),
    State.CHANGES_REQUESTED: N_("Changes asked for"),
    State.PUBLISHED: N_("Published"),
    State.WITHDRAWN: N_("Put away"),
    State.REJECTED: N_("Not accepted"),
    State.ARCHIVED: N_("Archived"),
}

ROLE = {
    Role.READER: N_("Reader"),
    Role.MEMBER: N_("Member"),
    Role.EDITOR: N_("Editor"),
    Role.ADMIN: N_("Administrator"),
}

ADOPTION = {
    AdoptionStatus.CONSIDERING: N_("Considering it"),
    AdoptionStatus.ADAPTING: N_("Adapting it"),
    AdoptionStatus.RUNNING: N_("Running"),
    AdoptionStatus.STOPPED: N_("Stopped"),
}
"""How far a region has come with a practice of another."""

FREQUENCY = {
    Frequency.DAILY: N_("Mail once a day"),
    Frequency.WEEKLY: N_("Mail once a week"),
}
"""How often a search sends mail."""

TABLES: dict[str, Mapping[Any, str]] = {
    "level": LEVEL,
    "status": STATUS,
    "evidence": EVIDENCE,
    "authority_role": AUTHORITY_ROLE,
    "organisation": ORGANISATION,
    "funding": FUNDING,
    "region_type": REGION_TYPE,
    "origin": ORIGIN,
    "state": STATE,
    "role": ROLE,
    "frequency": FREQUENCY,
    "adoption": ADOPTION,
}
"""The tables by name, as templates ask for them: `label('status', record.status)`."""

FACETS = {
    "country": N_("Country"),
    "region": N_("Region"),
    "region_like": N_("Where from"),
    "theme": N_("Theme"),
    "target_group": N_("For whom"),
    "status": N_("Status"),
    "level": N_("Level"),
    "authority_role": N_("Role of the region"),
    "evidence": N_("Evidence"),
    "funding": N_("Funding"),
    "language": N_("Language of the text"),
    "region_type": N_("Type of region"),
    "year_from": N_("From the year"),
    "year_to": N_("Up to the year"),
    "updated_since": N_("Updated since"),
}
"""What each filter of a list of practices is called."""

SORTS = {
    "relevance": N_("relevance"),
    "newest": N_("newest"),
    "updated": N_("last updated"),
    "adopted": N_("most adopted"),
    "title": N_("title"),
}

MOST_ALIKE = N_("most alike")
"""What relevance is called where there are no words, but regions like one are asked for."""

MATCHED = {
    "title": N_("the title"),
    "summary": N_("the summary"),
    "context": N_("why it was needed"),
    "objectives": N_("what it wanted"),
    "actions": N_("what was done"),
    "results": N_("what came of it"),
    "difficulties": N_("what was difficult"),
    "lessons": N_("what was learnt"),
    "transferability": N_("what another region needs"),
    "editor_note": N_("the editor’s note"),
    "lead_organisation": N_("the name of the organisation"),
    "partners": N_("the names of partners"),
    "place": N_("the name of the place"),
    "region": N_("the region"),
    "other_regions": N_("the other regions"),
    "country": N_("the country"),
    "original_title": N_("the original title"),
    "translations": N_("a translation"),
    "themes": N_("its themes"),
    "target_groups": N_("the people it is for"),
}
"""Where a question was answered, by the key of the record, for the line "Found in …"."""


def label(table: str, value: str | None) -> str:
    """What a value of an enum is called in the language of the page; a draft may have none yet."""
    return gettext(TABLES[table][value]) if value is not None else gettext("Not chosen yet")


def facet(name: str, value: str, language: str) -> str:
    """What a value of a filter is called in a language; the value itself where it needs no name, as a year."""
    if name == "country":
        return country_name(value, language)
    if name in ("region", "region_like"):
        vocabulary = context.vocabulary()
        shown = vocabulary.region_name(value, language) if value in vocabulary.regions else value
        return shown if name == "region" else gettext("regions like %(name)s", name=shown)
    if name == "theme" and value == NO_MAIN:
        return gettext("No main theme yet")
    if name in ("theme", "target_group"):
        vocabulary = context.vocabulary()
        terms = vocabulary.themes if name == "theme" else vocabulary.target_groups
        slug = vocabulary.current(f"{name}s", value)
        return terms[slug].name(language) if slug in terms else value
    if name == "language":
        return language_name(value, language)
    return label(name, value) if name in TABLES else value


def language_name(code: str, language: str) -> str:
    """A language's name in a language, as it stands at the beginning of a line."""
    name = Locale.parse(language).languages.get(code, code)
    return name[:1].upper() + name[1:]


SINCE = {
    Status.RUNNING: N_("Running since %(year)s"),
    Status.PILOT: N_("Pilot since %(year)s"),
    Status.PLANNED: N_("Planned for %(year)s"),
    Status.MAINSTREAMED: N_("Part of normal work, begun %(year)s"),
    Status.ENDED: N_("Ended, begun %(year)s"),
    Status.DISCONTINUED: N_("Stopped, begun %(year)s"),
}
"""A status with the year of its beginning, where no end is known."""


def lifespan(status: str | None, start: str | None, end: str | None) -> str:
    """Status and years in one phrase: "Running since 2018", "Ended 2004–2008". Partial dates go in, years come out."""
    first, last = (text[:4] if text else None for text in (start, end))
    if last:
        years = f"{first}–{last}" if first and first != last else last
        return pgettext("status and years", "%(status)s %(years)s", status=label("status", status), years=years)
    return gettext(SINCE[Status(status)], year=first) if first and status else label("status", status)


def encode(params: Iterable[tuple[str, str]]) -> str:
    """Parameters as they stand in an address, after the question mark."""
    return urlencode(list(params))
