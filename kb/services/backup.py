"""Backup and restore of one installation on SQLite: the database, the uploaded files, the key.

A backup is made while the site runs: SQLite's online backup copies one consistent state, and uploaded files never
change, so those that the copied database names are all there when they are gathered after it.

A restore never leaves half of one state and half of another, whenever it is killed:

1. The backup's seal, its manifest and every checksum are verified while it is unpacked into a folder of its own; the
   database in it is examined and brought to this release's schema there. Nothing of the installation was touched yet.
2. The installation is taken out of use (a lock, and SQLite's own word that nobody has the database open); what stood
   there is kept in `before-restore-<time>/`.
3. Uploaded files are added to those that are there. Their names are made of their contents, so adding changes nothing
   for the old database. The index is thrown away: whichever database the next start finds, it builds it anew.
   The key takes its place: at worst everybody has to sign in again.
4. One rename puts the restored database in the old one's place. Before it, the old state is there, whole; after it, the
   new one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kb.db import Database
from kb.formats.text import iso
from kb.services import archive, setup
from kb.services.archive import DATABASE, FILES, KEY, BadBackup, Manifest
from kb.services.errors import N_, Conflict, NotFound
from kb.services.exporting import replacing, sync_folder
from kb.services.occupancy import alone
from kb.services.progress import Progress, silent
from kb.services.publishing import now

_STAGING = ".restore-"


@dataclass(frozen=True)
class Home:
    """Where an installation keeps what a backup holds. `folder` also holds the key and the locks."""

    folder: Path
    database: Path
    files: Path
    index: Path

    @property
    def key(self) -> Path:
        """The file of the secret key; it may be missing where the environment gives the key."""
        return self.folder / KEY


# Backup


def back_up(home: Home, path: Path, progress: Progress = silent) -> Manifest:
    """Write a backup to a file, which is there whole or not at all. Raises NotFound, BadBackup, OSError."""
    if not home.database.exists():
        raise NotFound(N_("There is no database in %(folder)s yet."), folder=home.folder)
    with _scratch(path.parent, f".{path.name}.") as folder, replacing(path, mode=0o600) as file:
        copy = folder / DATABASE
        _copy_database(home.database, copy)
        revision, rows = _examine(copy)
        manifest = Manifest(release(), revision, iso(now()), rows, {})
        return archive.write(file, manifest, {DATABASE: copy, **_files(home)}, progress)


def release() -> str:
    """This release's number, as pyproject.toml gives it."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _files(home: Home) -> dict[str, Path]:
    """The key and the uploaded files, by the name they have in a backup. Names that begin with a dot are unfinished."""
    found = {KEY: home.key} if home.key.exists() else {}
    for path in sorted(home.files.rglob("*")):
        parts = path.relative_to(home.files).parts
        if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in parts):
            found[FILES + "/".join(parts)] = path
    return found


def _copy_database(source: Path, target: Path) -> None:
    """Copy one consistent state, however much is written meanwhile, into a single file."""
    with contextlib.closing(sqlite3.connect(source)) as read, contextlib.closing(sqlite3.connect(target)) as written:
        read.backup(written)
        written.execute("PRAGMA journal_mode=DELETE")


