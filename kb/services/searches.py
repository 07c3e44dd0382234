"""Searches that people keep: one's own are listed, changed, stopped and deleted here; `alerts` tells what is new.

A search is kept as the canonical string of its parameters and read anew each time, so that a theme that was merged
since is understood. One that cannot be read any more stays until its person deletes it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from kb.models import Frequency, MailMessage, Practice, Record, SavedMatch, SavedSearch, User
from kb.services import notices, query
from kb.services.errors import N_, Conflict, Invalid, NotFound, Problem
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import Vocabulary

MOST = 50
"""Searches that one person keeps."""

NAME_LIMIT = 100
"""Characters of a search's name."""

BATCH = 500

STOP = "kb.stop-search"
"""The purpose of a link that stops one search."""

UNKNOWN = N_("This link is not known. Perhaps it was not copied whole, or the search is deleted.")


# What is asked


def canonical(asked: CatalogueQuery) -> str:
    """A query as it is kept: the same string for all that find the same. The order of results is left out."""
    fields = {name: tuple(sorted(value)) for name, value in vars(asked).items() if isinstance(value, tuple)}
    changes: dict[str, Any] = {**fields, "sort": "relevance"}
    return urlencode(replace(asked, **changes).to_params())


def read(text: str, vocabulary: Vocabulary) -> CatalogueQuery:
    """The query that a kept string means today. Raises Invalid where a value in it is not known any more."""
    return query.parse(parse_qsl(text), vocabulary).query


def address(search: SavedSearch) -> str:
    """The path of the page that shows what a search finds."""
    return f"/practices?{search.query}" if search.query else "/practices"


# One's own


def of(session: Session, user: User) -> list[SavedSearch]:
    """Somebody's searches, the latest first."""
    mine = select(SavedSearch).where(SavedSearch.user_id == user.id)
    return list(session.scalars(mine.order_by(SavedSearch.created.desc(), SavedSearch.name)))


def count(session: Session, user: User) -> int:
    """How many searches somebody keeps."""
    return session.scalar(select(func.count()).where(SavedSearch.user_id == user.id)) or 0


def held(session: Session, user: User, asked: CatalogueQuery) -> SavedSearch | None:
    """The search that somebody keeps of a query, in whatever order its results were."""
    mine = select(SavedSearch).where(SavedSearch.user_id == user.id, SavedSearch.query == canonical(asked))
    return session.scalars(mine).first()


def keep(
    session: Session, user: User, asked: CatalogueQuery, name: str, found: Iterable[str], now: datetime | None = None
) -> tuple[SavedSearch, bool]:
    """Keep a search and what it finds now; the one that is there where the same is kept already, and whether it is new.

    `found` are the ids of the practices that it finds. Raises Conflict where somebody keeps too many.
    """
    person = session.get_one(User, user.id, with_for_update=True)  # two clicks at once make one search
    there = held(session, person, asked)
    if there is not None:
        return there, False
    if count(session, person) >= MOST:
        raise Conflict(N_("You keep %(most)d searches already. Delete one that you no longer need."), most=MOST)
    moment = now or datetime.now(UTC)
    search = SavedSearch(user_id=person.id, name=_line(name)[:NAME_LIMIT], query=canonical(asked), created=moment,
                         checked=moment)  # fmt: skip
    session.add(search)
    session.flush()
    remember(session, search, public_versions(session, found))
    return search, True


def get(session: Session, user: User, search_id: uuid.UUID) -> SavedSearch:
    """One of somebody's own searches. Raises NotFound for others'."""
    search = session.get(SavedSearch, search_id)
    if search is None or search.user_id != user.id:
        raise NotFound(N_("There is no such search among yours. Perhaps you deleted it."))
    return search


