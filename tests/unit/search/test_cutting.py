"""A text cut into its words once, whole and in its parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.search.cutting import Cut
from kb.search.language import spans, words
from kb.search.marking import answers, mark
from kb.search.parsing import parse

letters = st.sampled_from(
    ["a", "b", "ab", "l·l", "é", "e\u0301", " ", " ", "-", ". ", "’", "\n", "<", "_", "ß", "\u00ad"]
)
texts = st.lists(letters, max_size=30).map("".join)
questions = st.sampled_from(["a", "ab ba", '"a b"', "a*", "a b", "-a", "é", "", "b OR é", '"b a b"'])


@given(texts | st.text())
def test_pieces_are_cut_where_words_begin_and_end(text: str) -> None:
    cut = Cut(text)
    assert "".join(cut.pieces) == text and cut.words == words(text)
    ends = cut.ends.tolist()
    assert list(zip(ends[:-1:2], ends[1::2], strict=True)) == list(spans(text))


@given(st.lists(texts, max_size=5), questions)
def test_a_part_answers_as_it_does_alone(parts: list[str], question: str) -> None:
    whole, asked = Cut.together(parts), parse(question)
    assert whole == "\n".join(parts)
    for number, text in enumerate(parts):
        part = whole.part(number)
        assert part == text and part.words == words(text)
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
