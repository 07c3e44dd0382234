"""Words, their folds and stems, queries and marking."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.language import (
    LONGEST_WORD,
    STEMMERS,
    STOP_WORDS,
    analyse,
    asked_stems,
    compounds,
    fold,
    forms,
    spans,
    without_umlauts,
)


def words(text: str) -> list[str]:
    return [word.folded for word in analyse(text, "und")]


def kin(a: str, b: str, language: str) -> bool:
    return bool(set(forms(a, language)[1]) & set(asked_stems(b, language)))


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("Línia", "linia"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("smørrebrød", "smorrebrod"),
        ("Đorđe", "dorde"),
        ("Ærø", "aero"),
        ("œuvre", "oeuvre"),
        ("Þór", "thor"),
        ("ISPARTA", "isparta"),
        ("ısparta", "isparta"),
        ("İstanbul", "istanbul"),
        ("col·laboració", "collaboracio"),
        ("co\u0140laboració", "collaboracio"),
        ("Ελλάς", "ελλασ"),
        ("Йорданов", "иорданов"),
        ("inte\u00adgration", "integration"),
        ("cafe\u0301", "cafe"),
    ],
)
def test_fold_leaves_plain_letters(word: str, folded: str) -> None:
    assert fold(word) == folded


@given(st.text())
def test_fold_of_a_fold_is_itself(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters()))
def test_any_string_can_be_analysed_and_asked(text: str) -> None:
    for language in ("ca", "tr", "el", "und"):
        for word in analyse(text, language):
            assert 0 <= word.start < word.end <= len(text)
            assert len(word.folded) <= LONGEST_WORD


def test_apostrophes_and_hyphens_part_words() -> None:
    assert words("l'arribada d’un cross-border") == ["l", "arribada", "d", "un", "cross", "border"]


def test_a_long_catalan_l_is_one_word() -> None:
    assert words("col·laboració intel·ligent, a·b") == ["collaboracio", "intelligent", "a", "b"]


def test_digits_and_other_scripts_are_words() -> None:
    assert words("2021 Київ Ελλάδα العربية 日本") == ["2021", "киів", "ελλαδα", "العربية", "日本"]


def test_punctuation_emoji_and_lone_surrogates_are_no_words() -> None:
    assert words("… — \x00 \ud800 😀 _ !") == []


def test_a_word_is_cut_at_its_longest() -> None:
    assert words("x" * 10_000) == ["x" * LONGEST_WORD]


def test_spans_give_the_text_back() -> None:
    text = "L'any 2021, col·laboració"
    assert [text[start:end] for start, end in spans(text)] == ["L", "any", "2021", "col·laboració"]


@pytest.mark.parametrize(
    ("language", "written", "typed"),
    [
        ("ca", "línies", "linia"),
        ("cs", "cizinců", "cizinec"),
        ("da", "indvandrerne", "indvandrer"),
        ("de", "Fachkräfte", "Fachkraft"),
        ("de", "Fachkräfte", "Fachkraefte"),
        ("el", "πρόσφυγες", "προσφυγας"),
        ("en", "integrating", "integrated"),
        ("es", "inmigraciones", "inmigración"),
        ("et", "õpetajad", "opetaja"),
        ("eu", "etorkinak", "etorkin"),
        ("fi", "maahanmuuttajien", "maahanmuuttaja"),
        ("fr", "formations", "formation"),
        ("ga", "dteifeach", "teifeach"),
        ("hu", "iskolák", "iskola"),
        ("it", "lavoratori", "lavoratore"),
        ("lt", "pabėgėliai", "pabėgėlių"),
        ("nb", "kommunene", "kommune"),
        ("nl", "vluchtelingen", "vluchteling"),
        ("pl", "cudzoziemców", "cudzoziemcy"),
        ("pt", "trabalhadores", "trabalhador"),
        ("ro", "refugiaților", "refugiat"),
        ("sr", "избеглице", "izbeglica"),
        ("sv", "flyktingar", "flykting"),
        ("tr", "göçmenler", "gocmen"),
    ],
)
def test_forms_of_a_word_are_kin(language: str, written: str, typed: str) -> None:
    assert kin(written, typed, language)


@pytest.mark.parametrize(
    ("language", "longer", "shorter"),
    [
        ("sv", "marknaden", "marknad"),
        ("nb", "innvandrere", "innvandrer"),
        ("da", "virksomhederne", "virksomhed"),
        ("tr", "belediyeler", "belediye"),
        ("hu", "középületeinek", "középület"),
        ("et", "õigustelt", "õigus"),
    ],
)
def test_endings_that_follow_each_other_leave_kin_both_ways(language: str, longer: str, shorter: str) -> None:
    assert kin(longer, shorter, language) and kin(shorter, longer, language)


@pytest.mark.parametrize(("language", "one", "other"), [("de", "Sicherung", "sich"), ("en", "only", "on")])
def test_letters_that_are_no_ending_stay(language: str, one: str, other: str) -> None:
    assert not kin(one, other, language) and not kin(other, one, language)


@pytest.mark.parametrize(
    ("language", "typed", "plain"),
    [
        ("de", "thueringen", "thuringen"),
        ("sv", "spraakkafeer", "sprakkafeer"),
        ("da", "aabenraae", "abenrae"),
        ("nb", "opplaering", "opplaering"),
        ("en", "value", "value"),
    ],
)
def test_umlauts_typed_as_two_letters_become_one(language: str, typed: str, plain: str) -> None:
    assert without_umlauts(typed, language) == plain


def test_a_compound_is_joined_with_or_without_an_s() -> None:
    assert compounds("Integration", "Kurs") == ("IntegrationKurs", "IntegrationsKurs")


def test_every_stemmer_is_tried() -> None:
    assert all(forms("integration", language)[1] for language in STEMMERS)


def test_a_region_of_a_language_does_not_matter() -> None:
    assert list(analyse("trabalhadores", "pt-BR")) == list(analyse("trabalhadores", "pt"))
    assert list(analyse("innvandrerne", "nn")) == list(analyse("innvandrerne", "nb"))


def test_a_language_without_a_stemmer_is_only_folded() -> None:
    assert [(word.folded, word.stems) for word in analyse("Izbjeglička", "hr")] == [("izbjeglicka", ())]


def test_stemmers_do_not_disturb_each_other_in_threads() -> None:
    vocabulary = [f"integrat{'i' * (n % 7)}ng{n}s" for n in range(300)]
    expected = [forms.__wrapped__(word, "en") for word in vocabulary]
    seen: list[bool] = []

    def work() -> None:
        seen.append([forms.__wrapped__(word, "en") for word in vocabulary] == expected)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 4


@pytest.mark.parametrize("word", ["war", "care", "man", "como", "son", "hate", "plus", "arte", "casa"])
def test_words_with_a_meaning_elsewhere_are_no_stop_words(word: str) -> None:
    assert word not in STOP_WORDS
