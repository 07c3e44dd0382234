"""Practices of a file that are here already: told by number, by address, or by title and place."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from kb.models import Practice, Record, Revision
from kb.services.record import Document
from kb.services.vocabularies import Vocabulary

Sign = tuple[str, ...]


class Doubles:
    """What is public here, and what a member has of their own, public or not, as it stands when this is made.

    Nothing of anybody else is looked at.
    """

    def __init__(self, session: Session, owner_id: uuid.UUID | None, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._titles: dict[Sign, str] = {}
        columns = (Practice.id, Practice.slug, Record.title, Record.country, Record.region_code)
        for practice_id, slug, title, country, region in session.execute(select(*columns).join(Practice.record)):
            for sign in (("id", str(practice_id)), ("slug", slug or ""), self._sign(title, country, region)):
                self._titles[sign] = title
        newest = and_(Revision.practice_id == Practice.id, Revision.number == Practice.revision_count)
        own = select(Revision.document).join(Practice, newest).where(Practice.owner_id == owner_id)
        for document in session.scalars(own.where(Practice.merged_into_id.is_(None))) if owner_id else ():
            if document.get("title"):
                self._titles.setdefault(self._of_document(document), document["title"])

    def of(self, data: Mapping[str, Any], document: Document) -> str | None:
        """The title of the practice that a record already is here, or None. `data` is the record as it was given."""
        signs = [(key, str(data[key]).strip().lower()) for key in ("id", "slug") if data.get(key)]
        found = (self._titles.get(sign) for sign in (*signs, self._of_document(document)))
        return next((title for title in found if title is not None), None)

    def _of_document(self, document: Mapping[str, Any]) -> Sign:
        region = document.get("region") or {}
        return self._sign(str(document.get("title")), document.get("country"), region.get("code") or region.get("name"))

    def _sign(self, title: str, country: str | None, region: str | None) -> Sign:
        """Title and place, however they are written; the country follows from the region."""
        code = self._vocabulary.find_region(region) if region else None
        country = self._vocabulary.regions[code].country if code else str(country or "").upper()
        return ("title", " ".join(title.split()).casefold(), country or "", code or (region or "").casefold())
