"""A harvest: the public practices of another installation become drafts here, and its news becomes theirs.

Nothing is asked for while a transaction is open, and each practice has a transaction of its own: a run that is cut off
in the middle goes on with the next. A record that is refused costs only itself.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Harvested, HarvestSource, Role, User
from kb.services import accounts, audit, harvested, notices
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, NotFound, Problem, ServiceError
from kb.services.harvest_judging import Incoming, judge, named
from kb.services.harvest_reading import Remote, Row, base_of
from kb.services.permissions import can
from kb.services.publishing import now
from kb.services.vocabularies import Vocabulary

TOLD = ("added", "updated", "waiting", "gone")
"""What an owner is told the numbers of."""

ITSELF = N_("%(url)s is this installation itself: there is nothing to take over.")
AT_ONCE = N_("Another run is taking the practices of %(url)s over at this moment: wait until it is done.")


@dataclass
class Outcome:
    """How many records became new drafts, updates and notices, were known, were ours, or were refused."""

    owner: str
    added: int = 0
    updated: int = 0
    waiting: int = 0
    gone: int = 0
    kept: int = 0
    here: int = 0
    refused: int = 0
    people: dict[uuid.UUID, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, what: str, owner_id: uuid.UUID | None) -> None:
        """Note what became of one practice, and whose it is."""
        setattr(self, what, getattr(self, what) + 1)
        if what in TOLD and owner_id is not None:
            self.people[owner_id][what] += 1


class Harvest:
    """One run over another installation.

    `base_url` is this installation's address. `owner` is the address of the member in whose name drafts are made;
    without one it is whose they were the last time, else the first administrator. `refuse` is told of everything that
    is wrong with a record. Raises NotFound or NotAllowed for the owner, Conflict for this installation's own address.
    """

    def __init__(
        self,
        database: Database,
        remote: Remote,
        vocabulary: Vocabulary,
        base_url: str,
        owner: str | None,
        refuse: Callable[[str], None],
    ) -> None:
        self._database = database
        self._remote = remote
        self._vocabulary = vocabulary
        self._base_url = base_url
        self._refuse = refuse
        if remote.url == base_of(base_url):
            raise Conflict(ITSELF, url=remote.url)
        with database.write() as session:
            source = session.scalar(select(HarvestSource).where(HarvestSource.url == remote.url))
            source = source or HarvestSource(id=uuid.uuid4(), url=remote.url)
            person = _owner(session, owner, source)
            source.owner_id = person.id
            session.add(source)
            self._source_id, self._owner_id, self._outcome = source.id, person.id, Outcome(person.email)
        self._seen: set[str] = set()

    def run(self) -> Outcome:
        """Take over what is new there, tell owners, and keep how it went. Raises ServiceError where that cannot be."""
        trouble: Message | None = None
        try:
            known = self._known()
            for row in self._remote.records():
                self._take(row, known)
            for remote_id, slug in self._missing():
                if self._remote.lists(slug, remote_id) is False:
                    self._lose(remote_id)
        except ServiceError as error:
            trouble = error.message
            raise
        finally:
            with self._database.write() as session:
                self._end(session, trouble)
        return self._outcome

    def _known(self) -> dict[str, tuple[int, str]]:
        """What was taken before and needs no transaction while it stays as it is there."""
        held = select(Harvested).where(
            Harvested.source_id == self._source_id, Harvested.gone.is_(None), Harvested.waiting.is_(None)
        )
        with self._database.read() as session:
            return {each.remote_id: harvested.state_of(each) for each in session.scalars(held)}

    def _take(self, row: Row, known: dict[str, tuple[int, str]]) -> None:
        record = self._judged(row)
        if record is None or record.remote_id in self._seen:
            return
        self._seen.add(record.remote_id)
        if known.get(record.remote_id) == record.state:
            self._outcome.kept += 1
        elif self._ours(record.came_from):
            self._outcome.here += 1
        else:
            self._keep(row, record)

    def _judged(self, row: Row) -> Incoming | None:
        """The record of a row, or None where it is refused. Raises Conflict where the other side is this one."""
        if row.fault is not None:
            self._say(row, [Problem("", row.fault)])
            return None
        try:
            record = judge(row.value, self._remote.url, self._vocabulary)
        except Invalid as invalid:
            self._say(row, invalid.problems)
            return None
        if self._ours(str(row.value.get("url"))):
            raise Conflict(ITSELF, url=self._remote.url)
        return record

    def _ours(self, url: str | None) -> bool:
        return url is not None and url.startswith(f"{self._base_url}/")

    def _keep(self, row: Row, record: Incoming) -> None:
        try:
            with self._database.write() as session:
                source, owner = session.get_one(HarvestSource, self._source_id), session.get_one(User, self._owner_id)
                came = harvested.keep(session, source, owner, record)
                held = session.scalar(self._held(record.remote_id))
                whose = held.practice.owner_id if held else None
        except IntegrityError as error:
            raise Conflict(AT_ONCE, url=self._remote.url) from error
        except DataError as error:
            self._say(row, [Problem.of("", N_("The database refused it: %(error)s."), error=str(error.orig))])
        except Invalid as invalid:
            self._say(row, invalid.problems)
        except ServiceError as error:
            self._say(row, [Problem("", error.message)])
        else:
            self._outcome.count(came, whose)

    def _say(self, row: Row, problems: Iterable[Problem]) -> None:
        self._outcome.refused += 1
        place = f"{row.place} ({name})" if (name := named(row.value)) else row.place
        for problem in problems:
            self._refuse(": ".join(part for part in (place, problem.field, str(problem.message)) if part))

    def _missing(self) -> list[tuple[str, str]]:
        """What was taken before and is not in the list any more, by its id and slug there."""
        columns = select(Harvested.remote_id, Harvested.remote_slug)
        mine = (Harvested.source_id == self._source_id, Harvested.gone.is_(None))
        with self._database.read() as session:
            rows = session.execute(columns.where(*mine).order_by(Harvested.remote_id))
            return [(remote_id, slug) for remote_id, slug in rows if remote_id not in self._seen]

    def _lose(self, remote_id: str) -> None:
        with self._database.write() as session:
            held = session.scalar(self._held(remote_id))
            if held is not None and held.gone is None:
                self._outcome.count("gone" if harvested.lose(held) else "kept", held.practice.owner_id)

    def _held(self, remote_id: str) -> Select[Harvested]:
        return select(Harvested).where(Harvested.source_id == self._source_id, Harvested.remote_id == remote_id)

    def _end(self, session: Session, trouble: Message | None) -> None:
        """Keep when and how the run ended, and tell each owner what it brought."""
        source = session.get_one(HarvestSource, self._source_id)
        if trouble and session.scalar(select(Harvested.practice_id).where(Harvested.source_id == source.id)) is None:
            session.delete(source)  # most likely a slip of the pen
            return
        source.ran, source.error = now(), written(trouble)
        for owner_id, counted in self._outcome.people.items():
            numbers = {what: counted[what] for what in TOLD}
            person = session.get(User, owner_id)
            notices.tell_person(
                session, "practices-harvested", person, source=source.url, url="/my/practices", **numbers
            )
        done = {what: getattr(self._outcome, what) for what in (*TOLD, "refused")}
        audit.note(session, None, "harvest.run", "harvest-source", source.id, **done)


def _owner(session: Session, email: str | None, source: HarvestSource) -> User:
    """In whose name drafts are made. Raises NotFound, NotAllowed."""
    if email is not None:
        user = accounts.get(session, email)
        if not can(user, "write"):
            raise NotAllowed(N_("%(email)s may not submit practices: that takes an active member."), email=user.email)
        return user
    former = session.get(User, source.owner_id) if source.owner_id else None
    if former is not None and can(former, "write"):
        return former
    able = (User.role == Role.ADMIN, User.active, User.deleted.is_(None), User.password_hash.is_not(None))
    first = session.scalar(select(User).where(*able).order_by(User.created, User.email).limit(1))
    if first is None:
        raise NotFound(N_("There is no administrator yet who could own the drafts: name a member with --owner."))
    return first


def written(trouble: Message | None) -> str:
    """A sentence as the source keeps it, so that each reader gets it in their language; empty where there is none."""
    if trouble is None:
        return ""
    return json.dumps([trouble.text, {name: value for name, value in trouble.values.items() if _plain(value)}])


def trouble_of(source: HarvestSource) -> Message | None:
    """Why the last run over a source did not come to its end, if it did not."""
    if not source.error:
        return None
    text, values = json.loads(source.error)
    return Message(text, values)


def _plain(value: Any) -> bool:
    return isinstance(value, str | int)
