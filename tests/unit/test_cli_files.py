"""The commands `check` and `sweep` on uploaded files, as a person types them, and the scanner's setting."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from kb.config import SettingError
from kb.db import Database
from kb.services import files, practice_files
from kb.services.files import Store
from kb.services.practice_files import Words
from tests import factories, stack, uploads
from tests.conftest import configure
from tests.unit.test_cli import runner


@pytest.fixture
def folder(bare_folder: Path, tmp_path: Path) -> Path:
    return stack.copy(bare_folder, tmp_path / "data")


def brought(folder: Path) -> Path:
    """Where a draft's file is."""
    config = configure(folder)
    database, store = Database(config.database_url), Store(config.files_dir)
    with database.write() as session, files.receive(store, io.BytesIO(uploads.pdf()), "a.pdf", "attachment") as taken:
        alice = factories.person(session, "alice@example.org", "member")
        practice = factories.draft(session, alice)
        sha256 = practice_files.add(session, alice, store, practice, "attachment", taken, Words()).sha256
    database.close()
    return store.path(sha256)


def test_check_finds_nothing_wrong_with_files_in_their_places(folder: Path) -> None:
    brought(folder)
    assert runner(folder)("check").output.endswith("All is well.\n")


def test_check_names_a_lost_file_and_ends_with_1(folder: Path) -> None:
    brought(folder).unlink()
    assert "is not in the files folder" in runner(folder)("check", status=1).output


def test_sweep_removes_the_bytes_that_no_row_knows(folder: Path) -> None:
    kept = brought(folder)
    stray = kept.parent / ("0" * 62)
    stray.write_bytes(b"x")
    os.utime(stray, (0, 0))
    runner(folder)("check", status=1)
    runner(folder)("sweep")
    runner(folder)("check")
    assert kept.exists() and not stray.exists()


def test_the_scanners_command_is_parted_into_words_without_a_shell(tmp_path: Path) -> None:
    config = configure(tmp_path, KB_FILE_SCANNER=f"{sys.executable} -c 'import sys; x = 1'")
    assert config.file_scanner == (sys.executable, "-c", "import sys; x = 1")


@pytest.mark.parametrize("command", ["no-such-scanner --fast", "clamscan 'never closed"])
def test_a_scanner_that_cannot_be_run_stops_the_start(tmp_path: Path, command: str) -> None:
    with pytest.raises(SettingError, match="KB_FILE_SCANNER"):
        configure(tmp_path, KB_FILE_SCANNER=command)
