"""A folder of data described for programs: `datapackage.json` as Frictionless Data wants it (Data Package 1.0)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kb.formats import table
from kb.formats.about import About
from kb.formats.citation import LICENCES
from kb.formats.table import Column, Kind
from kb.formats.text import iso

NAME = "datapackage.json"

LICENCE = {"name": "CC-BY-4.0", "path": LICENCES["CC-BY-4.0"], "title": "Creative Commons Attribution 4.0"}

_TYPES = {Kind.TEXT: "string", Kind.NUMBER: "number", Kind.YES_NO: "boolean", Kind.TERMS: "array", Kind.LIST: "array"}
_MOMENTS = ("published", "updated")
_DAYS = ("last_verified", "review_due")
_MEDIA_TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson", "json": "application/json", "ttl": "text/turtle"}


@dataclass(frozen=True)
class Part:
    """One file of the folder: where it is, its size and checksum, what it holds."""

    path: str
    bytes: int
    sha256: str
    title: str


def one(parts: Iterable[Part], about: About, main: str) -> str:
    """The description of a folder. `main` is the path of the table of practices, whose columns are described."""
    package = {
        "profile": "data-package",
        "name": "practices",
        "title": about.title,
        "homepage": about.url,
        "created": iso(about.made),
        "licenses": [LICENCE],
        "resources": [_resource(part, table_of_practices=part.path == main) for part in parts],
    }
    return json.dumps(package, ensure_ascii=False, indent=1) + "\n"


def _resource(part: Part, *, table_of_practices: bool) -> dict[str, Any]:
    stem, _, ending = part.path.rpartition("/")[2].rpartition(".")
    resource: dict[str, Any] = {
        "name": f"{stem}-{ending}".lower(),
        "path": part.path,
        "title": part.title,
        "format": ending,
        "mediatype": _MEDIA_TYPES[ending],
        "encoding": "utf-8",
        "bytes": part.bytes,
        "hash": f"sha256:{part.sha256}",
        "licenses": [LICENCE],
    }
    if ending == "jsonl":
        resource["type"] = "text"  # records with lists in them are no table
    if table_of_practices:
        resource |= {"profile": "tabular-data-resource", "type": "table", "schema": schema()}
    return resource


def schema() -> dict[str, Any]:
    """The columns of the flat table as a Table Schema; an empty cell is null."""
    return {
        "fields": [_field(column) for column in table.COLUMNS],
        "missingValues": [""],
        "primaryKey": ["id"],
    }


def _field(column: Column) -> dict[str, Any]:
    kind = _TYPES[column.kind]
    if column.name in _MOMENTS:
        kind = "datetime"
    elif column.name in _DAYS:
        kind = "date"
    return {"name": column.name, "type": kind, "description": column.meaning}
