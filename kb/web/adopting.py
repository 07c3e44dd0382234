"""Who takes a practice up: said by members, confirmed by its owner or an editor, shown to everybody."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from kb.models import Adoption, AdoptionStatus, Practice, Role, User
from kb.services import adoption_checking, adoption_trail, adoptions, checking, titles, versions
from kb.services.adoption_checking import CHANGES_LIMIT, Told
from kb.services.adoption_trail import Named, Taken
from kb.services.errors import N_, Conflict, Invalid, Problem, TooMany
from kb.services.limits import ADOPTION_LIMIT, Asking
from kb.services.permissions import can
from kb.services.versions import Online
from kb.web import accounts, context, keeping, labels, languages, private
from kb.web.forms.options import regions

bp = Blueprint("adopting", __name__)

Typed = MultiDict[str, str]


@bp.get("/practices/<slug>/adoptions")
def overview(slug: str) -> ResponseReturnValue:
    """Who took it up; for members the form to say so, for those who decide what waits."""
    return _page(slug)


@bp.post("/practices/<slug>/adoptions")
@keeping.words
@accounts.required()
def say(slug: str) -> ResponseReturnValue:
    """Keep what somebody says of a region; the owner or an editor confirms it."""
    try:
        with context.writing() as session:
            actor, vocabulary = accounts.acting(session), context.vocabulary()
            adoptions.make(session, actor, slug, told(request.form), vocabulary, _count())
    except Invalid as invalid:
        return _page(slug, request.form, invalid.problems, 422)
    except Conflict as conflict:
        return _page(slug, request.form, [Problem("region", conflict.message)], 409)
    except TooMany as refused:
        return private.too_many(private.page(_page(slug, request.form, [Problem("", refused.message)])[0]), refused)
    flash(_("Sent. The owner or an editor reads it first; you find it under My practices."))
    return redirect(url_for("adopting.overview", slug=slug))


def _restored(pairs: Typed, slug: str) -> ResponseReturnValue:
    """The form with what was typed before the session ended."""
    return _page(slug, pairs)


accounts.restorers["adopting.say"] = _restored


@bp.get("/adoptions/<uuid:adoption_id>")
@accounts.required()
def form(adoption_id: uuid.UUID) -> ResponseReturnValue:
    """What somebody said, to change it."""
    adoption = adoptions.own(context.reading(), accounts.acting(context.reading()), adoption_id)
    return _change_page(adoption_id, _as_typed(adoption, adoption_checking.own_now(context.reading(), adoption)))


@bp.post("/adoptions/<uuid:adoption_id>")
@keeping.words
@accounts.required()
def change(adoption_id: uuid.UUID) -> ResponseReturnValue:
    """Keep how far a region has come by now, and other words; or take it all back."""
    if request.form.get("do") == "withdraw":
        return _withdraw(adoption_id)
    try:
        with context.writing() as session:
            actor, vocabulary = accounts.acting(session), context.vocabulary()
            adoption = adoptions.change(session, actor, adoption_id, told(request.form), vocabulary, _count())
            slug = adoptions.now_of(session, adoption).slug
    except Invalid as invalid:
        return _change_page(adoption_id, request.form, invalid.problems), 422
    except TooMany as refused:
        page = _change_page(adoption_id, request.form, [Problem("", refused.message)])
        return private.too_many(private.page(page), refused)
    flash(_("Saved."))
    return redirect(url_for("adopting.overview", slug=slug))


def _withdraw(adoption_id: uuid.UUID) -> ResponseReturnValue:
    with context.writing() as session:
        adoption = adoptions.withdraw(session, accounts.acting(session), adoption_id, context.vocabulary())
        slug = adoptions.now_of(session, adoption).slug
    flash(_("It is withdrawn. Readers do not see it any more."))
    return redirect(url_for("adopting.overview", slug=slug))


@bp.post("/adoptions/<uuid:adoption_id>/decision")
@keeping.words
@accounts.required(Role.MEMBER)
def decide(adoption_id: uuid.UUID) -> ResponseReturnValue:
    """Confirm an adoption, refuse it with a word why, or, as an editor, take away a confirmed one."""
    do, answer = request.form.get("do", ""), request.form.get("answer", "")
    try:
        with context.writing() as session:
            actor, vocabulary = accounts.acting(session), context.vocabulary()
            slug = adoptions.now_of(session, adoptions.get(session, adoption_id)).slug or ""
            if do == "end":
                adoptions.end(session, actor, adoption_id, answer, vocabulary)
            else:
                seen = request.form.get("seen", "")
                adoptions.decide(session, actor, adoption_id, do == "confirm", answer, vocabulary, seen)
    except Invalid as invalid:
        problems = [Problem(f"answer-{adoption_id}", each.message) for each in invalid.problems]
        return _page(slug, None, problems, 422, {adoption_id: answer})
    except Conflict as conflict:
        if answer.strip():  # there may be no form any more to show it in
            raise
        return _page(slug, None, [Problem("decided", conflict.message)], 409)
    flash(
        _("It is confirmed: readers see it.") if do == "confirm" else _("Readers do not see it, and a mail says why.")
    )
    return redirect(url_for("adopting.overview", slug=slug))


keeping.restorer("adopting.change", N_("You are signed in again and your words are back. They are not saved yet."))
keeping.restorer("adopting.decide", N_("You are signed in again and your answer is back. It is not sent yet."))


# For the pages of others


def trail(online: Online) -> dict[str, Any]:
    """What the page of a practice shows of the trail: what it came from, who took it up.

    Whoever reads sees what they said themselves, and how much waits for their decision.
    """
    session, named = context.reading(), {entry["slug"] for entry in online.document["adapted_from"]}
    came = adoption_trail.came_from(session, online.practice.id)
    actor = accounts.current()
    return {
        "said_here": adoptions.said_of(session, actor, online.practice) if actor and can(actor, "adopt") else [],
        "to_decide_here": sum(not each["mine"] for each in _waiting(actor, online.practice)),
        "came_from": [each for each in came if each.original.slug not in named],
        "taken_up": adoption_trail.taken_up(session, online.practice, actor),
    }


def of_person(actor: User) -> dict[str, Any]:
    """What the page of somebody's practices shows: what waits for them, and what they said of regions."""
    session = context.reading()
    waiting = [(each, adoptions.now_of(session, each)) for each in adoptions.to_decide(session, actor)]
    return {"adoptions_to_decide": waiting, "adoptions_said": adoptions.of_person(session, actor)}