def change(session: Session, user: User, search_id: uuid.UUID, name: str, frequency: str) -> SavedSearch:
    """Give a search another name or frequency. Raises NotFound, Invalid."""
    search, line, problems = get(session, user, search_id), _line(name), []
    if not line:
        problems.append(Problem.of("name", N_("Give the search a name.")))
    elif len(line) > NAME_LIMIT:
        problems.append(Problem.of("name", N_("Shorten this: the limit is %(limit)d characters."), limit=NAME_LIMIT))
    if frequency not in tuple(Frequency):
        problems.append(Problem.of("frequency", N_("Choose how often you want mail.")))
    if problems:
        raise Invalid(problems)
    search.name, search.frequency = line, Frequency(frequency)
    return search


def stop(session: Session, search: SavedSearch, now: datetime | None = None) -> None:
    """End a search's mail, also what waits to be sent; twice does no harm."""
    _drop_waiting(session, search)
    search.stopped = search.stopped or now or datetime.now(UTC)


def go_on(
    session: Session, user: User, search_id: uuid.UUID, found: Iterable[str], now: datetime | None = None
) -> SavedSearch:
    """Let a search send mail again, of what is new from now on. Raises NotFound."""
    search = get(session, user, search_id)
    if search.stopped is not None:
        search.stopped, search.checked = None, now or datetime.now(UTC)
        remember(session, search, public_versions(session, found))
    return search


def remove(session: Session, user: User, search_id: uuid.UUID) -> SavedSearch:
    """Delete a search, what it knew and what waits to be sent. Raises NotFound."""
    search = get(session, user, search_id)
    _drop_waiting(session, search)
    session.delete(search)
    return search


# What it knows


def public_versions(session: Session, ids: Iterable[str]) -> dict[uuid.UUID, int]:
    """The version of each practice among `ids` that is public now, in their order."""
    versions: dict[uuid.UUID, int] = {}
    for batch in _batches([uuid.UUID(each) for each in ids]):
        rows = select(Record.practice_id, Practice.version).join(Practice, Practice.id == Record.practice_id)
        there = {key: version for key, version in session.execute(rows.where(Record.practice_id.in_(batch)))}
        versions |= {key: there[key] for key in batch if key in there}
    return versions


def known(session: Session, search: SavedSearch) -> dict[uuid.UUID, int]:
    """Of which version of each practice a search knows."""
    rows = select(SavedMatch.practice_id, SavedMatch.version).where(SavedMatch.search_id == search.id)
    return {key: version for key, version in session.execute(rows)}


def remember(session: Session, search: SavedSearch, versions: dict[uuid.UUID, int]) -> None:
    """Let a search know these versions: what it knows is told no more."""
    before = known(session, search)
    changed = [key for key, version in versions.items() if before.get(key, version) != version]
    for batch in _batches(changed):
        these = (SavedMatch.search_id == search.id, SavedMatch.practice_id.in_(batch))
        session.execute(delete(SavedMatch).where(*these))
    fresh = [key for key, version in versions.items() if before.get(key) != version]
    rows = [{"search_id": search.id, "practice_id": key, "version": versions[key]} for key in fresh]
    if rows:
        session.execute(insert(SavedMatch), rows)


# The link in a mail


def way_out(secret_key: str, search_id: uuid.UUID) -> str:
    """The path at which a mail's reader stops this search without signing in."""
    return f"/unsubscribe/search/{notices.signed_id(secret_key, STOP, search_id)}"


def by_link(session: Session, secret_key: str, signed: str) -> SavedSearch:
    """Which search a link stops. Raises NotFound for one that is damaged, or whose search is gone."""
    search_id = notices.read_id(secret_key, STOP, signed)
    search = session.get(SavedSearch, search_id) if search_id else None
    if search is None:
        raise NotFound(UNKNOWN)
    return search


def _drop_waiting(session: Session, search: SavedSearch) -> None:
    waiting = select(MailMessage).where(
        MailMessage.user_id == search.user_id, MailMessage.kind == "search-news", MailMessage.sent.is_(None)
    )
    for message in session.scalars(waiting.with_for_update()):
        if message.data.get("search_id") == str(search.id):
            session.delete(message)


def _line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _batches(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
