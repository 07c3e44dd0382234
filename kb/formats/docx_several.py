"""Several practices in one Word file: side by side, or as a briefing for a council with a page each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docx.document import Document as WordDocument
from docx.shared import Pt
from docx.table import _Cell

from kb.formats import briefing, comparison, docx, telling, word
from kb.formats.about import About
from kb.formats.briefing import Briefing
from kb.formats.comparison import Cell, Checked, Column, Kind, Row
from kb.formats.text import N_, line

STORY = 260
"""Words of the long texts of one practice of a briefing: with the rest they fill a page."""

ACROSS = 25.3
"""Centimetres of a sheet of A4 that lies, without its margins."""

CHECK, ADOPTION = 40, 30
"""Words fewer for the headings of a transfer check on the page, beside its own, and for each region that took it up."""

MOST_ADOPTIONS = 3
"""Regions that took a practice up before the rest is only counted."""

NAMED = 3.4
"""Centimetres of the column that names the rows."""

OVERVIEW = (4.6, 2.9, 2.5, 1.9, 2.5, 2.2)
"""Centimetres of the columns of a briefing's table."""


def compared(columns: Sequence[Column], about: About) -> bytes:
    """Practices side by side on sheets that lie: a table for each group of rows, whose head is on every page.

    `about.title` names them; `about.url` is where the page that shows the same is.
    """
    made = _opened(about, about.title)
    word.lay_across(made)
    for style in ("Normal", "List Bullet"):
        made.styles[style].font.size = Pt(8.5)
    word.run(word.paragraph(made, "Title"), about.say(N_("Practices side by side")))
    _made_on(made, about)
    for each in columns:
        if each.notice:
            word.run(word.paragraph(made), f"{each.title}: {line(each.notice)}", bold=True)
    word.run(word.paragraph(made), comparison.alike(columns, about))
    said = about.say(N_("A bar at the left, and bold type, mark short facts in which the practices differ."))
    word.run(word.paragraph(made, "Caption"), said)
    widths = (NAMED, *[(ACROSS - NAMED) / len(columns)] * len(columns))
    for group in comparison.groups(columns, about):
        word.run(word.paragraph(made, "Heading 1"), group.heading)
        held = word.grid(made, len(group.rows) + 1, widths, group.heading)
        _name_columns(held.rows[0].cells, columns, about)
        for row, cells in zip(group.rows, held.rows[1:], strict=True):
            _fill(row, cells.cells, about)
    word.run(word.paragraph(made, "Heading 1"), about.say(N_("Cite and reuse")))
    for each in columns:
        docx.cite(made, each.document, about)
    word.footer(made, line(about.base_url), about.say(N_("Page")))
    return word.written(made)


def _name_columns(cells: Sequence[_Cell], columns: Sequence[Column], about: About) -> None:
    word.run(cells[0].paragraphs[0], about.say(N_("Fact")), bold=True)
    for cell, each in zip(cells[1:], columns, strict=True):
        word.run(cell.paragraphs[0], each.title, docx.other(each.shown["language"], about), bold=True)


def _fill(row: Row, cells: Sequence[_Cell], about: About) -> None:
    name = row.heading if row.differs else about.say(N_("%(row)s (the same)")) % {"row": row.heading}
    word.run(cells[0].paragraphs[0], name, bold=row.marked)
    if row.marked:
        word.bar(cells[0])
    for cell, said in zip(cells[1:], row.cells, strict=True):
        _write(cell, said, row.kind, about)


def _write(cell: _Cell, said: Cell, kind: Kind, about: About) -> None:
    """What one practice says in a row."""
    language = docx.other(said.language, about) if said.language else None
    if kind == Kind.PROSE:
        for block in docx.blocks(said.said, about):
            docx.write(word.in_cell(cell, block.style), block, language)
    elif kind == Kind.LINKS:
        for title, url in said.entries:
            docx.linked(word.in_cell(cell), title, url, about)
    elif kind == Kind.LIST:
        for text, _url in said.entries:
            word.run(word.in_cell(cell), f"– {text}", language)
    elif said.said:
        word.run(word.in_cell(cell), said.said)
    if said.note:
        paragraph = word.in_cell(cell)
        word.run(paragraph, f"{about.say(N_('Editor’s note.'))} ", bold=True)
        word.run(paragraph, said.note, language)
    if not said:
        word.run(word.in_cell(cell), about.say(N_("Not reported")), italic=True)


# A briefing


def briefed(asked: Briefing, about: About) -> bytes:
    """A briefing: the question, a table, a page for each practice, the sources of all, how to cite them."""
    say, columns = about.say, asked.columns
    made = _opened(about, about.title)
    word.run(word.paragraph(made, "Title"), line(asked.question) or about.title)
    if asked.audience:
        word.run(word.paragraph(made, "Subtitle"), say(N_("For: %(name)s")) % {"name": line(asked.audience)})
    _made_on(made, about)
    _overview(made, columns, about)
    sources, own = briefing.numbered(columns)
    for each, numbers in zip(columns, own, strict=True):
        _page(made, each, numbers, about)
    heading = word.paragraph(made, "Heading 1")
    heading.paragraph_format.page_break_before = True
    word.run(heading, say(N_("Sources")))
    for source in sources:
        paragraph = word.paragraph(made)
        word.run(paragraph, f"[{source.number}] ")
        docx.linked(paragraph, source.title, source.url, about)
    word.run(word.paragraph(made, "Heading 1"), say(N_("Cite and reuse")))
    for each in columns:
        docx.cite(made, each.document, about)
    word.footer(made, line(about.base_url), say(N_("Page")))
    return word.written(made)


