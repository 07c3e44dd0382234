"""Organisations as administrators see them: the list, one of them, and merging."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Role
from kb.services import organisations
from kb.services.errors import Invalid, Problem
from kb.web import accounts, admin, context, labels
from kb.web.forms.admin import OrganisationForm

bp = Blueprint("admin_organisations", __name__)


@bp.get("/admin/organisations")
@accounts.required(Role.ADMIN)
def overview() -> ResponseReturnValue:
    """All organisations with their numbers, and the form for another."""
    return _list(OrganisationForm(formdata=None))


@bp.post("/admin/organisations")
@accounts.required(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Add an organisation."""
    form, vocabulary = OrganisationForm(), context.vocabulary()
    try:
        card = form.card(vocabulary)
        with context.writing() as session:
            organisations.add(session, accounts.acting(session), card)
    except Invalid as invalid:
        return _list(form, invalid.problems), 422
    flash(_("The organisation is added."))
    return redirect(url_for("admin_organisations.overview"))


@bp.get("/admin/organisations/<uuid:organisation_id>")
@accounts.required(Role.ADMIN)
def organisation(organisation_id: uuid.UUID) -> ResponseReturnValue:
    """One organisation, with what may be changed."""
    return _page(organisation_id)


@bp.post("/admin/organisations/<uuid:organisation_id>")
@accounts.required(Role.ADMIN)
def change(organisation_id: uuid.UUID) -> ResponseReturnValue:
    """Change an organisation's name, type, region and address."""
    form, vocabulary = OrganisationForm(), context.vocabulary()
    organisations.get(context.reading(), accounts.acting(context.reading()), organisation_id)
    try:
        card = form.card(vocabulary)
        with context.writing() as session:
            organisations.change(session, accounts.acting(session), organisation_id, card)
    except Invalid as invalid:
        return _page(organisation_id, form, invalid.problems), 422
    flash(_("The changes are kept."))
    return redirect(url_for("admin_organisations.organisation", organisation_id=organisation_id))


@bp.post("/admin/organisations/<uuid:organisation_id>/merge")
@accounts.required(Role.ADMIN)
def merge(organisation_id: uuid.UUID) -> ResponseReturnValue:
    """Merge an organisation into another."""
    try:
        into = uuid.UUID(request.form.get("into", ""))
    except ValueError:
        into = None
    try:
        with context.writing() as session:
            kept = organisations.merge(session, accounts.acting(session), organisation_id, into)
    except Invalid as invalid:
        return _page(organisation_id, problems=invalid.problems), 422
    flash(_("The organisations are one now: %(name)s.", name=kept.name))
    return redirect(url_for("admin_organisations.organisation", organisation_id=kept.id))


def _list(form: OrganisationForm, problems: Sequence[Problem] = ()) -> str:
    session = context.reading()
    return render_template(
        "admin/organisations.html",
        listed=organisations.listed(session, accounts.acting(session)),
        form=form,
        types=_types(),
        problems=admin.said(problems),
        **admin.lists(),
    )


def _page(organisation_id: uuid.UUID, form: OrganisationForm | None = None, problems: Sequence[Problem] = ()) -> str:
    session = context.reading()
    listed = organisations.listed(session, actor := accounts.acting(session))
    found = organisations.get(session, actor, organisation_id)
    return render_template(
        "admin/organisation.html",
        counted=next(each for each in listed if each.organisation.id == organisation_id),
        form=form or OrganisationForm.filled(found, context.vocabulary()),
        types=_types(),
        others=[
            (str(each.organisation.id), each.organisation.name) for each in listed if each.organisation is not found
        ],
        problems=admin.said(problems),
        **admin.lists(),
    )


def _types() -> list[tuple[str, str]]:
    return [(value, labels.label("organisation", value)) for value in labels.ORGANISATION]
