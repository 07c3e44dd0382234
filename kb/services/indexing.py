"""The index follows the database: outbox rows are drained into it, and it can be thrown away and rebuilt."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.formats.text import iso
from kb.models import IndexOutbox, Practice, Record, Status
from kb.search.port import Document, IndexLost, SearchEngine, SearchUnavailable
from kb.services import adoption_trail, counting
from kb.services.counting import Counts
from kb.services.errors import N_, Conflict
from kb.services.locks import Held, LockLost, Locks
from kb.services.publishing import public_records
from kb.services.record import NARRATIVE
from kb.services.vocabularies import Vocabulary, VocabularyCache, country_name

log = logging.getLogger(__name__)

BATCH = 500
"""Practices looked at in one step of draining or rebuilding."""

LOOK_EVERY = 2.0
"""Seconds after which the follower looks for outbox rows that nobody drained. A look costs an idle process 1 ms."""


PATIENCE = 600.0
"""Seconds that a rebuild waits for whoever else is at the index."""

AT_WORK = "index"
"""The lock of whoever writes into the index."""

ENSURING = "index-ensure"
"""The lock of whoever looks whether the index has to be built anew, and does so."""

State = tuple[int, int]
"""What decides how a public practice stands in the index: its version, and how many regions took it up."""


class Indexer:
    """Keeps one search engine in step with one database. One a process; safe to use from its threads."""

    def __init__(
        self,
        database: Database,
        engine: SearchEngine,
        vocabularies: VocabularyCache,
        locks: Locks,
        counts: Counts | None = None,
    ) -> None:
        self.database = database
        self.engine = engine
        self.vocabularies = vocabularies
        self._locks = locks
        self._counts = counts
        self._oldest: tuple[tuple[int, uuid.UUID], float] | None = None
        self._wake = threading.Event()
        self._lost = False
        self._stopped = False
        self._follower: tuple[int, threading.Thread] | None = None

    def drain(self, wait: float = 2.0) -> bool:
        """Bring every waiting change into the index; True where none is left.

        Only one process drains at a time, so that an older state can never overwrite a newer one. Gives up after
        `wait` seconds without that right: whoever holds it will see the rows. Raises LockLost where it was lost on the
        way; what was brought into the index since is brought there once more.
        """
        with self._locks.hold(AT_WORK, wait) as held:
            if held is None:
                return False
            while self._drain_batch(held):
                pass
        return True

    def after_commit(self) -> None:
        """Drain now if that is quick; a failure is logged and left to the follower, never to the person who saved."""
        try:
            if not self.drain():
                self._wake.set()
        except SearchUnavailable as fault:
            log.warning("the index could not follow; it will be tried again: %s", fault)
        except Exception:  # a lost index must not turn a kept save into an error
            log.exception("the index could not follow; it will be tried again")
            self._wake.set()

    def rebuild(self, *, unite: bool = False) -> int:
        """Build the index anew beside the live one and swap it in. Returns the number of practices in it.

        With `unite` it is as quick to ask as can be, at a cost in memory that is for a process of its own.

        Draining into the live index goes on meanwhile. What changed since the beginning is brought into the new index
        too: most of it while draining goes on, the last of it while that is held up, and then comes the swap. So a
        publication waits for a moment, however long the rebuild takes. Raises Conflict where draining cannot be held
        up, LockLost where that right was lost before the swap, which then does not come.
        """
        taken: dict[uuid.UUID, State] = {}
        with contextlib.ExitStack() as until_swapped, self.database.read() as session:

            def replay(engine: SearchEngine) -> None:
                self._catch_up(engine, taken)
                held = until_swapped.enter_context(self._only_one(AT_WORK))
                self._catch_up(engine, taken)
                held.sure()

            count = self.engine.rebuild(_all(session, self.vocabularies.get(session), taken), replay, unite=unite)
        self.drain()
        return count

    def ensure(self) -> str | None:
        """Make the index fit to be asked: rebuild it where it is missing or damaged, drain what waits.

        Returns a sentence about what was done, or None where nothing had to be. Raises Conflict where another process
        is at it for too long, SearchUnavailable where the engine does not answer.
        """
        reason = self._fault()
        if reason is None:
            self.drain(wait=60.0)
            return None
        with self._only_one(ENSURING):
            reason = self._fault()  # another worker may have mended it while this one waited
            if reason is None:
                return None
            log.warning("%s; building it anew from the database", reason)
            count = self.rebuild()
        self.drain(wait=60.0)
        return f"{reason}; built anew from the database with {count} practices."

    def follow(self) -> None:
        """Start this process's follower thread, once, after the fork: it drains what was left behind."""
        if self._follower and self._follower[0] == os.getpid():
            return
        thread = threading.Thread(target=self._follow, name="index-follower", daemon=True)
        self._follower = (os.getpid(), thread)
        thread.start()

    def stop(self) -> None:
        """End the follower of this process and wait for it, so that the database can be closed."""
        self._stopped = True
        self._wake.set()
        if self._follower and self._follower[0] == os.getpid():
            self._follower[1].join(timeout=30.0)

    def report_lost(self) -> None:
        """Tell the follower that a reader met no index, or a damaged one: it builds it anew."""
        self._lost = True
        self._wake.set()

    def waiting(self) -> bool:
        """Whether a change has not reached the index yet."""
        with self.database.read() as session:
            first = select(IndexOutbox.id, IndexOutbox.practice_id).order_by(IndexOutbox.id).limit(1)
            row = session.execute(first).first()
        known = self._oldest
        if row is None:
            self._oldest = None
        elif known is None or known[0] != tuple(row):
            self._oldest = (row.id, row.practice_id), time.monotonic()
        return row is not None

    def lag(self) -> tuple[int, float]:
        """How many changes have not reached the index, and for how many seconds this process has seen the first wait.

        The follower looks every `LOOK_EVERY` seconds, so that the time is short of the truth by no more than that.
        """
        with self.database.read() as session:
            rows = session.scalar(select(func.count()).select_from(IndexOutbox)) or 0
        self.waiting()
        oldest = self._oldest
        return rows, time.monotonic() - oldest[1] if rows and oldest else 0.0

    def _fault(self) -> str | None:
        try:
            self.engine.count()
        except IndexLost as lost:
            return f"The search index could not be read ({lost})"
        return None

    def _follow(self) -> None:
        while not self._stopped:
            self._wake.wait(LOOK_EVERY)
            self._wake.clear()
            try:
                with counting.job(self._counts, "index"):
                    if self._lost:
                        self.ensure()
                        self._lost = False
                    elif self.waiting():
                        self.drain(wait=10.0)
            except IndexLost:
                self.report_lost()
            except SearchUnavailable as fault:
                log.warning("the index could not follow; it will be tried again: %s", fault)
            except Exception:
                log.exception("the index could not follow; it will be tried again")
                if not self._stopped:
                    time.sleep(LOOK_EVERY)

    def _catch_up(self, engine: SearchEngine, taken: dict[uuid.UUID, State]) -> None:
        """Bring into a new index what is not as it was `taken` in, drained into the old one or not, and note it there.

        What is there is compared, not when it was written: commits end in another order than they begin.
        """
        with self.database.read() as session:
            there = _states(session, adoption_trail.counts(session))
            changed = {key for key in taken.keys() | there.keys() if taken.get(key) != there.get(key)}
            changed |= set(session.scalars(select(IndexOutbox.practice_id)))
            ids = list(changed)
            for first in range(0, len(ids), BATCH):
                batch = ids[first : first + BATCH]
                documents = documents_of(session, batch, self.vocabularies.get(session))
                engine.update(documents, {str(each) for each in batch} - {document.id for document in documents})
                session.expunge_all()
        taken.clear()
        taken.update(there)

    def _drain_batch(self, held: Held) -> bool:
        """Bring one batch of outbox rows into the index, then delete those rows. False where there was none.

        Where the right was lost meanwhile, somebody else may have brought a newer state there before ours came, and
        deleted the rows: then all of the batch waits anew.
        """
        with self.database.read() as session:
            rows = session.execute(
                select(IndexOutbox.id, IndexOutbox.practice_id).order_by(IndexOutbox.id).limit(BATCH)
            )
            waiting = [(row_id, practice_id) for row_id, practice_id in rows]
            if not waiting:
                return False
            ids = {practice_id for _row, practice_id in waiting}
            documents = documents_of(session, ids, self.vocabularies.get(session))
        gone = {str(practice_id) for practice_id in ids} - {document.id for document in documents}
        held.sure()
        self.engine.update(documents, gone)
        try:
            held.sure()
        except LockLost:
            with self.database.write() as session:
                session.add_all(IndexOutbox(practice_id=practice_id) for practice_id in ids)
            raise
        with self.database.write() as session:
            session.execute(delete(IndexOutbox).where(IndexOutbox.id.in_([row_id for row_id, _ in waiting])))
        return True

    @contextlib.contextmanager
    def _only_one(self, name: str) -> Iterator[Held]:
        """Hold one right, or raise Conflict: going on without it could lose what another process does."""
        with self._locks.hold(name, PATIENCE) as held:
            if held is None:
                raise Conflict(N_("Another process is at the search index and does not end: stop it, then try again."))
            yield held


