"""Sending what is in the outbox: claimed one by one, rendered, handed over, marked.

A message is claimed in a short transaction, so that no two processes send it at once, and marked in another one right
after it went. Nothing is sent while a transaction is open. A process that dies in between leaves a lease that ends by
itself; then that one message is sent once more, with the same Message-ID.

Several machines may send from one outbox: on PostgreSQL each takes what no other holds (`SKIP LOCKED`), and waits for
nobody who writes. Their clocks must not differ by as much as a lease takes.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from kb.config import Config
from kb.db import Database
from kb.models import MailMessage
from kb.services import counting, file_keeping, notices, outbox, reminding, retention, searches, staging
from kb.services.counting import Counts
from kb.services.errors import N_
from kb.services.locks import Locks, open_locks
from kb.services.mail import KINDS
from kb.services.scheduling import Schedule
from kb.services.transport import POLICY, Deferred, FolderTransport, HungUp, Refused, Transport, Trouble, Unreachable

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""How long a claimed message is left to who claimed it: more than a slow server takes over one."""

GIVE_UP = timedelta(days=3)
"""How long a message is tried."""

LONGEST_WAIT = 60.0
"""Minutes between two attempts at most; the first wait is one minute, each further one twice as long."""

FURTHEST = timedelta(minutes=2 * LONGEST_WAIT)
"""Further ahead no attempt is put off."""

LOOK_EVERY = 3.0
"""Seconds after which the thread of a server looks for mail. A look costs an idle process 1 ms."""

AT_ONCE = 20
"""Messages that the thread sends over one connection, before it looks whether it is to end."""

SWEEP_EVERY = timedelta(hours=1)
"""How often one of all processes and machines sweeps."""


@dataclass(frozen=True)
class Rendered:
    """A mail's words: the subject, the text, and the same as an HTML page."""

    subject: str
    text: str
    html: str


class NothingToSay(Exception):
    """What a mail was to tell is not there any more: it is not sent."""


class Render(Protocol):
    """Makes the words of a mail in a language; `unsubscribe` is the address that ends mail of this kind, if any."""

    def __call__(self, kind: str, data: dict[str, Any], language: str, unsubscribe: str | None) -> Rendered:
        """Return the words. Raises NothingToSay."""


@dataclass(frozen=True)
class Delivered:
    """What came of one delivery: how many went out, how many attempts failed, how many messages wait now."""

    sent: int
    failed: int
    waiting: int


def _now() -> datetime:
    return datetime.now(UTC)


