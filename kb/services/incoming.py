"""One record of a file that is being taken in, and what there may be already of what it says it is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kb.formats.json import Row
from kb.models import Practice
from kb.services import publishing
from kb.services.errors import N_, Problem
from kb.services.former import Former
from kb.services.record import Document


@dataclass(frozen=True)
class Incoming:
    """One record, checked. `former` is there exactly where it is to be published."""

    row: Row
    document: Document
    contact: dict[str, Any] | None
    former: Former | None = None


class Refused(Exception):
    """A record that is not taken, with its problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__()


class Here:
    """What is in the database of the practices that a batch names."""

    def __init__(self, session: Session, formers: list[Former]) -> None:
        ids = [former.id for former in formers]
        slugs = [former.slug for former in formers if former.slug]
        found = list(session.scalars(select(Practice).where(or_(Practice.id.in_(ids), Practice.slug.in_(slugs)))))
        self._by_id = {practice.id: practice for practice in found}
        self._by_slug = {practice.slug: practice for practice in found}
        self._records = publishing.public_records(session, [id for id in ids if id in self._by_id])

    def has(self, record: Incoming) -> bool:
        """Whether a record is here, word for word. Raises Refused where something else has its id or slug."""
        former = record.former
        if former is None:
            return False
        practice = self._by_id.get(former.id)
        if practice is None:
            if former.slug in self._by_slug and former.slug is not None:
                text = N_("“%(slug)s” is the address of another practice here.")
                raise Refused([Problem.of("slug", text, slug=former.slug)])
            return False
        if practice.slug != former.slug:
            text = N_("This id belongs to another practice here: %(slug)s.")
            raise Refused([Problem.of("id", text, slug=practice.slug or "a draft")])
        if not self._same(record, former):
            text = N_("This practice is here already, in version %(version)d; an import changes nothing that is here.")
            raise Refused([Problem.of("slug", text, version=practice.version)])
        return True

    def _same(self, record: Incoming, former: Former) -> bool:
        held = self._records.get(str(former.id))
        if held is None or held.practice.version != former.stamp.version or held.updated != former.stamp.updated:
            return False
        document = publishing.of_record(publishing.as_document(held, ""))
        document |= {key: record.document[key] for key in publishing.FRESHNESS}  # somebody may have looked since
        return document == {**record.document, "attribution": record.document["attribution"] or held.attribution}


def marks(record: Incoming) -> Iterator[tuple[str, Hashable, str]]:
    """What no other record of the file may have: the field, what is compared, and how it is said."""
    former, document = record.former, record.document
    if former is None:
        where = (document["country"], (document["region"] or {}).get("code"), document["language"])
        yield "title", ("title", str(document["title"]).casefold(), *where), str(document["title"])
        return
    yield "id", former.id, str(former.id)
    if former.slug is not None:
        yield "slug", former.slug, former.slug
