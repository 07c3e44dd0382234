"""Questions of every kind, sensible ones and others: each gets an answer. `make fuzz` asks many more, by the clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.probing import SEARCH, Malformed, Prober, unmarked
from bench.questions import KINDS, LONG, Questions
from kb.services import catalogue
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
    return Questions(SEED, texts)


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


@pytest.mark.parametrize("html", ["<mark>a", "a</mark>", "<mark><mark>a</mark></mark>", "<b>", "a & b", 'a "b"'])
def test_what_is_not_escaped_or_not_closed_is_noticed(html: str) -> None:
    with pytest.raises(Malformed):
        unmarked(html)
    assert unmarked("a &amp; <mark>b</mark> &lt;b&gt;") == "a & b <b>"
