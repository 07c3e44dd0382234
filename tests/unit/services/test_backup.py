"""A backup is whole and sealed; a restore replaces everything or touches nothing."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import select

from kb.config import Config
from kb.db import Database
from kb.models import Practice, Record, StoredFile
from kb.services import archive, backup
from kb.services.archive import BadBackup, Manifest
from kb.services.backup import Home, back_up, restore
from kb.services.errors import Conflict, NotFound
from kb.services.files import Store
from kb.services.occupancy import alone, using
from kb.services.setup import SchemaTooNew
from tests import factories

PHOTO = b"\x89PNG photo" * 1000


@pytest.fixture
def home(config: Config, database: Database) -> Home:
    """An installation with two practices, one uploaded file and a key; nobody has it open."""
    with database.write() as session:
        factories.published(session, title="First practice")
        factories.published(session, title="Second practice")
    database.close()
    assert config.database_path
    home = Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)
    uploaded(home, PHOTO)
    home.key.write_text("k" * 64)
    home.key.chmod(0o600)
    return home


def uploaded(home: Home, content: bytes) -> Path:
    """A file in its place and in its table, as an upload leaves it."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = Store(home.files).path(sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    database = Database(f"sqlite:///{home.database}")
    with database.write() as session:
        if session.get(StoredFile, sha256) is None:
            session.add(StoredFile(sha256=sha256, media_type="image/png", bytes=len(content)))
    database.close()
    return path


def titles(home: Home) -> list[str]:
    database = Database(f"sqlite:///{home.database}")
    with database.read() as session:
        found = list(session.scalars(select(Record.title).order_by(Record.title)))
    database.close()
    return found


def publish(home: Home, title: str) -> None:
    database = Database(f"sqlite:///{home.database}")
    with database.write() as session:
        factories.published(session, title=title)
    database.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the locks, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", ".lock.ensure", "-wal", "-shm"))
    }


def sealed(path: Path) -> None:
    """Seal a file made by hand, as the software would."""
    raw = path.read_bytes()[: -len("sha256:") - 64]
    path.write_bytes(raw + b"sha256:" + hashlib.sha256(raw).hexdigest().encode())


