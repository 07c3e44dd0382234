"""The clock is set a day back, or a day ahead: nobody is locked out, nothing is sent twice or never, all goes on.

To set a clock back is to have written a day ahead until then; so what was written is moved, where no clock is given.
"""

from __future__ import annotations

import os
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Date, select, update

from bench.autosave import FIELDS
from kb.db import Base, Database, UtcDateTime
from kb.models import MailMessage, Practice, SavedSearch, User
from kb.services import accounts, alerts, consistency, file_keeping, mail, second_factor, snapshot, snapshots
from kb.services.errors import TooMany
from kb.services.limits import Failures, Requests
from kb.services.locks import FileLocks
from kb.services.reminding import remind
from kb.services.vocabularies import VocabularyCache
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.unit.services.test_limits import Clock
from tests.unit.services.test_second_factor import now_code

DAY = 86_400
DAYS = pytest.mark.parametrize("days", [1, -1])
"""By how much later than it was everything seems to have been written: 1 is a clock that was set back a day."""


def move(site: Site, days: int) -> None:
    """Have everything in a data folder written so many days later than it was."""
    with closing(sqlite3.connect(site.config.database_path or "")) as file, file:
        for table in Base.metadata.sorted_tables:
            for column in table.columns if table.name != "audit_entries" else ():  # which nobody can change
                kinds = {UtcDateTime: f"datetime({column.name}, '{days} days') || '.000000'",
                         Date: f"date({column.name}, '{days} days')"}  # fmt: skip
                if type(column.type) in kinds:
                    file.execute(f'UPDATE "{table.name}" SET {column.name} = {kinds[type(column.type)]}')
    for path in site.config.data_dir.rglob("*"):
        if path.is_file():
            moment = path.stat().st_mtime + days * DAY
            os.utime(path, (moment, moment))
    if (site.config.data_dir / "limits.sqlite").exists():
        with closing(sqlite3.connect(site.config.data_dir / "limits.sqlite")) as file, file:
            for name in ("at", "expires"):
                file.execute(f"UPDATE hits SET {name} = {name} + {days * DAY}")


@pytest.fixture
def limited(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site that counts guesses."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LIMITS="on"))
    yield site
    site.close()


def sign_in(site: Site, password: str) -> int:
    client = site.client()
    form = {"email": "rita@example.org", "password": password, "csrf_token": token(client, "/sign-in")}
    return client.post("/sign-in", data=form).status_code


def write(site: Site, draft: uuid.UUID, number: int) -> None:
    """Type, submit and publish a practice."""
    alice, bob = site.client("alice"), site.client("bob")
    form = {**FIELDS, "title": f"Zanzara {number}", "draft": str(draft), "csrf_token": token(alice, "/submit")}
    assert alice.post(f"/my/practices/{draft}/autosave", data=form).status_code == 200
    sent = alice.post("/submit", data={**form, "actions": "Pairs meet weekly.", "do": "submit"})
    assert sent.status_code == 302
    if "/duplicates" in sent.location:  # it resembles what she wrote before
        csrf = form["csrf_token"]
        again = alice.post(f"/my/practices/{draft}/duplicates", data={"csrf_token": csrf, "seen": "2"})
        assert again.status_code == 302
    page = bob.get(f"/review/{draft}").text
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen
    decision = {"do": "publish", "seen": seen[1], "csrf_token": token(bob, f"/review/{draft}")}
    assert bob.post(f"/review/{draft}", data=decision).status_code == 302


@DAYS
def test_people_go_on_writing_and_every_mail_goes_out_once(limited: Site, days: int) -> None:
    begun = uuid.uuid4()
    form = {**FIELDS, "draft": str(begun), "csrf_token": token(limited.client("alice"), "/submit")}
    assert limited.client("alice").post(f"/my/practices/{begun}/autosave", data=form).status_code == 200
    write(limited, uuid.uuid4(), 1)
    assert [sign_in(limited, "a wrong guess") for _ in range(10)][-1] == 401
    assert sign_in(limited, factories.PASSWORD) == 429
    move(limited, days)
    limited.parts.indexer.rebuild()  # which was not moved
    assert sign_in(limited, factories.PASSWORD) == 302
    write(limited, begun, 2)
    limited.drain()
    assert limited.client().get("/api/v1/practices?q=zanzara").get_json()["total"] == 2
    for _ in range(2):
        limited.parts.postman.sweep()
        limited.parts.postman.deliver()
    with limited.database.read() as session:
        mails = session.scalars(select(MailMessage)).all()
        assert mails and all(each.sent for each in mails)
    assert len(list((limited.config.data_dir / "mail").glob("*.eml"))) == len(mails)
    assert list(consistency.faults(limited.database, limited.parts.engine)) == []
    assert list(file_keeping.faults(limited.database, limited.config.files_dir)) == []


@DAYS
def test_a_snapshot_of_another_day_is_made_anew(seeded_site: Site, days: int) -> None:
    database, folder = seeded_site.database, seeded_site.config.data_dir
    about = snapshot.Site("A site", "https://example.org", seeded_site.config.files_dir)
    path = snapshots.current(database, FileLocks(folder), folder, about, 60)
    assert path is not None
    with database.write() as session:
        factories.published(session, title="Zanzara mentoring")
    held = snapshots._held(path)
    assert held is not None
    there = (held[0], held[1] + timedelta(days=days))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "_held", lambda _path: there)
        with database.read() as session:
            assert not snapshots._fits(path, snapshot.mark(session))


