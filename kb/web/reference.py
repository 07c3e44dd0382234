"""What the API is, for programs and for people: the OpenAPI document, and a page made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from kb.web import context, openapi
from kb.web.api import answer, only
from kb.web.api import bp as api

bp = Blueprint("reference", __name__)

SHOWN = ("Practice", "PracticeInput", "Standing", "Problem")
"""Shapes that the page shows field by field."""

EXAMPLE = """\
{
  "title": "Mentors for nurses",
  "language": "en",
  "summary": "Hospitals pair newly arrived nurses with senior colleagues for a year.",
  "country": "IT",
  "region": "ITH5",
  "level": "regional",
  "lead_organisation": {"name": "Regional health service", "type": "agency"},
  "status": "running",
  "start": "2021",
  "actions": "Pairs meet weekly; the hospital counts the hours as training.",
  "themes": ["labour-inclusion"],
  "target_groups": ["migrant-workers"],
  "sources": [{"title": "Programme page", "url": "https://example.org/nurses"}],
  "contact": {"role": "Project officer", "email": "office@example.org"}
}"""
"""A record that has all that is needed to submit it."""

MOST_VALUES = 12
"""Values of a list that are written out."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One row of a table: what it is called, what kind of value it has, what it means."""

    name: str
    kind: str
    meaning: str
    needed: bool = False


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of the API."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    secured: bool
    parameters: list[Line]
    answers: list[Line]


@api.get("/openapi.json", endpoint="openapi")
def openapi_document() -> ResponseReturnValue:
    """The OpenAPI document."""
    only()
    return answer(_document())


@bp.get("/api")
def page() -> ResponseReturnValue:
    """The same document to read, with examples to copy."""
    document = _document()
    groups = [(tag, list(_operations(document, tag["name"]))) for tag in document["tags"]]
    shapes = {name: _fields(document, name) for name in SHOWN}
    return render_template(
        "pages/api.html",
        about=document["info"]["description"].split("\n\n"),
        groups=groups,
        shapes=shapes,
        base_url=context.config().base_url,
        example=EXAMPLE,
    )


def _document() -> Document:
    config = context.config()
    return _made(context.vocabulary(), config.base_url, config.site_name)


_made = lru_cache(maxsize=4)(openapi.document)
"""Documents by vocabularies and site; nobody changes one."""


def _operations(document: Document, tag: str) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield Operation(
                    name=operation["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=operation["summary"],
                    description=operation.get("description", ""),
                    secured="security" in operation,
                    parameters=[_parameter(_found(document, each)) for each in operation["parameters"]],
                    answers=[_answer(document, *each) for each in operation["responses"].items()],
                )


def _parameter(parameter: Document) -> Line:
    kind = _kind(parameter["schema"])
    return Line(parameter["name"], kind, parameter.get("description", ""), parameter.get("required", False))


def _answer(document: Document, status: str, response: Document) -> Line:
    response = _found(document, response)
    shapes = [_kind(content["schema"]) for content in response.get("content", {}).values()]
    return Line(status, ", ".join(shapes), response["description"])


def _fields(document: Document, name: str) -> list[Line]:
    schema = document["components"]["schemas"][name]
    needed = schema.get("required", ())
    return [
        Line(key, _kind(each), each.get("description") or each.get("title", ""), key in needed)
        for key, each in schema["properties"].items()
    ]


def _found(document: Document, part: Document) -> Document:
    """What a part of the document refers to, or the part itself."""
    while "$ref" in part:
        found = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def _kind(schema: Document) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        values = [str(value) for value in schema["enum"] if value is not None]
        kind = ", ".join(values) if len(values) <= MOST_VALUES else f"one of {len(values)} values"
        return f"{kind} or null" if None in schema["enum"] else kind
    kinds = schema.get("type", "anything")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if "array" in kinds:
        kinds[kinds.index("array")] = f"list of {_kind(schema['items'])}"
    if "object" in kinds and "properties" in schema:
        kinds[kinds.index("object")] = f"{{{', '.join(schema['properties'])}}}"
    return " or ".join(schema.get("format", kind) if kind == "string" else kind for kind in kinds)
