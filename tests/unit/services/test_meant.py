"""Tables may hold labels for codes; what is in no list is told, and what is here already is not taken twice."""

from __future__ import annotations

import io

import pytest

from kb.db import Database
from kb.services import tables
from kb.services.importing import Aim, Importer, Outcome
from kb.services.refusals import Refusal
from tests import factories
from tests.unit.services.test_tables import ALICE, as_csv, as_xlsx, base, count, documents, main_sheet, with_cells

__all__ = ["base"]


class Take:
    """One import of a table in Alice's name."""

    def __init__(self, database: Database, data: bytes, aim: Aim = Aim.DRAFT) -> None:
        self.refused: list[Refusal] = []
        self.doubles: list[Refusal] = []
        importer = Importer(database, aim, ALICE, self.refused.append, double=self.doubles.append)
        self.outcome = importer.run(lambda: tables.read(io.BytesIO(data), "table.csv", aim.needed))


LABELS = {
    "language": "Italiano", "country": "italia", "level": "Cross-Border", "status": "Part of normal work",
    "authority_role": "COORDINATOR", "evidence": "external evaluation", "lead_organisation_type": "Kommunale Behörde",
    "licence": "CC BY 4.0", "themes": "Language learning; Wohnen", "target_groups": "migrant workers",
    "funding": '[{"source": "INTERREG"}]',
}  # fmt: skip


@pytest.mark.parametrize("aim", [Aim.DRAFT, Aim.SUBMITTED])
def test_labels_in_any_language_and_case_become_codes(base: Database, aim: Aim) -> None:
    assert Take(base, with_cells(LABELS), aim).outcome == Outcome(1, 0, 0)
    (document,) = documents(base)
    assert (document["language"], document["country"], document["level"]) == ("it", "IT", "cross-border")
    assert (document["status"], document["authority_role"]) == ("mainstreamed", "coordinator")
    assert (document["evidence"], document["licence"]) == ("external-evaluation", "CC-BY-4.0")
    assert document["lead_organisation"]["type"] == "local-authority"
    assert document["themes"] == ["language-learning", "housing"]
    assert document["target_groups"] == ["migrant-workers"]
    assert document["funding"][0]["source"] == "Interreg"


def test_a_value_of_no_list_is_refused_in_a_draft_too_because_its_form_would_lose_it(base: Database) -> None:
    done = Take(base, as_csv(["title", "language", "status"], ["A house", "en", "sleeping"]))
    (refusal,) = done.refused
    assert (refusal.column, refusal.cell, refusal.title) == ("status", ("C2", "sleeping"), "A house")
    assert "sleeping" in refusal.reason and count(base) == 0


@pytest.mark.parametrize("aim", [Aim.DRAFT, Aim.SUBMITTED])
def test_a_slip_of_the_pen_is_told_what_was_meant(base: Database, aim: Aim) -> None:
    done = Take(base, with_cells({"themes": "langage learning"}), aim)
    assert [refusal.reason for refusal in done.refused] == [
        "“langage learning” is not in the list. Did you mean language-learning?"
    ]


@pytest.mark.parametrize("aim", [Aim.DRAFT, Aim.SUBMITTED])
def test_the_same_table_twice_brings_nothing_twice(base: Database, aim: Aim) -> None:
    data = with_cells({}, {})
    assert Take(base, data, aim).outcome == Outcome(2, 0, 0)
    again = Take(base, data, aim)
    assert (again.outcome, count(base)) == (Outcome(0, 2, 0), 2)
    assert [each.reason for each in again.doubles] == [f"It is here already: “Practice {n}”." for n in range(2)]


def test_the_same_title_in_another_region_is_another_practice(base: Database) -> None:
    Take(base, with_cells({"region_code": "ITH5"}))
    assert Take(base, with_cells({"region_code": "ITC4"})).outcome == Outcome(1, 0, 0)


def test_a_public_practice_is_known_by_its_slug_and_somebody_elses_draft_by_nothing(base: Database) -> None:
    with base.write() as session:
        bob = factories.person(session, "bob@example.org", "member").email
    Importer(base, Aim.DRAFT, bob, lambda _: None).run(lambda: tables.read(io.BytesIO(with_cells({})), "t.csv"))
    assert Take(base, with_cells({})).outcome == Outcome(1, 0, 0)
    Importer(base, Aim.PUBLISHED, None, lambda _: None).run(
        lambda: tables.read(io.BytesIO(with_cells({"title": "A public one", "slug": "a-public-one"})), "t.csv")
    )
    done = Take(base, with_cells({"title": "Renamed", "slug": "a-public-one"}))
    assert (done.outcome.kept, [each.reason for each in done.doubles]) == (1, ["It is here already: “A public one”."])


def test_rows_of_lists_that_belong_to_no_practice_are_counted_apart(base: Database) -> None:
    sources = [["practice", "url"], ["Practice 0", "https://a.example"], ["Practise 0", "https://b.example"]]
    done = Take(base, as_xlsx({"practices": main_sheet({}), "sources": sources}), Aim.SUBMITTED)
    assert done.outcome == Outcome(1, 0, 1, strays=1)
    assert done.refused[0].cell == ("A3", "Practise 0")
