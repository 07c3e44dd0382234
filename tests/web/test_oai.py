"""Harvesters: a client of the protocol gets every record, hears what is gone, and is told what it asked wrongly."""

from __future__ import annotations

import base64
import json
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from oaipmh_scythe import BadResumptionToken, NoRecordsMatch, Scythe
from sqlalchemy import select, update

from kb.models import Practice, Record, User
from kb.services import accounts, lifecycle, merging, redaction, terms
from kb.services.repository import BATCH
from tests import factories, stack
from tests.conftest import Site, configure
from tests.serving import answering

NAMES = {"oai": "http://www.openarchives.org/OAI/2.0/", "dc": "http://purl.org/dc/elements/1.1/"}
LONG_AGO = datetime(2020, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
LIST = "verb=ListIdentifiers&metadataPrefix=oai_dc"


@contextmanager
def harvester(site: Site) -> Iterator[Scythe]:
    """A client of the protocol that harvests a site over HTTP."""
    with answering(site.app) as url, Scythe(f"{url}/oai") as client:
        yield client


def ask(client: FlaskClient, question: str) -> ET.Element:
    """What a question is answered, whatever is wrong with it."""
    answer = client.get(f"/oai?{question}")
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    return ET.fromstring(answer.data)


def headers(answer: ET.Element) -> dict[str, str]:
    """The ids of a list, and whether each is public or deleted."""
    return {
        each.findtext("oai:identifier", "", NAMES).rpartition(":")[2]: each.get("status", "public")
        for each in answer.iterfind(".//oai:header", NAMES)
    }


def code(answer: ET.Element) -> str | None:
    """The error of an answer."""
    error = answer.find("oai:error", NAMES)
    return error.get("code") if error is not None else None


def token(answer: ET.Element) -> str:
    return answer.findtext(".//oai:resumptionToken", "", NAMES)


def ids(site: Site) -> set[str]:
    with site.database.read() as session:
        return {str(each) for each in session.scalars(select(Record.practice_id))}


def person(session: Any, name: str) -> User:
    return accounts.get(session, f"{name}@example.org")


# A client of the protocol


def test_a_client_harvests_every_record_once(reading_site: Site) -> None:
    with harvester(reading_site) as client:
        found = [record.header.identifier.rpartition(":")[2] for record in client.list_records()]
    assert len(found) > BATCH
    assert sorted(found) == sorted(ids(reading_site))


def test_a_client_that_posts_is_answered_alike(reading_site: Site) -> None:
    with harvester(reading_site) as client:
        client.http_method = "POST"
        found = [header.identifier for header in client.list_identifiers(set_="country:IT")]
        titles = [record.metadata["title"][0] for record in client.list_records(set_="country:IT")]
    assert len(found) == len(titles) > 0


def test_a_client_is_told_what_the_repository_is(reading_site: Site) -> None:
    with harvester(reading_site) as client:
        said = client.identify()
        assert (said.protocolVersion, said.deletedRecord) == ("2.0", "persistent")
        assert [each.metadataPrefix for each in client.list_metadata_formats()] == ["oai_dc"]
        assert {"theme", "theme:housing", "country", "country:IT"} <= {each.setSpec for each in client.list_sets()}


def test_a_client_hears_that_nothing_is_new(reading_site: Site) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    with harvester(reading_site) as client, pytest.raises(NoRecordsMatch):
        list(client.list_records(from_=tomorrow))


def test_a_client_with_a_wrong_token_is_told(reading_site: Site) -> None:
    with harvester(reading_site) as client, pytest.raises(BadResumptionToken):
        list(client.list_records(resumption_token="wrong"))


def test_what_changes_between_two_pages_is_not_missed(seeded_site: Site) -> None:
    client, before = seeded_site.client(), ids(seeded_site)
    first = ask(client, LIST)
    given_ = list(headers(first))
    later = sorted(before - set(given_))
    with seeded_site.database.write() as session:
        gone = session.get_one(Practice, uuid.UUID(later[0]))
        lifecycle.unpublish(session, person(session, "bob"), gone, "Wrong.")
        lifecycle.unpublish(
            session, person(session, "bob"), session.get_one(Practice, uuid.UUID(given_[0])), "Wrong too."
        )
        new = str(factories.published(session, title="Quite new").id)
        for each in (given_[1], later[1]):
            practice = session.get_one(Practice, uuid.UUID(each))
            lifecycle.unpublish(session, person(session, "bob"), practice, "Wrong.")
            lifecycle.republish(session, person(session, "bob"), practice)
    answer, seen = first, dict(headers(first))
    while token(answer):
        answer = ask(client, f"verb=ListIdentifiers&resumptionToken={token(answer)}")
        seen |= headers(answer)
    assert seen == dict.fromkeys(before | {new}, "public") | {later[0]: "deleted", given_[0]: "deleted"}


# What is gone


@dataclass(frozen=True)
class Changed:
    """A site with a practice that is public, and others that are not any more; their ids by what was done to them."""

    site: Site
    ids: dict[str, str]

    def ask(self, question: str) -> ET.Element:
        """What a stranger's question is answered."""
        return ask(self.site.client(), question)


@pytest.fixture(scope="module")
def changed(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """Shared by tests that only read."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path_factory.mktemp("changed") / "data")))
    yield Changed(site, change(site))
    site.close()


def change(site: Site) -> dict[str, str]:
    """Publish practices and take some of them away; their ids by what was done to them."""
    made: dict[str, str] = {}
    with site.database.write() as session:
        bob, dora = person(session, "bob"), person(session, "dora")
        for name in ("public", "archived", "unpublished", "merged", "redacted"):
            practice = factories.published(session, title=f"Secret {name}", themes=["housing"])
            made[name] = str(practice.id)
            if name == "archived":
                lifecycle.archive(session, bob, practice, "Nobody keeps it.")
            elif name == "unpublished":
                lifecycle.unpublish(session, bob, practice, "It was wrong.")
            elif name == "merged":
                merging.merge(session, bob, practice, session.get_one(Practice, uuid.UUID(made["public"])))
            elif name == "redacted":
                redaction.redact(session, dora, practice.id, 1, "It named a child.")
        made["draft"] = str(factories.draft(session, person(session, "alice"), title="Secret draft").id)
        made["sent"] = str(factories.submitted(session, person(session, "alice"), title="Secret submission").id)
    return made


def test_what_is_not_public_any_more_is_told_as_deleted_and_drafts_are_not_told(
    changed: Changed,
) -> None:
    told = headers(changed.ask("verb=ListRecords&metadataPrefix=oai_dc"))
    gone = ("archived", "unpublished", "merged", "redacted")
    assert told == {changed.ids["public"]: "public"} | {changed.ids[name]: "deleted" for name in gone}


@pytest.mark.parametrize("set_", ["theme", "theme:housing", "country", "country:IT"])
def test_what_is_gone_is_told_to_whoever_harvests_its_sets(changed: Changed, set_: str) -> None:
    assert len(headers(changed.ask(f"{LIST}&set={set_}"))) == 5


@pytest.mark.parametrize("set_", ["theme:health-and-wellbeing", "country:ES"])
def test_of_what_was_redacted_nobody_knows_the_sets_so_all_are_told(changed: Changed, set_: str) -> None:
    assert headers(changed.ask(f"{LIST}&set={set_}")) == {changed.ids["redacted"]: "deleted"}


def test_no_word_of_what_is_gone_or_a_draft_leaks(changed: Changed) -> None:
    client = changed.site.client()
    said = client.get("/oai?verb=ListRecords&metadataPrefix=oai_dc").text
    for id_ in changed.ids.values():
        said += client.get(f"/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:127.0.0.1:{id_}").text
    assert "Secret public" in said
    for name in ("archived", "unpublished", "merged", "redacted", "draft", "submission"):
        assert f"Secret {name}" not in said
    assert "example.org</" not in said.replace("https://", "") and "named a child" not in said and "Sam Doe" not in said


def test_a_draft_is_no_item(changed: Changed) -> None:
    for name in ("draft", "sent"):
        asked = f"verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:127.0.0.1:{changed.ids[name]}"
        assert code(changed.ask(asked)) == "idDoesNotExist"


def test_a_deleted_record_is_still_an_item(changed: Changed) -> None:
    asked = f"verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:127.0.0.1:{changed.ids['merged']}"
    assert headers(changed.ask(asked)) == {changed.ids["merged"]: "deleted"}


def test_a_set_follows_a_theme_that_was_merged(site: Site) -> None:
    change(site)
    with site.database.write() as session:
        terms.merge(session, person(session, "dora"), terms.THEMES, "housing", "health-and-wellbeing")
    client = site.client()
    for set_ in ("theme:housing", "theme:health-and-wellbeing"):
        assert len(headers(ask(client, f"{LIST}&set={set_}"))) == 5
    specs = {each.text for each in ask(client, LIST).iterfind(".//oai:setSpec", NAMES)}
    assert specs == {"theme:health-and-wellbeing", "country:IT"}


def test_a_practice_of_two_countries_is_in_the_sets_of_both(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session, level="cross-border", other_regions=[{"country": "ES", "code": "ES51"}])
    for country in ("IT", "ES"):
        assert len(headers(ask(site.client(), f"{LIST}&set=country:{country}"))) == 1
    assert code(ask(site.client(), f"{LIST}&set=country:FR")) == "noRecordsMatch"


# Dates


@pytest.fixture(scope="module")
def dated(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A stranger on a site with one practice, dated LONG_AGO."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path_factory.mktemp("dated") / "data")))
    with site.database.write() as session:
        factories.published(session)
    with site.database.write() as session:
        session.execute(update(Record).values(datestamp=LONG_AGO))
    yield site.client()
    site.close()


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        ("from=2020-05-06", True),
        ("from=2020-05-07", False),
        ("until=2020-05-06", True),
        ("until=2020-05-05", False),
        ("from=2020-05-06&until=2020-05-06", True),
        ("from=2020-05-06T07:08:09Z&until=2020-05-06T07:08:09Z", True),
        ("from=2020-05-06T07:08:10Z", False),
        ("until=2020-05-06T07:08:08Z", False),
        ("until=9999-12-31", True),
        ("from=2999-01-01", False),
    ],
)
def test_dates_take_in_their_whole_day_or_second(dated: FlaskClient, dates: str, found: bool) -> None:
    answer = ask(dated, f"{LIST}&{dates}")
    assert (len(headers(answer)), code(answer)) == ((1, None) if found else (0, "noRecordsMatch"))


def test_the_earliest_date_is_the_first_record_s(dated: FlaskClient) -> None:
    assert ask(dated, "verb=Identify").findtext(".//oai:earliestDatestamp", "", NAMES) == "2020-05-06T07:08:09Z"


def test_a_site_without_practices_says_what_it_is(site: Site) -> None:
    assert code(ask(site.client(), "verb=Identify")) is None
    assert code(ask(site.client(), LIST)) == "noRecordsMatch"


# What is asked wrongly

GET = "verb=GetRecord&metadataPrefix=oai_dc"

WRONG = {
    "": "badVerb",
    "verb=listRecords": "badVerb",
    "verb=Identify&verb=Identify": "badVerb",
    "verb=Identify&lang=de": "badArgument",
    "verb=ListRecords": "badArgument",
    "verb=GetRecord&metadataPrefix=oai_dc": "badArgument",
    f"{LIST}&set=a&set=b": "badArgument",
    f"{LIST}&from=2020-05-06&until=2020-05-06T00:00:00Z": "badArgument",
    f"{LIST}&from=2021-01-01&until=2020-01-01": "badArgument",
    f"{LIST}&from=yesterday": "badArgument",
    f"{LIST}&from=2020-02-30": "badArgument",
    f"{LIST}&from=2020-05-06T07:08:09.5Z": "badArgument",
    f"{LIST}&from=2020-05-06T07:08:09%2B01:00": "badArgument",
    f"{LIST}&from=2020": "badArgument",
    f"{LIST}&set=a%20b": "badArgument",
    f"{LIST}&set=theme:nowhere": "noRecordsMatch",
    f"{LIST}&set=country:XX": "noRecordsMatch",
    f"{LIST}&resumptionToken=x": "badArgument",
    "verb=ListIdentifiers&resumptionToken=": "badResumptionToken",
    "verb=ListSets&resumptionToken=x": "badResumptionToken",
    "verb=ListRecords&metadataPrefix=marc": "cannotDisseminateFormat",
    "verb=ListRecords&metadataPrefix=a%20b": "badArgument",
    "verb=ListRecords&metadataPrefix=marc&from=yesterday": "badArgument",
    f"{GET}&identifier=oai:127.0.0.1:nothing": "idDoesNotExist",
    f"{GET}&identifier=oai:127.0.0.1:{uuid.UUID(int=7)}": "idDoesNotExist",
    f"{GET}&identifier=oai:elsewhere.example:{uuid.UUID(int=7)}": "idDoesNotExist",
    "verb=ListMetadataFormats&identifier=oai:127.0.0.1:nothing": "idDoesNotExist",
}


@pytest.mark.parametrize(("question", "said"), WRONG.items())
def test_what_is_asked_wrongly_is_said_as_the_protocol_wants(reading_site: Site, question: str, said: str) -> None:
    answer = ask(reading_site.client(), question)
    assert code(answer) == said
    request = answer.find("oai:request", NAMES)
    assert request is not None and request.text == "http://127.0.0.1:8000/oai"
    assert bool(request.attrib) == (said not in ("badVerb", "badArgument"))


def test_a_token_belongs_to_its_verb(reading_site: Site) -> None:
    held = token(ask(reading_site.client(), LIST))
    assert code(ask(reading_site.client(), f"verb=ListRecords&resumptionToken={held}")) == "badResumptionToken"
    assert code(ask(reading_site.client(), f"verb=ListIdentifiers&resumptionToken={held}")) is None


@settings(max_examples=40, deadline=None)  # each example asks a server
@given(cut=st.integers(0, 200), put=st.text(max_size=8))
def test_a_token_that_was_tampered_with_goes_on_or_is_refused(reading_site: Site, cut: int, put: str) -> None:
    client = reading_site.client()
    held = token(ask(client, LIST))
    tampered = held[:cut] + put + held[cut + 1 :]
    answer = client.get("/oai", query_string={"verb": "ListIdentifiers", "resumptionToken": tampered})
    assert answer.status_code == 200
    assert code(ET.fromstring(answer.data)) in (None, "badResumptionToken")


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00"])
def test_a_token_with_a_moment_outside_the_calendar_is_refused(reading_site: Site, moment: str) -> None:
    said = json.dumps(["ListIdentifiers", {}, moment, str(uuid.uuid4()), 1]).encode()
    made_up = base64.urlsafe_b64encode(said).decode().rstrip("=")
    answer = reading_site.client().get("/oai", query_string={"verb": "ListIdentifiers", "resumptionToken": made_up})
    assert code(ET.fromstring(answer.data)) == "badResumptionToken"


def test_the_last_part_of_a_list_says_so(reading_site: Site) -> None:
    client = reading_site.client()
    first = ask(client, LIST)
    last = ask(client, f"verb=ListIdentifiers&resumptionToken={token(first)}")
    parts = [each.find(".//oai:resumptionToken", NAMES) for each in (first, last)]
    total = str(len(ids(reading_site)))
    said = [(each.get("completeListSize"), each.get("cursor"), bool(each.text)) for each in parts if each is not None]
    assert said == [(total, "0", True), (total, str(BATCH), False)]
