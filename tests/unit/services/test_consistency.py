"""`check` finds what does not agree, and nothing where all is well."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select, update

from kb.config import Config
from kb.db import Database
from kb.models import IndexOutbox, Practice, Record, RecordTheme, Revision, RevisionKind, State, User
from kb.search.port import Document
from kb.services import consistent_index, lifecycle
from kb.services.consistency import faults
from kb.services.indexing import Indexer
from kb.services.practices import working_copy
from kb.services.publishing import publish, touch, unpublish
from tests import factories
from tests.conftest import make_indexer


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes in these tests, so there is nothing to wait for."""
    monkeypatch.setattr(consistent_index, "PATIENCE", 0.0)


@pytest.fixture
def indexer(config: Config, database: Database) -> Iterator[Indexer]:
    indexer = make_indexer(config, database)
    yield indexer
    indexer.engine.close()


@pytest.fixture
def base(database: Database, indexer: Indexer) -> Database:
    """Two public practices, a draft and a submission, indexed."""
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        factories.published(session, alice, title="First practice", budget_eur=1000.5, other_regions=[{"code": "AT31"}])
        factories.published(session, alice, title="Second practice", adapted_from=[{"slug": "first-practice"}])
        factories.draft(session, alice, title="A draft", themes=["no-such-theme"])
        factories.submitted(session, alice, title="A submission")
    indexer.drain()
    return database


def found(base: Database, indexer: Indexer) -> list[str]:
    return list(faults(base, indexer.engine))


def test_a_sound_base_has_no_fault(base: Database, indexer: Indexer) -> None:
    assert found(base, indexer) == []


def test_the_whole_seed_has_no_fault(seeded_config: Config, seeded_database: Database) -> None:
    indexer = make_indexer(seeded_config, seeded_database)
    assert found(seeded_database, indexer) == []
    indexer.engine.close()


def test_a_practice_missing_in_the_index_is_named(base: Database, indexer: Indexer) -> None:
    with base.read() as session:
        key = session.scalars(select(Practice.id).where(Practice.slug == "first-practice")).one()
    indexer.engine.update([], [str(key)])
    assert found(base, indexer) == ["first-practice is public, but not in the search index. Run reindex."]


def test_a_practice_that_only_the_index_knows_is_named(base: Database, indexer: Indexer) -> None:
    ghost = str(uuid.uuid4())
    indexer.engine.update([Document(id=ghost, slug="ghost", title="Ghost", language="en")])
    assert found(base, indexer) == [f"The search index holds a practice that is not public: {ghost}. Run reindex."]


