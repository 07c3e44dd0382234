"""Pages of their own: home, about, help, and what machines ask for at the root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kb.services import catalogue, tallies
from kb.services import privacy as service
from kb.services.errors import N_, NotFound
from kb.services.sessions import SESSION_LIFE
from kb.services.vocabularies import TermInfo, by_name, fold
from kb.web import alike, atlas, context, languages, returning, templating

bp = Blueprint("pages", __name__)

Row = tuple[str, str, int]
"""A row of a ledger: address, text, number of practices."""


class Problem(NamedTuple):
    """A problem in the reader's words, and the theme that answers it."""

    words: str
    theme: str


PROBLEMS = (
    Problem(N_("Skilled people leave, or never come"), "talent-attraction-and-retention"),
    Problem(N_("Newcomers and neighbours rarely meet"), "intercultural-interaction"),
    Problem(N_("People who could work are shut out"), "labour-inclusion"),
    Problem(N_("Villages and valleys lose their people"), "demographic-change"),
    Problem(N_("Diplomas from abroad count for nothing"), "skills-and-recognition"),
    Problem(N_("Nobody will rent to refugees"), "housing"),
    Problem(N_("Rumours travel faster than facts"), "anti-discrimination"),
    Problem(N_("Learning the language takes too long"), "language-learning"),
)

ASSESSED = date(2026, 11, 23)
"""The day on which the accessibility of the pages was looked at as a whole; the statement gives it."""

EXAMPLES = (
    ("it", "lavoro per rifugiati"), ("es", "fuga de cerebros"), ("pl", "rynek pracy"), ("ca", "línia ACOL"),
    ("de", "Arbeit für Geflüchtete"), ("fr", "logement pour réfugiés"), ("ro", "exodul creierelor"),
    ("ga", "foghlaim teanga"), ("en", "housing for refugees"),
)  # fmt: skip
"""Questions that find something in the seed, with the language they are in."""

MOST_EXAMPLES = 4


@bp.get("/")
def home() -> ResponseReturnValue:
    """The question, and the base at a glance."""
    session, base_url = context.reading(), context.config().base_url
    counts = tallies.facet_counts(session, context.engine())
    themes = context.vocabulary().themes
    return render_template(
        "pages/home.html",
        examples=sorted(EXAMPLES, key=lambda each: each[0] != languages.chosen())[:MOST_EXAMPLES],
        figures=catalogue.figures(session),
        label_languages=len({language for term in themes.values() for language in term.labels}),
        problems=[(each, counts.get("theme", {}).get(each.theme, 0)) for each in _problems()],
        countries=_countries(counts.get("country", {})),
        picture=atlas.overview(),
        newest=catalogue.newest(session, base_url),
        evidenced=catalogue.best_evidenced(session, base_url),
        stopped=catalogue.discontinued(session, base_url),
        themes=_themes(themes.values(), counts.get("theme", {})),
        mine=alike.own_region(),
    )


def _problems() -> list[Problem]:
    """The problems whose theme is still there, or was merged into another."""
    vocabulary = context.vocabulary()
    today = [each._replace(theme=vocabulary.current("themes", each.theme)) for each in PROBLEMS]
    return [each for each in today if each.theme in vocabulary.themes]


def _countries(counts: Mapping[str, int]) -> list[Row]:
    """Countries as rows of a ledger, those with most practices first."""
    rows = [
        (url_for("catalogue.country", code=code), templating.country_name(code), count)
        for code, count in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row[2], fold(row[1])))


def _themes(terms: Iterable[TermInfo], counts: Mapping[str, int]) -> list[Row]:
    """Themes as rows of a ledger, by name."""
    rows = [
        (url_for("catalogue.theme", slug=term.slug), term.name(languages.chosen()), counts.get(term.slug, 0))
        for term in terms
    ]
    return by_name(rows, lambda row: row[1])


@bp.get("/about")
def about() -> ResponseReturnValue:
    """What this is, and who answers for it."""
    return render_template(
        "pages/about.html",
        figures=catalogue.figures(context.reading()),
        controller=context.config().controller,
    )


@bp.get("/accessibility")
def accessibility() -> ResponseReturnValue:
    """How accessible the site is, what was tested and what not, and whom to tell."""
    config = context.config()
    return render_template(
        "pages/accessibility.html",
        controller=config.controller,
        enforcement=config.enforcement,
        prepared=ASSESSED,
        base_url=config.base_url,
    )


@bp.get("/privacy")
def privacy() -> ResponseReturnValue:
    """What is stored about people, why and how long, who answers for it, and what one can do."""
    return render_template(
        "pages/privacy.html",
        controller=context.config().controller,
        notes=service.notes(),
        cookie=current_app.config["SESSION_COOKIE_NAME"],
        language_cookie=languages.cookie(),
        days=SESSION_LIFE.days,
    )


class Example(NamedTuple):
    """A question that finds something, the language of its words, and what it shows."""

    question: str
    language: str
    shows: str


SEARCHES = (
    Example("housing refugees", "en", N_("both words, anywhere in a practice and in any form")),
    Example('"welcome centre"', "en", N_("these words as they are, side by side")),
    Example("refugees -children", "en", N_("without a word; a whole phrase or filter can be left out as well")),
    Example("nurses OR doctors", "en", N_("one word or the other; OR in capitals")),
    Example("entrepr*", "en", N_("every word that begins so")),
    Example("title:talent", "en", N_("a word of the title")),
    Example("housing country:IT", "en", N_("practices of a country, by its code or its name in any language")),
    Example(
        'theme:"labour inclusion" mentors', "en", N_("practices of a theme, by its name; target_group: works alike")
    ),
    Example('region:"Bavaria"', "en", N_("practices of a region and its parts, by its name or code")),
    Example(
        "arts year:2018..2022", "en", N_("practices that ran at any time in these years; also 2018, 2018.. or ..2022")
    ),
    Example("linia acol", "ca", N_("accents and capitals do not matter")),
    Example(
        "Arbeitsmarkt Integration",
        "de",
        N_("the same as Arbeitsmarktintegration and Arbeitsmarkt-Integration"),
    ),
    Example(
        "rynek pracy",
        "pl",
        N_("the name of a theme, target group, country or region, in any language, finds what is tagged with it"),
    ),
    Example("emplyment", "en", N_("a slip of the pen is understood")),
)
"""Questions of the help page, in its order; each finds something in the seed."""


@bp.get("/help")
def help() -> ResponseReturnValue:
    """How searching works, what the pages say and do not say, and the API."""
    return render_template("pages/help.html", base_url=context.config().base_url, searches=SEARCHES)


@bp.get("/language/<code>")
def language(code: str) -> ResponseReturnValue:
    """Remember in which language somebody wants the pages, and go back to where they chose it."""
    if code not in context.config().languages:
        raise NotFound(N_("The pages are not there in this language."))
    answer = redirect(returning.local_path(request.args.get("to")) or url_for("pages.home"), 303)
    answer.set_cookie(
        languages.cookie(),
        code,
        max_age=languages.REMEMBERED,
        secure=context.config().secure,
        httponly=True,
        samesite="Lax",
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/favicon.ico")
def favicon() -> ResponseReturnValue:
    """The icon, for browsers that ask at the root."""
    return redirect(templating.static_url("icon.svg"), 302)
