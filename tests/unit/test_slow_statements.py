"""Statements that take long are logged, without their values."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from kb.db import Database

COUNT = """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
           SELECT count(*) FROM numbers WHERE n <> :secret"""


def run(path: Path, slow_ms: int) -> None:
    database = Database(f"sqlite:///{path / 'kb.sqlite'}", slow_ms)
    with database.read() as session:
        session.execute(text(COUNT), {"secret": "zanzibar"}).all()
    database.close()


def test_a_slow_statement_is_logged_with_its_text_and_without_its_values(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path, 1)
    (said,) = [vars(record) for record in caplog.records if "RECURSIVE" in vars(record)["statement"]]
    assert said["message"] == "slow statement"
    assert said["statement"].endswith("WHERE n <> ?") and "zanzibar" not in str(said)


@pytest.mark.parametrize("slow_ms", [0, 600_000])
def test_other_statements_are_not(tmp_path: Path, caplog: pytest.LogCaptureFixture, slow_ms: int) -> None:
    run(tmp_path, slow_ms)
    assert not caplog.records


def test_an_error_of_the_database_names_no_values(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kb.sqlite'}")
    with database.read() as session, pytest.raises(OperationalError) as refused:
        session.execute(text("SELECT * FROM nowhere WHERE email = :email"), {"email": "alice@example.org"})
    database.close()
    assert "alice" not in str(refused.value) and "nowhere" in str(refused.value)
