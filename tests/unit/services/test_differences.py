"""Differences: nothing is lost in them, and they say what a reader would say."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kb.services.differences import EntryDifference, Piece, changed, fields, words
from kb.services.record import empty

texts = st.text(alphabet="ab .,\n\té", max_size=60) | st.text(max_size=60)


def before_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != "added")


def after_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != "removed")


def show(before: str, after: str) -> str:
    marks = {"same": "{}", "removed": "[-{}-]", "added": "[+{}+]"}
    return "".join(marks[piece.kind].format(piece.text) for piece in words(before, after))


@given(texts, texts)
def test_the_pieces_give_both_texts_back(before: str, after: str) -> None:
    pieces = words(before, after)
    assert before_of(pieces) == before
    assert after_of(pieces) == after


@given(texts, texts)
def test_no_two_neighbours_are_of_one_kind_and_a_removal_comes_before_its_addition(before: str, after: str) -> None:
    neighbours = list(pairwise(piece.kind for piece in words(before, after)))
    assert all(first != second for first, second in neighbours)
    assert ("added", "removed") not in neighbours


@given(texts)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert all(piece.kind == "same" for piece in words(text, text))


def test_a_word_that_was_added_is_shown_alone() -> None:
    assert show("An officer for the county", "An arts officer for the county") == "An [+arts +]officer for the county"


def test_a_word_that_was_replaced_is_removed_then_added() -> None:
    assert show("it ran for two years.", "it ran for three years.") == "it ran for [-two-][+three+] years."


def test_small_words_between_rewritten_ones_are_no_noise() -> None:
    shown = show("Everybody learnt the language somewhere", "Participants received the training elsewhere")
    assert shown == "[-Everybody learnt the language somewhere-][+Participants received the training elsewhere+]"


def test_a_paragraph_that_was_added_leaves_the_others_alone() -> None:
    assert show("First.\n\nLast.", "First.\n\nMiddle.\n\nLast.") == "First.\n\n[+Middle.\n\n+]Last."


def test_two_long_texts_without_a_word_in_common_are_told_apart() -> None:
    before, after = "!?" * 10_000, ".;" * 10_000
    assert words(before, after) == [Piece("removed", before), Piece("added", after)]


def test_two_texts_of_more_words_than_are_compared_are_whole_before_and_whole_after() -> None:
    before, after = "a!" * 2_001 + "b", "c!" * 2_001 + "d"
    assert words(before, after) == [Piece("removed", before), Piece("added", after)]


def test_a_word_that_was_replaced_in_a_text_of_very_many_is_shown_alone() -> None:
    many = "a!" * 5_000
    assert show(f"{many} two {many}", f"{many} three {many}") == f"{many} [-two-][+three+] {many}"


def test_two_long_texts_of_few_words_keep_both() -> None:
    before, after = "a!b?c;" * 3_333, "b?a;c!" * 3_333
    pieces = words(before, after)
    assert (before_of(pieces), after_of(pieces)) == (before, after)


def test_a_documents_fields_come_in_the_order_of_the_record() -> None:
    after = {**empty(), "results": "New", "title": "Name", "themes": ["housing"]}
    assert [each.key for each in fields(empty(), after)] == ["title", "results", "themes"]


def test_without_a_document_before_all_filled_fields_are_new() -> None:
    (found,) = fields(None, {**empty(), "title": "Name"})
    assert found.pieces == (Piece("added", "Name"),)


def test_what_is_blank_in_both_is_no_difference() -> None:
    assert fields({}, empty()) == []


def test_a_text_is_compared_by_its_words() -> None:
    (found,) = fields({**empty(), "summary": "one two"}, {**empty(), "summary": "one three"})
    assert found.pieces == (Piece("same", "one "), Piece("removed", "two"), Piece("added", "three"))


def test_a_value_is_compared_as_a_whole() -> None:
    (found,) = fields({**empty(), "status": "pilot"}, {**empty(), "status": "running"})
    assert found.entries == (EntryDifference("removed", "pilot", None), EntryDifference("added", None, "running"))


def test_zero_is_not_nothing() -> None:
    (found,) = fields(empty(), {**empty(), "beneficiaries": 0})
    assert found.entries == (EntryDifference("added", None, 0),)


def test_entries_of_a_list_stay_go_and_come() -> None:
    first, second, third = ({"title": name, "url": f"https://example.org/{name}"} for name in ("a", "b", "c"))
    (found,) = fields({**empty(), "links": [first, second]}, {**empty(), "links": [second, third]})
    assert [(each.kind, each.before, each.after) for each in found.entries] == [
        ("removed", first, None),
        ("same", second, second),
        ("added", None, third),
    ]


def test_an_entry_that_says_something_else_of_the_same_thing_has_changed() -> None:
    before = {"name": "Contracts", "value": "86", "unit": None}
    after = {"name": "Contracts", "value": "90", "unit": None}
    (found,) = fields({**empty(), "indicators": [before]}, {**empty(), "indicators": [after]})
    assert found.entries == (EntryDifference("changed", before, after),)


def test_a_field_with_one_value_of_several_parts_has_changed() -> None:
    before, after = {"code": "ITH5", "name": "Emilia-Romagna"}, {"code": "ITH3", "name": "Veneto"}
    (found,) = fields({**empty(), "region": before}, {**empty(), "region": after})
    assert found.entries == (EntryDifference("changed", before, after),)


@given(st.lists(st.sampled_from("abcd"), max_size=6), st.lists(st.sampled_from("abcd"), max_size=6))
def test_the_entries_give_both_lists_back(before: list[str], after: list[str]) -> None:
    found = fields({**empty(), "themes": before}, {**empty(), "themes": after})
    for each in found:
        assert [entry.before for entry in each.entries if entry.kind != "added"] == before
        assert [entry.after for entry in each.entries if entry.kind != "removed"] == after
    assert bool(found) == (before != after)


def test_a_number_as_it_was_typed_is_the_number() -> None:
    typed = {"beneficiaries": "380", "indicators": [{"name": "Pairs", "value": "86"}]}
    checked = {"beneficiaries": 380, "indicators": [{"name": "Pairs", "value": 86.0}]}
    assert changed(typed, checked) == []
    assert changed({**typed, "beneficiaries": "381"}, checked) == ["beneficiaries"]
