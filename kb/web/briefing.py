"""A briefing for a council: one to ten practices, a question, a page to print and a Word file. Nothing of it is kept:
the question and for whom it is stand in the address alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_babel import ngettext

from kb.formats import briefing as formats
from kb.formats import docx_several
from kb.formats.about import About
from kb.formats.briefing import Briefing
from kb.formats.comparison import Column
from kb.formats.text import line
from kb.services.choosing import BRIEFED, MANY_BRIEFED, Choice, Chosen
from kb.services.errors import N_, Problem
from kb.services.transfer import Check
from kb.web import checked, choosing, languages
from kb.web.carrying import url
from kb.web.choosing import asked, faults, refused
from kb.web.comparing import word_file

bp = Blueprint("briefing", __name__)

LIMITS = {"question": 300, "audience": 100}
"""Characters of what is typed: an address with ten practices and these is read by every server on the way."""

LONG = N_("Shorten this: it has %(now)d characters, the limit is %(limit)d.")


@dataclass(frozen=True)
class Typed:
    """What stands in the address beside the practices, in one line each, and what is wrong with it."""

    question: str
    audience: str
    checks: checked.Given
    problems: tuple[Problem, ...] = ()

    def pairs(self, slugs: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """The same as parameters of an address, with the checks of some practices."""
        return ("question", self.question), ("audience", self.audience), *checked.pairs(self.checks, slugs)


@bp.get("/briefing")
def briefing() -> ResponseReturnValue:
    """The briefing to print, under a form for its question; or what to do where no practice is chosen, or too many."""
    choice = asked()
    typed = _typed(choice)
    said = faults(choice, BRIEFED, MANY_BRIEFED, MANY_BRIEFED)
    if said or not choice.chosen:
        return refused(choice, said, aim="briefing", typed=typed)
    if not choice.canonical:
        return redirect(url("briefing.briefing", choice.slugs, *typed.pairs(choice.slugs)))
    return _page(choice, typed)


@bp.get("/briefing.docx")
def briefing_file() -> ResponseReturnValue:
    """The same as a Word file."""
    choice = asked()
    typed = _typed(choice)
    said = faults(choice, BRIEFED, MANY_BRIEFED, MANY_BRIEFED)
    if said or not choice.chosen:
        return refused(choice, said, aim="briefing", typed=typed)
    if typed.problems:
        return _page(choice, typed)
    if not choice.canonical:
        return redirect(url("briefing.briefing_file", choice.slugs, *typed.pairs(choice.slugs)))
    made = _made(choice, typed)
    return word_file(docx_several.briefed(made, _about(made, choice, typed)), _("briefing"), choice)


def _typed(choice: Choice) -> Typed:
    texts = {name: line(request.args.get(name)) for name in LIMITS}
    problems = tuple(
        Problem.of(name, LONG, now=len(text), limit=LIMITS[name])
        for name, text in texts.items()
        if len(text) > LIMITS[name]
    )
    checks, damaged = checked.given(choice.led)
    return Typed(texts["question"], texts["audience"], checks, (*problems, *damaged))


def _made(choice: Choice, typed: Typed) -> Briefing:
    pairs = zip(choice.chosen, choosing.columns(choice), strict=True)
    columns = [_checked(made, each, typed.checks.get(each.slug)) for each, made in pairs]
    return Briefing(columns, typed.question, typed.audience)


def _checked(made: Column, chosen: Chosen, check: Check | None) -> Column:
    return replace(made, check=checked.checked(chosen.document, check)) if check else made


def _about(made: Briefing, choice: Choice, typed: Typed) -> About:
    """The frame of a briefing, named by its question; where there is none, by what it is."""
    count = len(made.columns)
    named = made.question or ngettext("Briefing on %(num)d practice", "Briefing on %(num)d practices", count)
    return choosing.frame(named, url("briefing.briefing", choice.slugs, *typed.pairs(choice.slugs)))


def _page(choice: Choice, typed: Typed) -> Response:
    made = _made(choice, typed)
    about = _about(made, choice, typed)
    sources, own = formats.numbered(made.columns)
    html = render_template(
        "choosing/briefing.html",
        choice=choice,
        made=made,
        typed=typed,
        title=about.title,
        overview=formats.overview(made.columns, about),
        pages=[(each, formats.facts(each.document, about), formats.headings(each.document, about), numbers)
               for each, numbers in zip(made.columns, own, strict=True)],
        sources=sources,
        address=about.url,
        problems=[(each.field, languages.say(each.message))
                  for each in typed.problems],
        limits=LIMITS,
        today=datetime.now(UTC),
    )  # fmt: skip
    return make_response(html, 400 if typed.problems else 200)
