"""Still correct? One click of an author or an editor says so, from the practice's page, a list, or a mail."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Practice
from kb.services import freshness, links_named, permissions
from kb.services.links_named import BrokenLink
from kb.web import accounts, context, private, templating

bp = Blueprint("freshness", __name__)


def dead(practice: Practice | None) -> dict[str, str]:
    """What the form says beside each address of a public practice that no longer works."""
    session = context.reading()
    links = links_named.broken_in(session, [practice.id]).get(practice.id, ()) if practice and practice.record else ()
    return {link.named.url: _dead(link) for link in links}


def _dead(link: BrokenLink) -> str:
    if link.succeeded is None:
        return _("This address does not work: %(why)s", why=_(link.error))
    return _(
        "This address does not work any more: %(why)s It last worked on %(when)s.",
        why=_(link.error),
        when=templating.day(link.succeeded),
    )


@bp.get("/my/practices/<uuid:practice_id>/still-correct")
@accounts.required()
def ask(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The question, with what may help to answer it. Looking changes nothing: mail programs look at links."""
    session = context.reading()
    actor = accounts.acting(session)
    practice = freshness.verifiable(session, actor, practice_id)
    return private.page(
        render_template(
            "submissions/still_correct.html",
            practice=practice,
            broken=links_named.broken_in(session, [practice_id]).get(practice_id, ()),
            late=practice.review_due is not None and practice.review_due <= datetime.now(UTC).date(),
            can_edit=permissions.can(actor, "edit", practice),
        )
    )


@bp.post("/my/practices/<uuid:practice_id>/still-correct")
@accounts.required()
def say(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Note that the practice is still correct."""
    with context.writing() as session:
        actor = accounts.acting(session)
        practice = freshness.verifiable(session, actor, practice_id)
        freshness.still_correct(session, actor, practice, datetime.now(UTC).date())
        slug, due = practice.slug, practice.review_due
    if due is not None:
        flash(_("Thank you. The next look is due on %(when)s.", when=templating.day(due)))
    back = request.form.get("back")
    if back == "mine":
        return redirect(url_for("submissions.mine"))
    if back == "due" and permissions.can(accounts.current(), "review"):
        return redirect(url_for("dashboard.freshness"))
    return redirect(url_for("catalogue.practice", slug=slug))
