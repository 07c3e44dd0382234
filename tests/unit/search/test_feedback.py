"""What is learned from the best documents found, what is not, and what of a document is kept for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.search.port import Document
from kb.search.whoosh.vectors import MOST_STEMS
from kb.search.whoosh_engine import WhooshEngine
from tests.contract.asking import ask
from tests.unit.search.segments import stems_of

SAME = "Nurses learn the language with {} and {} at work in the {} week."
OFTEN = ("hospitals", "mentors"), ("mentors", "hospitals")


def story(slug: str, text: str, language: str = "en") -> Document:
    return Document(slug, slug, "Practice", language, {"story": text})


def practices() -> Iterator[Document]:
    """Four that answer in full, two in part and equally well; what is like the four is like `near`. And others."""
    for number, (first, second) in enumerate(OFTEN * 2):
        yield story(f"full-{number}", SAME.format(first, second, "first"))
    yield story("a-far", "Nurses swim and cook with gardens and theatres at home on the last evening.")
    yield story("b-near", "Nurses swim and cook with hospitals and mentors at home on the last evening.")
    for number in range(40):
        yield story(f"other-{number:02}", f"Gardens and theatres of village {number}, where people swim and cook.")
    for number in range(5):
        yield story(f"place-{number}", f"Of hospitals and mentors nobody spoke in village {number}.")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    engine = WhooshEngine(tmp_path)
    engine.rebuild(practices())
    yield engine
    engine.close()


def order(engine: WhooshEngine, text: str) -> list[str]:
    return [hit.id for hit in engine.search(ask(text)).hits]


def test_what_is_like_the_best_goes_before_what_is_not(engine: WhooshEngine) -> None:
    found = order(engine, "nurses language")
    assert [slug[:4] for slug in found[:4]] == ["full"] * 4
    assert found[4:] == ["b-near", "a-far"]


def test_nothing_is_found_that_has_none_of_the_words(engine: WhooshEngine) -> None:
    assert not [slug for slug in order(engine, "nurses language") if slug.startswith("place")]


def test_nothing_is_learned_from_a_single_word(engine: WhooshEngine) -> None:
    by_id = {hit.id: hit.score for hit in engine.search(ask("nurses")).hits}
    assert by_id["a-far"] == by_id["b-near"]


def test_a_deleted_document_teaches_nothing(engine: WhooshEngine, tmp_path: Path) -> None:
    gone = [f"full-{number}" for number in range(4)]
    engine.update([story(slug, SAME.format("gardens", "theatres", "first")) for slug in gone])
    changed = {hit.id: hit.score for hit in engine.search(ask("nurses language")).hits}
    other = WhooshEngine(tmp_path / "anew")
    kept = [each for each in practices() if each.id not in gone]
    other.rebuild([*kept, *(story(slug, SAME.format("gardens", "theatres", "first")) for slug in gone)])
    assert changed == {hit.id: hit.score for hit in other.search(ask("nurses language")).hits}


def test_segments_change_no_score(engine: WhooshEngine, tmp_path: Path) -> None:
    whole = [(hit.id, hit.score) for hit in engine.search(ask("nurses language work")).hits]
    other = WhooshEngine(tmp_path / "in-parts")
    other.rebuild([])
    for each in practices():
        other.update([each])
    assert [(hit.id, hit.score) for hit in other.search(ask("nurses language work")).hits] == whole


@pytest.mark.parametrize("count", [0, 1, MOST_STEMS, MOST_STEMS + 40])
def test_the_most_frequent_stems_are_kept_and_of_those_the_first(tmp_path: Path, count: int) -> None:
    often = [1 + number % 3 for number in range(count)]
    words = [f"xq{number}xq " * times for number, times in enumerate(often)]
    engine = WhooshEngine(tmp_path)
    engine.rebuild([Document("a", "a", "2019", "en", {"story": " ".join(words)})])
    kept = sorted(range(count), key=lambda number: (-often[number], number))[:MOST_STEMS]
    assert stems_of(engine._look(), 0) == {f"en:xq{number}xq": [0, 0, often[number], 0, 0] for number in kept}
    engine.close()


def test_numbers_letters_and_stop_words_are_not_kept(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild([story("id", "The 12 nurses of the B wing and the nurses of 2019")])
    assert sorted(stems_of(engine._look(), 0)) == ["en:nurs", "en:practic", "en:wing"]
    engine.close()


def test_a_language_without_a_stemmer_has_none(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.rebuild(story(f"{number}", "učenje jezika na radnom mjestu", "hr") for number in range(3))
    assert len(order(engine, "učenje jezika")) == 3
