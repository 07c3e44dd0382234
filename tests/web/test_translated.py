"""A practice's title and summary stand in the reader's language where somebody, or a machine, translated them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.services.presenting import in_language
from kb.services.record import Document
from tests import factories, stack
from tests.conftest import Site, configure

CATALAN = {
    "title": "Mentors per a infermeres",
    "original_title": None,
    "language": "ca",
    "summary": "Els hospitals de la regió acompanyen les infermeres nouvingudes.",
    "actions": "Les parelles es troben cada setmana.",
    "translations": [
        {"language": "en", "title": "Mentors for nurses", "summary": "Hospitals pair nurses.", "machine": False},
        {
            "language": "de",
            "title": "Paten für Pflegekräfte",
            "summary": "Paten begleiten neue Kräfte.",
            "machine": True,
        },
        {"language": "es", "title": "Mentores para enfermeras", "summary": None, "machine": False},
    ],
}


@pytest.fixture(scope="module")
def translated(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site in several languages with a practice in Catalan, and one that was adapted from it."""
    folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("translated") / "data")
    site = Site(configure(folder, KB_LANGUAGES="en,de,es,ca,pl"))
    with site.database.write() as session:
        first = factories.published(session, **CATALAN)
        again = [{"slug": first.slug, "changes": "Midwives too."}]
        factories.published(session, title="Mentors for midwives", adapted_from=again, region={"code": "ITH3"})
    site.drain()
    yield site
    site.close()


def page(site: Site, path: str, language: str) -> str:
    """A page in a language."""
    answer = site.client().get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def heading(html: str) -> str:
    """The first heading with its attributes."""
    found = re.search(r"<h1[^>]*>.*?</h1>", html)
    assert found
    return found.group(0).replace(' class="mt-2"', "")


SLUG = "/practices/mentors-per-a-infermeres"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("ca", "<h1>Mentors per a infermeres</h1>"),
        ("en", "<h1>Mentors for nurses</h1>"),
        ("de", "<h1>Paten für Pflegekräfte</h1>"),
        ("es", "<h1>Mentores para enfermeras</h1>"),
        ("pl", '<h1 lang="en">Mentors for nurses</h1>'),
    ],
)
def test_the_page_has_the_title_for_its_reader(translated: Site, language: str, title: str) -> None:
    assert heading(page(translated, SLUG, language)) == title


def test_the_page_names_its_original_and_its_language(translated: Site) -> None:
    assert '<p class="meta" lang="ca">Mentors per a infermeres</p>' in page(translated, SLUG, "de")


def test_a_summary_that_nobody_translated_keeps_its_own_language(translated: Site) -> None:
    html = page(translated, SLUG, "es")
    assert re.search(r'<p class="lead[^"]*" lang="ca">Els hospitals', html)
    assert re.search(r'<meta name="description" content="Els hospitals[^"]*" lang="ca">', html)


@pytest.mark.parametrize("path", ["/practices", "/countries/IT", "/regions/ITH5", "/themes/labour-inclusion"])
def test_lists_have_title_and_summary_for_the_reader(translated: Site, path: str) -> None:
    html = page(translated, path, "de")
    assert re.search(rf'<a href="{SLUG}[^"]*">Paten für Pflegekräfte</a>', html)
    assert "<p>Paten begleiten neue Kräfte.</p>" in html
    assert "Els hospitals" not in html


def test_found_words_are_marked_in_the_readers_summary(translated: Site) -> None:
    assert "<p><mark>Paten</mark> begleiten neue Kräfte.</p>" in page(translated, "/practices?q=Paten", "de")


def test_a_list_in_another_language_says_which(translated: Site) -> None:
    html = page(translated, "/practices", "pl")
    assert re.search(rf'<a href="{SLUG}[^"]*" lang="en">Mentors for nurses</a>', html)
    assert '<p lang="en">Hospitals pair nurses.</p>' in html


def test_the_browsers_tab_has_the_readers_title(translated: Site) -> None:
    assert "<title>Paten für Pflegekräfte – " in page(translated, SLUG, "de")


@pytest.mark.parametrize("path", ["/practices", "/", "/practices/mentors-for-midwives"])
def test_what_a_machine_translated_says_so_in_every_list(translated: Site, path: str) -> None:
    counts = {language: marked(page(translated, path, language)) for language in ("de", "en", "ca", "es")}
    assert counts.pop("de") >= 1
    assert set(counts.values()) == {0}


def marked(html: str) -> int:
    """How often a page says that a machine translated; by the class that these lines bear."""
    return len(re.findall(r'class="meta by-machine"', html))


def test_the_versions_are_called_as_the_reader_knows_the_practice(translated: Site) -> None:
    html = page(translated, f"{SLUG}/versions", "pl")
    assert re.search(r'<p class="lead[^"]*" lang="en">Mentors for nurses</p>', html)
    assert re.search(r'<li><a href="[^"]*" lang="en">Mentors for nurses</a></li>', html)


def test_the_citation_has_the_title_as_it_was_written_and_the_address_of_its_version(translated: Site) -> None:
    html = page(translated, SLUG, "de")
    assert re.search(rf'<i lang="ca">Mentors per a infermeres</i>.*{SLUG}/versions/1</a>', html)


def test_the_api_gives_the_record_as_it_was_written(translated: Site) -> None:
    item = translated.client().get("/api/v1/practices?q=infermeres&lang=de").json["items"][0]
    assert item["title"] == CATALAN["title"] and "Els hospitals" in item["highlights"]["text"]


def test_what_nobody_translated_stays_as_it_was_written() -> None:
    record: Document = factories.document(**{**CATALAN, "translations": []})
    assert in_language(record, "pl")["title"] == CATALAN["title"]


def test_a_reader_of_a_third_language_gets_english_where_there_is_nothing_nearer() -> None:
    record: Document = factories.document(**CATALAN)
    assert [in_language(record, each)["language"] for each in ("ca", "de", "pl")] == ["ca", "de", "en"]