def test_changes_that_wait_for_the_index_are_counted(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        for practice in session.scalars(select(Practice).join(Record)):
            unpublish(session, practice)
            practice.state = State.WITHDRAWN
    assert found(base, indexer) == ["2 practices wait for the search index. Run reindex."]


def test_a_change_that_reaches_the_index_meanwhile_is_no_fault(
    base: Database, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with base.write() as session:
        touch(session, session.scalars(select(Practice).where(Practice.slug == "first-practice")).one())
    monkeypatch.setattr(consistent_index.time, "sleep", lambda _seconds: indexer.drain())
    assert found(base, indexer) == []


def test_a_lost_index_is_named(base: Database, indexer: Indexer, config: Config) -> None:
    indexer.engine.close()
    shutil.rmtree(config.index_dir)
    fresh = make_indexer(config, base)
    (fault,) = found(base, fresh)
    assert fault.startswith("The search index cannot be read")
    fresh.engine.close()


def test_a_missing_revision_is_named(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        submission = session.scalars(select(Practice).where(Practice.title == "A submission")).one()
        key = submission.id
        session.execute(delete(Revision).where(Revision.practice_id == key, Revision.number == 1))
    assert found(base, indexer) == [
        f"“A submission” ({key}) should have 2 revisions, but has 1, the last with the number 2. Compare it with a "
        "backup."
    ]


def test_a_version_without_its_revision_is_named(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        session.execute(update(Practice).where(Practice.slug == "first-practice").values(version=7))
    assert found(base, indexer) == [
        "first-practice is public in version 7, but no revision holds that version. Restore a backup, or publish it "
        "again."
    ]


def test_readers_who_see_something_else_than_was_published_are_told(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        key = session.scalars(select(Practice.id).where(Practice.slug == "first-practice")).one()
        session.execute(
            update(Record).where(Record.practice_id == key).values(summary="Other words.", budget_year=1999)
        )
    assert found(base, indexer) == [
        "first-practice shows readers something else than version 1 says: summary, budget_year. Publish it again."
    ]


def test_what_an_editor_published_and_verified_by_that_has_no_fault(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        practice = factories.submitted(session, factories.person(session, "erin@example.org", "member"))
        publish(session, practice, working_copy(session, practice), author_id=bob.id)
        assert practice.last_verified is not None
    indexer.drain()
    assert found(base, indexer) == []


def test_a_reference_to_a_practice_that_went_offline_and_was_left_is_named(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        first = session.scalars(select(Practice).where(Practice.slug == "first-practice")).one()
        unpublish(session, first)
        first.state = State.WITHDRAWN
    indexer.drain()
    assert found(base, indexer) == [
        "second-practice shows readers something else than version 1 says: adapted_from. Publish it again."
    ]


def test_a_practice_that_goes_offline_leaves_no_reference_and_has_it_again(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        editor = factories.person(session, "editor@example.org", "editor")
        first = session.scalars(select(Practice).where(Practice.slug == "first-practice")).one()
        second = session.scalars(select(Practice).where(Practice.slug == "second-practice")).one()
        lifecycle.unpublish(session, editor, first, "Wrong figures.")
        assert second.record is not None and second.record.adapted_from == []
    indexer.drain()
    assert found(base, indexer) == []
    with base.write() as session:
        first = session.get_one(Practice, first.id)
        lifecycle.republish(session, session.get_one(User, editor.id), first)
        naming = session.get_one(Record, second.id).adapted_from
    indexer.drain()
    assert found(base, indexer) == [] and [entry["slug"] for entry in naming] == ["first-practice"]


@pytest.mark.parametrize("state", [State.ARCHIVED, State.WITHDRAWN, State.REJECTED])
def test_a_practice_that_stands_offline_but_is_public_is_named(base: Database, indexer: Indexer, state: State) -> None:
    with base.write() as session:
        session.execute(update(Practice).where(Practice.slug == "second-practice").values(state=state))
    assert found(base, indexer) == [
        f"second-practice stands as {state}, but readers see it. Archive it or publish it again."
    ]


def test_a_practice_that_stands_as_published_but_is_not_is_named(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        unpublish(session, session.scalars(select(Practice).where(Practice.slug == "second-practice")).one())
    indexer.drain()
    assert found(base, indexer) == [
        "second-practice stands as published, but readers see nothing. Archive it or publish it again."
    ]


def test_a_reference_to_an_archived_practice_leads_somewhere(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        first = session.scalars(select(Practice).where(Practice.slug == "first-practice")).one()
        unpublish(session, first)
        first.state = State.ARCHIVED
    indexer.drain()
    assert found(base, indexer) == []


def test_a_submission_with_a_term_that_is_gone_is_named(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        revision = session.scalars(select(Revision).where(Revision.kind == RevisionKind.SUBMITTED)).one()
        revision.document = {
            **revision.document,
            "themes": ["gone"],
            "target_groups": ["gone"],
            "region": {"code": "ZZ"},
        }
    changed, *sentences = found(base, indexer)
    assert "is not what was saved" in changed
    assert [sentence.partition(" has ")[2] for sentence in sentences] == [
        "the theme gone, which is not in the list. Add it to the list, or choose another.",
        "the target group gone, which is not in the list. Add it to the list, or choose another.",
        "the region ZZ, which is not in the list. Choose another.",
    ]
    assert all("The working copy of “A submission”" in sentence for sentence in sentences)


def test_a_row_without_its_parent_is_named(base: Database, indexer: Indexer) -> None:
    with base.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("UPDATE record_themes SET theme = 'gone' WHERE position = 0")
    assert any("record_themes" in fault and "themes" in fault for fault in found(base, indexer))


def test_a_damaged_file_is_named_and_not_read_on(base: Database, indexer: Indexer, config: Config) -> None:
    assert config.database_path
    base.close()
    with contextlib.closing(sqlite3.connect(config.database_path)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit_entries'")
        ((size,),) = connection.execute("PRAGMA page_size")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(config.database_path.read_bytes())
    raw[(page - 1) * size : page * size] = b"\xff" * size
    config.database_path.write_bytes(raw)
    sentences = found(base, indexer)
    assert sentences and all(sentence.startswith("The database file is damaged") for sentence in sentences)


def test_nothing_is_changed_by_looking(base: Database, indexer: Indexer) -> None:
    with base.write() as session:
        session.execute(delete(RecordTheme).where(RecordTheme.position == 0))
    first = found(base, indexer)
    assert first and found(base, indexer) == first
    with base.read() as session:
        assert session.scalars(select(IndexOutbox)).all() == []
