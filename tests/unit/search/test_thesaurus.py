"""What words mean beyond themselves, by the names of the seed's own vocabularies and by small ones."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.search.parsing import parse
from kb.search.thesaurus import EMPTY, Name, Thesaurus

SEED = Path(__file__).parents[3] / "seed"


def names_of(facet: str, file: str) -> list[Name]:
    """All labels and synonyms of a vocabulary of the seed."""
    names = []
    for term in yaml.safe_load((SEED / file).read_text(encoding="utf-8")):
        names += [Name(facet, term["slug"], language, label) for language, label in term["labels"].items()]
        for language, synonyms in term["synonyms"].items():
            names += [Name(facet, term["slug"], language, synonym) for synonym in synonyms]
    return names


NAMES = [*names_of("theme", "themes.yaml"), *names_of("target_group", "target_groups.yaml")]
VOCABULARIES = Thesaurus(NAMES)
PLACES = Thesaurus(
    [
        Name("country", "IE", "en", "Ireland"),
        Name("country", "IE", "und", "IE", code=True),
        Name("country", "DE", "it", "Germania"),
        Name("region", "UKN", "en", "Northern Ireland"),
        Name("region", "ITI3", "it", "Marche"),
        Name("region", "FRF", "fr", "Grand Est"),
        Name("region", "DEG", "de", "Thüringen"),
        Name("region", "DK01", "da", "Århus"),
        Name("target_group", "women", "ga", "Mná"),
        Name("target_group", "unaccompanied-minors", "fr", "MNA"),
        Name("theme", "talent", "ga", "Tallann a mhealladh agus a choinneáil"),
        Name("theme", "arts", "de", "Kunst und Kultur"),
        Name("theme", "rights", "en", "Rights and legal status"),
        Name("theme", "labour", "pl", "Integracja na rynku pracy"),
        Name("theme", "labour", "en", "Labour market"),
        Name("theme", "market", "en", "market"),
    ]
)


def meant(text: str, thesaurus: Thesaurus = PLACES, *dropped: tuple[str, str]) -> set[tuple[str, str]]:
    question = parse(text, thesaurus, dropped)
    return {(each.facet, value) for each in question.expansions for value in each.values}


def without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


WAYS = {
    "as it stands": str,
    "small": str.lower,
    "capitals": str.upper,
    "capitalised": str.title,
    "without accents": without_accents,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "hyphens": lambda text: text.replace(" ", "-"),
    "wide": lambda text: f"  {text.replace(' ', '   ')} ",
}


@pytest.mark.parametrize("way", WAYS)
def test_every_name_of_the_seed_means_its_term_however_it_is_typed(way: str) -> None:
    lost = [
        (typed, name)
        for name in NAMES
        if (typed := WAYS[way](name.text)) and (name.facet, name.value) not in meant(typed, VOCABULARIES)
    ]
    assert lost == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(NAMES), st.lists(st.sampled_from(["zzyzx", "qwrt", "1999"]), max_size=2), st.data())
def test_a_name_means_its_term_amid_other_words_in_any_mix_of_case(
    name: Name, others: list[str], data: st.DataObject
) -> None:
    typed = "".join(c.upper() if data.draw(st.booleans()) else c for c in name.text)
    before = data.draw(st.integers(0, len(others)))
    text = " ".join([*others[:before], typed, *others[before:]])
    assert (name.facet, name.value) in meant(text, VOCABULARIES)


@given(st.text())
def test_any_text_can_be_looked_up(text: str) -> None:
    assert EMPTY.expand(parse(text)) == parse(text)
    assert VOCABULARIES.named("theme", text) is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("refugee", "refugees"),
        ("Flüchtling", "refugees"),
        ("uchodźców", "refugees"),
        ("flyktingarna", "refugees"),
        ("rifugiata", "refugees"),
        ("mujer", "women"),
        ("libraries museum", "arts-and-culture"),
        ("inserciones laborales", "labour-inclusion"),
        ("Sprachkurse", "language-learning"),
        ("bostaden", "housing"),
        ("Gefluechtete", "refugees"),
        ("Arbeitsmarkt-Mentoren", "labour-inclusion"),
    ],
)
def test_other_forms_of_a_name_mean_it(text: str, value: str) -> None:
    assert value in {term for _, term in meant(text, VOCABULARIES)}


@pytest.mark.parametrize(
    "word",
    "make makes nine case cases doctor doctors info choir donors contract sana alt age habits attract curant caso mot"
    " partners associated".split(),
)
def test_a_stem_that_happens_to_be_the_same_means_nothing(word: str) -> None:
    assert meant(word, VOCABULARIES) == set()


@pytest.mark.parametrize(
    ("text", "slug"),
    [("salud", "health-and-wellbeing"), ("Kunst", "arts-and-culture"), ("educación", "education-and-youth"),
     ("Künstler", "artists"), ("citizenship", "participation-and-citizenship")],
)  # fmt: skip
def test_either_word_of_a_name_of_two_means_it(text: str, slug: str) -> None:
    assert slug in {term for _, term in meant(text, VOCABULARIES)}


def test_a_word_of_a_longer_name_means_nothing_alone() -> None:
    assert meant("rights") == meant("status") == set()


def test_accents_that_were_typed_are_meant() -> None:
    assert meant("Mná") == {("target_group", "women")}
    assert meant("mna") == {("target_group", "women"), ("target_group", "unaccompanied-minors")}


def test_longer_names_go_before_shorter_ones() -> None:
    assert meant("northern ireland") == {("region", "UKN")}
    assert meant("ireland northern") == {("country", "IE")}
    assert meant("labour market") == {("theme", "labour")}
    assert meant("labour of the market") == {("theme", "labour")}


def test_stop_words_of_a_name_need_not_be_typed_and_may_be_repeated() -> None:
    assert meant("integracja rynku pracy") == meant("Integracja na rynku pracy") == {("theme", "labour")}
    assert meant("Tallann a mhealladh agus a choinneáil") == {("theme", "talent")}


def test_what_is_dropped_is_not_meant() -> None:
    assert meant("market ireland", PLACES, ("theme", "market")) == {("country", "IE")}


@pytest.mark.parametrize("text", ['"ireland"', '"northern ireland"', "title:ireland", "irel*", "-ireland"])
def test_words_with_operators_mean_only_themselves(text: str) -> None:
    assert meant(text) == set()


def test_words_that_something_parts_are_no_name() -> None:
    assert meant('northern "x" ireland') == {("country", "IE")}


def test_a_code_is_known_to_operators_alone() -> None:
    assert meant("ie") == set()
    assert PLACES.named("country", "ie") == ("IE",)


def test_a_region_that_is_an_ordinary_word_is_known_to_operators_alone() -> None:
    assert meant("marché") == meant("grand") == set()
    assert PLACES.named("region", "Marche") == ("ITI3",)


def test_names_of_regions_have_no_other_forms() -> None:
    assert meant("thüringens") == set()


def test_names_of_countries_have_forms() -> None:
    names = Thesaurus([Name("country", "PL", "pl", "Polska"), Name("country", "DE", "de", "Deutschland")])
    assert names.expand(parse("Deutschlands")).expansions[0].values == ("DE",)


def test_each_of_two_choices_means_what_it_means() -> None:
    question = parse("housing OR Ireland", PLACES)
    assert {(each.facet, each.start, each.end) for each in question.expansions} >= {("country", 0, 1)}


def test_an_irish_word_is_known_whatever_stands_before_it() -> None:
    names = Thesaurus([Name("theme", "housing", "ga", "Tithíocht")])
    for typed in ("tithíocht", "thithíocht", "dtithíocht", "THITHIOCHT"):
        assert names.expand(parse(typed)).expansions[0].values == ("housing",), typed


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("rifugati", "rifugiati"),
        ("inclusione lavorattiva", "inclusione lavorativa"),
        ("Arbeitsmarktintegraton", "Arbeitsmarktintegration"),
    ],
)
def test_the_nearest_name_is_one_or_two_slips_away(typed: str, name: str) -> None:
    names = Thesaurus([Name("theme", "x", "it", "rifugiati"), Name("theme", "x", "it", "inclusione lavorativa"),
                       Name("theme", "x", "de", "Arbeitsmarktintegration")])  # fmt: skip
    assert names.nearest(typed.split()) == name


@pytest.mark.parametrize("typed", ["rifugiati", "rifu", "sauna", "something else", ""])
def test_a_name_itself_a_short_word_and_another_have_no_nearest(typed: str) -> None:
    names = Thesaurus([Name("theme", "x", "it", "rifugiati"), Name("region", "BA", "bs", "sana")])
    assert names.nearest(typed.split()) is None


def test_umlauts_may_be_typed_as_two_letters() -> None:
    assert meant("Thueringen") == {("region", "DEG")}
    assert meant("Aarhus") == {("region", "DK01")}
    assert PLACES.named("region", "thueringen") == ("DEG",)


def test_operators_know_names_in_any_language() -> None:
    assert PLACES.named("country", "GERMANIA") == ("DE",)
    assert PLACES.named("theme", "kunst und kultur") == ("arts",)
    assert PLACES.named("country", "Atlantis") == PLACES.named("nothing", "Ireland") == ()
