"""A backup is one state, whole and sealed, or not there at all."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from kb.db import Database
from kb.models import Practice
from kb.services import archive, backup, upgrade_copies
from kb.services.archive import BadBackup, Manifest
from kb.services.backup import Home, back_up, restore
from kb.services.errors import NotFound
from kb.services.files import Store
from tests import stack
from tests.unit.services.backups import PHOTO, publish, titles, uploaded

pytestmark = stack.sqlite_only("A backup of SQLite is a copy of its file; that of PostgreSQL has tests of its own.")


def test_a_backup_says_what_it_holds(home: Home, tmp_path: Path) -> None:
    manifest = back_up(home, tmp_path / "b1")
    with (tmp_path / "b1").open("rb") as file:
        assert archive.verify(file) == manifest
    assert manifest.release == "0.1.0"
    assert manifest.rows["practices"] == 2
    assert len(manifest.members) == 3
    with zipfile.ZipFile(tmp_path / "b1") as inside:
        for name, member in manifest.members.items():
            assert hashlib.sha256(inside.read(name)).hexdigest() == member.sha256


def test_only_the_owner_may_read_a_backup(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    assert stat.S_IMODE((tmp_path / "b1").stat().st_mode) == 0o600


def test_a_backup_is_one_state_however_much_is_written_meanwhile(home: Home, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{home.database}")
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            with database.write() as session:
                session.add(Practice(title="a draft"))
                session.flush()
                session.add(Practice(title="its twin"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifests = [back_up(home, tmp_path / f"b{n}") for n in range(3)]
    finally:
        done.set()
        writer.join()
        database.close()
    assert all(manifest.rows["practices"] % 2 == 0 for manifest in manifests)
    assert manifests[2].rows["practices"] > 2


def test_a_backup_that_fails_leaves_the_file_that_was_there(home: Home, tmp_path: Path) -> None:
    (tmp_path / "b1").write_text("an older backup")
    raw = bytearray(home.database.read_bytes())
    raw[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    home.database.write_bytes(raw)
    with pytest.raises(BadBackup):
        back_up(home, tmp_path / "b1")
    assert (tmp_path / "b1").read_text() == "an older backup"
    assert [path.name for path in tmp_path.glob(".b1*")] == []


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        back_up(Home(tmp_path, tmp_path / "kb.sqlite", tmp_path / "files", tmp_path / "index"), tmp_path / "b1")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_read_again_before_it_gets_its_name(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that keeps something else than it was given."""
    write = archive.write

    def spoilt(file: IO[bytes], *args: Any) -> Manifest:
        manifest = write(file, *args)
        file.seek(1000)
        byte = file.read(1)[0]
        file.seek(1000)
        file.write(bytes([byte ^ 1]))
        return manifest

    monkeypatch.setattr(archive, "write", spoilt)
    with pytest.raises(BadBackup):
        back_up(home, tmp_path / "b1")
    assert not list(tmp_path.glob("*b1*"))


