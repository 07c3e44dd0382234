"""The shapes of the API as JSON Schema, made from the record's own definitions, so that they cannot say something else.

`Practice` is what is read, strict in every key. `PracticeInput` is what may be written: as `record.shape` takes it, for
a draft keeps what was typed. What a submission must be besides stands in words: no schema can say that a region lies in
its country.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kb.models import FundingSource, OrganisationType, Origin, RegionType, State
from kb.services.checking import CHARACTER_LIMITS, CHOICES, LANGUAGES, LICENCES, MOST_TERMS, SHORTEST_TITLE, WORD_LIMITS
from kb.services.query import FACET_PARAMS
from kb.services.record import (
    CAP,
    CONTACT,
    CONTACT_CAP,
    DOCUMENT_KEYS,
    GROUPS,
    KEYS,
    LABELS,
    LIST_CAP,
    LISTS,
    NUMBERS,
    SET_BY_SOFTWARE,
    TERMS,
    YES_OR_NO,
)
from kb.web import openapi_adoptions, openapi_alike, openapi_coverage
from kb.web.api_reading import SHORT

Schema = dict[str, Any]

FACETS = (*FACET_PARAMS, "year")

ALWAYS = ("title", "summary", "language", "country", "level", "status", "actions", "lead_organisation", "licence",
          "attribution", "name", "lead_organisation.name", "other_regions.country", "funding.source", "region.code",
          "region.name", "adapted_from.slug", "sources.url", "links.url", "images.url", "images.alt",
          "attachments.url", "translations.language", "translations.title", "partners.name",
          "indicators.name")  # fmt: skip
"""Keys of a public record that are never null."""

ENUMS: dict[str, Iterable[str]] = {
    **{key: tuple(enum) for key, enum in CHOICES.items()},
    "language": LANGUAGES,
    "translations.language": LANGUAGES,
    "licence": LICENCES,
    "lead_organisation.type": tuple(OrganisationType),
    "partners.type": tuple(OrganisationType),
    "funding.source": tuple(FundingSource),
}

INTEGERS = ("beneficiaries", "budget_year", "indicators.year", "images.bytes", "attachments.bytes")

NOTES = {
    "id": "For ever, beside the slug.",
    "region": "NUTS 2024, the United Kingdom's of 2021, or a stable local code such as x-gb-wales.",
    "evidence": "null is “not reported”; none is “no evaluation was made”.",
    "start": "A year or a year and a month; as exact as it is known.",
    "end": "A year or a year and a month; null with a status other than ended: it still runs.",
    "themes": "The first is the primary one.",
    "beneficiaries": "People reached.",
    "version": "Counts publications; each has an address of its own.",
    "completeness": "Share of the recommended fields that are filled in.",
    "editor_note": "A remark of the editors, at most 100 words; from members it is kept as it was.",
    "adapted_from": "Practices that this one learnt from.",
    "last_verified": "When somebody last said that it is still correct.",
}


def schemas() -> dict[str, Schema]:
    """Every named shape of the document."""
    return {
        "Practice": _object({key: _read(key) for key in KEYS}, "A practice: the whole public record."),
        "SomeFields": {
            "type": "object",
            "description": "The fields of the record that were asked for with `fields`.",
            "properties": {key: _read(key) for key in KEYS},
            "additionalProperties": False,
        },
        "ShortPractice": _short(),
        "PracticeList": _list_of_practices(),
        "Facets": _facets(),
        "FacetCounts": _object(
            {"total": _count(), "partial": {"type": "boolean"}, "facets": {"$ref": "#/components/schemas/Facets"}}
        ),
        "Versions": _versions(),
        "Adoptions": openapi_adoptions.listed(),
        "Theme": _term(mappings=True),
        "TargetGroup": _term(),
        "Themes": _list("Theme"),
        "TargetGroups": _list("TargetGroup"),
        "Region": _region(),
        "Regions": _list("Region"),
        "RegionsAlike": openapi_alike.shape(),
        "Coverage": openapi_coverage.tables(),
        "PracticeInput": _input(),
        "MyPracticeInput": _my_input(),
        "Standing": _object(_standing(), "Where a practice stands, as its author is told."),
        "MyPractices": _list("Standing"),
        "MyPractice": _my_practice(),
        "Problem": _problem(),
    }


# Reading


def _read(key: str) -> Schema:
    """The shape of a key of the public record."""
    made = _software().get(key) or _group_or_list(key, _read_part) or _read_part(key)
    note = NOTES.get(key)
    if key in WORD_LIMITS and note is None:
        note = f"At most {WORD_LIMITS[key]} words."
    title = LABELS.get(key)
    return {**({"title": str(title)} if title else {}), **made, **({"description": note} if note else {})}


def _software() -> dict[str, Schema]:
    """What the software sets."""
    moment = {"type": "string", "format": "date-time"}
    origin = {"kind": _enum(Origin), "url": _nullable({"type": "string"})}
    return {
        "id": {"type": "string", "format": "uuid"},
        "slug": {"type": "string"},
        "origin": _object(origin),
        "version": {"type": "integer", "minimum": 1},
        "published": moment,
        "updated": moment,
        "completeness": {"type": "number", "minimum": 0, "maximum": 1},
        "url": {"type": "string", "format": "uri"},
        "last_verified": _nullable({"type": "string", "format": "date"}),
        "review_due": _nullable({"type": "string", "format": "date"}),
    }


def _group_or_list(key: str, part: Any) -> Schema | None:
    if key in GROUPS:
        group = _object({each: part(f"{key}.{each}") for each in GROUPS[key]})
        return group if key in ALWAYS else _nullable(group)
    if key in LISTS:
        return {"type": "array", "items": _object({each: part(f"{key}.{each}") for each in LISTS[key]})}
    if key in TERMS:
        return {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_TERMS}
    return None


def _read_part(key: str) -> Schema:
    if key in YES_OR_NO:
        return {"type": "boolean"}
    if key in INTEGERS:
        made: Schema = {"type": "integer"}
    elif key in NUMBERS:
        made = {"type": "number"}
    elif key in ENUMS:
        made = _enum(ENUMS[key])
    else:
        made = {"type": "string"}
        made |= {"maxLength": CHARACTER_LIMITS[key]} if key in CHARACTER_LIMITS else {}
        made |= {"pattern": r"^\d{4}(-\d{2})?$"} if key in ("start", "end") else {}
    return made if key in ALWAYS else _nullable(made)


def _short() -> Schema:
    found: dict[str, Schema] = {
        "score": {"type": "number"},
        "matched": {"type": "array", "items": {"type": "string"}, "description": "Fields that hold the words."},
        "highlights": _object({"title": {"type": "string"}, "text": {"type": "string"}}, "HTML with <mark>."),
    }
    return _object({**{key: _read(key) for key in SHORT}, **found}, "A practice as a list shows it.")


def _list_of_practices() -> Schema:
    address = {"type": "string", "format": "uri"}
    links = {"self": address, **{rel: _nullable(address) for rel in ("next", "prev", "csv")}}
    shown = [{"$ref": "#/components/schemas/ShortPractice"}, {"$ref": "#/components/schemas/SomeFields"}]
    return _object(
        {
            "total": _count("Practices that hold all the words; where none does, those that hold some."),
            "page": {"type": "integer", "minimum": 1},
            "per_page": {"type": "integer", "minimum": 1},
            "sort": {"type": "string"},
            "did_you_mean": _nullable({"type": "string"}, "A better spelling of the question."),
            "expanded_to": {
                "type": "array",
                "items": {"type": "object", "additionalProperties": {"type": "string"}},
                "description": "Terms that words of the question also mean.",
            },
            "partial": {"type": "boolean", "description": "No practice holds all the words of `q`."},
            "items": {"type": "array", "items": {"anyOf": shown}},
            "facets": {"$ref": "#/components/schemas/Facets"},
            "links": _object(links),
        }
    )


def _facets() -> Schema:
    value = _object(
        {
            "value": {"type": "string"},
            "label": {"type": "string"},
            "count": _count("The total of the same query with this facet's selection replaced by this value alone."),
            "selected": {"type": "boolean"},
        }
    )
    return _object({name: {"type": "array", "items": value} for name in FACETS})


def _versions() -> Schema:
    version = _object(
        {
            "version": {"type": "integer", "minimum": 1},
            "created": {"type": "string", "format": "date-time"},
            "changed": _nullable({"type": "array", "items": {"type": "string"}}, "Fields that differ from before."),
            "redacted": _nullable({"type": "string"}, "Why its text was removed, if it was."),
            "url": {"type": "string", "format": "uri"},
        }
    )
    listed = {"type": "array", "items": version}
    return _object({"slug": {"type": "string"}, "title": {"type": "string"}, "total": _count(), "items": listed})


def _term(*, mappings: bool = False) -> Schema:
    words = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
    made: dict[str, Schema] = {
        "slug": {"type": "string"},
        "label": {"type": "string", "description": "In the language of the answer."},
        "scope_note": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "description": "By language."},
        "synonyms": {**words, "description": "By language."},
        "practices": _count("Public practices with it."),
    }
    return _object({**made, **({"mappings": {"type": "object"}} if mappings else {})})


def _region() -> Schema:
    text, number = {"type": "string"}, {"type": "number"}
    names = {"type": "object", "additionalProperties": {"type": "array", "items": text}}
    return _object(
        {
            "code": text,
            "edition": text,
            "level": {"type": "integer", "minimum": 0, "maximum": 3, "description": "0 is a country."},
            "country": text,
            "parent": _nullable(text),
            "name": text,
            "name_en": _nullable(text),
            "name_native": text,
            "synonyms": names,
            "lon": _nullable(number),
            "lat": _nullable(number),
            "types": {"type": "array", "items": _enum(RegionType)},
        }
    )


# Writing


def _input() -> Schema:
    """What `record.shape` takes: text or a number for each text, groups and lists of the record, nothing else."""
    known = {key: {"description": "Set by the software: ignored."} for key in SET_BY_SOFTWARE}
    properties = {**known, **{key: _given(key) for key in DOCUMENT_KEYS}}
    properties["title"] = {"type": ["string", "number"], "minLength": SHORTEST_TITLE, "maxLength": CAP}
    properties["language"] = _enum(LANGUAGES)
    properties["contact"] = _nullable(_contact(needed=False), "Whom editors and members may write to. In no export.")
    return {
        "type": "object",
        "description": "A record as it is written. A draft needs title and language; to be submitted it has to hold "
        "what the form asks for: what is missing is answered with 422, field by field.",
        "properties": {key: properties[key] for key in (*KEYS, "contact")},
        "required": ["title", "language"],
        "additionalProperties": False,
    }


def _my_input() -> Schema:
    """The answer of one's own working copy, as it may be sent back."""
    around = {key: {"description": "Where it stands: ignored."} for key in _standing()}
    record: Schema = {"$ref": "#/components/schemas/PracticeInput"}
    parts = {**around, "record": record, "contact": _input()["properties"]["contact"]}
    return {**_loose(parts, "What MyPractice answers, with another text."), "required": ["record"]}


