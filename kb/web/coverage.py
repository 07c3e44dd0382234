"""What is there and what is missing, as tables: on one page, and each as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.http import dump_options_header

from kb.formats import csv
from kb.models import Status
from kb.services import coverage as service
from kb.services import query
from kb.services.coverage import FROM_OUTSIDE, LAYOUTS, MAIN, OVER, Layout, Table
from kb.services.errors import N_, Invalid, Problem
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import by_name, fold
from kb.web import context, labels, languages, matrix, templating
from kb.web.atlas import bp, chips_of
from kb.web.coverage_links import address
from kb.web.editions import editioned

FEW = 2
"""Practices up to which a target group counts as hardly served."""


@dataclass(frozen=True)
class Findings:
    """What the tables say, in figures: each is the total of the search that it leads to, where it leads to one.

    `rare` are themes that few countries have, `once` countries with one practice, `without` names of those with none;
    `unserved` and `few` are target groups with no practice and with hardly any. `over` counts what ended or stopped,
    `stopped` what stopped early, `outside` what was evaluated from outside; None where a filter of the page says.
    """

    rare: tuple[str, ...]
    once: tuple[str, ...]
    without: tuple[str, ...]
    unserved: tuple[str, ...]
    few: tuple[str, ...]
    over: int | None
    stopped: int
    outside: int | None
    unreported: int


@bp.get("/coverage", endpoint="coverage")
@editioned
def show() -> ResponseReturnValue:
    """What is there and what is missing: every table, and what they say."""
    asked = query.parse(request.args.items(multi=True), context.vocabulary())
    narrowed = replace(asked.query, sort="relevance")
    if not asked.canonical:
        return redirect(templating.query_url(narrowed, endpoint="atlas.coverage"))
    found = service.tables(context.engine(), context.vocabulary(), narrowed)
    return render_template(
        "catalogue/coverage.html",
        query=narrowed,
        found=found,
        total=found[MAIN].total,
        matrix=matrix.drawn(found[MAIN], narrowed),
        findings=_findings(found, narrowed),
        chips=chips_of(narrowed, "atlas.coverage"),
        filtered=bool(narrowed.to_params()),
    )


@bp.get("/coverage.csv", endpoint="coverage_file")
def file() -> ResponseReturnValue:
    """One of the tables, whole, with codes and with labels in the language of the page."""
    layout = named(request.args.get("table", MAIN))
    asked = query.parse(request.args.items(multi=True), context.vocabulary()).query
    narrowed = replace(asked, sort="relevance")
    table = service.tables(context.engine(), context.vocabulary(), narrowed, (layout.name,))[layout.name]
    response = Response("".join(csv.rows(_header(layout), _lines(table, narrowed))), content_type=csv.MEDIA_TYPE)
    name = f"coverage-{layout.name}-{datetime.now(UTC).date().isoformat()}.csv"
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": name})
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def named(name: str) -> Layout:
    """The layout of a table by its name. Raises Invalid with a sentence that says which there are."""
    if name not in LAYOUTS:
        text = N_("There is no table called “%(value)s”. There are: %(names)s.")
        raise Invalid([Problem.of("table", text, value=name[:80], names=", ".join(LAYOUTS))])
    return LAYOUTS[name]


# The file


def _header(layout: Layout) -> list[str]:
    both = [layout.rows, layout.columns] if layout.columns else []
    parts = [name for facet in both for name in (facet, f"{facet}_label", f"{facet}_practices")]
    return [*(parts or [layout.rows, f"{layout.rows}_label"]), "practices", "url"]


def _lines(table: Table, asked: CatalogueQuery) -> Iterator[list[object]]:
    """A line for each pair of row and column, or for each row; of those without a practice too."""
    layout, language, base_url = table.layout, languages.chosen(), context.config().base_url
    for row, count in table.rows.items():
        here = [row, labels.facet(layout.rows, row, language)]
        if layout.columns is None:
            yield [*here, count, base_url + address(asked, layout, row)]
        for column, of_column in table.columns.items():
            there = [column, labels.facet(layout.columns or "", column, language), of_column]
            number = table.cells.get((row, column), 0)
            yield [*here, count, *there, number, base_url + address(asked, layout, row, column)]
    if layout.columns is None and table.unreported:
        yield ["", gettext("Not reported"), table.unreported, ""]


# The page


@bp.app_template_filter("rarest")
def rarest(table: Table) -> list[str]:
    """The rows of a table, those that fewest columns have first."""
    facet = table.layout.rows
    return sorted(table.rows, key=lambda row: (len(table.having[row]), fold(templating.facet_label(facet, row))))


def _findings(found: Mapping[str, Table], asked: CatalogueQuery) -> Findings:
    themes, groups, status, evidence = (
        found[name] for name in (MAIN, "target-group-country", "status", "evidence")
    )  # fmt: skip
    return Findings(
        rare=themes.rare,
        once=tuple(code for code, count in themes.columns.items() if count == 1),
        without=tuple(_without(themes.columns)) if not asked.to_params() else (),
        unserved=tuple(group for group, count in groups.rows.items() if not count),
        few=tuple(group for group, count in groups.rows.items() if 0 < count <= FEW),
        over=None if asked.status else sum(status.rows.get(each, 0) for each in OVER),
        stopped=status.rows.get(Status.DISCONTINUED, 0),
        outside=None if asked.evidence else sum(evidence.rows.get(each, 0) for each in FROM_OUTSIDE),
        unreported=evidence.unreported or 0,
    )


def _without(counted: Iterable[str]) -> list[str]:
    """Names of the countries that the form offers and no practice comes from."""
    return by_name(map(templating.country_name, set(context.vocabulary().european) - set(counted)))