@bp.app_template_global()
def adopted_in(code: str) -> list[tuple[Taken, Named]]:
    """What a region, or a part of it, takes up."""
    vocabulary = context.vocabulary()
    codes, below = [code], list(vocabulary.children.get(code, ()))
    while below:
        codes += below
        below = [part for each in below for part in vocabulary.children.get(each, ())]
    return adoption_trail.of_regions(context.reading(), codes)


@bp.app_template_global()
def regions_taking_up(taken: Sequence[Taken]) -> int:
    """How many regions took a practice up."""
    return adoption_trail.regions(taken)


def told(form: Typed) -> Told:
    """What a form says."""
    contact = {key: form.get(f"contact-{key}", "") for key in ("role", "email", "name")}
    fields = {key: form.get(key, "") for key in ("region", "status", "changes", "organisation", "own")}
    return Told(**fields, contact={**contact, "consent": form.get("contact-consent") == "y"})


# Pages


def _page(
    slug: str, typed: Typed | None = None, problems: Sequence[Problem] = (), status: int = 200,
    answers: dict[uuid.UUID, str] | None = None,
) -> tuple[str, int]:  # fmt: skip
    session, actor = context.reading(), accounts.current()
    online = versions.online(session, slug, context.config().base_url)
    practice, shown = online.practice, trail(online)
    said = [(each.field.replace(".", "-"), languages.say(each.message)) for each in problems]
    html = render_template(
        "adopting/overview.html",
        record=online.document,
        archived=online.archived,
        practice=practice,
        typed=_blank(another=bool(shown["said_here"])) if typed is None else typed,
        folded=typed is None and bool(shown["said_here"]),
        problems=said,
        answers=answers or {},
        waiting_here=_waiting(actor, practice),
        own_waiting=[each for each in _mine(actor) if adoptions.now_of(session, each).id == practice.id],
        member=can(actor, "adopt") and not online.archived,
        may_end=can(actor, "end-adoption"),
        **_lists(actor, practice),
        **shown,
    )
    return html, status


