"""The shape of the answer of a practice's adoptions, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from kb.models import AdoptionStatus

Schema = dict[str, Any]


def listed() -> Schema:
    """Who took a practice up."""
    return _object(
        {
            "slug": {"type": "string"},
            "title": {"type": "string"},
            "regions": {**_COUNT, "description": "Regions that took it up, each once; not those that consider it."},
            "total": _COUNT,
            "items": {"type": "array", "items": _item()},
        },
        "The regions that took a practice up, those furthest on first.",
    )


def _item() -> Schema:
    text, moment = {"type": "string"}, {"type": ["string", "null"], "format": "date-time"}
    maybe = {"type": ["string", "null"]}
    by_record = "null where a public practice says that it was adapted and nobody said more."
    region = _object({"code": text, "name": maybe}, "null: a whole country.")
    own = _object({"slug": text, "title": text, "language": text}, "What came of it, while that is public.")
    return _object(
        {
            "id": {"type": ["string", "null"], "format": "uuid", "description": by_record},
            "practice": {**text, "description": "The slug of what was taken up."},
            "region": {**region, "type": ["object", "null"]},
            "country": text,
            "status": {**maybe, "enum": [*(each.value for each in AdoptionStatus), None], "description": by_record},
            "counted": {"type": "boolean", "description": "Whether the region counts among those that took it up."},
            "organisation": maybe,
            "changes": {**maybe, "description": "What was changed."},
            "own": {**own, "type": ["object", "null"]},
            "said": moment,
            "confirmed": moment,
            "changed_since": {"type": "boolean", "description": "Its words were changed since they were confirmed."},
            "url": {"type": "string", "format": "uri"},
        }
    )


_COUNT: Schema = {"type": "integer", "minimum": 0}


def _object(properties: dict[str, Schema], description: str = "") -> Schema:
    made: Schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {**made, "additionalProperties": False, **({"description": description} if description else {})}
