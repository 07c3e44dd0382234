"""Who takes part in a practice: its owner and co-authors, offers by mail, and private links to the working copy."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from kb.models import Organisation, Practice, Role, User
from kb.services import authors, permissions, practices, previews
from kb.services.errors import Conflict, Gone, Invalid, NotFound, Problem, TooMany
from kb.web import accounts, context, languages, private

bp = Blueprint("sharing", __name__)


@bp.app_template_global()
def is_mine(practice: Practice) -> bool:
    """Whether a practice is the reader's to write, who otherwise sees it as an editor."""
    return permissions.owns(accounts.current(), practice)


@bp.get("/my/practices/<uuid:practice_id>/sharing")
@accounts.required(Role.READER)
def overview(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Who takes part, what is offered to whom, and which private links work."""
    return _page(practice_id)


# Co-authors and owners


@bp.post("/my/practices/<uuid:practice_id>/sharing/offers")
@accounts.required(Role.READER)
@private.evened
def offer(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Mail an offer; the answer is the same whether or not the address has an account."""
    email, part = request.form.get("email", ""), request.form.get("part", "")
    stays, base_url = "stays" in request.form, context.config().base_url
    _acting(context.reading(), practice_id)  # so that only its authors use up what a mailbox may get
    try:
        private.asking("offer").hit(email, request.remote_addr or "")
        with context.writing() as session:
            actor, practice = _acting(session, practice_id)
            address = authors.offer(session, actor, practice, part, email, base_url, stays=stays).email
    except Invalid as invalid:
        return _page(practice_id, invalid.problems), 422
    except TooMany as refused:
        return private.too_many(private.page(_page(practice_id, (Problem("email", refused.message),))), refused)
    flash(_("The offer is on its way to %(email)s. It can be taken within %(days)d days.", email=address,
            days=authors.LIFE.days))  # fmt: skip
    return _back(practice_id)


@bp.post("/my/practices/<uuid:practice_id>/sharing/offers/<uuid:offer_id>")
@accounts.required(Role.READER)
def withdraw_offer(practice_id: uuid.UUID, offer_id: uuid.UUID) -> ResponseReturnValue:
    """Take an offer back."""
    with context.writing() as session:
        authors.withdraw(session, *_acting(session, practice_id), offer_id)
    flash(_("The offer is taken back: its link works no more."))
    return _back(practice_id)


@bp.post("/my/practices/<uuid:practice_id>/sharing/people/<uuid:user_id>")
@accounts.required(Role.READER)
def remove(practice_id: uuid.UUID, user_id: uuid.UUID) -> ResponseReturnValue:
    """End somebody's part: as owner another's, or one's own."""
    with context.writing() as session:
        actor, practice = _acting(session, practice_id)
        own = actor.id == user_id
        if practice.owner_id == user_id:
            authors.give_up(session, actor, practice)
        else:
            authors.remove(session, actor, practice, user_id)
        still_mine = permissions.can(actor, "view", practice)
    flash(_("You gave your part up.") if own else _("They are no co-author any more."))
    return _back(practice_id) if still_mine else redirect(url_for("submissions.mine"))


# Taking an offer


@bp.get("/offers/<token>")
@accounts.required(Role.READER)
def offered(token: str) -> ResponseReturnValue:
    """What is offered, and by whom. Looking takes nothing: mail programs look at every link."""
    session = context.reading()
    try:
        found = authors.check(session, accounts.acting(session), token)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    return private.secret_page(render_template("sharing/offer.html", offer=found))


@bp.post("/offers/<token>")
@accounts.required(Role.READER)
def take(token: str) -> ResponseReturnValue:
    """Take what was offered."""
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = authors.accept(session, actor, token)
            practice_id = practice.id
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    flash(_("The practice is among yours now."))
    return redirect(url_for("submissions.edit", practice_id=practice_id))


# Private links


@bp.post("/my/practices/<uuid:practice_id>/sharing/links")
@accounts.required(Role.READER)
def make_link(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Make a private link and show its address, this once."""
    try:
        with context.writing() as session:
            link, token = previews.make(session, *_acting(session, practice_id), request.form.get("days", ""))
            until = link.expires
    except Invalid as invalid:
        return _page(practice_id, invalid.problems), 422
    except Conflict as refused:
        return _page(practice_id, (Problem("days", refused.message),)), 409
    address = f"{context.config().base_url}/preview/{token}"
    return private.secret_page(_page(practice_id, made=(address, until)))


@bp.post("/my/practices/<uuid:practice_id>/sharing/links/<uuid:link_id>")
@accounts.required(Role.READER)
def end_link(practice_id: uuid.UUID, link_id: uuid.UUID) -> ResponseReturnValue:
    """End a private link."""
    with context.writing() as session:
        previews.withdraw(session, *_acting(session, practice_id), link_id)
    flash(_("The private link is taken back: it works no more."))
    return _back(practice_id)


def _acting(session: Session, practice_id: uuid.UUID) -> tuple[User, Practice]:
    actor = accounts.acting(session)
    return actor, practices.get(session, actor, practice_id)


def _back(practice_id: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("sharing.overview", practice_id=practice_id))


def _page(practice_id: uuid.UUID, problems: tuple[Problem, ...] = (), made: tuple[str, datetime] | None = None) -> str:
    """The page with what was typed; `made` is the address of a new private link and until when it works."""
    session = context.reading()
    actor, practice = _acting(session, practice_id)
    return render_template(
        "sharing/overview.html",
        practice=practice,
        organisation=session.get(Organisation, practice.organisation_id) if practice.organisation_id else None,
        co_authors=authors.co_authors(session, practice),
        offers=[(each, authors.may_withdraw(actor, each)) for each in authors.open_offers(session, practice)],
        parts=authors.may_offer(actor, practice),
        may_remove=permissions.holds(actor, practice),
        may_give_up=authors.may_give_up(session, actor, practice),
        may_show=permissions.can(actor, "show", practice),
        links=previews.working(session, practice),
        days=(authors.LIFE.days, previews.DAYS, previews.LONGEST),
        made=made,
        typed=request.form,
        problems=[(each.field, languages.say(each.message)) for each in problems],
    )
