"""What one has a right to: a copy of what is held about oneself, and to be forgotten."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Role
from kb.services import adoptions, consent, privacy
from kb.web import context, private
from kb.web.accounts import acting, bp, required


@bp.get("/account/data")
@required()
def data() -> ResponseReturnValue:
    """What the copy of one's data holds, and the button that makes it."""
    return private.page(render_template("accounts/data.html"))


@bp.post("/account/data")
@required()
def download_data() -> ResponseReturnValue:
    """The copy of one's data, as a file."""
    with context.writing() as session:
        held = privacy.copy_for(session, acting(session), context.config().base_url)
    today = datetime.now(UTC)
    text = json.dumps({"made": f"{today:%Y-%m-%dT%H:%M:%SZ}", **held}, ensure_ascii=False, indent=2) + "\n"
    headers = {
        "Content-Disposition": f'attachment; filename="my-data-{today:%Y-%m-%d}.json"',
        "Cache-Control": "private, no-store",
    }
    return Response(text.encode("utf-8", "replace"), content_type="application/json", headers=headers)


@bp.post("/account/contacts/<uuid:practice_id>/withdraw")
@required()
def withdraw_contact(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Stop being named as a practice's contact."""
    with context.writing() as session:
        consent.withdraw(session, acting(session), practice_id)
    flash(_("You are no longer named as its contact. Your name and address are removed there."))
    return redirect(url_for("accounts.account"))


@bp.post("/account/contacts/adoptions/<uuid:adoption_id>/withdraw")
@required()
def withdraw_adoption_contact(adoption_id: uuid.UUID) -> ResponseReturnValue:
    """Stop being named as the contact of a region that takes a practice up."""
    with context.writing() as session:
        adoptions.withdraw_contact(session, acting(session), adoption_id)
    flash(_("You are no longer named as its contact. Your name and address are removed there."))
    return redirect(url_for("accounts.account"))


@bp.post("/review/<uuid:practice_id>/contact")
@required(Role.EDITOR)
def withdraw_contact_of(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Remove the person named as contact, who asked an editor for it."""
    with context.writing() as session:
        practice = consent.withdraw(session, acting(session), practice_id)
        public = practice.slug if practice.record is not None else None
    flash(_("The contact’s name and address are removed."))
    if public:
        return redirect(url_for("catalogue.practice", slug=public))
    return redirect(url_for("moderation.review", practice_id=practice_id))
