"""Every page that is read with GET, on a site in German: no page mixes two languages without saying so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.support import NullTranslations
from sqlalchemy import select

from kb.db import Base
from kb.models import Organisation, Practice, Record, Revision, User
from kb.services import seeding, vocabularies
from kb.web import catalogues, pages
from tests import stack
from tests.browser.matrix import world
from tests.browser.matrix.pages import STATES, State
from tests.conftest import Site, configure

SHOWN = {state.name: state for state in STATES if not state.press}
"""The states that a page has when it is asked for."""

WORD = re.compile(r"[^\W\d_]{3,}")


class Marked(NullTranslations):
    """A language in which every text stands between brackets: what is outside them went through no catalogue."""

    def _mark(self, text: str) -> str:
        gaps = re.sub(r"(%\(\w+\)[sd]|%%|<[^>]+>|\{\w+\})", "\u27e7\\1\u27e6", text)
        return f"\u27e6{gaps}\u27e7"

    def ugettext(self, text: str) -> str:
        return self._mark(text)

    def ungettext(self, one: str, many: str, number: int) -> str:
        return self._mark(one if number == 1 else many)

    def upgettext(self, _context: str, text: str) -> str:
        return self._mark(text)


class Reading(HTMLParser):
    """What a reader is shown or told of a page: (text, whether it is marked as being in another language)."""

    SAID = ("title", "alt", "aria-label", "placeholder")
    EMPTY = ("meta", "link", "input", "img", "br", "hr", "wbr", "source", "path", "rect", "circle")
    NOT_READ = ("script", "style", "code", "kbd", "pre")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []
        self._open: list[tuple[str, bool, bool]] = [("", False, True)]
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        _tag, foreign, read = self._open[-1]
        if given.get("lang"):
            foreign = given["lang"] != "de"
        read = read and tag not in self.NOT_READ and given.get("translate") != "no"
        if read:
            self.found += [
                (value, foreign) for name, value in given.items() if value and self._is_said(tag, name, given)
            ]
        if tag not in self.EMPTY:
            self._open.append((tag, foreign, read))

    def _is_said(self, tag: str, name: str, given: dict[str, str | None]) -> bool:
        if tag == "meta":
            return name == "content" and given.get("name") == "description"
        return name in self.SAID or (name.startswith("data-") and name != "data-part" and " " in (given[name] or ""))

    def handle_endtag(self, tag: str) -> None:
        while len(self._open) > 1 and tag not in self.EMPTY:
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        tag, foreign, read = self._open[-1]
        if read and data.strip():
            self.found.append((data, foreign or tag in ("title", "textarea")))


Asked = Callable[[str], str]


@pytest.fixture(scope="module")
def sites(
    town_folder: Path, peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[bool], tuple[Site, world.Names]]]:
    """The site of the matrix in the marked language, and one without practices; each made when it is asked for."""
    made: dict[bool, tuple[Site, world.Names]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogues, "catalogue", lambda _language: Marked())

        def served(empty: bool) -> tuple[Site, world.Names]:
            if empty not in made:
                source = peopled_folder if empty else town_folder
                folder = stack.copy(source, tmp_path_factory.mktemp("marked") / "data")
                site = Site(configure(folder, KB_LANGUAGES="de,en", KB_OPEN_REGISTRATION="off" if empty else "on"))
                made[empty] = (site, {} if empty else world.rich(site))
            return made[empty]

        yield served
        for site, _named in made.values():
            site.close()


@pytest.fixture(scope="module")
def asked(sites: Callable[[bool], tuple[Site, world.Names]]) -> Asked:
    """The page of a state; asked for once."""
    held: dict[str, str] = {}

    def page(name: str) -> str:
        if name not in held:
            state: State = SHOWN[name]
            site, names = sites(state.empty)
            answer = site.client(state.who).get(state.address.format(**names), follow_redirects=True)
            assert answer.status_code == state.status and answer.content_type.startswith("text/html")
            held[name] = answer.text
        return held[name]

    return page


# Titles


@pytest.fixture(scope="module")
def titles(sites: Callable[[bool], tuple[Site, world.Names]]) -> set[str]:
    """What practices that are written in English are called."""
    site = sites(False)[0]
    with site.database.read() as session:
        drafts = select(Practice.title, Revision.document["language"].as_string()).join(
            Revision, (Revision.practice_id == Practice.id) & (Revision.number == Practice.revision_count)
        )
        found = [*session.execute(drafts), *session.execute(select(Record.title, Record.language))]
    return {title for title, language in found if language == "en" and len(title) > 8}


@pytest.mark.parametrize("name", SHOWN)
def test_an_english_title_says_that_it_is_english(asked: Asked, titles: set[str], name: str) -> None:
    told = [text for text, foreign in Reading(asked(name)).found if not foreign]
    bare = [text for text in map(without_catalogue, told) if any(title in text for title in titles)]
    assert bare == []


# Words


CODES = re.compile(
    r"https?://\S+|[\w.+-]+@[\w.-]+|\b[\w-]+(\.[\w-]+)*\.[a-z]{2,}\b|\{\w+\}|/\w+(/[\w{}.<>-]*)*"
    r"|(?<!\w)(\.[a-z]{2,})+\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{8}…"
)
"""Addresses, gaps that a script fills, and numbers of things."""


@pytest.fixture(scope="module")
def words(sites: Callable[[bool], tuple[Site, world.Names]]) -> set[str]:
    """Words that are German here, or names."""
    site = sites(False)[0]
    german = Locale("de")
    texts = [*german.languages.values(), *german.territories.values(), *german.months["format"]["wide"].values()]
    texts += [words for language, words in pages.EXAMPLES if language == "de"]
    texts += [site.config.site_name, "UTC NUTS Million Millionen English APA Chicago JPEG PDF GET POST PUT"]
    with site.database.read() as session:
        vocabulary = vocabularies.load(session)
        for term in (*vocabulary.themes.values(), *vocabulary.target_groups.values()):
            texts += [term.name("de"), *term.synonyms.get("de", ())]
        texts += [user.name or "" for user in session.scalars(select(User))]
        texts += [user.email for user in session.scalars(select(User))]
        texts += list(session.scalars(select(Organisation.name)))
        for document in session.scalars(select(Revision.document)):
            texts += _names(document)
    texts.append((seeding.FOLDER / "regions.csv").read_text())
    return {word for text in texts for word in WORD.findall(text)}


@pytest.fixture(scope="module")
def data(sites: Callable[[bool], tuple[Site, world.Names]]) -> set[str]:
    """What people wrote, text by text: whatever the database holds."""
    found: set[str] = set()
    with sites(False)[0].database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                found.update(" ".join(text.split()) for text in _leaves(list(row)))
    return found


def _names(document: dict[str, Any]) -> Iterator[str]:
    """What a document calls places and organisations."""
    bodies = [document.get("lead_organisation"), *(document.get("partners") or [])]
    yield from (str(text) for text in (document.get("place"), document.get("original_title")) if text)
    yield from (str(body["name"]) for body in bodies if body)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, *value.splitlines())
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)


def without_catalogue(text: str) -> str:
    """What of a text went through no catalogue."""
    outside, depth = [], 0
    for sign in CODES.sub("", text):
        depth += (sign == "\u27e6") - (sign == "\u27e7")
        outside.append(sign if depth == 0 and sign not in "\u27e6\u27e7" else " ")
    return " ".join("".join(outside).split())


KNOWN = {
    "api": {"Practice", "PracticeInput", "Problem", "Standing"},
    "privacy": {"lang"},
    "practice, unknown format": {"pdf", "und"},
    "searches": {"gone", "talent"},
}
"""Names in the code, and what was searched for."""

QUOTING = {"import, looked at"}
"""What is wrong in a file is said in its own words, and in the codes that belong there."""


def _without(text: str, data: set[str]) -> str:
    """What is left of a text where sentences of people stand in it."""
    for each in sorted((each for each in data if " " in each and each in text), key=len, reverse=True):
        text = text.replace(each, " ")
    return text


@pytest.mark.parametrize("name", [name for name in SHOWN if name not in QUOTING])
def test_every_word_of_a_page_comes_from_the_catalogue_or_the_data(
    asked: Asked, words: set[str], data: set[str], name: str
) -> None:
    told = [text for text, foreign in Reading(asked(name)).found if not foreign]
    bare = [text for text in map(without_catalogue, told) if not data & {text, text.strip(" ,;.:()·")}]
    known = words | set(WORD.findall(SHOWN[name].address.partition("?")[2])) | KNOWN.get(name, set())
    odd = [text for text in bare if set(WORD.findall(text)) - known]
    strange = [text for text in odd if set(WORD.findall(_without(text, data))) - known]
    assert strange == []


# Styles


STATIC = Path(catalogues.__file__).parents[1] / "static"


def _classes(sheet: str) -> set[str]:
    """The classes that a sheet has rules for."""
    return set(
        re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^}]*\}|/\*.*?\*/", "", (STATIC / sheet).read_text(), flags=re.S))
    )


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_loads_the_rules_of_its_classes(asked: Asked, name: str) -> None:
    html = asked(name)
    used = {each for names in re.findall(r'class="([^"]*)"', html) for each in names.split()}
    if "forms.css" not in html:
        assert used & (_classes("forms.css") - _classes("site.css")) == set()