def _overview(made: WordDocument, columns: Sequence[Column], about: About) -> None:
    say, told = about.say, briefing.overview(columns, about)
    word.run(word.paragraph(made, "Heading 1"), say(N_("At a glance")))
    held = word.grid(made, len(columns) + 1, OVERVIEW, say(N_("The practices compared")))
    for cell, heading in zip(held.rows[0].cells, (say(N_("Practice")), *told.headings), strict=True):
        word.run(cell.paragraphs[0], heading, bold=True)
    for row, each, texts in zip(held.rows[1:], columns, told.rows, strict=True):
        cells = row.cells
        word.run(cells[0].paragraphs[0], each.title, docx.other(each.shown["language"], about), bold=True)
        for cell, text in zip(cells[1:], texts, strict=True):
            word.run(cell.paragraphs[0], line(text))
    shortened = say(N_("Where a text was shortened, […] stands; each practice’s own page has all of it."))
    word.run(word.paragraph(made, "Caption"), shortened)


def _page(made: WordDocument, column: Column, sources: Sequence[int], about: About) -> None:
    """One practice on a page of its own."""
    say, document = about.say, column.document
    heading = docx.head(made, document, replace(about, notice=column.notice), column.shown)
    heading.paragraph_format.page_break_before = True
    told = [(line(a), line(b)) for a, b in briefing.facts(document, about)]
    word.table(made, told, say(N_("At a glance")), (4.1, 12.5))
    taken = column.adoptions[:MOST_ADOPTIONS]
    noted = len((document["editor_note"] or "").split())
    room = STORY - noted - _length(column.check) - ADOPTION * len(taken)
    docx.story(made, document, about, briefing.headings(document, about), max(room, 0))
    if document["editor_note"]:
        paragraph = word.paragraph(made)
        word.run(paragraph, f"{say(N_('Editor’s note.'))} ", bold=True)
        word.run(paragraph, line(document["editor_note"]), docx.other(document["language"], about))
    if column.adoptions:
        word.run(word.paragraph(made, "Heading 2"), say(N_("Taken up by")))
        for text in taken:
            word.run(word.paragraph(made, "List Bullet"), line(text))
        docx.rest(made, len(column.adoptions) - len(taken), about)
    if column.check:
        _check(made, column.check, document["language"], about)
    paragraph = word.paragraph(made, "Caption")
    if sources:
        numbers = ", ".join(f"[{number}]" for number in sources)
        word.run(paragraph, f"{say(N_('Sources'))}: {numbers}. ")
    word.run(paragraph, f"{say(N_('The whole practice:'))} ")
    word.link(paragraph, document["url"], document["url"])


def _length(check: Checked | None) -> int:
    """How many words of room a check takes on a page."""
    if check is None:
        return 0
    said = [each for _heading, asked in check.parts for each in asked]
    return CHECK + sum(len(f"{each.text} {each.quote} {each.answer}".split()) for each in said)


def _check(made: WordDocument, check: Checked, language: str, about: About) -> None:
    """What somebody answered for a region; `language` is that of the record."""
    word.run(word.paragraph(made, "Heading 2"), check.heading)
    for heading, asked in check.parts:
        paragraph = word.paragraph(made)
        word.run(paragraph, f"{heading}. ", bold=True)
        for each in asked:
            word.run(paragraph, f"{line(each.text)} ")
            if each.quote:
                word.run(paragraph, f"“{line(each.quote)}” ", docx.other(language, about))
            if each.answer:
                word.run(paragraph, f"{line(each.answer)} ")
    paragraph = word.paragraph(made, "Caption")
    word.run(paragraph, " ".join(part for part in (f"{check.there}.", check.notice) if part) + " ")
    word.link(paragraph, about.say(N_("All questions and answers")), check.url)


def _opened(about: About, title: str) -> WordDocument:
    """An empty document that says of itself what it is. Word takes 255 characters of each."""
    made = word.opened(about.language)
    core = made.core_properties
    core.title, core.author, core.last_modified_by = line(title)[:255], line(about.site)[:255], line(about.site)[:255]
    core.comments, core.identifier = "", line(about.url)[:255]
    core.created = core.modified = about.made.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    made.sections[0].header.paragraphs[0].add_run(line(about.site))
    made.styles["Heading 1"].paragraph_format.space_before = Pt(14)
    return made


def _made_on(made: WordDocument, about: About) -> None:
    """When it was made, and from which site: a link to the page that shows the same as it is now."""
    paragraph = word.paragraph(made, "Caption")
    when = telling.day(about.made.date().isoformat(), about)
    word.run(paragraph, f"{about.say(N_('Made on %(when)s')) % {'when': when}}: ")
    word.link(paragraph, line(about.site), line(about.url))
