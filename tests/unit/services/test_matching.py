"""Everything that a query finds, as exports and feeds read it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from kb.models import Record
from kb.services import catalogue
from kb.services.catalogue import Matching
from kb.services.query import CatalogueQuery
from tests.conftest import Site

BASE = "https://practices.example.eu"


def matching(site: Site, query: CatalogueQuery) -> tuple[Matching, list[str]]:
    with site.database.read() as session:
        vocabulary = site.parts.vocabularies.get(session)
        found = catalogue.matching(session, site.parts.engine, vocabulary, query, BASE)
        return found, [document["slug"] for document in found.documents]


def turned(site: Site, query: CatalogueQuery) -> tuple[int, list[str]]:
    """The same by turning the pages: the total, and the slugs that it counts."""
    slugs: list[str] = []
    with site.database.read() as session:
        vocabulary = site.parts.vocabularies.get(session)
        for page in range(1, 100):
            results = catalogue.search(session, site.parts.engine, vocabulary, query, page, 7, BASE)
            slugs += [item.record["slug"] for item in results.full]
            if page >= results.pages:
                return results.total, slugs
    raise AssertionError("too many pages")


@pytest.mark.parametrize(
    "query",
    [
        CatalogueQuery(),
        CatalogueQuery(q="talent", sort="title"),
        CatalogueQuery(q="housing refugees", country=("ES", "IT")),
        CatalogueQuery(q="talent xylophone"),
        CatalogueQuery(q="houzing"),
        CatalogueQuery(q="qqqqq zzzzz"),
    ],
    ids=str,
)
def test_it_is_what_turning_the_pages_brings(reading_site: Site, query: CatalogueQuery) -> None:
    found, slugs = matching(reading_site, query)
    assert (found.total, slugs) == turned(reading_site, query)


def test_what_went_offline_meanwhile_is_left_out(seeded_site: Site) -> None:
    with seeded_site.database.write() as session:
        session.delete(session.scalars(select(Record).limit(1)).one())
    found, slugs = matching(seeded_site, CatalogueQuery())
    assert (found.total, len(slugs)) == (120, 119)