def rewritten(source: Path, target: Path, **members: bytes) -> Path:
    """A backup with some members changed or added, sealed anew."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, members.pop(name, None) or old.read(name))
        for name, content in members.items():
            new.writestr(name, content)
        new.comment = b" " * 71
    sealed(target)
    return target


def test_a_restore_brings_back_what_was_backed_up(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    publish(home, "Third practice")
    uploaded(home, PHOTO).unlink()
    home.key.write_text("other" * 10)
    restore(home, tmp_path / "b1")
    assert titles(home) == ["First practice", "Second practice"]
    assert [path.read_bytes() for path in home.files.rglob("*") if path.is_file()] == [PHOTO]
    assert home.key.read_text() == "k" * 64
    assert stat.S_IMODE(home.key.stat().st_mode) == 0o600


def test_a_restore_into_an_empty_folder_makes_the_installation(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    other = Home(folder, folder / "kb.sqlite", folder / "files", folder / "index")
    manifest, former = restore(other, tmp_path / "b1")
    assert former is None
    assert titles(other) == titles(home)
    assert manifest.rows["practices"] == 2


def test_what_stood_there_is_kept(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    publish(home, "Third practice")
    _manifest, former = restore(home, tmp_path / "b1")
    assert former is not None
    kept = Home(former, former / "kb.sqlite", former / "files", former / "index")
    assert titles(kept) == ["First practice", "Second practice", "Third practice"]


def test_the_index_is_left_to_the_next_start(home: Home, tmp_path: Path) -> None:
    assert home.index.exists()
    back_up(home, tmp_path / "b1")
    restore(home, tmp_path / "b1")
    assert not home.index.exists()


def test_every_part_of_an_installation_may_be_on_a_disk_of_its_own(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(home, tmp_path / "b1")
    disks = [tmp_path / "disks" / name for name in ("data", "base", "files", "index")]
    for disk in disks:
        disk.mkdir(parents=True)
    apart = Home(disks[0], disks[1] / "kb.sqlite", disks[2] / "files", disks[3] / "index")
    for old, new in ((home.database, apart.database), (home.files, apart.files), (home.index, apart.index)):
        shutil.move(old, new)
    publish(apart, "Third practice")
    shutil.rmtree(apart.files)

    def on_one_disk(whole: Callable[..., None]) -> Callable[..., None]:
        def checked(source: Path, target: Path, **more: object) -> None:
            held = [{disk for disk in disks if Path(path).is_relative_to(disk)} for path in (source, target)]
            if held[0] != held[1]:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            whole(source, target, **more)

        return checked

    for name in ("rename", "replace", "link"):
        monkeypatch.setattr(os, name, on_one_disk(getattr(os, name)))
    _manifest, former = restore(apart, tmp_path / "b1")
    assert titles(apart) == ["First practice", "Second practice"]
    assert [path.read_bytes() for path in apart.files.rglob("*") if path.is_file()] == [PHOTO]
    assert apart.key.read_text() == "k" * 64 and not apart.index.exists()
    assert former and (former / "kb.sqlite").exists()


def test_an_index_folder_that_is_a_link_is_emptied_and_stays(home: Home, tmp_path: Path) -> None:
    shutil.move(home.index, tmp_path / "elsewhere")
    home.index.symlink_to(tmp_path / "elsewhere")
    back_up(home, tmp_path / "b1")
    restore(home, tmp_path / "b1")
    assert home.index.is_symlink() and list(home.index.iterdir()) == []


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


def test_a_backup_that_lacks_a_file_unknown_to_its_manifest_is_refused(home: Home, tmp_path: Path) -> None:
    manifest = back_up(home, tmp_path / "b1")
    members = {name: each for name, each in manifest.members.items() if not name.startswith("files/")}
    said = json.dumps(
        {"kind": archive.KIND, "format": 1, **dataclasses.asdict(dataclasses.replace(manifest, members=members))}
    )
    with zipfile.ZipFile(tmp_path / "b1") as old, zipfile.ZipFile(tmp_path / "b2", "w") as new:
        for name in members:
            new.writestr(name, old.read(name))
        new.writestr("manifest.json", said)
        new.comment = b" " * 71
    sealed(tmp_path / "b2")
    with pytest.raises(BadBackup, match="lacks 1 files"):
        restore(home, tmp_path / "b2")


# Trying a backup


def test_a_backup_is_tried_without_touching_anything(home: Home, tmp_path: Path) -> None:
    manifest = back_up(home, tmp_path / "b1")
    before = contents(home.folder)
    with using(home.folder):  # a server runs
        assert backup.check(tmp_path / "b1") == manifest
    assert contents(home.folder) == before


def test_a_backup_with_another_database_inside_does_not_pass(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    publish(home, "Third practice")
    back_up(home, tmp_path / "b3")
    with zipfile.ZipFile(tmp_path / "b3") as other:
        database = other.read("kb.sqlite")
    with zipfile.ZipFile(tmp_path / "b1") as inside:
        manifest = json.loads(inside.read("manifest.json"))
    manifest["members"]["kb.sqlite"] = {"bytes": len(database), "sha256": hashlib.sha256(database).hexdigest()}
    raw = {"kb.sqlite": database, "manifest.json": json.dumps(manifest).encode()}
    with pytest.raises(BadBackup, match="not the one"):
        backup.check(rewritten(tmp_path / "b1", tmp_path / "b2", **raw))


# Before an upgrade


def test_the_last_two_copies_before_an_upgrade_stay(home: Home) -> None:
    for name in ("0001-20250101T000000Z", "0002-20260101T000000Z", "0003-20260102T000000Z"):
        (home.folder / f"before-upgrade-{name}.backup").touch()
        os.utime(home.folder / f"before-upgrade-{name}.backup", (int(name[2:4]), int(name[2:4])))
    path = backup.keep_before_upgrade(home, "0005")
    kept = sorted(each.name for each in home.folder.glob("before-upgrade-*"))
    assert kept == ["before-upgrade-0003-20260102T000000Z.backup", path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_copy_before_an_upgrade_restores_over_the_files_that_are_there(home: Home) -> None:
    path = backup.keep_before_upgrade(home, "0005")
    publish(home, "Third practice")
    manifest, _former = restore(home, path)
    assert manifest.lacking == [hashlib.sha256(PHOTO).hexdigest()]
    assert titles(home) == ["First practice", "Second practice"]
    assert [each.read_bytes() for each in home.files.rglob("*") if each.is_file()] == [PHOTO]


def test_a_flipped_bit_anywhere_is_refused_and_nothing_touched(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    before = contents(home.folder)
    raw = (tmp_path / "b1").read_bytes()
    chance = random.Random(1)
    places = [0, 10, len(raw) // 2, len(raw) - 1, len(raw) - 72, *(chance.randrange(len(raw)) for _ in range(20))]
    for place in places:
        bad = bytearray(raw)
        bad[place] ^= 1 << chance.randrange(8)
        (tmp_path / "bad").write_bytes(bad)
        with pytest.raises(BadBackup):
            restore(home, tmp_path / "bad")
    assert contents(home.folder) == before


@pytest.mark.parametrize("length", [0, 1, 70, 71, 5000, -1])
def test_a_file_that_was_cut_off_is_refused(home: Home, tmp_path: Path, length: int) -> None:
    back_up(home, tmp_path / "b1")
    (tmp_path / "bad").write_bytes((tmp_path / "b1").read_bytes()[:length])
    with pytest.raises(BadBackup):
        restore(home, tmp_path / "bad")


def test_another_zip_is_refused(home: Home, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("kb.sqlite", b"x" * 1000)
    with pytest.raises(BadBackup, match="seal"):
        restore(home, tmp_path / "other.zip")


@pytest.mark.parametrize(
    "name", ["files/../../escaped", "/etc/escaped", "..\\escaped", "files/.hidden", "secret.key/x"]
)
def test_a_name_that_leads_elsewhere_is_refused(home: Home, tmp_path: Path, name: str) -> None:
    evil = tmp_path / "evil"
    (tmp_path / "source").write_bytes(b"evil")
    member = archive.Member(4, hashlib.sha256(b"evil").hexdigest())
    manifest = Manifest("0.1.0", "0001", "2026-01-01T00:00:00Z", {}, {"kb.sqlite": member, name: member})
    with zipfile.ZipFile(evil, "w") as made:
        for each in manifest.members:
            made.writestr(each, b"evil")
        made.writestr("manifest.json", json.dumps({"kind": archive.KIND, "format": 1, **dataclasses.asdict(manifest)}))
        made.comment = b" " * 71
    sealed(evil)
    before = contents(home.folder)
    with pytest.raises(BadBackup):
        restore(home, evil)
    assert contents(home.folder) == before


def test_a_member_that_the_manifest_does_not_name_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    with pytest.raises(BadBackup):
        restore(home, rewritten(tmp_path / "b1", tmp_path / "b2", **{"files/ab/more": b"x"}))


def test_a_member_that_begins_before_the_file_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    data = (tmp_path / "b1").read_bytes()
    place = data.rindex(b"PK\x03\x04")  # of the manifest, which can be read; the first member cannot
    (tmp_path / "b2").write_bytes(data[: place - 10] + data[place:])
    sealed(tmp_path / "b2")
    with pytest.raises(BadBackup):
        restore(home, tmp_path / "b2")


def test_a_manifest_that_begins_before_the_file_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    data = bytearray((tmp_path / "b1").read_bytes())
    place = data.rindex(b"PK\x05\x06") + 16  # says where the list of members begins, from which all places are counted
    data[place : place + 4] = (int.from_bytes(data[place : place + 4], "little") + 10**8).to_bytes(4, "little")
    (tmp_path / "b2").write_bytes(data)
    sealed(tmp_path / "b2")
    with pytest.raises(BadBackup):
        restore(home, tmp_path / "b2")


@pytest.mark.parametrize("manifest", [b"[]", b"{", b'{"kind": "else"}', b'{"kind": 1, "format": 1}'])
def test_a_manifest_of_something_else_is_refused(home: Home, tmp_path: Path, manifest: bytes) -> None:
    back_up(home, tmp_path / "b1")
    with pytest.raises(BadBackup):
        restore(home, rewritten(tmp_path / "b1", tmp_path / "b2", **{"manifest.json": manifest}))


def test_the_format_of_a_later_release_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    with zipfile.ZipFile(tmp_path / "b1") as inside:
        manifest = inside.read("manifest.json").replace(b'"format": 1', b'"format": 2')
    with pytest.raises(BadBackup, match="later release"):
        restore(home, rewritten(tmp_path / "b1", tmp_path / "b2", **{"manifest.json": manifest}))


def test_the_schema_of_a_later_release_is_refused(home: Home, tmp_path: Path) -> None:
    with sqlite3.connect(home.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    back_up(home, tmp_path / "b1")
    with sqlite3.connect(home.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with pytest.raises(SchemaTooNew):
        restore(home, tmp_path / "b1")
    assert titles(home) == ["First practice", "Second practice"]


def test_no_restore_while_the_folder_is_in_use(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    with using(home.folder), pytest.raises(Conflict):
        restore(home, tmp_path / "b1")


def test_no_use_while_a_restore_goes_on(home: Home) -> None:
    with alone(home.folder), pytest.raises(Conflict), using(home.folder):
        pass


def test_no_restore_under_a_database_that_somebody_has_open(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    publish(home, "Third practice")
    database = Database(f"sqlite:///{home.database}")
    with database.read() as session:
        session.scalars(select(Practice.id)).all()
    try:
        with pytest.raises(Conflict, match="open"):
            restore(home, tmp_path / "b1")
    finally:
        database.close()
    assert "Third practice" in titles(home)


def test_a_damaged_database_can_be_restored_over(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    home.database.write_bytes(b"no database at all")
    restore(home, tmp_path / "b1")
    assert titles(home) == ["First practice", "Second practice"]


def test_the_log_that_a_killed_server_left_is_not_mixed_in(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1")
    code = f"""
        import os
        from tests.unit.services.test_backup import publish
        import kb.db
        kb.db.Database.close = lambda self: os.kill(os.getpid(), 9)
        from kb.services.backup import Home
        from pathlib import Path
        publish(Home(Path({str(home.folder)!r}), Path({str(home.database)!r}), Path("x"), Path("y")), "Third practice")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)])
    assert home.database.with_name("kb.sqlite-wal").stat().st_size > 0
    restore(home, tmp_path / "b1")
    assert titles(home) == ["First practice", "Second practice"]


