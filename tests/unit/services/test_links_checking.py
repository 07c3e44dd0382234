"""Links of public practices: asked politely, broken only after enough failures, told once to each owner."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from kb.db import Database
from kb.models import LinkCheck, MailMessage, Practice
from kb.services import links_checking, links_named
from kb.services.errors import ServiceError
from kb.services.fetching import Fetcher, Limits
from kb.services.links_checking import Outcome, Verifier
from tests.factories import draft, person, published
from tests.processes import PATIENCE
from tests.webserver import Answer, Asked, Server, reply, serving

START = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)

Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that answer as they are told."""
    with contextlib.ExitStack() as stack:

        def start(answer: Answer | bytes) -> Server:
            say: Answer = (lambda _asked: answer) if isinstance(answer, bytes) else answer
            return stack.enter_context(serving(say))

        yield start


def verify(database: Database, day: int = 0, pause: float = 0.0, **how: Any) -> Outcome:
    """A run on some day after the start."""
    limits = Limits(seconds=PATIENCE, step=PATIENCE)
    fetcher = Fetcher("Tests/1.0", limits, resolve=lambda *_: ["127.0.0.1"], loopback=True)
    clock = lambda: START + timedelta(days=day)  # noqa: E731 (one line)
    return Verifier(database, fetcher, "https://kb.example.eu", pause=pause, clock=clock, **how).run()


def practice(database: Database, *urls: str, owner: str | None = None, title: str = "Mentors for nurses") -> Any:
    """A public practice whose sources are at these addresses; its id."""
    with database.write() as session:
        whose = person(session, f"{owner}@example.org", "member") if owner else None
        sources = [{"title": f"Source {n}", "url": url} for n, url in enumerate(urls)]
        return published(session, whose, sources=sources, title=title).id


def check(database: Database, url: str) -> LinkCheck:
    """What is known of a link."""
    with database.read() as session:
        found = session.get(LinkCheck, url)
        assert found is not None
        return found


def broken(database: Database) -> list[str]:
    """The broken links of all practices."""
    with database.read() as session:
        return [each.named.url for held in links_named.broken_in(session).values() for each in held]


def mails(database: Database, kind: str = "links-broken") -> list[MailMessage]:
    """The mails of a kind in the outbox."""
    with database.read() as session:
        return list(session.scalars(select(MailMessage).where(MailMessage.kind == kind).order_by(MailMessage.id)))


# Which addresses


def test_links_sources_organisations_and_indicators_are_asked_each_once(database: Database, serve: Serve) -> None:
    server = serve(reply())
    with database.write() as session:
        published(
            session,
            links=[{"title": "Link", "url": server.url("/link")}],
            sources=[{"title": "Source", "url": server.url("/source")}, {"title": "Again", "url": server.url("/link")}],
            indicators=[{"name": "Pairs", "url": server.url("/indicator")}],
            partners=[{"name": "Union", "url": server.url("/partner")}],
            lead_organisation={"name": "Agency", "type": None, "url": server.url("/lead")},
        )
    assert verify(database).checked == 5
    assert sorted(asked.path for asked in server.asked) == ["/indicator", "/lead", "/link", "/partner", "/source"]
    assert {asked.method for asked in server.asked} == {"HEAD"}


def test_drafts_are_not_asked_about(database: Database, serve: Serve) -> None:
    server = serve(reply())
    with database.write() as session:
        draft(session, person(session, "a@example.org", "member"), sources=[{"title": "S", "url": server.url()}])
    assert verify(database).checked == 0 and server.asked == []


def test_the_sites_own_pages_are_not_asked_about(database: Database) -> None:
    practice(database, "https://kb.example.eu/practices/other")
    assert verify(database).checked == 0


def test_a_link_asked_within_the_days_is_left_alone_unless_all_are_wanted(database: Database, serve: Serve) -> None:
    server = serve(reply())
    practice(database, server.url())
    assert [verify(database, day).checked for day in (0, 6, 7)] == [1, 0, 1]
    assert verify(database, 7, older_than=None).checked == 1
    assert verify(database, 9, older_than=timedelta(days=2)).checked == 1


# What an answer means


def test_an_answer_is_kept_with_the_date_of_the_success(database: Database, serve: Serve) -> None:
    server = serve(reply())
    practice(database, server.url())
    verify(database)
    held = check(database, server.url())
    assert (held.status, held.error, held.failures) == (200, "", 0)
    assert held.succeeded == held.checked == START


def test_what_head_is_refused_get_may_have(database: Database, serve: Serve) -> None:
    server = serve(lambda asked: reply(405 if asked.method == "HEAD" else 200))
    practice(database, server.url())
    verify(database)
    assert [asked.method for asked in server.asked] == ["HEAD", "GET"]
    assert check(database, server.url()).status == 200


