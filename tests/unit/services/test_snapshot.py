"""Everything public in one file: what is in it, what is not, and when it is made anew."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rdflib
from frictionless import Package, system

from kb.config import Config
from kb.db import Database
from kb.models import Practice
from kb.services import (
    accounts,
    files,
    practice_files,
    practices,
    publishing,
    redaction,
    snapshot,
    snapshots,
    vocabularies,
)
from kb.services.checking import check
from kb.services.files import Store
from kb.services.locks import FileLocks
from kb.services.practice_files import Words
from kb.services.record import DOCUMENT_KEYS, KEYS
from kb.services.snapshot import Site
from tests import factories, stack, uploads
from tests.conftest import configure

BASE = "https://practices.example.eu"


def site(config: Config) -> Site:
    return Site("Practices", BASE, config.files_dir)


def written(database: Database, config: Config, folder: Path) -> zipfile.ZipFile:
    path = folder / "all.zip"
    with database.read() as session:
        snapshots.to_file(session, vocabularies.load(session), path, site(config))
    return zipfile.ZipFile(path)


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).decode().splitlines()]


@pytest.fixture(scope="module")
def unpacked(seeded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshot of the seed, taken out of its file."""
    folder = tmp_path_factory.mktemp("snapshot")
    config = configure(stack.copy(seeded_folder, folder / "data"))
    database = Database(config.database_url)
    written(database, config, folder).extractall(folder / "out")
    database.close()
    return folder / "out"


@pytest.fixture(scope="module")
def package(unpacked: Path) -> Iterator[Package]:
    with system.use_context(trusted=True):
        yield Package(str(unpacked / "datapackage.json"))


# What is in it


