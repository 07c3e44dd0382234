"""Figures of regions, loaded from Eurostat's tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from sqlalchemy import select

from kb.db import Database
from kb.formats.eurostat import NotEurostat, Table
from kb.models import RegionFigure, RegionMeasure
from kb.services import region_figures, vocabularies
from kb.services.region_figures import Loaded
from tests import stack
from tests.unit.test_cli import runner

POPULATION = r"""freq,unit,sex,age,geo\TIME_PERIOD	2022 	2023 	2024
A,NR,T,TOTAL,ES22	661537 	672155 b	678333 p
A,NR,F,TOTAL,ES22	334000 	339000 	342000
A,NR,T,Y_LT5,ES22	30000 	30000 	30000
A,NR,T,TOTAL,ES51	7792611 	7901963 	:
A,NR,T,TOTAL,UKM	5479900 	: 	:
A,NR,T,TOTAL,EU27_2020	446735291 	448803078 	449306184
A,NR,T,TOTAL,ESZZ	: 	: 	:
A,NR,T,TOTAL,ES99	10 	11 	12
"""

CITIZENS = r"""freq,citizen,age,unit,sex,geo\TIME_PERIOD	2021 	2022
A,TOTAL,TOTAL,NR,T,ES22	650000 	660000 e
A,FOR,TOTAL,NR,T,ES22	65000 	:
A,EU27_2020_FOR,TOTAL,NR,T,ES51	300000 	310000
A,NEU27_2020_FOR,TOTAL,NR,T,ES51	900000 	910000
A,TOTAL,TOTAL,NR,T,ES51	7500000 	8000000
A,FOR,TOTAL,NR,T,ES24	10 	10
"""


def load(database: Database, text: str, source: str = "demo_r_pjanaggr3.tsv") -> Loaded:
    found = region_figures.read(Table(text.splitlines(keepends=True)))
    with database.write() as session:
        return region_figures.load(session, found, source)


def kept(database: Database) -> dict[tuple[str, str], tuple[int, float]]:
    with database.read() as session:
        rows = session.scalars(select(RegionFigure)).all()
        return {(row.region_code, row.measure.value): (row.year, row.value) for row in rows}


def test_the_newest_year_of_each_region_is_kept(database: Database) -> None:
    load(database, POPULATION)
    assert kept(database) == {
        ("ES22", "population"): (2024, 678333.0),
        ("ES51", "population"): (2023, 7901963.0),
        ("x-gb-scotland", "population"): (2022, 5479900.0),
    }


def test_the_share_is_of_the_newest_year_in_which_both_numbers_are_known(database: Database) -> None:
    done = load(database, CITIZENS)
    assert done.measure is RegionMeasure.FOREIGN_SHARE
    assert kept(database) == {
        ("ES22", "foreign-share"): (2021, pytest.approx(10.0)),
        ("ES51", "foreign-share"): (2022, pytest.approx(15.25)),
    }


def test_regions_that_the_list_does_not_hold_are_named_and_unions_are_not(database: Database) -> None:
    done = load(database, POPULATION)
    assert (done.regions, done.last, done.unknown) == (3, 2024, ["ES99"])


def test_twice_changes_nothing_and_an_older_table_takes_nothing_back(database: Database) -> None:
    load(database, POPULATION)
    held = kept(database)
    with database.read() as session:
        before = vocabularies.generation(session)
    assert load(database, POPULATION).kept == 3
    older = POPULATION.replace("2022 \t2023 \t2024", "2012 \t2013 \t2014")
    assert load(database, older).kept == 3
    with database.read() as session:
        assert vocabularies.generation(session) == before
    assert kept(database) == held


def test_a_corrected_figure_of_the_same_year_replaces_the_earlier_one(database: Database) -> None:
    load(database, POPULATION)
    assert load(database, POPULATION.replace("678333 p", "678000")).kept == 2
    assert kept(database)["ES22", "population"] == (2024, 678000.0)


def test_every_process_reads_the_vocabularies_anew_after_figures_were_loaded(database: Database) -> None:
    with database.read() as session:
        before = vocabularies.generation(session)
    load(database, POPULATION)
    with database.read() as session:
        assert vocabularies.generation(session) > before
        assert vocabularies.load(session).figures["ES22"] == {RegionMeasure.POPULATION: 678333.0}


def test_thousands_are_people(database: Database) -> None:
    load(database, POPULATION.replace("A,NR,", "A,THS,"))
    assert kept(database)["ES22", "population"] == (2024, 678333000.0)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("freq,unit,nace_r2,geo\\TIME_PERIOD\t2020", "nobody here knows what nace_r2 means"),
        ("freq,unit,geo\\TIME_PERIOD\t2020", "those are by sex and by age"),
        ("freq,unit,sex,age,geo\\TIME_PERIOD\t2020", "It has no row that can be used"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(head: str, said: str) -> None:
    with pytest.raises(NotEurostat, match=said):
        region_figures.read(Table([head]))


def test_the_command_loads_files_and_says_what_it_left_out(folder: Path, tmp_path: Path) -> None:
    good, citizens, bad = (tmp_path / name for name in ("people.tsv", "citizens.tsv.gz", "bad.tsv"))
    good.write_text(POPULATION)
    citizens.write_bytes(gzip.compress(CITIZENS.encode()))
    bad.write_text("a,b\tc\n")
    output = runner(folder)("load-figures", str(good), str(citizens), str(bad), status=1).output
    assert "people.tsv: people of 3 regions, up to 2024." in output
    assert "1 codes" not in output
    assert "one code that the list of regions does not hold (ES99)" in output
    assert "citizens.tsv.gz: share of foreign citizens of 2 regions, up to 2022." in output
    assert "bad.tsv: It does not begin as a table of regions does" in output


def test_the_command_refuses_a_file_that_is_cut_short(folder: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tsv.gz"
    cut.write_bytes(gzip.compress(POPULATION.encode())[:-20])
    assert "It cannot be unpacked" in runner(folder)("load-figures", str(cut), status=1).output


@pytest.fixture
def folder(bare_folder: Path, tmp_path: Path) -> Path:
    return stack.copy(bare_folder, tmp_path / "data")
