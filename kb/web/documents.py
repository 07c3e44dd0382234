"""How a document is shown to its author and the editors: each value in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint
from flask_babel import gettext as _

from kb.services.differences import Piece, words
from kb.services.errors import N_
from kb.services.record import LABELS
from kb.services.vocabularies import country_name
from kb.web import context, labels, languages
from kb.web.templating import day

_TABLES = {"level": "level", "status": "status", "evidence": "evidence", "authority_role": "authority_role"}
_FACETS = {"themes": "theme", "target_groups": "target_group", "language": "language", "country": "country"}

PARTS = {
    "name": N_("Name"),
    "title": N_("Title"),
    "summary": N_("Summary"),
    "url": N_("Web address"),
    "baseline": N_("Before"),
    "value": N_("Value"),
    "unit": N_("Unit"),
    "note": N_("Note"),
    "alt": N_("What the picture shows"),
    "credit": N_("Credit"),
}
"""What the parts of an entry are called."""


def value_label(key: str, value: Any) -> str:
    """One plain value of the field `key` in words; what is no value of the field stays as it was typed."""
    if key in _TABLES:
        return labels.label(_TABLES[key], value) if value in labels.TABLES[_TABLES[key]] else str(value)
    if key in _FACETS:
        known = key != "country" or len(str(value)) == 2
        return labels.facet(_FACETS[key], str(value), languages.chosen()) if known else str(value)
    if value is True:
        return _("yes")
    return str(value)


def entry_line(entry: Mapping[str, Any]) -> str:
    """A group of fields in one line, its values in their order, parted by commas."""
    parts = []
    for key, value in entry.items():
        if value in (None, False) or (key == "name" and "code" in entry):
            continue
        parts.append(_part(key, value))
    return ", ".join(parts)


def _part(key: str, value: Any) -> str:
    if key == "code":
        regions = context.vocabulary().regions
        return (
            f"{context.vocabulary().region_name(value, languages.chosen())} ({value})"
            if value in regions
            else str(value)
        )
    if key == "country":
        return country_name(str(value), languages.chosen())
    if key == "type" and value in labels.TABLES["organisation"]:
        return labels.label("organisation", value)
    if key == "source" and value in labels.TABLES["funding"]:
        return labels.label("funding", value)
    if key == "machine":
        return _("translated by a machine")
    return str(value)


def entry_words(key: str, entry: Any) -> str:
    """One entry of the field `key`, a group of fields or a plain value, in one line; of a file what is said of it."""
    if key in ("images", "attachments"):
        said = ("title", "alt", "credit") if entry["sha256"] else ("title", "alt", "credit", "url")
        return entry_line({name: entry[name] for name in said if name in entry})
    return entry_line(entry) if isinstance(entry, Mapping) else value_label(key, entry)


def entry_changes(key: str, before: Any, after: Any) -> list[Piece]:
    """What changed in the line of an entry."""
    return words(entry_words(key, before), entry_words(key, after))


def field_name(key: str) -> str:
    """What a field is called, in the language of the page."""
    return _(str(LABELS[key]))


def path_name(path: str) -> str:
    """What the text at a path is called: "Summary", "Sources 1: Title"."""
    key, *rest = path.split(".")
    if not rest:
        return field_name(key)
    number = f" {int(rest[0]) + 1}" if rest[0].isdecimal() else ""
    return _("%(name)s: %(value)s", name=field_name(key) + number, value=_(PARTS.get(rest[-1], rest[-1])))


def moment(value: datetime) -> str:
    """A moment with its time of day. The zone is said: readers live in several."""
    return f"{day(value)}, {value:%H:%M} UTC"


def register(bp: Blueprint) -> None:
    """Give the templates these functions."""
    bp.add_app_template_filter(value_label)
    bp.add_app_template_filter(entry_line)
    bp.add_app_template_filter(entry_words)
    bp.add_app_template_filter(entry_changes)
    bp.add_app_template_filter(field_name)
    bp.add_app_template_filter(path_name)
    bp.add_app_template_filter(moment)
