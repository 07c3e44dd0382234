"""One practice as a file: every format, of every public version, for as long as its page is there."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from typing import Any

import docx
import pytest
import rispy
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Practice, State, User
from kb.services import practices, publishing, redaction, vocabularies
from kb.services.checking import check
from kb.web.representations import FILES
from tests import factories
from tests.conftest import Site

ACOL = "/practices/catalonia-acol-line"


def head(answer: TestResponse) -> str:
    return answer.get_data(as_text=True).partition("</head>")[0]


def links(answer: TestResponse) -> dict[str, list[str]]:
    """The addresses in the headers of an answer, by what they are to it."""
    found: dict[str, list[str]] = {}
    for each in ", ".join(answer.headers.getlist("Link")).split(", <"):
        where, _, rel = each.lstrip("<").partition('>; rel="')
        found.setdefault(rel.partition('"')[0], []).append(where)
    return found


@pytest.mark.parametrize("suffix", FILES)
def test_it_is_there_in_every_format(reader: FlaskClient, suffix: str) -> None:
    answer = reader.get(f"{ACOL}.{suffix}")
    assert answer.status_code == 200 and answer.content_type == FILES[suffix].media_type
    name = rf"(inline|attachment); filename=catalonia-acol-line-v1-\d{{4}}-\d\d-\d\d\.{re.escape(suffix)}"
    assert re.fullmatch(name, answer.headers["Content-Disposition"])
    assert answer.headers["X-Robots-Tag"] == "noindex" and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert links(answer)["canonical"][0].endswith(ACOL) and links(answer)["cite-as"][0].endswith(f"{ACOL}/versions/1")


@pytest.mark.parametrize("suffix", FILES)
def test_who_has_it_already_is_not_sent_it_again(reader: FlaskClient, suffix: str) -> None:
    first = reader.get(f"{ACOL}.{suffix}")
    again = reader.get(f"{ACOL}.{suffix}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_json_is_the_whole_record_as_the_api_has_it(reader: FlaskClient) -> None:
    assert reader.get(f"{ACOL}.json").get_json() == reader.get(f"/api/v1{ACOL}").get_json()


def test_words_of_the_vocabularies_are_in_the_readers_language(reader: FlaskClient) -> None:
    [entry] = rispy.loads(reader.get(f"{ACOL}.ris?lang=es").get_data(as_text=True))
    assert "Inclusión laboral" in entry["keywords"]


def test_a_briefing_opens_in_word(reader: FlaskClient) -> None:
    made = docx.Document(io.BytesIO(reader.get(f"{ACOL}.docx?lang=it").data))
    assert made.paragraphs[0].text.startswith("ACOL:") and made.core_properties.language == "it"


@pytest.mark.parametrize("suffix", ["pdf", "PDF", "csl", "json.json", "exe"])
def test_another_format_is_not_found_and_the_page_says_which_there_are(reader: FlaskClient, suffix: str) -> None:
    answer = reader.get(f"{ACOL}.{suffix}")
    assert answer.status_code == 404
    assert f"not there in the format “{suffix}”. It is there as .docx, .md, .json" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "path", ["/practices/nowhere.json", f"{ACOL}/versions/9.bib", f"{ACOL}/versions/9999999999999.md"]
)
def test_what_is_not_there_is_not_found(reader: FlaskClient, path: str) -> None:
    assert reader.get(path).status_code == 404


def test_a_language_a_limit_or_anything_else_in_the_address_does_no_harm(reader: FlaskClient) -> None:
    assert reader.get(f"{ACOL}.json?utm_source=x&lang=xx&page=-1").status_code == 200


# On the page


def test_the_page_names_its_files_in_headers_and_in_its_head(reader: FlaskClient) -> None:
    answer = reader.get(ACOL)
    for each in FILES.values():
        assert any(where.endswith(f"{ACOL}.{each.suffix}") for where in links(answer)["alternate"])
        assert f'<link rel="alternate" type="{each.mimetype}" href="{ACOL}.{each.suffix}"' in head(answer)
    assert links(answer)["cite-as"][0].endswith(f"{ACOL}/versions/1")
    assert links(answer)["license"] == ["https://creativecommons.org/licenses/by/4.0/"]


def test_the_page_describes_itself_in_dublin_core(reader: FlaskClient) -> None:
    found = re.findall(r'<meta name="DC\.(\w+)" content="([^"]*)"', head(reader.get(ACOL)))
    said: dict[str, str] = {name: unescape(content) for name, content in found}
    assert said["title"].startswith("ACOL:") and said["identifier"].endswith(f"{ACOL}/versions/1")
    assert said["language"] == "en" and re.fullmatch(r"\d{4}-\d\d-\d\d", said["date"])
    assert said["creator"] == said["publisher"]  # of the seed the site is


@pytest.mark.parametrize(("path", "kind"), [(ACOL, "CreativeWork"), ("/", "WebSite")])
def test_the_page_carries_its_linked_data(reader: FlaskClient, path: str, kind: str) -> None:
    [data] = re.findall(r'<script type="application/ld\+json">([^<]*)</script>', head(reader.get(path)))
    assert f'"@type": "{kind}"' in data and json.loads(data)["@context"]["@vocab"] == "https://schema.org/"


def test_beside_its_citation_a_page_says_that_it_was_compiled(reader: FlaskClient) -> None:
    cites = reader.get(ACOL).get_data(as_text=True).partition('id="cite"')[2].partition("</section>")[0]
    assert "Compiled from public sources" in cites and "compiled from the sources named" in cites


def test_the_page_cites_its_version_in_two_styles(reader: FlaskClient) -> None:
    page = reader.get(ACOL).get_data(as_text=True)
    for style in ("apa", "chicago"):
        [cited] = re.findall(rf'<p class="cite" id="cite-{style}"[^>]*>(.*?)</p>', page)
        assert f'{ACOL}/versions/1">' in cited and "Regional integration practices" in cited


# What became of it


@pytest.fixture
def slug(site: Site) -> str:
    """Of a practice that Alice published twice."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practice = factories.published(session, alice, title="Nurses", actions="Pairs meet weekly.")
        again = factories.document(title="Nurses", actions="Pairs meet daily.")
        practices.save(session, alice, practice, again, factories.CONTACT)
        publishing.publish(session, practice, check(again, vocabularies.load(session)))
        made = str(practice.slug)
    site.drain()
    return made


