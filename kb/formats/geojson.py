"""Practices on the map as GeoJSON (RFC 7946): one feature a record, without a place where none is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from kb.formats.about import About, Document, Point
from kb.formats.json import dump
from kb.formats.text import clean

PROPERTIES = (
    "slug", "title", "original_title", "language", "summary", "country", "region", "other_regions", "place", "level",
    "lead_organisation", "start", "end", "status", "evidence", "beneficiaries", "budget_eur", "themes", "target_groups",
    "licence", "attribution", "version", "updated", "url",
)  # fmt: skip
"""Keys of the record that a map shows; the long texts are in the other formats."""


def many(documents: Iterable[Document], about: About) -> Iterator[str]:
    """A collection of features, one a line. `name` is what was asked for, where programs look for a layer's name."""
    yield f'{{"type": "FeatureCollection", "name": {dump(clean(about.title))}, "features": ['
    before = "\n"
    for document in documents:
        yield before + one(document, about)
        before = ",\n"
    yield "\n]}\n"


def one(document: Document, about: About) -> str:
    """A record as a feature."""
    feature = {
        "type": "Feature",
        "id": document["id"],
        "geometry": _geometry(about.point(document)),
        "properties": {key: document[key] for key in PROPERTIES},
    }
    return dump(feature)


def _geometry(point: Point | None) -> dict[str, Any] | None:
    """A point on the earth; a place that lies elsewhere is none."""
    if point is None or not all(isfinite(part) for part in point):
        return None
    longitude, latitude = point
    if abs(longitude) > 180 or abs(latitude) > 90:
        return None
    return {"type": "Point", "coordinates": [round(longitude, 6), round(latitude, 6)]}
