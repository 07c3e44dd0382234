"""What a reader typed, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.language import fold
from kb.search.parsing import MOST_BEGINNINGS, MOST_WORDS, parse
from kb.search.question import NOTHING, Clause, Need, Tagged, Words, Years
from kb.search.thesaurus import Name, Thesaurus

NAMES = Thesaurus(
    [
        Name("country", "IT", "und", "IT", code=True),
        Name("country", "IT", "de", "Italien"),
        Name("country", "IE", "en", "Ireland"),
        Name("theme", "housing", "en", "housing", code=True),
        Name("theme", "labour-inclusion", "en", "Labour inclusion"),
        Name("region", "ITH1", "en", "South Tyrol"),
    ]
)


def needs(text: str) -> list[tuple[Need, ...]]:
    return [clause.needs for clause in parse(text, NAMES).clauses]


def plain(*words: str) -> list[tuple[Need, ...]]:
    return [(Words((word,)),) for word in words]


def test_a_blank_text_asks_for_everything() -> None:
    assert parse("") == NOTHING
    assert parse("  ").is_blank


def test_words_are_clauses_each_once_in_the_order_typed() -> None:
    assert needs("rural Talent talent TALÈNT rural") == plain("rural", "Talent")


def test_stop_words_are_left_out() -> None:
    assert needs("the arts in a county") == plain("arts", "county")
    assert needs("l'arribada") == plain("arribada")


def test_stop_words_alone_are_kept() -> None:
    assert needs("the who") == plain("the", "who")


def test_quotes_make_a_phrase_of_its_very_words() -> None:
    assert needs('a "welcome to the desk" now') == [
        (Words(("welcome", "to", "the", "desk"), exact=True),),
        *plain("now"),
    ]
    assert needs("„ein Büro“") == [(Words(("ein", "Büro"), exact=True),)]


def test_a_minus_leaves_out() -> None:
    question = parse('welcome -desk -"front office" -pref* −late', NAMES)
    assert [clause.needs for clause in question.clauses] == plain("welcome")
    assert question.excluded == (
        Words(("desk",)),
        Words(("front", "office"), exact=True),
        Words(("pref",), begins=True),
        Words(("late",)),
    )


def test_a_minus_before_a_compound_leaves_out_the_compound() -> None:
    assert parse("training -re-skilling").excluded == (Words(("re", "skilling"), exact=True),)


@pytest.mark.parametrize(
    "text", ["labour - market", "labour -- market", "labour-market", "labour —market", "labour- market"]
)
def test_a_dash_that_stands_elsewhere_is_no_minus(text: str) -> None:
    question = parse(text)
    assert not question.excluded
    assert needs(text) == plain("labour", "market")


def test_the_e_of_a_hyphenated_word_is_a_part_of_it() -> None:
    assert needs("e-learning") == plain("elearning")
    assert needs("arte e cultura, plan-e-pace l-iskola") == plain("arte", "cultura", "plan", "pace", "iskola")
    assert needs('"e-learning"') == [(Words(("e", "learning"), exact=True),)]


def test_a_negative_number_is_a_number() -> None:
    assert needs("temperatures of -40 degrees") == plain("temperatures", "40", "degrees")


def test_or_takes_what_stands_right_before_and_after_it() -> None:
    assert needs("rural nurses OR doctors OR midwives Italy") == [
        *plain("rural"),
        (Words(("nurses",)), Words(("doctors",)), Words(("midwives",))),
        *plain("Italy"),
    ]
    assert needs('"case worker" OR mentor*') == [
        (Words(("case", "worker"), exact=True), Words(("mentor",), begins=True))
    ]


@pytest.mark.parametrize("text", ["OR nurses", "nurses OR", "OR OR nurses OR", "nurses or", "nurses OR OR"])
def test_an_or_without_a_partner_is_no_operator(text: str) -> None:
    assert needs(text) == plain("nurses")


def test_an_or_in_a_shouted_sentence_is_a_word() -> None:
    assert needs("HOUSING OR WORK FOR REFUGEES IN TOWNS") == plain("HOUSING", "WORK", "REFUGEES", "TOWNS")
    assert needs("NGO OR EU") == [(Words(("NGO",)), Words(("EU",)))]


def test_a_star_makes_a_beginning() -> None:
    assert needs("integr* work") == [(Words(("integr",), begins=True),), *plain("work")]
    assert needs("re-int*") == [*plain("re"), (Words(("int",), begins=True),)]


def test_of_many_beginnings_the_first_ones_count_and_the_others_are_words() -> None:
    begun = [f"w{number}x" for number in range(MOST_BEGINNINGS + 4)]
    read = parse(" ".join([*(f"{word}*" for word in begun[:-1]), f"-{begun[-1]}*"]))
    assert [word.begins for word in read.words()] == [True] * MOST_BEGINNINGS + [False] * 3
    assert [word.words for word in read.words()] == [(word,) for word in begun[:-1]]
    assert read.excluded == (Words((begun[-1],)),)


@pytest.mark.parametrize(
    ("text", "words"), [("a*", ["a"]), ("*ship", ["ship"]), ("pre*fix", ["pre", "fix"]), ("* x2", ["x2"])]
)
def test_a_star_elsewhere_is_nothing(text: str, words: list[str]) -> None:
    assert needs(text) == plain(*words)


def test_title_looks_in_titles() -> None:
    assert needs("title:talent Title:integr*") == [
        (Words(("talent",), field="title"),),
        (Words(("integr",), begins=True, field="title"),),
    ]
    assert needs('title:"welcome desk"') == [(Words(("welcome", "desk"), exact=True, field="title"),)]


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("country:IT", Tagged("country", ("IT",))),
        ("country:it", Tagged("country", ("IT",))),
        ("COUNTRY:Italien", Tagged("country", ("IT",))),
        ("country:IT,Ireland", Tagged("country", ("IT", "IE"))),
        ("theme:housing", Tagged("theme", ("housing",))),
        ("theme:labour-inclusion", Tagged("theme", ("labour-inclusion",))),
        ('theme:"labour inclusion"', Tagged("theme", ("labour-inclusion",))),
        ('region:"south tyrol"', Tagged("region", ("ITH1",))),
        ("year:2018..2022", Years(2018, 2022)),
        ("year:2018-2022", Years(2018, 2022)),
        ("year:2018", Years(2018, 2018)),
        ("year:2018..", Years(2018, None)),
        ("year:..2022", Years(None, 2022)),
    ],
)
def test_names_of_filters_ask_for_their_values(text: str, need: Need) -> None:
    question = parse(f"arts {text}", NAMES)
    assert question.required == (Clause((need,)),)
    assert [clause.needs for clause in question.clauses] == plain("arts")


def test_a_filter_can_be_left_out_and_be_one_of_two() -> None:
    assert parse("-country:IT", NAMES).excluded == (Tagged("country", ("IT",)),)
    assert parse("country:IT OR theme:housing", NAMES).required == (
        Clause((Tagged("country", ("IT",)), Tagged("theme", ("housing",)))),
    )
    assert needs("country:IT OR arts") == [(Tagged("country", ("IT",)), Words(("arts",)))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("country:Atlantis", ["country", "Atlantis"]),
        ("country:Ireland,Atlantis", ["country", "Ireland", "Atlantis"]),
        ("country: Ireland", ["country", "Ireland"]),
        ("colour:red", ["colour", "red"]),
        ("year:2022..2018", ["year", "2022", "2018"]),
        ("year:soon", ["year", "soon"]),
        ("year:..", ["year"]),
        ("title:", ["title"]),
        ("https://example.org", ["https", "example", "org"]),
        ('welcome "desk', ["welcome", "desk"]),
        ("(welcome) && [desk", ["welcome", "desk"]),
        ("+welcome desk", ["welcome", "desk"]),
        ('theme:"', ["theme"]),
    ],
)
def test_what_is_malformed_is_read_as_plain_words(text: str, words: list[str]) -> None:
    question = parse(text, NAMES)
    assert [need for clause in question.clauses for need in clause.needs] == [Words((word,)) for word in words]
    assert not question.required
    assert not question.excluded


def test_a_text_without_a_word_asks_nothing() -> None:
    assert parse("…!").asks_nothing
    assert parse("-").asks_nothing
    assert not parse("-arts").asks_nothing


def test_a_question_is_cut_at_its_most_words() -> None:
    assert len(parse(" ".join(f"w{n}" for n in range(10_000))).clauses) == MOST_WORDS
    (clause,) = parse('"' + "ab " * 100 + '"').clauses
    assert isinstance(clause.needs[0], Words)
    assert len(clause.needs[0].words) == MOST_WORDS


def test_words_typed_one_after_the_other_are_a_run() -> None:
    assert list(parse("labour market").runs()) == [(0, 2)]
    assert list(parse("return of talent").runs()) == [(0, 2)]
    assert list(parse("the return of the talent").runs()) == [(0, 2)]
    assert list(parse("return talent return housing").runs()) == [(0, 2), (2, 3)]
    assert list(parse('labour "x y" market place').runs()) == [(0, 1), (2, 4)]
    assert list(parse("labour title:market place").runs()) == [(0, 1), (2, 3)]
    assert list(parse("a OR b labour market").runs()) == [(1, 3)]


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from('"-*: ORtitlecountryyear20.,'))))
def test_any_text_is_a_question(text: str) -> None:
    question = parse(text, NAMES)
    assert parse(text, NAMES) == question
    for words in question.words():
        assert words.words
        assert all(fold(word) for word in words.words)
    for start, end in question.runs():
        assert all(clause.word for clause in question.clauses[start:end])