def documents_of(
    session: Session, ids: Iterable[uuid.UUID], vocabulary: Vocabulary, adopted: dict[str, int] | None = None
) -> list[Document]:
    """The public practices among `ids`, as the index sees them. `adopted` saves counting adoptions once more."""
    records = public_records(session, ids)
    adopted = adoption_trail.counts(session) if adopted is None else adopted
    return [_document(record, vocabulary, adopted) for record in records.values()]


def _all(session: Session, vocabulary: Vocabulary, taken: dict[uuid.UUID, State]) -> Iterator[Document]:
    """Every public practice; notes in `taken` how each stood before it was read."""
    adopted = adoption_trail.counts(session)
    taken |= _states(session, adopted)
    ids = list(taken)
    for first in range(0, len(ids), BATCH):
        yield from documents_of(session, ids[first : first + BATCH], vocabulary, adopted)
        session.expunge_all()


def _states(session: Session, adopted: dict[str, int]) -> dict[uuid.UUID, State]:
    """How each public practice stands."""
    rows = session.execute(select(Practice.id, Practice.version, Practice.slug).join(Record))
    return {practice_id: (version, adopted.get(slug or "", 0)) for practice_id, version, slug in rows}


def _document(record: Record, vocabulary: Vocabulary, adopted: dict[str, int]) -> Document:
    named = [record.region_code, *(entry.region_code for entry in record.other_regions)]
    codes = [code for code in named if code]
    countries = dict.fromkeys([record.country, *(entry.country for entry in record.other_regions)])
    lineage = dict.fromkeys(step for code in codes for step in vocabulary.lineage(code))
    lineage |= dict.fromkeys(code for country in countries if (code := vocabulary.country_region(country)))
    types = dict.fromkeys(kind for code in codes for kind in vocabulary.regions[code].types)
    first, last = years(record)
    slug = record.practice.slug or ""
    return Document(
        id=str(record.practice_id),
        slug=slug,
        title=record.title,
        language=record.language,
        texts={
            "title": record.title,
            "summary": record.summary,
            "story": "\n".join(text for key in (*NARRATIVE, "editor_note") if (text := getattr(record, key))),
            "names": "\n".join(_names(record, vocabulary, list(lineage), list(countries))),
        },
        foreign=_foreign(record),
        facets=_facets(record) | {"country": tuple(countries), "region_type": tuple(types)},
        regions=tuple(lineage),
        own_regions=tuple(dict.fromkeys(codes)),
        start_year=first,
        end_year=last,
        published=iso(record.published),
        updated=iso(record.updated),
        adopted=adopted.get(slug, 0),
        completeness=record.completeness,
        completions={"place": (record.place,) if record.place else (), "organisation": tuple(_organisations(record))},
    )


