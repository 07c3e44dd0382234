"""The lexicon of an index: which words it has, found by how they begin, and never one that only deleted texts hold."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.language import fold
from kb.search.port import Document
from kb.search.whoosh.lexicon import beginning_with, plain, skeleton
from kb.search.whoosh.snapshot import Snapshot
from kb.search.whoosh_engine import WhooshEngine
from tests.unit.search.segments import lexicon_of

letters = st.sampled_from("abcdeouyzαβγжзї中𐍈𐍉9")
words = st.text(letters, min_size=1, max_size=12)
counted = st.dictionaries(words, st.integers(1, 1 << 20), max_size=40)


def doc(slug: str, title: str) -> Document:
    return Document(slug, slug, title, "en", {"story": f"story of {slug}"})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([doc("a", "integration of newcomers"), doc("b", "Integration, integration"), doc("c", "Zürich")])
    engine.update([doc("d", "integrated integration"), doc("e", "integral")])
    engine.update([doc("f", "integrating Ökologie")])
    yield engine
    engine.close()


def beginnings(engine: WhooshEngine, prefix: str, limit: int = 10) -> list[str]:
    return beginning_with(engine._look(), prefix, limit)


def counts(snapshot: Snapshot) -> Counter[str]:
    found: Counter[str] = Counter()
    for lexicon in (segment.lexicon() for segment in snapshot.segments):
        for place in range(lexicon.size):
            found[lexicon.word(place)] += int(lexicon.documents[place])
    return found


@given(counted)
def test_what_was_written_is_read(documents: dict[str, int]) -> None:
    lexicon = lexicon_of(documents)
    read = [(lexicon.word(place), lexicon.documents[place]) for place in range(lexicon.size)]
    assert read == sorted(documents.items())


@given(counted, st.text(letters, max_size=3))
def test_a_prefix_finds_the_words_that_begin_with_it(documents: dict[str, int], prefix: str) -> None:
    lexicon = lexicon_of(documents)
    found = [lexicon.word(place) for place in lexicon.beginning_with(prefix)]
    assert found == sorted(word for word in documents if word.startswith(prefix))


@given(counted, words)
def test_words_of_one_skeleton_are_found(documents: dict[str, int], word: str) -> None:
    lexicon = lexicon_of(documents)
    found = [lexicon.word(place) for place in lexicon.sounding_like(word)]
    assert found == sorted(other for other in documents if skeleton(other) == skeleton(word))


def test_umlauts_written_apart_are_the_same_plain_word() -> None:
    for umlaut, apart in (
        ("Fachkräfte", "Fachkraefte"),
        ("Ærø", "Aeroe"),
        ("Zürich", "Zuerich"),
        ("Ålborg", "Aalborg"),
    ):
        assert plain(fold(umlaut)) == plain(fold(apart))
    assert plain("straße") == "straße"


def test_a_doubled_letter_is_no_part_of_the_skeleton() -> None:
    assert skeleton("accommodation") == skeleton("acomodation") == "acomodation"


def test_the_lexicon_has_every_word_with_its_documents(engine: WhooshEngine) -> None:
    snapshot = engine._look()
    found = counts(snapshot)
    assert found["integration"] == 3 and found["story"] == 6 and found["zurich"] == 1
    assert found == {word: len(snapshot.term("words", word).documents) for word in found}


def test_the_most_frequent_words_come_first(engine: WhooshEngine) -> None:
    assert beginnings(engine, "integr") == ["integration", "integral", "integrated", "integrating"]
    assert beginnings(engine, "integr", 2) == ["integration", "integral"]
    assert beginnings(engine, "okol") == ["okologie"]


def test_nothing_begins_with_an_unheard_prefix_or_none(engine: WhooshEngine) -> None:
    assert beginnings(engine, "xyz") == beginnings(engine, "integrationx") == beginnings(engine, "") == []
    assert beginnings(engine, "integr", 0) == []


def test_a_prefix_of_very_many_words_gets_the_most_frequent(engine: WhooshEngine) -> None:
    many = " ".join(f"xa{number}" for number in range(3000))
    engine.update([doc("many", many), doc("g", "xa2999 xa17"), doc("h", "xa2999")])
    assert beginnings(engine, "xa", 2) == ["xa2999", "xa17"]


def test_a_word_of_deleted_documents_is_offered_to_nobody(engine: WhooshEngine) -> None:
    engine.update([doc("a", "nothing")], gone=["e", "f"])
    assert counts(engine._look())["integral"], "the segment is as it was, or this shows nothing"
    assert beginnings(engine, "integr") == ["integration", "integrated"]
    assert beginnings(engine, "newc") == []


def test_merged_segments_have_the_words_that_are_left(engine: WhooshEngine) -> None:
    for number in range(12):
        engine.update([doc(f"{number}", f"number{number} numbers")], gone=[f"{number - 2}", "e"])
    snapshot = engine._look()
    assert len(snapshot.segments) < 8
    assert beginnings(engine, "number") == ["numbers", "number10", "number11"]
    assert beginnings(engine, "integral") == []


def test_an_index_without_words_has_an_empty_lexicon(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([])
    assert beginnings(engine, "a") == []
    engine.update([Document("a", "a", "?!", "en")])
    assert counts(engine._look()) == {} and beginnings(engine, "a") == []
    engine.close()


def test_a_lexicon_removed_by_a_rebuild_is_still_read(engine: WhooshEngine, tmp_path: Path) -> None:
    snapshot, other = engine._look(), WhooshEngine(tmp_path)
    other.rebuild([])
    assert beginning_with(snapshot, "integral", 10) == ["integral"]
    other.close()


def test_a_forked_process_reads_the_lexicon_for_itself(engine: WhooshEngine) -> None:
    snapshot = engine._look()
    child = os.fork()
    if not child:
        os._exit(0 if beginning_with(snapshot, "integral", 1) == ["integral"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert beginning_with(snapshot, "integral", 1) == ["integral"]
