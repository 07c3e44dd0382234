"""No mail is lost and no page waits for one: a mail server that is down or stuck, and senders killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kb.db import Database
from kb.models import MailMessage, Practice, User
from kb.services import mail
from kb.services.postman import Postman
from kb.services.transport import open_transport
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.mailserver import MailServer, mail_server
from tests.processes import PATIENCE, eventually, serving

MESSAGES = 40
KILLS = 6


def submitted(site: Site, title: str) -> None:
    """Alice submits a practice; its editors are to get mail."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        factories.submitted(session, alice, title=title)


def unsent(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(MailMessage).where(MailMessage.sent.is_(None))).all())


def publish_over_http(site: Site, title: str) -> int:
    """Bob publishes a submission with the button; returns the status."""
    with site.database.read() as session:
        practice = session.scalars(select(Practice).where(Practice.title == title)).one()
    bob, path = site.client("bob"), f"/review/{practice.id}"
    data = {"do": "publish", "seen": str(practice.revision_count), "csrf_token": token(bob, path)}
    return bob.post(path, data=data).status_code


# A server that is down, or stuck


def test_a_mail_server_down_for_an_hour_holds_up_no_page_and_loses_no_mail(site: Site) -> None:
    now = datetime.now(UTC) + timedelta(seconds=1)
    server = MailServer()
    carrier = Postman(site.database, site.config, site.parts.postman.render, open_transport(server.url), lambda: now)
    for minute in range(60):
        if minute % 10 == 0:
            submitted(site, f"Practice of minute {minute}")
            assert publish_over_http(site, f"Practice of minute {minute}") == 302
        carrier.deliver()
        now += timedelta(minutes=1)
    assert unsent(site.database) == 18  # two editors and the owner, six times
    server.start()
    try:
        for _ in range(70):
            carrier.deliver()
            now += timedelta(minutes=1)
    finally:
        server.stop()
    assert unsent(site.database) == 0
    arrived = Counter(str(message["To"]) for message in server.taken)
    assert arrived == {"alice@example.org": 6, "bob@example.org": 6, "dora@example.org": 6}
    assert len(set(server.ids())) == 18


class Stuck:
    """A mail server that takes the connection and never answers."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()

    def send(self, message: EmailMessage) -> None:
        self.asked.set()
        self.released.wait(PATIENCE)

    def close(self) -> None:
        pass


def test_no_page_waits_for_a_mail_server_that_is_stuck(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.services.postman.LOOK_EVERY", 0.02)
    stuck = Stuck()
    carrier = Postman(site.database, site.config, site.parts.postman.render, stuck)
    submitted(site, "Mentors for nurses")
    carrier.follow()
    assert stuck.asked.wait(PATIENCE)
    assert publish_over_http(site, "Mentors for nurses") == 302  # would wait for ever if it sent, or met a lock
    assert site.client().get("/practices").status_code == 200
    assert unsent(site.database) == 3 and not stuck.released.is_set()
    stuck.released.set()
    eventually(lambda: unsent(site.database) == 0)
    carrier.stop()


# Killed while sending


@pytest.fixture
def folder(peopled_folder: Path, tmp_path: Path) -> Path:
    return stack.copy(peopled_folder, tmp_path / "data")


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    database = Database(configure(folder).database_url)
    yield database
    database.close()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def fill(database: Database, count: int = MESSAGES) -> None:
    with database.write() as session:
        for number in range(count):
            mail.tell(session, "registration-refused", f"person{number}@example.org")


def sender(folder: Path, server: MailServer) -> subprocess.Popen[bytes]:
    """A real `python -m kb send-mail`."""
    own = {"KB_DATA_DIR": str(folder), **stack.environment(folder)}
    env = {**os.environ, **own, "KB_MAIL_URL": server.url, "KB_SECRET_KEY": "k" * 40}
    return subprocess.Popen([sys.executable, "-m", "kb", "send-mail"], env=env, stdout=subprocess.DEVNULL)


def kill_somewhere(process: subprocess.Popen[bytes], server: MailServer) -> None:
    """Kill a sender before, between or in the middle of its messages."""
    enough = len(server.taken) + random.randint(0, 4)
    eventually(lambda: len(server.taken) >= enough or process.poll() is not None)
    time.sleep(random.uniform(0, 0.15))
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)


def test_senders_killed_at_any_moment_lose_nothing_and_repeat_at_most_one_message_each(
    folder: Path, database: Database, server: MailServer
) -> None:
    server.slowness = 0.05
    fill(database)
    for _ in range(KILLS):
        kill_somewhere(sender(folder, server), server)
        with database.write() as session:  # as if the minutes had passed after which a lease ends
            session.execute(update(MailMessage).values(claimed=None))
    assert sender(folder, server).wait(PATIENCE) == 0
    assert unsent(database) == 0
    arrived = Counter(str(message["To"]) for message in server.taken)
    assert set(arrived) == {f"person{number}@example.org" for number in range(MESSAGES)}
    assert sum(arrived.values()) - MESSAGES <= KILLS
    assert len(set(server.ids())) == MESSAGES  # what came twice came with the same Message-ID


def test_several_senders_at_once_send_each_message_once(folder: Path, database: Database, server: MailServer) -> None:
    fill(database)
    senders = [sender(folder, server) for _ in range(3)]
    assert [process.wait(PATIENCE) for process in senders] == [0, 0, 0]
    assert len(server.taken) == len(set(server.ids())) == MESSAGES


def test_a_running_server_sends_by_itself_and_so_does_the_next_after_a_kill(
    folder: Path, database: Database, server: MailServer
) -> None:
    fill(database, 3)
    with serving(folder, KB_MAIL_URL=server.url) as site:
        eventually(lambda: unsent(database) == 0)
        site.stop(signal.SIGKILL)
    fill(database, 3)
    with serving(folder, KB_MAIL_URL=server.url):
        eventually(lambda: unsent(database) == 0)
    assert len(set(server.ids())) == 6
