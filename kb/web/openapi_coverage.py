"""The shapes of the coverage's tables in the OpenAPI document, from what the tables count."""

from __future__ import annotations

from typing import Any

from kb.services.coverage import LAYOUTS, MAIN, Layout

SEVERAL = {
    "theme": "themes",
    "target_group": "target_groups",
    "country": "countries",
    "region_type": "region_types",
    "evidence": "evidence",
    "status": "statuses",
    "language": "languages",
    "year": "years",
}
"""What the values of a facet are called together in an answer."""

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "integer", "minimum": 0}

PARAMETER: Schema = {
    "name": "table",
    "in": "query",
    "description": f"Which table; {MAIN} where none is named.",
    "schema": {"type": "string", "enum": list(LAYOUTS), "default": MAIN},
}


def shape(layout: Layout) -> Schema:
    """The answer with a table: what it counts gives the names."""
    counted: Schema = {"value": {"type": "string"}, "label": {"type": "string"}, "count": _NUMBER}
    properties: Schema = {"total": _NUMBER}
    rows = counted
    if layout.columns:
        pairs = {"pairs": "Rows times columns.", "empty": "Pairs without any practice."}
        properties |= {name: {**_NUMBER, "description": said} for name, said in pairs.items()}
        properties[SEVERAL[layout.columns]] = _list(counted)
        held = {"type": "object", "additionalProperties": _NUMBER}
        rows = {**counted, SEVERAL[layout.columns]: held, "missing": {"type": "array", "items": {"type": "string"}}}
    properties[SEVERAL[layout.rows]] = _list(rows)
    needed = list(properties)
    unreported = "Practices that say nothing of it; left out where a value of it was chosen."
    properties["not_reported"] = {**_NUMBER, "description": unreported}
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def tables() -> Schema:
    """Any of the tables."""
    return {"anyOf": [{"title": name, **shape(layout)} for name, layout in LAYOUTS.items()]}


def _list(properties: Schema) -> Schema:
    entry = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "array", "items": entry}
