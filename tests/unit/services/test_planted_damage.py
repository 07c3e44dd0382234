"""Every kind of damage that `check` claims to find, planted one by one, and the sentence that names it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete

from kb.config import Config
from kb.db import Database
from kb.models import ApiToken, PracticeFile, Region, RegionSuccessor, StoredFile
from kb.search.port import Document
from kb.services import consistency, consistent_index, mail, sessions
from kb.services.files import Store
from tests import factories, stack
from tests.conftest import configure, make_indexer
from tests.unit.test_cli import runner

pytestmark = stack.sqlite_only("Damage is planted in SQLite's file, behind its constraints.")

GHOST = str(uuid.UUID(int=7))

FILE = b"%PDF a file"
SHA256 = hashlib.sha256(FILE).hexdigest()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes in these tests, so there is nothing to wait for."""
    monkeypatch.setattr(consistent_index, "PATIENCE", 0.0)


@pytest.fixture(scope="module")
def sound(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with people, practices in several states, a file, mail and an index. Copy it."""
    config = configure(stack.copy(bare_folder, tmp_path_factory.mktemp("sound") / "data"))
    database, store = Database(config.database_url), Store(config.files_dir)
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        sessions.open_session(session, alice)
        session.add(ApiToken(token_hash="a" * 64, user_id=alice.id))
        held = StoredFile(sha256=SHA256, media_type="application/pdf", bytes=len(FILE))
        session.add(held)
        store.path(held.sha256).parent.mkdir(parents=True)
        store.path(held.sha256).write_bytes(FILE)
        first = factories.published(session, alice, title="First practice", summary="Pairs of nurses meet and talk.")
        factories.published(session, alice, title="Second practice", adapted_from=[{"slug": "first-practice"}])
        factories.published(session, alice, title="Third practice")
        session.add(PracticeFile(practice_id=first.id, sha256=held.sha256))
        factories.draft(session, alice, title="A draft", summary="What nobody has sent to anybody.")
        factories.submitted(session, alice, title="A submission")
        mail.tell(session, "account-deleted", "gone@example.org")
        session.execute(delete(RegionSuccessor))  # few regions are read faster, some sixty times
        session.execute(delete(Region).where(Region.level > 0, Region.code.not_like("ITH%")))
    indexer = make_indexer(config, database)
    indexer.ensure()
    indexer.drain()
    indexer.engine.close()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return config.data_dir


@dataclass(frozen=True)
class Base:
    """An installation that nobody has open."""

    config: Config

    @property
    def path(self) -> Path:
        """The database's file."""
        assert self.config.database_path
        return self.config.database_path

    def say(self, *statements: str) -> None:
        """Run statements as somebody with SQLite's shell would, whatever the schema forbids."""
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            connection.execute("PRAGMA ignore_check_constraints=ON")
            for name, _sql in guards:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _name, sql in guards:
                connection.execute(sql)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def overwrite(self, name: str) -> None:
        """Damage the first page of a table or index in the file."""
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,))
            ((size,),) = connection.execute("PRAGMA page_size")
        with self.path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)

    def flip(self, text: bytes, place: int = 0) -> None:
        """Change one letter wherever a text stands in the database's file."""
        raw = bytearray(self.path.read_bytes())
        places = [found.start() for found in re.finditer(re.escape(text), raw)]
        assert places
        for found in places:
            raw[found + place] ^= 1
        self.path.write_bytes(raw)

    def arrays(self) -> Path:
        """The file with the arrays of the index."""
        (found,) = self.config.index_dir.glob("index-*/*.arrays")
        return found

    def index(self, do: Callable[..., object], *args: object) -> None:
        """Change the index behind the database's back."""
        database = Database(self.config.database_url)
        indexer = make_indexer(self.config, database)
        do(indexer.engine, *args)
        indexer.engine.close()
        database.close()

    def file(self) -> Path:
        """Where the uploaded file is."""
        return Store(self.config.files_dir).path(SHA256)


@pytest.fixture
def base(sound: Path, tmp_path: Path) -> Base:
    return Base(configure(stack.copy(sound, tmp_path / "data")))


def found(base: Base) -> list[str]:
    """What `check` says."""
    database = Database(base.config.database_url)
    indexer = make_indexer(base.config, database)
    sentences = list(consistency.faults(database, indexer.engine, base.config.files_dir))
    indexer.engine.close()
    database.close()
    return sentences


