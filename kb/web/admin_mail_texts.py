"""The texts of mail as administrators change them: the list by kind and language, one text, its preview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import MailText, Role
from kb.services import mail_texts
from kb.services.errors import N_, Conflict, Invalid, NotFound, Problem
from kb.services.mail import KINDS
from kb.services.mail_texts import Words
from kb.services.postman import Rendered
from kb.web import accounts, admin, context, languages, mail_words, mails

bp = Blueprint("admin_mail_texts", __name__)

EXAMPLES: dict[str, Any] = {
    "url": "/practices/an-example", "inviter": "Ada Example", "role": "member", "days": 14, "number": 3,
    "name": "Ada Example", "address": "ada@example.org", "change": "on", "title": N_("Mentors for nurses"),
    "other": N_("Nurse mentoring"), "message": N_("Since when does it run?\n\nAnd how many take part?"),
    "search": "“talent”", "region": "Navarra", "topic": N_("How the mentors are paid"),
    "source": "https://practices.example.eu", "added": 2, "updated": 1, "waiting": 1, "gone": 1,
    "news": {"practices": [{"title": "Talent Plan", "country": "Italia", "line": "…", "url": "/practices/an-example",
                            "new": True}], "more": 2},
}  # fmt: skip
"""What a preview puts in place of the placeholders."""

TRANSLATED = ("title", "other", "message", "topic")
"""Those of them that are words of a language."""

MEANINGS = {
    "url": N_("the address of the page that the mail is about"),
    "message": N_("what somebody wrote, in their words"),
    "topic": N_("what a message is about, in its sender’s words"),
    "change": N_("what was changed"),
    "title": N_("the title of the practice"),
    "other": N_("the title of the other practice"),
    "region": N_("the name of the region"),
    "name": N_("the name of the person it is about"),
    "inviter": N_("who invites"),
    "role": N_("the role"),
    "days": N_("for how many days the link works"),
    "number": N_("how many it is about"),
    "address": N_("an e-mail address"),
    "search": N_("the name that somebody gave a search"),
    "news": N_("the practices that are new or changed"),
    "source": N_("the address of the other installation"),
    "added": N_("how many are new drafts"),
    "updated": N_("how many drafts have a new text"),
    "waiting": N_("how many new texts wait for somebody to decide"),
    "gone": N_("how many are no longer there"),
    "site": N_("the name of this site"),
}


@bp.get("/admin/mail/texts")
@accounts.required(Role.ADMIN)
def overview() -> ResponseReturnValue:
    """Each kind of mail and language, and which of them have own words."""
    session = context.reading()
    changed = mail_texts.changed(session, accounts.acting(session))
    return render_template("admin/mail_texts.html", kinds=KINDS, changed=changed, languages=languages.offered())


@bp.get("/admin/mail/texts/<kind>/<language>")
@accounts.required(Role.ADMIN)
def text(kind: str, language: str) -> ResponseReturnValue:
    """The words of one kind in one language, to be changed."""
    return _page(kind, language)


@bp.post("/admin/mail/texts/<kind>/<language>")
@accounts.required(Role.ADMIN)
def change(kind: str, language: str) -> ResponseReturnValue:
    """Show what a mail would look like, keep the words, or go back to the built-in ones."""
    words, do = Words(request.form.get("subject", ""), request.form.get("body", "")), request.form.get("do", "")
    try:
        if do not in ("keep", "reset"):
            _looked(kind, language)
            return _page(kind, language, words, shown=_example(kind, language, mail_texts.check(kind, words)))
        with context.writing() as session:
            actor, offered = accounts.acting(session), context.config().languages
            if do == "keep":
                mail_texts.keep(session, actor, kind, language, words, offered)
            else:
                mail_texts.reset(session, actor, kind, language, offered)
    except Invalid as invalid:
        return _page(kind, language, words, invalid.problems), 422
    except Conflict as conflict:
        flash(languages.say(conflict.message))
    else:
        flash(_("The words are kept. Mail that goes out from now on has them.") if do == "keep"
              else _("This mail has its built-in words again."))  # fmt: skip
    return redirect(url_for("admin_mail_texts.text", kind=kind, language=language))


def _looked(kind: str, language: str) -> MailText | None:
    """The own words as they are kept. Raises NotFound, NotAllowed."""
    session = context.reading()
    if kind not in KINDS or language not in context.config().languages:
        raise NotFound(N_("There is no such mail, or the site does not offer this language."))
    return mail_texts.changed(session, accounts.acting(session)).get((kind, language))


def _example(kind: str, language: str, words: Words) -> Rendered:
    data = {name: EXAMPLES[name] for name in KINDS[kind].needs}
    translated = {name: _(value) if name in TRANSLATED else value for name, value in data.items()}
    return mails.rendered(kind, translated, language, own=words)


def _page(
    kind: str,
    language: str,
    typed: Words | None = None,
    problems: Sequence[Problem] = (),
    shown: Rendered | None = None,
) -> str:
    kept = _looked(kind, language)
    builtin = mail_words.builtin(kind, language, mails.SUBJECTS[kind])
    return render_template(
        "admin/mail_text.html",
        kind=kind,
        language=language,
        kept=kept,
        builtin=builtin,
        words=typed or (Words(kept.subject, kept.body) if kept else builtin),
        placeholders=[(name, MEANINGS.get(name, "")) for name in mail_texts.placeholders(kind)],
        needed=mail_texts.needed(kind),
        subject_limit=mail_texts.SUBJECT_LIMIT,
        problems=admin.said(problems),
        shown=shown,
    )
