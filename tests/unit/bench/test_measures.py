"""The measures, worked out by hand."""

from __future__ import annotations

from math import log2

import pytest

from bench.measures import Figures, figures, ndcg, recall

THIRD = 1 / log2(3)  # what a gain at the second rank is divided by


def test_the_ideal_order_is_one_and_nothing_found_is_nothing() -> None:
    grades = {"a": 3.0, "b": 1.0, "c": 0.0}
    assert ndcg(["a", "b", "c"], grades) == 1
    assert ndcg([], grades) == ndcg(["c", "x"], grades) == 0


def test_a_gain_is_two_to_the_grade_less_one() -> None:
    grades = {"a": 3.0, "b": 1.0}
    assert ndcg(["b", "a"], grades) == pytest.approx((1 + 7 * THIRD) / (7 + 1 * THIRD))
    assert ndcg(["x", "a"], grades) == pytest.approx(7 * THIRD / (7 + THIRD))


def test_the_ideal_counts_what_was_not_found() -> None:
    grades = {str(number): 1.0 for number in range(20)}
    ideal = sum(1 / log2(rank + 1) for rank in range(1, 11))
    assert ndcg(["0"], grades) == pytest.approx(1 / ideal)


def test_only_the_first_ten_count_and_each_once() -> None:
    assert ndcg([*map(str, range(10)), "a"], {"a": 1.0}) == 0
    assert ndcg(["a", "a", "b"], {"a": 1.0, "b": 1.0}) == 1


def test_recall_is_of_what_has_a_grade_above_nothing() -> None:
    grades = {"a": 2.0, "b": 1.0, "c": 0.0}
    assert recall(["c", "b"], grades) == 0.5
    assert recall([*map(str, range(100)), "a"], grades) == 0


def test_figures_are_means_over_all_questions_that_were_judged() -> None:
    rankings = {"1": ["a"], "2": [], "9": ["a"]}
    assert figures(rankings, {"1": {"a": 1.0}, "2": {"a": 1.0}, "3": {"b": 1.0}, "4": {"b": 1.0}}) == Figures(
        ndcg_at_10=0.25, recall_at_100=0.25, zero_results=0.75
    )
