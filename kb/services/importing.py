"""Taking records in: drafts and submissions in a member's name, or published records that keep what they were.

Each record is checked before anything is written, and written in one transaction with the others of its batch; the
index follows from the outbox. A record that is refused costs only itself, unless all or nothing is asked for.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from kb.db import Database
from kb.formats.json import Row
from kb.models import Origin, Practice, State, Theme, User
from kb.services import adoption_graph, audit, practices, publishing, seeding, vocabularies
from kb.services.checking import check, check_contact, check_draft
from kb.services.doubles import Doubles
from kb.services.errors import N_, Invalid, Message, NotAllowed, NotFound, Problem, ServiceError
from kb.services.former import Former, read_former
from kb.services.incoming import Here, Incoming, Refused, marks
from kb.services.meant import Meant
from kb.services.permissions import can
from kb.services.record import Document, shape, shape_contact
from kb.services.refusals import Refusal
from kb.services.shown_files import settle
from kb.services.tables import NEEDED, NEEDED_DRAFT, Unfit

BATCH = 100
"""Records written in one transaction: others who write wait no longer than those take."""

T = TypeVar("T")

Source = Callable[[], Iterator[Row]]
"""Opens the file anew: all or nothing means to read it twice."""


class Aim(StrEnum):
    """What the records become."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that a table must have."""
        return NEEDED_DRAFT if self is Aim.DRAFT else NEEDED


@dataclass
class Outcome:
    """How many records were taken (on trial: would be), were here already word for word, and were refused.

    Of the refused, `strays` are rows of a list that belong to no record. `examples` were left out because they only
    show how it is done. `unfit` says that the file as a whole is no good.
    """

    added: int = 0
    kept: int = 0
    refused: int = 0
    examples: int = 0
    strays: int = 0
    unfit: bool = False


def prepare(database: Database) -> None:
    """Load the vocabularies that records refer to where there are none yet. Never the seed practices."""
    with database.read() as session:
        missing = session.scalar(select(Theme.slug).limit(1)) is None
    if missing:
        with database.write() as session:
            seeding.load_vocabularies(session)


def _nothing(_record: Incoming) -> None:
    pass


def _untold(_refusal: Refusal) -> None:
    pass


