"""The record of a practice as a document: its keys, their order, their names for people, and its shape.

A document is the record as JSON without what the software sets. It is what a form fills, a revision keeps, an import
brings and an export takes. Rules about its content are in `checking`; here is only what it looks like.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from kb.search.language import COMBINING
from kb.services.errors import N_, Invalid, Label, Problem

Document = dict[str, Any]

KEYS = (
    "id", "slug", "title", "original_title", "language", "summary", "translations", "country", "region",
    "other_regions", "place", "level", "authority_role", "lead_organisation", "partners", "start", "end", "status",
    "context", "objectives", "actions", "results", "difficulties", "lessons", "transferability", "evidence",
    "indicators", "beneficiaries", "budget_eur", "budget_year", "funding", "themes", "target_groups", "links",
    "sources", "images", "attachments", "licence", "attribution", "origin", "editor_note", "adapted_from",
    "last_verified", "review_due", "version", "published", "updated", "completeness", "url",
)  # fmt: skip
"""Every key of the whole record, in the order of the contract."""

SET_BY_SOFTWARE = ("id", "slug", "origin", "version", "published", "updated", "completeness", "url")
"""Keys that are not part of a document: who writes a practice does not set them."""

DOCUMENT_KEYS = tuple(key for key in KEYS if key not in SET_BY_SOFTWARE)

GROUPS: dict[str, tuple[str, ...]] = {
    "region": ("code", "name"),
    "lead_organisation": ("name", "type", "url"),
}
"""Keys whose value is one group of fields."""

LISTS: dict[str, tuple[str, ...]] = {
    "translations": ("language", "title", "summary", "machine"),
    "other_regions": ("country", "code", "name"),
    "partners": ("name", "type", "url"),
    "indicators": ("name", "baseline", "value", "unit", "year", "url"),
    "funding": ("source", "amount_eur", "note"),
    "links": ("title", "url"),
    "sources": ("title", "url"),
    "images": ("title", "url", "media_type", "bytes", "sha256", "alt", "credit"),
    "attachments": ("title", "url", "media_type", "bytes", "sha256"),
    "adapted_from": ("slug", "changes"),
}
"""Keys whose value is a list of groups of fields."""

TERMS = ("themes", "target_groups")
"""Keys whose value is a list of terms of a vocabulary."""

NO_MAIN = "-"
"""Stands first in a draft's themes where none is chosen as the main one yet, so that no other is taken for it."""

CONTACT = ("role", "email", "name", "consent")

NARRATIVE = ("context", "objectives", "actions", "results", "difficulties", "lessons", "transferability")
"""The long texts, in the order in which they are read."""

RECOMMENDED = (
    "authority_role", "start", "context", "objectives", "results", "difficulties", "lessons", "transferability",
    "evidence",
)  # fmt: skip
"""Fields counted in the record's completeness, shown as "not reported" when empty."""

EDITORS_ONLY = ("editor_note",)
"""Fields that only an editor writes; from anyone else they are kept as they were."""

LONG_TEXTS = ("summary", *NARRATIVE, "editor_note", "translations.summary", "adapted_from.changes")
"""Texts that keep their line breaks; every other text is one line."""

NUMBERS = (
    "beneficiaries", "budget_eur", "budget_year", "indicators.year", "funding.amount_eur", "images.bytes",
    "attachments.bytes",
)  # fmt: skip
"""Keys whose value is a number, in a draft also text that may be none; a number given for any other becomes text."""

YES_OR_NO = ("translations.machine", "contact.consent")
"""Keys whose value may be true or false; no other's may."""

CAP = 20_000
"""Characters that a draft may hold in one field."""

CONTACT_CAP = 2_000
"""Characters that a draft may hold in one field of its contact."""

LIST_CAP = 100
"""Entries that a draft may hold in one list."""

LABELS: dict[str, Label] = {
    key: Label(text)
    for key, text in {
        "title": N_("Title"),
        "original_title": N_("Title in the local language"),
        "language": N_("Language of the text"),
        "summary": N_("Summary"),
        "translations": N_("Translations"),
        "country": N_("Country"),
        "region": N_("Region"),
        "other_regions": N_("Other regions"),
        "place": N_("Town, county or area"),
        "level": N_("Level"),
        "authority_role": N_("Role of the region"),
        "lead_organisation": N_("Lead organisation"),
        "partners": N_("Partners"),
        "start": N_("Start"),
        "end": N_("End"),
        "status": N_("Status"),
        "context": N_("Why it was needed"),
        "objectives": N_("What it wanted"),
        "actions": N_("What was done"),
        "results": N_("What came of it"),
        "difficulties": N_("What was difficult"),
        "lessons": N_("What was learnt"),
        "transferability": N_("What another region needs"),
        "evidence": N_("Evidence"),
        "indicators": N_("Indicators"),
        "beneficiaries": N_("People reached"),
        "budget_eur": N_("Budget in euro"),
        "budget_year": N_("Year of the budget"),
        "funding": N_("Funding"),
        "themes": N_("Themes"),
        "target_groups": N_("Target groups"),
        "links": N_("Links"),
        "sources": N_("Sources"),
        "images": N_("Pictures"),
        "attachments": N_("Documents"),
        "licence": N_("Licence"),
        "attribution": N_("Whom to credit"),
        "editor_note": N_("Editor's note"),
        "adapted_from": N_("Adapted from"),
        "last_verified": N_("Last verified"),
        "review_due": N_("Review due"),
        "contact": N_("Contact"),
    }.items()
}
"""What each field is called on the pages and in messages."""