def _given(key: str) -> Schema:
    if key in GROUPS:
        group = _loose({each: _given_part(f"{key}.{each}") for each in GROUPS[key]})
        return (
            {"anyOf": [group, {"type": ["string", "null"], "maxLength": CAP}]} if key == "region" else _nullable(group)
        )
    if key in LISTS:
        entry = _loose({each: _given_part(f"{key}.{each}") for each in LISTS[key]})
        return {"type": ["array", "null"], "items": entry, "maxItems": LIST_CAP}
    if key in TERMS:
        return {"type": ["array", "null"], "items": _given_part(key), "maxItems": LIST_CAP}
    return _given_part(key)


def _given_part(key: str) -> Schema:
    kinds = ["string", "number", "boolean", "null"] if key in YES_OR_NO else ["string", "number", "null"]
    made: Schema = {"type": kinds, "maxLength": CONTACT_CAP if key.startswith("contact.") else CAP}
    return {**made, **({"description": f"To submit: {_one_of(ENUMS[key])}."} if key in ENUMS else {})}


def _contact(*, needed: bool) -> Schema:
    parts = {key: _given_part(f"contact.{key}") for key in CONTACT}
    return _object(parts) if needed else _loose(parts)


def _standing() -> dict[str, Schema]:
    return {
        "id": {"type": "string", "format": "uuid"},
        "slug": _nullable({"type": "string"}, "From its first publication on."),
        "title": {"type": "string"},
        "state": _enum(State),
        "revision": {"type": "integer", "minimum": 1, "description": "Counts what was saved."},
        "version": _count("Counts publications; 0 before the first."),
        "changed": {"type": "string", "format": "date-time"},
        "url": {"type": "string", "format": "uri", "description": "Where its author goes on writing."},
        "public_url": _nullable({"type": "string", "format": "uri"}),
    }


