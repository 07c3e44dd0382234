"""Changing the texts of mail: the list, the form, the preview, and what then goes out."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from kb.config import LANGUAGES
from kb.services.mail import KINDS
from kb.services.mail_texts import Words
from kb.services.postman import Rendered
from kb.web import mail_words, mails
from tests import stack
from tests.conftest import Site, configure, token

PATH = "/admin/mail/texts/practice-published/en"
WORDS = {"subject": "Online: {title}", "body": "Dear colleague,\n\n<b>{title}</b> & co\nis at {url}\n\n{site}"}


@pytest.fixture
def site(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site in every language."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LANGUAGES=",".join(LANGUAGES),
                          KB_BASE_URL="https://kb.example.eu", KB_TRUSTED_HOSTS="localhost"))  # fmt: skip
    yield site
    site.close()


def post(site: Site, do: str, path: str = PATH, **typed: str) -> TestResponse:
    dora = site.client("dora")
    return dora.post(path, data={"csrf_token": token(dora, "/account"), "do": do, **WORDS, **typed})


def sent(site: Site, kind: str = "practice-published", language: str = "en", **data: str) -> Rendered:
    """A mail as it goes out."""
    values = {"title": "Mentors", "url": "/practices/mentors", "message": "One\n\nTwo", **data}
    wanted = {name: values[name] for name in KINDS[kind].needs}
    return mails.renderer(site.app)(kind, wanted, language, None)


def test_the_list_names_every_kind_and_language_and_which_have_own_words(site: Site) -> None:
    post(site, "keep")
    page = site.client("dora").get("/admin/mail/texts").text
    assert page.count("/admin/mail/texts/") >= len(KINDS) * len(LANGUAGES) and page.count("own words") == 1


def test_the_form_begins_with_the_built_in_words(site: Site) -> None:
    page = unescape(site.client("dora").get(PATH).text)
    assert 'value="Your practice is public: {title}"' in page
    assert "“{title}” is public: anyone can read and find it now." in page and "{url}</p>" not in page


@pytest.mark.parametrize("kind", KINDS)
def test_the_built_in_words_can_be_read_with_their_placeholders_and_kept(site: Site, kind: str) -> None:
    with site.app.test_request_context("/"):
        for language in ("en", "pl"):
            words = mail_words.builtin(kind, language, mails.SUBJECTS[kind])
            for name in KINDS[kind].needs:
                assert f"{{{name}}}" in words.body + words.subject
            assert "9100" not in words.body + words.subject
    path = f"/admin/mail/texts/{kind}/en"
    assert site.client("dora").get(path).status_code == 200
    assert post(site, "preview", path, subject=words.subject, body=words.body).status_code == 200


def test_a_mail_goes_out_in_the_own_words(site: Site) -> None:
    assert post(site, "keep").status_code == 302
    words = sent(site)
    assert words.subject == "Online: Mentors"
    assert "Dear colleague,\n\n<b>Mentors</b> & co\nis at https://kb.example.eu/practices/mentors\n" in words.text
    assert words.text.startswith("Hello,") and "\n-- \n" in words.text


def test_in_html_all_is_escaped_and_the_address_is_a_link(site: Site) -> None:
    post(site, "keep")
    html = sent(site, title="<script>x</script> {url}").html
    assert "<script>" not in html and "<b>" not in html
    assert "&lt;b&gt;&lt;script&gt;x&lt;/script&gt; {url}&lt;/b&gt; &amp; co<br>" in html
    assert '<a href="https://kb.example.eu/practices/mentors">https://kb.example.eu/practices/mentors</a>' in html


def test_other_languages_and_kinds_keep_the_built_in_words(site: Site) -> None:
    before = sent(site, language="de"), sent(site, "practice-rejected")
    post(site, "keep")
    assert (sent(site, language="de"), sent(site, "practice-rejected")) == before


def test_a_preview_keeps_nothing(site: Site) -> None:
    answer = post(site, "preview")
    assert answer.status_code == 200 and "Online: Mentors for nurses" in answer.text
    assert "&lt;b&gt;Mentors for nurses&lt;/b&gt; &amp; co" in answer.text
    assert "Your practice is public" in sent(site).subject


def test_wrong_words_come_back_with_what_is_wrong(site: Site) -> None:
    answer = post(site, "keep", subject="{oops}", body="No link")
    assert answer.status_code == 422 and answer.text.count('role="alert"') == 1
    assert 'value="{oops}"' in answer.text and "No link</textarea>" in answer.text
    assert "{oops} is no placeholder here" in answer.text and "has to name {url}" in answer.text


def test_the_way_back_to_the_built_in_words(site: Site) -> None:
    post(site, "keep")
    assert "Back to the built-in words" in site.client("dora").get(PATH).text
    assert post(site, "reset").status_code == 302
    assert "Back to the built-in words" not in site.client("dora").get(PATH).text
    assert "Your practice is public" in sent(site).subject


@pytest.mark.parametrize("path", ["/admin/mail/texts/unheard-of/en", "/admin/mail/texts/reset/xx"])
def test_a_text_that_there_is_not_is_not_found(site: Site, path: str) -> None:
    assert site.client("dora").get(path).status_code == 404
    assert [post(site, do, path).status_code for do in ("keep", "preview", "reset")] == [404] * 3


def test_braces_in_what_a_template_engine_would_run_are_refused_or_shown_as_they_are(site: Site) -> None:
    assert post(site, "keep", body="{{ config }} {url}").status_code == 422
    with site.app.test_request_context("/"):
        own = Words("S", "{% if 1 %} {{ 7*7 }} {url}")
        assert "{{ 7*7 }}" in mails.rendered("reset", {"url": "/x"}, "en", own=own).text
