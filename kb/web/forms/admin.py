"""The forms of the administration pages, and what was typed in them, for the services. They check shape only."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField, TextAreaField

from kb.models import Organisation, TargetGroup, Theme, User
from kb.services.errors import N_, Invalid, Problem
from kb.services.organisations import Card
from kb.services.people import Change
from kb.services.terms import ENGLISH, Wording
from kb.services.vocabularies import Vocabulary
from kb.web import languages
from kb.web.forms.joining import region_code


class PersonForm(FlaskForm):
    """What an administrator may change about somebody."""

    name = StringField(_("Name"))
    role = SelectField(_("Role"), validate_choice=False, choices=[])
    organisation = StringField(_("Organisation"))
    region = StringField(_("Region"))

    @classmethod
    def filled(cls, person: User, vocabulary: Vocabulary) -> PersonForm:
        """The form as somebody is now."""
        organisation = person.organisation.name if person.organisation else ""
        region = vocabulary.region_title(person.region_code, languages.chosen())
        return cls(formdata=None, data={"name": person.name, "role": person.role.value, "organisation": organisation,
                                        "region": region})  # fmt: skip

    def change(self, vocabulary: Vocabulary) -> Change:
        """What was typed, for the service. Raises Invalid for a region that is not in the list."""
        region = region_code(self.region.data or "", vocabulary)
        return Change(self.name.data or "", self.role.data or "", self.organisation.data or "", region)


class OrganisationForm(FlaskForm):
    """An organisation's name, type, region and address on the web."""

    name = StringField(_("Name"))
    type = SelectField(_("Type"), validate_choice=False, choices=[])
    region = StringField(_("Region"))
    url = StringField(_("Web address"))

    @classmethod
    def filled(cls, organisation: Organisation, vocabulary: Vocabulary) -> OrganisationForm:
        """The form as an organisation is now."""
        region = vocabulary.region_title(organisation.region_code, languages.chosen())
        kind = organisation.type.value if organisation.type else ""
        return cls(formdata=None, data={"name": organisation.name, "type": kind, "region": region,
                                        "url": organisation.url})  # fmt: skip

    def card(self, vocabulary: Vocabulary) -> Card:
        """What was typed, for the service. Raises Invalid for a region that is not in the list."""
        region = region_code(self.region.data or "", vocabulary)
        return Card(self.name.data or "", self.type.data or "", region, self.url.data or "")


class TermForm(FlaskForm):
    """A theme or target group in English, and its place in the list; other languages come as `label-de` and so on."""

    label = StringField(_("English label"))
    scope_note = TextAreaField(_("What it covers"))
    place = StringField(_("Place in the list"))

    def position(self) -> int | None:
        """The place as a number, None where nothing was typed. Raises Invalid for anything else."""
        text = (self.place.data or "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) < 5):
            raise Invalid([Problem.of("place", N_("Write the place as a number, 1 for the first."))])
        return int(text) if text else None


class Words:
    """Labels and synonyms by language as a page shows them: one synonym a line."""

    def __init__(self, labels: dict[str, str], synonyms: dict[str, str]) -> None:
        self.labels = labels
        self.synonyms = synonyms

    @classmethod
    def of(cls, term: Theme | TargetGroup) -> Words:
        """Those of a term."""
        return cls(dict(term.labels), {code: "\n".join(words) for code, words in term.synonyms.items()})

    @classmethod
    def posted(cls, pairs: MultiDict[str, str], codes: Iterable[str]) -> Words:
        """Those that were typed, of some languages."""
        known = list(codes)
        return cls({code: pairs.get(f"label-{code}", "") for code in known},
                   {code: pairs.get(f"synonyms-{code}", "") for code in known})  # fmt: skip

    def wording(self, form: TermForm) -> Wording:
        """What was typed, for the service."""
        labels = {code: text for code, text in self.labels.items() if code != ENGLISH}
        synonyms = {code: text.splitlines() for code, text in self.synonyms.items()}
        return Wording(form.label.data or "", form.scope_note.data or "", labels, synonyms)
