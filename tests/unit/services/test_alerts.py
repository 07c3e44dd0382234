"""What is new in a search is told once: to whom, of what, in which language, and never of what is not public."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kb.config import Config
from kb.db import Database
from kb.models import Frequency, MailMessage, Practice, SavedMatch, SavedSearch, User
from kb.search import open_engine
from kb.services import accounts, alerts, catalogue, leaving, mail, notices, publishing, redaction, searches, terms
from kb.services.alerts import Alerts, Told
from kb.services.checking import check
from kb.services.query import CatalogueQuery
from tests import factories
from tests.conftest import make_indexer

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
A_DAY = timedelta(days=1)

HOUSING = CatalogueQuery(theme=("housing",))


class World:
    """A base with its index, and somebody who keeps searches."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.database = Database(config.database_url)
        self.indexer = make_indexer(config, self.database)
        self.alerts = Alerts(self.database, self.indexer.engine, factories.vocabulary_cache(self.database))
        with self.database.write() as session:
            self.alice = accounts.add_user(session, "alice@example.org", "member")

    def other(self) -> Alerts:
        """The same as another process has it."""
        engine = open_engine(self.config.search_url, self.config.index_dir)
        database = Database(self.config.database_url)
        return Alerts(database, engine, factories.vocabulary_cache(database))

    def close(self) -> None:
        self.indexer.engine.close()
        self.database.close()

    def found(self, asked: CatalogueQuery) -> tuple[str, ...]:
        with self.database.read() as session:
            vocabulary = factories.vocabulary(session)
        return catalogue.matching_ids(self.indexer.engine, vocabulary, asked)

    def keep(self, asked: CatalogueQuery = HOUSING, frequency: Frequency = Frequency.DAILY) -> uuid.UUID:
        found = self.found(asked)
        with self.database.write() as session:
            search, _new = searches.keep(session, self.alice, asked, "Housing", found, START)
            search.frequency = frequency
            return search.id

    def publish(self, title: str = "Rooms for nurses", **changes: Any) -> uuid.UUID:
        with self.database.write() as session:
            practice = factories.published(session, title=title, **{"themes": ["housing"], **changes})
        self.indexer.drain()
        return practice.id

    def update(self, practice_id: uuid.UUID, title: str) -> None:
        with self.database.write() as session:
            practice = session.get_one(Practice, practice_id)
            fresh = factories.document(title=title, themes=["housing"])
            publishing.publish(session, practice, check(fresh, factories.vocabulary(session)))
        self.indexer.drain()

    def change(self, act: Any) -> None:
        """Let `act` do something with the session and Alice."""
        with self.database.write() as session:
            act(session, session.get_one(User, self.alice.id))

    def run(self, days: float = 1) -> Told:
        return self.alerts.run(START + days * A_DAY)

    def mails(self) -> list[MailMessage]:
        with self.database.read() as session:
            return list(session.scalars(select(MailMessage).order_by(MailMessage.id)))

    def said(self, message: MailMessage) -> dict[str, Any] | None:
        """What a mail says if it goes out now."""
        with self.database.read() as session:
            return alerts.said(session, message.data, message.language)

    def told(self) -> list[list[dict[str, Any]]]:
        """The practices that each mail names."""
        return [said["news"]["practices"] for said in map(self.said, self.mails()) if said]

    def titles(self) -> list[list[str]]:
        """The titles that each mail names."""
        return [[each["title"] for each in practices] for practices in self.told()]

    def search(self, search_id: uuid.UUID) -> SavedSearch:
        with self.database.read() as session:
            return session.get_one(SavedSearch, search_id)


@pytest.fixture
def world(config: Config) -> Iterator[World]:
    world = World(config)
    yield world
    world.close()


def test_it_works(world: World) -> None:
    search_id = world.keep()
    practice_id = world.publish()
    assert world.run() == Told(mails=1, practices=1)
    [message] = world.mails()
    assert (message.kind, message.address, message.user_id) == ("search-news", "alice@example.org", world.alice.id)
    assert message.data == {
        "search": "Housing", "number": 1, "url": "/practices?theme=housing", "search_id": str(search_id),
        "news": {"more": 0, "practices": [{"id": str(practice_id), "new": True}]},
    }  # fmt: skip
    assert world.told() == [[{
        "title": "Rooms for nurses", "country": "Italy", "url": "/practices/rooms-for-nurses", "new": True,
        "line": "Hospitals of the region pair newly arrived nurses with senior colleagues for a year.",
    }]]  # fmt: skip
    assert world.search(search_id).told == START + A_DAY


def test_what_it_found_when_it_was_kept_is_not_told(world: World) -> None:
    world.publish()
    world.keep()
    assert world.run() == Told() and not world.mails()