def test_a_full_disk_leaves_no_half_backup(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "safe"
    folder.mkdir()
    (folder / "b1").write_text("an older backup")
    size = home.database.stat().st_size
    uploaded(home, random.Random(1).randbytes(2 * size))
    for limit in (size // 2, size + size // 2):  # in the copy of the database, in the archive
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            try:
                back_up(home, folder / "b1")
            except (OSError, BadBackup):
                os._exit(17)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
        assert [path.name for path in folder.iterdir()] == ["b1"]
        assert (folder / "b1").read_text() == "an older backup"


def test_what_a_killed_backup_left_goes_with_one_of_a_later_day(home: Home, tmp_path: Path) -> None:
    for name in (".b1.0123abcd", ".b1.4567abcd", ".b2.0123abcd"):
        (tmp_path / name).mkdir()
    (tmp_path / ".b1.89abcdef").touch()
    for name in (".b1.0123abcd", ".b1.89abcdef", ".b2.0123abcd"):
        os.utime(tmp_path / name, (0, 0))
    back_up(home, tmp_path / "b1")
    assert sorted(path.name for path in tmp_path.glob(".b*")) == [".b1.4567abcd", ".b2.0123abcd"]


# Uploaded files


def test_a_file_that_no_table_names_is_in_no_backup(home: Home, tmp_path: Path) -> None:
    stray = Store(home.files).path("ab" * 32)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"uploaded after the database was copied")
    manifest = back_up(home, tmp_path / "b1")
    assert manifest.lacking == [] and len(manifest.members) == 3


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other")], ids=["missing", "changed"])
def test_a_file_that_is_lost_is_named_and_the_rest_is_kept(
    home: Home, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    path = uploaded(home, b"a second photo")
    damage(path)
    manifest = back_up(home, tmp_path / "b1")
    assert manifest.lacking == [hashlib.sha256(b"a second photo").hexdigest()]
    assert backup.check(tmp_path / "b1") == manifest
    restore(home, tmp_path / "b1")


def test_a_file_that_is_swept_meanwhile_has_all_begun_anew(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy_database = uploaded(home, b"nobody names it"), backup._copy_database
    calls = []

    def copied(source: Path, target: Path) -> None:
        copy_database(source, target)
        calls.append(target)
        if len(calls) == 1:  # right behind it comes the sweep
            with sqlite3.connect(home.database) as connection:
                connection.execute("DELETE FROM stored_files WHERE bytes = 15")
            connection.close()
            path.unlink()

    monkeypatch.setattr(backup, "_copy_database", copied)
    manifest = back_up(home, tmp_path / "b1")
    assert len(calls) == 2 and manifest.lacking == [] and manifest.rows["stored_files"] == 1


def test_a_file_that_goes_while_it_is_written_has_all_begun_anew(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, is_sound = uploaded(home, b"nobody names it"), backup._is_sound

    def looked(found: Path, sha256: str) -> bool:
        sound = is_sound(found, sha256)
        if found == path and path.exists():
            with sqlite3.connect(home.database) as connection:
                connection.execute("DELETE FROM stored_files WHERE bytes = 15")
            connection.close()
            path.unlink()
        return sound

    monkeypatch.setattr(backup, "_is_sound", looked)
    manifest = back_up(home, tmp_path / "b1")
    assert manifest.lacking == [] and manifest.rows["stored_files"] == 1
    assert backup.check(tmp_path / "b1") == manifest


# Before an upgrade


def copies(home: Home, *made: str) -> list[str]:
    """The copies before upgrades that are there, after some were made, in this order, by earlier releases."""
    for moment, name in enumerate(made):
        (home.folder / f"before-upgrade-{name}.backup").touch()
        os.utime(home.folder / f"before-upgrade-{name}.backup", (moment, moment))
    return sorted(path.name.removeprefix("before-upgrade-") for path in home.folder.glob("before-upgrade-*"))


def test_a_copy_before_an_upgrade_takes_none_of_another_schema_away(home: Home) -> None:
    before = copies(home, "0001-20250101T000000Z", "0002-20260101T000000Z", "0003-20260102T000000Z")
    path = upgrade_copies.keep(home, "0005")
    assert copies(home) == [*before, path.name.removeprefix("before-upgrade-")]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_upgrade_that_is_tried_again_and_again_leaves_one_copy(home: Home) -> None:
    copies(home, "0005-20260101T000000Z", "0005-20260101T000010Z", "0004-20250101T000000Z")
    path = upgrade_copies.keep(home, "0005")
    assert copies(home) == ["0004-20250101T000000Z.backup", path.name.removeprefix("before-upgrade-")]


def test_a_copy_that_cannot_be_made_takes_nothing_away(home: Home) -> None:
    before = copies(home, "0005-20260101T000000Z")
    home.database.write_bytes(b"no database at all")
    with pytest.raises(BadBackup):
        upgrade_copies.keep(home, "0005")
    assert copies(home) == before


def test_after_an_upgrade_one_copy_of_each_of_the_last_two_schemas_stays(home: Home) -> None:
    copies(home, "0001-20250101T000000Z", "0003-20260103T000000Z", "0002-20260101T000000Z", "0003-20260102T000000Z")
    path = upgrade_copies.keep(home, "0005")
    upgrade_copies.upgraded(home)
    assert copies(home) == ["0003-20260102T000000Z.backup", path.name.removeprefix("before-upgrade-")]


def test_a_copy_before_an_upgrade_restores_over_the_files_that_are_there(home: Home) -> None:
    path = upgrade_copies.keep(home, "0005")
    publish(home, "Third practice")
    manifest, _former = restore(home, path)
    assert manifest.lacking == [hashlib.sha256(PHOTO).hexdigest()]
    assert titles(home) == ["First practice", "Second practice"]
    assert [each.read_bytes() for each in home.files.rglob("*") if each.is_file()] == [PHOTO]