def _cut(base: Base) -> None:
    raw = base.arrays().read_bytes()
    base.arrays().write_bytes(raw[: len(raw) // 2])


def _flip_array(base: Base) -> None:
    raw = bytearray(base.arrays().read_bytes())
    raw[len(raw) // 3 // 64 * 64] ^= 1
    base.arrays().write_bytes(raw)


def _stray(base: Base) -> None:
    """A file that has been in no table for long: of one that has just come, the row is still to be written."""
    path = base.file().with_name("f" * 62)
    path.write_bytes(b"x")
    os.utime(path, (0, 0))


OF_FIRST = "(SELECT id FROM practices WHERE slug = 'first-practice')"
OF_SUBMISSION = "(SELECT id FROM practices WHERE title = 'A submission')"
WORKING = f"UPDATE revisions SET document = json_set(document, {{}}) WHERE practice_id = {OF_SUBMISSION} AND number = 2"
AS_SAVED = "Revision 2 of “A submission” .* is not what was saved"


def adoption(practice: str, **more: str) -> str:
    """A statement that plants a confirmed adoption; `practice` and `more` are expressions by column."""
    values = {
        "id": "'0000000000000000000000000000000a'", "practice_id": practice, "region_code": "'ITH3'",
        "organisation": "''", "status": "'running'", "changes": "''", "contact_role": "''", "contact_email": "''",
        "contact_name": "''", "contact_consent": "0", "created": f"'{MOMENT}'", "changed": f"'{MOMENT}'",
        "accepted": "1", "decided": f"'{MOMENT}'", "answer": "''", **more,
    }  # fmt: skip
    return f"INSERT INTO adoptions ({', '.join(values)}) VALUES ({', '.join(values.values())})"


MOMENT = "2026-01-01 00:00:00.000000"

DAMAGE: dict[str, tuple[Callable[[Base], object], str]] = {
    # the database file
    "a page of a table": (lambda b: b.overwrite("audit_entries"), "The database file is damaged: .*Restore a backup"),
    "a page of an index": (lambda b: b.overwrite("ix_practices_state"), "The database file is damaged: .*Restore"),
    "a value that a check forbids": (
        lambda b: b.say("UPDATE practices SET state = 'nonsense'"), "The database file is damaged: CHECK .*practices"),
    "a value twice that may be there once": (
        lambda b: b.say("PRAGMA writable_schema=ON",
                        "UPDATE sqlite_master SET sql = replace(sql, 'CREATE INDEX', 'CREATE UNIQUE INDEX') "
                        "WHERE name = 'ix_practices_owner_id'"),
        "The database file is damaged: non-unique entry in index ix_practices_owner_id"),
    "a row without its parent": (
        lambda b: b.say("UPDATE record_themes SET theme = 'gone'"),
        "Row .* of the table record_themes refers to a row of themes that is not there"),
    # the schema
    "an index that was dropped": (lambda b: b.say("DROP INDEX ix_records_updated"),
                                  "The schema lacks the index ix_records_updated.*Restore"),
    # values
    "a moment that is none": (lambda b: b.say("UPDATE buffers SET saved = 'x'", "UPDATE users SET created = 'never'"),
                              "A value of users.created cannot be read .*Restore"),
    "JSON that is none": (lambda b: b.say("UPDATE records SET partners = '[{'"),
                          "A value of records.partners cannot be read"),
    "JSON of a version that is none": (lambda b: b.say("UPDATE revisions SET document = '{' WHERE number = 1"),
                                       "A value of revisions.document cannot be read"),
    "text that is no UTF-8": (lambda b: b.say("UPDATE users SET name = CAST(X'FF41' AS TEXT)"),
                              "A value of users.name cannot be read"),
    # revisions
    "a revision that is gone": (
        lambda b: b.say(f"DELETE FROM revisions WHERE practice_id = {OF_SUBMISSION} AND number = 1"),
        "“A submission” .* should have 2 revisions, but has 1, the last with the number 2. Compare it with a backup"),
    "a revision that was changed": (lambda b: b.say(WORKING.format("'$.title', 'Another'")), AS_SAVED),
    "a revision that was moved": (
        lambda b: b.say(f"UPDATE revisions SET practice_id = {OF_FIRST}, number = 2 "
                        f"WHERE practice_id = {OF_SUBMISSION} AND number = 2"), "Revision 2 of first-practice is not"),
    "a revision without a fingerprint": (lambda b: b.say("UPDATE revisions SET fingerprint = NULL"), AS_SAVED),
    "a removed text that is there": (lambda b: b.say("UPDATE revisions SET redacted = created"), AS_SAVED),
    "a letter of a draft in the file": (lambda b: b.flip(b"What nobody has sent", 3),
                                        "Revision 1 of “A draft” .* is not what was saved. Compare it"),
    "a row about a revision that there is not": (
        lambda b: b.say(f"INSERT INTO last_looks (practice_id, user_id, revision_number, looked) "
                        f"SELECT {OF_FIRST}, id, 9, created FROM users LIMIT 1"),
        "A row of last_looks is about revision 9 of first-practice, which has 1"),
    # practices
    "a version that no revision holds": (
        lambda b: b.say(f"UPDATE practices SET version = 7 WHERE id = {OF_FIRST}"),
        "first-practice is public in version 7, but no revision holds that version"),
    "a version of what is not public": (
        lambda b: b.say(f"UPDATE practices SET version = 1, slug = 'x' WHERE id = {OF_SUBMISSION}"),
        "x should have been public in version 1, but its last published revision is version 0"),
    "a public text that was changed": (
        lambda b: b.say(f"UPDATE records SET summary = 'Other words.' WHERE practice_id = {OF_FIRST}"),
        "first-practice shows readers something else than version 1 says: summary. Publish it again"),
    "a letter of a public text in the file": (
        lambda b: b.flip(b"Pairs of nurses", 1), "Revision 1 of first-practice is not what was saved"),
    "a public practice that stands as archived": (
        lambda b: b.say(f"UPDATE practices SET state = 'archived' WHERE id = {OF_FIRST}"),
        "first-practice stands as archived, but readers see it"),
    "a published practice that nobody sees": (
        lambda b: b.say("DELETE FROM record_themes WHERE practice_id IN (SELECT id FROM practices WHERE slug = "
                        "'third-practice')", "DELETE FROM record_target_groups WHERE practice_id IN (SELECT id FROM "
                        "practices WHERE slug = 'third-practice')", "DELETE FROM records WHERE title = "
                        "'Third practice'"), "third-practice stands as published, but readers see nothing"),
    "a theme that is gone": (lambda b: b.say(WORKING.format("'$.themes', json('[\"gone\"]')")),
                             "The working copy of “A submission” .* has the theme gone, which is not in the list"),
    "a target group that is gone": (
        lambda b: b.say(WORKING.format("'$.target_groups', json('[\"gone\"]')")),
        "The working copy of “A submission” .* has the target group gone, which is not in the list"),
    "a region that is gone": (lambda b: b.say(WORKING.format("'$.region.code', 'ZZ'")),
                              "The working copy of “A submission” .* has the region ZZ, which is not in the list"),
    "an adopted practice that is gone": (
        lambda b: b.say("UPDATE records SET adapted_from = replace(adapted_from, 'first-practice', 'no-practice')"),
        "second-practice says that it adapts no-practice, which is not a public practice"),
    "an adoption of what was never public": (
        lambda b: b.say(adoption(OF_SUBMISSION)), "ITH3 takes up “A submission”, which was never public"),
    "an adoption that names a deleted account": (
        lambda b: b.say(adoption(OF_FIRST, user_id="(SELECT id FROM users LIMIT 1)"),
                        "UPDATE users SET deleted = '2026-01-01 00:00:00.000000'"),
        "The adoption .* names somebody whose account is deleted"),
    "practices that come from themselves": (
        lambda b: b.say(adoption("(SELECT id FROM practices WHERE slug = 'second-practice')", own_id=OF_FIRST)),
        "Practices come from themselves: .*(first-practice is adapted from second-practice"
        "|second-practice is adapted from first-practice)"),
    "a file of a submission that is gone": (
        lambda b: b.say(WORKING.format(f"'$.images', json('[{{\"sha256\": \"{'ab' * 32}\"}}]')")),
        "The working copy of “A submission” .* names the file abab.*, which is in no table"),
    "a practice merged into a merged one": (
        lambda b: b.say(f"UPDATE practices SET merged_into_id = {OF_FIRST} WHERE slug <> 'first-practice'",
                        "UPDATE practices SET merged_into_id = (SELECT id FROM practices WHERE slug = "
                        "'second-practice') WHERE slug = 'first-practice'"),
        "second-practice was merged into first-practice, which was merged itself. Undo"),
    # the rest of the base
    "entries of the audit log": (lambda b: b.say("DELETE FROM audit_entries WHERE id BETWEEN 2 AND 3"),
                                 "The audit log lacks the entries 2 to 3: somebody took them out. Compare"),
    "the first entry of the audit log": (lambda b: b.say("DELETE FROM audit_entries WHERE id = 1"),
                                         "The audit log lacks the entries 1 to 1"),
    "a retired theme that leads nowhere": (
        lambda b: b.say("INSERT INTO term_successors VALUES ('theme', 'old', 'gone')"),
        "The retired theme old leads to gone, which is not in the list"),
    "a retired target group that leads nowhere": (
        lambda b: b.say("INSERT INTO term_successors VALUES ('target_group', 'old', 'gone')"),
        "The retired target group old leads to gone, which is not in the list"),
    "what a disabled account left": (lambda b: b.say("UPDATE users SET active = 0"),
                                     "The account .* is disabled or deleted, but has 1 sessions and 1 tokens"),
    "what a deleted account left": (lambda b: b.say("UPDATE users SET deleted = created"),
                                    "The account .* is disabled or deleted, but has 1 sessions and 1 tokens"),
    "mail that nobody sends": (lambda b: b.say("UPDATE mail_messages SET due = '2020-01-01 00:00:00.000000'"),
                               "1 mails should have gone since 2020-01-01.*Run send-mail"),
    # the index
    "an index that is gone": (lambda b: shutil.rmtree(b.config.index_dir), "The search index cannot be read.*reindex"),
    "a file of the index that is gone": (lambda b: b.arrays().unlink(), "The search index cannot be read.*reindex"),
    "a file of the index that was cut": (_cut, "The search index cannot be read.*reindex"),
    "a byte of the index": (_flip_array, "The search index cannot be read .* is damaged.*Run reindex"),
    "a practice that the index lacks": (
        lambda b: b.index(lambda engine: engine.update([], [next(iter(engine.ids()))])),
        "is public, but not in the search index. Run reindex"),
    "a practice that only the index has": (
        lambda b: b.index(lambda engine: engine.update([Document(id=GHOST, slug="g", title="Ghost", language="en")])),
        f"The search index holds a practice that is not public: {GHOST}. Run reindex"),
    "an old version in the index": (
        lambda b: b.say(f"UPDATE records SET updated = '2031-01-01 00:00:00.000000' WHERE practice_id = {OF_FIRST}"),
        "The search index holds first-practice as it was before. Run reindex"),
    "a count of the index": (
        lambda b: b.say("UPDATE records SET adapted_from = '[]'"), "The search index holds first-practice as it was"),
    "changes that nobody brings into the index": (
        lambda b: b.say(f"INSERT INTO index_outbox (practice_id) VALUES ({OF_FIRST})"),
        "1 practices wait for the search index. Run reindex"),
    # files
    "a file that is gone": (lambda b: b.file().unlink(), "The file .* is not in the files folder. Restore it"),
    "a file that was changed": (lambda b: b.file().write_bytes(b"other"), "The file .* was changed or damaged. Rest"),
    "a file that nobody knows": (_stray, "is in no table. Run sweep"),
    "a file that a public practice names": (
        lambda b: b.say("UPDATE records SET images = '[{\"sha256\": \"" + "ab" * 32 + "\"}]' "
                        f"WHERE practice_id = {OF_FIRST}"), "first-practice names the file abab"),
}  # fmt: skip


def test_a_sound_base_has_no_fault(base: Base) -> None:
    assert found(base) == []
    assert runner(base.config.data_dir)("check").stdout == "All is well.\n"


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named(base: Base, kind: str) -> None:
    plant, sentence = DAMAGE[kind]
    plant(base)
    sentences = found(base)
    assert any(re.search(sentence, each) for each in sentences), sentences
    assert all(each.endswith(".") for each in sentences)


def test_the_guard_of_the_audit_log_is_missed(base: Base) -> None:
    with contextlib.closing(sqlite3.connect(base.path)) as connection:
        connection.execute("DROP TRIGGER audit_entries_no_delete")
    assert any("lacks the guard audit_entries_no_delete" in each for each in found(base))


@pytest.mark.parametrize("kind", ["a page of a table", "JSON that is none", "a byte of the index"])
def test_the_command_names_damage_and_ends_with_1(base: Base, kind: str) -> None:
    plant, sentence = DAMAGE[kind]
    plant(base)
    assert re.search(sentence, runner(base.config.data_dir)("check", status=1).stdout)


def test_an_index_that_somebody_added_is_no_fault(base: Base) -> None:
    base.say("CREATE INDEX mine ON records (place)")
    assert found(base) == []
