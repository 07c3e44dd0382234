"""More documents than an engine may look at one by one: every page goes on where the one before ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kb.search.port import Query, SearchEngine
from tests.contract.asking import ask, doc, ids
from tests.contract.conftest import MAKERS

COUNT = 620
WORDS = ("rural", "arts", "mentor", "school", "county", "housing", "nurses")


@pytest.fixture(scope="module", params=list(MAKERS))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    """An engine with documents of which each holds some of the words. Only read it."""
    engine = MAKERS[request.param](tmp_path_factory.mktemp("many"))
    engine.rebuild(
        doc(
            f"{n:03}",
            f"Practice {n % 90}",
            summary=" ".join(word for place, word in enumerate(WORDS) if n >> place & 1),
            theme=(f"t{n % 3}",),
            updated=f"2026-01-{n % 28 + 1:02}",
        )
        for n in range(COUNT)
    )
    yield engine
    engine.close()


@pytest.mark.parametrize("text", ["practice", "practice arts", "rural arts mentor school county", "arts -rural", ""])
@pytest.mark.parametrize("theme", [(), ("t1", "t2")])
def test_pages_go_through_all_that_is_counted_once(engine: SearchEngine, text: str, theme: tuple[str, ...]) -> None:
    everything = engine.matching(ask(text, {"theme": theme}))
    pages = [
        engine.search(ask(text, {"theme": theme}, offset=start, limit=90, partial_limit=0, facets=False))
        for start in range(0, COUNT, 90)
    ]
    assert tuple(i for page in pages for i in ids(page)) == everything
    assert len(set(everything)) == len(everything) == pages[0].total


def test_what_holds_the_most_words_is_first(engine: SearchEngine) -> None:
    page = engine.search(ask("rural arts mentor school county housing nurses zebra", limit=4))
    assert page.partial
    assert set(ids(page)[:4]) == {f"{n:03}" for n in range(COUNT) if f"{n & 127:b}".count("1") == 7}


def test_the_title_asked_for_is_first_among_many(engine: SearchEngine) -> None:
    assert {int(i) % 90 for i in ids(engine.search(ask("Practice 17", limit=6)))} == {17}


def test_a_long_question_is_answered(engine: SearchEngine) -> None:
    words = " ".join(f'"practice {n}" OR year:{1990 + n}..2000' for n in range(40))
    assert engine.search(ask(words)).total == engine.search(Query(ask(words).question)).total
