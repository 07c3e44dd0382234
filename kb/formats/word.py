"""How a Word document is made: page, styles, languages, links, a table of facts. Knows nothing of practices."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor, Twips
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

ACCENT = RGBColor(0x0B, 0x4F, 0x5B)
INK, FAINT = RGBColor(0x19, 0x1D, 0x1D), RGBColor(0x4E, 0x56, 0x54)
RULE = "D3D8D4"
FOOTER_STOPS = (4680, 9360)
"""Where the library's template stops tabs in a footer, in twentieths of a point: right for another sheet."""

SERIF, SANS = "Palatino Linotype", "Arial"


def opened(language: str) -> WordDocument:
    """An empty A4 document in a language, with the styles of a briefing."""
    made = docx.Document()
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin, section.bottom_margin = Cm(1.9), Cm(1.7)
    section.header_distance, section.footer_distance = Cm(0.9), Cm(0.8)
    _speak(made, language)
    _style(made, "Normal", SANS, 9.5, INK, after=4)
    _style(made, "Title", SERIF, 26, INK, after=6)
    _style(made, "Heading 1", SERIF, 20, INK, before=0, after=4)
    _style(made, "Heading 2", SERIF, 12.5, ACCENT, before=9, after=2)
    _style(made, "Subtitle", SERIF, 11.5, INK, after=6)
    for name in ("List Bullet", "List Number"):
        _style(made, name, SANS, 9.5, INK, after=1)
    _style(made, "Caption", SANS, 8.5, FAINT, after=3)
    for name in ("Header", "Footer"):
        _style(made, name, SANS, 8, FAINT, after=0)
    _link_style(made)
    return made


def lay_across(made: WordDocument) -> None:
    """Turn the sheets of a document: for a table with many columns."""
    section = made.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width


def paragraph(made: WordDocument, style: str = "Normal") -> Paragraph:
    """A new paragraph at the end. The style is named by its id: looking for its name takes longer than all the rest."""
    added = made.add_paragraph()
    if style != "Normal":
        added._p.style = style.replace(" ", "")
    return added


def run(paragraph: Paragraph, text: str, language: str | None = None, bold: bool = False, italic: bool = False) -> Run:
    """Text at the end of a paragraph; `language` where it is not the document's."""
    made = paragraph.add_run(text)
    made.bold, made.italic = bold or None, italic or None
    if language:
        made._r.get_or_add_rPr().append(_element("w:lang", {"w:val": language}))
    return made


def link(paragraph: Paragraph, text: str, url: str, language: str | None = None) -> None:
    """A link at the end of a paragraph."""
    key = paragraph.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    holder = _element("w:hyperlink", {"r:id": key})
    made = run(paragraph, text, language)
    made._r.style = "Hyperlink"
    holder.append(made._r)
    paragraph._p.append(holder)


def table(made: WordDocument, rows: Iterable[tuple[str, str]], title: str, widths: tuple[float, float]) -> Table:
    """Facts in two columns, the first of which names what the second says. `title` is what a screen reader calls it."""
    told = list(rows)
    facts = grid(made, len(told), widths, title, headed=False)
    for row, texts in zip(facts.rows, told, strict=True):
        row._tr.get_or_add_trPr().append(_element("w:cantSplit", {}))
        for number, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            run(cell.paragraphs[0], text, bold=number == 0)
    return facts


def grid(made: WordDocument, rows: int, widths: Sequence[float], title: str, *, headed: bool = True) -> Table:
    """A table with a rule under each row, to be filled; its first column names what the rows say.

    `widths` are those of the columns in centimetres; `title` is what a screen reader calls it. Where it is `headed`,
    the first row names the columns, and stands on every page that the table goes on to.
    """
    held: Table = made.add_table(rows=rows, cols=len(widths))
    held.autofit = False
    for column, width in zip(held._tbl.tblGrid.gridCol_lst, widths, strict=True):
        column.w = Cm(width)
    properties = held._tbl.tblPr
    properties.append(_element("w:tblCaption", {"w:val": title}))
    look = properties.find(qn("w:tblLook"))
    look.set(qn("w:firstRow"), "1" if headed else "0")
    look.set(qn("w:val"), "04A0" if headed else "0480")
    borders = _element("w:tblBorders", {})
    for side in ("top", "bottom", "insideH"):
        borders.append(_element(f"w:{side}", {"w:val": "single", "w:sz": "4", "w:space": "0", "w:color": RULE}))
    properties.insert(list(properties).index(properties.find(qn("w:tblLayout"))), borders)
    for row in held.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Cm(width)
            form = cell.paragraphs[0].paragraph_format
            form.space_before = form.space_after = Pt(1.5)
    if headed:
        held.rows[0]._tr.get_or_add_trPr().append(_element("w:cantSplit", {}))
        held.rows[0]._tr.get_or_add_trPr().append(_element("w:tblHeader", {}))
    return held


