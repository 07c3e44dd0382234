"""What arrives is what was there: rows, rules, people, files, exports."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from bench import lived_in
from kb.config import Config
from kb.db import Database
from kb.models import AuditEntry, IndexOutbox, MailMessage, Practice, RecordTheme
from kb.services import accounts, audit, consistency, exporting, moving, setup
from tests import postgres
from tests.conftest import Site, configure
from tests.moving.bases import contents, moved

Open = Callable[[str], Database]


@pytest.fixture(scope="module")
def old(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A data folder in which people have worked, on SQLite. Only to be read."""
    folder = Path(shutil.copytree(town, tmp_path_factory.mktemp("old") / "data"))
    return configure(folder, KB_DATABASE_URL=f"sqlite:///{folder / 'kb.sqlite'}")


@pytest.fixture(scope="module")
def new(old: Config, server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """Another data folder, on PostgreSQL, to which its base was moved; the files are where they were. To be read."""
    name = f"moved_{os.getpid()}"
    url, folder = server.create(name), tmp_path_factory.mktemp("new") / "data"
    config = configure(folder, KB_DATABASE_URL=url, KB_FILES_DIR=str(old.files_dir))
    databases = [Database(old.database_url), Database(url)]
    moved(*databases)
    for database in databases:
        database.close()
    yield config
    server.drop(name)


@pytest.fixture
def new_to_write(new: Config, server: postgres.Server, tmp_path: Path) -> Iterator[Config]:
    """The same of one's own."""
    name = f"{make_url(new.database_url).database}_copy"
    files = {"KB_FILES_DIR": str(new.files_dir)}
    yield configure(tmp_path / "data", KB_DATABASE_URL=server.create(name, f"moved_{os.getpid()}"), **files)
    server.drop(name)


def test_every_row_of_every_table_arrives(source: Database, target: Database) -> None:
    done = moved(source, target)
    assert contents(target) == contents(source)
    assert all(done.sums[table.name].rows == 2 for table in moving.tables())


def test_every_row_comes_back(source: Database, target: Database, opened: Open, tmp_path: Path) -> None:
    moved(source, target)
    back = opened(f"sqlite:///{tmp_path / 'back.sqlite'}")
    moved(target, back)
    assert contents(back) == contents(source)
    assert (tmp_path / "back.sqlite").stat().st_mode & 0o077 == 0


def test_a_base_is_moved_between_two_databases_of_one_kind(
    source: Database, target: Database, new_url: Callable[[], str], opened: Open
) -> None:
    moved(source, target)
    other = opened(new_url())
    moved(target, other)
    assert contents(other) == contents(source)


def test_what_arrives_has_the_schema_that_the_migrations_make(source: Database, target: Database) -> None:
    moved(source, target)
    assert setup.migrate(target) is None
    with target.engine.connect() as connection:
        assert setup.differences(connection) == []


def test_the_audit_log_cannot_be_changed_where_it_arrived(source: Database, target: Database) -> None:
    moved(source, target)
    for change in ("UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"):
        with pytest.raises(DBAPIError, match="never changed or deleted"), target.engine.begin() as connection:
            connection.exec_driver_sql(change)


def test_foreign_keys_hold_where_it_arrived(source: Database, target: Database) -> None:
    moved(source, target)
    with pytest.raises(IntegrityError), target.write() as session:
        practice = session.scalars(select(Practice)).first()
        assert practice
        session.add(RecordTheme(practice_id=practice.id, theme="no-such-theme", position=4))


def test_checks_hold_where_it_arrived(source: Database, target: Database) -> None:
    moved(source, target)
    with pytest.raises(IntegrityError), target.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET email = 'ANNA@example.org'")


def test_what_is_numbered_goes_on_after_the_last_number(source: Database, target: Database) -> None:
    moved(source, target)
    with target.write() as session:
        last = session.scalars(select(AuditEntry.id).order_by(AuditEntry.id.desc())).first() or 0
        audit.note(session, None, "test", "practice", "x")
        session.flush()
        assert session.scalars(select(AuditEntry.id).order_by(AuditEntry.id.desc())).first() == last + 1


def test_a_base_in_which_nothing_is_numbered_yet_begins_with_one(
    tmp_path: Path, target: Database, opened: Open
) -> None:
    empty = opened(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    setup.migrate(empty)
    moved(empty, target)
    with target.write() as session:
        audit.note(session, None, "test", "practice", "x")
        session.flush()
        assert session.scalars(select(AuditEntry.id)).all() == [1]


def test_regions_that_come_before_the_ones_above_them_arrive(tmp_path: Path, target: Database, opened: Open) -> None:
    """A row may name one of its own table that has a later key."""
    source = opened(f"sqlite:///{tmp_path / 'source.sqlite'}")
    setup.migrate(source)
    with source.engine.begin() as connection:
        for code, level, parent in (("Z", 0, None), ("M", 1, "Z"), ("A", 2, "M")):
            connection.exec_driver_sql(
                "INSERT INTO regions (code, edition, level, country, parent, name_native, name_latin)"
                " VALUES (?, '2024', ?, 'IT', ?, 'x', 'x')",
                (code, level, parent),
            )
    moved(source, target)
    back = opened(f"sqlite:///{tmp_path / 'back.sqlite'}")
    moved(target, back)
    assert contents(back)["regions"] == contents(source)["regions"] == contents(target)["regions"]


def test_the_source_stays_as_it_was(source: Database, target: Database) -> None:
    before = contents(source)
    moved(source, target)
    assert contents(source) == before
    assert setup.migrate(source) is None


def test_all_that_people_did_arrives(old: Config, new: Config, opened: Open) -> None:
    there, here = contents(opened(new.database_url)), contents(opened(old.database_url))
    assert there == here
    worked_in = {
        "users", "practices", "revisions", "records", "adoptions", "reports", "claims", "comments", "reviews",
        "buffers", "stored_files", "practice_files", "preview_links", "shortlist_entries", "transfer_checks",
        "api_tokens", "user_sessions", "audit_entries", "mail_messages", "index_outbox",
    }  # fmt: skip
    assert [name for name in worked_in if not there[name]] == []


def test_check_finds_nothing_wrong(old: Config, new: Config, opened: Open) -> None:
    site = Site(new)
    try:
        site.parts.indexer.rebuild()
        assert list(consistency.faults(site.database, site.parts.engine, new.files_dir)) == []
    finally:
        site.close()


def test_people_sign_in_with_their_passwords(new: Config, opened: Open) -> None:
    with opened(new.database_url).read() as session:
        assert accounts.authenticate(session, "editor0@example.org", lived_in.PASSWORD).role == "editor"


def test_what_waits_goes_on_there(new_to_write: Config, opened: Open) -> None:
    """Mails that are to go out, and practices that are to be looked at by the index."""
    database = opened(new_to_write.database_url)
    site = Site(new_to_write)
    try:
        site.parts.indexer.rebuild()
        site.drain()
        site.parts.postman.deliver()
    finally:
        site.close()
    with database.read() as session:
        assert session.scalars(select(IndexOutbox.id)).all() == []
        assert session.scalars(select(MailMessage.id).where(MailMessage.sent.is_(None))).all() == []


@pytest.mark.parametrize("name", ["all.json", "all.jsonl", "all.csv"])
def test_an_export_is_the_same_in_every_byte(name: str, old: Config, new: Config, opened: Open, tmp_path: Path) -> None:
    assert exported(opened(new.database_url), tmp_path / name) == exported(opened(old.database_url), tmp_path / name)


def exported(database: Database, path: Path) -> bytes:
    with database.read() as session:
        assert exporting.to_file(session, path, "https://practices.example.eu") > 15
    return path.read_bytes()


def test_a_workbook_has_the_same_cells(old: Config, new: Config, opened: Open, tmp_path: Path) -> None:
    found = []
    for name, config in (("old", old), ("new", new)):
        exported(opened(config.database_url), tmp_path / f"{name}.xlsx")
        book = load_workbook(tmp_path / f"{name}.xlsx")
        sheets = [sheet for sheet in book.worksheets if "about" not in sheet.title.lower()]
        found.append({sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in sheets})
    assert found[0] == found[1]
    assert found[0]


PAGES = [
    "/oai?verb=ListRecords&metadataPrefix=oai_dc", "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc",
    "/oai?verb=ListSets", "/feed.atom", "/sitemap/practices-1.xml", "/sitemap/pages.xml",
    "/api/v1/practices?per_page=100", "/practices", "/practices/practice-0-uber-strasse",
    "/practices/practice-1-uber-strasse/versions", "/practices/practice-1-uber-strasse.jsonld", "/themes",
    "/practices.csv", "/practices.json",
]  # fmt: skip


def test_pages_and_feeds_are_the_same(old: Config, new: Config) -> None:
    sites = [Site(config) for config in (old, new)]
    try:
        for site in sites:
            site.parts.indexer.rebuild()
        for page in PAGES:
            here, there = (site.client().get(page) for site in sites)
            assert (here.status_code, there.status_code) == (200, 200), page
            assert timeless(there.get_data(as_text=True)) == timeless(here.get_data(as_text=True)), page
    finally:
        for site in sites:
            site.close()


def timeless(page: str) -> str:
    """A page without what is another at each look: the moment of the answer, and marks against forgery."""
    page = re.sub(r"<(responseDate|lastmod)>[^<]*</", r"<\1></", page)
    return re.sub(r'(name="csrf_token"[^>]*value|nonce)="[^"]*"', r"\1", page)
