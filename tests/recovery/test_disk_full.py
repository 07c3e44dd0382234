"""A disk that is full: whoever writes is told and keeps their words, nothing is half there, and it works again."""

from __future__ import annotations

import csv
import fcntl
import gc
import io
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from bench.autosave import FIELDS
from kb.cli import main
from kb.db import Database
from kb.models import MailMessage, User
from kb.search.whoosh_engine import WhooshEngine
from kb.services import consistency, file_keeping, limits, tokens
from kb.services.transport import FolderTransport, Unreachable
from tests import factories, stack, uploads
from tests.conftest import Site, configure
from tests.planted import cells
from tests.processes import Server, eventually, knows_workers, serving
from tests.recovery.scarcity import Disk, LimitedWorkers, small_disk, small_files
from tests.recovery.writers import Client, Said, hidden
from tests.soaking import soak
from tests.web.test_files import made, upload

WORDS = "Every word of a long afternoon"

# Files that could not be written are closed with the tracebacks that tests hold on to, and Python says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What a test leaves to the collector is collected before the next test."""
    yield
    gc.collect()


# A server


class Town:
    """A data folder with a draft of Alice's, a submission that waits for Bob, and a token."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(configure(folder).database_url)
        with self.database.write() as session:
            alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
            self.draft = factories.draft(session, alice).id
            self.waiting = factories.submitted(session, alice, title="Waiting for an editor").id
            self.token = tokens.make(session, alice)

    def publish(self, title: str) -> None:
        """Publish something; others have to bring it into the index."""
        with self.database.write() as session:
            factories.published(session, title=title)

    def faults(self) -> list[str]:
        """All that `check` finds wrong."""
        engine = WhooshEngine(self.folder / "index")
        found = [*consistency.faults(self.database, engine), *file_keeping.faults(self.database, self.folder / "files")]
        engine.close()
        return found

    def unsent(self) -> int:
        """How many mails wait."""
        with self.database.read() as session:
            return len(session.scalars(select(MailMessage.id).where(MailMessage.sent.is_(None))).all())


class Writing:
    """What people send to a server; each of these can be sent again."""

    def __init__(self, server: Server, town: Town) -> None:
        self.alice, self.bob, self.dora = (Client(server.port) for _ in range(3))
        for name in ("alice", "bob", "dora"):
            getattr(self, name).sign_in(f"{name}@example.org")
        self.stranger, self.program = Client(server.port), Client(server.port, town.token)
        self.draft, self.review = f"/my/practices/{town.draft}", f"/review/{town.waiting}"
        self._new = uuid.uuid4()

    def save(self) -> Said:
        return self.alice.post(f"{self.draft}/edit", **{**FIELDS, "actions": WORDS, "seen": "1", "do": "save"})

    def type(self) -> Said:
        form = {**FIELDS, "actions": WORDS, "draft": str(self._new)}
        return self.alice.post(f"/my/practices/{self._new}/autosave", **form)

    def upload(self) -> Said:
        return self.alice.send_file(f"{self.draft}/files", "wall.png", uploads.picture("PNG", (200, 200)),
                                    kind="image", alt=WORDS)  # fmt: skip

    def submit(self) -> Said:
        body = {**factories.document(title="From a program"), "contact": factories.CONTACT}
        return self.program.send_json("POST", "/api/v1/practices", body)

    def publish(self) -> Said:
        seen = hidden(self.bob.ask("GET", self.review).text)["seen"]
        return self.bob.post(self.review, do="publish", seen=seen, message=WORDS)

    def bring(self) -> Said:
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, list(cells(0)))
        writer.writeheader()
        writer.writerows({**cells(0), "title": f"From a table {n}"} for n in range(20))
        return self.dora.send_file("/admin/import", "table.csv", table.getvalue().encode(), aim="draft")

    def sign_in(self) -> Said:
        csrf = hidden(self.stranger.ask("GET", "/sign-in").text)["csrf_token"]
        form = {"email": "charlie@example.org", "password": factories.PASSWORD, "csrf_token": csrf}
        return self.stranger.ask("POST", "/sign-in", form)


SENT = ("save", "type", "upload", "submit", "publish", "bring", "sign_in")
SAID_BACK = ("save", "upload", "publish")
"""What comes back with its words. What was typed stays in the browser's form; programs and tables have theirs."""