def _my_practice() -> Schema:
    record = _object({key: _given(key) for key in DOCUMENT_KEYS}, "The working copy, as it was typed.")
    return _object({**_standing(), "record": record, "contact": _contact(needed=True)})


# Problems, and what all are made of


def _problem() -> Schema:
    error = _object({"field": {"type": "string"}, "message": {"type": "string"}})
    return {
        "type": "object",
        "description": "What went wrong, in the form of RFC 9457.",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "A sentence for people."},
            "instance": {"type": "string", "description": "The number of a fault of ours."},
            "errors": {"type": "array", "items": error, "description": "What is wrong, field by field."},
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": False,
    }


def _object(properties: dict[str, Schema], description: str = "") -> Schema:
    """An object that has all of these properties and no others."""
    return {**_loose(properties, description), "required": list(properties)}


def _loose(properties: dict[str, Schema], description: str = "") -> Schema:
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "description": description} if description else made


def _list(name: str) -> Schema:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    return _object({"total": _count(), "items": items})


def _enum(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def _one_of(values: Iterable[str]) -> str:
    return ", ".join(str(value) for value in values)


def _count(description: str = "") -> Schema:
    made: Schema = {"type": "integer", "minimum": 0}
    return {**made, "description": description} if description else made


def _nullable(schema: Schema, description: str = "") -> Schema:
    """The same shape, or null."""
    made = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        made["enum"] = [*schema["enum"], None]
    return {**made, "description": description} if description else made
