"""One record of another installation, judged: what is wrong with it, or what of it is taken.

It is checked as an import's draft is, and its terms and regions must be known here. The text is taken as it is. Dropped
is what is the other base's own: its editors' note, when it was verified there, its pictures. Its documents stay where
they are and become links; whom its author named as contact is in no public record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from kb.formats.text import iso
from kb.models import ADDRESS_LIMIT, Origin
from kb.services.checking import Checker, check_draft
from kb.services.errors import N_, Invalid, Problem
from kb.services.former import read_former
from kb.services.record import LIST_CAP, Document, shape
from kb.services.values import is_web_address
from kb.services.vocabularies import Vocabulary

NEEDED = ("id", "slug", "version", "updated")
"""What every public record says of itself; an import of published records may leave it out."""

OF_VOCABULARIES = ("language", "country", "region", "other_regions", "themes", "target_groups")
"""Fields whose values must be known here."""

KEPT_HERE = ("images", "attachments", "editor_note", "last_verified", "review_due")
"""Fields that nothing is taken for: what somebody wrote there here stays."""


@dataclass(frozen=True)
class Incoming:
    """A record that may be taken: what it is there, where it stands, and its text.

    `adapted_from` names practices there, by their slugs. `came_from` is the address that it was itself taken from.
    """

    remote_id: str
    slug: str
    version: int
    updated: str
    url: str
    document: Document
    came_from: str | None

    @property
    def state(self) -> tuple[int, str]:
        """What moves whenever a new version is published there."""
        return self.version, self.updated


def judge(data: Any, remote_url: str, vocabulary: Vocabulary) -> Incoming:
    """The record that the installation at `remote_url` sent, fit to be a draft here. Raises Invalid."""
    if not isinstance(data, Mapping):
        raise Invalid([Problem.of("", N_("A record must be a group of fields."))])
    missing = [key for key in NEEDED if data.get(key) is None]
    if missing:
        raise Invalid(
            [Problem.of(key, N_("A public record says this of itself; here it is missing.")) for key in missing]
        )
    former = read_former(data)
    document = shape(data)
    check_draft(document)
    _check_terms(document, vocabulary)
    slug = str(former.slug)
    taken = former.origin_url if former.origin == Origin.HARVEST else None
    links = [*document["links"], *_documents(document, remote_url)][:LIST_CAP]
    return Incoming(
        remote_id=str(former.id),
        slug=slug,
        version=former.stamp.version,
        updated=iso(former.stamp.updated),
        url=_address(data.get("url"), slug, remote_url),
        document={**document, "links": links, "images": [], "attachments": [], **dict.fromkeys(KEPT_HERE[2:])},
        came_from=taken,
    )


def named(data: Any) -> str:
    """What a record that is refused is called, as far as it says so."""
    slug = data.get("slug") if isinstance(data, Mapping) else None
    return "".join(letter for letter in slug[:120] if letter.isprintable()) if isinstance(slug, str) else ""


def _check_terms(document: Document, vocabulary: Vocabulary) -> None:
    """Raise Invalid for what is in no vocabulary of this base."""
    checker = Checker(document, vocabulary)
    checker.whole()
    problems = [each for each in checker.problems if each.field.partition(".")[0] in OF_VOCABULARIES]
    if problems:
        raise Invalid(problems)


def _documents(document: Document, remote_url: str) -> list[dict[str, Any]]:
    """The documents of a record as links to where they are."""
    links = []
    for entry in document["attachments"]:
        url = _joined(remote_url, str(entry["url"] or ""))
        if entry["url"] and is_web_address(url) and len(url) <= ADDRESS_LIMIT:
            links.append({"title": entry["title"], "url": url})
    return links


def _joined(remote_url: str, address: str) -> str:
    try:
        return urljoin(f"{remote_url}/", address)
    except ValueError:
        return ""


def _address(said: Any, slug: str, remote_url: str) -> str:
    """Where readers find the record there: the address that it names, if it is one of that server's own."""
    path = f"/practices/{slug}"
    own = isinstance(said, str) and len(said) <= ADDRESS_LIMIT and said.endswith(path) and is_web_address(said)
    return str(said) if own and urlsplit(str(said)).netloc == urlsplit(remote_url).netloc else remote_url + path
