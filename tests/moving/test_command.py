"""`python -m kb move` as a person types it."""

from __future__ import annotations

import io
import shutil
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bench import lived_in
from kb.config import Config
from kb.db import Database
from kb.services import accounts, moving_files, sessions, staging
from kb.services.errors import Conflict
from kb.services.importing import Aim
from kb.services.locks import FileLocks, open_locks
from kb.services.occupancy import using
from tests.conftest import configure
from tests.moving.bases import contents
from tests.unit.test_cli import Run, runner

Open = Callable[[str], Database]


@pytest.fixture
def config(town: Path, tmp_path: Path) -> Config:
    """A data folder in which people have worked, on SQLite."""
    folder = Path(shutil.copytree(town, tmp_path / "data"))
    return configure(folder, KB_DATABASE_URL=f"sqlite:///{folder / 'kb.sqlite'}")


@pytest.fixture
def kb(config: Config) -> Run:
    """Commands on it."""
    run = runner(config.data_dir)
    return lambda *args, **how: run(*args, **{"env": {"KB_DATABASE_URL": config.database_url}, **how})


def test_a_base_is_moved_and_served_from_there(
    kb: Run, config: Config, new_url: Callable[[], str], opened: Open
) -> None:
    url = new_url()
    said = kb("move", "--reindex", url).output
    assert "rows of" in said
    assert "are the same in both, by number and checksum" in said
    assert "The search index holds 2" in said
    assert f"KB_DATABASE_URL={url}" in said
    assert "All is well." in kb("check", env={"KB_DATABASE_URL": url}).output
    there, here = contents(opened(url)), contents(opened(config.database_url))
    assert there.pop("index_outbox") == []  # they are in the index by now
    del here["index_outbox"]
    assert {each["name"] for each in there.pop("agreements")} == {
        "files-folder",
        "secret-key",
    }  # who serves there
    del here["agreements"]
    assert there == here


def test_run_again_it_finds_all_there(kb: Run, new_url: Callable[[], str]) -> None:
    url = new_url()
    kb("move", url)
    assert "The base is there already" in kb("move", url).output


def test_and_back(kb: Run, new_url: Callable[[], str], tmp_path: Path, opened: Open) -> None:
    url, back = new_url(), f"sqlite:///{tmp_path / 'back.sqlite'}"
    kb("move", url)
    kb("move", back, env={"KB_DATABASE_URL": url})
    with opened(back).read() as session:
        assert accounts.authenticate(session, "editor0@example.org", lived_in.PASSWORD)


def test_whoever_is_signed_in_stays_so(kb: Run, config: Config, new_url: Callable[[], str], opened: Open) -> None:
    with opened(config.database_url).write() as session:
        token = sessions.open_session(session, accounts.get(session, "member0@example.org"))
    url = new_url()
    kb("move", url)
    with opened(url).read() as session:
        person, _stale = sessions.found(session, token)
        assert person
        assert person.email == "member0@example.org"


def test_a_dry_run_writes_nothing_and_a_server_may_go_on(
    kb: Run, config: Config, new_url: Callable[[], str], opened: Open
) -> None:
    url = new_url()
    with using(config.data_dir):
        assert "can be moved" in kb("move", "--dry-run", url).output
    with opened(url).engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").scalar() == 0


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_what_would_not_fit_is_named_and_the_status_is_1(
    dry_run: tuple[str, ...], kb: Run, config: Config, new_url: Callable[[], str], opened: Open
) -> None:
    with opened(config.database_url).engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET name = char(0) WHERE email = 'member0@example.org'")
    said = kb("move", *dry_run, new_url(), status=1).output
    assert ": name holds the character NUL." in said
    assert "1 faults: mend them first. Nothing was moved." in said


@pytest.mark.parametrize("url", ["mysql://db/kb", "postgresql+psycopg://", "kb.sqlite", "postgresql://db/kb"])
def test_an_address_that_is_none_is_wrongly_asked(url: str, kb: Run) -> None:
    assert "must begin with postgresql+psycopg://" in kb("move", url, status=2).output


def test_the_database_that_it_is_in_is_no_target(kb: Run, config: Config) -> None:
    assert "in this database already" in kb("move", config.database_url, status=1).output


