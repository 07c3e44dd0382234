"""An empty table to fill in and import: the columns that a person writes, what may stand in them, and an example.

The example's title begins with EXAMPLE, so that an import leaves it out should nobody delete it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name

from kb.formats import csv, table
from kb.formats.table import PRACTICE, Column, Kind
from kb.formats.text import N_
from kb.formats.xlsx import CODEBOOK, MAIN, MEDIA_TYPE

__all__ = ["CONTACT", "EXAMPLE", "MEDIA_TYPE", "VALUES", "as_csv", "as_xlsx"]

EXAMPLE = "#example"
"""How the title of a row begins that shows how it is done."""

VALUES = "values"
"""The sheet that lists what may stand in a column."""

CONTACT = {
    "contact_role": N_("What the person does whom other regions may write to, for example “project officer”."),
    "contact_email": N_("The person’s e-mail address. Only signed-in people see it."),
    "contact_name": N_("The person’s name."),
    "contact_consent": N_("Whether the person agreed that signed-in people see the name: true or false."),
}
"""The columns of the contact, which no export has."""

LEFT_OUT = ("images", "attachments", "editor_note", "last_verified", "review_due")
"""Columns of the record that the template leaves out: pictures are uploaded, the others are the editors' own."""

LINES = 5_000
"""Rows that offer lists to choose from."""

Choices = Mapping[str, Sequence[tuple[str, str]]]
"""What may stand in a column: the code and what it is called, by the column's name."""

_SAMPLE = {
    "title": f"{EXAMPLE} Mentors for newly arrived nurses", "language": "en",
    "summary": "Hospitals pair newly arrived nurses with senior colleagues for a year.", "country": "IT",
    "region_code": "ITH5", "level": "regional", "authority_role": "coordinator",
    "lead_organisation_name": "Regional health service", "lead_organisation_type": "agency", "start": "2021-09",
    "status": "running", "actions": "Pairs meet every week; the hospital counts the hours as training.",
    "evidence": "monitoring", "beneficiaries": "120", "themes": "labour-inclusion; health-and-wellbeing",
    "target_groups": "migrant-workers", "licence": "CC-BY-4.0", "contact_role": "project officer",
    "contact_email": "office@example.org", "contact_consent": "false",
}  # fmt: skip
_SAMPLE_LISTS = {
    "partners": {"name": "University hospital", "type": "university", "url": "https://hospital.example"},
    "indicators": {"name": "Nurses still in post after a year", "value": "86", "unit": "%", "year": "2023"},
    "funding": {"source": "ESF", "amount_eur": "250000"},
    "translations": {"language": "it", "title": "Mentori per infermieri", "machine": "false"},
    "links": {"title": "Programme page", "url": "https://example.org/nurses"},
    "sources": {"title": "Yearly report", "url": "https://example.org/nurses/report.pdf"},
}
_MANY = N_("One or more, with semicolons between them.")
_NEEDED = N_("Needed to submit it.")
_REGION = N_("Choose the region; only a national practice may leave it out.")


def columns() -> list[Column]:
    """The columns of the record that the template has."""
    return [each for each in table.COLUMNS if not each.by_software and each.name not in (*LEFT_OUT, "region_name")]


def as_csv() -> str:
    """The template as a table: the names of the columns and the example. A list stands in one cell, as JSON."""
    names = [*(each.name for each in columns()), *CONTACT]
    sample = {**_SAMPLE, **{key: table.one_cell([entry]) for key, entry in _SAMPLE_LISTS.items()}}
    return "".join(csv.rows(names, [[sample.get(name) for name in names]]))


def as_xlsx(choices: Choices, needed: Sequence[str], say: Callable[[str], str]) -> bytes:
    """The template as a workbook that explains its columns and offers what may stand in them.

    `choices` are by the names of columns, those of a list's sheet as `partners.type`; `needed` are the columns that a
    submission needs; `say` puts sentences into the reader's language.
    """
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        made = _Template(book, choices, needed, say)
        made.main()
        for column in columns():
            if column.kind is Kind.LIST:
                made.entries(column)
        made.codebook()
        made.values()
    return buffer.getvalue()


