"""The language of a page: how it is chosen, and that it is remembered. test_every_page.py: that no page mixes two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_babel import force_locale
from flask_babel import gettext as babel_gettext

from kb.config import LANGUAGES
from kb.web.catalogues import gettext
from tests import stack
from tests.conftest import Site, configure


@pytest.fixture
def polyglot(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site in all its languages."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LANGUAGES=",".join(LANGUAGES)))
    yield site
    site.close()


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
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_BASE_URL="https://kb.example.eu"))
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


def test_texts_follow_a_language_that_is_forced_for_a_while(polyglot: Site) -> None:
    with polyglot.app.test_request_context("/about?lang=de"):
        say = polyglot.app.jinja_env.from_string("{{ _('Search') }}").render
        assert (say(), gettext("Search")) == ("Suchen", "Suchen")
        with force_locale("fr"):
            assert say() == gettext("Search") == babel_gettext("Search") != "Suchen"
        assert (say(), gettext("Search")) == ("Suchen", "Suchen")


def test_templates_share_what_they_may_ask_for(polyglot: Site) -> None:
    template = polyglot.app.jinja_env.from_string("{{ later }}")
    polyglot.app.jinja_env.globals["later"] = "known"
    own = polyglot.app.jinja_env.from_string("{{ later }}{{ mine }}", globals={"mine": "!"})
    assert (template.render(), own.render()) == ("known", "known!")
    assert "mine" not in polyglot.app.jinja_env.globals
