"""Searches on the seed in all languages of its vocabularies: what a reader asks in one, practices in others answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
import yaml
from sqlalchemy.orm import Session

from kb.db import Database
from kb.search.port import SearchEngine
from kb.services import catalogue, vocabularies
from kb.services.catalogue import Results
from kb.services.checking import LANGUAGES
from kb.services.naming import thesaurus
from kb.services.query import CatalogueQuery
from kb.services.record import Document
from kb.services.vocabularies import Vocabulary, country_name
from tests import factories, stack
from tests.conftest import configure, make_indexer
from tests.unit.services.elsewhere import PRACTICES

SEED = Path(__file__).parents[3] / "seed"


def labels(file: str) -> list[tuple[str, str, str]]:
    """The labels of a vocabulary of the seed as (term, language, label)."""
    terms = yaml.safe_load((SEED / file).read_text(encoding="utf-8"))
    return [(term["slug"], language, label) for term in terms for language, label in term["labels"].items()]


@dataclass
class Base:
    """The seed and practices of `elsewhere`, indexed. Only read it."""

    session: Session
    engine: SearchEngine
    vocabulary: Vocabulary

    def ask(self, text: str, *drop: str) -> Results:
        """The first page that a reader sees."""
        query = CatalogueQuery(q=text, drop=drop)
        return catalogue.search(self.session, self.engine, self.vocabulary, query, 1, 20, "https://example.org")

    def found(self, text: str) -> list[Document]:
        """The documents on that page that answer in full; quicker, as nothing is shown of them."""
        page = self.engine.search(CatalogueQuery(q=text).to_engine(thesaurus(self.vocabulary), 1, 20))
        return [self.documents[hit.id] for hit in page.hits[: page.total] if not page.partial]

    def meant(self, text: str) -> set[tuple[str, str]]:
        """What else a text means, as (facet, value)."""
        question = CatalogueQuery(q=text).question(thesaurus(self.vocabulary))
        return {(each.facet, value) for each in question.expansions for value in each.values}

    @cached_property
    def documents(self) -> dict[str, Document]:
        """All practices, by id."""
        return {str(document["id"]): document for document in catalogue.every(self.session, "https://example.org")}


@pytest.fixture(scope="module")
def base(seeded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    config = configure(stack.copy(seeded_folder, tmp_path_factory.mktemp("elsewhere") / "data"))
    database = Database(config.database_url)
    english = {slug: label for slug, language, label in labels("themes.yaml") if language == "en"}
    with database.write() as session:
        for each in PRACTICES:
            factories.published(
                session,
                language=each.language,
                country=each.country,
                region={"code": each.region, "name": None},
                themes=list(each.themes),
                target_groups=list(each.target_groups),
                title=each.title,
                summary=each.summary,
                actions=each.summary,
                translations=[{"language": "en", "title": f"{english[each.themes[0]]}: {each.title}"}],
            )
    indexer = make_indexer(config, database)
    indexer.drain()
    with database.read() as session:
        yield Base(session, indexer.engine, vocabularies.load(session))
    indexer.engine.close()
    database.close()


def slugs(results: Results) -> set[str]:
    return {item.record["slug"] for item in results.full}


def test_each_theme_has_a_practice_that_is_not_in_english() -> None:
    assert {slug for slug, _, _ in labels("themes.yaml")} == {slug for each in PRACTICES for slug in each.themes}


@pytest.mark.parametrize(("slug", "language", "label"), labels("themes.yaml"))
def test_a_label_of_a_theme_finds_its_practices_in_other_languages(
    base: Base, slug: str, language: str, label: str
) -> None:
    assert any(slug in each["themes"] and each["language"] != language for each in base.found(label))


@pytest.mark.parametrize("language", sorted({language for _, language, _ in labels("target_groups.yaml")}))
def test_the_labels_of_target_groups_mean_them(base: Base, language: str) -> None:
    for slug, its, label in labels("target_groups.yaml"):
        assert its != language or ("target_group", slug) in base.meant(label), label


@pytest.mark.parametrize(
    ("label", "slug"), [("Mná", "women"), ("Lavoratori migranti", "migrant-workers"), ("Künstler", "artists")]
)
def test_a_target_group_is_found_in_other_languages(base: Base, label: str, slug: str) -> None:
    found = base.found(label)
    assert slug in found[0]["target_groups"]
    assert len({each["language"] for each in found if slug in each["target_groups"]}) > 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_countries_of_europe_are_known_in_every_language_of_practices(base: Base, language: str) -> None:
    for code in base.vocabulary.european:
        name = country_name(code, language)
        assert ("country", code) in base.meant(name), name


@pytest.mark.parametrize(
    ("name", "code"),
    [("Saksa", "DE"), ("Węgry", "HU"), ("Γαλλία", "FR"), ("An Iorua", "NO"), ("l-Italja", "IT"), ("Rootsi", "SE")],
)
def test_a_country_is_found_by_its_name_in_another_language(base: Base, name: str, code: str) -> None:
    found = base.found(name)
    assert len({each["language"] for each in found if each["country"] == code}) > 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Baviera", "DE2"),
        ("Catalogne", "ES51"),
        ("Katalonien", "ES51"),
        ("Südtirol", "ITH1"),
        ("Alto Adige", "ITH1"),
        ("Andalousie", "ES61"),
        ("Piemont", "ITC1"),
        ("Pomorze", "PL63"),
        ("Schottland", "x-gb-scotland"),
        ("Thueringen", "DEG"),
    ],
)
def test_a_region_is_known_by_its_names_in_other_languages(base: Base, name: str, code: str) -> None:
    assert ("region", code) in base.meant(name)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Baviera", "Rückenwind für neue Kolleginnen"),
        ("Catalogne", "Claus a mà"),
        ("Andalousie", "Del aula al tajo"),
        ("Piemont", "Il mestiere in valigia"),
    ],
)
def test_a_region_is_found_by_its_name_in_another_language(base: Base, name: str, title: str) -> None:
    assert title in {each["title"] for each in base.found(name)}


@pytest.mark.parametrize(
    "text",
    ["inserción laboral", "insercion laboral", "inclusione lavorativa", "Arbeitsmarktintegration", "rynek pracy",
     "Arbeitsmarkt-Integration", "INSERCIÓ LABORAL", "intégration sur le marché du travail"],
)  # fmt: skip
def test_words_for_labour_inclusion_find_it_in_whatever_language(base: Base, text: str) -> None:
    results = base.ask(text)
    assert ("theme", ("labour-inclusion",)) in [(each.facet, each.values) for each in results.expansions]
    assert all("labour-inclusion" in item.record["themes"] for item in results.full)
    assert results.total > 20


def test_what_is_dropped_takes_along_what_only_it_found(base: Base) -> None:
    whole, without = base.ask("housing"), base.ask("housing", "theme:housing")
    only = {item.record["slug"] for item in whole.full if item.matched == ("themes",)}
    assert without.total < whole.total
    assert not without.expansions
    assert not only & slugs(without)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("emplyment", "employment"), ("entreprenuers", "entrepreneurs"), ("integracion", "integration")],
)
def test_a_slip_gets_what_was_meant(base: Base, typed: str, meant: str) -> None:
    results = base.ask(typed)
    assert results.suggestion and results.suggestion.text == meant
    assert results.suggestion.total > 5


def test_umlauts_typed_as_two_letters_mean_what_is_written_with_them(base: Base) -> None:
    assert base.ask("Fachkraefte").total == base.ask("Fachkräfte").total > 20
    assert base.meant("Fachkraefte") == {
        ("theme", "talent-attraction-and-retention"),
        ("target_group", "international-talent"),
    }
