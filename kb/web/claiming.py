"""Claims of practices without an owner: the form for members, and the editors' list of what was claimed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from kb.models import Role
from kb.services import claims, titles
from kb.services.errors import N_, Conflict, Invalid, Message, Problem
from kb.services.permissions import can
from kb.web import accounts, admin, context, keeping, languages

bp = Blueprint("claiming", __name__)


@bp.get("/practices/<slug>/claim")
@accounts.required()
def form(slug: str) -> ResponseReturnValue:
    """Why the practice is theirs; readers are told how to become a member."""
    return _page(slug)


@bp.post("/practices/<slug>/claim")
@keeping.words
@accounts.required()
def claim(slug: str) -> ResponseReturnValue:
    """Keep the claim; an editor decides."""
    reason = request.form.get("reason", "")
    try:
        with context.writing() as session:
            made = claims.make(session, accounts.acting(session), slug, reason)
            title = titles.public(session, made.practice)
    except Invalid as invalid:
        return _page(slug, reason, invalid.problems, 422)
    except Conflict as conflict:
        return _page(slug, reason, refused=conflict.message, status=409)
    flash(_("Your claim of “%(title)s” is with the editors. You get a mail when one has decided.", title=title))
    return redirect(url_for("catalogue.practice", slug=slug))


def _restored(pairs: MultiDict[str, str], slug: str) -> ResponseReturnValue:
    """The form with the reason that was typed before the session ended."""
    return _page(slug, pairs.get("reason", ""))


accounts.restorers["claiming.claim"] = _restored


@bp.get("/review/claims")
@accounts.required(Role.EDITOR)
def overview() -> ResponseReturnValue:
    """Claims that wait, then those that were decided."""
    return _list()


@bp.post("/review/claims/<uuid:claim_id>")
@keeping.words
@accounts.required(Role.EDITOR)
def decide(claim_id: uuid.UUID) -> ResponseReturnValue:
    """Confirm a claim, or refuse it with a word."""
    accepted, answer = request.form.get("do") == "confirm", request.form.get("answer", "")
    try:
        with context.writing() as session:
            claims.decide(session, accounts.acting(session), claim_id, accepted, answer)
    except Invalid as invalid:
        problems = [Problem(f"{each.field}-{claim_id}", each.message) for each in invalid.problems]
        return _list(problems, {claim_id: answer}), 422
    except Conflict as conflict:
        if answer.strip():  # another editor was faster: there is no form any more to show it in
            raise
        return _list([Problem(f"answer-{claim_id}", conflict.message)]), 409
    flash(_("The practice has an owner now, who gets a mail.") if accepted
          else _("The claim is refused, and a mail says so."))  # fmt: skip
    return redirect(url_for("claiming.overview"))


def _page(
    slug: str, reason: str = "", problems: Sequence[Problem] = (), status: int = 200, refused: Message | None = None
) -> ResponseReturnValue:
    session = context.reading()
    actor, practice = accounts.acting(session), claims.subject(session, slug)
    member = can(actor, "write")
    owned = practice.owner_id is not None
    html = render_template(
        "catalogue/claim.html",
        practice=practice,
        member=member,
        owned=owned,
        waits=claims.waits(session, actor, practice),
        reason=reason,
        limit=claims.REASON_LIMIT,
        problems=[(each.field, languages.say(each.message)) for each in problems],
        refused=languages.say(refused) if refused else "",
        registration=context.config().open_registration,
    )
    return html, status if member else 403


keeping.restorer("claiming.decide", N_("You are signed in again and your answer is back. It is not sent yet."))


def _list(problems: Sequence[Problem] = (), typed: dict[uuid.UUID, str] | None = None) -> str:
    session = context.reading()
    return render_template(
        "moderation/claims.html",
        claims=claims.open_claims(session),
        page=claims.decided_claims(session, admin.page_number()),
        problems=[(each.field, languages.say(each.message)) for each in problems],
        typed=typed or {},
        me=accounts.acting(session).id,
    )
