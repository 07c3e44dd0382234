"""The OpenAPI document of the API: what may be asked and what is answered, from the program's own definitions.

Shapes are in openapi_schemas.py. The document is in English, like the names of the fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kb.models import Scope
from kb.search.port import SORTS
from kb.services import query
from kb.services.limits import BEGIN_LIMIT
from kb.services.record import KEYS
from kb.services.vocabularies import COUNTRY_ALIASES, Vocabulary, countries
from kb.web import openapi_alike, openapi_coverage
from kb.web.limiting import LIMITS
from kb.web.openapi_schemas import Schema, schemas

VERSION = "1.1.0"
"""The API's own version: what is added counts in the middle; what would break a program gets another address."""

SECURED: list[dict[str, list[str]]] = [{"token": []}]

REASONS = {
    "301": "It was merged into another practice: Location leads there.",
    "304": "What If-None-Match or If-Modified-Since names is still so.",
    "400": "A parameter, or the body, cannot be read: the sentence says which and why.",
    "401": "No token, or one that is unknown, revoked or expired.",
    "403": "The token, or its person, may not do this.",
    "404": "There is no such thing, or it is not yours.",
    "409": "The workflow has no such step from where the practice stands.",
    "410": "It was taken away: the sentence says why.",
    "412": "The practice was changed since it was read.",
    "413": "The body is larger than 4 MB.",
    "415": "The body is not sent as application/json.",
    "422": "The record is not acceptable: `errors` says why, field by field.",
    "428": "If-Match is missing.",
    "429": "Too many requests: Retry-After says in how many seconds to go on.",
    "503": "The index is being built anew: Retry-After says when to come back.",
    "default": "Whatever else goes wrong, in the same form.",
}

ABOUT = f"""\
Everything that is public can be read without an account. `GET` answers carry an `ETag`: send it back as \
`If-None-Match` and get 304 while nothing changed. The scripts of any site may read (CORS). Times are UTC.

An address is answered {LIMITS["api"]} requests a minute; `RateLimit-Limit`, `RateLimit-Remaining` and \
`RateLimit-Reset` (in seconds) say how it stands, and 429 comes with `Retry-After`. Errors are \
`application/problem+json` (RFC 9457). An unknown parameter is an error. `lang` or `Accept-Language` chooses the \
language of labels and sentences.

To write, send a member's token: `Authorization: Bearer ripkb_…`. Members make theirs in their account. A token of the \
scope `{Scope.DRAFT.value}` saves drafts; `{Scope.SUBMIT.value}` also sends them to the editors. No token publishes."""

ITEM = "/api/v1/practices/{slug}"
"""Where one practice is read and written."""


