"""What a practice's own texts say about law and staff, and what they name as conditions and difficulties.

A record's text is Markdown in one of many languages. It is taken apart into its paragraphs and list items, and these
into sentences; a sentence is cited where a word of it stands in the list of its language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from kb.formats.text import line, parse
from kb.services.record import Document

CONDITIONS = ("transferability", "context", "difficulties")
"""What is said of conditions, the most likely place first. What was done is none: it is asked about by itself."""

MOST_SIGNS = 1_000
"""Signs of Markdown up to which a text is read as such: one of thousands of brackets takes seconds."""

LAW = {
    "en": "law laws lawful legal* legislat* permit permits licen* statut* decree* regularis* regulariz* visa visas",
    "it": "legge leggi legal* legislat* normativ* permess* decret* licenz* regolarizz* visto visti",
    "es": "ley leyes legal* legislac* normativ* permiso permisos decreto* licencia* regulariz* visado*",
    "ca": "llei lleis legal* legislac* normativ* permis permisos decret* llicenci* regularitz* visat*",
    "de": "gesetz* recht rechts rechtlich* rechtslage aufenthaltsrecht* erlaubnis* genehmigung* aufenthaltstitel* "
          "verordnung* visum visa",
    "fr": "loi lois legal* legislat* permis decret* licence* regularis* sejour visa visas",
    "pl": "prawo prawa prawem prawn* ustaw* przepis* zezwolen* pozwolen* licencj* rozporzadz* wiza wizy",
    "ro": "lege legea legi legile legal* legislat* permis permise permisul decret* licent* regulariz* viza vize",
    "ga": "dli dlithe dlithiul* reachtaiocht* cead ceadunas* viosa viosai",
}  # fmt: skip
"""Words of law and permits by language, without accents; a star stands for any ending, an underscore for a blank.

Our own list, of the words that the texts of the seed use and of their translations.
"""

BESIDE = {"en": "legal_advice legal_aid legal_counsel* legal_help legal_support driving_licen*"}
"""Words of law that say nothing about law: a service that gives legal advice needs none."""

STAFF = {
    "en": "staff staffed personnel employee employees trainer trainers mediator mediators mentor mentors volunteer "
    "volunteers caseworker* counsellor* coordinator* social_worker*",
    "it": "personale dipendent* formator* mediator* mediatric* volontar* operator* coordinator*",
    "es": "plantilla emplead* formador* mediador* voluntari* coordinador* tecnico tecnicos",
    "ca": "plantilla emplead* formador* mediador* voluntari* coordinador* tecnic tecnics",
    "de": "personal mitarbeiter* fachkraft fachkrafte ehrenamtlich* freiwillig* mediator* koordinator* stellen",
    "fr": "personnel salarie* employe employes formateur* mediateur* mediatrice* benevole* coordinateur*",
    "pl": "personel* pracownik* pracownic* trener* mediator* wolontariusz* koordynator*",
    "ro": "angajat* formator* mediator* voluntar* coordonator*",
    "ga": "foireann fostaithe oiliunoir* eadranait* comhordaitheoir*",
}
"""Words for people who do the work, in the same way."""

_SIGN = re.compile(r"[\[*_`<&!\\\n]")
_END = re.compile(r"(?<=[.!?…])[\"”»’)]?\s+(?=[\"“«‘(¿¡]?[^\W_])")
_SHORT = 20  # characters: what is shorter is rather an abbreviation than a sentence


def paragraphs(markdown: str | None) -> list[str]:
    """The paragraphs and list items of a text, each in one line and without Markdown's signs; headings are left out."""
    text = markdown or ""
    if len(_SIGN.findall(text)) > MOST_SIGNS:
        return [said for said in map(line, text.split("\n")) if said]
    return [said for said in map(line, _blocks(text)) if said]


def _blocks(text: str) -> Iterator[str]:
    before = ""
    for token in parse(text):
        if token.type == "inline" and before != "heading_open":
            children = token.children or ()
            yield "".join(" " if each.type in ("softbreak", "hardbreak") else each.content for each in children)
        before = token.type


def sentences(paragraph: str) -> list[str]:
    """A paragraph as its sentences. What looks too short for one goes with what follows."""
    found: list[str] = []
    for part in _END.split(paragraph):
        if found and len(found[-1]) < _SHORT:
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found


def about_law(record: Document) -> str:
    """The first sentence among the conditions of a record that speaks of law or permits; empty where none does."""
    return next(_cited(record, LAW, CONDITIONS), "")


def about_staff(record: Document, law: str) -> str:
    """The first sentence among what a copy needs that speaks of those who do the work, other than the one about law.

    The context and the difficulties name staff of every kind, those of others too: they are not looked at.
    """
    return next((each for each in _cited(record, STAFF, CONDITIONS[:1]) if each != law), "")


def shortened(text: str, most: int) -> str:
    """The first words of a text in one line, `most` at most; where it goes on, […] says so."""
    words = text.split()
    return " ".join(words[:most]) + (" […]" if len(words) > most else "")


def _cited(record: Document, words: dict[str, str], fields: Sequence[str]) -> Iterator[str]:
    """The sentences in some texts of a record that hold one of the words of its language."""
    pattern, beside = (_pattern(each.get(record["language"], "")) for each in (words, BESIDE))
    for each in (each for field in fields for part in paragraphs(record[field]) for each in sentences(part)):
        folded = beside.sub(" ", _folded(each)) if beside else _folded(each)
        if pattern and pattern.search(folded):
            yield each


def remaining(markdown: str | None, already: Iterable[str]) -> list[str]:
    """The paragraphs of a text of which less than half the sentences were cited already."""
    known = set(already)
    return [each for each in paragraphs(markdown) if 2 * len(known & set(parts := sentences(each))) < len(parts)]


@cache
def _pattern(words: str) -> re.Pattern[str] | None:
    if not words:
        return None
    ways = "|".join(
        re.escape(word.rstrip("*").replace("_", " ")) + (r"\w*" if word.endswith("*") else "") for word in words.split()
    )
    return re.compile(rf"(?<!\w)(?:{ways})(?!\w)")


def _folded(text: str) -> str:
    """Text in small letters without accents, for looking up words; long ones too, unlike a name."""
    apart = unicodedata.normalize("NFKD", text.casefold()).replace("ł", "l")
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
