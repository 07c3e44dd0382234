"""A briefing: practices, a question with any signs in it, a page to print and a Word file; nothing of it is kept."""

from __future__ import annotations

import html
import io
from urllib.parse import urlencode

import pytest
from docx import Document as read_word
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.formats.text import line
from kb.models import Practice, User
from kb.services import merging, transfer
from kb.services.transfer import Answer, Check
from tests import factories
from tests.conftest import Site
from tests.web.test_comparing import adopted, person

TWO = [("p", "bizkaia-talent"), ("p", "catalonia-acol-line")]


def asked(*more: tuple[str, str], suffix: str = "") -> str:
    return f"/briefing{suffix}?{urlencode([*TWO, *more])}"


def words(data: bytes) -> str:
    made = read_word(io.BytesIO(data))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in made.paragraphs), *cells])


@pytest.mark.parametrize("suffix", ["", ".docx"])
def test_it_works(reader: FlaskClient, suffix: str) -> None:
    answer = reader.get(asked(("question", "Whom do we invite?"), ("audience", "The council"), suffix=suffix))
    said = words(answer.data) if suffix else html.unescape(answer.text)
    assert answer.status_code == 200
    for part in ("Whom do we invite?", "For: The council", "ACOL: one-year subsidised contracts", "€19\xa0million",
                 "Conditions for taking it over", "(Version 1). ", "http://localhost/practices/bizkaia-talent/versions/1",
                 "Not reported"):  # fmt: skip
        assert part.replace("localhost", "127.0.0.1:8000") in said or part in said


def test_without_a_question_it_is_named_by_what_it_is(reader: FlaskClient) -> None:
    assert "<h1>Briefing on 2 practices</h1>" in reader.get(asked()).text
    assert "<h1>Briefing on 1 practice</h1>" in reader.get("/briefing?p=bizkaia-talent").text


SIGNS = st.text(max_size=300).map(line).filter(bool)


@given(SIGNS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_question_may_have_any_signs(reader: FlaskClient, question: str) -> None:
    page = reader.get(asked(("question", question)))
    assert page.status_code == 200 and f"<h1>{html.escape(question, quote=False)}</h1>" in page.text.replace(
        "&#34;", '"'
    ).replace("&#39;", "'")


@pytest.mark.parametrize("suffix", ["", ".docx"])
def test_a_question_that_is_too_long_comes_back_whole_with_what_is_wrong(reader: FlaskClient, suffix: str) -> None:
    question = "why " * 100
    answer = reader.get(asked(("question", question), ("audience", "The council"), suffix=suffix))
    assert answer.status_code == 400
    assert "Shorten this: it has 399 characters, the limit is 300." in answer.text
    assert f'value="{question.strip()}"' in answer.text and 'value="The council"' in answer.text


def test_eleven_practices_are_too_many_and_none_is_asked_for(reader: FlaskClient) -> None:
    slugs = [each["slug"] for each in reader.get("/api/v1/practices?per_page=11").get_json()["items"]]
    few, many = (urlencode([("p", slug) for slug in slugs[:n]]) for n in (10, 11))
    assert reader.get(f"/briefing?{few}").status_code == 200
    refused = reader.get(f"/briefing?{many}&question=Why?")
    assert refused.status_code == 400 and "A briefing takes up to ten practices" in refused.text
    assert refused.text.count(" checked>") == 11 and 'name="question" value="Why?"' in refused.text
    assert reader.get("/briefing").status_code == 200
    assert reader.get("/briefing?p=nowhere").status_code == 404


def test_who_took_a_practice_up_stands_in_the_briefing(site: Site) -> None:
    with site.database.write() as session:
        adopted(factories.published(session, title="One"), session)
    reader = site.client()
    assert "Adapting it. Fewer hours." in reader.get("/briefing?p=one").text
    assert "Adapting it. Fewer hours." in words(reader.get("/briefing.docx?p=one").data)


def code_for(site: Site, answer: Answer) -> str:
    """The code of a check of practice "one" in which every question has one answer."""
    document = site.client().get("/practices/one.json").get_json()
    answers = {question.id: answer for question in transfer.questions(document)}
    return transfer.encode(Check(1, "ES22", answers))


def test_the_result_of_a_transfer_check_is_handed_over(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session, title="One")
    reader, code = site.client(), code_for(site, Answer.NO)
    for suffix in ("", ".docx"):
        answer = reader.get(f"/briefing{suffix}?p=one&check=one:{code}")
        said = words(answer.data) if suffix else html.unescape(answer.text)
        assert "Could it work in Navarre" in said and "What is missing, or would be difficult" in said
        assert "Competence: Does your region have the power to do this? Your answer: No." in " ".join(said.split())
    assert f'name="check" value="one:{code}"' in reader.get(f"/briefing?p=one&check=one:{code}").text


def test_a_check_in_a_briefing_cites_what_was_asked_about_in_its_language_and_shortened(site: Site) -> None:
    needs = " ".join(["Needs a law", *["and a permit"] * 9])
    with site.database.write() as session:
        factories.published(session, title="One", transferability=needs)
    reader, code = site.client(), code_for(site, Answer.NO)
    cited = "Needs a law and a permit and a permit and a permit […]"
    page = html.unescape(reader.get(f"/briefing?p=one&lang=de&check=one:{code}").text)
    assert f'<q lang="en">{cited}</q>' in page
    assert f"“{cited}” Your answer: No." in " ".join(
        words(reader.get(f"/briefing.docx?p=one&check=one:{code}").data).split()
    )


def test_a_check_takes_its_room_on_the_page_from_the_long_texts(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session, title="One", results="counted " * 240)
    reader, code = site.client(), code_for(site, Answer.NO)
    plain, checked = (words(reader.get(f"/briefing.docx?p=one{also}").data) for also in ("", f"&check=one:{code}"))
    assert 0 < checked.count("counted") <= plain.count("counted") - 40


def test_a_difficulty_that_one_would_not_meet_is_counted_by_itself(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session, title="One", difficulties="Few came.")
    page = site.client().get(f"/briefing?p=one&check=one:{code_for(site, Answer.NO)}").text
    assert "What you have: 0 / 11. What you need not fear: 1 / 11." in page


def test_a_check_goes_along_to_the_practice_that_its_own_was_merged_into(site: Site) -> None:
    with site.database.write() as session:
        one, two = (factories.published(session, title=title).id for title in ("One", "Two"))
    code, bob = code_for(site, Answer.NO), person(site, "bob")
    with site.database.write() as session:
        practices = (session.get_one(Practice, each) for each in (one, two))
        merging.merge(session, session.get_one(User, bob.id), *practices)
    page = site.client().get(f"/briefing?p=one&check=one:{code}", follow_redirects=True).text
    assert f'name="check" value="two:{code}"' in page


def test_a_check_that_is_damaged_is_named_and_the_rest_stands(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session, title="One")
    answer = site.client().get("/briefing?p=one&question=Why?&check=one:1.1.ES22")
    assert answer.status_code == 400
    assert "The transfer check of “one” cannot be read" in answer.text and "<h1>Why?</h1>" in answer.text


def test_a_reader_gets_no_cookie(reader: FlaskClient) -> None:
    assert "Set-Cookie" not in reader.get(asked(("question", "Why?"))).headers