class _Template:
    """One workbook that is being written."""

    def __init__(self, book: Workbook, choices: Choices, needed: Sequence[str], say: Callable[[str], str]) -> None:
        self._book = book
        self._choices = choices
        self._needed = needed
        self._say = say
        self._bold: Format = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._wrapped: Format = book.add_format({"text_wrap": True, "valign": "top"})
        self._text: Format = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})

    def main(self) -> None:
        """The sheet with a row a practice; lists have sheets of their own."""
        names = [each.name for each in columns() if each.kind is not Kind.LIST] + list(CONTACT)
        self._sheet(MAIN, names, [_SAMPLE.get(name, "") for name in names], names)

    def entries(self, column: Column) -> None:
        """The sheet of a list, with a row an entry."""
        parts = [part.name for part in column.parts]
        sample = _SAMPLE_LISTS.get(column.name)
        example = [_SAMPLE["title"], *(sample.get(part, "") for part in parts)] if sample else []
        self._sheet(column.name, [PRACTICE, *parts], example, ["", *(f"{column.name}.{part}" for part in parts)])

    def _sheet(self, name: str, header: Sequence[str], example: Sequence[str], lists: Sequence[str]) -> None:
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(header) - 1, 22, self._text)  # text: a spreadsheet makes no date of 2021-09
        sheet.write_row(0, 0, header, self._bold)
        for n, value in enumerate(example):
            if value:
                sheet.write_string(1, n, value, self._text)
        for n, of in enumerate(lists):
            if of in self._choices:
                where = f"={VALUES}!${self._letter(of)}$2:${self._letter(of)}${len(self._choices[of]) + 1}"
                sheet.data_validation(1, n, LINES, n, {"validate": "list", "source": where, "show_error": False})

    def _letter(self, name: str) -> str:
        return str(xl_col_to_name(2 * list(self._choices).index(name)))

    def codebook(self) -> None:
        """The sheet that says what each column means, and whether it is needed."""
        sheet = self._book.add_worksheet(CODEBOOK)
        sheet.set_column(0, 1, 24, self._wrapped)
        sheet.set_column(2, 2, 100, self._wrapped)
        for n, row in enumerate([("sheet", "column", "meaning"), *self._explained()]):
            sheet.write_row(n, 0, row, self._bold if n == 0 else self._wrapped)

    def _explained(self) -> list[tuple[str, str, str]]:
        rows = [
            (MAIN, "", self._say(N_("A row is a practice. A row whose title begins with “#example” is left out."))),
            ("", PRACTICE, self._say(N_("On the sheets of lists: the title of the practice, as it stands on the sheet "
                                        "“practices”."))),
        ]  # fmt: skip
        for column in columns():
            said = [self._say(column.meaning)]
            said += [self._say(_NEEDED)] * (column.name in self._needed)
            said += [self._say(_REGION)] * (column.name == "region_code")
            said += [self._say(_MANY)] * (column.kind is Kind.TERMS)
            rows.append((column.name if column.parts else MAIN, "" if column.parts else column.name, " ".join(said)))
            rows += [(column.name, part.name, self._say(part.meaning)) for part in column.parts]
        return rows + [(MAIN, name, self._say(meaning)) for name, meaning in CONTACT.items()]

    def values(self) -> None:
        """The sheet with what may stand in the columns: the code, and beside it what it is called."""
        sheet: Any = self._book.add_worksheet(VALUES)
        for n, (name, options) in enumerate(self._choices.items()):
            sheet.set_column(2 * n, 2 * n, 24)
            sheet.set_column(2 * n + 1, 2 * n + 1, 36)
            sheet.write_string(0, 2 * n, name, self._bold)
            sheet.write_column(1, 2 * n, [code for code, _ in options])
            sheet.write_column(1, 2 * n + 1, [label for _, label in options])
