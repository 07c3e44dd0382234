"""Regions like mine: common sense first, written down before there was a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kb.db import Database
from kb.models import Record, RecordRegion, RegionMeasure
from kb.services import region_facts, region_likeness, vocabularies
from kb.services.errors import Invalid
from kb.services.region_likeness import Fact, Reason
from kb.services.vocabularies import Vocabulary

TRIPLES = [
    ("IE041", "UKM63", "DE300", "Donegal's coast, hills and few people are those of Argyll and Lochaber, not Berlin's"),
    ("IE041", "ES11", "AT13", "Galicia is Donegal with more sun: rural, Atlantic, next to a border; Vienna is a city"),
    ("ES22", "ES24", "EL30", "Aragon is next door, has the same Pyrenees and the same border; Attica is Athens"),
    ("ES22", "ITH2", "EL30", "Trentino is a mountain province with powers and towns of its own; Attica is a capital"),
    ("ES22", "ITH1", "ES30", "type beats country: South Tyrol has mountains and a border, Madrid is a capital"),
    ("DE30", "AT13", "DE40", "capitals have the questions of capitals; Brandenburg is the country around one"),
    ("ITG2", "FRM0", "ITC4", "Sardinia and Corsica are islands that look at each other; Lombardy is Milan"),
    ("AT33", "ITH1", "AT13", "Tyrol is one land on two sides of a border; Vienna is the same country and a city"),
    ("AT33", "AT34", "ES24", "of two rural mountain border regions the one in the same country is nearer"),
    ("PT20", "ES70", "PT1A", "the Azores and the Canaries are islands far out in the Atlantic; Lisbon is a capital"),
]
"""(A, B, C, why): for region A, B is nearer than C. The method follows these, not the other way round."""


FURTHER = [
    ("ES22", "ES51", "RS12", "Catalonia has the same Pyrenees, border and law; Vojvodina is a plain on the Danube"),
    (
        "ES22",
        "ES51",
        "CH011",
        "of two between town and country, with mountains and a border, the one in the same country",
    ),
    ("ES22", "ES21", "RS12", "the Basque Country is next door and in the same country"),
    ("ES22", "FRI15", "RS12", "Pyrénées-Atlantiques touches Navarra and looks at the same mountains"),
    ("SE33", "SE32", "DK03", "Norrland is one country of forests and long ways; Southern Denmark is close to all"),
    ("SE33", "FI1D", "DK03", "northern Finland has the same winter and as few people"),
    ("SE33", "NO07", "NL11", "northern Norway is next door and as empty; Groningen is neither"),
    ("PT20", "PT30", "ITG1", "Madeira is the other Portuguese island region, as autonomous; Sicily is large and near"),
]
"""What a reader of the first ranking found wrong, as pairs that have to stand the right way round."""

TRIPLES += FURTHER


@pytest.mark.parametrize(("region", "near", "far", "_why"), TRIPLES)
def test_the_regions_of_the_triples_are_in_the_list(
    vocabulary: Vocabulary, region: str, near: str, far: str, _why: str
) -> None:
    assert {region, near, far} <= set(vocabulary.regions)


@pytest.mark.parametrize(("region", "near", "far", "why"), TRIPLES)
def test_the_method_follows_common_sense(vocabulary: Vocabulary, region: str, near: str, far: str, why: str) -> None:
    nearer, farther = (region_likeness.compared(vocabulary, region, other) for other in (near, far))
    assert nearer.likeness > farther.likeness, why
    assert nearer.reasons


def test_no_region_is_more_than_wholly_like_another(vocabulary: Vocabulary) -> None:
    for code in ("ES22", "DE300", "x-gb-scotland", "FRY4"):
        found = region_likeness.ranked(vocabulary, code).alike
        assert all(region_likeness.ENOUGH <= each.likeness <= 1 for each in found)
        assert [each.likeness for each in found] == sorted((each.likeness for each in found), reverse=True)


def test_a_region_is_not_like_itself_its_parts_what_it_is_in_or_a_country(vocabulary: Vocabulary) -> None:
    found = region_likeness.alike_codes(vocabulary, ["ES22"])
    assert not {"ES22", "ES220", "ES2", "ES"} & set(found)
    assert all(vocabulary.regions[code].level for code in found)


def test_navarra_finds_catalonia_and_hears_why(vocabulary: Vocabulary) -> None:
    alike = {each.code: each for each in region_likeness.ranked(vocabulary, "ES22").alike}
    assert alike["ES51"].reasons == (Reason.INTERMEDIATE, Reason.BORDER, Reason.MOUNTAIN, Reason.COUNTRY)


def test_a_place_at_several_levels_is_ranked_once_at_the_level_that_is_nearest(vocabulary: Vocabulary) -> None:
    for code, corsica in (("ITG2", "FRM0"), ("ITG", "FRM")):
        found = [each.code for each in region_likeness.ranked(vocabulary, code).alike]
        assert [each for each in found if each in ("FRM", "FRM0")] == [corsica]
        assert set(region_likeness.alike_codes(vocabulary, [code])) >= {"FRM", "FRM0"}


def test_a_whole_country_is_refused_with_an_example(vocabulary: Vocabulary) -> None:
    with pytest.raises(Invalid) as refused:
        region_likeness.ranked(vocabulary, "ES")
    assert str(refused.value.problems[0].message) == (
        "“ES” is a whole country. Choose one of its regions, such as Galicia (ES11)."
    )


@pytest.mark.parametrize("code", ["XK00", "XK001"])
def test_where_too_little_is_known_nothing_is_guessed(vocabulary: Vocabulary, code: str) -> None:
    found = region_likeness.ranked(vocabulary, code)
    assert (found.comparable, found.alike) == (False, ())
    assert {Fact.URBAN_TYPE, Fact.MOUNTAIN} <= set(found.unknown)
    assert region_likeness.alike_codes(vocabulary, [code]) == {}


@pytest.mark.parametrize(
    ("region", "other"),
    [("ES22", "ES21"), ("ES22", "FRI15"), ("AT33", "ITH2"), ("SE33", "NO07"), ("ITH2", "AT33"), ("IE041", "UKM63")],
)
def test_neighbours_and_kin_are_like_enough(vocabulary: Vocabulary, region: str, other: str) -> None:
    assert region_likeness.compared(vocabulary, region, other).enough


@pytest.mark.parametrize("other", ["AT331", "CH011"])
def test_a_fact_that_is_not_known_lifts_no_region(vocabulary: Vocabulary, other: str) -> None:
    bare = changed(vocabulary, {other: {"mountain": None}})
    known, told = (region_likeness.compared(each, "ES22", other) for each in (vocabulary, bare))
    assert told.likeness < known.likeness
    assert Fact.MOUNTAIN in told.unknown
    assert Fact.MOUNTAIN not in known.unknown


def test_a_local_place_is_a_part_of_the_region_that_has_its_name_in_its_own(vocabulary: Vocabulary) -> None:
    argyll = "x-gb-argyll-and-bute"
    assert argyll not in region_likeness.alike_codes(vocabulary, ["UKM63"])
    assert argyll not in region_likeness.alike_codes(vocabulary, ["UKM6"])
    assert "UKM63" not in region_likeness.alike_codes(vocabulary, [argyll])


def test_svalbard_is_nobodys_example(vocabulary: Vocabulary) -> None:
    found = region_likeness.alike_codes(vocabulary, ["PT20", "ITG2", "IS00"])
    assert found
    assert not [code for code in found if code.startswith("NO0B")]


def test_the_foremost_are_of_its_own_level_and_none_is_a_part_of_another(vocabulary: Vocabulary) -> None:
    for code in ("ES22", "SE33", "UKM6"):
        found = [each.code for each in region_likeness.foremost(vocabulary, code, 4)]
        assert len(found) == 4
        assert {vocabulary.regions[each].level for each in found} == {2}
        assert not [one for one in found for two in found if one != two and one in vocabulary.lineage(two)]


def test_a_region_without_facts_of_its_own_has_those_of_its_parts(vocabulary: Vocabulary) -> None:
    bare = {"urban_type": None, "mountain": None, "coast": None, "border": None}
    found = region_facts.table(changed(vocabulary, {"ES51": bare}))
    facts = found.facts(found.rows["ES51"])
    assert (facts.mountain, facts.coast, facts.border) == (True, True, True)
    assert facts.urban_type is not None


def test_figures_count_where_both_regions_have_them(vocabulary: Vocabulary) -> None:
    people, share = RegionMeasure.POPULATION, RegionMeasure.FOREIGN_SHARE
    figures = {
        "ES22": {people: 670_000.0, share: 12.0},
        "ES51": {people: 8_000_000.0, share: 17.0},
        "ES24": {people: 1_350_000.0, share: 13.0},
    }
    loaded = replace(vocabulary, figures=figures)
    catalonia = region_likeness.compared(loaded, "ES22", "ES51")
    aragon = region_likeness.compared(loaded, "ES22", "ES24")
    assert catalonia.likeness < region_likeness.compared(vocabulary, "ES22", "ES51").likeness
    assert {Reason.PEOPLE, Reason.FOREIGN} <= set(aragon.reasons)
    assert not {Reason.PEOPLE, Reason.FOREIGN} & set(catalonia.reasons)
    assert Fact.POPULATION in region_likeness.compared(loaded, "ES22", "ITH1").unknown


def test_the_lists_of_islands_and_capitals_name_regions_that_there_are(vocabulary: Vocabulary) -> None:
    named = {*region_facts.ISLANDS, *region_facts.CAPITALS, *region_facts.AROUND_CAPITALS}
    assert named <= set(vocabulary.regions)


def test_every_region_of_a_seed_practice_has_regions_like_it_or_hears_what_is_not_known(
    seeded_database: Database,
) -> None:
    with seeded_database.read() as session:
        vocabulary = vocabularies.load(session)
        codes = set(session.scalars(select(Record.region_code))) | set(
            session.scalars(select(RecordRegion.region_code))
        )
    for code in filter(None, codes):
        found = region_likeness.ranked(vocabulary, code)
        assert found.alike if found.comparable else found.unknown, code
        assert all(each.enough and each.reasons for each in found.alike)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_likeness_goes_from_0_to_1_and_is_the_same_both_ways(vocabulary: Vocabulary, data: st.DataObject) -> None:
    codes = st.sampled_from([code for code, region in vocabulary.regions.items() if region.level])
    one, two = data.draw(codes), data.draw(codes)
    there, back = region_likeness.compared(vocabulary, one, two), region_likeness.compared(vocabulary, two, one)
    assert 0 <= there.likeness <= 1
    assert there.likeness == pytest.approx(back.likeness)
    assert there.reasons == back.reasons
    assert set(there.unknown) == set(back.unknown)
    assert (two in region_likeness.alike_codes(vocabulary, [one])) == there.enough


def changed(vocabulary: Vocabulary, facts: Mapping[str, Mapping[str, Any]]) -> Vocabulary:
    """The vocabulary with other facts of some regions."""
    regions = {code: replace(vocabulary.regions[code], **facts[code]) for code in facts}
    return replace(vocabulary, regions={**vocabulary.regions, **regions})
