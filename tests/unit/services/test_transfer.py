"""The transfer check: which questions a record gives rise to, codes that come back whole, how answers are sorted."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.services import transfer
from kb.services.errors import Invalid
from kb.services.transfer import Answer, Check, Kind, Question
from kb.services.transfer_texts import MOST_SIGNS, paragraphs, sentences
from tests import factories

ROUTE = "Needs a national legal route from a job offer to a permit; where it exists, a region can supply the offer."

KEYS = st.text(string.ascii_lowercase + "234567", min_size=4, max_size=4)
REGIONS = st.one_of(st.just(""), st.text(string.ascii_letters + string.digits + "-", min_size=2, max_size=64))
CHECKS = st.builds(
    Check,
    st.integers(0, 999_999),
    REGIONS.filter(lambda code: code != "-"),
    st.dictionaries(KEYS, st.sampled_from(Answer), max_size=transfer.MOST),
)


def asked(**changes: Any) -> list[Question]:
    return list(transfer.questions(factories.document(**changes)))


def of(kind: Kind, **changes: Any) -> list[Question]:
    return [question for question in asked(**changes) if question.kind == kind]


def quotes(kind: Kind, **changes: Any) -> list[str]:
    return [question.quote for question in of(kind, **changes)]


# Questions


def test_a_practice_that_says_little_gets_general_questions_which_are_known_as_such() -> None:
    said_nothing = transfer.general(asked(actions="They meet."))
    assert said_nothing == [Kind.COMPETENCE, Kind.LAW, Kind.MONEY, Kind.PARTNERS, Kind.STAFF, Kind.EVIDENCE]


def test_what_a_practice_says_is_not_asked_as_a_general_question() -> None:
    told = asked(
        authority_role="leader", transferability=ROUTE, budget_eur=2500000, evidence="monitoring",
        partners=[{"name": "Caritas", "type": "ngo", "url": None}], context="It is for mentors.",
    )  # fmt: skip
    assert transfer.general(told) == [Kind.STAFF]
    told = asked(transferability="Needs two trainers for each group.")
    assert Kind.STAFF not in transfer.general(told)


@pytest.mark.parametrize("level", ["local", "cross-border", "national"])
def test_only_a_level_that_is_not_the_regions_own_is_asked_about(level: str) -> None:
    assert len(of(Kind.LEVEL, level=level)) == 1 and of(Kind.LEVEL, level="regional") == []


def test_a_sentence_about_law_is_cited_whole() -> None:
    found = quotes(
        Kind.LAW, transferability="It was shown to others. A *permit* is [needed](https://example.org) first."
    )
    assert found == ["A permit is needed first."]


@pytest.mark.parametrize("where", ["transferability", "context", "difficulties"])
def test_law_is_asked_about_once_from_the_conditions_that_speak_of_it(where: str) -> None:
    assert quotes(Kind.LAW, **{where: " ".join(f"There is law number {n} of them." for n in range(9))}) == [
        "There is law number 0 of them."
    ]
    assert quotes(Kind.LAW, transferability=ROUTE, context="A law of 2019.", difficulties="The law came late.") == [
        ROUTE
    ]


def test_what_was_done_is_no_condition_and_is_asked_about_once_as_steps() -> None:
    done = "Annual call. The *employer* files the permit application.\n\n* Two trainers teach."
    found = asked(actions=done)
    assert [question.general for question in found if question.kind in (Kind.LAW, Kind.STAFF)] == [True, True]
    steps = "Annual call. The employer files the permit application. Two trainers teach."
    assert [question.kind for question in found if question.quote] == [Kind.STEPS] and steps in quotes(
        Kind.STEPS, actions=done
    )


def test_long_steps_are_shortened() -> None:
    [quote] = quotes(Kind.STEPS, actions="step " * (transfer.STEPS + 1))
    assert quote.split() == ["step"] * transfer.STEPS + ["[…]"]


def test_a_service_that_gives_legal_advice_is_no_law() -> None:
    assert quotes(Kind.LAW, context="They ask for legal advice and a driving licence.") == [""]


def test_a_difficulty_that_was_cited_as_law_is_not_asked_twice() -> None:
    said = "Work permits are a national matter.\n\nFew came."
    assert quotes(Kind.LAW, difficulties=said) == ["Work permits are a national matter."]
    assert quotes(Kind.DIFFICULTY, difficulties=said) == ["Few came."]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("it", "Serve una legge regionale sull’accoglienza."),
        ("es", "Hace falta un permiso de trabajo del Estado."),
        ("ca", "Cal un permís de treball de l’Estat."),
        ("de", "Nötig ist eine Genehmigung des Landes."),
        ("fr", "Il faut un décret de la région."),
        ("pl", "Potrzebne jest zezwolenie na pracę."),
        ("ro", "Este nevoie de o lege a statului."),
        ("ga", "Tá ceadúnas ón Stát ag teastáil."),
    ],
)
def test_words_of_law_are_known_in_the_languages_of_the_pages(language: str, sentence: str) -> None:
    assert quotes(Kind.LAW, language=language, transferability=sentence) == [sentence]


def test_a_language_without_a_list_of_words_gets_the_general_question() -> None:
    assert [each.general for each in of(Kind.LAW, language="hu", transferability="Törvény kell hozzá.")] == [True]


def test_a_lawn_is_no_law() -> None:
    assert quotes(Kind.LAW, context="They sit on the lawn and talk.") == [""]


def test_each_paragraph_and_list_item_of_the_difficulties_is_a_question() -> None:
    text = "# What was hard\n\nFew came.\n\n* Towns **refused**\n* Money came [late](https://example.org)"
    assert quotes(Kind.DIFFICULTY, difficulties=text) == ["Few came.", "Towns refused", "Money came late"]


def test_a_condition_that_was_cited_as_law_is_not_asked_twice() -> None:
    assert quotes(Kind.CONDITION, transferability=ROUTE) == []
    assert quotes(Kind.CONDITION, transferability=f"{ROUTE}\n\nA town near by.") == ["A town near by."]


def test_what_goes_beyond_the_number_of_paragraphs_is_asked_about_together() -> None:
    found = quotes(Kind.DIFFICULTY, difficulties="\n\n".join(f"Point {n}." for n in range(9)))
    assert len(found) == transfer.PARAGRAPHS and found[-1] == "Point 6. Point 7. Point 8."


def test_only_a_practice_that_was_stopped_is_asked_why() -> None:
    assert len(of(Kind.STOPPED, status="discontinued")) == 1 and of(Kind.STOPPED, status="ended") == []


def test_a_text_of_thousands_of_signs_is_taken_as_it_was_typed() -> None:
    assert paragraphs("[" * (MOST_SIGNS + 1)) == ["[" * (MOST_SIGNS + 1)]


def test_an_abbreviation_ends_no_sentence() -> None:
    assert sentences("St. Gallen pays for all of it. The rest is free of charge.") == [
        "St. Gallen pays for all of it.", "The rest is free of charge.",
    ]  # fmt: skip


TEXTS = st.none() | st.text("aw .\n*-#[]()Ll", max_size=300)


@given(st.fixed_dictionaries({name: TEXTS for name in ("transferability", "difficulties", "context", "actions")}))
def test_whatever_the_texts_are_questions_are_few_and_each_has_its_own_id(texts: dict[str, str | None]) -> None:
    found = asked(**texts, status="discontinued", level="local")
    assert len({question.id for question in found}) == len(found) <= transfer.MOST
    assert found == asked(**texts, status="discontinued", level="local")
    full = Check(999_999, "x" * 64, {question.id: Answer.YES for question in found})
    assert transfer.decode(transfer.encode(full)) == full
    assert len(transfer.encode(Check(999_999, "", full.answers))) <= 200  # what the column holds


# The code


@given(CHECKS)
def test_what_is_encoded_comes_back(check: Check) -> None:
    assert transfer.decode(transfer.encode(check)) == check


@given(CHECKS)
def test_a_code_stands_in_an_address_as_it_is(check: Check) -> None:
    assert not set(transfer.encode(check)) - set(string.ascii_letters + string.digits + "-.")


@given(CHECKS, st.data())
def test_a_code_of_which_something_is_missing_is_refused(check: Check, data: st.DataObject) -> None:
    code = transfer.encode(check)
    cut = data.draw(st.integers(0, len(code) - 1))
    with pytest.raises(Invalid, match="cannot be read"):
        transfer.decode(code[:cut])


@pytest.mark.parametrize(
    "code", ["", ".", "1", "1.2.3", "1.1.ES22.cuk7y.aaa", "<script>", "1.1..cuk7y.x" * 200, "\ud800"]
)
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(Invalid):
        transfer.decode(code)


def test_a_mark_that_a_mail_program_took_into_the_address_does_no_harm() -> None:
    check = Check(3, "ES22", {"cuk7": Answer.NO})
    assert transfer.decode(f" {transfer.encode(check)}.>)") == check


def test_a_code_of_a_newer_site_says_so() -> None:
    body = "2.whatever"
    with pytest.raises(Invalid, match="newer version"):
        transfer.decode(f"{body}.{transfer._digest(body, 3)}")


# The result


def test_answers_are_sorted_and_what_nobody_answered_is_to_be_found_out() -> None:
    found = asked(difficulties="Few came.\n\nIt rained.")
    first, second, third, fourth, *rest = found
    answers = {first.id: Answer.YES, second.id: Answer.NO, third.id: Answer.PARTLY, fourth.id: Answer.UNKNOWN}
    result = transfer.result(found, Check(1, "", answers))
    assert (result.there, result.missing, result.partly) == ((first,), (second,), (third,))
    assert result.unknown == (fourth, *rest)
    assert (result.answered, result.asked, result.left) == (3, len(found), 0)


def test_a_difficulty_that_one_would_not_meet_is_on_the_good_side() -> None:
    [difficulty] = of(Kind.DIFFICULTY, difficulties="Few came.")
    for answer, group in ((Answer.NO, "spared"), (Answer.PARTLY, "missing"), (Answer.YES, "missing")):
        result = transfer.result([difficulty], Check(1, "", {difficulty.id: answer}))
        assert getattr(result, group) == (difficulty,)


def test_answers_fit_the_next_version_where_it_says_the_same() -> None:
    before = asked(budget_eur=100, evidence="monitoring", difficulties="Few came.")
    check = Check(1, "", {question.id: Answer.YES for question in before})
    after = asked(budget_eur=200, evidence="monitoring", difficulties="Few came.\n\nIt rained.")
    result = transfer.result(after, check)
    assert [question.kind for question in result.unknown] == [Kind.MONEY, Kind.DIFFICULTY]
    assert result.left == 1
