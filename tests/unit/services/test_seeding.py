"""The seed follows its files, and leaves alone whatever anything else wrote to."""

from __future__ import annotations

import io
import json as stdlib
import shutil
import uuid
from pathlib import Path

import pytest

from kb.db import Database
from kb.formats import json
from kb.models import Practice
from kb.services import catalogue, publishing, seeding
from kb.services.importing import Aim, Importer
from kb.services.publishing import of_record
from kb.services.seeding import Seeded
from tests import factories

SLUG = "catalonia-acol-line"
CORRECTED = "A person corrected this summary after the seed was made."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A seed of one practice."""
    folder = shutil.copytree(seeding.FOLDER, tmp_path / "seed", ignore=shutil.ignore_patterns("practices"))
    (folder / "practices").mkdir()
    shutil.copy(seeding.FOLDER / "practices" / f"{SLUG}.yaml", folder / "practices")
    return folder


def seed(database: Database, folder: Path) -> Seeded:
    with database.write() as session:
        return seeding.seed(session, folder)


def change(folder: Path) -> None:
    """Let the practice's file say something else."""
    path = folder / "practices" / f"{SLUG}.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\nplace: null\n", "\nplace: Girona\n"), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text


def shown(database: Database) -> dict[str, object]:
    with database.read() as session:
        return catalogue.get(session, SLUG, "")


def import_file(database: Database, record: dict[str, object]) -> None:
    text = stdlib.dumps([record]).encode()
    importer = Importer(database, Aim.PUBLISHED, None, lambda refusal: pytest.fail(str(refusal)))
    assert importer.run(lambda: json.read(io.BytesIO(text))).added == 1


def test_an_untouched_practice_follows_its_file(database: Database, folder: Path) -> None:
    assert seed(database, folder) == Seeded(added=1, renewed=0, kept=0)
    assert seed(database, folder) == Seeded(added=0, renewed=0, kept=1)
    change(folder)
    assert seed(database, folder) == Seeded(added=0, renewed=1, kept=0)
    assert shown(database)["place"] == "Girona" and shown(database)["version"] == 2
    assert seed(database, folder) == Seeded(added=0, renewed=0, kept=1)


def test_a_seed_practice_that_came_by_import_is_kept(
    database: Database, other_database: Database, folder: Path
) -> None:
    seed(other_database, folder)
    import_file(database, {**shown(other_database), "summary": CORRECTED})
    change(folder)
    assert seed(database, folder) == Seeded(added=0, renewed=0, kept=1)
    assert shown(database)["summary"] == CORRECTED


def test_a_seed_practice_that_a_person_edited_is_kept(database: Database, folder: Path) -> None:
    seed(database, folder)
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        practice = session.get(Practice, uuid.uuid5(seeding.NAMESPACE, SLUG))
        assert practice
        edited = {**of_record(catalogue.get(session, SLUG, "")), "summary": CORRECTED}
        publishing.publish(session, practice, edited, author_id=bob.id)
    change(folder)
    assert seed(database, folder) == Seeded(added=0, renewed=0, kept=1)
    assert shown(database)["summary"] == CORRECTED


def test_a_seed_practice_that_was_taken_offline_stays_so(database: Database, folder: Path) -> None:
    seed(database, folder)
    with database.write() as session:
        practice = session.get(Practice, uuid.uuid5(seeding.NAMESPACE, SLUG))
        assert practice
        publishing.unpublish(session, practice)
    change(folder)
    assert seed(database, folder) == Seeded(added=0, renewed=0, kept=1)
