"""Which words of the texts met are kin to what is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kb.search.kin import _MOST_WORDS, Kin, kin
from kb.search.language import forms, words
from kb.search.marking import mark
from kb.search.parsing import parse


def test_words_are_found_by_their_folds_and_stems() -> None:
    met = Kin("en")
    met.meet(["Talents", "talent", "Línia", "work"])
    assert set(met.of([forms("talented", "en")[1][0]])) == {"Talents", "talent"}
    assert list(met.of(["linia"])) == ["Línia"] and list(met.of(["nobody"])) == []


def test_words_are_found_by_the_letter_they_begin_with() -> None:
    met = Kin("en")
    met.meet(["Arts", "énergie", "entry"])
    assert set(met.under(["e"])) == {"énergie", "entry"} and set(met.under([""])) == {"Arts", "énergie", "entry"}


def test_words_met_since_a_number_are_those_that_were_new() -> None:
    met = Kin("en")
    met.meet(["arts", "jobs"])
    before = len(met)
    met.meet(["jobs", "arts"])
    assert len(met) == before and not met.since(before)
    met.meet(["jobs", "housing"])
    assert list(met.since(before)) == ["housing"]


def test_a_word_met_after_a_question_was_asked_is_marked_too() -> None:
    question = parse("mentoring")
    assert mark("Nothing of the kind.", question, "en") == "Nothing of the kind."
    assert mark("A mentored pair, unmentorable.", question, "en").startswith("A <mark>mentored</mark> pair")
    question = parse("gleamin*")
    assert mark("Nothing of the kind.", question, "en") == "Nothing of the kind."
    assert mark("It is gleaming.", question, "en") == "It is <mark>gleaming</mark>."


def test_words_are_forgotten_before_they_are_too_many() -> None:
    language = "x-many"
    for number in range(0, 3 * _MOST_WORDS, 1000):
        kin(language).meet([f"w{n}" for n in range(number, number + 1000)])
        assert len(kin(language)._met) <= _MOST_WORDS
    assert mark("w1 w30000", parse("w1"), language) == "<mark>w1</mark> w30000"


def test_several_threads_meet_words_at_once() -> None:
    met = Kin("en")
    texts = [words(" ".join(f"word{n + m}" for m in range(50))) for n in range(200)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(met.meet, texts))
    assert all(list(met.of([f"word{n}"])) == [f"word{n}"] for n in range(249))