def held(session: Any, slug: str) -> Practice:
    return session.scalars(select(Practice).where(Practice.slug == slug)).one()  # type: ignore[no-any-return]


def test_an_older_version_has_files_of_its_own(site: Site, slug: str) -> None:
    reader = site.client()
    assert "weekly" in reader.get(f"/practices/{slug}/versions/1.md").get_data(as_text=True)
    assert "daily" in reader.get(f"/practices/{slug}.md").get_data(as_text=True)
    page = reader.get(f"/practices/{slug}/versions/1").get_data(as_text=True)
    assert f'href="/practices/{slug}/versions/1.ris"' in page and f'{slug}/versions/1">' in page


def test_the_author_of_a_members_practice_is_the_lead_organisation(site: Site, slug: str) -> None:
    page = site.client().get(f"/practices/{slug}")
    assert '<meta name="DC.creator" content="Regional health service">' in head(page)


def test_no_file_holds_a_contact(site: Site, slug: str) -> None:
    for suffix in FILES:
        for who in (None, "alice", "dora"):
            data = site.client(who).get(f"/practices/{slug}.{suffix}").data
            assert factories.CONTACT["email"].encode() not in data
            if suffix == "docx":
                assert factories.CONTACT["email"] not in "".join(
                    part.blob.decode("utf-8", "replace") for part in docx.Document(io.BytesIO(data)).part.package.parts
                )


def test_an_archived_practice_keeps_its_files_which_say_so(site: Site, slug: str) -> None:
    with site.database.write() as session:
        publishing.unpublish(session, held(session, slug))
        held(session, slug).state = State.ARCHIVED
    for suffix in set(FILES) - {"json", "docx"}:
        assert b"In the archive since" in site.client().get(f"/practices/{slug}.{suffix}").data, suffix
    assert site.client().get(f"/practices/{slug}.json").status_code == 200
    page = site.client().get(f"/practices/{slug}").get_data(as_text=True)
    assert "This practice is in the archive: no longer maintained." in page and f"{slug}/versions/2" in page


def test_a_redacted_version_is_gone_with_the_reason(site: Site, slug: str) -> None:
    with site.database.write() as session:
        dora = session.scalars(select(User).where(User.email == "dora@example.org")).one()
        redaction.redact(session, dora, held(session, slug).id, 1, "It named a child.")
    answer = site.client().get(f"/practices/{slug}/versions/1.json")
    assert answer.status_code == 410 and "It named a child." in answer.get_data(as_text=True)


def test_a_practice_whose_text_was_taken_away_is_gone_with_the_reason(site: Site, slug: str) -> None:
    with site.database.write() as session:
        dora = session.scalars(select(User).where(User.email == "dora@example.org")).one()
        redaction.redact(session, dora, held(session, slug).id, 2, "It named a child.")
    for path in (f"{slug}.md", f"{slug}.docx", f"{slug}/versions/2.json"):
        answer = site.client().get(f"/practices/{path}")
        assert answer.status_code == 410 and "It named a child." in answer.get_data(as_text=True)


def test_a_merged_practice_leads_to_the_same_file_of_the_other(site: Site, slug: str) -> None:
    with site.database.write() as session:
        into = factories.published(session, title="Nurses of the whole region")
        practice = held(session, slug)
        publishing.unpublish(session, practice)
        practice.state, practice.merged_into_id = State.ARCHIVED, into.id
        target = into.slug
    answer = site.client().get(f"/practices/{slug}.csl.json")
    assert (answer.status_code, answer.location) == (301, f"/practices/{target}.csl.json")


def test_a_practice_taken_offline_has_no_file(site: Site, slug: str) -> None:
    with site.database.write() as session:
        publishing.unpublish(session, held(session, slug))
    for path in (f"/practices/{slug}.json", f"/practices/{slug}/versions/1.bib"):
        assert site.client().get(path).status_code == 404


def test_a_draft_has_no_file(site: Site) -> None:
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        draft = str(factories.draft(session, alice).id)
    assert site.client("alice").get(f"/practices/{draft}.json").status_code == 404