def document(vocabulary: Vocabulary, base_url: str, site_name: str) -> dict[str, Any]:
    """The whole document, for the vocabularies as they stand."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{site_name}: API",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
        },
        "servers": [{"url": base_url or "/"}],
        "tags": [
            {"name": "Practices", "description": "Search, browse, read."},
            {"name": "Lists", "description": "What practices are found by, and what is missing."},
            {"name": "Writing", "description": "With a member's token."},
        ],
        "paths": {**_reading(), **_lists(), **_writing()},
        "components": {
            "schemas": schemas(),
            "parameters": _parameters(vocabulary),
            "headers": _headers(),
            "responses": {_reason(status): _problem(status) for status in REASONS if status not in ("301", "304")},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A member's token."}},
        },
    }


# Operations


def _reading() -> dict[str, Any]:
    version = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    listed = _get(
        "Practices", "listPractices", "Search and browse", "PracticeList", [*_asked(), "fields"], ["400", "503"]
    )
    listed["responses"]["200"]["headers"]["Link"] = {"$ref": "#/components/headers/Link"}
    one = _get(
        "Practices", "readPractice", "One practice, whole", "Practice", ["slug", "fields", "lang"],
        ["301", "400", "404", "410"],
    )  # fmt: skip
    shown = one["responses"]["200"]["content"]["application/json"]
    shown["schema"] = {"anyOf": [shown["schema"], {"$ref": "#/components/schemas/SomeFields"}]}
    gone = ["301", "400", "404", "410"]
    versions = _get("Practices", "listVersions", "Its public versions", "Versions", ["slug", "lang"], gone)
    earlier = _get("Practices", "readVersion", "One version, for ever", "Practice", ["slug", version, "lang"], gone)
    adopted = _get("Practices", "listAdoptions", "The regions that took it up", "Adoptions", ["slug", "lang"], gone)
    adopted["responses"]["200"]["headers"].pop("Last-Modified")
    update = _update()
    return {
        "/api/v1/practices": {"get": listed, "post": _submit()},
        ITEM: {"get": one, "put": update},
        f"{ITEM}/versions": {"get": versions},
        f"{ITEM}/versions/{{number}}": {"get": earlier},
        f"{ITEM}/adoptions": {"get": adopted},
        "/api/v1/facets": {
            "get": _get("Practices", "countFacets", "Only the counts", "FacetCounts", _asked(), ["400", "503"])
        },
    }


def _lists() -> dict[str, Any]:
    themes = _get("Lists", "listThemes", "The themes", "Themes", ["lang"], ["400", "503"])
    groups = _get("Lists", "listTargetGroups", "The target groups", "TargetGroups", ["lang"], ["400", "503"])
    regions = _get("Lists", "listRegions", "The regions", "Regions", ["lang"], ["400"])
    asked = [*_asked(), openapi_coverage.PARAMETER]
    coverage = _get("Lists", "readCoverage", "What is there and what is missing", "Coverage", asked, ["400", "503"])
    described = _get("Lists", "readOpenApi", "This document", None, ["lang"], ["400"])
    of_one = [openapi_alike.CODE, openapi_alike.WITH, "lang"]
    alike = _get("Lists", "listRegionsAlike", "The regions like one", "RegionsAlike", of_one, ["400", "404"])
    return {
        openapi_alike.PATH: {"get": alike},
        "/api/v1/themes": {"get": themes},
        "/api/v1/target-groups": {"get": groups},
        "/api/v1/regions": {"get": regions},
        "/api/v1/coverage": {"get": coverage},
        "/api/v1/openapi.json": {"get": described},
    }


def _writing() -> dict[str, Any]:
    refused = ["400", "401", "403"]
    mine = _get("Writing", "listMyPractices", "One's own practices", "MyPractices", ["lang"], refused)
    one = _get("Writing", "readMyPractice", "One's own working copy", "MyPractice", ["name", "lang"], [*refused, "404"])
    for operation in (mine, one):
        operation["security"] = SECURED
        operation["responses"]["200"]["headers"].pop("Last-Modified")
    one["description"] = (
        "Its ETag is what an update has to send as If-Match. It changes with the text, the contact and the state: ask "
        "with If-None-Match whether the editors have answered. An update is refused for another text or contact only."
    )
    return {"/api/v1/my/practices": {"get": mine}, "/api/v1/my/practices/{name}": {"get": one}}


def _submit() -> dict[str, Any]:
    headers = {"Location": {"$ref": "#/components/headers/Location"}, "ETag": {"$ref": "#/components/headers/ETag"}}
    done = {"description": "It is in the editors' queue, or saved as a draft.", **_json("Standing")}
    return {
        "tags": ["Writing"],
        "operationId": "submitPractice",
        "summary": "Submit a practice",
        "description": "It lands in the editors' queue, as from the form; with `draft=1` it is only saved. Location is "
        f"where its author goes on writing in the browser. A person may begin {BEGIN_LIMIT.amount} practices an hour, "
        "in the browser and here together; then comes 429.",
        "security": SECURED,
        "parameters": _named(["draft", "lang"]),
        "requestBody": _body("PracticeInput"),
        "responses": {
            "201": {**done, "headers": {**headers, **_limits()}},
            **_refusals(["400", "401", "403", "413", "415", "422"]),
        },
    }


def _update() -> dict[str, Any]:
    done = {"description": "The text stands as it was sent.", **_json("Standing")}
    match = {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The ETag of the working copy that the change was made from; * for whichever stands there.",
        "schema": {"type": "string", "minLength": 1},
        "example": "*",
    }
    return {
        "tags": ["Writing"],
        "operationId": "updatePractice",
        "summary": "Put another text in place of one's own",
        "description": "Takes the slug or, before the first publication, the id. What is left out is emptied, but for "
        "the contact, which stays. The text is submitted; with `draft=1` it is only saved. Readers go on seeing the "
        "public version until the editors have published the new one. Read the working copy and its ETag first, at "
        "`/api/v1/my/practices/{name}`: that answer may be sent back as it is, with `record` and `contact` changed.",
        "security": SECURED,
        "parameters": _named(["slug", match, "draft", "lang"]),
        "requestBody": _body("PracticeInput", "MyPracticeInput"),
        "responses": {
            "200": {**done, "headers": {"ETag": {"$ref": "#/components/headers/ETag"}, **_limits()}},
            **_refusals(["400", "401", "403", "404", "409", "412", "413", "415", "422", "428"]),
        },
    }


def _get(
    tag: str, name: str, summary: str, schema: str | None, parameters: list[Any], refusals: Iterable[str]
) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in ("ETag", "Last-Modified", "Server-Timing")}
    content = _json(schema) if schema else {"content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "tags": [tag],
        "operationId": name,
        "summary": summary,
        "parameters": _named(parameters),
        "responses": {
            "200": {"description": summary, "headers": {**headers, **_limits()}, **content},
            "304": {"description": REASONS["304"]},
            **_refusals(refusals),
        },
    }


def _json(schema: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _body(*schemas: str) -> dict[str, Any]:
    """What is to be sent: one of these shapes."""
    shapes = [{"$ref": f"#/components/schemas/{schema}"} for schema in schemas]
    schema = {"anyOf": shapes} if len(shapes) > 1 else shapes[0]
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _refusals(statuses: Iterable[str]) -> dict[str, Any]:
    """The answers of an operation that are none of what was asked for; 429 and whatever else are everywhere."""
    made: dict[str, Any] = {}
    for status in (*statuses, "429", "default"):
        plain = {"description": REASONS[status], "headers": {"Location": {"$ref": "#/components/headers/Location"}}}
        made[status] = plain if status == "301" else {"$ref": f"#/components/responses/{_reason(status)}"}
    return made


def _limits() -> dict[str, Any]:
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _reason(status: str) -> str:
    return "Otherwise" if status == "default" else f"Refused{status}"


def _problem(status: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": REASONS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    named = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}.get(status)
    return {**made, "headers": {named: {"$ref": f"#/components/headers/{named}"}}} if named else made


# Parameters and headers


def _asked() -> list[Any]:
    """The parameters of a search, as `query.parse` knows them."""
    return [*query.KNOWN, "lang"]


def _named(parameters: list[Any]) -> list[Any]:
    return [each if isinstance(each, dict) else {"$ref": f"#/components/parameters/{each}"} for each in parameters]


def _parameters(vocabulary: Vocabulary) -> dict[str, Any]:
    codes = sorted({*countries(), *COUNTRY_ALIASES})
    lands = {code for code in codes if vocabulary.country_region(code)}
    regions = sorted({*vocabulary.regions, *vocabulary.successors, *lands})
    themes, groups = (_terms(vocabulary, key) for key in ("themes", "target_groups"))
    values: dict[str, Iterable[str]] = {"country": codes, "theme": themes, "target_group": groups, **query.CHOICES}
    made = {name: _many(name, _enum(values[name])) for name in query.FACET_PARAMS}
    values["region"] = regions
    meant = [f"{facet}:{_either(values[facet])}" for facet in query.DROPPABLE]
    made["region"] = _many("region", {"type": "string", "pattern": f"^{_either(regions)}$"})
    whole = {*lands, *(code for code, region in vocabulary.regions.items() if region.level == 0)}
    parts = [code for code in regions if code not in whole]
    made["region_like"] = _many("region_like", {"type": "string", "pattern": f"^{_either(parts)}$"})
    made["drop"] = _many("drop", {"type": "string", "pattern": f"^({'|'.join(meant)})$"})
    for name, (schema, example) in _single().items():
        made[name] = {"name": name, "in": "query", "description": DESCRIPTIONS[name], "schema": schema}
        made[name] |= {"example": example} if example is not None else {}
    made["fields"] = {
        "name": "fields",
        "in": "query",
        "description": DESCRIPTIONS["fields"],
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(KEYS)}},
    }
    for name in ("slug", "name"):
        made[name] = {
            "name": name, "in": "path", "required": True, "description": DESCRIPTIONS[name],
            "schema": {"type": "string", "minLength": 1},
        }  # fmt: skip
    return made


def _terms(vocabulary: Vocabulary, key: str) -> list[str]:
    """The slugs of a vocabulary, then those that were merged into others and are still understood."""
    merged = [slug for slug in vocabulary.term_successors.get(key, {}) if slug not in getattr(vocabulary, key)]
    return [*getattr(vocabulary, key), *merged]


def _enum(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def _either(values: Iterable[str]) -> str:
    """A pattern of any of these; thousands of codes in an enum would be as many questions for whoever tests with it.

    They hold letters, digits and hyphens only.
    """
    return f"({'|'.join(values)})"


def _many(name: str, items: Schema) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": DESCRIPTIONS[name],
        "style": "form",
        "explode": True,
        "schema": {"type": "array", "items": items},
    }


def _single() -> dict[str, tuple[Schema, Any]]:
    year = {"type": "integer", "minimum": 1000, "maximum": 9999}
    moments = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    return {
        "q": ({"type": "string", "maxLength": query.QUESTION_LIMIT}, "talent"),
        "year_from": (year, None),
        "year_to": (year, None),
        "updated_since": ({"anyOf": moments}, None),
        "sort": ({"type": "string", "enum": list(SORTS), "default": "relevance"}, None),
        "page": ({"type": "integer", "minimum": 1, "maximum": query.LAST_PAGE, "default": 1}, None),
        "per_page": (
            {"type": "integer", "minimum": 1, "maximum": query.PER_PAGE_LIMIT, "default": query.PER_PAGE}, None
        ),
        "lang": ({"type": "string"}, None),
        "draft": ({"type": "integer", "enum": [0, 1], "default": 0}, None),
    }  # fmt: skip


DESCRIPTIONS = {
    "q": "Words to look for. “…” for a phrase, - before a word to leave it out.",
    "country": "ISO 3166-1 code; EL and UK are understood. Repeated: any of them.",
    "region": "Code of a region, its sub-regions included; retired codes are understood. See /api/v1/regions.",
    "region_like": "Code of a region, not of a whole country: practices of regions like it, those of the most similar "
    "regions first where there is no question. Not its own.",
    "region_type": "Type of region.",
    "theme": "Theme. See /api/v1/themes.",
    "target_group": "Target group. See /api/v1/target-groups.",
    "status": "Where the practice stands.",
    "level": "Level at which it is run.",
    "authority_role": "Role of the regional authority.",
    "evidence": "How well results are known.",
    "funding": "Source of money.",
    "language": "Language of the text.",
    "year_from": "First year of the time asked about; not after year_to. Undated records are left out.",
    "year_to": "Last year of the time asked about.",
    "updated_since": "Only what was updated on this day or at this moment, or later.",
    "drop": "A meaning of the words of q that is not meant, such as theme:housing.",
    "sort": "Order of the list.",
    "page": "Which page.",
    "per_page": "Practices a page.",
    "lang": "Language of labels and sentences, where the site has it; it wins over Accept-Language.",
    "fields": "Fields of the record, by comma: items then hold exactly these.",
    "draft": "1 only saves; 0 submits.",
    "slug": "The practice's slug, as in the address of its page.",
    "name": "The practice's id, or its slug.",
}


def _headers() -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "integer", "minimum": 0}
    said: dict[str, tuple[str, Schema, bool]] = {
        "ETag": ("Mark of this answer, for If-None-Match or If-Match.", text, True),
        "Last-Modified": ("When what it was made from last changed, where that is known.", text, False),
        "Server-Timing": ("Milliseconds that the answer took.", text, True),
        "Link": ("The first, last, next and previous page (RFC 8288); none for long questions.", text, False),
        "Location": ("An address.", text, True),
        "WWW-Authenticate": ("How to sign in: Bearer.", text, True),
        "Retry-After": ("Seconds until the next request is answered.", number, True),
        "RateLimit-Limit": ("Requests a minute that an address is answered, unless limits are off.", number, False),
        "RateLimit-Remaining": ("How many of them are left.", number, False),
        "RateLimit-Reset": ("Seconds until they are counted anew.", number, False),
    }
    return {
        name: {"description": meaning, "schema": schema, "required": required}
        for name, (meaning, schema, required) in said.items()
    }
