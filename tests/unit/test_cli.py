"""The commands as a person types them: what they print, and with which status they end."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kb import create_app
from kb.cli import main
from kb.db import Database
from kb.models import Practice, Region, State, StoredFile, User
from tests import factories, stack
from tests.conftest import configure

Run = Callable[..., Result]


def runner(folder: Path) -> Run:
    """Calls a command on a data folder."""

    def run(*args: object, status: int = 0, **how: Any) -> Result:
        own = {"KB_DATA_DIR": str(folder), **stack.environment(folder)}
        env = {**own, "KB_BASE_URL": "", "PORT": "", **how.pop("env", {})}
        result = CliRunner().invoke(main, [str(arg) for arg in args], obj=create_app, env=env, **how)
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.output
        return result

    return run


@contextmanager
def writing(folder: Path) -> Iterator[Session]:
    """A transaction in the database of a data folder."""
    database = Database(configure(folder).database_url)
    with database.write() as session:
        yield session
    database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def kb(folder: Path) -> Run:
    """Commands on a folder that is not there yet."""
    return runner(folder)


@pytest.fixture
def bare(bare_folder: Path, folder: Path) -> Run:
    """Commands on a base with vocabularies and no practice."""
    return runner(stack.copy(bare_folder, folder))


@pytest.fixture
def seeded(seeded_folder: Path, folder: Path) -> Run:
    """Commands on the seed."""
    return runner(stack.copy(seeded_folder, folder))


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A file with one good record and one bad one."""
    path = tmp_path / "records.json"
    path.write_text(json.dumps([factories.document(), factories.document(title="x")]))
    return path


