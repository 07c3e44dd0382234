"""The answer to which regions are like one, in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from kb.services.region_likeness import Fact, Reason

Schema = dict[str, Any]

PATH = "/api/v1/regions/{code}/alike"

CODE: Schema = {
    "name": "code",
    "in": "path",
    "required": True,
    "description": "Code of a region, not of a whole country; retired codes are understood.",
    "schema": {"type": "string", "minLength": 1},
}

WITH: Schema = {
    "name": "with",
    "in": "query",
    "description": "Codes of other regions: how alike these are, instead of all that are like enough.",
    "style": "form",
    "explode": True,
    "schema": {"type": "array", "items": {"type": "string", "minLength": 1}},
}


def shape() -> Schema:
    """The answer: the region, what is not known of it, and those like it, each with why."""
    text: Schema = {"type": "string"}
    unknown = {"type": "array", "items": {"type": "string", "enum": [each.value for each in Fact]}}
    reasons = {"type": "array", "items": {"type": "string", "enum": [each.value for each in Reason]}}
    share: Schema = {"type": "number", "minimum": 0, "maximum": 1}
    named = {"code": text, "name": text, "country": text, "level": {"type": "integer", "minimum": 1, "maximum": 3}}
    item = {**named, "likeness": share, "alike": {"type": "boolean"}, "reasons": reasons, "unknown": unknown}
    return _object(
        {
            "region": _object(named),
            "comparable": {"type": "boolean", "description": "Whether enough is known of it."},
            "enough": {**share, "description": "The likeness from which a region is like another."},
            "unknown": unknown,
            "total": {"type": "integer", "minimum": 0},
            "items": {"type": "array", "items": _object(item)},
        }
    )


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
