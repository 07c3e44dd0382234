"""Whether the web addresses that public practices name still answer: asked politely, told to whoever can mend them.

A link is broken after three failures in a row, or two of which the last said that the page is gone. A server that
answers, but lets no program in, proves nothing: then nothing is counted. One server is asked by one thread, with a
pause between two questions, several servers at once. Nothing is asked while a transaction is open.
"""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import ADDRESS_LIMIT, LinkCheck
from kb.services import links_named, notices, titles
from kb.services.errors import N_, ServiceError
from kb.services.fetching import (
    NO_ANSWER,
    NO_CONNECTION,
    NOT_FOUND,
    NOT_HTTP,
    Fetched,
    Fetcher,
    Unfetchable,
    asked_to_wait,
)
from kb.services.links_named import GONE, is_broken
from kb.services.progress import Progress, silent

log = logging.getLogger(__name__)

ENOUGH = timedelta(days=7)
"""How long a check holds: a link that was asked since is left alone."""

SHUT = (401, 402, 403, 405, 407, 408, 425, 429, 451, 501, 999)
"""What servers say that are there, but let no program look, or not now."""

SHUT_OUT = N_("The server lets no program look; try it yourself.")
NO_LONGER = N_("The page is no longer there.")
WRONG = N_("The server says that something is wrong with it or with the address.")

WORKERS = 8
PAUSE = 1.0
LONGEST_WAIT = 60
"""Seconds that a server may ask to be left alone for; one that asks for more is left alone until the next run."""

DEAD_AFTER = 3
"""Addresses of one server in a row without any answer, after which the others are not tried either."""

CUT_OFF = 5
"""Servers of which none answered, after which it is this machine that has no way out."""

NO_WAY_OUT = N_("Not one server answered: this machine seems to be cut off from the web. Nothing was noted.")

AT_ONCE = 20
"""Findings that are kept in one transaction."""

FORGOTTEN = timedelta(days=90)
"""How long it is known how a link stood that no public practice names any more."""

DEAF = (NO_ANSWER, NO_CONNECTION, NOT_FOUND)


@dataclass(frozen=True)
class Finding:
    """What came of one look. `good` is None where it proves nothing."""

    url: str
    good: bool | None
    status: int | None = None
    error: str = ""


@dataclass(frozen=True)
class Outcome:
    """Of how many links a run asked, how many failed, how many are broken since, how many owners were told."""

    checked: int
    failed: int
    broken: int
    told: int