def _facets(record: Record) -> dict[str, tuple[str, ...]]:
    """The facets that the record alone decides."""
    return {
        "theme": tuple(each.theme for each in record.themes),
        "target_group": tuple(each.target_group for each in record.target_groups),
        "status": (record.status,),
        "level": (record.level,),
        "authority_role": (record.authority_role,) if record.authority_role else (),
        "evidence": (record.evidence,) if record.evidence else (),
        "funding": tuple(dict.fromkeys(entry["source"] for entry in record.funding)),
        "language": (record.language,),
    }


def years(record: Record) -> tuple[int | None, int | None]:
    """The first and last year of a practice: (None, None) undated, (year, None) still running.

    One that is over without a known end is taken to have lasted its first year: no more of it is known.
    """
    first = record.start_min.year if record.start_min else None
    last = record.end_max.year if record.end_max else None
    if last is None and record.status in (Status.ENDED, Status.DISCONTINUED):
        last = first
    return first, last


def _names(record: Record, vocabulary: Vocabulary, lineage: list[str], countries: list[str]) -> Iterator[str]:
    yield from _organisations(record)
    if record.place:
        yield record.place
    places = [(code, None) for code in lineage] + [(None, country) for country in countries]
    yield from dict.fromkeys(name for code, country in places for name in place_names(vocabulary, code, country))


def place_names(vocabulary: Vocabulary, code: str | None, country: str | None) -> Iterator[str]:
    """Yield the names by which a practice's region is found: its own, those of the regions above it, the country's."""
    for step in vocabulary.lineage(code) if code else ():
        yield from vocabulary.regions[step].names
    if country:
        yield country_name(country, "en")


def _organisations(record: Record) -> Iterator[str]:
    yield record.lead_organisation_name
    yield from (partner["name"] for partner in record.partners)


def _foreign(record: Record) -> tuple[tuple[str, str], ...]:
    """Texts in other languages. The original title is in a language of the region that nobody has named."""
    texts = [("und", record.original_title)] if record.original_title else []
    for entry in record.translations:
        texts += [(entry["language"], text) for text in (entry["title"], entry["summary"]) if text]
    return tuple(texts)