def test_a_server_that_hangs_up_on_head_is_asked_by_get(database: Database, serve: Serve) -> None:
    server = serve(lambda asked: b"" if asked.method == "HEAD" else reply())
    practice(database, server.url())
    assert verify(database).failed == 0


@pytest.mark.parametrize("status", [401, 403, 429, 999])
def test_a_server_that_lets_no_program_in_proves_nothing(database: Database, serve: Serve, status: int) -> None:
    server = serve(reply(status))
    practice(database, server.url())
    for day in range(0, 50, 10):
        verify(database, day)
    held = check(database, server.url())
    assert (held.status, held.failures, held.succeeded) == (status, 0, None)
    assert broken(database) == []


@pytest.mark.parametrize(("status", "times"), [(500, 3), (502, 3), (400, 3), (404, 2), (410, 2)])
def test_a_link_is_broken_after_three_failures_and_after_two_where_the_page_is_gone(
    database: Database, serve: Serve, status: int, times: int
) -> None:
    server = serve(reply(status))
    practice(database, server.url())
    found = []
    for n in range(times):
        verify(database, n * 10)
        found.append(len(broken(database)))
    assert found == [0] * (times - 1) + [1]


def test_a_server_that_is_not_there_fails(database: Database) -> None:
    with serving(lambda _asked: reply()) as server:
        pass
    practice(database, server.url())
    assert verify(database).failed == 1
    assert (check(database, server.url()).status, check(database, server.url()).error) == (
        None, "No connection to the server could be made.",
    )  # fmt: skip


def test_one_success_makes_a_link_whole_again(database: Database, serve: Serve) -> None:
    answers = {"status": 404}
    server = serve(lambda _asked: reply(answers["status"]))
    practice(database, server.url())
    for day in (0, 10):
        verify(database, day)
    assert broken(database)
    answers["status"] = 200
    verify(database, 20)
    assert broken(database) == [] and check(database, server.url()).failures == 0


def test_the_date_of_the_last_success_stays_while_it_fails(database: Database, serve: Serve) -> None:
    answers = {"status": 200}
    server = serve(lambda _asked: reply(answers["status"]))
    key = practice(database, server.url())
    verify(database)
    answers["status"] = 404
    for day in (10, 20):
        verify(database, day)
    with database.read() as session:
        (link,) = links_named.broken_in(session, [key])[key]
    assert (link.succeeded, link.named.field, link.status) == (START, "sources", 404)
    assert link.error == links_checking.NO_LONGER


# Politeness


def test_one_server_is_asked_one_thing_at_a_time_with_a_pause(database: Database, serve: Serve) -> None:
    busy, most, lock = 0, [0], threading.Lock()

    def answer(_asked: Asked) -> bytes:
        nonlocal busy
        with lock:
            busy += 1
            most.append(busy)
        time.sleep(0.02)
        with lock:
            busy -= 1
        return reply()

    server = serve(answer)
    practice(database, *(server.url(f"/{n}") for n in range(4)))
    began = time.monotonic()
    verify(database, pause=0.1)
    assert max(most) == 1 and time.monotonic() - began >= 0.3  # three pauses


def test_several_servers_are_asked_at_once(database: Database, serve: Serve) -> None:
    together = threading.Barrier(3, timeout=PATIENCE)

    def answer(_asked: Asked) -> bytes:
        together.wait()
        return reply()

    server = serve(answer)
    practice(database, *(server.url(host=f"{name}.example") for name in "abc"))
    assert verify(database).failed == 0


def test_a_wish_to_wait_is_honoured(database: Database, serve: Serve) -> None:
    times: list[float] = []

    def answer(_asked: Asked) -> bytes:
        times.append(time.monotonic())
        return reply(503, Retry_After=1) if len(times) == 1 else reply()

    server = serve(answer)
    practice(database, server.url())
    assert verify(database).failed == 0
    assert len(times) == 2 and times[1] - times[0] >= 1


def test_a_server_that_asks_for_a_long_pause_is_left_alone_until_the_next_run(database: Database, serve: Serve) -> None:
    server = serve(reply(429, Retry_After=3600))
    practice(database, server.url("/a"), server.url("/b"))
    assert verify(database).checked == 1 and len(server.asked) == 1
    assert broken(database) == []


def test_a_server_that_never_answers_is_not_tried_for_all_its_links(database: Database) -> None:
    tried = []

    def nobody(host: str, _port: int) -> list[str]:
        tried.append(host)
        raise OSError("no such name")

    practice(database, *(f"http://gone.example/{n}" for n in range(8)))
    fetcher = Fetcher("Tests/1.0", resolve=nobody)
    outcome = Verifier(database, fetcher, "https://kb.example.eu", pause=0, clock=lambda: START).run()
    assert (outcome.checked, outcome.failed, len(tried)) == (8, 8, 3)


