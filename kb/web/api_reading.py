"""The API's practices: search and browse, one record, its versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Response, url_for
from flask.typing import ResponseReturnValue

from kb.formats.text import iso
from kb.services import catalogue, changes, query, versions
from kb.services.catalogue import Results
from kb.services.errors import N_, Invalid, Problem
from kb.services.presenting import Found
from kb.services.query import Params
from kb.services.record import KEYS, Document
from kb.web import context, exports, labels, languages
from kb.web.api import answer, bp, only, parameters

SHORT = ("slug", "title", "summary", "language", "country", "region", "themes", "target_groups", "status", "evidence",
         "start", "end", "updated", "version", "url")  # fmt: skip
"""Keys of the short form, in their order."""

MOST_LINKED = 1_500
"""Characters of the header that names the neighbouring pages: proxies take 4,096 of all headers together."""

NO_FIELD = N_("No field of the record is called “%(value)s”.")


@bp.get("/practices", endpoint="practices")
def list_practices() -> ResponseReturnValue:
    """Search and browse, in the shape of the contract."""
    own, rest = parameters("fields")
    wanted = _fields(own)
    asked = query.parse(rest, context.vocabulary(), strict=True)
    session, base_url = context.reading(), context.config().base_url
    results = catalogue.search(
        session, context.engine(), context.vocabulary(), asked.query, asked.page, asked.per_page, base_url
    )
    body = {
        "total": results.total,
        "page": results.page,
        "per_page": results.per_page,
        "sort": asked.query.sort,
        "did_you_mean": results.suggestion.text if results.suggestion else None,
        "expanded_to": _expanded(results),
        "partial": results.partial,
        "items": [_chosen(item.record, wanted) if wanted else _short(item) for item in results.items],
        "facets": facets(results.query, results.facets),
        "links": _links(asked, results, wanted),
    }
    response = answer(body, changes.latest(session))
    _link(response, asked, results, wanted)
    return response


@bp.get("/facets", endpoint="facets")
def count_facets() -> ResponseReturnValue:
    """How many practices each value of each facet finds, without the practices."""
    _own, rest = parameters()
    asked = query.parse(rest, context.vocabulary(), strict=True)
    found = catalogue.counted(context.engine(), context.vocabulary(), asked.query)
    body = {"total": found.total, "partial": found.partial, "facets": facets(asked.query, found.facets)}
    return answer(body, changes.latest(context.reading()))


@bp.get("/practices/<slug>")
def practice(slug: str) -> ResponseReturnValue:
    """One whole public record, or those of its fields that were asked for."""
    wanted = _fields(only("fields"))
    found = versions.online(context.reading(), slug, context.config().base_url)
    return answer(_chosen(found.document, wanted) if wanted else found.document, changes.of(found.practice))


@bp.get("/practices/<slug>/versions")
def practice_versions(slug: str) -> ResponseReturnValue:
    """The public versions of a practice, the newest first."""
    only()
    online, listed = versions.listed(context.reading(), slug)
    base = f"{context.config().base_url}/practices/{slug}/versions/"
    items = [
        {
            "version": each.number,
            "created": iso(each.created),
            "changed": None if each.changed is None else list(each.changed),
            "redacted": each.redaction,
            "url": f"{base}{each.number}",
        }
        for each in listed
    ]
    body = {"slug": slug, "title": online.title, "total": len(items), "items": items}
    return answer(body, changes.of_versions(context.reading(), online.practice))


@bp.get("/practices/<slug>/versions/<int:number>")
def practice_version(slug: str, number: int) -> ResponseReturnValue:
    """The whole record as it was in one public version."""
    only()
    document, online = versions.read(context.reading(), slug, number, context.config().base_url)
    return answer(document, changes.of(online.practice))


def facets(asked: query.CatalogueQuery, counted: Any) -> dict[str, list[dict[str, Any]]]:
    """The values of each facet with their names and counts, and which are chosen."""
    language = languages.chosen()
    chosen = {
        name: set(value if isinstance(value := getattr(asked, name), tuple) else ()) for name in query.FACET_PARAMS
    }
    year = asked.year_from
    chosen["year"] = {str(year)} if year is not None and year == asked.year_to else set()
    return {
        name: [
            {
                "value": value,
                "label": labels.facet(name, value, language),
                "count": count,
                "selected": value in chosen[name],
            }
            for value, count in values
        ]
        for name, values in counted.items()
    }


def _fields(given: dict[str, list[str]]) -> tuple[str, ...]:
    """The keys of the record that were asked for, in its order; none where nobody asked. Raises Invalid."""
    named = [name.strip() for value in given.get("fields", ()) for name in value.split(",")]
    problems = [Problem.of("fields", NO_FIELD, value=name[:80]) for name in named if name not in KEYS]
    if problems:
        raise Invalid(problems[:10])
    return tuple(key for key in KEYS if key in named)


def _chosen(document: Document, wanted: Iterable[str]) -> Document:
    return {key: document[key] for key in wanted}


def _expanded(results: Results) -> list[dict[str, str]]:
    pairs = dict.fromkeys((each.facet, value) for each in results.expansions for value in each.values)
    return [{facet: value} for facet, value in pairs]


def _short(item: Found) -> dict[str, Any]:
    return {
        **{key: item.record[key] for key in SHORT},
        "score": round(item.score, 4),
        "matched": list(item.matched),
        "highlights": {"title": item.title, "text": item.snippet},
    }


def _links(asked: query.Request, results: Results, wanted: tuple[str, ...]) -> dict[str, str | None]:
    return {
        "self": _page(asked, wanted, asked.page),
        "next": _page(asked, wanted, asked.page + 1) if asked.page < results.pages else None,
        "prev": _page(asked, wanted, asked.page - 1) if asked.page > 1 else None,
        "csv": context.config().base_url + exports.address("csv", asked.query),
    }


def _link(response: Response, asked: query.Request, results: Results, wanted: tuple[str, ...]) -> None:
    """Say the neighbouring pages as a header too (RFC 8288), where programs look for them.

    Where the addresses are long they are in the body alone: proxies refuse an answer whose headers are.
    """
    pages = {"first": 1, "last": results.pages}
    pages |= {"prev": asked.page - 1} if asked.page > 1 else {}
    pages |= {"next": asked.page + 1} if asked.page < results.pages else {}
    said = [f'<{_page(asked, wanted, number)}>; rel="{rel}"' for rel, number in pages.items()]
    if sum(map(len, said)) <= MOST_LINKED:
        response.headers["Link"] = ", ".join(said)


def _page(asked: query.Request, wanted: tuple[str, ...], number: int) -> str:
    params: Params = [*asked.query.to_params(), ("per_page", str(asked.per_page)), ("page", str(number))]
    params += [("fields", ",".join(wanted))] if wanted else []
    return context.config().base_url + url_for("api.practices") + "?" + labels.encode(params)
