"""Bring the catalogues of kb/translations up to date with the texts of the code.

    python -m scripts.messages          # every language
    python -m scripts.messages xx       # this one, which is begun where it is new

New texts come in empty, texts that are gone go. Nothing is guessed: a text that was reworded is a new one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from kb.config import LANGUAGES
from kb.web.catalogues import SOURCE, path

ROOT = Path(__file__).parents[1]

KEYWORDS = {
    **dict.fromkeys(("_", "N_", "gettext", "lazy_gettext"), None),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
"""The functions that mark a text: which of their arguments are texts, and which says in what context."""

PLURALS = {
    "it": (2, "(n != 1)"),
    "es": (2, "(n != 1)"),
    "ca": (2, "(n != 1)"),
    "de": (2, "(n != 1)"),
    "fr": (2, "(n > 1)"),
    "pl": (3, "(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2)"),
    "ro": (3, "(n==1 ? 0 : n==0 || (n!=1 && n%100>=1 && n%100<=19) ? 1 : 2)"),
    "ga": (5, "(n==1 ? 0 : n==2 ? 1 : n>=3 && n<=6 ? 2 : n>=7 && n<=10 ? 3 : 4)"),
}
"""How many plural forms a language has for whole numbers, and which of them stands with n (GNU gettext's manual)."""


def source() -> Catalog:
    """The texts that the code and the templates mark now."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog()
    for name, line, texts, comments, context in extract_from_dir(ROOT / "kb", methods, options, KEYWORDS):
        found.add(texts, locations=[(f"kb/{name}", line)], auto_comments=comments, context=context)
    return found


def held(language: str) -> Catalog:
    """The catalogue of a language as it stands; an empty one where there is none."""
    if not path(language).exists():
        return _empty(language)
    with path(language).open("rb") as file:
        return read_po(file, locale=language)


def renewed(language: str, texts: Catalog) -> Catalog:
    """The catalogue of a language for these texts, with every translation that it holds already."""
    catalogue = held(language)
    before = {(each.context, each.id): each for each in catalogue}
    now = _empty(language)
    now.creation_date = now.revision_date = (
        catalogue.creation_date
    )  # a catalogue in which nothing is new stays as it is
    for text in _texts(texts):
        known = before.get((text.context, text.id))
        now.add(
            text.id,
            known.string if known and not known.fuzzy else _nothing(text, now.num_plurals),
            locations=sorted({(file, None) for file, _line in text.locations}),
            flags=text.flags - {"fuzzy"},
            auto_comments=text.auto_comments,
            context=text.context,
        )
    return now


def write(language: str, catalogue: Catalog) -> None:
    """Put a catalogue in its place."""
    path(language).parent.mkdir(parents=True, exist_ok=True)
    with path(language).open("wb") as file:
        save(file, catalogue)


def save(file: BinaryIO, catalogue: Catalog) -> None:
    """Write a catalogue in the order of the files that its texts stand in."""
    write_po(file, catalogue, width=118, sort_by_file=True, include_lineno=False)


def _texts(catalogue: Catalog) -> Iterable[Message]:
    return (each for each in catalogue if each.id)


def _nothing(text: Message, forms: int) -> str | tuple[str, ...]:
    return ("",) * forms if text.pluralizable else ""


def _empty(language: str) -> Catalog:
    number, rule = PLURALS.get(language) or tuple(get_plural(language))[:2]
    made = Catalog(
        locale=language,
        project="kb",
        version="1",
        last_translator="the network",
        language_team=language,
        msgid_bugs_address="the editors of the site",
        header_comment="# The words of the pages. Not checked by a native speaker yet.",
        fuzzy=False,
    )
    made._num_plurals, made._plural_expr = number, rule  # Babel's own rules have further forms, for fractions
    return made


def main(languages: list[str]) -> None:
    """Renew these languages, or all but the one of the code."""
    texts = source()
    for language in languages or [each for each in LANGUAGES if each != SOURCE]:
        catalogue = renewed(language, texts)
        write(language, catalogue)
        missing = sum(not all(_forms(each)) for each in _texts(catalogue))
        print(f"{language}: {len(catalogue)} texts, {missing} to translate")


def _forms(text: Message) -> tuple[str, ...]:
    return text.string if isinstance(text.string, tuple) else (text.string,)


if __name__ == "__main__":
    main(sys.argv[1:])
