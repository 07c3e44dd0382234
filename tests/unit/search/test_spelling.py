"""Spelling corrections: near words of the index, of texts that are there, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.language import fold
from kb.search.port import Document
from kb.search.whoosh.lexicon import plain, skeleton
from kb.search.whoosh.snapshot import Snapshot
from kb.search.whoosh.spelling import FIRST_LETTER, corrections, distances, edits_allowed
from kb.search.whoosh_engine import WhooshEngine
from tests.unit.search.segments import lexicon_of

LETTERS = "abeouxαβжз中𐍈"
letters = st.sampled_from(LETTERS)
few = st.text("abe", max_size=8)  # of few letters, so that many words are near each other
words = st.text(letters, min_size=4, max_size=14)


def doc(slug: str, title: str, language: str = "en") -> Document:
    return Document(slug, slug, title, language)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    engine = WhooshEngine(tmp_path)
    engine.rebuild(
        [
            doc("en", "Employment of entrepreneurs: integration, accommodation and housing since 1999"),
            doc("de", "Fachkräfte für die Straße in Zürich", "de"),
            doc("fo", "Fachkraft und Bäcker, geschrieben Baecker", "de"),
        ]
    )
    engine.update([doc("da", "Ålborg og Ærø", "da"), doc("it", "Lavoro", "it"), doc("el", "Εργασία", "el")])
    yield engine
    engine.close()


def meant(engine: WhooshEngine, typed: str) -> list[str]:
    return [correction.word for correction in corrections(engine._look(), fold(typed))]


def holding(documents: dict[str, int], *segments: dict[str, int]) -> Snapshot:
    """A snapshot of segments that hold these words in so many documents, all different ones."""
    parts = (documents, *segments)
    lexicons = [lexicon_of(part) for part in parts]

    def term(_: str, word: str) -> Any:
        return SimpleNamespace(documents=np.arange(sum(part.get(word, 0) for part in parts)))

    pretended = [SimpleNamespace(lexicon=lambda lexicon=lexicon: lexicon) for lexicon in lexicons]

    def terms(field: str, words: list[str]) -> list[Any]:
        return [term(field, word) for word in words]

    # Something is deleted, so that the words are looked up.
    return cast(Snapshot, SimpleNamespace(segments=pretended, term=term, terms=terms, count=1, size=2))


def plainly(word: str, other: str) -> int:
    """Optimal string alignment, as it is defined."""

    @cache
    def of(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (word[i - 1] != other[j - 1]))
        if i > 1 and j > 1 and word[i - 1] == other[j - 2] and word[i - 2] == other[j - 1]:
            best = min(best, of(i - 2, j - 2) + 1)
        return best

    return of(len(word), len(other))


def edited(word: str, data: st.DataObject) -> str:
    """The word with one edit."""
    place = data.draw(st.integers(0, len(word) - 1))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    new = data.draw(letters)
    swapped = before + after[:1] + letter + after[1:]
    return data.draw(st.sampled_from([before + after, before + new + after, before + new + letter + after, swapped]))


@given(st.one_of(few, words), st.lists(st.one_of(few, words), max_size=20), st.integers(1, 3))
def test_the_distance_is_that_of_the_definition(word: str, others: list[str], most: int) -> None:
    expected = [min(plainly(word, other), most + 1) for other in others]
    assert distances(word, others, most).tolist() == expected


@given(st.lists(st.one_of(words, st.text("abe", min_size=1, max_size=8)), min_size=1), words)
def test_all_words_in_reach_pass_the_sieve(held: list[str], typed: str) -> None:
    lexicon = lexicon_of(dict.fromkeys(held, 1))
    for edits in (1, 2, 3):
        passed = {lexicon.word(place) for place in lexicon.about(typed, edits).tolist()}
        assert {word for word in held if plainly(typed, word) <= edits} <= passed


@given(st.dictionaries(words, st.integers(0, 3), min_size=1, max_size=20), st.data())
def test_corrections_are_near_and_in_a_document(held: dict[str, int], data: st.DataObject) -> None:
    typed = edited(edited(data.draw(st.sampled_from(sorted(held))), data), data)
    for word, distance, documents in corrections(holding(held), typed):
        assert word != typed and documents == held[word] > 0
        if plain(word) == plain(typed):
            assert distance == 0
        elif skeleton(word) == skeleton(typed):
            assert distance == 0.5
        else:
            edits = min(plainly(typed, word), plainly(plain(typed), word))
            assert edits <= edits_allowed(typed)
            assert distance == edits + FIRST_LETTER * (word[0] != typed[0])


@given(st.sets(words, min_size=1, max_size=20), st.data())
def test_a_word_with_one_edit_is_found_again(held: set[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(sorted(held)))
    typed = edited(word, data)
    found = corrections(holding(dict.fromkeys(held, 1)), typed, limit=len(held))
    if typed != word and edits_allowed(typed):
        assert word in [correction.word for correction in found]
        assert [correction.distance for correction in found] == sorted(correction.distance for correction in found)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("emplyment", "employment"),
        ("entreprenuers", "entrepreneurs"),
        ("integracion", "integration"),
        ("Fachkraefte", "fachkrafte"),
        ("integrtaion", "integration"),
        ("hoysing", "housing"),
        ("Lavroo", "lavoro"),
        ("εργαζια", "εργασια"),
    ],
)
def test_what_was_meant_comes_first(engine: WhooshEngine, typed: str, word: str) -> None:
    assert meant(engine, typed)[0] == word


def test_umlauts_may_be_written_either_way(engine: WhooshEngine) -> None:
    assert corrections(engine._look(), "fachkraefte")[0] == ("fachkrafte", 0, 1)
    assert corrections(engine._look(), "aalborg")[0] == ("alborg", 0, 1)
    assert meant(engine, "Zuerich") == ["zurich"]
    assert meant(engine, "Aeroe") == ["aero"]
    assert corrections(holding({"baecker": 1}), fold("Bäcker")) == [("baecker", 0, 1)]


def test_a_slip_beside_an_umlaut_is_forgiven(engine: WhooshEngine) -> None:
    assert corrections(engine._look(), "fachkraeffe")[0] == ("fachkrafte", 1.0, 1)
    assert corrections(engine._look(), "fachgraefte")[0] == ("fachkrafte", 1.0, 1)


def test_doubled_letters_are_half_a_slip(engine: WhooshEngine) -> None:
    for typed in ("accomodation", "acomodation", "accommodattion", "aaccomodation"):
        assert corrections(engine._look(), typed) == [("accommodation", 0.5, 1)]


def test_another_first_letter_counts_a_bit_more() -> None:
    found = corrections(holding({"mousing": 9, "housinx": 1}), "housing")
    assert found == [("housinx", 1.0, 1), ("mousing", 1.25, 9)]


def test_nearer_words_come_before_more_frequent_ones_and_those_before_others() -> None:
    found = corrections(holding({"migrant": 2, "migrants": 1, "migrate": 900}, {"migrant": 3}), "migrantt")
    assert found == [("migrant", 0.5, 5), ("migrants", 1.0, 1), ("migrate", 2.0, 900)]


def test_no_more_than_asked_for_are_given() -> None:
    many = {f"migran{letter}s": number for number, letter in enumerate("abcdefghijklmnop", 1)}
    assert [c.word for c in corrections(holding(many), "migrants", 3)] == ["migranps", "migranos", "migranns"]
    assert corrections(holding(many), "migrants", 0) == []


def test_a_word_that_is_there_is_no_correction_of_itself(engine: WhooshEngine) -> None:
    assert meant(engine, "employment") == []


@pytest.mark.parametrize(("letters", "edits"), [(3, 0), (4, 1), (5, 1), (6, 2), (11, 2), (12, 3), (64, 3), (65, 0)])
def test_longer_words_may_have_more_slips(letters: int, edits: int) -> None:
    assert edits_allowed("x" * letters) == edits


@pytest.mark.parametrize(
    "typed", ["", "hou", "1998", "housing1", "employment2020", "xxxxxxxx", "a" * 64, "中" * 64, "a" * 5000]
)
def test_some_words_have_no_correction(engine: WhooshEngine, typed: str) -> None:
    assert meant(engine, typed) == []


def test_an_empty_index_corrects_nothing(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([])
    assert meant(engine, "emplyment") == []
    engine.close()


def test_a_word_of_deleted_documents_is_never_offered(engine: WhooshEngine) -> None:
    engine.update([doc("new", "emplyments"), doc("other", "employments")])
    assert meant(engine, "emplyment") == ["employment", "emplyments", "employments"]
    engine.update([], gone=["new", "en"])
    assert any(segment.lexicon().sounding_like("emplyments") for segment in engine._look().segments)
    assert meant(engine, "emplyment") == ["employments"]


def test_many_deleted_words_hide_none_that_is_there() -> None:
    held = {f"m{first}{second}ration": 0 for first in "abcdefghijk" for second in "abcdefghijk"}
    assert corrections(holding(held | {"mixration": 1}), "migration") == [("mixration", 1.0, 1)]


def test_words_beside_the_others_of_the_question_come_first(engine: WhooshEngine) -> None:
    engine.update([doc("es1", "formación profesional", "es"), doc("en1", "formation"), doc("en2", "formation")])
    snapshot = engine._look()
    assert [c.word for c in corrections(snapshot, "formasion")] == ["formation", "formacion"]
    beside = np.zeros(snapshot.size, np.bool_)
    beside[snapshot.term("words", "profesional").documents] = True
    assert [c.word for c in corrections(snapshot, "formasion", beside=beside)] == ["formacion", "formation"]
    assert corrections(snapshot, "formasion", beside=np.zeros_like(beside))[0].word == "formation"
    assert corrections(snapshot, "formatiom", beside=beside)[0].word == "formation"  # distance goes first
