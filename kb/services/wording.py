"""The words of the pages in each language: `kb/translations/<language>/LC_MESSAGES/messages.po`, read as they stand.

No compiled file lies beside a catalogue that could be missing or older than it. Reading one takes a tenth of a second,
once in each process for each language that somebody asks for.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER = Path(__file__).parent.parent / "translations"

SOURCE = "en"
"""The language that the texts of the code are in: it needs no catalogue."""


def path(language: str) -> Path:
    """The file of a language."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


@cache
def catalogue(language: str) -> Translations:
    """The words of a language. Raises FileNotFoundError where it has no catalogue."""
    with path(language).open("rb") as text:
        words = read_po(text, locale=language)
    compiled = BytesIO()
    write_mo(compiled, words)
    compiled.seek(0)
    return Translations(compiled)