def test_each_new_match_is_told_once(world: World) -> None:
    world.keep()
    world.publish("Rooms for nurses")
    world.run(1)
    world.publish("Rooms for bakers")
    world.run(2)
    world.run(3)
    assert world.titles() == [["Rooms for nurses"], ["Rooms for bakers"]]


def test_what_is_new_together_comes_in_one_mail(world: World) -> None:
    world.keep()
    world.publish("Rooms for nurses")
    world.publish("Rooms for bakers")
    world.run()
    [titles] = world.titles()
    assert sorted(titles) == ["Rooms for bakers", "Rooms for nurses"]


def test_what_the_search_does_not_find_is_not_told(world: World) -> None:
    world.keep()
    world.publish(themes=["labour-inclusion"])
    assert world.run() == Told()


def test_a_new_version_is_told_once_as_a_change(world: World) -> None:
    practice_id = world.publish()
    world.keep()
    world.update(practice_id, "Rooms and gardens for nurses")
    world.run(1)
    world.run(2)
    [[told]] = world.told()
    assert (told["title"], told["new"]) == ("Rooms and gardens for nurses", False)


def test_a_draft_and_a_submission_are_told_to_nobody(world: World) -> None:
    world.keep()
    world.change(lambda session, alice: factories.submitted(session, alice, themes=["housing"]))
    world.indexer.drain()
    assert world.run() == Told() and not world.mails()


def test_what_went_offline_before_the_mail_is_made_is_not_told(world: World) -> None:
    world.keep()
    practice_id = world.publish()
    with world.database.write() as session:  # the index does not know it yet
        publishing.unpublish(session, session.get_one(Practice, practice_id))
    assert world.run() == Told() and not world.mails()


@pytest.mark.parametrize(
    ("frequency", "days", "told"),
    [
        (Frequency.DAILY, 0.5, False), (Frequency.DAILY, 1, True),
        (Frequency.WEEKLY, 1, False), (Frequency.WEEKLY, 6.5, False), (Frequency.WEEKLY, 7, True),
    ],
)  # fmt: skip
def test_a_search_waits_a_day_or_a_week(world: World, frequency: Frequency, days: float, told: bool) -> None:
    world.keep(frequency=frequency)
    world.publish()
    assert bool(world.run(days).mails) == told


def test_a_timer_that_comes_some_seconds_early_is_not_turned_away(world: World) -> None:
    world.keep()
    world.publish()
    assert world.alerts.run(START + A_DAY - timedelta(seconds=5)).mails == 1


def test_an_operator_may_ask_all_at_once(world: World) -> None:
    world.keep(frequency=Frequency.WEEKLY)
    world.publish()
    assert world.alerts.run(START, everything=True).mails == 1


def test_a_search_that_was_stopped_sends_nothing(world: World) -> None:
    search_id = world.keep()
    world.publish()
    world.change(lambda session, _alice: searches.stop(session, session.get_one(SavedSearch, search_id)))
    assert world.run() == Told() and not world.mails()


def test_what_waits_is_not_sent_once_the_search_is_stopped_and_other_mail_is(world: World) -> None:
    search_id = world.keep()
    world.keep(CatalogueQuery(country=("IT",)))
    world.publish()
    world.run()
    world.change(lambda session, alice: mail.tell(session, "password-changed", alice.email, user=alice))
    world.change(lambda session, _alice: searches.stop(session, session.get_one(SavedSearch, search_id)))
    left = [(message.kind, message.data.get("url")) for message in world.mails()]
    assert left == [("search-news", "/practices?country=IT"), ("password-changed", None)]


def test_who_goes_on_is_told_of_what_is_new_from_then_on(world: World) -> None:
    search_id = world.keep()
    world.change(lambda session, alice: searches.stop(session, searches.get(session, alice, search_id)))
    world.publish("Meanwhile")
    found = world.found(HOUSING)
    world.change(lambda session, alice: searches.go_on(session, alice, search_id, found, START))
    world.publish("Afterwards")
    world.run()
    assert world.titles() == [["Afterwards"]]


def test_who_wants_no_such_mail_gets_none_and_not_later_either(world: World) -> None:
    world.keep()
    world.change(lambda session, alice: notices.choose(session, alice, False))
    world.publish("Meanwhile")
    assert world.run(1) == Told()
    world.change(lambda session, alice: notices.choose(session, alice, True))
    world.publish("Afterwards")
    world.run(2)
    assert world.titles() == [["Afterwards"]]


def test_who_switches_such_mail_off_gets_nothing_that_waits(world: World) -> None:
    world.keep()
    world.publish()
    world.run()
    world.change(lambda session, alice: notices.choose(session, alice, False))
    assert not world.mails()


def test_who_was_disabled_gets_none(world: World) -> None:
    world.keep()
    world.publish()
    world.change(lambda session, alice: accounts.disable(session, alice.email))
    assert world.run() == Told() and not world.mails()