class Importer:
    """Takes the records of one file in.

    `owner` is the address of the member in whose name drafts and submissions are kept; published records may have one.
    `refuse` is told of everything that is wrong with a record, `show` gets those that are taken (on trial: would be);
    `double` is told of drafts and submissions that are left out because they are here already.
    `actor` is who does it, for the audit log; by default the owner. Raises NotFound, NotAllowed, Invalid for the owner.
    """

    def __init__(
        self,
        database: Database,
        aim: Aim,
        owner: str | None,
        refuse: Callable[[Refusal], None],
        *,
        actor: uuid.UUID | None = None,
        show: Callable[[Incoming], None] = _nothing,
        double: Callable[[Refusal], None] = _untold,
    ) -> None:
        self.database = database
        self.aim = aim
        self._refuse = refuse
        self._actor_id = actor
        self.show = show
        self._double = double
        with database.read() as session:
            self.vocabulary = vocabularies.load(session)
            self._owner_id = _owner(session, owner)
        self._meant = Meant(self.vocabulary)
        if self._owner_id is None and aim != Aim.PUBLISHED:
            raise Invalid([Problem.of("owner", N_("Name the member in whose name drafts and submissions are kept."))])

    def run(self, source: Source, *, dry_run: bool = False, all_or_nothing: bool = False) -> Outcome:
        """Take the records in; with `dry_run` only find out what would happen.

        All or nothing reads the file twice: first on trial, which holds up nobody, then in one transaction.
        Raises NotJson for a file of another kind.
        """
        try:
            return self._run(source, dry_run, all_or_nothing)
        except Unfit as unfit:
            for wrong in unfit.wrongs:
                self._refuse(Refusal.of_file(wrong))
            return Outcome(unfit=True)

    def _run(self, source: Source, dry_run: bool, all_or_nothing: bool) -> Outcome:
        if dry_run or all_or_nothing:
            outcome = _Pass(self, self.database.read, write=False).run(source())
            if dry_run or outcome.refused:
                return outcome if dry_run else Outcome(0, 0, outcome.refused)
        if not all_or_nothing:
            return _Pass(self, self.database.write, write=True).run(source())
        try:
            with self.database.write() as session:
                outcome = _Pass(self, lambda: nullcontext(session), write=True).run(source())
                if outcome.refused:
                    raise _TakeNothing
        except _TakeNothing:  # what was free at the trial is taken by now
            return Outcome(0, 0, outcome.refused)
        return outcome

    def refuse(self, row: Row, problems: Iterable[Problem]) -> None:
        """Tell why a record is not taken."""
        for problem in problems:
            self._refuse(Refusal.of(row, problem))

    def checked(self, row: Row) -> Incoming:
        """The record of a row, fit for what it is to become. Raises Refused with everything that is wrong."""
        faults = [Problem(field, Message(fault.text, fault.values)) for field, fault in row.faults]
        if row.fault:
            faults.append(Problem.of("", "%(fault)s", fault=row.fault))
        if faults:
            raise Refused(faults)
        data = row.value
        if not isinstance(data, Mapping):
            raise Refused([Problem.of("", N_("A record must be a group of fields."))])
        problems: list[Problem] = []
        unknown: list[Problem] = []
        if row.spot:  # people fill tables in by hand; programs write JSON, with codes
            data, unknown = self._meant.read(data)
        document = _gather(problems, lambda: self._document(data))
        contact = _gather(problems, lambda: self._contact(data))
        former = _gather(problems, lambda: read_former(data)) if self.aim == Aim.PUBLISHED else None
        problems = self._with_guesses(problems, unknown)
        if problems or document is None:
            raise Refused(problems)
        return Incoming(row, document, contact, former)

    def _with_guesses(self, problems: list[Problem], unknown: list[Problem]) -> list[Problem]:
        """The problems, with what was probably meant by values that are in no list.

        A draft keeps what was typed, but its form could not show such a value and would lose it at the first save:
        there all of `unknown` is refused. Everything else is checked against the lists anyway.
        """
        guessed = [each for each in unknown if "names" in each.message.values or self.aim == Aim.DRAFT]
        fields = {each.field for each in guessed}
        return [each for each in problems if each.field not in fields] + guessed

    def doubles(self, session: Session) -> Doubles | None:
        """What is here already of that which drafts and submissions may be; published ones are told by their id."""
        return None if self.aim == Aim.PUBLISHED else Doubles(session, self._owner_id, self.vocabulary)

    def double(self, row: Row, title: str) -> None:
        """Tell that a record is here already."""
        text = N_("It is here already: “%(title)s”.")
        self._double(Refusal.of(row, Problem.of("title", text, title=title)))

    def _document(self, data: Mapping[str, Any]) -> Document:
        document = shape(data)
        if self.aim != Aim.DRAFT:
            return check(document, self.vocabulary)
        check_draft(document)
        return document

    def _contact(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        contact = shape_contact(data.get("contact"))
        if contact is not None and self.aim != Aim.DRAFT:
            check_contact(contact)
        return contact

    def keep(self, session: Session, record: Incoming) -> None:
        """Write one record, in the caller's transaction."""
        owner = session.get(User, self._owner_id) if self._owner_id else None
        if record.former:
            actor = session.get(User, self._actor_id) if self._actor_id else owner
            _publish(session, owner, actor, record, record.former)
        elif owner:
            practice = practices.start(session, owner, record.document, record.contact, Origin.IMPORT)
            if self.aim == Aim.SUBMITTED:
                # whoever imports a thousand tells the editors once, not by a thousand mails
                practices.submit(session, owner, practice, self.vocabulary, quietly=True)


class _TakeNothing(Exception):
    pass


class _Pass:
    """One way through the file."""

    def __init__(
        self, importer: Importer, transaction: Callable[[], AbstractContextManager[Session]], *, write: bool
    ) -> None:
        self._importer = importer
        self._transaction = transaction
        self._write = write
        self._outcome = Outcome()
        self._seen: dict[Hashable, str] = {}
        self._doubles: Doubles | None = None
        self._arrows = adoption_graph.Trial()

    def run(self, rows: Iterator[Row]) -> Outcome:
        while batch := list(itertools.islice(rows, BATCH)):
            self._outcome.examples += sum(row.example for row in batch)
            checked = [record for row in batch if not row.example and (record := self._checked(row))]
            with self._transaction() as session:
                new = self._new(session, checked)
                if self._write:
                    self._keep(session, new)
                    session.flush()
                    session.expunge_all()
        return self._outcome

    def _checked(self, row: Row) -> Incoming | None:
        try:
            return self._importer.checked(row)
        except Refused as refused:
            self._refuse(row, refused.problems)
            return None

    def _refuse(self, row: Row, problems: Iterable[Problem]) -> None:
        self._outcome.refused += 1
        self._outcome.strays += row.stray
        self._importer.refuse(row, problems)

    def _new(self, session: Session, batch: list[Incoming]) -> list[Incoming]:
        """The records of a batch that are not here yet and clash with nothing; counts and tells of the others."""
        here = Here(session, [record.former for record in batch if record.former])
        self._doubles = self._doubles or self._importer.doubles(session)
        new = []
        for record in batch:
            try:
                self._once(record)
                if here.has(record) or self._is_double(record):
                    self._outcome.kept += 1
                    continue
                self._lead_nowhere_back(record)
            except Refused as refused:
                self._refuse(record.row, refused.problems)
                continue
            self._outcome.added += 1
            self._importer.show(record)
            new.append(record)
        return new

    def _is_double(self, record: Incoming) -> bool:
        title = self._doubles.of(record.row.value, record.document) if self._doubles else None
        if title is not None:
            self._importer.double(record.row, title)
        return title is not None

    def _once(self, record: Incoming) -> None:
        """Raise Refused where a record's id or slug, or a new one's title and place, stood in the file before."""
        for name, key, said in marks(record):
            if (before := self._seen.setdefault(key, record.row.place)) != record.row.place:
                text = N_("“%(key)s” stands in the file already: %(before)s.")
                raise Refused([Problem.of(name, text, key=said, before=before)])

    def _lead_nowhere_back(self, record: Incoming) -> None:
        """On trial raise Refused where a record would be adapted from itself through others of the file."""
        if self._write or record.former is None or record.former.slug is None:
            return  # what is written is checked as it is published
        try:
            self._arrows.add(record.former.slug, record.document)
        except Invalid as invalid:
            raise Refused(invalid.problems) from None

    def _keep(self, session: Session, records: list[Incoming]) -> None:
        """Write a batch; where the database itself refuses one, write them one by one to find out which."""
        try:
            with session.begin_nested():
                for record in records:
                    self._importer.keep(session, record)
        except (IntegrityError, DataError, ServiceError):
            for record in records:
                self._keep_one(session, record)

    def _keep_one(self, session: Session, record: Incoming) -> None:
        try:
            with session.begin_nested():
                self._importer.keep(session, record)
        except (IntegrityError, DataError) as error:
            self._outcome.added -= 1
            self._refuse(record.row, [Problem.of("", N_("The database refused it: %(error)s."), error=error.orig)])
        except Invalid as invalid:
            self._outcome.added -= 1
            self._refuse(record.row, invalid.problems)
        except ServiceError as error:
            self._outcome.added -= 1
            self._refuse(record.row, [Problem("", error.message)])


def _owner(session: Session, email: str | None) -> uuid.UUID | None:
    if email is None:
        return None
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise NotFound(N_("Nobody has an account with the address %(email)s."), email=email[:254])
    if not can(user, "write"):
        raise NotAllowed(N_("%(email)s may not submit practices: that takes an active member."), email=user.email)
    return user.id


def _gather(problems: list[Problem], step: Callable[[], T]) -> T | None:
    """What a step gives, or None with its problems added."""
    try:
        return step()
    except Invalid as invalid:
        problems += invalid.problems
        return None


def _publish(session: Session, owner: User | None, actor: User | None, record: Incoming, former: Former) -> None:
    practice = Practice(
        id=former.id,
        slug=former.slug,
        origin=former.origin,
        origin_url=former.origin_url,
        owner_id=owner.id if owner else None,
        organisation_id=owner.organisation_id if owner else None,
        state=State.DRAFT,
        version=0,
        revision_count=0,
    )
    session.add(practice)
    practices.keep_contact(practice, record.contact)
    session.flush()
    document = settle(session, None, practice, record.document)
    publishing.publish(session, practice, document, author_id=None, stamp=former.stamp)
    audit.note(session, actor, "practice.import", "practice", practice.id, version=former.stamp.version)
