"""The transfer check: an official answers for her region, and the result has an address of its own.

How questions are made stands in docs/transfer.md. The answers stand in the address and nowhere else, until somebody who
is signed in keeps them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.services import contacting, transfer, transfer_checks, versions
from kb.services.errors import N_, Conflict, Invalid, Moved, NotFound, Problem
from kb.services.transfer import Answer, Check, Kind, Question
from kb.services.transfer_texts import shortened
from kb.services.versions import Online
from kb.web import accounts, context, languages, private
from kb.web.forms.joining import region_code

bp = Blueprint("transfer", __name__)

ANSWERS = {
    Answer.YES: N_("Yes"),
    Answer.PARTLY: N_("Partly"),
    Answer.NO: N_("No"),
    Answer.UNKNOWN: N_("I do not know"),
}

TOPICS = {
    Kind.COMPETENCE: N_("Competence"),
    Kind.LEVEL: N_("Level"),
    Kind.LAW: N_("Law"),
    Kind.LEAD: N_("Who runs it"),
    Kind.STEPS: N_("What was done"),
    Kind.MONEY: N_("Money"),
    Kind.PARTNERS: N_("Partners"),
    Kind.STAFF: N_("People who do the work"),
    Kind.GROUPS: N_("Target groups"),
    Kind.LANGUAGE: N_("Language"),
    Kind.EVIDENCE: N_("Evidence"),
    Kind.CONDITION: N_("Conditions"),
    Kind.DIFFICULTY: N_("Difficulties"),
    Kind.STOPPED: N_("Why it stopped"),
}
"""What each kind of question is about, in a word or two."""

QUOTED = 40
"""Words of the record that the result cites under a question."""

PREFIX = "q-"
"""What the name of a question's field begins with; its id follows."""

HERE = ("c", "change", "region", "lang")
"""Parameters that go along to the practice that this one was merged into."""


@dataclass(frozen=True)
class Sent:
    """What the form was sent with: the check, the region as it was typed, and everything that is wrong."""

    check: Check
    typed: str
    problems: Sequence[Problem] = ()
    status: int = 200


@bp.get("/practices/<slug>/transfer-check")
def check(slug: str) -> ResponseReturnValue:
    """The questions about one practice; with the code of the answers in the address, what they come to."""
    try:
        online = _online(slug)
    except Moved as moved:
        along: dict[str, Any] = {name: request.args[name] for name in HERE if name in request.args}
        return redirect(url_for("transfer.check", slug=moved.slug, **along), 301)
    if "v" in request.args:
        return _answered(online)
    if "c" not in request.args:
        return _form(online, Sent(Check(online.practice.version), _own_region()))
    try:
        given = transfer.decode(request.args["c"])
    except Invalid as invalid:
        return _form(online, Sent(Check(online.practice.version), _own_region(), invalid.problems, 400))
    if "change" in request.args:
        return _form(online, Sent(given, _title(given.region)))
    return _result(online, given)


@bp.post("/practices/<slug>/transfer-check")
@accounts.required()
def keep(slug: str) -> ResponseReturnValue:
    """Keep the answers in one's account."""
    online = _online(slug)
    try:
        given = transfer.decode(request.form.get("c", ""))
    except Invalid as invalid:
        return _form(online, Sent(Check(online.practice.version), _own_region(), invalid.problems, 422))
    vocabulary = context.vocabulary()
    try:
        with context.writing() as session:
            practice = _online(slug, session).practice
            transfer_checks.keep(session, accounts.acting(session), practice, given, vocabulary)
    except (Invalid, Conflict) as refused:
        status = 409 if isinstance(refused, Conflict) else 422
        message = refused.problems[0].message if isinstance(refused, Invalid) else refused.message
        return _result(_online(slug), given, languages.say(message), status)
    flash(_("The transfer check is kept in your account. Nobody else sees it."))
    return redirect(url_for("transfer.check", slug=slug, c=transfer.encode(given)))


def _restored(pairs: MultiDict[str, str], slug: str) -> ResponseReturnValue:
    """The result again, for somebody who was signed out when they pressed the button there."""
    return redirect(url_for("transfer.check", slug=slug, c=pairs.get("c", "")))


accounts.restorers["transfer.keep"] = _restored


# One's own


@bp.get("/account/transfer-checks")
@accounts.required()
def overview() -> ResponseReturnValue:
    """The checks that one keeps."""
    session = context.reading()
    kept = transfer_checks.of(session, accounts.acting(session))
    return private.page(render_template("accounts/transfer_checks.html", kept=kept))