def test_the_mail_is_in_the_language_of_its_person(world: World) -> None:
    world.keep()
    world.change(lambda _session, alice: setattr(alice, "language", "es"))
    spanish = {"language": "es", "title": "Pisos para enfermeras", "summary": "Pisos.", "machine": False}
    world.publish(translations=[spanish])
    world.run()
    [message] = world.mails()
    [[told]] = world.told()
    assert (message.language, told["title"], told["line"], told["country"]) == (
        "es", "Pisos para enfermeras", "Pisos.", "Italia",
    )  # fmt: skip


def test_a_long_summary_becomes_a_line(world: World) -> None:
    world.keep()
    world.publish(summary="Nurses and\n\nbakers " * 30)
    world.run()
    line = world.told()[0][0]["line"]
    assert line.startswith("Nurses and bakers Nurses") and line.endswith(" …")
    assert len(line) <= alerts.LINE + 2


def test_a_mail_names_twenty_and_says_how_many_more(world: World) -> None:
    world.keep()
    with world.database.write() as session:
        for number in range(23):
            factories.published(session, title=f"Rooms {number}", themes=["housing"])
    world.indexer.drain()
    assert world.run() == Told(mails=1, practices=23)
    data = world.mails()[0].data
    assert (len(data["news"]["practices"]), data["news"]["more"], data["number"]) == (20, 3, 23)


def _redacted(session: Session, practice: Practice) -> None:
    dora = accounts.add_user(session, "dora@example.org", "admin")
    redaction.redact(session, dora, practice.id, 1, "It named somebody.")


@pytest.mark.parametrize("taken_away", [publishing.unpublish, _redacted])
def test_a_mail_that_waits_leaves_out_what_is_public_no_more(world: World, taken_away: Any) -> None:
    world.keep()
    gone = world.publish("Rooms for nurses")
    world.publish("Rooms for bakers")
    world.run()
    world.change(lambda session, _alice: taken_away(session, session.get_one(Practice, gone)))
    [message] = world.mails()
    said = world.said(message)
    assert "Rooms" not in str(message.data)
    assert said and (said["number"], world.titles()) == (1, [["Rooms for bakers"]])


def test_a_mail_of_which_nothing_is_public_any_more_says_nothing(world: World) -> None:
    world.keep()
    gone = world.publish()
    world.run()
    world.change(lambda session, _alice: _redacted(session, session.get_one(Practice, gone)))
    assert world.said(world.mails()[0]) is None


def test_two_at_once_tell_once(world: World) -> None:
    world.keep()
    world.publish()
    both = [world.alerts, world.other()]
    ready = threading.Barrier(2)
    told: list[Told] = []

    def run(one: Alerts) -> None:
        ready.wait()
        told.append(one.run(START + A_DAY))

    threads = [threading.Thread(target=run, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.mails for each in told) == [0, 1] and len(world.mails()) == 1


def test_a_run_that_breaks_off_told_nothing_and_the_next_tells_once(world: World) -> None:
    world.keep()
    world.publish()
    broken = "CREATE TRIGGER broken BEFORE INSERT ON mail_messages BEGIN SELECT RAISE(ABORT, 'broken'); END"
    world.change(lambda session, _alice: session.execute(text(broken)))
    with pytest.raises(DBAPIError):
        world.run()
    world.change(lambda session, _alice: session.execute(text("DROP TRIGGER broken")))
    assert world.run() == Told(mails=1, practices=1) and len(world.mails()) == 1


def test_a_theme_that_was_merged_since_is_understood(world: World) -> None:
    world.keep()
    with world.database.write() as session:
        dora = accounts.add_user(session, "dora@example.org", "admin")
        terms.merge(session, dora, terms.THEMES, "housing", "labour-inclusion")
    world.publish(themes=["labour-inclusion"])
    assert world.run().practices == 1


def test_a_search_that_cannot_be_read_any_more_stops_without_a_mail(world: World) -> None:
    search_id = world.keep()
    world.change(lambda session, _alice: setattr(session.get_one(SavedSearch, search_id), "query", "theme=gone"))
    world.publish()
    assert world.run() == Told() and not world.mails()
    assert world.search(search_id).stopped == START + A_DAY


def test_what_is_wrong_with_one_search_keeps_no_other_from_telling(world: World) -> None:
    search_id = world.keep(CatalogueQuery(country=("IT",)))
    world.keep()
    world.change(lambda session, _alice: setattr(session.get_one(SavedSearch, search_id), "query", "theme=gone"))
    world.publish()
    assert world.run().mails == 1


def test_who_leaves_takes_searches_matches_and_mail_along(world: World) -> None:
    world.keep()
    world.publish()
    world.run()
    world.change(lambda session, alice: leaving.leave(session, alice, actor=alice))
    with world.database.read() as session:
        left = [session.scalar(select(func.count()).select_from(table)) for table in (SavedSearch, SavedMatch)]
    assert left == [0, 0] and {message.kind for message in world.mails()} == {"account-deleted"}
