"""The forms by which people come in and come back: invitation, registration, a forgotten password, another address.

Forms check shape only: what an address or a password must be is the service's to say.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField, TextAreaField

from kb.models import Role
from kb.services.errors import N_, Invalid, Problem
from kb.services.invitations import Offer
from kb.services.registrations import Wish
from kb.services.vocabularies import Vocabulary
from kb.web import labels, languages


class InvitationForm(FlaskForm):
    """Whom to invite, to which role, organisation and region, and the language of the mail."""

    email = StringField(_("E-mail address"))
    name = StringField(_("Name"))
    role = SelectField(_("Role"), validate_choice=False)
    organisation = StringField(_("Organisation"))
    region = StringField(_("Region"))
    language = SelectField(_("Language of the mail"), validate_choice=False)

    def offering(self, roles: Iterable[Role]) -> InvitationForm:
        """Fill the lists: the roles that whoever fills it in may give, the languages of the site."""
        self.role.choices = [(role.value, labels.label("role", role)) for role in roles]
        self.language.choices = list(languages.offered())
        self.language.data = self.language.data or languages.chosen()
        return self

    def offer(self, vocabulary: Vocabulary) -> Offer:
        """What was typed, for the service. Raises Invalid for a region that is not in the list."""
        offered = dict(languages.offered())
        return Offer(
            email=self.email.data or "",
            role=self.role.data or "",
            name=self.name.data or "",
            organisation=self.organisation.data or "",
            region=region_code(self.region.data or "", vocabulary),
            language=self.language.data if self.language.data in offered else languages.chosen(),
        )


class JoinForm(FlaskForm):
    """What an invited person is asked for."""

    name = StringField(_("Your name"))
    password = PasswordField(_("Choose a password"))


class ConfirmForm(FlaskForm):
    """The password that somebody registered with, asked for again with the link."""

    password = PasswordField(_("The password that you chose"))


class RegistrationForm(FlaskForm):
    """What somebody is asked for who wants an account."""

    name = StringField(_("Your name"))
    email = StringField(_("E-mail address"))
    organisation = StringField(_("Organisation"))
    region = StringField(_("Region"))
    reason = TextAreaField(_("What do you want the account for?"))
    password = PasswordField(_("Choose a password"))

    def wish(self, vocabulary: Vocabulary) -> tuple[Wish, list[Problem]]:
        """What was typed, for the service, and what is wrong with the region."""
        problems: list[Problem] = []
        region = None
        try:
            region = region_code(self.region.data or "", vocabulary)
        except Invalid as invalid:
            problems += invalid.problems
        wish = Wish(
            email=self.email.data or "",
            name=self.name.data or "",
            organisation=self.organisation.data or "",
            region=region,
            reason=self.reason.data or "",
            language=languages.chosen(),
        )
        return wish, problems


class ResetForm(FlaskForm):
    """Whose password was forgotten."""

    email = StringField(_("E-mail address"))


class NewPasswordForm(FlaskForm):
    """A new password, for whoever came by a link."""

    password = PasswordField(_("New password"))


class AddressForm(FlaskForm):
    """Another address, and the password, so that nobody changes it on a computer left open."""

    email = StringField(_("New e-mail address"))
    current = PasswordField(_("Your password"))


def region_code(text: str, vocabulary: Vocabulary) -> str | None:
    """The one code of the place typed by name or code; None where nothing was typed. Raises Invalid for others."""
    typed = text.strip()
    if not typed:
        return None
    code = vocabulary.find_place(typed)
    if code is not None:
        return code
    close = list(vocabulary.successors.get(typed.upper(), ())) or vocabulary.similar_regions(typed[:100])
    names = ", ".join(str(vocabulary.region_title(each, languages.chosen())) for each in close)
    if names:
        text = N_("“%(value)s” is not in the list. Did you mean %(names)s?")
        raise Invalid([Problem.of("region", text, value=typed[:80], names=names)])
    raise Invalid([Problem.of("region", N_("“%(value)s” is not in the list of regions."), value=typed[:80])])
