"""Mail as administrators see it: what waits and why, what was given up, what went out lately."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Role
from kb.services import outbox
from kb.services.errors import Conflict, NotFound
from kb.web import accounts, context, languages, mails

bp = Blueprint("admin_mail", __name__)


@bp.get("/admin/mail")
@accounts.required(Role.ADMIN)
def overview() -> ResponseReturnValue:
    """What waits, what failed and why, what was sent lately. Neither texts nor links."""
    session = context.reading()
    mail = outbox.overview(session, accounts.acting(session))
    return render_template("admin/mail.html", mail=mail, kept=outbox.KEPT.days, can_be_sent=outbox.can_be_sent)


@bp.post("/admin/mail/<int:message_id>")
@accounts.required(Role.ADMIN)
def decide(message_id: int) -> ResponseReturnValue:
    """Try a message again at once, or give it up."""
    act = {"retry": outbox.retry, "give-up": outbox.give_up}.get(request.form.get("do", ""))
    if act is None:
        return redirect(url_for("admin_mail.overview"))
    try:
        with context.writing() as session:
            act(session, accounts.acting(session), message_id)
    except (Conflict, NotFound) as refused:
        flash(languages.say(refused.message))
    else:
        flash(_("The mail is tried again at once.") if act is outbox.retry else _("The mail is given up."))
    return redirect(url_for("admin_mail.overview"))


@bp.app_template_filter("mail_kind")
def kind_name(kind: str) -> str:
    """What a kind of mail is called; the kind itself where no name is known."""
    return _(mails.NAMES[kind]) if kind in mails.NAMES else kind


@bp.app_template_filter("mail_error")
def reason(error: str) -> str:
    """Why an attempt failed: the sentence of the service in the language of the page, and the server's number."""
    sentence, mark, number = error.rpartition(" (")
    return f"{_(sentence)} ({number}" if mark else _(error) if error else ""