def empty() -> Document:
    """Return a document in which nothing is filled in."""
    blank: Document = {}
    for key in DOCUMENT_KEYS:
        if key in GROUPS:
            blank[key] = None
        elif key in LISTS or key in TERMS:
            blank[key] = []
        else:
            blank[key] = None
    return blank


# More marks on one letter than any script has: to put them in order takes time by the square of their number.
_MARKS = re.compile(f"([{COMBINING}]{{32}})[{COMBINING}]+")


def tidy(text: str) -> str | None:
    """Return the text as it is kept: composed Unicode, plain line ends, no control characters; None where it is blank.

    Control characters carry nothing a reader could see, and PostgreSQL cannot keep NUL.
    """
    text = _MARKS.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", kept).strip() or None


def shape(data: Mapping[str, Any], *, ignore: tuple[str, ...] = SET_BY_SOFTWARE) -> Document:
    """Bring what was given into the shape of a document: every key in order, blanks as None or [].

    What a value says stays as it is, be it sensible or not: a draft keeps what was typed. Its kind is settled here:
    text, in one line but for LONG_TEXTS; in NUMBERS text or a finite number; in YES_OR_NO text, true or false. `region`
    may be a bare code. Keys in `ignore` are dropped. Raises Invalid for a key that nobody knows, a value of the wrong
    kind, or one past the caps.
    """
    problems = [
        Problem.of(_readable(key), N_("There is no field called %(name)s."), name=_readable(key))
        for key in data
        if key not in DOCUMENT_KEYS and key not in ignore and key != "contact"
    ]
    document = empty()
    for key in DOCUMENT_KEYS:
        value = data.get(key)
        if value is None:
            continue
        try:
            document[key] = _shaped(key, value)
        except _WrongKind as wrong:
            problems.append(wrong.problem)
    if problems:
        raise Invalid(problems)
    return document


def shape_contact(data: Any) -> dict[str, Any] | None:
    """Bring a contact into its shape, or None where none was given. Raises Invalid."""
    if data is None:
        return None
    try:
        contact = _group("contact", data, CONTACT)
    except _WrongKind as wrong:
        raise Invalid([wrong.problem]) from wrong
    contact["consent"] = contact["consent"] is True
    return contact


class _WrongKind(Exception):
    def __init__(self, field: str, text: str, **values: Any) -> None:
        self.problem = Problem.of(field, text, **values)


def _shaped(key: str, value: Any) -> Any:
    if key == "region" and isinstance(value, str):
        code = _plain("region.code", value)
        return {"code": code, "name": None} if code else None
    if key in GROUPS:
        group = _group(key, value, GROUPS[key])
        return group if any(part is not None for part in group.values()) else None
    if key in LISTS:
        entries = [_group(f"{key}.{n}", entry, LISTS[key]) for n, entry in enumerate(_list(key, value))]
        return [entry for entry in entries if any(part not in (None, False) for part in entry.values())]
    if key in TERMS:
        return [term for n, entry in enumerate(_list(key, value)) if (term := _plain(f"{key}.{n}", entry)) is not None]
    return _plain(key, value)


def _list(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _WrongKind(key, N_("%(label)s must be a list."), label=LABELS[key])
    if len(value) > LIST_CAP:
        raise _WrongKind(
            key, N_("%(label)s has %(count)d entries, the limit is %(limit)d."),
            label=LABELS[key], count=len(value), limit=LIST_CAP,
        )  # fmt: skip
    return value


def _group(field: str, value: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _WrongKind(field, N_("%(name)s must be a group of fields: %(keys)s."), name=field, keys=", ".join(keys))
    for key in value:
        if key not in keys:
            name = f"{field}.{_readable(key)}"
            raise _WrongKind(name, N_("There is no field called %(name)s."), name=name)
    return {key: _plain(f"{field}.{key}", value.get(key)) for key in keys}


def _plain(field: str, value: Any) -> Any:
    key = ".".join(part for part in field.split(".") if not part.isdecimal())
    if hasattr(value, "isoformat"):  # YAML reads a bare date as one
        value = value.isoformat()
    if isinstance(value, str):
        return _text(field, key, value)
    if value is None or (isinstance(value, bool) and key in YES_OR_NO):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongKind(
            field, N_("%(name)s must be a number.") if key in NUMBERS else N_("%(name)s must be text."), name=field
        )
    if not math.isfinite(value) if isinstance(value, float) else value.bit_length() > 64:
        raise _WrongKind(field, N_("%(name)s is not a number that can be kept."), name=field)
    return value if key in NUMBERS else _written(value)


def _text(field: str, key: str, value: str) -> str | None:
    cap = CONTACT_CAP if key.startswith("contact.") else CAP
    if len(value) > cap:
        raise _WrongKind(
            field, N_("%(label)s has %(count)d characters; more than %(limit)d cannot be kept in one field."),
            label=LABELS.get(key.partition(".")[0], field), count=len(value), limit=cap,
        )  # fmt: skip
    text = tidy(value)
    if text is None or key in LONG_TEXTS:
        return text
    return re.sub("[ \\t\\n\\u2028\\u2029]+", " ", text)  # a no-break space is part of what was written


def _written(number: float) -> str:
    """A number as people write it: a spreadsheet's 2016.0 is 2016."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() and abs(number) < 1e15 else str(number)


def _readable(key: Any) -> str:
    """A key that somebody made up, fit to be said back."""
    return tidy(str(key)[:80]) or "?"


def completeness(document: Document) -> float:
    """Return the share of recommended fields that are filled in, from 0 to 1, to two decimals."""
    return round(sum(document.get(key) is not None for key in RECOMMENDED) / len(RECOMMENDED), 2)


def words(text: str | None) -> int:
    """Return the number of words: what white space separates, as the browser counts too."""
    return len((text or "").split())
