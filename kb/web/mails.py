"""The words of every mail, in the recipient's language: a subject, a text, and the same as a plain HTML page.

A kind of mail has a subject and a name here, and two templates in `templates/mail/`. The HTML holds no picture, no
style and nothing from elsewhere: it reads well in any program, and tells nobody that it was read.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g
from flask_babel import force_locale, gettext

from kb.services import alerts, mail_texts
from kb.services.errors import N_
from kb.services.mail_texts import Words
from kb.services.postman import NothingToSay, Render, Rendered
from kb.web import context, mail_words

WIDTH = 72
"""Characters of a line of text; addresses of pages are never broken."""

SUBJECTS = {
    "invitation": N_("Your invitation to %(site)s"),
    "registration-confirm": N_("Confirm your e-mail address"),
    "registration-waiting": N_("A registration waits: %(name)s"),
    "registration-accepted": N_("Your account is open"),
    "registration-refused": N_("Your registration was not accepted"),
    "registration-known": N_("You have an account already"),
    "reset": N_("Set a new password"),
    "address-confirm": N_("Confirm your new e-mail address"),
    "address-changed": N_("The e-mail address of your account was changed"),
    "password-changed": N_("Your password was changed"),
    "second-factor-changed": N_("The second step of your sign-in was changed"),
    "account-deleted": N_("Your account is deleted"),
    "offer-co-author": N_("Write a practice together: %(title)s"),
    "offer-owner": N_("A practice is offered to you: %(title)s"),
    "offer-accepted": N_("Your offer was taken: %(title)s"),
    "practice-waiting": N_("A practice waits for an editor: %(title)s"),
    "practice-changes-requested": N_("Changes asked for: %(title)s"),
    "practice-published": N_("Your practice is public: %(title)s"),
    "practice-answered": N_("An editor wrote to you: %(title)s"),
    "practice-mended": N_("A text was mended: %(title)s"),
    "practice-rejected": N_("Not accepted: %(title)s"),
    "practice-handed-over": N_("A review is given to you: %(title)s"),
    "practice-archived": N_("Your practice is in the archive: %(title)s"),
    "practice-unpublished": N_("Your practice is offline: %(title)s"),
    "report-made": N_("An error is reported: %(title)s"),
    "practice-reported": N_("A reader reports an error in your practice: %(title)s"),
    "report-answered": N_("What came of your report: %(title)s"),
    "owner-message": N_("%(name)s asks about your practice: %(topic)s"),
    "owner-message-unsigned": N_("A message about your practice: %(topic)s"),
    "practice-review-due": N_("Is it still correct? %(title)s"),
    "practices-review-due": N_("Are they still correct? Practices of yours: %(number)d"),
    "practices-stale": N_("Practices that nobody has verified: %(number)d"),
    "links-broken": N_("Links in your practices that no longer work: %(number)d"),
    "claim-made": N_("A practice is claimed: %(title)s"),
    "claim-accepted": N_("The practice is yours now: %(title)s"),
    "claim-refused": N_("Your claim was not confirmed: %(title)s"),
    "claim-given": N_("Somebody else was confirmed: %(title)s"),
    "claim-merged": N_("A practice that you claimed was merged: %(title)s"),
    "practice-merged": N_("Your practice was merged into another: %(title)s"),
    "practice-joined": N_("Another practice was merged into yours: %(title)s"),
    "practices-given": N_("Practices are yours now: %(number)d"),
    "practices-passed-on": N_("Practices of yours have another owner: %(number)d"),
    "reviews-given": N_("Reviews are given to you: %(number)d"),
    "adoption-made": N_("%(region)s takes up your practice: %(title)s"),
    "adoption-waiting": N_("A region takes up a practice: %(title)s"),
    "adoption-changed": N_("%(region)s says something else of your practice: %(title)s"),
    "adoption-withdrawn": N_("%(region)s takes its word back: %(title)s"),
    "adoption-confirmed": N_("Readers see that you adapt it: %(title)s"),
    "adoption-refused": N_("What you said of your region was not confirmed: %(title)s"),
    "adoption-ended": N_("Readers do not see any more that you adapt it: %(title)s"),
    "practices-harvested": N_("Practices from another installation: %(source)s"),
    "search-news": N_("New in your search: %(search)s"),
}

NAMES = {
    "invitation": N_("Invitation"),
    "registration-confirm": N_("Registration: address to confirm"),
    "registration-waiting": N_("Registration: waits for a decision"),
    "registration-accepted": N_("Registration: accepted"),
    "registration-refused": N_("Registration: refused"),
    "registration-known": N_("Registration: has an account"),
    "reset": N_("New password: link"),
    "address-confirm": N_("New address: link"),
    "address-changed": N_("Address changed"),
    "password-changed": N_("Password changed"),
    "second-factor-changed": N_("Second step changed"),
    "account-deleted": N_("Account deleted"),
    "offer-co-author": N_("Practice: offer to write it together"),
    "offer-owner": N_("Practice: offered to a new owner"),
    "offer-accepted": N_("Practice: offer taken"),
    "practice-waiting": N_("Practice: waits for an editor"),
    "practice-changes-requested": N_("Practice: changes asked for"),
    "practice-published": N_("Practice: published"),
    "practice-answered": N_("Practice: an editor answered"),
    "practice-mended": N_("Practice: mended by an editor"),
    "practice-rejected": N_("Practice: not accepted"),
    "practice-handed-over": N_("Practice: review handed over"),
    "practice-archived": N_("Practice: archived"),
    "practice-unpublished": N_("Practice: taken offline"),
    "report-made": N_("Report of an error: to the editors"),
    "practice-reported": N_("Report of an error: to the owner"),
    "report-answered": N_("Report of an error: answered"),
    "owner-message": N_("Message to the owner: sender named"),
    "owner-message-unsigned": N_("Message to the owner: sender not named"),
    "practice-review-due": N_("Practice: still correct?"),
    "practices-review-due": N_("Practices: still correct?"),
    "practices-stale": N_("Practices: not verified"),
    "links-broken": N_("Practices: broken links"),
    "claim-made": N_("Claim: to the editors"),
    "claim-accepted": N_("Claim: confirmed"),
    "claim-refused": N_("Claim: refused"),
    "claim-given": N_("Claim: somebody else was confirmed"),
    "claim-merged": N_("Claim: the practice was merged"),
    "practice-merged": N_("Practice: merged into another"),
    "practice-joined": N_("Practice: another was merged into it"),
    "practices-given": N_("Practices: given to a new owner"),
    "practices-passed-on": N_("Practices: given to somebody else"),
    "reviews-given": N_("Reviews: given to an editor"),
    "adoption-made": N_("Adoption: to the owner"),
    "adoption-waiting": N_("Adoption: to the editors"),
    "adoption-changed": N_("Adoption: its words were changed"),
    "adoption-withdrawn": N_("Adoption: withdrawn"),
    "adoption-confirmed": N_("Adoption: confirmed"),
    "adoption-refused": N_("Adoption: refused"),
    "adoption-ended": N_("Adoption: taken away by an editor"),
    "practices-harvested": N_("Practices taken over from another installation"),
    "search-news": N_("Search that somebody keeps: what is new"),
}
"""What an administrator reads each kind is called."""

CHANGES = {
    "on": N_("From now on your sign-in asks for a code besides the password."),
    "off": N_("From now on your sign-in asks for the password alone, no code."),
    "codes": N_("You have new recovery codes. The earlier ones no longer work."),
    "recovered": N_("Somebody, most likely you, signed in with a recovery code. It will not work again."),
}
"""What can happen to a second factor, by the word that the outbox holds for it."""

LONG = ("message",)
"""Values that may have several lines. All others become one: a title cannot forge a header or a paragraph."""


def renderer(app: Flask) -> Render:
    """What renders mails for the sending, outside any request."""

    def render(kind: str, data: dict[str, Any], language: str, unsubscribe: str | None) -> Rendered:
        with app.app_context():
            offered = context.config().languages
            g.language = language if language in offered else offered[0]
            with context.parts().database.read() as session:
                own = mail_texts.own(session, kind, g.language)
                said = alerts.said(session, data, g.language) if "news" in data else data
            if said is None:
                raise NothingToSay
            return rendered(kind, said, g.language, unsubscribe, own)

    return render


def rendered(
    kind: str, data: dict[str, Any], language: str, unsubscribe: str | None = None, own: Words | None = None
) -> Rendered:
    """The words of a mail in a language: the built-in ones, or the site's own."""
    config = context.config()
    with force_locale(language):
        values = {name: _value(name, value, config.base_url) for name, value in data.items()}
        site = _one_line(config.site_name)
        subject = _one_line(_subject(kind, {**_words(values), "site": site}, own))
        if "change" in values:
            values["change"] = gettext(CHANGES.get(values["change"], SUBJECTS[kind]))
        values |= {
            "site_name": site,
            "base_url": config.base_url,
            "controller": _one_line(config.controller),
            "page_language": language,
            "subject": subject,
            "unsubscribe": unsubscribe,
            "kind": kind,
        }
        if own:
            values["own"] = mail_words.Body(own.body, {**values, **mail_words.in_words(values), "site": site})
        name = "layouts/mail_own" if own else f"mail/{kind}"
        templates = current_app.jinja_env
        text, html = (templates.get_template(f"{name}.{suffix}").render(values) for suffix in ("txt", "html"))
    return Rendered(subject, _wrapped(text), html)


def _subject(kind: str, values: dict[str, Any], own: Words | None) -> str:
    if own:
        return mail_texts.filled(own.subject, {**values, **mail_words.in_words(values)})
    return str(gettext(SUBJECTS[kind], **values))


def _value(name: str, value: Any, base_url: str) -> Any:
    """A value as it is shown: addresses whole, and one line where one is meant."""
    if name == "news":
        shown = [{key: _value(key, each[key], base_url) for key in each} for each in value["practices"]]
        return mail_words.News(shown, value["more"])
    if not isinstance(value, str):
        return value
    if name == "url":
        return value if value.startswith(("https://", "http://")) else f"{base_url}/{value.lstrip('/')}"
    return "\n".join(map(_one_line, value.splitlines())) if name in LONG else _one_line(value)


def _words(values: dict[str, Any]) -> dict[str, Any]:
    """What a subject may name: neither links nor long texts."""
    return {name: value for name, value in values.items() if name not in ("url", "news", *LONG)}


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _wrapped(text: str) -> str:
    """Text in lines that every program shows whole; no more than one blank line in a row."""
    fold: Callable[[str], str] = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False).fill
    lines = (line if len(line) <= WIDTH or "://" in line else fold(line) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
