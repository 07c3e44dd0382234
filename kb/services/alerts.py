"""Telling people what is new in the searches that they keep: one mail a search and run, each version once.

What a search finds is asked of the index before its transaction begins; mail and what was told are kept together in it.
So a crash tells nothing twice, and of two processes at once the second finds the search asked already.

A mail that waits holds ids alone: what it says of the practices is looked up when it goes out, of what is public then.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Frequency, SavedSearch, User
from kb.search.port import SearchEngine
from kb.services import catalogue, mail, notices, presenting, searches
from kb.services.errors import Invalid
from kb.services.publishing import as_document, public_records
from kb.services.record import Document
from kb.services.vocabularies import VocabularyCache, country_name

SLACK = timedelta(hours=1)
"""How much earlier than after a day or a week a search may be asked again: a timer is not exact to the second."""

WAITS = {Frequency.DAILY: timedelta(days=1) - SLACK, Frequency.WEEKLY: timedelta(days=7) - SLACK}

NAMED = 20
"""Practices that one mail names."""

LINE = 160
"""Characters of a summary that a mail gives."""


@dataclass(frozen=True)
class Told:
    """How many mails were made, and how many practices they tell of together."""

    mails: int = 0
    practices: int = 0


class Alerts:
    """Asks the searches that people keep, in one database and its index. Safe to use from several processes."""

    def __init__(self, database: Database, engine: SearchEngine, vocabularies: VocabularyCache) -> None:
        self._database = database
        self._engine = engine
        self._vocabularies = vocabularies

    def run(self, now: datetime, *, everything: bool = False) -> Told:
        """Ask each search that is due, and put into the outbox what is new or changed since.

        `everything` asks those too that were asked less than a day or a week ago. Raises IndexLost.
        """
        with self._database.read() as session:
            due = list(session.scalars(select(SavedSearch).where(*_due(now, everything)).order_by(SavedSearch.checked)))
        numbers = [self._ask(search, now) for search in due]
        return Told(sum(number > 0 for number in numbers), sum(numbers))

    def _ask(self, search: SavedSearch, now: datetime) -> int:
        """Ask one search; returns of how many practices a mail tells. One that cannot be read any more stops."""
        try:
            found = self._found(search)
        except Invalid:
            found = None
        with self._database.write() as session:
            same = (SavedSearch.id == search.id, SavedSearch.checked == search.checked, SavedSearch.stopped.is_(None))
            held = session.scalars(select(SavedSearch).where(*same).with_for_update()).first()
            if held is None:  # stopped, deleted, or asked by somebody else meanwhile
                return 0
            held.checked = now
            if found is None:
                searches.stop(session, held, now)
                return 0
            return _tell(session, held, found, now)

    def _found(self, search: SavedSearch) -> Sequence[str]:
        with self._database.read() as session:
            vocabulary = self._vocabularies.get(session)
        return catalogue.matching_ids(self._engine, vocabulary, searches.read(search.query, vocabulary))


def said(session: Session, data: dict[str, Any], language: str) -> dict[str, Any] | None:
    """What a mail of new practices says now, made of what the outbox holds; None where nothing of it is public now."""
    named, more = data["news"]["practices"], data["news"]["more"]
    records = public_records(session, [uuid.UUID(each["id"]) for each in named])
    there = [
        _entry(as_document(records[each["id"]], ""), each["new"], language) for each in named if each["id"] in records
    ]
    if not there and not more:
        return None
    return {**data, "number": len(there) + more, "news": {"practices": there, "more": more}}


def _due(now: datetime, everything: bool) -> tuple[ColumnElement[bool], ...]:
    late = [and_(SavedSearch.frequency == each, SavedSearch.checked <= now - wait) for each, wait in WAITS.items()]
    ahead = SavedSearch.checked > now + SLACK  # the clock was set back since; what was told is remembered
    running = SavedSearch.stopped.is_(None)
    return (running,) if everything else (running, or_(*late, ahead))


def _tell(session: Session, search: SavedSearch, found: Sequence[str], now: datetime) -> int:
    """Remember what is public of `found`, and mail what the search did not know, if its person wants mail."""
    before, versions = searches.known(session, search), searches.public_versions(session, found)
    fresh = [key for key in versions if key not in before]
    changed = [key for key in versions if versions[key] > before.get(key, versions[key])]
    searches.remember(session, search, {key: versions[key] for key in (*fresh, *changed)})
    number, person = len(fresh) + len(changed), session.get_one(User, search.user_id)
    if not number or not notices.reachable(person):
        return 0
    named = [{"id": str(key), "new": key not in before} for key in [*fresh, *changed][:NAMED]]
    told = mail.tell(
        session, "search-news", person.email, user=person, search=search.name, number=number,
        news={"practices": named, "more": number - len(named)}, url=searches.address(search),
        search_id=str(search.id),
    )  # fmt: skip
    if told is None:
        return 0
    search.told = now
    return number


def _entry(record: Document, new: bool, language: str) -> dict[str, Any]:
    """What a mail says of one practice, as its reader can best read it."""
    shown = presenting.in_language(record, language)
    line = " ".join(shown["summary"].split())
    return {
        "title": shown["title"],
        "country": country_name(record["country"], language),
        "line": line if len(line) <= LINE else f"{line[:LINE].rsplit(' ', 1)[0]} …",
        "url": f"/practices/{record['slug']}",
        "new": new,
    }