def endures(server: Server, town: Town, disk: Disk) -> None:
    """Fill the disk of a server, have everybody write, and free it again."""
    people = Writing(server, town)
    with (town.folder / "index.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that the index is still to be written when the disk is full
        town.publish("Zanzara mentoring")
        disk.fill()
    for name in SENT:
        said = getattr(people, name)()
        assert said.status in (503, 507), (name, said)
        assert "Traceback" not in said.text and factories.PASSWORD not in said.text
        assert name not in SAID_BACK or WORDS in said.text, (name, said.text)
    for address in ("/", "/practices?q=nurses", "/api/v1/practices", people.draft + "/edit"):
        assert people.alice.ask("GET", address).status == 200, address
    disk.free()
    for name in SENT:
        said = getattr(people, name)()
        assert said.acknowledged, (name, said)
    eventually(lambda: json.loads(people.stranger.ask("GET", "/api/v1/practices?q=zanzara").text)["total"] == 1)
    eventually(lambda: town.unsent() == 0)
    assert town.faults() == []


@contextmanager
def serving_town(source: Path, place: Path) -> Iterator[tuple[Server, Town]]:
    town = Town(stack.copy(source, place / "data"))
    with serving(town.folder, KB_WORKERS="2", KB_SECRET_KEY="k" * 40) as server:
        yield server, town
    town.database.close()


@knows_workers
def test_on_a_full_disk_nobody_loses_a_word_and_all_goes_on_when_there_is_room(
    peopled_folder: Path, tmp_path: Path
) -> None:
    with serving_town(peopled_folder, tmp_path) as (server, town):
        endures(server, town, LimitedWorkers(server))


@soak
def test_on_a_small_disk_that_is_filled_up_nobody_loses_a_word(peopled_folder: Path, tmp_path: Path) -> None:
    size = sum(path.stat().st_size for path in peopled_folder.rglob("*") if path.is_file())
    with small_disk(tmp_path / "disk", size // 2**20 + 24) as disk:
        with serving_town(peopled_folder, disk.place) as (server, town):
            endures(server, town, disk)


# Commands


@pytest.fixture
def folder(seeded_folder: Path, tmp_path: Path) -> Path:
    """A data folder with the whole seed."""
    return stack.copy(seeded_folder, tmp_path / "data")


def command(folder: Path, *words: object) -> Result:
    own = {"KB_DATA_DIR": str(folder), **stack.environment(folder)}
    env = {**own, "KB_SECRET_KEY": "k" * 40, "KB_BASE_URL": "", "PORT": ""}
    return CliRunner().invoke(main, [str(word) for word in words], env=env)


def content(*folders: Path) -> set[Path]:
    """The names of all files but SQLite's own beside its database."""
    return {path for folder in folders for path in folder.rglob("*") if not path.name.startswith("kb.sqlite")}


@pytest.mark.parametrize("name", ["back.zip", "all.json", "all.xlsx", "all.zip"])
def test_what_cannot_be_written_to_the_end_is_refused_in_a_sentence_and_leaves_nothing(
    folder: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    ask = ("backup" if name == "back.zip" else "export", out / name)
    with small_files():
        refused = command(folder, *ask)
    assert refused.exit_code == 1 and "Traceback" not in refused.output
    assert refused.output.strip().splitlines()[-1].startswith("Error: ")
    assert list(out.iterdir()) == []
    assert command(folder, *ask).exit_code == 0


def test_a_rebuild_without_room_leaves_the_live_index_and_nothing_else(folder: Path) -> None:
    before = content(folder)
    with small_files():
        refused = command(folder, "reindex")
    assert refused.exit_code == 1 and refused.output.strip().splitlines()[-1].startswith("Error: ")
    assert content(folder / "index") == {path for path in before if folder / "index" in path.parents} | {
        folder / "index" / "REBUILD"
    }
    assert "All is well" in command(folder, "check").output
    assert command(folder, "reindex").exit_code == 0


def test_an_import_without_room_is_refused_in_a_sentence_and_can_be_repeated(town_folder: Path, tmp_path: Path) -> None:
    folder = stack.copy(town_folder, tmp_path / "data")
    table = tmp_path / "table.json"
    table.write_text(json.dumps([factories.document(title="Zanzara mentoring")]))
    ask = ("import", table, "--as", "draft", "--owner", "alice@example.org")
    with small_files():
        refused = command(folder, *ask)
    assert refused.exit_code == 1 and refused.output.strip().splitlines()[-1].startswith("Error: ")
    assert "All is well" in command(folder, "check").output
    assert command(folder, *ask).exit_code == 0


# What a process writes beside the database


def test_an_index_that_cannot_be_written_is_written_later_and_keeps_answering(seeded_site: Site) -> None:
    with seeded_site.database.write() as session:
        factories.published(session, title="Zanzara mentoring")
    with small_files(64):
        seeded_site.parts.indexer.after_commit()
        assert seeded_site.client().get("/api/v1/practices?q=talent").status_code == 200
    seeded_site.drain()
    assert seeded_site.client().get("/api/v1/practices?q=zanzara").get_json()["total"] == 1
    live = json.loads((seeded_site.config.index_dir / "CURRENT").read_text())
    there = {path.name for path in (seeded_site.config.index_dir / live["folder"]).iterdir()}
    assert there == set(live["files"])


def test_mail_that_cannot_be_written_leaves_nothing_half_and_is_written_later(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Message-ID"], message["To"] = "<1@example.org>", "alice@example.org"
    message.set_content("A link that opens an account\n" * 500)
    folder = FolderTransport(tmp_path / "mail")
    with small_files(), pytest.raises(Unreachable):
        folder.send(message)
    assert list(folder.folder.iterdir()) == []
    folder.send(message)
    assert [path.name for path in folder.folder.iterdir()] == ["1@example.org.eml"]


def test_limits_that_cannot_be_counted_let_people_pass_and_count_again_when_there_is_room(tmp_path: Path) -> None:
    requests, failures = limits.Requests(tmp_path / "a.sqlite"), limits.Failures(tmp_path / "b.sqlite")
    with small_files(16):
        assert requests.count("api", 1, "192.0.2.1") is None
        for _ in range(30):
            failures.begin("alice@example.org", "192.0.2.1")
            failures.failed("192.0.2.1")
    standing = [requests.count("api", 1, "192.0.2.1") for _ in range(2)]
    assert [each is not None and each.over for each in standing] == [False, True]


def test_an_upload_that_finds_no_room_on_its_way_to_the_server_is_answered_with_a_sentence(site: Site) -> None:
    practice_id = made(site)
    large = uploads.pdf(padding=2**20)
    with small_files(2**19):
        refused = upload(site.client("alice"), practice_id, large, "report.pdf", kind="attachment", title=WORDS)
    assert refused.status_code == 507 and "The server is full" in refused.text
    sent = upload(site.client("alice"), practice_id, large, "report.pdf", kind="attachment", title=WORDS)
    assert sent.status_code == 302


def test_a_snapshot_without_room_is_made_when_it_is_asked_for_again(seeded_site: Site) -> None:
    with small_files():
        assert seeded_site.client().get("/snapshot.zip").status_code == 503
    assert not list(seeded_site.config.data_dir.glob("*snapshot.zip*"))
    assert seeded_site.client().get("/snapshot.zip").status_code == 200