class Verifier:
    """One run over the links of a base. `older_than` None asks all, whenever they were asked last."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        base_url: str,
        *,
        older_than: timedelta | None = ENOUGH,
        pause: float = PAUSE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._base_url = base_url
        self._older_than = older_than
        self._pause = pause
        self._clock = clock
        self._stop = threading.Event()
        self._newly: set[str] = set()
        self._failed = 0

    def run(self, progress: Progress = silent) -> Outcome:
        """Ask, keep what came of it as it comes, and tell owners what broke; also where somebody ends the run early.

        Raises ServiceError where not one server answered.
        """
        with self._database.read() as session:
            places = links_named.everywhere(session)
            due = self._due(session, places)
        told = checked = 0
        try:
            for batch in _batches(_not_cut_off(progress(self._findings(due), len(due)))):
                checked += len(batch)
                with self._database.write() as session:
                    for finding in batch:
                        self._keep(session, finding)
        finally:
            with self._database.write() as session:
                told = _tell(session, self._newly, places)
                _forget(session, set(places), self._clock())
        return Outcome(checked, self._failed, len(self._newly), told)

    def _due(self, session: Session, places: Iterable[str]) -> list[str]:
        """The links to be asked, those that nobody ever asked first, then the longest not asked."""
        asked = {url: checked for url, checked in session.execute(select(LinkCheck.url, LinkCheck.checked))}
        limit = self._clock() - self._older_than if self._older_than is not None else None
        own = f"{self._base_url}/"
        due = [
            url
            for url in places
            if len(url) <= ADDRESS_LIMIT
            and not url.startswith(own)
            and (limit is None or url not in asked or asked[url] <= limit)
        ]
        never = datetime.min.replace(tzinfo=UTC)
        return sorted(due, key=lambda url: (asked.get(url, never), url))

    def _findings(self, urls: Iterable[str]) -> Iterator[Finding]:
        """What came of each link, in the order in which the answers come."""
        hosts: dict[str, list[str]] = defaultdict(list)
        for url in urls:
            hosts[_host(url)].append(url)
        found: queue.SimpleQueue[Finding | None] = queue.SimpleQueue()
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="links") as pool:
            try:
                for theirs in hosts.values():
                    pool.submit(self._ask_host, theirs, found.put)
                ended = 0
                while ended < len(hosts):
                    finding = found.get()
                    if finding is None:
                        ended += 1
                    else:
                        yield finding
            finally:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)

    def _ask_host(self, urls: list[str], put: Callable[[Finding | None], None]) -> None:
        """Ask one server about its links, one after the other. `put` gets None at the end."""
        try:
            deaf = 0
            finding = None
            for n, url in enumerate(urls):
                if n and self._stop.wait(self._pause):
                    return
                if finding is not None and deaf >= DEAD_AFTER:
                    put(Finding(url, False, None, finding.error))
                    continue
                finding, alone = self._look(url)
                put(finding)
                if alone:
                    return
                deaf = deaf + 1 if finding.error in DEAF else 0
        except Exception:
            log.exception("the links of one server could not be asked")
        finally:
            put(None)

    def _look(self, url: str) -> tuple[Finding, bool]:
        """What came of one link, and whether its server asks to be left alone for a longer time."""
        try:
            answer = self._answer(url)
            wait = asked_to_wait(answer, self._clock())
            if 0 < wait <= LONGEST_WAIT and not self._stop.wait(wait):
                answer = self._answer(url)
                wait = asked_to_wait(answer, self._clock())
        except Unfetchable as why:
            return Finding(url, False, None, why.message.text), False
        return _judged(url, answer, shut=wait > 0), wait > 0

    def _answer(self, url: str) -> Fetched:
        """A server's answer: to HEAD, or to GET where it does not care for HEAD. Raises Unfetchable."""
        try:
            answer = self._fetcher.fetch(url, "HEAD")
            if answer.status < 400 or asked_to_wait(answer, self._clock()):
                return answer
        except Unfetchable as why:
            if why.message.text not in (NOT_HTTP, NO_ANSWER):
                raise
        self._stop.wait(self._pause)
        return self._fetcher.fetch(url, body=False)

    def _keep(self, session: Session, finding: Finding) -> None:
        check = session.get(LinkCheck, finding.url)
        if check is None:
            check = LinkCheck(url=finding.url, failures=0)
            session.add(check)
        before = is_broken(check)
        check.checked, check.status, check.error = self._clock(), finding.status, finding.error
        if finding.good:
            check.succeeded, check.failures = check.checked, 0
        elif finding.good is False:
            self._failed += 1
            check.failures += 1
        if is_broken(check) and not before:
            self._newly.add(finding.url)


def _judged(url: str, answer: Fetched, *, shut: bool) -> Finding:
    """What an answer says about the link."""
    if answer.status < 400:
        return Finding(url, True, answer.status)
    if shut or answer.status in SHUT:
        return Finding(url, None, answer.status, SHUT_OUT)
    return Finding(url, False, answer.status, NO_LONGER if answer.status in GONE else WRONG)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _not_cut_off(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, held back until one server has answered: a machine without the web says nothing about links."""
    held: list[Finding] = []
    answered = False
    for finding in findings:
        held.append(finding)
        answered = answered or finding.status is not None
        if answered:
            yield from held
            held = []
    if len({_host(finding.url) for finding in held}) >= CUT_OFF:
        raise ServiceError(NO_WAY_OUT)
    yield from held


def _batches(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    batch: list[Finding] = []
    for finding in findings:
        batch.append(finding)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _tell(session: Session, newly: set[str], places: Mapping[str, set[uuid.UUID]]) -> int:
    """Tell each owner in one mail which links of theirs broke; returns how many were told."""
    owners = links_named.owners(session, {key for url in newly for key in places[url]})
    lines: dict[uuid.UUID, list[str]] = defaultdict(list)
    people = {}
    for url in sorted(newly):
        for key in sorted(places[url]):
            practice = owners.get(key)
            if practice is not None and practice.owner is not None and notices.reachable(practice.owner):
                people[practice.owner.id] = practice.owner
                lines[practice.owner.id] += [titles.public(session, practice), url, ""]
    for key, person in people.items():
        said = "\n".join(lines[key]).strip()
        data = {"number": len(lines[key]) // 3, "message": said, "url": "/my/practices"}
        notices.tell_person(session, "links-broken", person, **data)
    return len(people)


def _forget(session: Session, named: set[str], now: datetime) -> None:
    """Remove what is known of links that nobody names any more."""
    old = session.scalars(select(LinkCheck.url).where(LinkCheck.checked < now - FORGOTTEN))
    gone = [url for url in old if url not in named]
    for n in range(0, len(gone), 500):
        session.execute(delete(LinkCheck).where(LinkCheck.url.in_(gone[n : n + 500])))