def one(folder: Path, table: type[Any]) -> Any:
    database = Database(configure(folder).database_url)
    with database.read() as session:
        row = session.scalars(select(table)).one()
    database.close()
    return row


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command, subcommands too."""
    found = []
    for name, command in group.commands.items():
        found += commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


# Asking


@pytest.mark.parametrize("command", commands(main), ids=" ".join)
def test_every_command_and_option_is_explained_and_help_makes_nothing(
    kb: Run, folder: Path, command: tuple[str, ...]
) -> None:
    result = kb(*command, "--help")
    assert "Usage:" in result.stdout
    found: click.Command = main
    for name in command:
        assert isinstance(found, click.Group)
        found = found.commands[name]
    assert found.help
    assert all(option.help for option in found.params if isinstance(option, click.Option))
    assert not folder.exists()


@pytest.mark.parametrize(
    "args",
    [("nonsense",), ("import",), ("import", "no-such-file", "--as", "draft"), ("user", "add", "a@example.org"),
     ("user", "role", "a@example.org", "king"), ("export", "a", "b"), ("restore", "no-such-file")],
)  # fmt: skip
def test_a_wrong_call_ends_with_2(kb: Run, args: tuple[str, ...]) -> None:
    kb(*args, status=2)


@pytest.mark.parametrize(
    "args", [("export", "-"), ("check",), ("reindex",), ("backup", "b1"), ("user", "link", "a@b.eu")]
)
def test_without_a_database_the_sentence_says_so(kb: Run, folder: Path, args: tuple[str, ...]) -> None:
    result = kb(*args, status=1)
    assert "There is no database in" in result.stderr
    assert not (folder / "kb.sqlite").exists()


def test_a_setting_that_cannot_be_used_ends_with_one_sentence(kb: Run) -> None:
    result = kb("init", env={"PORT": "http"}, status=1)
    assert result.stderr == "Error: PORT must be a whole number from 0 to 65535, not 'http'.\n"


def test_a_schema_of_a_later_release_ends_with_one_sentence(bare: Run, folder: Path) -> None:
    with writing(folder) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for command in (("run",), ("check",), ("seed",)):
        result = bare(*command, env={"PORT": "0"}, status=1)
        assert "9999" in result.stderr
        assert result.stderr.count("\n") == 1


@stack.sqlite_only("A file that is no database is SQLite's.")
def test_a_database_that_is_none_ends_with_one_sentence(bare: Run, folder: Path) -> None:
    (folder / "kb.sqlite").write_bytes(b"no database" * 1000)
    result = bare("check", status=1)
    assert result.stderr == "Error: The database could not be used: file is not a database.\n"


# Making and filling


def test_init_makes_an_empty_base_and_twice_does_no_harm(kb: Run, folder: Path) -> None:
    kb("init")
    assert {"secret.key", "index"} <= {path.name for path in folder.iterdir()}
    kb("init")
    assert kb("check").stdout == "All is well.\n"


def test_any_command_brings_a_base_of_the_first_release_up_to_date(bare: Run, folder: Path) -> None:
    database = Database(configure(folder).database_url)
    factories.downgrade(database, "0001")
    database.close()
    assert "schema was brought to" in bare("init").stderr
    with writing(folder) as session:
        assert session.get_one(Region, "ES51").synonyms["fr"] == ["Catalogne"]


def test_seed_loads_the_first_practices_once(kb: Run) -> None:
    assert kb("seed").stdout == "Added 120 practices, renewed 0, kept 0.\n"
    assert kb("seed").stdout == "Added 0 practices, renewed 0, kept 120.\n"
    assert kb("check").stdout == "All is well.\n"


# Import and export


def test_a_bad_record_is_named_and_ends_with_1_and_the_good_one_is_kept(bare: Run, records: Path) -> None:
    result = bare("import", records, "--as", "published", status=1)
    assert result.stdout == "1 added, 0 here already and kept, 1 refused.\n"
    assert result.stderr == "record 2: title: Lengthen the title: it needs at least 3 characters.\n"
    assert bare("check").stdout == "All is well.\n"


def test_all_or_nothing_keeps_none(bare: Run, records: Path) -> None:
    result = bare("import", records, "--as", "published", "--all-or-nothing", status=1)
    assert result.stdout == "Nothing was taken: 1 refused.\n"
    assert bare("export", "-").stdout == "[]\n"


def test_a_dry_run_keeps_none(bare: Run, records: Path) -> None:
    result = bare("import", records, "--as", "published", "--dry-run", status=1)
    assert result.stdout == "Nothing was written. It would be: 1 added, 0 here already and kept, 1 refused.\n"
    assert bare("export", "-").stdout == "[]\n"


def test_an_import_into_nothing_makes_the_base_without_the_seed(kb: Run, records: Path) -> None:
    kb("import", records, "--as", "published", status=1)
    assert [record["slug"] for record in json.loads(kb("export", "-").stdout)] == ["mentors-for-newly-arrived-nurses"]


def test_drafts_need_an_owner(bare: Run, records: Path) -> None:
    assert "--owner" in bare("import", records, "--as", "draft", status=2).stderr
    assert "Nobody has an account" in bare("import", records, "--as", "draft", "--owner", "a@b.eu", status=1).stderr


def test_submissions_are_their_owners(bare: Run, folder: Path, records: Path) -> None:
    bare("user", "add", "alice@example.org", "--role", "member")
    bare("import", records, "--as", "submitted", "--owner", "Alice@Example.org", status=1)
    assert one(folder, Practice).state == State.SUBMITTED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,title\n1,x\n", "row 1: language: This column is missing"),
        ("", "the file: The file is empty."),
        ("PK\x03\x04", "the file: This is not a workbook of a spreadsheet (XLSX), or it is damaged."),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_reason(
    bare: Run, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "table.csv").write_text(content)
    result = bare("import", tmp_path / "table.csv", "--as", "published", status=1)
    assert result.stderr.startswith(said)
    assert result.stdout == "Nothing was taken: the file as a whole is not fit to be read.\n"


def test_a_file_that_is_no_json_is_refused_with_what_is_read(bare: Run, tmp_path: Path) -> None:
    (tmp_path / "records.json").write_text("nothing of the kind")
    result = bare("import", tmp_path / "records.json", "--as", "published", status=1)
    assert result.stderr.endswith("An import reads a JSON array or JSON lines, CSV and XLSX.\n")


def test_an_export_comes_back_equal(seeded: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert seeded("export", first).stdout == f"Wrote 120 practices to {first}.\n"
    other = runner(tmp_path / "other")
    assert other("import", first, "--as", "published").stdout == "120 added, 0 here already and kept, 0 refused.\n"
    other("export", second)
    assert second.read_bytes() == first.read_bytes()
    assert other("import", first, "--as", "published").stdout == "0 added, 120 here already and kept, 0 refused.\n"
    assert other("check").stdout == "All is well.\n"


def test_an_export_into_no_folder_ends_with_one_sentence(seeded: Run, tmp_path: Path) -> None:
    result = seeded("export", tmp_path / "no" / "all.json", status=1)
    assert result.stderr.endswith("No such file or directory.\n")


# Backup


def test_a_backup_comes_back(seeded: Run, tmp_path: Path) -> None:
    assert "120 practices" in seeded("backup", tmp_path / "b1").stdout
    other = runner(tmp_path / "other")
    assert other("restore", tmp_path / "b1").stdout.startswith("Restored 120 practices")
    assert other("export", "-").stdout == seeded("export", "-").stdout
    other("reindex")
    other("check")


def test_a_damaged_backup_ends_with_1(seeded: Run, tmp_path: Path) -> None:
    seeded("backup", tmp_path / "b1")
    raw = bytearray((tmp_path / "b1").read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "b1").write_bytes(raw)
    assert "damaged" in seeded("restore", tmp_path / "b1", status=1).stderr


def test_a_backup_is_tried_without_a_data_folder(seeded: Run, tmp_path: Path) -> None:
    seeded("backup", tmp_path / "b1")
    nowhere = runner(tmp_path / "nowhere")
    said = nowhere("restore", "--check", tmp_path / "b1").stdout
    assert said.startswith(f"{tmp_path / 'b1'} is sound: 120 practices")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "b1").write_bytes((tmp_path / "b1").read_bytes()[:-1])
    assert "Error: " in nowhere("restore", "--check", tmp_path / "b1", status=1).stderr


def test_a_backup_without_a_file_that_is_lost_says_so_and_ends_with_1(
    seeded: Run, folder: Path, tmp_path: Path
) -> None:
    with writing(folder) as session:
        session.add(StoredFile(sha256="ab" * 32, media_type="image/png", bytes=1))
    said = seeded("backup", tmp_path / "b1", status=1).stdout
    assert f"The uploaded file {'ab' * 32} is missing or damaged" in said and "(1 that it names are not in it)" in said
    runner(tmp_path / "other")("restore", tmp_path / "b1")


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_server_database_is_backed_up_with_its_own_means(kb: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "b1").touch()
    result = kb(command, tmp_path / "b1", env={"KB_DATABASE_URL": "postgresql+psycopg://kb@db/kb"}, status=1)
    assert "pg_dump" in result.stderr


# People


def test_a_person_is_added_ready_to_sign_in(bare: Run, folder: Path) -> None:
    result = bare("user", "add", "Eve@Example.org", "--role", "editor", "--name", "Eve", "--region", "ITH5",
                  "--password-stdin", input="correct horse battery 9\nnot this\n")  # fmt: skip
    assert result.stdout == "Added eve@example.org as editor.\n"
    eve = one(folder, User)
    assert (eve.email, eve.role, eve.name, eve.region_code, eve.active) == (
        "eve@example.org", "editor", "Eve", "ITH5", True,
    )  # fmt: skip
    assert eve.password_hash.startswith("$argon2id$")


def test_a_token_stands_alone_on_standard_output(bare: Run) -> None:
    bare("user", "add", "eve@example.org", "--role", "member")
    first, second = (bare("user", "token", "eve@example.org").stdout for _ in range(2))
    assert len(first.split()) == 1
    assert first.endswith("\n")
    assert first != second


def test_a_link_leads_to_this_site(bare: Run) -> None:
    bare("user", "add", "eve@example.org", "--role", "member")
    result = bare("user", "link", "eve@example.org", env={"KB_BASE_URL": "https://practices.example.eu"})
    assert result.stdout.startswith("https://practices.example.eu/")


def test_a_role_changes_and_a_disabled_person_gets_no_link(bare: Run, folder: Path) -> None:
    bare("user", "add", "eve@example.org", "--role", "member")
    bare("user", "role", "eve@example.org", "admin")
    assert one(folder, User).role == "admin"
    bare("user", "disable", "eve@example.org")
    assert not one(folder, User).active
    bare("user", "link", "eve@example.org", status=1)
    bare("user", "token", "eve@example.org", status=1)


def test_an_account_is_deleted(bare: Run, folder: Path) -> None:
    bare("user", "add", "eve@example.org", "--role", "member")
    bare("user", "delete", "eve@example.org", "--yes")
    assert one(folder, User).deleted is not None


@pytest.mark.parametrize(
    ("args", "input"),
    [
        (("add", "no-address", "--role", "member"), None),
        (("add", "eve@example.org", "--role", "member", "--region", "ZZ99"), None),
        (("add", "eve@example.org", "--role", "member", "--password-stdin"), "short\n"),
        (("add", "eve@example.org", "--role", "member", "--password-stdin"), ""),
        (("role", "nobody@example.org", "editor"), None),
        (("disable", "nobody@example.org"), None),
        (("token", "nobody@example.org"), None),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(bare: Run, args: tuple[str, ...], input: str | None) -> None:
    result = bare("user", *args, input=input, status=1)
    assert result.stderr.startswith("Error: ")
    assert result.stdout == ""


# Serving


def test_a_port_that_is_taken_ends_with_one_sentence(bare: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = bare("run", env={"PORT": str(port)}, status=1)
    assert result.stderr == f"Error: Port {port} cannot be used (address already in use): set PORT to another.\n"
