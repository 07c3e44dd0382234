"""Questions of every kind, sensible ones and others: each gets an answer. `make fuzz` asks many more, by the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest

from bench.probing import SEARCH, Malformed, Prober, unmarked
from bench.questions import KINDS, LONG, Questions
from kb.search.port import Page, Query
from kb.services import catalogue, vocabularies
from kb.web.results import MOST_WAYS_OUT
from tests.conftest import Site

SEED = 3
NUMBERS = range(300)
BATCHES = [NUMBERS[start : start + 50] for start in NUMBERS[::50]]


@pytest.fixture(scope="module")
def prober(reading_site: Site) -> Iterator[Prober]:
    """Asks the site with the seed."""
    prober = Prober(reading_site.app)
    yield prober
    prober.close()


@pytest.fixture(scope="module")
def questions(reading_site: Site) -> Questions:
    """Questions with words of the seed."""
    with reading_site.database.read() as session:
        texts = [f"{record['title']} {record['summary']}" for record in catalogue.every(session, "")]
        vocabulary = vocabularies.load(session)
    return Questions(SEED, texts, vocabulary)


@pytest.mark.parametrize("numbers", BATCHES, ids=str)
def test_every_question_gets_an_answer(prober: Prober, questions: Questions, numbers: range) -> None:
    ways = (SEARCH, *prober.pages)
    probes = [probe for number in numbers
              for probe in prober.probe(questions.ask(number), (ways[number // KINDS % len(ways)],))]  # fmt: skip
    assert [probe for probe in probes if probe.fault] == []
    assert len(probes) == len(numbers)


def test_the_questions_are_of_every_kind_and_can_be_repeated(questions: Questions) -> None:
    asked = [questions.ask(number) for number in NUMBERS]
    assert len({ask.kind for ask in asked}) == KINDS
    assert asked[17] == questions.ask(17) != questions.ask(17 + KINDS)
    assert max(len(word) for ask in asked for word in ask.text.split()) >= LONG
    assert any(0xD800 <= ord(character) <= 0xDFFF for ask in asked for character in ask.text)
    assert any("\x00" in ask.text for ask in asked)
    assert any(name == "page" for ask in asked for name, _ in ask.params)


def test_a_page_without_results_asks_only_so_many_ways_out(reading_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Query] = []
    engine = reading_site.parts.engine

    def noted(query: Query, search: Callable[[Query], Page] = engine.search) -> Page:
        asked.append(query)
        return search(query)

    with reading_site.database.read() as session:
        codes = list(vocabularies.load(session).regions)[:90]
    monkeypatch.setattr(engine, "search", noted)
    params = [("q", "zzzz"), *(("region", code) for code in codes)]
    assert reading_site.client().get("/practices", query_string=urlencode(params)).status_code == 200
    assert len(asked) <= MOST_WAYS_OUT + 4


@pytest.mark.parametrize("html", ["<mark>a", "a</mark>", "<mark><mark>a</mark></mark>", "<b>", "a & b", 'a "b"'])
def test_what_is_not_escaped_or_not_closed_is_noticed(html: str) -> None:
    with pytest.raises(Malformed):
        unmarked(html)
    assert unmarked("a &amp; <mark>b</mark> &lt;b&gt;") == "a & b <b>"
