"""The index can be lost at any time: readers are told, writers are not held up, and it comes back by itself."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kb.models import IndexOutbox, Practice, User
from kb.services import indexing, publishing, vocabularies
from kb.services.checking import check
from kb.services.errors import Conflict
from kb.services.locks import open_locks
from tests import factories
from tests.conftest import Site
from tests.stack import whoosh_only

SEEDED = "catalonia-acol-line"


def eventually(fact: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true within a generous time."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@whoosh_only("A folder of files is removed; tests/recovery/test_typesense.py loses a collection.")
def test_a_lost_index_is_said_plainly_and_built_anew(seeded_site: Site) -> None:
    client = seeded_site.client()
    assert client.get("/practices?q=talent").status_code == 200
    shutil.rmtree(seeded_site.config.index_dir)
    time.sleep(0.3)  # an open index is looked at again after 250 ms
    answer = client.get("/practices?q=talent")
    assert answer.status_code == 503 and "Nothing is lost" in answer.get_data(as_text=True)
    assert eventually(lambda: client.get("/practices?q=talent").status_code == 200)
    assert client.get("/api/v1/practices").get_json()["total"] == 120


@whoosh_only("A folder of files is removed; tests/recovery/test_typesense.py loses a collection.")
def test_a_practices_own_page_needs_no_index(seeded_site: Site) -> None:
    shutil.rmtree(seeded_site.config.index_dir)
    time.sleep(0.3)
    assert seeded_site.client().get("/practices/catalonia-acol-line").status_code == 200


@whoosh_only("A folder of files is removed; tests/recovery/test_typesense.py loses a collection.")
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


def rebuild_during(site: Site, monkeypatch: pytest.MonkeyPatch, change: Callable[[Session], None]) -> None:
    """Rebuild the index while something changes and is drained, long after its transaction began."""
    engine, indexer = site.parts.engine, site.parts.indexer
    rebuild = engine.rebuild

    def with_a_change_meanwhile(documents: object, replay: object, **how: bool) -> int:
        def then_change(source: object) -> object:
            yield from source
            with site.database.write() as session:
                change(session)
                session.flush()
                session.execute(update(Practice).values(changed=publishing.now() - timedelta(hours=1)))
            indexer.drain()  # into the index that is about to be replaced

        return rebuild(then_change(documents), replay, **how)

    monkeypatch.setattr(engine, "rebuild", with_a_change_meanwhile)
    indexer.rebuild()


def total(site: Site, question: str) -> int:
    return int(site.client().get(f"/api/v1/practices?q={question}").get_json()["total"])


def slug_of(session: Session, slug: str) -> Practice:
    return session.scalars(select(Practice).where(Practice.slug == slug)).one()


def publish_anew(session: Session, slug: str, **changes: object) -> None:
    document = check(factories.document(**changes), vocabularies.load(session))
    publishing.publish(session, slug_of(session, slug), document)


def test_what_is_published_during_a_rebuild_is_in_the_new_index(
    seeded_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(session: Session) -> None:
        factories.published(session, title="Zanzara mentoring", adapted_from=[{"slug": SEEDED, "changes": None}])

    rebuild_during(seeded_site, monkeypatch, change)
    assert total(seeded_site, "zanzara") == 1
    assert most_adopted(seeded_site) == SEEDED  # its own version did not change


def test_what_is_published_anew_during_a_rebuild_is_new_in_the_index(
    seeded_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with seeded_site.database.write() as session:
        slug = factories.published(session, title="Zanzara mentoring").slug
    seeded_site.drain()

    def change(session: Session) -> None:
        publish_anew(session, str(slug), title="Libellula mentoring")

    rebuild_during(seeded_site, monkeypatch, change)
    assert (total(seeded_site, "zanzara"), total(seeded_site, "libellula")) == (0, 1)


def test_what_is_published_while_a_rebuild_catches_up_is_in_the_new_index(
    seeded_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexer = seeded_site.parts.indexer
    hold_up = indexer._only_one

    def after_a_change(name: str) -> object:
        with seeded_site.database.write() as session:
            factories.published(session, title="Zanzara mentoring")
        indexer.drain()  # into the index that is about to be replaced
        return hold_up(name)

    monkeypatch.setattr(indexer, "_only_one", after_a_change)
    indexer.rebuild()
    assert total(seeded_site, "zanzara") == 1


def test_what_is_unpublished_during_a_rebuild_is_not_in_the_new_index(
    seeded_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild_during(seeded_site, monkeypatch, lambda session: publishing.unpublish(session, slug_of(session, SEEDED)))
    assert total(seeded_site, "") == 119


@whoosh_only("It looks into a folder of files, and holds the lock of SQLite, which is a file too.")
def test_a_rebuild_that_cannot_hold_up_draining_says_so_and_swaps_nothing(
    seeded_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PATIENCE", 0.05)
    before = (seeded_site.config.index_dir / "CURRENT").read_bytes()
    for name, start in (("", "rebuild"), ("-ensure", "ensure")):
        if name:
            (seeded_site.config.index_dir / "CURRENT").unlink()
        with open_locks(seeded_site.database, seeded_site.config.data_dir).hold(f"index{name}") as held:
            assert held
            with contextlib.closing(Site(seeded_site.config)) as other, pytest.raises(Conflict):
                getattr(other.parts.indexer, start)()
        if not name:
            assert (seeded_site.config.index_dir / "CURRENT").read_bytes() == before


def most_adopted(site: Site) -> str:
    answer = site.client().get("/api/v1/practices?sort=adopted&per_page=1").get_json()
    return str(answer["items"][0]["slug"])


def test_the_order_by_adoptions_follows_what_is_published_and_taken_away(site: Site) -> None:
    with site.database.write() as session:
        for title in ("Aalborg model", "Zagreb model"):
            factories.published(session, title=title)
    site.drain()
    assert most_adopted(site) == "aalborg-model"
    with site.database.write() as session:
        copy = factories.published(session, title="Copy", adapted_from=[{"slug": "zagreb-model", "changes": None}])
    site.drain()
    assert most_adopted(site) == "zagreb-model"
    with site.database.write() as session:
        publish_anew(session, str(copy.slug), adapted_from=[{"slug": "aalborg-model", "changes": None}])
    site.drain()
    assert most_adopted(site) == "aalborg-model"
    with site.database.write() as session:
        publish_anew(session, str(copy.slug), adapted_from=[{"slug": "zagreb-model", "changes": None}])
    site.drain()
    with site.database.write() as session:
        publishing.unpublish(session, slug_of(session, str(copy.slug)))
    site.drain()
    assert most_adopted(site) != "zagreb-model"  # none is adapted any more: by title
