"""The region list of the seed: codes, parents, names, typologies, and the successors of retired codes."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "seed"
TYPOLOGIES = {
    "urban_type": {"urban", "intermediate", "rural", ""},
    "mountain": {"1", "0", ""},
    "coast": {"1", "0", ""},
    "border": {"1", "0", ""},
}


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows():
    return read_csv(SEED / "regions.csv")


@pytest.fixture(scope="module")
def regions(rows):
    return {row["code"]: row for row in rows}


@pytest.fixture(scope="module")
def successors():
    return read_csv(SEED / "region_successors.csv")


def codes_of_practices():
    for path in sorted((SEED / "practices").glob("*.yaml")):
        practice = yaml.safe_load(path.read_text(encoding="utf-8"))
        for region in [practice.get("region"), *(practice.get("other_regions") or [])]:
            if region and region.get("code"):
                yield path.stem, region["code"], region.get("country") or practice["country"]


def within(code, regions):
    """The code and all that walking its parents finds."""
    found = [code]
    while regions[code]["parent"]:
        code = regions[code]["parent"]
        assert code not in found
        found.append(code)
    return found


def test_it_holds_the_columns_that_the_software_reads(rows):
    assert list(rows[0]) == [
        *("code", "edition", "level", "country", "parent", "name_en", "name_native", "name_latin"),
        *("lon", "lat", "urban_type", "mountain", "coast", "border"),
    ]


def test_every_code_of_the_practices_exists_in_its_country(regions):
    used = list(codes_of_practices())
    assert len(used) >= 120
    assert [use for use in used if use[1] not in regions or regions[use[1]]["country"] != use[2]] == []


def test_no_code_stands_twice(rows, regions):
    assert len(rows) == len(regions)


def test_rows_are_ordered_by_code(rows):
    assert [row["code"] for row in rows] == sorted(row["code"] for row in rows)


def test_lines_end_with_a_bare_newline():
    for name in ("regions.csv", "region_successors.csv"):
        assert b"\r" not in (SEED / name).read_bytes()


def test_editions_are_known_and_the_united_kingdom_alone_is_of_2021(rows):
    assert {row["edition"] for row in rows} == {"2024", "2021", "local"}
    assert {row["country"] for row in rows if row["edition"] == "2021"} == {"GB"}


def test_only_countries_lack_a_parent(rows):
    assert all((row["level"] == "0") == (row["parent"] == "") for row in rows)


def test_the_parent_of_a_nuts_region_stands_one_level_above(rows, regions):
    for row in rows:
        if row["parent"] and row["edition"] != "local":
            assert int(regions[row["parent"]]["level"]) == int(row["level"]) - 1, row["code"]


def test_the_parent_of_a_local_region_stands_somewhere_above(rows, regions):
    for row in rows:
        if row["parent"] and row["edition"] == "local":
            assert int(regions[row["parent"]]["level"]) < int(row["level"]), row["code"]


def test_a_region_lies_in_the_country_of_its_parent(rows, regions):
    assert all(row["country"] == regions[row["parent"]]["country"] for row in rows if row["parent"])


@pytest.mark.parametrize(("prefix", "country"), [("EL", "GR"), ("UK", "GB"), ("XK", "XK"), ("IT", "IT")])
def test_the_country_is_iso_3166(rows, prefix, country):
    assert {row["country"] for row in rows if row["code"].startswith(prefix)} == {country}


@pytest.mark.parametrize("code", ["BA", "MD", "UA"])
def test_countries_of_local_codes_have_a_row(regions, code):
    assert regions[code]["level"] == "0"


@pytest.mark.parametrize("code", ["x-gb-argyll-and-bute", "UKM5", "UKM50"])
def test_scotland_finds_its_sub_regions_by_walking_parents(regions, code):
    assert within(code, regions)[-2:] == ["x-gb-scotland", "UK"]


@pytest.mark.parametrize(
    ("code", "local"), [("UKM", "x-gb-scotland"), ("UKL", "x-gb-wales"), ("UKN", "x-gb-northern-ireland")]
)
def test_the_old_code_of_a_uk_nation_leads_to_the_local_one(regions, successors, code, local):
    assert code not in regions
    assert [row["successor"] for row in successors if row["code"] == code] == [local]


def test_every_successor_exists(regions, successors):
    assert {row["successor"] for row in successors} <= regions.keys()


def test_no_retired_code_is_a_region(regions, successors):
    assert not {row["code"] for row in successors} & regions.keys()


def test_a_successor_lies_in_the_same_country_on_the_same_level(regions, successors):
    for row in successors:
        if row["successor"].startswith("x-"):
            continue
        assert row["successor"][:2] == row["code"][:2]
        assert int(regions[row["successor"]]["level"]) == len(row["code"]) - 2


@pytest.mark.parametrize(
    ("code", "expected"),
    [("NL31", ["NL35"]), ("PT17", ["PT1A", "PT1B"]), ("FI197", ["FI19B"]), ("NO074", ["NO072", "NO073"])],
)
def test_changes_between_the_editions_are_known(successors, code, expected):
    assert [row["successor"] for row in successors if row["code"] == code] == expected


def test_typologies_hold_known_values_or_nothing(rows):
    for column, allowed in TYPOLOGIES.items():
        assert {row[column] for row in rows} == allowed


def test_a_country_as_a_whole_has_no_typology(rows):
    assert not [row["code"] for row in rows if row["level"] == "0" and any(row[column] for column in TYPOLOGIES)]


@pytest.mark.parametrize("code", ["IE041", "IE062", "IE04", "UKN08", "x-gb-northern-ireland"])
def test_the_irish_border_is_a_border(regions, code):
    assert regions[code]["border"] == "1"


@pytest.mark.parametrize("code", ["TRC11", "LT011", "FI1DC", "HR034", "PL811"])
def test_a_border_with_a_country_outside_the_lists_is_a_border(regions, code):
    assert regions[code]["border"] == "1"


@pytest.mark.parametrize("code", ["AL021", "ME000", "MK006", "NO073", "XK001"])
def test_an_unknown_typology_is_empty(regions, code):
    assert regions[code]["mountain"] == ""


def test_near_the_coast_is_not_on_it(regions):
    assert (regions["EL303"]["coast"], regions["EL304"]["coast"]) == ("0", "1")


def test_a_region_with_a_new_code_keeps_its_typology(regions):
    assert [regions["FI19A"][column] for column in TYPOLOGIES] == ["rural", "0", "1", "0"]


@pytest.mark.parametrize(("code", "column"), [("AT33", "mountain"), ("ITH5", "coast"), ("ITH4", "border")])
def test_typologies_are_carried_upwards(regions, code, column):
    assert regions[code][column] == "1"


def test_romanian_names_use_comma_below_letters(rows):
    names = "".join(row["name_native"] + row["name_latin"] for row in rows if row["country"] == "RO")
    assert not re.search("[şţŞŢ]", names)
    assert "ș" in names
    assert "ț" in names


def test_turkish_names_keep_their_cedilla(regions):
    assert regions["TRC33"]["name_latin"] == "Şırnak"


def test_names_hold_no_stray_white_space_or_lopsided_slashes(rows):
    for row in rows:
        for column in ("name_en", "name_native", "name_latin"):
            assert not re.search(r"^\s|\s$|\s\s|[^\S ]|\S/ | /\S", row[column]), row["code"]


def test_every_region_has_native_and_latin_names(rows):
    assert not [row["code"] for row in rows if not row["name_native"] or not row["name_latin"]]


@pytest.mark.parametrize(
    ("code", "name"),
    [("ES51", "Catalonia"), ("ITC4", "Lombardy"), ("DE2", "Bavaria"), ("EL43", "Crete"), ("EL", "Greece")],
)
def test_well_known_regions_have_their_english_name(regions, code, name):
    assert regions[code]["name_en"] == name


def test_centres_have_one_decimal_and_lie_on_the_globe(rows):
    for row in rows:
        assert re.fullmatch(r"-?\d+\.\d", row["lon"])
        assert re.fullmatch(r"-?\d+\.\d", row["lat"])
        assert abs(float(row["lon"])) <= 180
        assert abs(float(row["lat"])) <= 90


def test_the_script_builds_the_committed_files_again(tmp_path):
    data = os.environ.get("KB_TEST_DATA")
    if not data:
        pytest.skip("KB_TEST_DATA does not name the folder that holds nuts/")
    sources = ["--nuts", Path(data) / "nuts", "--regions", Path(data) / ".." / "seed" / "regions.yaml"]
    script = ROOT / "scripts" / "build_regions.py"
    subprocess.run([sys.executable, script, *sources, "--out", tmp_path], check=True)
    for name in ("regions.csv", "region_successors.csv"):
        assert (tmp_path / name).read_bytes() == (SEED / name).read_bytes()