# Limits


def locked_out(failures: Failures) -> bool:
    try:
        failures.begin("alice@example.org", "192.0.2.1")
    except TooMany:
        return True
    return False


@settings(max_examples=20, deadline=None)
@given(jumps=st.lists(st.integers(-400, 400), max_size=4))
def test_nobody_is_locked_out_for_longer_than_the_limit_says_however_the_clock_jumps(
    tmp_path_factory: pytest.TempPathFactory, jumps: list[int]
) -> None:
    clock, folder = Clock(), tmp_path_factory.mktemp("limits")
    failures, requests = Failures(folder / "a", clock=clock), Requests(folder / "b", clock=clock)
    for jump in [0, *jumps]:
        clock.now += jump * DAY
        while not locked_out(failures):
            failures.failed("192.0.2.1")
        while not (standing := requests.count("api", 3, "192.0.2.1")) or not standing.over:
            pass
        assert standing.reset <= 62
    clock.now += 15 * 60 + 2
    assert not locked_out(failures)
    standing = requests.count("api", 3, "192.0.2.1")
    assert standing is not None and not standing.over


# Mail, searches, reminders, codes


@DAYS
def test_mail_that_was_claimed_or_put_off_by_another_clock_goes_out_now_and_once(site: Site, days: int) -> None:
    with site.database.write() as session:
        for number in range(3):
            mail.tell(session, "registration-refused", f"person{number}@example.org")
    now = datetime.now(UTC)
    with site.database.write() as session:
        first, second, _third = session.scalars(select(MailMessage).order_by(MailMessage.id))
        first.claimed = now + timedelta(days=days)  # by a process that died
        second.due = now + timedelta(days=days)
    assert site.parts.postman.deliver().sent == 3
    assert site.parts.postman.deliver().sent == 0


@DAYS
def test_a_search_that_was_asked_by_another_clock_is_asked_and_tells_nothing_twice(site: Site, days: int) -> None:
    about = alerts.Alerts(site.database, site.parts.engine, VocabularyCache())
    client = site.client("alice")
    form = {"query": "q=zanzara", "frequency": "daily", "csrf_token": token(client, "/account")}
    assert client.post("/account/searches", data=form).status_code == 302
    now = datetime.now(UTC)
    with site.database.write() as session:
        factories.published(session, title="Zanzara mentoring")
        session.execute(update(SavedSearch).values(checked=now + 2 * timedelta(days=days)))
    site.drain()
    assert about.run(now).practices == 1
    assert about.run(now).practices == about.run(now + timedelta(days=1)).practices == 0


@pytest.mark.parametrize("days", [-400, 400])
def test_an_owner_who_was_reminded_by_another_clock_is_reminded(database: Database, days: int) -> None:
    now = datetime.now(UTC)
    due = now.date() - timedelta(days=1)
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        dates = {"last_verified": "2025-01-01", "review_due": due.isoformat()}
        factories.published(session, alice, **dates).reminded = now + timedelta(days=days)
    with database.write() as session:
        assert remind(session, now).owners == 1
    with database.write() as session:
        assert remind(session, now).owners == 0
        assert session.scalars(select(Practice)).one().reminded == now


def test_a_code_that_was_used_by_a_clock_ahead_keeps_nobody_out(database: Database) -> None:
    with database.write() as session:
        alice, secret = accounts.add_user(session, "alice@example.org", "member"), second_factor.new_secret()
        second_factor.switch_on(session, alice, secret, now_code(secret))
        used = session.scalar(select(User.totp_used).where(User.id == alice.id))
        assert used is not None
        session.execute(update(User).values(totp_used=used + DAY // second_factor.STEP))
        code = now_code(secret)
        assert second_factor.use_code(session, alice, code) is False
        with pytest.raises(second_factor.Invalid):
            second_factor.use_code(session, alice, code)
