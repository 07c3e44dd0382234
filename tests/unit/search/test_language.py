"""Words, their folds and stems, queries and marking."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.language import LONGEST_WORD, STEMMERS, STOP_WORDS, analyse, asked_stems, fold, forms, spans
from kb.search.marking import mark
from kb.search.parsing import MOST_WORDS, Clause, parse


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
    assert sum(len(clause.words) for clause in parse(text)) <= MOST_WORDS
    assert "<" not in mark(text, text, "en").replace("<mark>", "").replace("</mark>", "")


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


def test_stop_words_are_left_out_of_a_query() -> None:
    assert parse("the arts in a county") == (Clause(("arts",)), Clause(("county",)))
    assert parse("l'arribada") == (Clause(("arribada",)),)


def test_a_query_of_stop_words_alone_keeps_them() -> None:
    assert parse("the who") == (Clause(("the",)), Clause(("who",)))


@pytest.mark.parametrize("word", ["war", "care", "man", "como", "son", "hate", "plus", "arte", "casa"])
def test_words_with_a_meaning_elsewhere_are_no_stop_words(word: str) -> None:
    assert word not in STOP_WORDS


def test_quotes_make_a_phrase_of_its_very_words() -> None:
    assert parse('a "welcome to the desk" now') == (
        Clause(("welcome", "to", "the", "desk"), exact=True),
        Clause(("now",)),
    )
    assert parse("„ein Büro“") == (Clause(("ein", "Büro"), exact=True),)


@pytest.mark.parametrize(
    "text", ['"welcome desk', 'welcome "desk', "+welcome -desk", "welcome:desk*", "(welcome) && [desk"]
)
def test_what_is_no_phrase_is_read_as_words(text: str) -> None:
    assert [clause.folds for clause in parse(text)] == [("welcome",), ("desk",)]


def test_a_word_typed_twice_is_one_word() -> None:
    assert parse("Talent talent TALÈNT") == (Clause(("Talent",)),)


def test_a_query_is_cut_at_its_most_words() -> None:
    assert len(parse(" ".join(f"w{n}" for n in range(10_000)))) == MOST_WORDS


def test_mark_escapes_and_marks_every_form() -> None:
    text = "<b>Talents</b> & talented talent"
    expected = "&lt;b&gt;<mark>Talents</mark>&lt;/b&gt; &amp; <mark>talented</mark> <mark>talent</mark>"
    assert mark(text, "talent", "en") == expected


def test_mark_finds_accents_without_and_the_other_way_round() -> None:
    assert mark("Línia", "linia", "ca") == "<mark>Línia</mark>"
    assert mark("linia", "línia", "und") == "<mark>linia</mark>"


def test_mark_leaves_stop_words_alone() -> None:
    assert mark("the arts", "the arts", "en") == "the <mark>arts</mark>"


def test_mark_takes_a_phrase_at_its_word() -> None:
    assert mark("talents talent", '"talents"', "en") == "<mark>talents</mark> talent"


def test_the_passage_has_most_words_of_the_query() -> None:
    text = "An arts centre. " + "Nothing here. " * 20 + "Rural arts in a county. " + "Nothing here. " * 20
    assert mark(text, "county arts", "en", words=5) == "… Rural <mark>arts</mark> in a <mark>county</mark>. …"


def test_the_passage_begins_with_a_sentence_if_it_can() -> None:
    text = "One two three four. Five talent six seven eight nine ten."
    assert mark(text, "talent", "en", words=4) == "… Five <mark>talent</mark> six seven …"


def test_the_passage_of_a_short_text_is_all_of_it() -> None:
    assert mark("  Short text. ", "text", "en", words=10) == "  Short <mark>text</mark>. "


def test_the_passage_without_a_find_is_the_beginning() -> None:
    assert mark("One two three four.", "absent", "en", words=2) == "One two …"


def test_the_passage_cuts_no_word() -> None:
    assert mark("aa bb (l'arribada) cc dd", "arribada", "ca", words=1) == "… (l&#x27;<mark>arribada</mark>) …"