STEPS = ("_close", "_keep_former", "_add_files", "_place", "sync_folder")


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_killed_at_any_step_leaves_one_state_or_the_other(home: Home, tmp_path: Path, step: str) -> None:
    """Kill it before and after each call of a step, in a process of its own, and look at what is there."""
    back_up(home, tmp_path / "b1")
    publish(home, "Third practice")
    shutil.rmtree(home.files)
    old, new = ["First practice", "Second practice", "Third practice"], ["First practice", "Second practice"]
    seen = set()
    for call in range(1, 8):
        folder = tmp_path / f"{step}-{call}"
        shutil.copytree(home.folder, folder)
        copy = Home(folder, folder / "kb.sqlite", folder / "files", folder / "index")
        killed = _restore_killed(copy, tmp_path / "b1", step, call)
        found = titles(copy)
        assert found in (old, new)
        seen.add(tuple(found))
        if found == new:  # then everything else is there too
            assert [path.read_bytes() for path in copy.files.rglob("*") if path.is_file()] == [PHOTO]
        restore(copy, tmp_path / "b1")  # and it can be done again
        assert titles(copy) == new
        assert list(folder.glob(".restore-*")) == []
        shutil.rmtree(folder)
        if not killed:
            break
    assert tuple(new) in seen


def _restore_killed(home: Home, path: Path, step: str, call: int) -> bool:
    """Run a restore that kills itself before the given call of a step; whether it came to that."""
    child = os.fork()
    if child == 0:
        calls = 0
        whole = getattr(backup, step)

        def dying(*args: object) -> object:
            nonlocal calls
            calls += 1
            if calls == call:
                os.kill(os.getpid(), 9)
            return whole(*args)

        setattr(backup, step, dying)
        restore(home, path)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