def _change_page(adoption_id: uuid.UUID, typed: Typed, problems: Sequence[Problem] = ()) -> str:
    session, actor = context.reading(), accounts.acting(context.reading())
    adoption = adoptions.own(session, actor, adoption_id)
    practice, own = adoptions.now_of(session, adoption), adoption_checking.own_now(session, adoption)
    said = [(each.field.replace(".", "-"), languages.say(each.message)) for each in problems]
    return render_template(
        "adopting/change.html", adoption=adoption, practice=practice, typed=typed, problems=said,
        told_anew=adoption_trail.told_anew(adoption), **_lists(actor, practice, own),
    )  # fmt: skip


def _lists(actor: User | None, practice: Practice, kept: Practice | None = None) -> dict[str, Any]:
    """What the form offers; `kept` is the practice that is said to have come of it."""
    session, vocabulary = context.reading(), context.vocabulary()
    held = adoption_checking.choosable(session, actor, practice, kept) if actor else []
    named = titles.of_known_all(session, actor, held)
    unnamed = titles.Title(_("The practice named so far"), None)
    return {
        "regions": regions() if actor else [],
        "statuses": [(each.value, labels.label("adoption", each)) for each in AdoptionStatus],
        "own_practices": [(str(each.id), *(named[each.id] if named[each.id].text else unnamed)) for each in held],
        "their_region": vocabulary.region_title(actor.region_code, languages.chosen()) if actor else "",
        "limit": CHANGES_LIMIT,
        "contact_limits": checking.CONTACT_LIMITS,
    }


def _blank(*, another: bool) -> Typed:
    """The form with what is known of whoever fills it in; `another`: for a region that is not their own."""
    user = accounts.current()
    if user is None:
        return MultiDict()
    person = accounts.acting(context.reading())
    region = "" if another else context.vocabulary().region_title(person.region_code, languages.chosen())
    organisation = person.organisation.name if person.organisation else ""
    return MultiDict({
        "region": region or "", "organisation": organisation, "contact-email": person.email,
        "contact-name": person.name,
    })  # fmt: skip


def _as_typed(adoption: Adoption, own: Practice | None) -> Typed:
    return MultiDict({
        "status": adoption.status.value, "changes": adoption.changes, "organisation": adoption.organisation,
        "own": str(own.id if own else ""), "contact-role": adoption.contact_role,
        "contact-email": adoption.contact_email, "contact-name": adoption.contact_name,
        "contact-consent": "y" if adoption.contact_consent else "",
    })  # fmt: skip


def _waiting(actor: User | None, practice: Practice) -> list[dict[str, Any]]:
    """What waits for whoever reads, with what they need to decide."""
    if practice.record is None or not can(actor, "decide-adoption", practice) or actor is None:
        return []
    session = context.reading()
    return [
        {
            "adoption": each,
            "anew": adoption_trail.told_anew(each),
            "mine": not adoptions.may_decide(session, actor, each),
            "mark": adoptions.mark(each),
            "contact": adoption_trail.contact_of(each, actor),
        }
        for each in adoptions.waiting_for(session, practice)
    ]


def _mine(actor: User | None) -> list[Adoption]:
    return adoptions.of_person(context.reading(), actor) if actor else []


def _count() -> Asking:
    config = context.config()
    return Asking(context.parts().counted, "adopt", on=config.limits, most=ADOPTION_LIMIT)