def bar(cell: _Cell) -> None:
    """A thick rule at the left of a cell."""
    edges = _element("w:tcBorders", {})
    edges.append(_element("w:left", {"w:val": "single", "w:sz": "24", "w:space": "0", "w:color": str(ACCENT)}))
    cell._tc.get_or_add_tcPr().append(edges)


def in_cell(cell: _Cell, style: str = "Normal") -> Paragraph:
    """A new paragraph in a cell: the one that every cell begins with while that is empty."""
    first: Paragraph = cell.paragraphs[0]
    fresh = len(cell.paragraphs) == 1 and not first._p.xpath("w:r | w:hyperlink")
    added: Paragraph = first if fresh else cell.add_paragraph()
    if style != "Normal":
        added._p.style = style.replace(" ", "")
    return added


def footer(made: WordDocument, words: str, page: str) -> None:
    """Words and the number of the page, on every page."""
    section: Any = made.sections[0]
    width = section.page_width - section.left_margin - section.right_margin
    paragraph = made.sections[0].footer.paragraphs[0]
    stops = paragraph.paragraph_format.tab_stops
    for inherited in FOOTER_STOPS:
        stops.add_tab_stop(Twips(inherited), WD_TAB_ALIGNMENT.CLEAR)
    stops.add_tab_stop(width, WD_TAB_ALIGNMENT.RIGHT)
    paragraph.add_run(f"{words}\t{page} ")
    for instruction in ("PAGE", "NUMPAGES"):
        if instruction == "NUMPAGES":
            paragraph.add_run(" / ")
        for kind in ("begin", None, "end"):
            part = paragraph.add_run()._r
            if kind:
                part.append(_element("w:fldChar", {"w:fldCharType": kind}))
            else:
                code = _element("w:instrText", {})
                code.text = instruction
                part.append(code)


def written(made: WordDocument) -> bytes:
    """The document as a file: the same bytes whenever it is made, for the archive inside holds no time."""
    first, second = io.BytesIO(), io.BytesIO()
    made.save(first)
    with zipfile.ZipFile(first) as held, zipfile.ZipFile(second, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in held.namelist():
            packed.writestr(zipfile.ZipInfo(name), held.read(name), zipfile.ZIP_DEFLATED)
    return second.getvalue()


def _speak(made: WordDocument, language: str) -> None:
    """Say which language the document is in, where no run says otherwise: readers aloud and spelling go by it."""
    for each in made.styles.element.iter(qn("w:lang")):
        each.set(qn("w:val"), language)
    made.core_properties.language = language


def _style(
    made: WordDocument, name: str, font: str, size: float, colour: RGBColor, before: float = 0, after: float = 0
) -> None:
    style: Any = made.styles[name]
    style.font.name, style.font.size, style.font.color.rgb, style.font.italic = font, Pt(size), colour, False
    style.font.bold = name.startswith("Heading")
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)
    for script in ("w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(script), font)
    for each in style.element.rPr.findall(qn("w:spacing")):
        style.element.rPr.remove(each)
    for each in style.element.get_or_add_pPr().findall(qn("w:pBdr")):  # the library's rule under a title, in its blue
        style.element.pPr.remove(each)
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), 1.1


def _link_style(made: WordDocument) -> None:
    style: Any = made.styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER, builtin=True)
    style.font.color.rgb, style.font.underline = ACCENT, True


def _element(tag: str, attributes: dict[str, str]) -> Any:
    made = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(name), value)
    return made
