"""A backup that is made while others write is one state of the base, between its start and its end."""

from __future__ import annotations

import hashlib
import os
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from kb.config import Config
from kb.db import Database
from kb.models import AuditEntry, Practice, Revision, StoredFile, User
from kb.services import audit, backup, consistency, practice_files, practices, publishing, vocabularies
from kb.services.backup import Home
from kb.services.checking import check
from kb.services.files import Store, Taken
from kb.services.practice_files import Words
from tests import factories
from tests.conftest import configure, make_indexer
from tests.processes import eventually
from tests.soaking import soak

WRITERS = 2

PAUSE = 0.02
"""Seconds that a writer rests: SQLite keeps no queue, and who never rests leaves the others no turn."""


@dataclass(frozen=True)
class Writer:
    """A process that writes one practice after the other, each with a file, and publishes every other one.

    Of each it notes before that it begins it, and after it was acknowledged.
    """

    name: str
    config: Config
    notes: Path
    pid: int

    def begun(self) -> int:
        """The number of the practice that it began last."""
        return _noted(self.notes / f"{self.name}.begun")

    def done(self) -> int:
        """The number of the practice that was acknowledged last."""
        return _noted(self.notes / f"{self.name}.done")


def _noted(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def start(name: str, config: Config, notes: Path) -> Writer:
    """Start a writer, which ends when there is a file `stop`."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            write_on(name, config, notes)
            status = 0
        except BaseException:
            (notes / f"{name}.failed").write_text(traceback.format_exc())
        finally:
            os._exit(status)
    return Writer(name, config, notes, pid)


def write_on(name: str, config: Config, notes: Path) -> None:
    database, n = Database(config.database_url), 0
    with (notes / f"{name}.begun").open("ab", 0) as begun, (notes / f"{name}.done").open("ab", 0) as done:
        while not (notes / "stop").exists():
            n += 1
            begun.write(b".")
            _write(database, Store(config.files_dir), name, n)
            done.write(b".")
            time.sleep(PAUSE)


def _write(database: Database, store: Store, name: str, n: int) -> None:
    """One practice with its file, in one transaction."""
    content = f"the file of {name} {n}".encode() * 500
    store.folder.mkdir(exist_ok=True)
    draft = store.folder / f".upload-{name}"
    draft.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    taken = Taken(draft, "a.pdf", sha256, "application/pdf", len(content), None, None)
    with database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practice = factories.draft(session, alice, title=f"{name} number {n}")
        practice_files.add(session, alice, store, practice, "attachment", taken, Words())
        if n % 2:
            document = check(practices.working_copy(session, practice), factories.vocabulary(session))
            publishing.publish(session, practice, document, author_id=alice.id)
            audit.note(session, alice, "practice.publish", "practice", practice.id)


def home_of(config: Config) -> Home:
    assert config.database_path
    return Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)


def let_go_on(writers: list[Writer]) -> None:
    """Wait until each has begun one more practice than now, and ended it."""
    begun = [writer.begun() for writer in writers]

    def all_ended_one() -> bool:
        failed = [path.read_text() for path in writers[0].notes.glob("*.failed")]
        assert not failed, failed
        return all(writer.done() > n for writer, n in zip(writers, begun, strict=True))

    eventually(all_ended_one)


def back_up_between_writes(config: Config, tmp_path: Path, rounds: int) -> None:
    """Make backups while writers write; look at each, restored elsewhere, once they have ended."""
    database = Database(config.database_url)
    with database.write() as session:
        factories.person(session, "alice@example.org", "member")
        factories.LOADED.setdefault(vocabularies.generation(session), factories.vocabulary(session))  # for the writers
    database.close()  # before anything is forked
    notes = tmp_path / "notes"
    notes.mkdir()
    writers = [start(f"writer {n}", config, notes) for n in range(WRITERS)]
    seen = []
    try:
        for n in range(rounds):
            let_go_on(writers)
            low = {writer.name: writer.done() for writer in writers}
            manifest = backup.back_up(home_of(config), tmp_path / f"b{n}")
            high = {writer.name: writer.begun() for writer in writers}
            assert manifest.lacking == []
            let_go_on(writers)
            seen.append((tmp_path / f"b{n}", low, high))
    finally:
        (notes / "stop").touch()
        statuses = [os.waitstatus_to_exitcode(os.waitpid(writer.pid, 0)[1]) for writer in writers]
    assert statuses == [0] * WRITERS
    for n, (path, low, high) in enumerate(seen):
        other = configure(tmp_path / f"restored-{n}")
        backup.check(path)
        backup.restore(home_of(other), path)
        is_a_state_between(config, other, low, high)


def is_a_state_between(live: Config, restored: Config, low: dict[str, int], high: dict[str, int]) -> None:
    now, then = Database(live.database_url), Database(restored.database_url)
    with now.read() as here, then.read() as there:
        for name, acknowledged in low.items():
            numbers = sorted(
                int(title.rpartition(" ")[2])
                for title in there.scalars(select(Practice.title).where(Practice.title.startswith(f"{name} ")))
            )
            assert numbers == list(range(1, len(numbers) + 1))  # none without the one before it
            assert acknowledged <= len(numbers) <= high[name]
        log = select(AuditEntry.id, AuditEntry.action, AuditEntry.object_id).order_by(AuditEntry.id)
        kept, all_of_it = there.execute(log).all(), here.execute(log).all()
        assert kept == all_of_it[: len(kept)] and len(kept) < len(all_of_it)
        started = {entry.object_id for entry in kept if entry.action == "practice.start"}
        assert started == {str(key) for key in there.scalars(select(Practice.id))}
        published = sorted(entry.object_id for entry in kept if entry.action == "practice.publish")
        versions = select(Revision.practice_id).where(Revision.version.is_not(None))
        assert published == sorted(str(key) for key in there.scalars(versions))
        revisions = select(Revision.id, Revision.document, Revision.fingerprint)
        assert set(map(str, there.execute(revisions))) <= set(map(str, here.execute(revisions)))
        files = set(there.scalars(select(StoredFile.sha256)))
    held = {path.parent.name + path.name for path in restored.files_dir.rglob("*") if path.is_file()}
    assert held == files
    indexer = make_indexer(restored, then)
    indexer.ensure()
    assert list(consistency.faults(then, indexer.engine, restored.files_dir)) == []
    indexer.engine.close()
    now.close()
    then.close()


def test_a_backup_under_load_is_a_state_between_its_start_and_its_end(config: Config, tmp_path: Path) -> None:
    back_up_between_writes(config, tmp_path, rounds=1)


@soak
def test_many_backups_under_load_are_each_a_state_between_start_and_end(config: Config, tmp_path: Path) -> None:
    back_up_between_writes(config, tmp_path, rounds=25)
