"""The JSON API, version 1: anonymous reading, and submitting with a token. Cookies are ignored."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, Unauthorized

from kb.models import User
from kb.services import accounts, catalogue, coverage, practices, query, record, second_factor
from kb.services.catalogue import Results
from kb.services.checking import check_draft
from kb.services.errors import N_, NotAllowed
from kb.services.presenting import Found
from kb.services.query import Params
from kb.services.vocabularies import RegionInfo, TermInfo
from kb.web import context, labels, languages

bp = Blueprint("api", __name__, url_prefix="/api/v1")

SHORT = ("slug", "title", "summary", "language", "country", "region", "themes", "target_groups", "status", "evidence",
         "start", "end", "updated", "version", "url")  # fmt: skip
"""Keys of the short form, in their order."""

NO_OBJECT = N_("The body must be one JSON object: the record.")
TOO_DEEP = N_("The body holds brackets within brackets, deeper than any record goes.")
NO_TOKEN = N_("This needs a valid token: Authorization: Bearer TOKEN.")


@bp.after_request
def cors(response: Response) -> Response:
    """Let any page read: everything here is public, and cookies are ignored."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/practices", endpoint="practices")
def list_practices() -> ResponseReturnValue:
    """Search and browse, in the shape of the contract."""
    asked = query.parse(request.args.items(multi=True), context.vocabulary(), strict=True)
    results = catalogue.search(
        context.reading(), context.engine(), context.vocabulary(), asked.query, asked.page, asked.per_page,
        context.config().base_url,
    )  # fmt: skip
    return jsonify(
        {
            "total": results.total,
            "page": results.page,
            "per_page": results.per_page,
            "sort": asked.query.sort,
            "did_you_mean": results.suggestion.text if results.suggestion else None,
            "expanded_to": [
                {facet: value}
                for facet, value in dict.fromkeys((each.facet, v) for each in results.expansions for v in each.values)
            ],
            "partial": results.partial,
            "items": [_short(item) for item in results.items],
            "facets": _facets(results),
            "links": _links(asked, results),
        }
    )


@bp.get("/practices/<slug>")
def practice(slug: str) -> ResponseReturnValue:
    """One whole public record."""
    return jsonify(catalogue.get(context.reading(), slug, context.config().base_url))


@bp.post("/practices")
def submit() -> ResponseReturnValue:
    """Submit a practice with a member's token, or, with `?draft=1`, save it as a draft."""
    _submitter(context.reading())
    data = _body()
    as_draft = request.args.get("draft") == "1"
    vocabulary = context.vocabulary()
    with context.writing() as session:
        actor = _submitter(session)
        document = record.shape(data)
        if as_draft:
            check_draft(document)
        made = practices.start(session, actor, document, record.shape_contact(data.get("contact")))
        if not as_draft:
            practices.submit(session, actor, made, vocabulary)
        state, practice_id = made.state, made.id
    location = url_for("submissions.edit", practice_id=practice_id)
    answer = jsonify({"id": str(practice_id), "state": state, "url": context.config().base_url + location})
    return answer, 201, {"Location": location}


@bp.get("/themes")
def themes() -> ResponseReturnValue:
    """The themes, with labels, synonyms and mappings."""
    counts = catalogue.facet_counts(context.engine())["theme"]
    items = [{**_term(term, counts), "mappings": term.mappings} for term in context.vocabulary().themes.values()]
    return jsonify({"total": len(items), "items": items})


@bp.get("/target-groups")
def target_groups() -> ResponseReturnValue:
    """The target groups, with labels and synonyms."""
    counts = catalogue.facet_counts(context.engine())["target_group"]
    items = [_term(term, counts) for term in context.vocabulary().target_groups.values()]
    return jsonify({"total": len(items), "items": items})


