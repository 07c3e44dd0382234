"""Where the search engine does not answer: searches say so, everything else goes on, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from kb.models import IndexOutbox
from kb.services import catalogue, tallies
from kb.services.health import State, look
from tests import factories, stack, typesense_server
from tests.conftest import Site, configure
from tests.processes import free_port

pytestmark = pytest.mark.skipif(typesense_server.available() is not None, reason=str(typesense_server.available()))

KEY = "a-key-that-nobody-is-to-see"


@pytest.fixture(scope="module")
def away(town_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An app on the whole seed whose search engine is a port at which nobody listens."""
    config = configure(stack.copy(town_folder, tmp_path_factory.mktemp("away") / "data"))
    site = Site(replace(config, search_url=f"typesense://{KEY}@127.0.0.1:{free_port()}/practices"))
    yield site
    site.close()


@pytest.fixture
def client(away: Site) -> FlaskClient:
    """A stranger's browser there."""
    return away.client()


@pytest.mark.parametrize("path", ["/practices?q=work", "/practices", "/themes/housing", "/map", "/practices.csv"])
def test_a_search_says_that_it_is_away_and_when_to_come_again(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "The search does not answer just now" in page and "Newest" in page
    assert page.count('href="/practices/') == 10
    assert KEY not in page


def test_the_api_says_it_in_its_own_form(client: FlaskClient) -> None:
    answer = client.get("/api/v1/practices?q=work")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.get_json()["detail"] == "Nothing is lost, and the rest of the site goes on."


@pytest.mark.parametrize(
    "path", ["/", "/themes", "/practices/catalonia-acol-line", "/about", "/healthz", "/readyz", "/api/v1/themes"]
)
def test_what_needs_no_search_goes_on(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_pages_without_the_engine_count_as_it_does(seeded_site: Site, away: Site) -> None:
    if seeded_site.config.search_url != "whoosh:":
        pytest.skip("The engine is compared in the run on Whoosh.")
    by_engine = catalogue.facet_counts(seeded_site.parts.engine)
    with away.database.read() as session:
        by_database = tallies.facet_counts(session, away.parts.engine)
    assert by_database == {name: by_engine[name] for name in by_database}


def test_what_is_published_meanwhile_waits_for_the_index(away: Site) -> None:
    with away.database.write() as session:
        factories.published(session, title="Zanzara mentoring")
    away.parts.indexer.after_commit()
    with away.database.read() as session:
        assert session.scalar(select(func.count()).select_from(IndexOutbox))


def test_readiness_says_that_the_site_is_only_degraded(away: Site, caplog: pytest.LogCaptureFixture) -> None:
    found = look(away.config, away.database, away.parts.indexer)
    index = next(check for check in found.checks if check.name == "index")
    assert index.state == State.DEGRADED
    assert "cannot be reached" in caplog.text and KEY not in caplog.text
