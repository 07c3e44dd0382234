"""What readers rely on an engine for, one behaviour a test."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kb.search.port import FACETS, SORTS, Query, SearchEngine
from tests.contract.asking import ask, doc, found, ids

THIS_YEAR = datetime.now(UTC).year


# Words


def test_every_word_must_be_found_but_anywhere(engine: SearchEngine) -> None:
    engine.update([doc("a", "Rural arts", names="Donegal"), doc("b", "Rural music"), doc("c", "Urban arts")])
    assert engine.search(ask("arts rural donegal")).total == 1


@pytest.mark.parametrize("field", ["summary", "story", "names"])
def test_each_text_field_is_searched(engine: SearchEngine, field: str) -> None:
    engine.update([doc("a", **{field: "mentoring"}), doc("b")])
    page = engine.search(ask("mentoring"))
    assert (ids(page), page.hits[0].matched) == (["a"], (field,))


def test_matched_names_the_fields_weightiest_first(engine: SearchEngine) -> None:
    engine.update([doc("a", "Arts", story="arts", names="arts", summary="other")])
    assert engine.search(ask("arts")).hits[0].matched == ("title", "story", "names")


def test_texts_in_other_languages_are_searched(engine: SearchEngine) -> None:
    engine.update([doc("a", "Mentors", foreign=(("de", "Arbeitsmarktmentoren"), ("und", "Línia ACOL")))])
    assert found(engine, "Arbeitsmarktmentor") == {"a"}
    assert found(engine, "linia acol") == {"a"}


@pytest.mark.parametrize("text", ["línia", "LINIA", "linia", "línies"])
def test_accents_case_and_inflection_do_not_matter(engine: SearchEngine, text: str) -> None:
    engine.update([doc(title, title, language="ca") for title in ("Línia", "Linia", "Lema")])
    assert found(engine, text) == {"Línia", "Linia"}


def test_stems_are_of_the_language_of_the_text(engine: SearchEngine) -> None:
    engine.update([doc("en", "integrating", language="en"), doc("hr", "integrating", language="hr")])
    assert found(engine, "integrated") == {"en"}


def test_the_word_as_typed_ranks_above_its_kin(engine: SearchEngine) -> None:
    engine.update([doc("kin", "mentors"), doc("typed", "mentor")])
    assert ids(engine.search(ask("mentor"))) == ["typed", "kin"]


def test_a_title_ranks_above_a_summary_and_that_above_a_story(engine: SearchEngine) -> None:
    story = {"story": "many words about one thing", "summary": "another word"}
    engine.update([doc("1", "x", **{**story, "story": "arts of"}), doc("2", "x", **{**story, "summary": "arts of"})])
    engine.update([doc("3", "arts", **story)])
    assert ids(engine.search(ask("arts"))) == ["3", "2", "1"]


def test_a_beginning_is_found_whenever_a_practice_came_in_and_not_after_it_went(engine: SearchEngine) -> None:
    for number in range(12):
        engine.update([doc(f"{number}", f"integr{number}", story="integrated integrating")])
    engine.update([doc("4", "other"), doc("other", "other")], gone=["5"])
    assert found(engine, "integr*") == {f"{number}" for number in range(12)} - {"4", "5"}
    assert found(engine, "title:integr1*") == {"1", "10", "11"}
    assert found(engine, "other -integr*") == {"4", "other"}
    assert found(engine, "integrx*") == set()


def test_words_typed_side_by_side_rank_higher_where_they_stand_so(engine: SearchEngine) -> None:
    engine.update([doc("a", "house of the welcome"), doc("b", "the welcome house of")])
    assert ids(engine.search(ask("welcome house"))) == ["b", "a"]


def test_equals_come_by_title_then_id(engine: SearchEngine) -> None:
    engine.update([doc("2", "Arts b"), doc("1", "Arts b"), doc("3", "Ärts a"), doc("4", "arts c")])
    assert ids(engine.search(ask("arts b", filters={"language": ("en",)}, limit=2)))[:2] == ["1", "2"]
    assert ids(engine.search(ask(sort="title"))) == ["3", "1", "2", "4"]


def test_stop_words_need_not_be_found(engine: SearchEngine) -> None:
    engine.update([doc("a", "Arts, county"), doc("b", "The a in")])
    assert found(engine, "the arts in a county") == {"a"}


def test_stop_words_alone_are_searched(engine: SearchEngine) -> None:
    engine.update([doc("a", "The arts"), doc("b", "Arts")])
    assert found(engine, "the") == {"a"}


def test_a_phrase_is_found_as_it_stands(engine: SearchEngine) -> None:
    engine.update(
        [doc("a", "Welcome to the house"), doc("b", "House welcome"), doc("c", "x", story="welcome, to THE hoûse")]
    )
    assert found(engine, '"welcome to the house"') == {"a", "c"}
    assert engine.search(ask('"to the house" welcome')).total == 2


def test_a_phrase_does_not_run_from_one_field_into_the_next(engine: SearchEngine) -> None:
    engine.update([doc("a", "Welcome", summary="house", foreign=(("de", "Haus"), ("de", "Gast")))])
    assert engine.search(ask('"welcome house"')).total == 0
    assert engine.search(ask('"haus gast"')).total == 0


def test_a_phrase_may_repeat_a_word(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts and arts and crafts"), doc("b", "arts and crafts")])
    assert found(engine, '"arts and arts"') == {"a"}


def test_a_blank_query_finds_everything_newest_first(engine: SearchEngine) -> None:
    engine.update(
        [doc("a", published="2026-01-01"), doc("b", published="2026-02-01"), doc("c", published="2026-01-01")]
    )
    assert ids(engine.search(ask(" \n\t"))) == ["b", "a", "c"]


@pytest.mark.parametrize("text", ["…", '"', '""', "\x00", "\ud800", "😀", "-", "*"])
def test_a_query_without_a_word_finds_nothing(engine: SearchEngine, text: str) -> None:
    engine.update([doc("a")])
    assert engine.search(ask(text)).total == 0


@pytest.mark.parametrize(
    "text",
    ['"arts', "arts\x00", "arts \ud800", "arts 😀", "title:arts", "+arts -x*", "(arts", "arts " * 3000, "x" * 10_000],
)
def test_any_string_is_a_query(engine: SearchEngine, text: str) -> None:
    engine.update([doc("a", "Arts title x")])
    assert engine.search(ask(text)).total in (0, 1)


def test_facets_can_be_left_out(engine: SearchEngine) -> None:
    engine.update([doc("a")])
    assert engine.search(ask(facets=False)).facets == {}


@pytest.mark.parametrize("query", [ask(sort="nonsense"), ask(filters={"nonsense": ("x",)})])
def test_a_sort_or_facet_that_is_not_there_is_an_error(engine: SearchEngine, query: Query) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        engine.search(query)


# Some of the words


def test_where_nothing_holds_all_words_what_holds_some_is_the_answer(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts", country=("IE",)), doc("b", "county"), doc("c", "other")])
    page = engine.search(ask("arts county"))
    assert (page.partial, page.total, set(ids(page))) == (True, 2, {"a", "b"})
    assert page.facets["country"] == (("IE", 1),)


def test_partial_is_decided_before_the_filters(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts county", country=("IE",)), doc("b", "arts", country=("ES",))])
    page = engine.search(ask("arts county", {"country": ("ES",)}))
    assert (page.partial, page.total, ids(page)) == (False, 0, ["b"])


def test_full_matches_are_followed_by_the_best_partial_ones(engine: SearchEngine) -> None:
    engine.update([doc("full", "arts county"), doc("one", "arts"), doc("none", "other")])
    for sort in ("relevance", "title", "newest"):
        page = engine.search(ask("arts county", sort=sort))
        assert (page.total, ids(page)) == (1, ["full", "one"])


def test_partial_matches_obey_the_filters(engine: SearchEngine) -> None:
    engine.update(
        [doc("full", "arts county", level=("local",)), doc("one", "arts"), doc("two", "arts", level=("local",))]
    )
    assert ids(engine.search(ask("arts county", {"level": ("local",)}))) == ["full", "two"]


def test_up_to_ten_partial_matches_follow_on_the_page_on_which_the_full_ones_end(engine: SearchEngine) -> None:
    engine.update([doc(f"full{n}", "arts county") for n in range(3)] + [doc(f"one{n}", "arts") for n in range(20)])

    def page(offset: int) -> list[str]:
        return [hit.id[:3] for hit in engine.search(ask("arts county", offset=offset, limit=2)).hits]

    assert [page(0), page(2), page(4)] == [["ful", "ful"], ["ful"] + 10 * ["one"], []]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_partial_matches_are_the_same_however_long_a_page_is(engine: SearchEngine, limit: int) -> None:
    engine.update([doc(f"full{n}", "arts county") for n in range(2)] + [doc(f"one{n}", "arts") for n in range(20)])
    pages = [engine.search(ask("arts county", offset=offset, limit=limit)) for offset in range(0, 6, limit)]
    shown = [each for page in pages for each in ids(page)]
    assert shown == ids(engine.search(ask("arts county"))) and len(shown) == 12


# Filters, years, sorts


def test_values_of_a_facet_are_or_and_facets_are_and(engine: SearchEngine) -> None:
    engine.update(
        [
            doc("a", theme=("labour", "health"), country=("ES",)),
            doc("b", theme=("housing",), country=("ES",)),
            doc("c", theme=("housing",), country=("FR",)),
            doc("d", theme=("arts",), country=("ES",)),
        ]
    )
    assert found(engine, filters={"theme": ("labour", "housing"), "country": ("ES",)}) == {"a", "b"}


def test_a_facet_without_values_is_no_filter(engine: SearchEngine) -> None:
    engine.update([doc("a")])
    assert found(engine, filters={"theme": ()}) == {"a"}


def test_any_of_the_regions_matches(engine: SearchEngine) -> None:
    engine.update([doc("a", regions=("ES5", "ES51")), doc("b", regions=("ES5", "ES52")), doc("c", regions=("FR",))])
    assert found(engine, regions=("ES5",)) == {"a", "b"}
    assert found(engine, regions=("ES51", "FR", "nowhere")) == {"a", "c"}


def test_a_like_region_is_one_that_the_document_names_itself(engine: SearchEngine) -> None:
    engine.update(
        [
            doc("girona", regions=("ES", "ES5", "ES51"), own_regions=("ES51",)),
            doc("east", regions=("ES", "ES5"), own_regions=("ES5",)),
            doc("nowhere"),
        ]
    )
    assert found(engine, alike={"ES5": 700, "FR1": 900}) == {"east"}
    assert found(engine, alike={}) == set()
    assert found(engine, alike={"ES5": 700, "ES51": 700}, not_regions=("ES51",)) == {"east"}
    assert found(engine, not_regions=("ES5",)) == {"nowhere"}


def test_without_words_documents_of_the_regions_that_count_most_come_first(engine: SearchEngine) -> None:
    engine.update(
        [
            doc("a", own_regions=("R1",), published="2026-01-01T00:00:00Z"),
            doc("b", own_regions=("R1",), published="2026-01-02T00:00:00Z"),
            doc("c", own_regions=("R2", "R1"), published="2025-01-01T00:00:00Z"),
            doc("d", "word", own_regions=("R2",), published="2024-01-01T00:00:00Z"),
        ]
    )
    alike = {"R1": 700, "R2": 900}
    assert ids(engine.search(ask(alike=alike))) == ["c", "d", "b", "a"]
    assert ids(engine.search(ask(alike=alike, offset=1, limit=2))) == ["d", "b"]
    assert ids(engine.search(ask(alike=alike, sort="newest"))) == ["b", "a", "c", "d"]
    assert engine.matching(ask(alike=alike)) == ("c", "d", "b", "a")


def test_a_count_is_the_total_with_that_value_alone(engine: SearchEngine) -> None:
    engine.update(
        [
            doc("a", theme=("x", "y"), country=("ES",)),
            doc("b", theme=("y",), country=("ES",)),
            doc("c", theme=("y",), country=("FR",)),
        ]
    )
    facets = engine.search(ask(filters={"theme": ("x",), "country": ("ES",)})).facets
    assert facets["theme"] == (("y", 2), ("x", 1))
    assert facets["country"] == (("ES", 1),)


def test_every_facet_is_there_also_without_values(engine: SearchEngine) -> None:
    assert set(engine.search(Query()).facets) == {*FACETS, "year"}


def test_equal_counts_come_by_value_and_chosen_ones_stay(engine: SearchEngine) -> None:
    engine.update([doc("a", theme=("b",)), doc("b", theme=("a",))])
    assert engine.search(ask(filters={"theme": ("zero", "a")})).facets["theme"] == (("a", 1), ("b", 1), ("zero", 0))


@pytest.mark.parametrize(
    ("start", "end", "year_from", "year_to", "is_found"),
    [
        (2010, 2012, 2012, 2015, True),
        (2010, 2012, 2013, None, False),
        (2010, 2012, None, 2009, False),
        (2010, 2012, None, 2010, True),
        (2010, None, 2030, 2031, True),
        (None, 2012, None, 1800, True),
        (None, 2012, 2013, None, False),
        (None, None, None, 2020, False),
        (2010, 2020, 2015, 2012, False),
    ],
)
def test_a_range_of_years_finds_what_overlaps_it(
    engine: SearchEngine, start: int | None, end: int | None, year_from: int | None, year_to: int | None, is_found: bool
) -> None:
    engine.update([doc("a", start_year=start, end_year=end)])
    assert bool(found(engine, year_from=year_from, year_to=year_to)) is is_found


def test_undated_ones_are_counted_where_a_range_leaves_them_out(engine: SearchEngine) -> None:
    engine.update([doc("a", "arts"), doc("b", "arts", country=("ES",)), doc("c", "arts", start_year=2010)])
    assert engine.search(ask("arts", year_from=2000)).undated == 2
    assert engine.search(ask("arts", {"country": ("ES",)}, year_from=2000)).undated == 1
    assert engine.search(ask("arts")).undated == 0


def test_the_year_facet_counts_what_was_under_way(engine: SearchEngine) -> None:
    first = THIS_YEAR - 3
    engine.update([doc("a", start_year=first, end_year=first + 1), doc("b", start_year=first + 1), doc("c")])
    years = [(str(first), 1), (str(first + 1), 2), (str(first + 2), 1), (str(first + 3), 1)]
    assert engine.search(Query()).facets["year"] == tuple(years)
    assert engine.search(ask(year_from=1990, year_to=1990)).facets["year"] == (("1990", 0), *years)


def test_updated_since_takes_dates_and_moments(engine: SearchEngine) -> None:
    engine.update([doc("a", updated="2026-05-01T10:00:00Z"), doc("b", updated="2026-04-30T23:59:59Z")])
    assert found(engine, updated_since="2026-05-01") == {"a"}
    assert found(engine, updated_since="2026-05-01T10:00:01Z") == set()


@pytest.mark.parametrize(("sort", "first"), [("newest", "a"), ("updated", "b"), ("adopted", "c"), ("title", "d")])
def test_each_sort_has_its_own_first(engine: SearchEngine, sort: str, first: str) -> None:
    engine.update(
        [
            doc("a", "t1", published="2026-03", updated="2026-01", adopted=0),
            doc("b", "t2", published="2026-02", updated="2026-04", adopted=1),
            doc("c", "t3", published="2026-01", updated="2026-01", adopted=2),
            doc("d", "Äbc", published="2026-01", updated="2026-02", adopted=0),
        ]
    )
    assert ids(engine.search(ask(sort=sort)))[0] == first
    assert ids(engine.search(ask("t1 t2 t3 abc", sort=sort)))[0] == first


def test_pages_go_through_all_hits_once(engine: SearchEngine) -> None:
    engine.update([doc(f"{n:02d}", "arts " * (n % 4 + 1)) for n in range(23)])
    whole = ids(engine.search(ask("arts", limit=100)))
    assert [i for start in range(0, 30, 5) for i in ids(engine.search(ask("arts", offset=start, limit=5)))] == whole
    assert len(set(whole)) == 23


# Everything at once


@pytest.mark.parametrize("sort", SORTS)
def test_all_that_is_counted_comes_in_the_order_of_the_pages(engine: SearchEngine, sort: str) -> None:
    engine.update([doc(f"{n}", f"Arts {n % 7}", published=f"2026-01-{n:02}", adopted=n % 3) for n in range(1, 31)])
    engine.update([doc("other")], gone=["5"])
    pages = [
        hit for start in range(0, 29, 4) for hit in ids(engine.search(ask("arts", sort=sort, offset=start, limit=4)))
    ]
    assert engine.matching(ask("arts", sort=sort, offset=8, limit=4)) == tuple(pages)
    assert len(pages) == 29


def test_partial_answers_are_all_there_only_where_nothing_answers_in_full(engine: SearchEngine) -> None:
    engine.update([doc("a", "Rural arts"), doc("b", "Rural music"), doc("c", "Urban arts")])
    assert engine.matching(ask("rural arts")) == ("a",)
    assert set(engine.matching(ask("rural dance"))) == {"a", "b"}


def test_what_others_put_first_in_other_languages_is_there_once(engine: SearchEngine) -> None:
    engine.update([doc(f"{n}", "Talent", language="en" if n < 40 else "es") for n in range(50)])
    assert sorted(engine.matching(ask("talent")), key=int) == [f"{n}" for n in range(50)]


def test_an_unknown_order_is_refused_for_everything_too(engine: SearchEngine) -> None:
    with pytest.raises(ValueError):
        engine.matching(Query(sort="colour"))