def test_a_machine_without_the_web_notes_nothing(database: Database) -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    practice(database, *(f"http://{name}.example/" for name in "abcde"), owner="alice")
    for _ in range(3):
        run = Verifier(
            database, Fetcher("Tests/1.0", resolve=nobody), "https://kb.example.eu", older_than=None, pause=0
        )
        with pytest.raises(ServiceError, match="cut off from the web"):
            run.run()
    assert broken(database) == [] and mails(database) == []
    with database.read() as session:
        assert session.scalars(select(LinkCheck)).all() == []


def test_where_one_server_answers_the_silence_of_others_counts(database: Database, serve: Serve) -> None:
    def some(host: str, _port: int) -> list[str]:
        if host == "f.example":
            return ["127.0.0.1"]
        raise OSError("no such name")

    server = serve(reply())
    practice(database, *(f"http://{name}.example/" for name in "abcde"), server.url(host="f.example"))
    fetcher = Fetcher("Tests/1.0", resolve=some, loopback=True)
    outcome = Verifier(database, fetcher, "https://kb.example.eu", pause=0).run()
    assert (outcome.checked, outcome.failed) == (6, 5)


def test_addresses_inside_the_network_are_never_asked(database: Database) -> None:
    practice(database, "http://127.0.0.1/admin", "http://192.168.0.1/")
    outcome = Verifier(database, Fetcher("Tests/1.0"), "https://kb.example.eu", pause=0, clock=lambda: START).run()
    assert outcome.failed == 2


def test_nothing_is_asked_while_a_transaction_is_open(database: Database, serve: Serve) -> None:
    def answer(_asked: Asked) -> bytes:
        with database.write() as session:  # would wait, and time out, if the run held one
            session.execute(select(Practice.id))
        return reply()

    server = serve(answer)
    practice(database, server.url("/a"), server.url("/b"))
    assert verify(database).failed == 0


# Who is told


def test_an_owner_gets_one_mail_for_all_links_that_broke_in_a_run(database: Database, serve: Serve) -> None:
    server = serve(reply(404))
    practice(database, server.url("/a"), server.url("/b"), owner="alice", title="First")
    with database.write() as session:
        published(
            session, session.scalars(select(Practice)).one().owner, title="Second",
            sources=[{"title": "S", "url": server.url("/b")}],
        )  # fmt: skip
    assert [verify(database, day).told for day in (0, 10, 20)] == [0, 1, 0]
    (mail,) = mails(database)
    assert (mail.address, mail.data["number"]) == ("alice@example.org", 3)
    assert mail.data["message"].count(server.url("/b")) == 2 and "Second" in mail.data["message"]


def test_a_link_that_broke_again_is_told_again(database: Database, serve: Serve) -> None:
    answers = {"status": 404}
    server = serve(lambda _asked: reply(answers["status"]))
    practice(database, server.url(), owner="alice")
    for day, status in enumerate((404, 404, 200, 404, 404)):
        answers["status"] = status
        verify(database, day * 10)
    assert len(mails(database)) == 2


def test_links_of_a_practice_without_an_owner_are_told_to_nobody(database: Database, serve: Serve) -> None:
    practice(database, serve(reply(404)).url())
    for day in (0, 10):
        verify(database, day)
    assert mails(database) == [] and len(broken(database)) == 1


def test_what_was_found_is_kept_and_told_where_a_run_is_ended_early(
    database: Database, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links_checking, "AT_ONCE", 1)
    server = serve(reply(404))
    practice(database, server.url("/0"), server.url("/1"), owner="alice")
    verify(database)

    def ended(items: Iterator[Any], _total: int) -> Iterator[Any]:
        yield next(items)
        raise KeyboardInterrupt

    fetcher = Fetcher("Tests/1.0", resolve=lambda *_: ["127.0.0.1"], loopback=True)
    run = Verifier(database, fetcher, "https://kb.example.eu", pause=0, clock=lambda: START + timedelta(days=8))
    with pytest.raises(KeyboardInterrupt):
        run.run(ended)
    assert len(broken(database)) == 1 and [mail.data["number"] for mail in mails(database)] == [1]


def test_links_that_nobody_names_any_more_are_forgotten(database: Database, serve: Serve) -> None:
    server = serve(reply())
    key = practice(database, server.url())
    verify(database)
    with database.write() as session:
        session.get(Practice, key).record = None
    verify(database, 80)
    assert check(database, server.url())
    verify(database, 100)
    with database.read() as session:
        assert session.get(LinkCheck, server.url()) is None
