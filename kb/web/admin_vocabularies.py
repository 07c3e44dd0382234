"""The vocabularies as administrators see them: themes and target groups, one term, and merging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from kb.models import Role
from kb.services import permissions, terms
from kb.services.errors import N_, Invalid, NotAllowed, Problem
from kb.services.terms import ENGLISH, Kind
from kb.services.vocabularies import by_name
from kb.web import accounts, admin, context, labels, languages
from kb.web.forms.admin import TermForm, Words

bp = Blueprint("admin_vocabularies", __name__)

PATHS = {kind.path: kind for kind in terms.KINDS}


@bp.get("/admin/vocabularies")
@accounts.required(Role.ADMIN)
def overview() -> ResponseReturnValue:
    """All themes and target groups in their order, with how many practices have each."""
    session = context.reading()
    lists = [(kind, _terms(kind), terms.uses(session, kind)) for kind in terms.KINDS]
    return render_template("admin/vocabularies.html", lists=lists)


@bp.get("/admin/vocabularies/<kind>")
@accounts.required(Role.ADMIN)
def new(kind: str) -> ResponseReturnValue:
    """The form for a new term."""
    return _new(_kind(kind), TermForm(formdata=None), Words({}, {}))


@bp.post("/admin/vocabularies/<kind>")
@accounts.required(Role.ADMIN)
def add(kind: str) -> ResponseReturnValue:
    """Add a term."""
    which, form, words = _kind(kind), TermForm(), Words.posted(request.form, _codes())
    try:
        with context.writing() as session:
            term = terms.add(session, accounts.acting(session), which, words.wording(form))
    except Invalid as invalid:
        return _new(which, form, words, invalid.problems), 422
    flash(_("“%(label)s” is added.", label=term.label))
    return redirect(url_for("admin_vocabularies.overview"))


@bp.get("/admin/vocabularies/<kind>/<slug>")
@accounts.required(Role.ADMIN)
def term(kind: str, slug: str) -> ResponseReturnValue:
    """One term, with what may be changed; one that was merged leads to its successor."""
    which = _kind(kind)
    current = context.vocabulary().current(which.key, slug)
    if current != slug:
        return redirect(url_for("admin_vocabularies.term", kind=kind, slug=current), 301)
    return _page(which, slug)


@bp.post("/admin/vocabularies/<kind>/<slug>")
@accounts.required(Role.ADMIN)
def edit(kind: str, slug: str) -> ResponseReturnValue:
    """Change what a term is called and means, and where it stands."""
    which, form, words = _kind(kind), TermForm(), Words.posted(request.form, _codes())
    terms.get(context.reading(), accounts.acting(context.reading()), which, slug)
    try:
        place = form.position()
        with context.writing() as session:
            terms.edit(session, accounts.acting(session), which, slug, words.wording(form), place)
    except Invalid as invalid:
        return _page(which, slug, form, words, invalid.problems), 422
    flash(_("The changes are kept."))
    return redirect(url_for("admin_vocabularies.term", kind=kind, slug=slug))


@bp.post("/admin/vocabularies/<kind>/<slug>/merge")
@accounts.required(Role.ADMIN)
def merge(kind: str, slug: str) -> ResponseReturnValue:
    """Merge a term into another."""
    which, into = _kind(kind), request.form.get("into", "")
    try:
        with context.writing() as session:
            moved = terms.merge(session, accounts.acting(session), which, slug, into)
    except Invalid as invalid:
        return _page(which, slug, problems=invalid.problems), 422
    context.parts().indexer.after_commit()
    flash(ngettext("Merged: %(num)d public practice moved.", "Merged: %(num)d public practices moved.", moved))
    return redirect(url_for("admin_vocabularies.term", kind=kind, slug=into))


def _restored(pairs: MultiDict[str, str], kind: str, slug: str = "") -> ResponseReturnValue:
    """The form with what was typed before the session ended; nothing of it is kept yet."""
    if not permissions.can(accounts.current(), "administer"):
        raise NotAllowed(N_("Only administrators do this."))
    flash(_("You are signed in again and your text is back. It is not saved yet: save it now."))
    form, words = TermForm(formdata=pairs), Words.posted(pairs, _codes())
    return _page(_kind(kind), slug, form, words) if slug else _new(_kind(kind), form, words)


accounts.restorers["admin_vocabularies.add"] = _restored
accounts.restorers["admin_vocabularies.edit"] = _restored


def _new(kind: Kind, form: TermForm, words: Words, problems: Sequence[Problem] = ()) -> str:
    return render_template("admin/term.html", kind=kind, term=None, form=form, words=words, codes=_codes(),
                           problems=admin.said(problems))  # fmt: skip


def _page(
    kind: Kind,
    slug: str,
    form: TermForm | None = None,
    words: Words | None = None,
    problems: Sequence[Problem] = (),
) -> str:
    session = context.reading()
    found: Any = terms.get(session, accounts.acting(session), kind, slug)
    every = [each.slug for each in _terms(kind)]
    data = {"label": found.label, "scope_note": found.scope_note, "place": every.index(slug) + 1}
    return render_template(
        "admin/term.html",
        kind=kind,
        term=found,
        form=form or TermForm(formdata=None, data=data),
        words=words or Words.of(found),
        codes=_codes(),
        count=len(every),
        uses=terms.uses(session, kind).get(slug, 0),
        others=[(each.slug, each.name(languages.chosen())) for each in _terms(kind) if each.slug != slug],
        problems=admin.said(problems),
    )


def _kind(path: str) -> Kind:
    if path not in PATHS:
        abort(404)
    return PATHS[path]


def _terms(kind: Kind) -> list[Any]:
    return list(getattr(context.vocabulary(), kind.key).values())


def _codes() -> list[str]:
    """Languages that terms have words in, and those of the pages; English first, then by name."""
    vocabulary = context.vocabulary()
    held = {code for term in [*vocabulary.themes.values(), *vocabulary.target_groups.values()] for code in term.labels}
    codes = held | set(languages.NAMES) - {ENGLISH}
    return [ENGLISH, *by_name(codes - {ENGLISH}, lambda code: labels.language_name(code, languages.chosen()))]
