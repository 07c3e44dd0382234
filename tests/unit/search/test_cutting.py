"""A text cut into its words once, whole and in its parts."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from kb.search.cutting import Cut, beginning_with
from kb.search.language import STEMMERS, first_letters, fold, forms, spans, words
from kb.search.marking import answers, mark
from kb.search.parsing import parse

letters = st.sampled_from(
    ["a", "b", "ab", "l·l", "é", "e\u0301", " ", " ", "-", ". ", "’", "\n", "<", "_", "ß", "\u00ad"]
)
texts = st.lists(letters, max_size=30).map("".join)
questions = st.sampled_from(["a", "ab ba", '"a b"', "a*", "a b", "-a", "é", "", "b OR é", '"b a b"'])


@given(texts | st.text() | st.text(st.characters(categories=("Cs", "Ll", "Mn", "Zs", "So", "Lo"))))
def test_words_begin_and_end_where_they_do_in_a_text(text: str) -> None:
    cut = Cut(text)
    assert list(zip(cut.starts.tolist(), cut.ends.tolist(), strict=True)) == list(spans(text))
    assert [cut.word(number) for number in range(len(cut.starts))] == words(text)


@given(texts | st.text())
def test_a_run_goes_from_white_space_to_white_space(text: str) -> None:
    cut = Cut(text)
    runs = [match.span() for match in re.finditer(r"\S+", text)]
    held = [next((start, end) for start, end in runs if start <= first < end) for first in cut.starts.tolist()]
    assert list(zip(*(each.tolist() for each in cut.runs), strict=True)) == held


@given(texts | st.text(), st.sampled_from(["a", "e", "s", "aé", ""]))
def test_words_by_their_first_letter_are_at_least_those_whose_folds_begin_so(text: str, letters: str) -> None:
    numbers, found = Cut(text).words(beginning_with(letters or ("",)))
    written = words(text)
    assert [written[number] for number in numbers] == found
    wanted = [number for number, word in enumerate(written) if not letters or fold(word)[:1] in tuple(letters)]
    assert set(wanted) <= set(numbers)


@given(
    st.sampled_from([*STEMMERS, "und"]),
    st.text("abcdefghijklmnoprstuvwyzäöüßéğışłжиу", min_size=1, max_size=12)
    | st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12),
)
@example("ga", "bhfear")
@example("nl", "geschreven")
@example("sr", "услуги")
@example("tr", "dimi")
def test_a_word_begins_as_its_stems_do_where_that_is_said(language: str, word: str) -> None:
    """Words of other letters are not looked at."""
    folded, stems = forms(word, language)
    for form in stems:
        begins = first_letters([form[:1]], language)
        assert folded[:1] in begins or "" in begins


@given(st.lists(texts, max_size=5), questions)
def test_a_part_answers_as_it_does_alone(parts: list[str], question: str) -> None:
    whole, asked = Cut.together(parts), parse(question)
    assert whole == "\n".join(parts)
    for number, text in enumerate(parts):
        part = whole.part(number)
        assert part == text and [part.word(n) for n in range(len(part.starts))] == words(text)
        assert answers(part, asked, "en") == answers(text, asked, "en")
        assert mark(part, asked, "en") == mark(text, asked, "en")


def test_a_phrase_over_two_parts_is_in_neither() -> None:
    whole, asked = Cut.together(["a case", "worker of it"]), parse('"case worker"')
    assert mark(whole, asked, "en") == "a <mark>case</mark>\n<mark>worker</mark> of it"
    assert not answers(whole.part(0), asked, "en") and not answers(whole.part(1), asked, "en")


@given(texts.map(lambda text: text * 9), st.integers(12, 60))
def test_the_beginning_is_shown_as_of_the_whole_text(text: str, size: int) -> None:
    """A question without a word looks no further than the beginning."""
    shown = mark(text, parse(""), "en", characters=size)
    assert shown == mark(text, parse("nowhere"), "en", characters=size)


def test_a_cut_text_is_asked_for_one_question_after_the_other() -> None:
    text = Cut("Arts in a county")
    assert [mark(text, parse(each), "en") for each in ("arts", "county", "arts")] == [
        "<mark>Arts</mark> in a county", "Arts in a <mark>county</mark>", "<mark>Arts</mark> in a county",
    ]  # fmt: skip