class Postman:
    """Sends what is in one database's outbox. One a process; safe to use from its threads."""

    def __init__(
        self,
        database: Database,
        config: Config,
        render: Render,
        transport: Transport,
        clock: Callable[[], datetime] = _now,
        also: Callable[[datetime], object] | None = None,
        counts: Counts | None = None,
        locks: Locks | None = None,
    ) -> None:
        """`also` is what else is done from time to time: it is called with the time at the end of each sweep."""
        self.database = database
        self.config = config
        self.render = render
        self.transport = transport
        self.clock = clock
        self._also = also
        self._counts = counts
        self._one_at_a_time = threading.Lock()
        self._down: str | None = None
        self._stopping = threading.Event()
        self._thread: tuple[int, threading.Thread] | None = None
        locks = locks or open_locks(database, config.data_dir)
        self._sweeps = Schedule(database, locks, "sweep", SWEEP_EVERY, clock)

    def deliver(self, limit: int | None = None) -> Delivered:
        """Send what is due, at most `limit` messages. A mail server that is down is noticed once, not once a message.

        Raises what the database raises; a message that was being sent then waits until its lease ends.
        """
        with self._one_at_a_time:
            try:
                sent, failed = self._deliver(limit)
            finally:
                self.transport.close()
        with self.database.read() as session:
            return Delivered(sent, failed, outbox.count_waiting(session))

    def sweep(self) -> int:
        """Do what is done from time to time; returns how many messages were removed.

        What has been kept for long enough goes, not only mail; owners and editors are reminded of what is due, and
        people are told what is new in the searches that they keep.
        """
        if isinstance(self.transport, FolderTransport):
            self.transport.sweep(self.clock() - outbox.KEPT)
        with self.database.write() as session:
            reminding.remind(session, self.clock())
            messages = retention.sweep(session, self.clock()).mail
        file_keeping.sweep_folder(self.database, self.config.files_dir, self.clock())
        staging.sweep_folder(self.database, self.config.shared_dir, self.clock() - staging.GRACE)
        if self._also:
            self._also(self.clock())
        return messages

    def follow(self) -> None:
        """Start this process's thread that sends mail, once, after the fork."""
        if self._stopping.is_set() or (self._thread and self._thread[0] == os.getpid()):
            return
        thread = threading.Thread(target=self._follow, name="postman", daemon=True)
        self._thread = (os.getpid(), thread)
        thread.start()

    def stop(self) -> None:
        """End the thread of this process and wait for it; none is started afterwards."""
        self._stopping.set()
        if self._thread and self._thread[0] == os.getpid():
            self._thread[1].join(timeout=30.0)

    def _follow(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            try:
                with counting.job(self._counts, "mail"):
                    while self._anything_due() and not self._stopping.is_set():
                        self.deliver(AT_ONCE)
                self._sweeps.run(self._sweep)
            except Exception:
                log.exception("what the postman does failed; it will be tried again")

    def _sweep(self) -> None:
        with counting.job(self._counts, "sweep"):
            self.sweep()

    def _anything_due(self) -> bool:
        with self.database.read() as session:
            return session.scalar(select(MailMessage.id).where(*_due(self.clock())).limit(1)) is not None

    def _deliver(self, limit: int | None) -> tuple[int, int]:
        sent = failed = hung_up = 0
        while limit is None or sent + failed < limit:
            message = self._claim()
            if message is None:
                break
            try:
                trouble = self._send(message)
            except NothingToSay:
                self._drop(message)
                continue
            if trouble is None:
                self._mark_sent(message)
                sent, hung_up = sent + 1, 0
                continue
            hung_up = hung_up + 1 if isinstance(trouble, HungUp) else 0
            if isinstance(trouble, Unreachable) or hung_up > 1:
                return sent, failed + self._put_off_all(message, trouble)
            self._put_off(message, trouble)
            failed += 1
        return sent, failed

    def _claim(self) -> MailMessage | None:
        """The message that has been due for longest, for this process alone until the lease ends."""
        now = self.clock()
        with self.database.write_beside() as session:
            first = select(MailMessage).where(*_due(now)).order_by(MailMessage.due, MailMessage.id).limit(1)
            message = session.scalars(first.with_for_update(skip_locked=True)).first()
            if message is not None:
                message.claimed = now + LEASE
            return message

    def _send(self, message: MailMessage) -> Trouble | None:
        """Write and hand over one message; what went wrong, or None. Raises NothingToSay."""
        try:
            self.transport.send(self._composed(message))
        except NothingToSay:
            raise
        except Trouble as trouble:
            return trouble
        except Exception:
            log.exception("mail %s of kind %s could not be written", message.id, message.kind)
            return Deferred(N_("The text could not be made; the log says why."))
        return None

    def _composed(self, message: MailMessage) -> EmailMessage:
        """The message as it goes out: twice the same, if it is made twice. Raises Refused, NothingToSay."""
        unsubscribe = _way_out(self.config, message)
        words = self.render(message.kind, message.data, message.language, unsubscribe)
        mail = EmailMessage(POLICY)
        mail["Message-ID"] = f"<{message.message_id}@{_host(self.config.base_url)}>"
        mail["Date"] = message.created
        mail["From"] = Address(_line(self.config.site_name), addr_spec=self.config.mail_from)
        mail["To"] = _recipient(message.address)
        mail["Subject"] = _line(words.subject)
        mail["Auto-Submitted"] = "auto-generated"
        if message.data.get("reply_to"):
            mail["Reply-To"] = _recipient(message.data["reply_to"])
        if unsubscribe:
            mail["List-Unsubscribe"] = f"<{unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(words.text, cte=_encoding(words.text))
        mail.add_alternative(words.html, subtype="html", cte=_encoding(words.html))
        mail.set_boundary(f"=_{message.message_id}")
        return mail

    def _mark_sent(self, message: MailMessage) -> None:
        now = self.clock()
        with self.database.write_beside() as session:
            _change(session, message, sent=now, failed=None, data={}, error="", attempts=message.attempts + 1)
        if self._down:  # the server is back: what waits only because it was down has waited enough
            there = (MailMessage.sent.is_(None), MailMessage.failed.is_(None), MailMessage.error == self._down)
            with self.database.write_beside() as session:
                late = select(MailMessage.id).where(*there, MailMessage.due > now).with_for_update(skip_locked=True)
                session.execute(update(MailMessage).where(MailMessage.id.in_(late)).values(due=now))
            self._down = None

    def _drop(self, message: MailMessage) -> None:
        with self.database.write_beside() as session:
            session.execute(delete(MailMessage).where(MailMessage.id == message.id, MailMessage.sent.is_(None)))

    def _put_off(self, message: MailMessage, trouble: Trouble) -> None:
        with self.database.write_beside() as session:
            _change(session, message, **self._later(message.attempts, message.created, trouble))

    def _put_off_all(self, message: MailMessage, trouble: Trouble) -> int:
        """Put off all that is due: the server takes nothing now. Returns how many messages that were."""
        self._down = str(trouble)
        due = or_(MailMessage.id == message.id, and_(*_due(self.clock())))
        waiting = (MailMessage.sent.is_(None), MailMessage.failed.is_(None), due)
        with self.database.write_beside() as session:
            columns = select(MailMessage.id, MailMessage.attempts, MailMessage.created)
            rows = session.execute(columns.where(*waiting).with_for_update(skip_locked=True)).all()
            changed = [{"id": key, **self._later(attempts, created, trouble)} for key, attempts, created in rows]
            if changed:
                session.execute(update(MailMessage), changed)
        return len(changed)

    def _later(self, attempts: int, created: datetime, trouble: Trouble) -> dict[str, Any]:
        """What a failed attempt changes: when the next one is due, or that there is none."""
        now = self.clock()
        minutes = min(LONGEST_WAIT, 2.0 ** min(attempts, 10)) * random.uniform(1.0, 1.1)  # noqa: S311 (no secret)
        gone = isinstance(trouble, Refused) or now - created >= GIVE_UP
        return {
            "attempts": attempts + 1,
            "error": str(trouble),
            "due": now + timedelta(minutes=minutes),
            "claimed": None,
            "failed": now if gone else None,
        }


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What may be claimed: waits, is due, and nobody is at it.

    A moment that lies further ahead than any that is written here is of a clock that was set back since: it is over.
    """
    free = or_(MailMessage.claimed.is_(None), MailMessage.claimed <= now, MailMessage.claimed > now + 2 * LEASE)
    due = or_(MailMessage.due <= now, MailMessage.due > now + FURTHEST)
    return MailMessage.sent.is_(None), MailMessage.failed.is_(None), due, free


def _change(session: Session, message: MailMessage, **values: Any) -> None:
    """Note what became of a message, unless somebody else sent it meanwhile."""
    unsent = (MailMessage.id == message.id, MailMessage.sent.is_(None))
    session.execute(update(MailMessage).where(*unsent).values(**{"claimed": None, **values}))


def _way_out(config: Config, message: MailMessage) -> str | None:
    """The address that ends such mail: of one search where it is about one, else all that is optional."""
    if not KINDS[message.kind].optional or not message.user_id:
        return None
    if "search_id" in message.data:
        return config.base_url + searches.way_out(config.secret_key, uuid.UUID(message.data["search_id"]))
    return f"{config.base_url}/unsubscribe/{notices.token(config.secret_key, message.user_id)}"


def _host(base_url: str) -> str:
    host = str(urlsplit(base_url).hostname)
    return "localhost" if ":" in host else host


def _line(text: str) -> str:
    """Text for a header: one line, of reasonable length, without what cannot be printed."""
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    line = " ".join(words)
    return line if len(line) <= 200 else f"{line[:199]}…"


def _recipient(address: str) -> Address:
    """The recipient's address as a mail server takes it. Raises Refused for one that none would."""
    name, _, domain = address.rpartition("@")
    try:
        return Address(addr_spec=f"{name}@{domain.encode('idna').decode('ascii')}")
    except (ValueError, IndexError, MessageError):
        raise Refused(N_("No mail can be sent to this address.")) from None


def _encoding(text: str) -> str:
    """Plain where all is ASCII in short lines, so that a file of it can be read as it is."""
    plain = text.isascii() and all(len(line) <= 900 for line in text.split("\n"))
    return "7bit" if plain else "quoted-printable"
