"""Every facet count is what the contract says, held against counts made in SQL; and the main searches on the seed."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kb.models import Record
from kb.services import vocabularies
from kb.services.publishing import whole
from kb.services.vocabularies import Vocabulary
from tests.conftest import Site

FACETS = {
    "country": ["ES", "IT", "DE", "IE", "GR", "LU"],
    "theme": ["labour-inclusion", "housing", "arts-and-culture", "talent-attraction-and-retention"],
    "target_group": ["refugees", "women", "employers", "roma-and-travellers"],
    "status": ["running", "ended", "discontinued", "planned"],
    "level": ["local", "regional", "cross-border", "national"],
    "authority_role": ["leader", "funder", "partner"],
    "evidence": ["none", "monitoring", "external-evaluation"],
    "funding": ["ESF", "AMIF", "regional", "local"],
    "language": ["en", "it"],
    "region_type": ["rural", "urban", "coast", "border", "mountain"],
}
WORDS = ["talent", "arts", "refugees", "housing", "language courses", "acol", "integration", "women work", "zzz", ""]


class Truth:
    """The public records as plain sets, read with SQL alone: what a count has to be is worked out from these."""

    def __init__(self, site: Site) -> None:
        with site.database.read() as session:
            self.vocabulary: Vocabulary = vocabularies.load(session)
            records = session.scalars(select(Record).options(*whole())).all()
            self.values = {str(record.practice.slug): self._values(record) for record in records}

    def _values(self, record: Record) -> dict[str, Any]:
        codes = {record.region_code, *(each.region_code for each in record.other_regions)} - {None}
        over = record.status in ("ended", "discontinued")
        first = record.start_min.year if record.start_min else None
        last = record.end_max.year if record.end_max else (first if over else None)
        return {
            "country": {record.country, *(each.country for each in record.other_regions)},
            "region": {step for code in codes for step in self.vocabulary.lineage(code)},
            "theme": {each.theme for each in record.themes},
            "target_group": {each.target_group for each in record.target_groups},
            "status": {record.status},
            "level": {record.level},
            "authority_role": {record.authority_role} - {None},
            "evidence": {record.evidence} - {None},
            "funding": {each["source"] for each in record.funding},
            "language": {record.language},
            "region_type": {kind for code in codes for kind in self.vocabulary.regions[code].types},
            "years": None if first is None and last is None else (first or 0, last or 9999),
        }

    def matches(self, slug: str, filters: dict[str, list[str]], year_from: int | None, year_to: int | None) -> bool:
        """Whether a practice passes the filters: OR within one, AND between them."""
        values = self.values[slug]
        if any(chosen and not values[name] & set(chosen) for name, chosen in filters.items()):
            return False
        if year_from is None and year_to is None:
            return True
        years = values["years"]
        return years is not None and years[0] <= (year_to or 9999) and years[1] >= (year_from or 0)


@pytest.fixture(scope="module")
def truth(reading_site: Site) -> Truth:
    return Truth(reading_site)


def ask(client: FlaskClient, **params: Any) -> dict[str, Any]:
    """The API's answer."""
    answer = client.get("/api/v1/practices", query_string=params)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def every_slug(client: FlaskClient, **params: Any) -> list[str]:
    """The slugs that `total` counts, over all pages."""
    slugs: list[str] = []
    page = 1
    while True:
        answer = ask(client, per_page=100, page=page, **params)
        slugs += [item["slug"] for item in answer["items"]]
        if page * 100 >= answer["total"]:
            return slugs[: answer["total"]]
        page += 1


FILTERS = st.fixed_dictionaries(
    {}, optional={name: st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)
                  for name, values in FACETS.items()} | {"region": st.just(["ITH"]) | st.just(["ES", "IE041"])}
)  # fmt: skip
YEARS = st.tuples(st.none() | st.integers(2000, 2012), st.none() | st.integers(2012, 2026))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(q=st.sampled_from(WORDS), filters=FILTERS, years=YEARS)
def test_totals_and_facet_counts_equal_counts_made_in_sql(
    reading_site: Site, truth: Truth, q: str, filters: dict[str, list[str]], years: tuple[int | None, int | None]
) -> None:
    client = reading_site.client()
    found = every_slug(client, q=q) if q else list(truth.values)
    year_from, year_to = years
    params = {
        "q": q,
        **filters,
        **{key: year for key, year in (("year_from", year_from), ("year_to", year_to)) if year},
    }
    answer = ask(client, **params)
    assert answer["total"] == sum(truth.matches(slug, filters, *years) for slug in found)
    for name, entries in answer["facets"].items():
        for entry in entries:
            if name == "year":
                only = (filters, int(entry["value"]), int(entry["value"]))
            else:
                only = ({**filters, name: [entry["value"]]}, *years)
            assert entry["count"] == sum(truth.matches(slug, *only) for slug in found), (name, entry)
        if name != "year":
            counted = {entry["value"] for entry in entries}
            there = {value for slug in found for value in truth.values[slug][name]
                     if truth.matches(slug, {**filters, name: [value]}, *years)}  # fmt: skip
            assert there <= counted


@pytest.mark.parametrize(
    ("params", "first"),
    [
        ({"q": "international talents"}, "emilia-romagna-international-talents"),
        ({"q": "ACOL"}, "catalonia-acol-line"),
        ({"q": "línia acol"}, "catalonia-acol-line"),
        ({"q": "linia acol"}, "catalonia-acol-line"),
        ({"q": "acol contract permit"}, "catalonia-acol-line"),
        ({"q": "arts", "country": "IE"}, "donegal-intercultural-arts"),
    ],
)
def test_the_practice_that_is_meant_comes_first(reader: FlaskClient, params: dict[str, str], first: str) -> None:
    assert ask(reader, **params)["items"][0]["slug"] == first


def test_talent_has_emilia_romagna_and_bizkaia_as_the_first_two(reader: FlaskClient) -> None:
    assert {item["slug"] for item in ask(reader, q="talent")["items"][:2]} == {
        "emilia-romagna-international-talents", "bizkaia-talent",
    }  # fmt: skip


def test_a_repeated_theme_is_or_and_a_country_is_and(reader: FlaskClient, truth: Truth) -> None:
    found = every_slug(reader, theme=["labour-inclusion", "housing"], country="ES")
    assert set(found) == {
        slug for slug, values in truth.values.items()
        if values["theme"] & {"labour-inclusion", "housing"} and "ES" in values["country"]
    }  # fmt: skip


def test_a_regions_code_finds_its_sub_regions(reader: FlaskClient) -> None:
    assert {"ravenna-festival-of-cultures", "emilia-romagna-international-talents"} <= set(
        every_slug(reader, region="ITH")
    )


def test_a_cross_border_practice_is_found_by_each_of_its_countries(reader: FlaskClient) -> None:
    assert "arad-cross-border-labour-market" in every_slug(reader, country="HU", q="arad")
