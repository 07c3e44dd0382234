"""The index can be lost at any time: readers are told, writers are not held up, and it comes back by itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from kb.models import IndexOutbox, User
from kb.services import publishing
from tests import factories
from tests.conftest import Site


def eventually(fact: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true within a generous time."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_lost_index_is_said_plainly_and_built_anew(seeded_site: Site) -> None:
    client = seeded_site.client()
    assert client.get("/practices?q=talent").status_code == 200
    shutil.rmtree(seeded_site.config.index_dir)
    time.sleep(0.3)  # an open index is looked at again after 250 ms
    answer = client.get("/practices?q=talent")
    assert answer.status_code == 503 and "Nothing is lost" in answer.get_data(as_text=True)
    assert eventually(lambda: client.get("/practices?q=talent").status_code == 200)
    assert client.get("/api/v1/practices").get_json()["total"] == 120


def test_a_practices_own_page_needs_no_index(seeded_site: Site) -> None:
    shutil.rmtree(seeded_site.config.index_dir)
    time.sleep(0.3)
    assert seeded_site.client().get("/practices/catalonia-acol-line").status_code == 200


def test_a_publication_is_kept_while_the_index_is_lost(seeded_site: Site) -> None:
    shutil.rmtree(seeded_site.config.index_dir)
    time.sleep(0.3)
    with seeded_site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        factories.published(session, alice, title="Zanzara mentoring")
    seeded_site.parts.indexer.after_commit()
    seeded_site.parts.indexer.ensure()
    assert seeded_site.client().get("/api/v1/practices?q=zanzara").get_json()["total"] == 1


def test_what_was_left_undrained_is_found_after_a_start(seeded_site: Site) -> None:
    with seeded_site.database.write() as session:
        factories.published(session, title="Zanzara mentoring")  # and then the process dies: nothing drains it
    again = Site(seeded_site.config)
    again.parts.indexer.ensure()
    assert again.client().get("/api/v1/practices?q=zanzara").get_json()["total"] == 1
    again.close()


def test_a_drain_takes_an_unpublished_practice_out(seeded_site: Site) -> None:
    with seeded_site.database.write() as session:
        practice = factories.published(session, title="Zanzara mentoring")
    seeded_site.drain()
    with seeded_site.database.write() as session:
        publishing.unpublish(session, session.get(type(practice), practice.id))
    seeded_site.drain()
    assert seeded_site.client().get("/api/v1/practices?q=zanzara").get_json()["total"] == 0
    with seeded_site.database.read() as session:
        assert session.scalar(select(IndexOutbox.id)) is None


def test_what_changes_during_a_rebuild_is_in_the_new_index(seeded_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, indexer = seeded_site.parts.engine, seeded_site.parts.indexer
    rebuild = engine.rebuild

    def with_a_publication_meanwhile(documents: object, replay: object) -> int:
        def then_publish(source: object) -> object:
            yield from source
            with seeded_site.database.write() as session:
                factories.published(session, title="Zanzara mentoring")
            indexer.drain()  # into the index that is about to be replaced

        return rebuild(then_publish(documents), replay)

    monkeypatch.setattr(engine, "rebuild", with_a_publication_meanwhile)
    indexer.rebuild()
    assert seeded_site.client().get("/api/v1/practices?q=zanzara").get_json()["total"] == 1