def _examine(path: Path) -> tuple[str, dict[str, int]]:
    """The schema's revision and the rows of each table. Raises BadBackup for a file that SQLite finds damaged."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            faults = [text for (text,) in connection.execute("PRAGMA integrity_check(3)") if text != "ok"]
            faults += [f"{table}: {row}" for table, row, *_ in connection.execute("PRAGMA foreign_key_check")]
            if faults:
                raise BadBackup(N_("The database is damaged: %(faults)s."), faults="; ".join(faults[:3]))
            ((revision,),) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            rows = {
                name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 (our own names)
                for (name,) in connection.execute(tables).fetchall()
            }
    except (sqlite3.DatabaseError, ValueError) as error:
        raise BadBackup(N_("This is no database of this software: %(error)s."), error=error) from error
    return str(revision), rows


# Restore


def restore(home: Home, path: Path, progress: Progress = silent) -> tuple[Manifest, Path | None]:
    """Put a backup in place of what is there; returns its manifest and the folder that keeps what was there, if any.

    Raises BadBackup, SchemaTooNew or Conflict before anything was touched.
    """
    home.database.parent.mkdir(parents=True, exist_ok=True)
    with alone(home.folder), path.open("rb") as file:
        manifest = archive.verify(file)
        for left in home.database.parent.glob(f"{_STAGING}*"):  # by a restore that was killed
            shutil.rmtree(left, ignore_errors=True)
        with _scratch(home.database.parent, _STAGING) as staged:
            archive.unpack(file, manifest, staged, progress)
            _make_fit(staged / DATABASE, manifest)
            damaged = _close(home.database)
            former = _keep_former(home, damaged)
            _add_files(staged / "files", home.files, former)
            _remove_index(home.index)
            if (staged / KEY).exists():
                (staged / KEY).chmod(0o600)
                _place(staged / KEY, home.key)
            _place(staged / DATABASE, home.database)
    if any(former.iterdir()):
        return manifest, former
    former.rmdir()
    return manifest, None


def _make_fit(path: Path, manifest: Manifest) -> None:
    """Examine the unpacked database and bring it to this release's schema. Raises BadBackup, SchemaTooNew."""
    revision, rows = _examine(path)
    if (revision, rows) != (manifest.schema, manifest.rows):
        raise BadBackup(N_("The database in the backup is not the one its manifest speaks of."))
    database = Database(f"sqlite:///{path}")
    try:
        setup.migrate(database)
    finally:
        database.close()
    _close(path)


def _close(path: Path) -> bool:
    """Bring all that was written into the one file; returns whether the file is too damaged for that.

    SQLite leaves its write-ahead mode only where nobody else has the file open. Raises Conflict.
    """
    if not path.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            if mode == "delete":
                return False
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            return True
    except sqlite3.DatabaseError:
        return True
    raise Conflict(N_("Something else has the database %(path)s open: stop it first."), path=path)


def _keep_former(home: Home, damaged: bool) -> Path:
    """Keep the database and the key that are there under a second name. A damaged database's log is moved with it."""
    former = home.folder / f"before-restore-{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    former.mkdir(mode=0o700)
    for path in (home.database, home.key):
        if path.exists():
            _second_name(path, former / path.name)
    if damaged:
        for path in (home.database.with_name(home.database.name + end) for end in ("-wal", "-shm", "-journal")):
            if path.exists():
                shutil.move(path, former / path.name)
    sync_folder(former)
    sync_folder(home.folder)
    return former


def _second_name(path: Path, other: Path) -> None:
    try:
        os.link(path, other)
    except OSError:  # another disk, or one that knows no second names
        shutil.copy2(path, other)


def _add_files(source: Path, target: Path, former: Path) -> None:
    """Add the backup's uploaded files to those there; one of the same name with other contents is kept aside."""
    for path in sorted(source.rglob("*")):
        if not path.is_file():
            continue
        place = target / path.relative_to(source)
        if place.exists():
            if place.read_bytes() == path.read_bytes():
                continue
            aside = former / "files" / path.relative_to(source)
            aside.parent.mkdir(parents=True, exist_ok=True)
            _second_name(place, aside)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _place(path, place)


def _remove_index(folder: Path) -> None:
    """Throw the index away where it is, on whatever disk: nothing in it is worth moving."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir(), key=Path.is_dir):  # files first: without CURRENT nothing is taken for an index
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    with contextlib.suppress(OSError):  # a disk of its own, or a link to one, stays, empty
        folder.rmdir()


def _place(source: Path, target: Path) -> None:
    """Put a file in another's place in one step, on the disk."""
    try:
        with source.open("rb") as file:
            os.fsync(file.fileno())
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with source.open("rb") as read, replacing(target, mode=0o600) as written:
            shutil.copyfileobj(read, written)
    sync_folder(target.parent)


@contextlib.contextmanager
def _scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder for what is not finished, gone afterwards."""
    folder = parent / f"{prefix}{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
