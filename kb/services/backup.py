"""Backup and restore of one installation on SQLite: the database, the uploaded files, the key.

A backup is made while the site runs: SQLite's online backup copies one consistent state, and the uploaded files that
this copy names are gathered after it. They never change, and go away only where nothing has named them for a day: where
that happens to one in between, all is begun anew. What is written is read again and checked before it gets its name.

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
import glob
import hashlib
import os
import secrets
import shutil
import sqlite3
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kb.db import Database
from kb.formats.text import iso
from kb.services import archive, setup
from kb.services.archive import DATABASE, FILES, KEY, BadBackup, Manifest
from kb.services.errors import N_, Conflict, NotFound
from kb.services.exporting import replacing, sync_folder
from kb.services.files import Store
from kb.services.occupancy import alone
from kb.services.progress import Progress, silent
from kb.services.publishing import now

_STAGING = ".restore-"

ROUNDS = 3
"""How often a backup is begun where uploaded files that it was about to take were swept."""

LEFT_ALONE = 86400.0
"""Seconds after which unfinished files are taken for those of a backup that was killed."""


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


def back_up(home: Home, path: Path, progress: Progress = silent, *, files: bool = True) -> Manifest:
    """Write a backup to a file, which is there whole and read again or not at all; without the uploaded files if so
    wanted.

    The manifest's `lacking` says which uploaded files could not be taken, because they are missing or damaged: the
    rest is worth having. Raises NotFound, BadBackup, OSError.
    """
    if not home.database.exists():
        raise NotFound(N_("There is no database in %(folder)s yet."), folder=home.folder)
    clear_away(path.parent, f".{path.name}.")
    with _scratch(path.parent, f".{path.name}.") as folder, replacing(path, mode=0o600) as file:
        copy = folder / DATABASE
        for left in reversed(range(ROUNDS)):
            _copy_database(home.database, copy)
            sources, lacking = _files(home, copy) if files else ({}, _named(copy))
            if left and files and _swept(home.database, lacking):
                continue
            try:
                manifest = _written(file, _about(copy, lacking), {DATABASE: copy, **_key(home), **sources}, progress)
            except FileNotFoundError:  # swept this very moment
                if not left:
                    raise
                continue
            _read_again(file, manifest)
            return manifest
    raise AssertionError("the last round returns or raises")


def release() -> str:
    """This release's number, as pyproject.toml gives it."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _about(copy: Path, lacking: list[str]) -> Manifest:
    revision, rows = _examine(copy)
    return Manifest(release(), revision, iso(now()), rows, {}, lacking)


def _written(file: IO[bytes], about: Manifest, sources: dict[str, Path], progress: Progress) -> Manifest:
    file.seek(0)
    file.truncate()
    return archive.write(file, about, sources, progress)


def _read_again(file: IO[bytes], manifest: Manifest) -> None:
    """Read what was written, from the disk where the system lets us. Raises BadBackup where it is something else."""
    file.flush()
    os.fsync(file.fileno())
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if archive.verify(file) != manifest:
        raise BadBackup("What was written cannot be read again: look after the disk.")
    archive.unpack(file, manifest, Path(), wanted=())


def _key(home: Home) -> dict[str, Path]:
    return {KEY: home.key} if home.key.exists() else {}


def _files(home: Home, copy: Path) -> tuple[dict[str, Path], list[str]]:
    """The uploaded files that a copy of the database names, by the name they have in a backup; and those of them that
    are missing or not what they were."""
    store = Store(home.files)
    found, lacking = {}, []
    for sha256 in _named(copy):
        path = store.path(sha256)
        if _is_sound(path, sha256):
            found[FILES + path.relative_to(home.files).as_posix()] = path
        else:
            lacking.append(sha256)
    return found, lacking


def _is_sound(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _named(path: Path) -> list[str]:
    """The uploaded files that a database knows, by SHA-256; none before there were any."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            return [sha256 for (sha256,) in connection.execute("SELECT sha256 FROM stored_files ORDER BY sha256")]
        except sqlite3.DatabaseError:  # a schema without them; of a damaged file `_examine` tells
            return []


def _swept(database: Path, lacking: list[str]) -> bool:
    """Whether any of these files is one that the database does not know any more."""
    return bool(lacking) and not set(lacking) <= set(_named(database))


def _copy_database(source: Path, target: Path) -> None:
    """Copy one consistent state, however much is written meanwhile, into a single file. Raises BadBackup."""
    try:
        with (
            contextlib.closing(sqlite3.connect(source)) as read,
            contextlib.closing(sqlite3.connect(target)) as written,
        ):
            read.backup(written)
            written.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BadBackup("The database could not be copied: %(error)s.", error=error) from error


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


def check(path: Path, progress: Progress = silent) -> Manifest:
    """Do with a backup all that a restore does before it touches anything; returns its manifest.

    The database is unpacked into the system's temporary folder, and gone afterwards. Raises BadBackup, SchemaTooNew.
    """
    with path.open("rb") as file, tempfile.TemporaryDirectory(prefix="kb-check-") as folder:
        manifest = archive.verify(file)
        archive.unpack(file, manifest, Path(folder), progress, wanted=(DATABASE,))
        _make_fit(Path(folder) / DATABASE, manifest)
    return manifest


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
    if manifest.lacking is not None:
        held = {name.removeprefix(FILES).replace("/", "") for name in manifest.members if name.startswith(FILES)}
        if absent := set(_named(path)) - held - set(manifest.lacking):
            raise BadBackup("The backup lacks %(count)d files that its database names.", count=len(absent))
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


def clear_away(parent: Path, prefix: str) -> None:
    """Remove what a backup that was killed left: whatever is a day old, as no backup takes that long."""
    for left in parent.glob(f"{glob.escape(prefix)}*"):
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - LEFT_ALONE:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


@contextlib.contextmanager
def _scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder for what is not finished, gone afterwards."""
    folder = parent / f"{prefix}{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