def test_a_folder_that_is_not_there_is_said(kb: Run, tmp_path: Path) -> None:
    assert "No such file" in kb("move", f"sqlite:///{tmp_path / 'nowhere' / 'kb.sqlite'}", status=1).output


def test_a_server_that_does_not_answer_is_said(kb: Run) -> None:
    said = kb("move", "postgresql+psycopg://kb@127.0.0.1:1/kb", status=1).output
    assert "could not be used" in said


def test_nothing_is_moved_while_a_server_uses_the_source(kb: Run, config: Config, new_url: Callable[[], str]) -> None:
    with using(config.data_dir):
        assert "stop it first" in kb("move", new_url(), status=1).output


def test_nothing_is_moved_while_a_server_uses_the_target(
    kb: Run, new_url: Callable[[], str], opened: Open, tmp_path: Path
) -> None:
    url = new_url()
    with using(open_locks(opened(url), tmp_path)):
        assert "stop it first" in kb("move", url, status=1).output


def test_nothing_is_moved_into_the_folder_of_a_running_site(
    kb: Run, new_url: Callable[[], str], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with using(FileLocks(tmp_path / "other")):
        assert "stop it first" in kb("move", f"sqlite:///{tmp_path / 'other' / 'kb.sqlite'}", status=1).output


def test_a_password_in_the_address_is_not_said_again(kb: Run, new_url: Callable[[], str]) -> None:
    said = kb("move", new_url().replace("kb@", "kb:very-secret@")).output
    assert "very-secret" not in said


# Files


def test_uploaded_files_are_copied_and_checked(
    kb: Run, config: Config, new_url: Callable[[], str], tmp_path: Path
) -> None:
    url = new_url()
    assert "Copied 1 uploaded files" in kb("move", "--files", tmp_path / "shared", url).output
    assert tree(tmp_path / "shared") == tree(config.files_dir)
    assert "Copied 0 uploaded files" in kb("move", "--files", tmp_path / "shared", url).output
    env = {"KB_DATABASE_URL": url, "KB_FILES_DIR": str(tmp_path / "shared")}
    kb("reindex", env=env)
    assert "All is well." in kb("check", env=env).output


def test_a_damaged_file_is_said_and_the_rest_is_moved(
    kb: Run, config: Config, new_url: Callable[[], str], tmp_path: Path
) -> None:
    (path,) = [path for path in config.files_dir.rglob("*") if path.is_file()]
    path.write_bytes(b"another")
    url = new_url()
    said = kb("move", "--files", tmp_path / "shared", url, status=1).output
    assert f"The uploaded file {path.parent.name}{path.name} is missing or damaged" in said
    assert "The base is there already" in kb("move", url).output


def test_half_a_file_is_copied_again(config: Config, opened: Open, tmp_path: Path) -> None:
    """What a copy that was killed left, or another program."""
    database, shared = opened(config.database_url), tmp_path / "shared"
    moving_files.copy(database, config.files_dir, shared)
    (path,) = [path for path in shared.rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:10])
    assert moving_files.copy(database, config.files_dir, shared).copied == 1
    assert tree(shared) == tree(config.files_dir)


def test_a_file_that_waits_to_be_taken_in_is_taken_along(
    kb: Run, config: Config, new_url: Callable[[], str], opened: Open
) -> None:
    with opened(config.database_url).write() as session:
        staged = staged_by(session, config.shared_dir)
    url = new_url()
    kb("move", url)
    new = replace(config, database_url=url)
    assert new.shared_dir != config.shared_dir
    assert tree(staging.folder(new.shared_dir)) == {f"{staged}": b"title\nOne\n"}


def staged_by(session: Session, shared_dir: Path) -> uuid.UUID:
    folder = staging.folder(shared_dir)
    with staging.received(folder, io.BytesIO(b"title\nOne\n")) as draft:
        return staging.stage(
            session, accounts.get(session, "admin0@example.org"), folder, draft, "one.csv", Aim.DRAFT
        ).id


def test_the_folder_of_the_files_is_no_target_for_them(config: Config, opened: Open) -> None:
    with pytest.raises(Conflict, match="already"):
        moving_files.copy(opened(config.database_url), config.files_dir, config.files_dir)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
