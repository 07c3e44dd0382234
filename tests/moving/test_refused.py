"""Where a base is not moved: to what holds something else, and with what PostgreSQL would not take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from kb.db import Database
from kb.models import Generation
from kb.services import moving, setup
from kb.services.errors import Conflict
from kb.services.moving import NotMoved
from tests import postgres, stack
from tests.moving.bases import PLACE, Countdown, contents, moved, once, unexpected

Open = Callable[[str], Database]


def refused(source: Database, target: Database) -> list[str]:
    """The faults that keep a base from being moved, as they are told; nothing was written."""
    told: list[str] = []
    with pytest.raises(NotMoved, match="Nothing was moved"):
        moving.move(source, target, PLACE, lambda fault: told.append(str(fault)))
    with target.engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    return told


def spoilt(source: Database, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Write into a file what no rule of SQLite lets in, or what none forbids."""
    with source.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute("PRAGMA ignore_check_constraints=ON")
        for statement in statements:
            driver.execute(statement, values)
        connection.invalidate()


def key(source: Database, table: str) -> str:
    with source.engine.connect() as connection:
        return str(connection.exec_driver_sql(f"SELECT id FROM {table} ORDER BY id").scalar())


# What the source holds


@pytest.mark.parametrize(
    ("statement", "values", "said"),
    [
        ("UPDATE practices SET title = ?", ("a\0b",), "title holds the character NUL"),
        ("UPDATE practices SET title = CAST(? AS TEXT)", (b"\xff\xfe",), "title is not text in UTF-8"),
        ("UPDATE practices SET title = ?", (b"bytes",), "title is not text in UTF-8"),
        ("UPDATE practices SET origin_url = ?", ("x" * 2310,), "origin_url has 2310 characters, and there is room"),
        ("UPDATE practices SET state = ?", ("lost",), "state is none of the values that it may have"),
        ("UPDATE practices SET revision_count = ?", (2**31,), "revision_count is 2147483648, and there is room for"),
        ("UPDATE practices SET revision_count = ?", (2.5,), "revision_count is no whole number"),
        ("UPDATE practices SET revision_count = ?", ("many",), "revision_count is no whole number"),
        ("UPDATE practices SET created = ?", ("2025-02-30 10:00:00",), "created is no moment of the calendar"),
        ("UPDATE practices SET last_verified = ?", ("31 May",), "last_verified is no date of the calendar"),
        ("UPDATE practices SET state = 'draft', version = ?", (-1,), "the row breaks the rule ck_practices_version"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)  # fmt: skip
def test_what_would_not_fit_is_named_with_table_key_and_column(
    statement: str, values: tuple[Any, ...], said: str, source: Database, target: Database
) -> None:
    practice = key(source, "practices")
    spoilt(source, f"{statement} WHERE id = '{practice}'", values=values)
    (told,) = refused(source, target)
    assert told.startswith(f"practices {practice}: {said}")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "is no JSON"),
        ('{"a": NaN}', "is no JSON"),
        ('{"a": 1e999}', "is no JSON"),
        ("[" * 200_000, "is JSON too deep to be read"),
        ('{"a": ["\\u0000"]}', "holds the character NUL"),
        ('{"\\ud800": 1}', "holds half a character"),
    ],
    ids=["broken", "NaN", "endless", "deep", "NUL", "half"],
)
def test_json_that_would_not_fit_is_named(value: str, said: str, source: Database, target: Database) -> None:
    revision = key(source, "revisions")
    spoilt(source, f"UPDATE revisions SET document = ? WHERE id = '{revision}'", values=(value,))
    assert refused(source, target) == [f"revisions {revision}: document {said}."]


def test_json_that_only_speaks_of_such_a_character_is_moved(source: Database, target: Database) -> None:
    value = json.dumps({"a": "\\u0000 and \\\\u0000", "b": "\N{GRINNING FACE}"})
    spoilt(source, "UPDATE revisions SET document = ?", values=(value,))
    moved(source, target)
    assert contents(target)["revisions"][0]["document"] == json.loads(value)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("budget_eur", 1.005, "has more than 2 decimal places"),
        ("budget_eur", 10**12, "is 1000000000000.00, and there is room for less than 1000000000000"),
        ("budget_eur", "dear", "is no finite number"),
        ("completeness", "half", "is no finite number"),
        ("title", "x" * 101, "has 101 characters, and there is room for 100"),
        ("beneficiaries", 2.0**70, "is no whole number that a database can count with"),
    ],
)
def test_figures_that_would_not_fit_are_named(
    column: str, value: Any, said: str, source: Database, target: Database
) -> None:
    practice = contents(source)["records"][0]["practice_id"].hex
    spoilt(source, f"UPDATE records SET {column} = ? WHERE practice_id = '{practice}'", values=(value,))
    assert f"records {practice}: {column} {said}." in refused(source, target)


def test_capitals_that_neither_database_counts_for_such_are_moved(source: Database, target: Database) -> None:
    """The check that an address is in small letters means those of ASCII, on PostgreSQL as on SQLite."""
    spoilt(source, f"UPDATE users SET email = ? WHERE id = '{key(source, 'users')}'", values=("Ángel@example.org",))
    moved(source, target)
    assert "Ángel@example.org" in {row["email"] for row in contents(target)["users"]}


