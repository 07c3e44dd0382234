"""The files folder and the database stay in step: what nothing names goes, what is lost or damaged is named."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Buffer, Form, Practice, PracticeFile, Record, Revision, Role, StoredFile, User
from kb.services import (
    accounts,
    file_keeping,
    files,
    leaving,
    practice_files,
    practices,
    privacy,
    publishing,
    redaction,
    retention,
    vocabularies,
)
from kb.services.checking import check
from kb.services.errors import Invalid
from kb.services.files import Store
from kb.services.practice_files import Words
from kb.services.shown_files import settle
from tests import factories, uploads

NOW = datetime.now(UTC)
LATER = NOW + file_keeping.GRACE + timedelta(hours=6)  # the module is read long before its tests run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "files")


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


@pytest.fixture
def practice(session: Session, alice: User) -> Practice:
    return factories.draft(session, alice)


def add(session: Session, alice: User, store: Store, practice: Practice, data: bytes = uploads.pdf()) -> str:
    with files.receive(store, io.BytesIO(data), "file.pdf", "attachment") as taken:
        return practice_files.add(session, alice, store, practice, "attachment", taken, Words()).sha256


def rows(session: Session) -> int:
    session.flush()
    return session.scalar(select(func.count()).select_from(StoredFile)) or 0


def forget(session: Session, practice: Practice) -> None:
    """Empty every text of a practice, as nothing else does."""
    redaction.empty_revisions(session, practice.id, "test")


# The sweep


def test_what_a_draft_names_stays(session: Session, alice: User, store: Store, practice: Practice) -> None:
    add(session, alice, store, practice)
    assert file_keeping.sweep(session, LATER) == 0 and rows(session) == 1


def test_what_an_earlier_draft_names_stays(session: Session, alice: User, store: Store, practice: Practice) -> None:
    sha256 = add(session, alice, store, practice)
    practice_files.remove(session, alice, practice, "attachment", sha256)
    assert file_keeping.sweep(session, LATER) == 0
    assert session.get(PracticeFile, (practice.id, sha256)) is not None


def test_what_nothing_names_goes_after_a_day(session: Session, alice: User, store: Store, practice: Practice) -> None:
    add(session, alice, store, practice)
    forget(session, practice)
    assert file_keeping.sweep(session, NOW) == 0 and rows(session) == 1
    assert retention.sweep(session, LATER).files == 1 and rows(session) == 0


def test_what_is_in_a_text_that_is_being_written_stays(
    session: Session, alice: User, store: Store, practice: Practice
) -> None:
    sha256 = add(session, alice, store, practice)
    session.add(
        Buffer(practice_id=practice.id, user_id=alice.id, form=Form.PRACTICE, pairs=[["images-0-sha256", sha256]])
    )
    session.execute(delete(Revision))
    assert file_keeping.sweep(session, LATER) == 0 and rows(session) == 1


def test_what_another_practice_names_stays(session: Session, alice: User, store: Store, practice: Practice) -> None:
    other = factories.draft(session, alice, title="Another")
    sha256 = add(session, alice, store, practice)
    add(session, alice, store, other)
    forget(session, practice)
    assert file_keeping.sweep(session, LATER) == 0 and rows(session) == 1
    assert session.get(PracticeFile, (practice.id, sha256)) is None
    assert session.get(PracticeFile, (other.id, sha256)) is not None


def on_disk(store: Store) -> list[str]:
    return [path.name for path in store.folder.rglob("*") if path.is_file()]


def test_the_bytes_of_a_file_without_a_row_go_after_a_day(database: Database, store: Store) -> None:
    with database.write() as session:
        alice = accounts.add_user(session, "alice@example.org", Role.MEMBER)
        sha256 = add(session, alice, store, factories.draft(session, alice))
    assert file_keeping.sweep_folder(database, store.folder, LATER) == 0
    with database.write() as session:
        session.execute(delete(PracticeFile))
        session.execute(delete(StoredFile))
    assert file_keeping.sweep_folder(database, store.folder, NOW) == 0 and on_disk(store) == [sha256[2:]]
    assert file_keeping.sweep_folder(database, store.folder, LATER) == 1 and on_disk(store) == []


def test_what_a_killed_upload_left_goes_after_a_day(database: Database, store: Store) -> None:
    store.folder.mkdir()
    (store.folder / ".upload-0123").write_bytes(b"half")
    assert file_keeping.sweep_folder(database, store.folder, NOW) == 0
    assert file_keeping.sweep_folder(database, store.folder, LATER) == 1 and on_disk(store) == []


def test_what_is_not_ours_in_the_folder_stays(database: Database, store: Store) -> None:
    store.folder.mkdir()
    (store.folder / "notes.txt").write_text("mine")
    assert file_keeping.sweep_folder(database, store.folder, LATER) == 0 and on_disk(store) == ["notes.txt"]


def test_a_file_that_is_uploaded_again_this_moment_is_given_back(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        alice = accounts.add_user(session, "alice@example.org", Role.MEMBER)
        sha256 = add(session, alice, store, factories.draft(session, alice))
        session.execute(delete(PracticeFile))
        session.execute(delete(StoredFile))
    path = store.path(sha256)
    os.utime(path, (0, 0))
    rename = Path.rename

    def uploaded_first(self: Path, target: Path) -> Path:
        if self == path:
            os.utime(path)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", uploaded_first)
    assert file_keeping.sweep_folder(database, store.folder, NOW) == 0 and on_disk(store) == [sha256[2:]]


def test_no_folder_is_nothing_to_sweep(database: Database, store: Store) -> None:
    assert file_keeping.sweep_folder(database, store.folder, LATER) == 0


# The check


def published(database: Database, store: Store) -> str:
    """A public practice with a document."""
    with database.write() as session:
        alice = accounts.add_user(session, "alice@example.org", Role.MEMBER)
        practice = factories.draft(session, alice)
        sha256 = add(session, alice, store, practice)
        document = check(practices.working_copy(session, practice), vocabularies.load(session))
        publishing.publish(session, practice, document)
        return sha256


def test_all_is_well(database: Database, store: Store) -> None:
    published(database, store)
    assert list(file_keeping.faults(database, store.folder)) == []


def test_a_missing_file_is_named(database: Database, store: Store) -> None:
    sha256 = published(database, store)
    store.path(sha256).unlink()
    [fault] = file_keeping.faults(database, store.folder)
    assert sha256 in fault and "not in the files folder" in fault


def test_a_changed_file_is_named(database: Database, store: Store) -> None:
    sha256 = published(database, store)
    store.path(sha256).write_bytes(b"something else")
    [fault] = file_keeping.faults(database, store.folder)
    assert sha256 in fault and "changed or damaged" in fault


@pytest.mark.parametrize("name", ["ab/" + "c" * 62, "stray.txt"])
def test_a_file_without_a_row_is_named(database: Database, store: Store, name: str) -> None:
    published(database, store)
    (store.folder / name).parent.mkdir(exist_ok=True)
    (store.folder / name).write_bytes(b"x")
    os.utime(store.folder / name, (0, 0))
    [fault] = file_keeping.faults(database, store.folder)
    assert name in fault and "in no table" in fault


def test_what_a_killed_upload_left_a_moment_ago_is_no_fault_for_the_sweep_takes_it(
    database: Database, store: Store
) -> None:
    published(database, store)
    left = store.folder / "ab" / ("c" * 62)
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"x")
    assert list(file_keeping.faults(database, store.folder)) == []
    assert file_keeping.sweep_folder(database, store.folder, LATER) == 1 and not left.exists()


def test_a_public_practice_that_names_a_file_without_a_row_is_named(database: Database, store: Store) -> None:
    sha256 = published(database, store)
    with database.write() as session:
        session.execute(delete(PracticeFile))
        session.execute(delete(StoredFile))
    store.path(sha256).unlink()
    [fault] = file_keeping.faults(database, store.folder)
    assert "mentors-for-newly-arrived-nurses" in fault and sha256 in fault


# Documents that name files


def test_a_published_record_of_an_import_may_name_a_file_that_is_here(
    session: Session, alice: User, store: Store, practice: Practice
) -> None:
    sha256 = add(session, alice, store, practice)
    other = factories.draft(session, alice, title="Another")
    document = factories.document(attachments=[{"sha256": sha256, "title": "Report", "media_type": "image/png"}])
    [entry] = settle(session, None, other, document)["attachments"]
    assert entry == {"title": "Report", "url": f"/files/{sha256}.pdf", "media_type": "application/pdf",
                     "bytes": len(uploads.pdf()), "sha256": sha256}  # fmt: skip
    assert session.get(PracticeFile, (other.id, sha256)) is not None


@pytest.mark.parametrize(
    "entry",
    [
        {"sha256": "0" * 64},
        {"url": f"/files/{'0' * 64}.pdf"},
        {"url": "/files/x.pdf"},
        {"url": "/files/", "title": "x"},
    ],
)
def test_no_document_names_a_file_that_is_not_here(
    session: Session, alice: User, practice: Practice, entry: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        settle(session, None, practice, factories.document(attachments=[entry]))
    assert refused.value.problems[0].field.startswith("attachments.0.")


def test_a_page_elsewhere_may_be_linked(session: Session, practice: Practice) -> None:
    document = factories.document(attachments=[{"url": "https://a.example/report.pdf", "title": "Report"}])
    assert settle(session, None, practice, document) == document


# People


def test_who_uploaded_a_file_is_in_the_copy_of_their_data_and_forgotten_when_they_leave(
    session: Session, alice: User, store: Store, practice: Practice
) -> None:
    sha256 = add(session, alice, store, practice)
    assert [each["sha256"] for each in privacy.copy_for(session, alice, "")["stored_files"]] == [sha256]
    leaving.leave(session, alice, actor=alice)
    held = session.get_one(StoredFile, sha256)
    session.refresh(held)
    assert held.uploader_id is None and session.scalar(select(func.count()).select_from(Record)) == 0
