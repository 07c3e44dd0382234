"""The questions that two sites are asked: of every kind, no two alike, made of words that stand in the records."""

from __future__ import annotations

from itertools import islice

import pytest

from bench import datasette_site
from bench.asked import KINDS, Asked, Questions
from bench.generate import Generator


@pytest.fixture(scope="module")
def questions() -> Questions:
    return Questions(Generator(1).records(400), seed=3)


def test_each_kind_comes_as_often_and_nothing_twice(questions: Questions) -> None:
    asked = list(islice(questions.asked(), 10 * len(KINDS)))
    assert len(set(asked)) == len(asked)
    assert all(abs(sum(each.kind == kind for each in asked) - 10) <= 2 for kind in KINDS)


def test_the_same_seed_asks_the_same() -> None:
    first, second = (Questions(Generator(1).records(100), seed=5) for _ in range(2))
    assert list(islice(first.asked(), 20)) == list(islice(second.asked(), 20))


def test_only_filtered_questions_have_filters(questions: Questions) -> None:
    for each in islice(questions.asked(), 40):
        assert bool(each.country and each.theme) == (each.kind == "filtered")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked("either", ("arts", "jobs")), "_search=arts+OR+jobs&_size=20&_searchmode=raw"),
        (Asked("phrase", ("case", "worker")), "_search=%22case+worker%22&_size=20&_searchmode=raw"),
        (Asked("beginning", ("integ",)), "_search=integ%2A&_size=20&_searchmode=raw"),
        (Asked("both", ("arts", "jobs")), "_search=arts+jobs&_size=20&_facet=country"),
        (Asked("filtered", ("arts",), "IT", "housing"), "country=IT&theme__arraycontains=housing"),
    ],
)
def test_datasette_is_asked_in_its_own_words(asked: Asked, expected: str) -> None:
    assert expected in datasette_site.address(asked)