@bp.get("/regions")
def regions() -> ResponseReturnValue:
    """Every region of the list: NUTS 2024, the United Kingdom's of 2021, and local codes."""
    items = [_region(region) for region in context.vocabulary().regions.values()]
    return jsonify({"total": len(items), "items": items})


@bp.get("/coverage", endpoint="coverage")
def show_coverage() -> ResponseReturnValue:
    """Theme by country for any query: `empty` of the `pairs` hold no practice."""
    asked = query.parse(request.args.items(multi=True), context.vocabulary(), strict=True)
    found = coverage.coverage(context.engine(), context.vocabulary(), asked.query)
    language = languages.chosen()
    themes = [
        {
            **_counted("theme", theme, count, language),
            "countries": {code: found.pairs[theme, code] for code in found.having[theme]},
            "missing": list(found.lacking[theme]),
        }
        for theme, count in found.themes.items()
    ]
    countries = [_counted("country", code, count, language) for code, count in found.countries.items()]
    pairs = len(themes) * len(countries)
    return jsonify(
        {"total": found.total, "pairs": pairs, "empty": found.empty, "themes": themes, "countries": countries}
    )


def _counted(facet: str, value: str, count: int, language: str) -> dict[str, Any]:
    return {"value": value, "label": labels.facet(facet, value, language), "count": count}


def _body() -> dict[str, Any]:
    """The record that was sent. Raises BadRequest, UnsupportedMediaType."""
    try:
        data = request.get_json()
    except RecursionError:
        raise BadRequest(gettext(TOO_DEEP)) from None
    if not isinstance(data, dict):
        raise BadRequest(gettext(NO_OBJECT))
    return data


def _submitter(session: Session) -> User:
    """Whose token came with the request. Raises Unauthorized."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    user = accounts.token_user(session, token.strip()) if scheme.lower() == "bearer" else None
    if user is None:
        raise Unauthorized(gettext(NO_TOKEN))
    if second_factor.missing(user, context.config().second_factor_required):
        raise NotAllowed(second_factor.FOR_TOKENS)
    return user


def _short(item: Found) -> dict[str, Any]:
    return {
        **{key: item.record[key] for key in SHORT},
        "score": round(item.score, 4),
        "matched": list(item.matched),
        "highlights": {"title": item.title, "text": item.snippet},
    }


def _facets(results: Results) -> dict[str, list[dict[str, Any]]]:
    language = languages.chosen()
    chosen = {
        name: set(value if isinstance(value := getattr(results.query, name), tuple) else ())
        for name in query.FACET_PARAMS
    }
    year = results.query.year_from
    chosen["year"] = {str(year)} if year is not None and year == results.query.year_to else set()
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
        for name, values in results.facets.items()
    }


def _links(asked: query.Request, results: Results) -> dict[str, str | None]:
    def page(number: int) -> str:
        params: Params = [*asked.query.to_params(), ("per_page", str(asked.per_page)), ("page", str(number))]
        return context.config().base_url + url_for("api.practices") + "?" + labels.encode(params)

    return {
        "self": page(asked.page),
        "next": page(asked.page + 1) if asked.page < results.pages else None,
        "prev": page(asked.page - 1) if asked.page > 1 else None,
        "csv": None,  # until the format is there
    }


def _term(term: TermInfo, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "slug": term.slug,
        "label": term.name(languages.chosen()),
        "scope_note": term.scope_note,
        "labels": dict(term.labels),
        "synonyms": {language: list(words) for language, words in term.synonyms.items()},
        "practices": counts.get(term.slug, 0),
    }


def _region(region: RegionInfo) -> dict[str, Any]:
    return {
        "code": region.code,
        "edition": region.edition,
        "level": region.level,
        "country": region.country,
        "parent": region.parent,
        "name": region.name_latin,
        "name_en": region.name_en,
        "name_native": region.name_native,
        "synonyms": {language: list(names) for language, names in region.synonyms.items()},
        "lon": region.lon,
        "lat": region.lat,
        "types": list(region.types),
    }
