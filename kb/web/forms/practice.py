"""The practice form: the whole record, its repeating parts included, under the record's own names.

Every field takes any text, so that a draft keeps whatever was typed; what it must be is checked by the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from kb.formats.telling import OVER
from kb.services.checking import CHARACTER_LIMITS, WORD_LIMITS
from kb.services.errors import Problem
from kb.services.record import (
    LIST_CAP,
    LISTS,
    TERMS,
    words,
)

REPEATING = ("other_regions", "partners", "indicators", "funding", "links", "sources", "translations")
"""Parts that may be added and removed, each an entry of several fields."""


class _Entry(Form):
    """One entry of a repeating part."""


def _text(label: Any = "", **options: Any) -> StringField:
    return StringField(label, **options)


def _choice(label: Any = "", **options: Any) -> SelectField:
    """A list to choose from that also keeps a value which is not in it: what was sent is never lost."""
    return SelectField(label, choices=[], validate_choice=False, **options)


class RegionPart(_Entry):
    code = _text(_("Region"))


class OrganisationPart(_Entry):
    name = _text(_("Name"))
    type = _choice(_("Kind"))
    url = _text(_("Web address"))


class OtherRegionPart(_Entry):
    code = _text(_("Region"))
    country = _choice(_("Country"))


class IndicatorPart(_Entry):
    name = _text(_("What was counted or measured"))
    baseline = _text(_("Before"))
    value = _text(_("Value reached"))
    unit = _text(_("Unit"))
    year = _text(_("Year"))
    url = _text(_("Where it can be checked"))


class FundingPart(_Entry):
    source = _choice(_("Where the money comes from"))
    amount_eur = _text(_("Amount in euro"))
    note = _text(_("Note"))


class LinkPart(_Entry):
    title = _text(_("Title"))
    url = _text(_("Web address"))


class TranslationPart(_Entry):
    language = _choice(_("Language"))
    title = _text(_("Title in that language"))
    summary = TextAreaField(_("Summary in that language"))
    machine = BooleanField(_("Translated by a machine"))


class ContactPart(_Entry):
    role = _text(_("Role"))
    email = _text(_("E-mail address"))
    name = _text(_("Name"))
    consent = BooleanField(_("The person agrees that the name is shown to signed-in members"))


def _entries(part: type[_Entry]) -> FieldList:
    return FieldList(FormField(part), min_entries=1, max_entries=LIST_CAP)


class PracticeForm(FlaskForm):
    """The whole record. Field names are those of the record; entries are `sources-0-url`.

    `answers` are what was typed as answers to the editors' questions, by the question's id.
    """

    answers: Mapping[str, str] = {}

    title = _text(_("Title"))
    original_title = _text(_("Title in the local language"))
    language = _choice(_("Language of the text"))
    summary = TextAreaField(_("Summary"))
    country = _choice(_("Country"))
    region = FormField(RegionPart)
    place = _text(_("Town, county or area"))
    level = RadioField(_("Level"), choices=[], validate_choice=False)
    other_regions = _entries(OtherRegionPart)
    status = RadioField(_("Status"), choices=[], validate_choice=False)
    start = _text(_("Start"))
    end = _text(_("End"))
    authority_role = _choice(_("Role of the region"))
    lead_organisation = FormField(OrganisationPart)
    partners = _entries(OrganisationPart)

    context = TextAreaField(_("Why it was needed"))
    objectives = TextAreaField(_("What it wanted"))
    actions = TextAreaField(_("What was done"))

    results = TextAreaField(_("What came of it"))
    difficulties = TextAreaField(_("What was difficult"))
    lessons = TextAreaField(_("What was learnt"))
    transferability = TextAreaField(_("What another region needs"))

    evidence = RadioField(_("Evidence"), choices=[], validate_choice=False)
    indicators = _entries(IndicatorPart)
    beneficiaries = _text(_("People reached"))

    budget_eur = _text(_("Budget in euro"))
    budget_year = _text(_("Year of the budget"))
    funding = _entries(FundingPart)

    themes = SelectMultipleField(_("Themes"), choices=[], validate_choice=False)
    target_groups = SelectMultipleField(_("Target groups"), choices=[], validate_choice=False)

    sources = _entries(LinkPart)
    links = _entries(LinkPart)
    translations = _entries(TranslationPart)
    licence = _choice(_("Licence"))
    attribution = _text(_("Whom to credit"))
    contact = FormField(ContactPart)


@dataclass(frozen=True)
class Section:
    """A part of the form: its anchor, its heading, and the fields in it."""

    anchor: str
    title: Any
    fields: tuple[str, ...]


SECTIONS = (
    Section("part-short", _("The practice in short"),
            ("title", "original_title", "language", "summary", "country", "region", "place", "level", "other_regions",
             "status", "start", "end", "authority_role", "lead_organisation", "partners")),
    Section("part-story", _("The story"), ("context", "objectives", "actions")),
    Section("part-results", _("Results and lessons"), ("results", "difficulties", "lessons", "transferability")),
    Section("part-evidence", _("Evidence and figures"), ("evidence", "indicators", "beneficiaries")),
    Section("part-money", _("Money"), ("budget_eur", "budget_year", "funding")),
    Section("part-themes", _("Themes and people"), ("themes", "target_groups")),
    Section("part-sources", _("Sources and contact"),
            ("sources", "links", "translations", "licence", "attribution", "contact")),
)  # fmt: skip

HINTS: Mapping[str, Any] = {
    "title": _("Say who does what, in words an outsider understands. "
               "Good: “A remigration coordinator in each of Latvia’s planning regions”."),
    "original_title": _("What it is called at home, if that is another language."),
    "summary": _("What was done, by whom, for whom, and what came of it. No more than 100 words."),
    "country": _("You may leave it open: it follows from the region."),
    "region": _("Type a name or a NUTS code, for example Catalonia or ES51. A national practice may leave it out."),
    "place": _("If it is smaller or other than the region, for example County Donegal."),
    "other_regions": _("For a practice across borders: every other region that takes part."),
    "level": _("At what level is it run?"),
    "status": _("Where does it stand now? "
                "“Stopped” is as useful to others as “Running”: say under “What was difficult” why."),
    "start": _("A year, or year and month: 2021-09"),
    "end": _("Leave it empty while the practice goes on."),
    "authority_role": _("The part that the regional authority plays in it."),
    "context": _("The situation and the problem, before anything was done. Up to 150 words."),
    "objectives": _("What was to be better afterwards, and for whom. Up to 150 words."),
    "actions": _("Who did what, in which order, with which means. Up to 400 words."),
    "results": _("What changed, in numbers where you have them. Say where a number comes from. Up to 250 words."),
    "difficulties": _("What went wrong or took longer, and what was done about it. Up to 200 words."),
    "lessons": _("What you would do again, and what you would not. Up to 200 words."),
    "transferability": _("What another region needs before it can do the same: competence, law, money, partners. "
                         "Up to 200 words."),
    "evidence": _("How well are the results known? "
                  "Choose the strongest that applies. Leave it open if you do not know."),
    "indicators": _("Each figure with its year, and where it can be checked."),
    "beneficiaries": _("One headline figure, digits only. Say in the results what it counts."),
    "budget_eur": _("One headline figure, digits only. Say in the results what it covers."),
    "funding": _("Each source of money; the amount if you know it."),
    "themes": _("The one that fits best."),
    "target_groups": _("One to five groups of people whom it is for."),
    "sources": _("Web pages or documents where a reader can check what you wrote. At least one."),
    "links": _("The practice’s own site, videos, manuals."),
    "translations": _("If the text is not in English, an English title and summary let others find and read it."),
    "attribution": _("By default the lead organisation."),
    "contact": _("Shown to signed-in members only, and in no export."),
}  # fmt: skip

HINTS_WHEN_OVER: Mapping[str, Any] = {
    "difficulties": _("Why did it stop or end? Say it as you would to a colleague who is about to try the same. "
                      "Up to 200 words."),
    "lessons": _("What would you do differently, and what would you do again? Readers find it under “What we would do "
                 "differently”. Up to 200 words."),
}  # fmt: skip
"""What is asked instead where a practice goes on no more."""

NEEDED = ("title", "language", "summary", "region", "level", "lead_organisation", "status", "actions", "themes",
          "target_groups", "sources", "contact")  # fmt: skip
"""Fields that a submission cannot do without; all others are marked optional."""


def hints(form: PracticeForm) -> Mapping[str, Any]:
    """What is said beside each field, as the status asks for it."""
    return {**HINTS, **HINTS_WHEN_OVER} if form.status.data in OVER else HINTS


@dataclass(frozen=True)
class Count:
    """How long a text is and may be; `kind` is "words" or "characters"."""

    kind: str
    now: int
    most: int


def counts(form: PracticeForm) -> dict[str, Count]:
    """For every text with a limit, how long it is now."""
    of_words = {key: Count("words", words(form[key].data), most) for key, most in WORD_LIMITS.items() if key in form}
    of_characters = {
        key: Count("characters", len(form[key].data or ""), most) for key, most in CHARACTER_LIMITS.items()
    }
    return of_words | of_characters


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of the page's fields."""
    places = {field: place for place, field in enumerate(field for section in SECTIONS for field in section.fields)}
    return tuple(sorted(problems, key=lambda problem: places.get(problem.field.split(".", maxsplit=1)[0], len(places))))


def control(field: str) -> str:
    """The id of the control that a problem's field path speaks of; for a whole part, of its first control."""
    first = {
        "region": "region-code",
        "target_groups": "target_groups-0",
        "level": "level-0",
        "status": "status-0",
        "evidence": "evidence-0",
        "contact": "contact-role",
        "lead_organisation": "lead_organisation-name",
    }
    if field in first:
        return first[field]
    if field.startswith(("images", "attachments")):
        return "files"
    if field in REPEATING:
        return f"{field}-0-{LISTS[field][0]}" if field != "other_regions" else f"{field}-0-code"
    if field.split(".", maxsplit=1)[0] in TERMS:
        return control(field.split(".", maxsplit=1)[0]) if "." in field else field
    return field.replace(".", "-")