@bp.post("/account/transfer-checks")
@accounts.required()
def remove() -> ResponseReturnValue:
    """Delete one of them."""
    practice_id = None
    with suppress(ValueError):
        practice_id = uuid.UUID(request.form.get("practice_id", ""))
    if practice_id is None:
        raise NotFound(N_("There is no such transfer check among yours. Perhaps you deleted it."))
    with context.writing() as session:
        transfer_checks.remove(session, accounts.acting(session), practice_id, request.form.get("region_code", ""))
    flash(_("The transfer check is deleted."))
    return redirect(url_for("transfer.overview"))


# What the form was sent with


def _answered(online: Online) -> ResponseReturnValue:
    """On to the address of the answers that were sent; or the form again with what is wrong."""
    sent = _sent(online.practice.version)
    if sent.problems:
        return _form(online, sent)
    lang = languages.chosen() if "lang" in request.args else None
    return redirect(url_for("transfer.check", slug=online.practice.slug, c=transfer.encode(sent.check), lang=lang))


def _sent(version: int) -> Sent:
    """What the form holds. A form of an earlier version may hold answers to questions that are not asked any more."""
    problems: list[Problem] = []
    typed, region = request.args.get("region", ""), ""
    try:
        region = region_code(typed, context.vocabulary()) or ""
    except Invalid as invalid:
        problems += invalid.problems
    answers: dict[str, Answer] = {}
    for name, value in request.args.items():
        key = name.removeprefix(PREFIX)
        if name != key and transfer.is_id(key):
            if value in tuple(Answer):
                answers[key] = Answer(value)
            elif value:
                text = N_("“%(value)s” is no answer. Choose one of those below the question.")
                problems.append(Problem.of(name, text, value=value[:80]))
    seen = request.args.get("v", "")
    shown = Check(int(seen) if seen.isdecimal() and len(seen) < 7 else version, region, answers)
    if problems or answers:
        return Sent(shown, typed, problems, 400)
    return Sent(shown, typed, [Problem.of("", N_("Answer at least one question."))], 422)


def _own_region() -> str:
    """The region that the address names, else that of whoever is signed in, as a form shows it."""
    named = request.args.get("region", "")[:200]
    user = accounts.current()
    return _title(named or (user.region_code if user else None) or "")


def _title(code: str) -> str:
    return str(context.vocabulary().region_title(code, languages.chosen()) or "")


# Pages


def _online(slug: str, session: Session | None = None) -> Online:
    return versions.online(session or context.reading(), slug, context.config().base_url)


def _topics() -> dict[Kind, str]:
    return {kind: _(text) for kind, text in TOPICS.items()}


def _form(online: Online, sent: Sent) -> Response:
    asked = transfer.questions(online.document)
    fields = ("region", *(PREFIX + question.id for question in asked))
    html = render_template(
        "catalogue/transfer_check.html",
        record=online.document,
        archived=online.archived,
        questions=asked,
        topics=_topics(),
        general=[_(TOPICS[kind]) for kind in transfer.general(asked)],
        check=sent.check,
        typed=sent.typed,
        choices=[(answer.value, _(text)) for answer, text in ANSWERS.items()],
        problems=[(each.field, languages.say(each.message)) for each in sent.problems if each.field in fields],
        faults=[languages.say(each.message) for each in sent.problems if each.field not in fields],
        today=datetime.now(UTC),
    )
    return make_response(html, sent.status)


def answer_of(question: Question, given: Check) -> str:
    """What was answered to a question, in words; empty where nothing was."""
    return _(ANSWERS[given.answers[question.id]]) if question.id in given.answers else ""


def _result(online: Online, given: Check, problem: str = "", status: int = 200) -> Response:
    session, asked = context.reading(), transfer.questions(online.document)
    code = transfer.encode(given)
    path = url_for("transfer.check", slug=online.practice.slug, c=code)
    html = render_template(
        "catalogue/transfer_result.html",
        record=online.document,
        archived=online.archived,
        check=replace(given, region=given.region if given.region in context.vocabulary().regions else ""),
        result=transfer.result(asked, given),
        topics=_topics(),
        answers={question.id: answer_of(question, given) for question in asked},
        shortened=partial(shortened, most=QUOTED),
        reached=contacting.reaches(online.practice, accounts.current()),
        code=code,
        link=context.config().base_url + path,
        kept=transfer_checks.holds(session, accounts.current(), online.practice, given),
        problem=problem,
        today=datetime.now(UTC),
    )
    return make_response(html, status)
