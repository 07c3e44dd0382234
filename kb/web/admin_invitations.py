"""Invitations, and registrations that wait: the page of administration that editors have too."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Role
from kb.services import invitations, registrations
from kb.services.errors import Conflict, Invalid, Problem
from kb.web import accounts, admin, context, languages
from kb.web.forms.joining import InvitationForm

bp = Blueprint("admin_invitations", __name__)


@bp.get("/admin/invitations")
@accounts.required(Role.EDITOR)
def overview() -> ResponseReturnValue:
    """The form, registrations that wait, and invitations by state."""
    return _page(InvitationForm(formdata=None))


@bp.post("/admin/invitations")
@accounts.required(Role.EDITOR)
def invite() -> ResponseReturnValue:
    """Mail an invitation."""
    form, vocabulary = InvitationForm(), context.vocabulary()
    try:
        offer = form.offer(vocabulary)
        with context.writing() as session:
            invitations.invite(session, accounts.acting(session), offer, context.config().base_url)
    except Invalid as invalid:
        return _page(form, admin.said(invalid.problems)), 422
    except Conflict as conflict:
        return _page(form, [("email", languages.say(conflict.message))]), 409
    flash(_("The invitation is on its way to %(address)s. It works for 14 days.", address=offer.email.strip()))
    return redirect(url_for("admin_invitations.overview"))


@bp.post("/admin/invitations/<uuid:invitation_id>")
@accounts.required(Role.EDITOR)
def decide(invitation_id: uuid.UUID) -> ResponseReturnValue:
    """Send an invitation again, or take it back."""
    again = request.form.get("do") == "resend"
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            if again:
                invitations.resend(session, actor, invitation_id, context.config().base_url)
            else:
                invitations.withdraw(session, actor, invitation_id)
    except Conflict as conflict:
        flash(languages.say(conflict.message))
    else:
        flash(_("The invitation is sent again. The earlier link stopped working.") if again
              else _("The invitation is taken back. Its link stopped working."))  # fmt: skip
    return redirect(url_for("admin_invitations.overview"))


@bp.get("/admin/registrations")
@accounts.required(Role.EDITOR)
def waiting() -> ResponseReturnValue:
    """Where the mail about a registration leads."""
    return redirect(url_for("admin_invitations.overview", _anchor="registrations"))


@bp.post("/admin/registrations/<uuid:registration_id>")
@accounts.required(Role.EDITOR)
def answer(registration_id: uuid.UUID) -> ResponseReturnValue:
    """Give somebody who registered an account, or refuse it."""
    accepted = request.form.get("do") == "accept"
    given = {name: request.form.get(name, "") for name in ("role", "organisation")}
    base_url = context.config().base_url
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            registrations.decide(session, actor, registration_id, accepted, base_url=base_url, **given)
    except Invalid as invalid:
        problems = [Problem(f"{each.field}-{registration_id}", each.message) for each in invalid.problems]
        return _page(InvitationForm(formdata=None), admin.said(problems), {registration_id: given}), 422
    except Conflict as conflict:
        flash(languages.say(conflict.message))
    else:
        flash(_("The account is ready, and a mail says so.") if accepted
              else _("The registration is refused, and a mail says so."))  # fmt: skip
    return redirect(url_for("admin_invitations.overview"))


def _page(
    form: InvitationForm,
    problems: Sequence[tuple[str, str]] = (),
    typed: dict[uuid.UUID, dict[str, str]] | None = None,
) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    offered = invitations.offered_by(actor)
    state = request.args.get("state", "open")
    state = state if state in invitations.STATES else "open"
    return render_template(
        "admin/invitations.html",
        form=form.offering(offered),
        problems=problems,
        page=invitations.page(session, actor, state, admin.page_number()),
        state=state,
        states=invitations.STATES,
        inviting=offered,
        registrations=registrations.waiting(session),
        typed=typed or {},
        joining_roles=admin.roles(registrations.ROLES),
        **admin.lists(),
    )
