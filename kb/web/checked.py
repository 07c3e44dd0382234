"""Transfer checks that are handed over to a briefing, in its address: `check=<slug>:<code>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext, ngettext

from kb.formats.comparison import Asked, Checked
from kb.services import transfer
from kb.services.errors import N_, Invalid, Problem
from kb.services.record import Document
from kb.services.transfer import Check, Question, Result
from kb.services.transfer_texts import shortened
from kb.web import context, labels, languages
from kb.web.saying import colon
from kb.web.transfer import TOPICS, answer_of

PARAMETER = "check"

MOST_LINES = 3
"""Questions of a part of the result before the rest is only counted: a practice has one page."""

QUOTED = 12
"""Words of the record that are cited under a question."""

UNREADABLE = N_(
    "The transfer check of “%(slug)s” cannot be read: a part of its address is missing. It is left out here; open the "
    "check again and make the briefing from there."
)

Given = dict[str, Check]
"""Checks by the slug of their practice."""


def given(led: Mapping[str, str]) -> tuple[Given, list[Problem]]:
    """The checks in the address, by the slug that theirs led to (`led`), and what is wrong with others."""
    checks: Given = {}
    problems = []
    for text in request.args.getlist(PARAMETER)[:50]:
        slug, _colon, code = text.partition(":")
        try:
            checks[led.get(slug, slug)] = transfer.decode(code)
        except Invalid:
            problems.append(Problem.of(PARAMETER, UNREADABLE, slug=slug[:80]))
    return checks, problems


def pairs(checks: Given, slugs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The checks of some practices as parameters of an address."""
    return tuple((PARAMETER, f"{slug}:{transfer.encode(checks[slug])}") for slug in slugs if slug in checks)


def checked(document: Document, check: Check) -> Checked:
    """What a check of a practice comes to, in lines of words: what is missing before what is there."""
    region = check.region if check.region in context.vocabulary().regions else ""
    result = transfer.result(transfer.questions(document), check)
    name = labels.facet("region", region, languages.chosen()) if region else ""
    heading = gettext("Could it work in %(region)s?", region=name) if name else gettext("Could it work in your region?")
    return Checked(
        heading=heading,
        parts=tuple((title, tuple(_lines(asked, document, check))) for title, asked in _parts(result) if asked),
        there=_there(result),
        notice=_notice(document, check),
        url=context.config().base_url + url_for("transfer.check", slug=document["slug"], c=transfer.encode(check)),
    )


def _parts(result: Result) -> list[tuple[str, Sequence[Question]]]:
    return [
        (gettext("What to find out first"), result.unknown),
        (gettext("What is missing, or would be difficult"), result.missing),
        (gettext("What you have in part"), result.partly),
    ]


def _there(result: Result) -> str:
    """How many of the questions came out well, by why they did."""
    counted = ((gettext("What you have"), result.there), (gettext("What you need not fear"), result.spared))
    said = [f"{title}{colon()}{len(asked)} / {result.asked}" for title, asked in counted]
    return ". ".join(said if result.spared else said[:1])


def _lines(asked: Sequence[Question], document: Document, check: Check) -> list[Asked]:
    words: Any = current_app.jinja_env.get_template("partials/transfer_words.html").module
    lines = [
        Asked(
            text=f"{gettext(TOPICS[each.kind])}{colon()}{words.ask(each, document).striptags()}",
            quote=shortened(each.quote, QUOTED),
            answer=f"{gettext('Your answer')}{colon()}{answer_of(each, check) or gettext('none yet')}.",
        )
        for each in asked[:MOST_LINES]
    ]
    more = len(asked) - MOST_LINES
    return [*lines, Asked(ngettext("%(num)d more", "%(num)d more", more))] if more > 0 else lines


def _notice(document: Document, check: Check) -> str:
    if check.version == document["version"]:
        return ""
    then, now = check.version, document["version"]
    said = gettext(
        "These answers were given for version %(then)d of the practice; this is version %(now)d.", then=then, now=now
    )
    return str(said)
