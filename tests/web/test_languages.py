"""The language of a page: how it is chosen, that it is remembered, and that no page mixes two."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel import Locale
from babel.support import NullTranslations

from kb.config import LANGUAGES
from kb.services import seeding, vocabularies
from kb.web import catalogues, languages, pages
from tests.conftest import PEOPLE, Site, configure


@pytest.fixture
def polyglot(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site in all its languages."""
    site = Site(configure(shutil.copytree(peopled_folder, tmp_path / "data"), KB_LANGUAGES=",".join(LANGUAGES)))
    yield site
    site.close()


# How it is chosen


def language_of(html: str) -> str:
    found = re.search(r'<html lang="([a-z]+)"', html)
    assert found
    return found.group(1)


def test_a_choice_in_the_menu_is_remembered(polyglot: Site) -> None:
    reader = polyglot.client()
    answer = reader.get("/language/de?to=/themes%3Fx%3D1")
    assert (answer.status_code, answer.location) == (303, "/themes?x=1")
    page = reader.get("/themes").text
    assert language_of(page) == "de" and "Themen" in page


def test_the_address_wins_over_the_choice_and_the_choice_over_the_browser(polyglot: Site) -> None:
    reader = polyglot.client()
    wish = {"Accept-Language": "pl"}
    assert language_of(reader.get("/about", headers=wish).text) == "pl"
    reader.get("/language/fr")
    assert language_of(reader.get("/about", headers=wish).text) == "fr"
    assert language_of(reader.get("/about?lang=ga", headers=wish).text) == "ga"
    assert language_of(reader.get("/about", headers=wish).text) == "fr"


def test_with_https_only_this_host_may_set_the_cookie(peopled_folder: Path, tmp_path: Path) -> None:
    site = Site(configure(shutil.copytree(peopled_folder, tmp_path / "data"), KB_BASE_URL="https://kb.example.eu"))
    answer = site.client().get("/language/de", base_url="https://kb.example.eu")
    site.close()
    said = answer.headers["Set-Cookie"]
    assert said.startswith("__Host-lang=de;") and all(part in said for part in ("Secure", "HttpOnly", "SameSite=Lax"))


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
def test_a_choice_leads_to_no_other_site(polyglot: Site, elsewhere: str) -> None:
    answer = polyglot.client().get("/language/it", query_string={"to": elsewhere})
    assert (answer.status_code, answer.location) == (303, "/")


def test_a_language_that_the_site_does_not_have_is_not_found(polyglot: Site) -> None:
    assert polyglot.client().get("/language/tlh").status_code == 404


def test_the_menu_of_a_page_that_was_posted_leads_to_its_form(polyglot: Site) -> None:
    page = polyglot.client().post("/register/unknown", data={}).text
    assert 'href="/language/de?to=/register/unknown"' in page
    page = polyglot.client("alice").post("/sign-out", data={}).text
    assert 'href="/language/de"' in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_translated_page_says_that_nobody_checked_it(polyglot: Site, language: str) -> None:
    page = polyglot.client().get(f"/?lang={language}").text
    assert ('/about#languages"' in page) == (language != "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_language_of_a_page_has_dates_of_its_own(polyglot: Site, language: str) -> None:
    with polyglot.app.test_request_context(f"/?lang={language}"):
        assert languages.chosen() == language


# That no page mixes two


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


class Words(HTMLParser):
    """What a reader is shown or told of a page, without what is marked as being in a language of its own."""

    SAID = ("title", "alt", "aria-label", "placeholder", "data-of", "data-some")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        foreign = tag != "html" and given.get("lang") not in (None, "de")
        if tag in ("script", "style", "code", "kbd") or foreign:
            self.silent.append(tag)
        elif not self.silent:
            self.texts += [value for name in self.SAID if (value := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)


CODES = re.compile(r"https?://\S+|\{\w+\}|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{8}…")
"""Addresses, gaps that a script fills, and numbers of things."""


def unmarked(html: str) -> set[str]:
    """Words of a page that went through no catalogue."""
    reader = Words()
    reader.feed(html)
    outside, depth = [], 0
    for each in reader.texts:
        for sign in [*CODES.sub("", each), "\n"]:
            depth += (sign == "\u27e6") - (sign == "\u27e7")
            outside.append(sign if depth == 0 and sign not in "\u27e6\u27e7" else " ")
    return set(re.findall(r"[^\W\d_]{3,}", "".join(outside)))


@pytest.fixture(scope="module")
def marked(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = shutil.copytree(peopled_folder, tmp_path_factory.mktemp("marked") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogues, "catalogue", lambda _language: Marked())
        site = Site(configure(folder, KB_LANGUAGES="de", KB_OPEN_REGISTRATION="on"))
        yield site
        site.close()


@pytest.fixture(scope="module")
def data(marked: Site) -> set[str]:
    """Words that come from the data: they are German here, or names."""
    german = Locale("de")
    texts = [*german.languages.values(), *german.territories.values(), *german.months["format"]["wide"].values()]
    texts += [words for language, words in pages.EXAMPLES if language == "de"]
    texts += [marked.config.site_name, "example", "org", "UTC", *(name.capitalize() for name in PEOPLE), *PEOPLE]
    with marked.database.read() as session:
        vocabulary = vocabularies.load(session)
        for term in (*vocabulary.themes.values(), *vocabulary.target_groups.values()):
            texts += [term.name("de"), *term.synonyms.get("de", ())]
    texts.append((seeding.FOLDER / "regions.csv").read_text())
    return {word for text in texts for word in re.findall(r"[^\W\d_]{3,}", text)}


PAGES = (
    "/", "/practices?q=nothing", "/themes", "/themes/housing", "/regions", "/regions/ITH5", "/countries/IT", "/about",
    "/help", "/privacy", "/sign-in", "/register", "/reset", "/no/such/page",
)  # fmt: skip
MEMBERS = (
    "/submit", "/my/practices", "/account", "/account/sessions", "/account/mail", "/account/data", "/account/delete",
    "/account/password", "/account/address", "/account/second-factor",
)  # fmt: skip
EDITORS = (
    "/review", "/review/dashboard", "/review/offline", "/review/reports", "/review/claims", "/admin", "/admin/users",
    "/admin/invitations", "/admin/vocabularies", "/admin/audit", "/admin/organisations", "/admin/mail",
    "/admin/mail-texts",
)  # fmt: skip

KNOWN = {
    "/help": {"Arbeitsmarkt", "Integration"},
    "/practices?q=nothing": {"nothing"},
    "/regions/ITH5": {"NUTS"},
    "/regions": {"NUTS"},
}
"""Examples, names and codes of a page."""


@pytest.mark.parametrize(
    ("who", "path"),
    [*((None, path) for path in PAGES), *(("alice", path) for path in MEMBERS), *(("dora", path) for path in EDITORS)],
)
def test_every_word_of_a_page_comes_from_the_catalogue_or_the_data(
    marked: Site, data: set[str], who: str | None, path: str
) -> None:
    answer = marked.client(who).get(path)
    assert answer.content_type.startswith("text/html") and answer.status_code in (200, 404)
    assert unmarked(answer.text) - data - KNOWN.get(path, set()) == set()
