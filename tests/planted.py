"""A table of many practices with errors planted in it: the row, the column and the reason that each must be told by."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from kb.formats import table
from kb.services.record import LISTS, TERMS
from tests import factories

WORDS = "word " * 101

PLANTED: tuple[tuple[str, str, str], ...] = (
    # the column, what is put into it, and a part of the reason
    ("title", "", "Give the practice a title"),
    ("title", "ab", "Lengthen the title"),
    ("title", "t" * 101, "101 characters"),
    ("title", "x" * 20_001, "more than 20000"),
    ("language", "", "Choose the language"),
    ("language", "xx", "not a language"),
    ("summary", "", "Write something under"),
    ("summary", WORDS, "101 words"),
    ("country", "ZZ", "not a country code"),
    ("region_code", "ZZ99", "not in the list of regions"),
    ("region_code", "", "Choose the region"),
    ("region_code", "ITALY", "not in the list"),
    ("other_regions", '[{"code": "ZZ99"}]', "not in the list"),
    ("place", "p" * 101, "101 characters"),
    ("level", "continental", "is not one of"),
    ("level", "", "Choose at what level"),
    ("status", "sleeping", "is not one of"),
    ("status", "", "Choose where it stands"),
    ("authority_role", "emperor", "is not one of"),
    ("evidence", "rumour", "is not one of"),
    ("lead_organisation_name", "", "Name the organisation"),
    ("lead_organisation_type", "guild", "is not one of"),
    ("lead_organisation_url", "not an address", "not a web address"),
    ("partners", '[{"name": null, "type": "ngo"}]', "Name the organisation"),
    ("partners", "Red Cross", "must be a list"),
    ("start", "spring 2021", "Write a year"),
    ("end", "1999", "before the start"),
    ("actions", "", "Write something under"),
    ("indicators", '[{"value": "3"}]', "Say what was counted"),
    ("beneficiaries", "about 100", "whole number"),
    ("budget_eur", "1,5 million", "amount in euro"),
    ("budget_year", "20", "Write a year"),
    ("funding", '[{"source": "lottery"}]', "is not one of"),
    ("themes", "alchemy", "Not in the list"),
    ("target_groups", "", "Choose at least one"),
    ("sources", "", "at least one source"),
    ("licence", "all rights reserved", "is not one of"),
)


@dataclass(frozen=True)
class Planted:
    """A row that must be refused."""

    row: int
    column: str
    reason: str


def cells(number: int) -> dict[str, str]:
    """The cells of a practice that may be published, by column."""
    document = factories.document(title=f"Practice {number}", country="IT")
    held = {}
    for column in table.COLUMNS:
        if column.by_software:
            continue
        value = document[column.key]
        if column.part:
            value = (value or {}).get(column.part)
        if column.key in TERMS:
            value = "; ".join(value)
        held[column.name] = table.one_cell(value) if column.key in LISTS else str(value or "")
    return held


def planted(rows: int) -> tuple[bytes, list[Planted]]:
    """A CSV file of so many practices, each of PLANTED somewhere in it, and what must be said of it."""
    step, first = rows // len(PLANTED), cells(0)
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(first))
    writer.writeheader()
    expected = []
    for n in range(rows):
        held = {**first, "title": f"Practice {n}"}
        kind, rest = divmod(n, step)
        if rest == step // 2 and kind < len(PLANTED):
            column, value, reason = PLANTED[kind]
            held[column] = value
            expected.append(Planted(n + 2, column, reason))
        writer.writerow(held)
    return buffer.getvalue().encode("utf-8-sig"), expected