def test_an_address_too_long_for_an_index_is_named(source: Database, target: Database) -> None:
    spoilt(source, "INSERT INTO link_checks (url, checked, error, failures) VALUES (?, '2025-01-01 00:00:00', '', 0)",
           values=("ü" * 1999,))  # fmt: skip
    (told,) = refused(source, target)
    assert told.endswith("üü: url has 3998 bytes, and an index takes 2600.")


def test_a_number_that_is_written_otherwise_is_named(source: Database, target: Database) -> None:
    """The same number in capitals is another text to SQLite, and the same number to PostgreSQL."""
    spoilt(source, "UPDATE reviews SET id = upper(id) WHERE id = (SELECT max(id) FROM reviews)")
    assert [told for told in refused(source, target) if "is no number of 32 hexadecimal digits in small" in told] != []


def test_a_reference_to_what_is_not_there_is_named(source: Database, target: Database) -> None:
    review = key(source, "reviews")
    spoilt(source, f"UPDATE reviews SET editor_id = '{'0' * 32}' WHERE id = '{review}'")
    assert refused(source, target) == [f"reviews {review}: editor_id names a row of users that is not there."]


def test_all_faults_are_told_not_the_first_alone(source: Database, target: Database) -> None:
    spoilt(source, "UPDATE practices SET title = char(0), last_verified = 'x'", "UPDATE users SET name = char(0)")
    told = refused(source, target)
    assert len(told) == 6
    assert len(set(told)) == 6


def test_a_damaged_file_is_not_moved(source: Database, target: Database) -> None:
    path = Path(str(source.engine.url.database))
    with source.engine.connect() as connection:
        page = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'ix_users_organisation_id'")
        number = int(page.scalar_one())
    stack.flush(source)
    source.close()
    raw = bytearray(path.read_bytes())
    raw[4096 * (number - 1) + 8 : 4096 * number] = b"\0" * 4088
    path.write_bytes(raw)
    with pytest.raises(NotMoved, match="The database is damaged"):
        moving.move(source, target, PLACE, unexpected)


# What the target holds


def test_a_base_that_is_there_is_never_overwritten(source: Database, target: Database) -> None:
    setup.migrate(target)
    with target.write() as session:
        session.connection().exec_driver_sql("INSERT INTO generations (name, value) VALUES ('mine', 1)")
    with pytest.raises(Conflict, match="holds another base"):
        moved(source, target)
    assert [row["name"] for row in contents(target)["generations"]] == ["mine"]


def test_a_base_that_was_worked_in_since_is_never_overwritten(source: Database, target: Database) -> None:
    moved(source, target)
    with target.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET name = 'Anna, by another name'")
    with pytest.raises(Conflict, match="worked in since"):
        moved(source, target)
    assert {row["name"] for row in contents(target)["users"]} == {"Anna, by another name"}


def test_a_database_of_something_else_is_refused(source: Database, target: Database) -> None:
    with target.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (id INTEGER)")
    with pytest.raises(Conflict, match="something else, such as the table orders"):
        moved(source, target)


def test_the_base_of_another_release_is_refused(source: Database, target: Database) -> None:
    setup.migrate(target)
    with target.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(Conflict, match="of another release"):
        moved(source, target)


def test_a_database_that_keeps_no_utf_8_is_refused(
    source: Database, server: postgres.Server, new_url: Callable[[], str], opened: Open
) -> None:
    server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    database = opened(server.url("latin"))
    try:
        with pytest.raises(Conflict, match="keeps texts in LATIN1"):
            moved(source, database)
    finally:
        database.close()
        server.drop("latin")


def test_looking_writes_nothing(source: Database, target: Database, tmp_path: Path, opened: Open) -> None:
    moving.check(source, target, PLACE, unexpected)
    moving.check(source, opened(f"sqlite:///{tmp_path / 'not-there.sqlite'}"), PLACE, unexpected)
    with target.engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    assert not (tmp_path / "not-there.sqlite").exists()


def test_looking_finds_what_a_move_would(source: Database, target: Database) -> None:
    spoilt(source, "UPDATE practices SET title = char(0)")
    told: list[str] = []
    with pytest.raises(NotMoved):
        moving.check(source, target, PLACE, lambda fault: told.append(fault.column))
    assert told == ["title", "title"]


# Meanwhile


def test_nobody_writes_into_the_source_meanwhile(source: Database, target: Database) -> None:
    """What would be written after it was read would not arrive."""
    refused = []

    def write() -> None:
        with pytest.raises(OperationalError, match="locked"), source.write_if_free() as session:
            session.add(Generation(name="late"))
        refused.append(True)

    moved(source, target, bar=Countdown(10, once(write)))
    assert refused == [True]


def test_nor_into_one_on_postgresql(source: Database, target: Database, tmp_path: Path, opened: Open) -> None:
    moved(source, target)
    refused = []

    def write() -> None:
        with pytest.raises(OperationalError, match="lock timeout"), target.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            connection.exec_driver_sql("INSERT INTO generations (name, value) VALUES ('late', 1)")
        refused.append(True)

    moved(target, opened(f"sqlite:///{tmp_path / 'back.sqlite'}"), bar=Countdown(10, once(write)))
    assert refused == [True]
