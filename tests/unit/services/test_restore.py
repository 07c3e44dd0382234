"""A restore replaces everything or touches nothing, whenever it is killed."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from kb.db import Database
from kb.models import Practice
from kb.services import backup
from kb.services.backup import Home, back_up, restore
from kb.services.errors import Conflict
from kb.services.occupancy import alone, using
from kb.services.setup import SchemaTooNew
from tests import stack
from tests.unit.services.backups import PHOTO, publish, titles, uploaded

pytestmark = stack.sqlite_only("A backup of SQLite is a copy of its file; that of PostgreSQL has tests of its own.")


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
        from tests.unit.services.backups import publish
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
        stack.copy(home.folder, folder)
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
