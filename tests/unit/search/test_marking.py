"""The words that answer a question, marked; and the best passage."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.language import spans
from kb.search.marking import answers, mark
from kb.search.parsing import parse


def marked(text: str, question: str, language: str, characters: int | None = None) -> str:
    return mark(text, parse(question), language, characters=characters)


def test_every_form_is_marked_and_the_text_escaped() -> None:
    text = "<b>Talents</b> & talented talent"
    expected = "&lt;b&gt;<mark>Talents</mark>&lt;/b&gt; &amp; <mark>talented</mark> <mark>talent</mark>"
    assert marked(text, "talent", "en") == expected


def test_accents_do_not_matter() -> None:
    assert marked("Línia", "linia", "ca") == "<mark>Línia</mark>"
    assert marked("linia", "línia", "und") == "<mark>linia</mark>"


def test_stop_words_are_left_alone() -> None:
    assert marked("the arts", "the arts", "en") == "the <mark>arts</mark>"


def test_a_phrase_is_taken_at_its_word() -> None:
    assert marked("talents talent", '"talents"', "en") == "<mark>talents</mark> talent"


def test_a_phrase_is_marked_where_all_of_it_stands() -> None:
    text = "case of a case worker"
    assert marked(text, '"case worker"', "en") == "case of a <mark>case</mark> <mark>worker</mark>"


def test_a_beginning_marks_what_begins_so() -> None:
    assert marked("Integration disintegrates", "integr*", "en") == "<mark>Integration</mark> disintegrates"


@pytest.mark.parametrize(
    "question", ["Arbeitsmarktintegration", "Arbeitsmarkt Integration", "arbeitsmarkt-integration"]
)
@pytest.mark.parametrize("text", ["Arbeitsmarktintegration", "Arbeitsmarkt-Integration"])
def test_a_compound_is_marked_joined_and_apart(text: str, question: str) -> None:
    words = re.findall(r"<mark>(\w+)</mark>", marked(text, question, "de"))
    assert words == re.findall(r"\w+", text)


def test_what_is_left_out_or_a_filter_is_not_marked() -> None:
    assert marked("arts in a county in 2018", "arts -county year:2018", "en") == "<mark>arts</mark> in a county in 2018"


def test_the_passage_has_most_of_what_was_asked() -> None:
    text = "An arts centre. " + "Nothing here. " * 20 + "Rural arts in a county. " + "Nothing here. " * 20
    assert marked(text, "county arts", "en", 32) == "…\u00a0Rural <mark>arts</mark> in a <mark>county</mark>.\u00a0…"


def test_the_passage_begins_with_a_sentence_if_it_can() -> None:
    text = "One two three four. Five talent six seven eight nine ten."
    assert marked(text, "talent", "en", 26) == "…\u00a0Five <mark>talent</mark> six seven\u00a0…"


def test_the_passage_is_one_of_the_first_part_where_no_other_has_more_of_what_was_asked() -> None:
    text = "Some say that talent stays here. " + "Nothing here. " * 9 + "Talent is talent. " + "Nothing here. " * 9
    assert "is <mark>talent</mark>" in marked(text, "talent", "en", 40)
    passage = mark(text, parse("talent"), "en", characters=40, first=33)
    assert passage.startswith("Some say that <mark>talent</mark>")
    text = text.replace("Talent is talent", "Talent and nurses")
    passage = mark(text, parse("talent nurses"), "en", characters=40, first=33)
    assert "<mark>nurses</mark>" in passage


def test_the_passage_of_a_short_text_is_all_of_it() -> None:
    assert marked("  Short text. ", "text", "en", 40) == "  Short <mark>text</mark>. "


def test_the_passage_without_a_find_is_the_beginning() -> None:
    assert marked("One two three four.", "absent", "en", 12) == "One two\u00a0…"


def test_the_passage_keeps_brackets_and_elisions() -> None:
    assert marked("aa bb (l'arribada) cc dd", "arribada", "ca", 18) == "…\u00a0(l&#x27;<mark>arribada</mark>)\u00a0…"


texts = st.text(alphabet="ab <&\n.-é").map(lambda text: text * 3) | st.text()


@given(texts, st.sampled_from(["a", "ab ba", '"a b"', "a*", "-a", "é", ""]), st.integers(12, 60))
def test_a_passage_is_short_and_holds_whole_words_of_the_text(text: str, question: str, size: int) -> None:
    html = marked(text, question, "en", size)
    shown = unescape(re.sub(r"</?mark>", "", html))
    assert len(shown) <= max(size, len(text) if len(text) <= size else 0)
    if len(text) <= size:
        assert shown == text
        return
    body = shown.removeprefix("…\u00a0").removesuffix("\u00a0…")
    assert body in text
    ends = {end for _, end in spans(text)}
    starts = {start for start, _ in spans(text)}
    longest = max((len(run) for run in text.split()), default=0)
    if longest <= size - 4 and body:
        places = [match.start() for match in re.finditer(f"(?={re.escape(body)})", text)]
        words = list(spans(body))
        assert any(all(place + start in starts and place + end in ends for start, end in words) for place in places)


@given(st.text(), st.text())
def test_marking_loses_nothing(text: str, question: str) -> None:
    assert unescape(re.sub(r"</?mark>", "", marked(text, question, "de"))) == unescape(unescape(text)) or (
        "&" in text or "<mark>" in text or "</mark>" in text
    )


@given(st.text(max_size=80), st.text(max_size=20), st.sampled_from(["en", "de", "ca", "und"]))
def test_a_text_answers_where_anything_in_it_is_marked(text: str, question: str, language: str) -> None:
    asked = parse(question)
    assert answers(text, asked, language) == ("<mark>" in mark(text, asked, language))


@pytest.mark.parametrize("question", ["sprach kurs", '"sprach kurs"', "spra*", "kurse"])
def test_a_text_answers_compounds_phrases_beginnings_and_forms(question: str) -> None:
    assert answers("Ein Sprach-Kurs, drei Kurse", parse(question), "de")
    assert not answers("Ein Heim", parse(question), "de")
