"""A draft as readers would see it: the record that its text would make, with what is not fit to be shown left out."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from kb.formats.text import iso
from kb.models import FundingSource, OrganisationType, Practice, User
from kb.services import practices
from kb.services.checking import CHOICES, LANGUAGES, LICENCES, Checker
from kb.services.permissions import can
from kb.services.record import KEYS, TERMS, Document, completeness
from kb.services.values import is_web_address, partial_date
from kb.services.vocabularies import Vocabulary


def as_record(practice: Practice, document: Document, vocabulary: Vocabulary, base_url: str = "") -> Document:
    """Return the whole record that a draft would make. What cannot be read as it should be is None or not there.

    A field that a record always has may be None here: title, summary, country, level, status, the lead organisation.
    """
    clean = Checker(document, vocabulary).whole()
    clean |= {key: _among(clean[key], enum) for key, enum in CHOICES.items()}
    clean |= {key: [term for term in clean[key] if term in getattr(vocabulary, key)] for key in TERMS}
    clean |= {key: _date(clean[key]) for key in ("start", "end")}
    for key in ("sources", "links", "images", "attachments"):
        clean[key] = [entry for entry in clean[key] if entry["url"]]
    clean["language"] = clean["language"] if clean["language"] in LANGUAGES else None
    clean["translations"] = [each for each in clean["translations"] if each["language"] in LANGUAGES]
    clean["other_regions"] = [each for each in clean["other_regions"] if each["country"]]
    clean["funding"] = [{**each, "source": _among(each["source"], FundingSource)} for each in clean["funding"]]
    clean["partners"] = [_body(each) for each in clean["partners"] if each["name"]]
    lead = clean["lead_organisation"]
    clean["lead_organisation"] = _body(lead) if lead and lead["name"] else None
    clean["licence"] = clean["licence"] if clean["licence"] in LICENCES else LICENCES[0]
    return _whole(practice, clean, base_url)


def contact(practice: Practice, actor: User) -> dict[str, str] | None:
    """Whom readers with an account would write to; None where nobody is named, or this person may not know."""
    held = practices.contact_of(practice)
    if not held["email"] or not can(actor, "view", practice):
        return None
    return {"role": held["role"], "email": held["email"], "name": held["name"] if held["consent"] else ""}


def _whole(practice: Practice, clean: Document, base_url: str) -> Document:
    changed = iso(practice.changed)
    record = {
        **clean,
        "id": str(practice.id),
        "slug": practice.slug or "",
        "origin": {"kind": practice.origin, "url": practice.origin_url},
        "version": practice.version + 1,
        "published": changed,
        "updated": changed,
        "completeness": completeness(clean),
        "url": f"{base_url}/practices/{practice.slug}" if practice.slug else "",
    }
    return {key: record[key] for key in KEYS}


def _among(value: Any, enum: type[StrEnum]) -> str | None:
    return value if value in tuple(enum) else None


def _body(entry: dict[str, Any]) -> dict[str, Any]:
    url = entry["url"] if is_web_address(entry["url"] or "") else None
    return {**entry, "type": _among(entry["type"], OrganisationType), "url": url}


def _date(text: Any) -> str | None:
    """A partial date, or None where it is none."""
    try:
        partial_date(str(text))
    except ValueError:
        return None
    return str(text)
