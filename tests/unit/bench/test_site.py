"""What `bench site` says of the pages that it timed."""

from __future__ import annotations

from bench.site import ALL, BOTH, EMPTY, Timed, summary


def test_pages_of_which_one_is_empty_are_summed_up_by_themselves() -> None:
    timed = [Timed("rare", 10, 60), Timed("rare", 12, 60), Timed("misspelt", 20, 2, answered=False)]
    found = summary(timed)
    assert {name: found[name]["pages"] for name in found} == {ALL: 3, BOTH: 2, EMPTY: 1, "rare": 2, "misspelt": 1}
    assert (found[BOTH]["ratio"], found[EMPTY]["ratio"], found[ALL]["ours"]) == (5.45, 0.1, 12)


def test_a_kind_of_which_there_is_no_page_is_left_out() -> None:
    assert set(summary([Timed("rare", 1, 2)])) == {ALL, BOTH, "rare"}
