"""Sending the outbox: claimed, sent, marked; put off, given up, forgotten. The clock is moved, the server is real."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select, update

from kb.config import Config
from kb.db import Database
from kb.models import MailMessage, User
from kb.services import mail, notices
from kb.services.postman import GIVE_UP, LEASE, Delivered, NothingToSay, Postman, Rendered
from kb.services.transport import Transport, Unreachable, open_transport
from tests import factories
from tests.mailserver import MailServer, mail_server


class Clock:
    """A clock that a test moves. It stands ahead of what a test writes first, however long that takes."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **how: float) -> None:
        self.now += timedelta(**how)


class Memory:
    """A transport that keeps what it is given, and raises what it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.trouble: Exception | None = None
        self.asked = 0

    def send(self, message: EmailMessage) -> None:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        self.taken.append(message)

    def close(self) -> None:
        pass


def words(kind: str, data: dict[str, Any], language: str, unsubscribe: str | None) -> Rendered:
    """As plain as can be: what matters here is the sending."""
    if "bad" in data.values():
        raise LookupError("no such template")
    if "gone" in data.values():
        raise NothingToSay
    return Rendered(f"{kind} {data.get('title', '')}", f"{language} {data} {unsubscribe}\n", "<p>ä</p>\n")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def postman(database: Database, config: Config, transport: Transport, clock: Clock) -> Postman:
    return Postman(database, config, words, transport, clock)


def tell(database: Database, address: str = "alice@example.org", kind: str = "reset", **data: Any) -> None:
    with database.write() as session:
        mail.tell(session, kind, address, **(data or {"url": "/reset/abc"}))


def rows(database: Database) -> list[MailMessage]:
    with database.read() as session:
        return list(session.scalars(select(MailMessage).order_by(MailMessage.id)))


def test_it_works(database: Database, config: Config, server: MailServer, clock: Clock) -> None:
    tell(database)
    done = postman(database, config, open_transport(server.url), clock).deliver()
    assert done == Delivered(sent=1, failed=0, waiting=0)
    [message] = server.taken
    assert message["To"] == "alice@example.org"
    assert message["From"] == f"{config.site_name} <{config.mail_from}>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body(("plain",)) and message.get_body(("html",))


def test_what_was_sent_is_marked_and_its_text_forgotten(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    tell(database)
    postman(database, config, memory, clock).deliver()
    [row] = rows(database)
    assert (row.sent, row.data, row.claimed, row.error) == (clock.now, {}, None, "")


def test_a_mail_with_nothing_to_say_is_not_sent_and_the_next_one_is(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    tell(database, url="gone")
    tell(database)
    assert postman(database, config, memory, clock).deliver() == Delivered(1, 0, 0)
    assert len(memory.taken) == 1 and [row.data for row in rows(database)] == [{}]


def test_nothing_is_sent_twice(database: Database, config: Config, memory: Memory, clock: Clock) -> None:
    tell(database)
    carrier = postman(database, config, memory, clock)
    carrier.deliver()
    clock.move(days=1)
    carrier.deliver()
    assert len(memory.taken) == 1


def test_a_limit_leaves_the_rest(database: Database, config: Config, memory: Memory, clock: Clock) -> None:
    for _ in range(3):
        tell(database)
    assert postman(database, config, memory, clock).deliver(2) == Delivered(2, 0, 1)


def test_no_transaction_is_open_while_a_mail_is_sent(database: Database, config: Config, clock: Clock) -> None:
    class Writer(Memory):
        def send(self, message: EmailMessage) -> None:
            other = Database(config.database_url)
            with other.write() as session:  # would wait for a lock for ever
                session.execute(update(User).values(name="Changed meanwhile"))
            other.close()
            super().send(message)

    tell(database)
    assert postman(database, config, Writer(), clock).deliver().sent == 1


def test_two_processes_never_send_the_same_message(database: Database, config: Config, clock: Clock) -> None:
    for number in range(20):
        tell(database, f"person{number}@example.org")
    memories = [Memory() for _ in range(4)]
    threads = [threading.Thread(target=postman(database, config, each, clock).deliver) for each in memories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [str(message["Message-ID"]) for memory in memories for message in memory.taken]
    assert len(ids) == len(set(ids)) == 20


class Dies(Memory):
    """As if the process were killed after the server took the message."""

    def send(self, message: EmailMessage) -> None:
        super().send(message)
        raise SystemExit


def test_a_lease_left_by_a_killed_process_ends_and_the_repeat_is_recognised(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    tell(database)
    dying = Dies()
    with pytest.raises(SystemExit):
        postman(database, config, dying, clock).deliver()
    again = postman(database, config, memory, clock)
    assert again.deliver().sent == 0  # the dead one's lease still holds
    clock.move(seconds=LEASE.total_seconds())
    assert again.deliver().sent == 1
    assert memory.taken[0].as_bytes() == dying.taken[0].as_bytes()


# Trouble


def test_a_refused_recipient_is_given_up_at_once_and_the_others_get_theirs(
    database: Database, config: Config, server: MailServer, clock: Clock
) -> None:
    server.answers["gone@example.org"] = "550 5.1.1 gone@example.org has left"
    for address in ("gone@example.org", "alice@example.org"):
        tell(database, address)
    done = postman(database, config, open_transport(server.url), clock).deliver()
    assert done == Delivered(sent=1, failed=1, waiting=0)
    refused, sent = rows(database)
    assert (refused.failed, refused.attempts, sent.failed) == (clock.now, 1, None)
    assert refused.error == "The mail server refused the recipient. (550)"


def test_a_deferred_message_is_tried_again_later_and_the_others_go_out(
    database: Database, config: Config, server: MailServer, clock: Clock
) -> None:
    server.answers["slow@example.org"] = "451 4.7.1 later"
    for address in ("slow@example.org", "alice@example.org"):
        tell(database, address)
    carrier = postman(database, config, open_transport(server.url), clock)
    assert carrier.deliver() == Delivered(sent=1, failed=1, waiting=1)
    server.answers.clear()
    assert carrier.deliver().sent == 0
    clock.move(minutes=2)
    assert carrier.deliver() == Delivered(sent=1, failed=0, waiting=0)


def test_waits_double_up_to_an_hour(database: Database, config: Config, server: MailServer, clock: Clock) -> None:
    server.answers["alice@example.org"] = "451 4.7.1 later"
    tell(database)
    carrier = postman(database, config, open_transport(server.url), clock)
    waits = []
    for _ in range(9):
        carrier.deliver()
        [row] = rows(database)
        waits.append((row.due - clock.now).total_seconds() / 60)
        clock.now = row.due
    for wait, least in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert least <= wait <= least * 1.1


def test_a_message_is_given_up_after_three_days(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    memory.trouble = Unreachable("The mail server cannot be reached.")
    tell(database)
    carrier = postman(database, config, memory, clock)
    carrier.deliver()
    clock.move(seconds=GIVE_UP.total_seconds())
    assert carrier.deliver() == Delivered(sent=0, failed=1, waiting=0)
    clock.move(days=1)
    assert carrier.deliver() == Delivered(0, 0, 0)


def test_a_server_that_is_down_is_asked_once_for_the_whole_batch(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    memory.trouble = Unreachable("The mail server cannot be reached.")
    for _ in range(50):
        tell(database)
    assert postman(database, config, memory, clock).deliver() == Delivered(sent=0, failed=50, waiting=50)
    assert memory.asked == 1
    assert {row.attempts for row in rows(database)} == {1}


def test_a_server_that_hangs_up_at_everything_is_not_asked_for_ever(
    database: Database, config: Config, server: MailServer, clock: Clock
) -> None:
    addresses = [f"person{number}@example.org" for number in range(10)]
    server.hang_up_on = set(addresses)
    for address in addresses:
        tell(database, address)
    assert postman(database, config, open_transport(server.url), clock).deliver().failed == 10
    assert server.connections == 2


def test_once_the_server_is_back_what_waited_for_it_goes_out_at_once(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    memory.trouble = Unreachable("The mail server cannot be reached.")
    tell(database)
    carrier = postman(database, config, memory, clock)
    for _ in range(6):
        carrier.deliver()
        clock.move(minutes=40)
    memory.trouble = None
    tell(database, "bob@example.org")
    with database.write() as session:  # the old one is due much later
        session.execute(update(MailMessage).where(MailMessage.attempts > 0).values(due=clock.now + timedelta(hours=1)))
    assert carrier.deliver().sent == 2


def test_a_text_that_cannot_be_made_holds_up_nobody(
    database: Database, config: Config, memory: Memory, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    tell(database, kind="reset", url="bad")
    tell(database, "bob@example.org")
    assert postman(database, config, memory, clock).deliver() == Delivered(sent=1, failed=1, waiting=1)
    assert rows(database)[0].error == "The text could not be made; the log says why."
    assert "alice@example.org" not in caplog.text


@pytest.mark.parametrize("address", ["a,b@example.org", "<x>@example.org", "two..dots@example.org", "a@b..c"])
def test_an_address_that_no_server_would_take_is_given_up(
    database: Database, config: Config, memory: Memory, clock: Clock, address: str
) -> None:
    tell(database, address)
    assert postman(database, config, memory, clock).deliver().waiting == 0
    assert rows(database)[0].failed == clock.now


# What a message looks like


def sent(database: Database, config: Config, memory: Memory, clock: Clock) -> EmailMessage:
    postman(database, config, memory, clock).deliver()
    [message] = memory.taken
    return message


def test_nobody_can_forge_a_header_with_a_title(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    tell(database, kind="practice-published", url="/practices/x", title="Nurses\r\nBcc: eve@example.org\r\n\r\nHi")
    message = sent(database, config, memory, clock)
    head = message.as_bytes().split(b"\r\n\r\n")[0]
    assert message["Bcc"] is None and b"\r\nBcc:" not in head
    assert message["Subject"] == "practice-published Nurses Bcc: eve@example.org Hi"


def test_a_domain_in_letters_beyond_ascii_is_written_as_servers_know_it(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    tell(database, "anna@bücher.example")
    assert sent(database, config, memory, clock)["To"] == "anna@xn--bcher-kva.example"


def test_only_optional_mail_can_be_ended_and_says_how(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        mail.tell(session, "practice-waiting", bob.email, user=bob, title="Nurses", url="/review/1")
        mail.tell(session, "practice-published", bob.email, user=bob, title="Nurses", url="/practices/nurses")
    clock.move(minutes=1)  # hashing a password may take longer than the clock is ahead
    postman(database, config, memory, clock).deliver()
    waiting, published = memory.taken
    address = str(waiting["List-Unsubscribe"]).strip("<>")
    assert waiting["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with database.read() as session:
        token = address.removeprefix(f"{config.base_url}/unsubscribe/")
        assert notices.recipient(session, config.secret_key, token).email == "bob@example.org"
    assert published["List-Unsubscribe"] is None


def test_a_mail_in_plain_letters_can_be_read_in_its_file(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    link = f"{config.base_url}/reset/{'x' * 60}"
    tell(database, url=link)
    assert link in sent(database, config, memory, clock).as_string()


# Keeping


def test_what_was_sent_or_given_up_is_forgotten_after_a_month(
    database: Database, config: Config, memory: Memory, clock: Clock
) -> None:
    carrier = postman(database, config, memory, clock)
    tell(database)
    carrier.deliver()
    clock.move(days=29)
    assert carrier.sweep() == 0
    tell(database)  # waits: it is not forgotten
    clock.move(days=2)
    assert carrier.sweep() == 1
    assert [row.sent for row in rows(database)] == [None]


def test_the_thread_sends_by_itself_and_ends(
    database: Database, config: Config, memory: Memory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.services.postman.LOOK_EVERY", 0.02)
    tell(database)
    carrier = postman(database, config, memory, clock)
    carrier.follow()
    carrier.follow()
    assert sum(thread.name == "postman" for thread in threading.enumerate()) == 1
    while any(row.sent is None for row in rows(database)):
        clock.move(seconds=1)
    carrier.stop()
    assert not any(thread.name == "postman" for thread in threading.enumerate())
