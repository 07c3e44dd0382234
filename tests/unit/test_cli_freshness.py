"""The commands `verify-links` and `remind` as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.db import Database
from tests import stack
from tests.conftest import configure
from tests.factories import person, published
from tests.unit.test_cli import Run, runner


@pytest.fixture
def kb(bare_folder: Path, tmp_path: Path) -> Run:
    """Commands on a base with a practice of Alice that is due, whose only link leads into the network."""
    folder = stack.copy(bare_folder, tmp_path / "data")
    database = Database(configure(folder).database_url)
    with database.write() as session:
        sources = [{"title": "Inner", "url": "http://127.0.0.1/secret"}]
        published(session, person(session, "alice@example.org", "member"), sources=sources, review_due="2025-01-01")
    database.close()
    return runner(folder)


def test_verify_links_says_what_it_found_and_leaves_alone_what_it_asked_lately(kb: Run) -> None:
    first = "1 links asked, 1 failed, 0 broken since the last run, 0 owners told.\n"
    assert kb("verify-links").output == first
    assert kb("verify-links").output.startswith("0 links asked")


def test_verify_links_ends_with_1_where_a_link_broke(kb: Run) -> None:
    kb("verify-links")
    kb("verify-links", "--all")
    assert "1 broken since the last run, 1 owners told." in kb("verify-links", "--days", "0", status=1).output
    assert "0 broken since" in kb("verify-links", "--all").output


def test_remind_asks_once(kb: Run) -> None:
    assert kb("remind").output == "Owners asked about 1 practices, editors told of 0.\n"
    assert kb("remind").output == "Owners asked about 0 practices, editors told of 0.\n"