def test_all_practices_are_there_as_records_and_as_a_table(unpacked: Path) -> None:
    records = [json.loads(line) for line in (unpacked / "data/practices.jsonl").read_text().splitlines()]
    with (unpacked / "data/practices.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(records) == 120 and {tuple(record) for record in records} == {KEYS}
    assert [row["slug"] for row in rows] == [record["slug"] for record in records]


def test_its_description_is_valid_and_its_table_fits_it(package: Package) -> None:
    report = package.validate()
    assert report.valid, report.flatten(["name", "type", "message"])


def test_someone_elses_reader_reads_lists_and_numbers(package: Package) -> None:
    row = next(row for row in package.get_resource("practices-csv").read_rows() if row["slug"] == "catalonia-acol-line")
    assert isinstance(row["sources"], list) and row["version"] == 1


def test_vocabularies_are_there_for_people_and_machines(unpacked: Path) -> None:
    assert len(json.loads((unpacked / "vocabularies/regions.json").read_text())) > 1000
    for name in ("themes", "target-groups"):
        terms = json.loads((unpacked / f"vocabularies/{name}.json").read_text())
        graph = rdflib.Graph().parse(unpacked / f"vocabularies/{name}.ttl")
        notations = {str(o) for o in graph.objects(None, rdflib.SKOS.notation)}
        assert {term["slug"] for term in terms} <= notations


def test_every_file_has_its_checksum(unpacked: Path) -> None:
    sums = dict(line.split("  ")[::-1] for line in (unpacked / "SHA256SUMS").read_text().splitlines())
    held = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert set(sums) == held - {"SHA256SUMS"}
    assert all(hashlib.sha256((unpacked / name).read_bytes()).hexdigest() == sums[name] for name in sums)


def test_it_says_what_it_is_and_under_which_licence(unpacked: Path) -> None:
    text = (unpacked / "README.txt").read_text()
    assert "120 practices" in text and "creativecommons.org/licenses/by/4.0" in text
    assert "To cite the whole: " in text and 'read_csv("data/practices.csv"' in text and 'read.csv("data/' in text


def test_versions_are_there_and_of_a_redacted_one_only_the_reason(
    database: Database, config: Config, tmp_path: Path
) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        dora = factories.person(session, "dora@example.org", "admin")
        practice = factories.published(session, alice, title="First words")
        second = check(factories.document(title="Second words"), factories.vocabulary(session))
        publishing.publish(session, practice, second)
        redaction.redact(session, dora, practice.id, 1, "A person asked for it")
    archive = written(database, config, tmp_path)
    first, second = lines(archive, "data/versions.jsonl")
    assert (first["version"], first["redacted"], first["record"]) == (1, "A person asked for it", None)
    assert (second["record"]["title"], tuple(second["record"])) == ("Second words", DOCUMENT_KEYS)
    assert b"First words" not in b"".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("public", [True, False])
def test_files_of_public_texts_are_there_and_no_others(
    database: Database, config: Config, tmp_path: Path, public: bool
) -> None:
    store = Store(config.files_dir)
    with database.write() as session, files.receive(store, io.BytesIO(uploads.pdf()), "a.pdf", "attachment") as taken:
        practice = factories.draft(session, factories.person(session, "alice@example.org", "member"))
        stored = practice_files.add(session, practice.owner, store, practice, "attachment", taken, Words())
        if public:
            document = practices.working_copy(session, practice)
            publishing.publish(session, practice, check(document, factories.vocabulary(session)))
        expected = [f"files/{stored.sha256}.pdf"] if public else []
    archive = written(database, config, tmp_path)
    assert [name for name in archive.namelist() if name.startswith("files/")] == expected
    assert (b"files/  " in archive.read("README.txt")) == public  # named only where it is there


def test_drafts_people_and_contacts_are_not_in_it(database: Database, config: Config, tmp_path: Path) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        factories.draft(session, alice, title="Hidden draft")
        factories.submitted(session, alice, title="Waiting text")
        factories.published(session, alice, title="For readers")
        assert session.query(Practice).filter(Practice.contact.has()).count() > 0
    archive = written(database, config, tmp_path)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for secret in ("Hidden draft", "Waiting text", "alice@", factories.CONTACT["email"], factories.CONTACT["name"]):
        assert secret.encode() not in everything
    assert b"For readers" in everything


# When it is made anew


def current(database: Database, config: Config) -> zipfile.ZipFile | None:
    path = snapshots.current(database, FileLocks(config.data_dir), config.data_dir, site(config), 60)
    return zipfile.ZipFile(path) if path else None


def titles(archive: zipfile.ZipFile | None) -> list[str]:
    assert archive is not None
    return [record["title"] for record in lines(archive, "data/practices.jsonl")]


def test_what_comes_in_waits_for_the_next_day(database: Database, config: Config) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        factories.published(session, alice, title="First")
    assert titles(current(database, config)) == ["First"]
    with database.write() as session:
        factories.published(session, accounts.get(session, "alice@example.org"), title="Second")
    assert titles(current(database, config)) == ["First"]


def test_what_is_taken_away_is_gone_at_once(database: Database, config: Config) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        for title in ("First", "Second"):
            factories.published(session, alice, title=title)
    assert titles(current(database, config)) == ["First", "Second"]
    with database.write() as session:
        publishing.unpublish(session, session.query(Practice).filter_by(slug="first").one())
    assert titles(current(database, config)) == ["Second"]


def test_a_damaged_one_is_made_anew(database: Database, config: Config) -> None:
    (config.data_dir / snapshots.NAME).write_bytes(b"PK broken")
    assert titles(current(database, config)) == []


def test_what_a_killed_process_left_is_removed(database: Database, config: Config) -> None:
    left = config.data_dir / f".{snapshots.NAME}.0a1b2c3d"
    left.write_bytes(b"half of it")
    assert titles(current(database, config)) == [] and not left.exists()


def test_what_is_taken_away_while_it_is_made_has_it_made_anew(
    database: Database, config: Config, tmp_path: Path
) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        factories.published(session, alice, title="First")

    def meanwhile(records: Any, _total: int) -> Any:
        with database.write() as other:
            publishing.unpublish(other, other.query(Practice).filter_by(slug="first").one())
        session.rollback()  # from here on this transaction reads what was committed, as PostgreSQL's does
        return records

    with database.read() as session:
        before = snapshot.mark(session)
        snapshots.to_file(session, factories.vocabulary(session), tmp_path / "s.zip", site(config), meanwhile)
    with zipfile.ZipFile(tmp_path / "s.zip") as archive, database.read() as session:
        said = json.loads(archive.comment)["went"]
        assert said == before.went != snapshot.mark(session).went


def test_many_who_ask_at_once_all_get_it(database: Database, config: Config) -> None:
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(current(database, config))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(got)
    assert titles(current(database, config)) == []
