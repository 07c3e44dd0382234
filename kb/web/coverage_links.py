"""Where the figures of the coverage lead: a page has thousands, so that their addresses are made quickly."""

from __future__ import annotations

from secrets import token_hex
from typing import Any
from urllib.parse import quote

from flask import g

from kb.services.coverage import Layout
from kb.services.query import CatalogueQuery
from kb.web import addresses, labels, languages, templating
from kb.web.atlas import bp
from kb.web.writing import GIVEN

_ROW, _COLUMN = token_hex(8), token_hex(8)  # values in whose place others stand: nobody can have asked for them


@bp.app_template_global("coverage_url")
def address(asked: CatalogueQuery, layout: Layout, row: str, column: str | None = None) -> str:
    """The address of the search whose total is the figure of a row, or of a row and a column."""
    if layout.rows == "year":
        return templating.query_url(asked, year_from=int(row), year_to=int(row))
    made = _made(asked)
    key = (layout.name, column is None)
    if key not in made:
        both: dict[str, Any] = {layout.rows: (_ROW,)}
        if layout.columns and column is not None:
            both[layout.columns] = (_COLUMN,)
        made[key] = templating.query_url(asked, **both)
    return made[key].replace(_ROW, quote(row)).replace(_COLUMN, quote(column or ""))


def _made(asked: CatalogueQuery) -> dict[tuple[str, bool], str]:
    """The addresses that were made in this request for a query."""
    held: tuple[CatalogueQuery, dict[tuple[str, bool], str]] | None = g.get("coverage_addresses")
    if held is None or held[0] is not asked:
        g.coverage_addresses = held = (asked, {})
    return held[1]


@bp.app_template_global("coverage_column_url")
def address_of_column(asked: CatalogueQuery, layout: Layout, column: str | None = None) -> str:
    """The address of the search whose total is the figure of a column, whatever the row; or of all of them."""
    chosen: dict[str, Any] = {layout.columns: (column,)} if layout.columns and column else {}
    return templating.query_url(asked.without(layout.rows), **chosen)


@bp.app_template_global("coverage_file_url")
def address_of_file(asked: CatalogueQuery, name: str) -> str:
    """The address of a table as a file, in the language of the page."""
    more = labels.encode([("table", name), ("lang", languages.chosen())])
    held = templating.query_url(asked, endpoint="atlas.coverage_file")
    return f"{held}{'&' if '?' in held else '?'}{more}"


@bp.app_template_global("coverage_form_url")
def address_of_form(layout: Layout, row: str, column: str | None = None) -> str:
    """The address of the form for a new practice in which what is missing in a table is chosen."""
    given = {layout.rows: row} | ({layout.columns: column} if layout.columns and column else {})
    params = [(facet, value) for facet, value in given.items() if facet in GIVEN]
    return f"{addresses.address('submissions.new')}?{labels.encode(params)}"
