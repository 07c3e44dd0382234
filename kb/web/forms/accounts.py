"""The forms of accounts, and what someone had typed elsewhere when the session ended.

Forms check shape only: what an address or a password must be is the service's to say.
"""

from __future__ import annotations

import json

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired

KEPT_LIMIT = 2 * 1024 * 1024
"""Bytes of typed text that are carried over a sign-in."""


class SignInForm(FlaskForm):
    """Address and password, where to go on, and text kept from a form that was posted signed out."""

    email = StringField(_("E-mail address"), validators=[InputRequired(_("Write your e-mail address"))])
    password = PasswordField(_("Password"), validators=[InputRequired(_("Write your password"))])
    next = HiddenField()
    kept = HiddenField()


class CodeForm(FlaskForm):
    """The second step of signing in; where to go on and the kept text come along from the first."""

    code = StringField(_("Code"))
    next = HiddenField()
    kept = HiddenField()


class ProveForm(FlaskForm):
    """Password and code, for what changes the second factor."""

    current = PasswordField(_("Current password"))
    code = StringField(_("Code"))


class TokenForm(FlaskForm):
    """A new token of the API: what it is for, what it may do, how long it holds; the password, for it opens a door."""

    name = StringField(_("What it is for"))
    scope = SelectField(_("What it may do"), validate_choice=False)
    days = SelectField(_("How long it holds"), validate_choice=False)
    current = PasswordField(_("Current password"))


class ProfileForm(FlaskForm):
    """One's name, one's region by name or code, and the language of one's mail."""

    name = StringField(_("Name"))
    region = StringField(_("Your region"))
    language = SelectField(_("Language of the mail you get"), validate_choice=False)


class PasswordForm(FlaskForm):
    """A new password; the address too for the first administrator, the present password for who has one."""

    email = StringField(_("Your e-mail address"))
    current = PasswordField(_("Current password"))
    password = PasswordField(_("New password"))


def keep(posted: MultiDict[str, str]) -> str:
    """What was typed into a form, as the text of a hidden field; empty where it is more than can be carried."""
    pairs = [
        [name, value]
        for name, value in posted.items(multi=True)
        if name != "csrf_token" and "password" not in name.lower()
    ]
    text = json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))
    return text if len(text.encode("utf-8", "surrogatepass")) <= KEPT_LIMIT else ""


def kept(text: str | None) -> MultiDict[str, str] | None:
    """What `keep` wrote, read back; None where there is nothing, or something that it would not write."""
    if not text or len(text.encode("utf-8", "surrogatepass")) > KEPT_LIMIT:
        return None
    try:
        pairs = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        return None
    return MultiDict((name, value) for name, value in pairs)


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
