"""The words of mail: every kind, in every language, in text and HTML, with nothing in it that nobody meant."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kb import create_app
from kb.config import LANGUAGES
from kb.services.mail import KINDS
from kb.services.postman import NothingToSay, Rendered
from kb.services.resets import ADDRESS_LIFE, RESET_LIFE
from kb.web import mails
from tests.conftest import configure

TEMPLATES = Path(mails.__file__).parents[1] / "templates" / "mail"

VALUES: dict[str, Any] = {
    "url": "/somewhere/secret-token", "inviter": "Bob Editor", "role": "member", "days": 14, "name": "Nora Newcomer",
    "address": "new@example.org", "change": "on", "title": "Mentors for nurses", "message": "How many?\n\nSince when?",
    "topic": "Pay of the mentors",
    "region": "Navarra", "number": 7, "other": "Mentoring for nurses", "search": "Nurses in Italy",
    "source": "https://practices.example.eu", "added": 21, "updated": 32, "waiting": 43, "gone": 54,
    "news": {"practices": [
        {"title": "Mentors", "country": "Italy", "line": "Pairs meet.", "url": "/practices/mentors", "new": True},
        {"title": "Old one", "country": "Spain", "line": "It changed.", "url": "/practices/old-one", "new": False},
    ], "more": 5},
}  # fmt: skip

Render = Callable[..., Rendered]


@pytest.fixture(scope="module")
def render(bare_folder: Path) -> Render:
    """Renders a kind with plausible values, some put in place of others."""
    app = create_app(configure(bare_folder, KB_LANGUAGES=",".join(LANGUAGES), KB_BASE_URL="https://kb.example.eu"))

    def rendered(kind: str, language: str = "en", unsubscribe: str | None = None, **changes: Any) -> Rendered:
        data = {name: changes.get(name, VALUES[name]) for name in KINDS[kind].needs}
        with app.app_context():
            return mails.rendered(kind, data, language, unsubscribe)

    return rendered


class Tags(HTMLParser):
    """What a page opens, and whether it closes it again."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_each_kind_has_both_templates_a_subject_and_a_name_and_there_are_no_others() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == {
        f"{kind}.{form}" for kind in KINDS for form in ("txt", "html")
    }
    assert set(mails.SUBJECTS) == set(mails.NAMES) == set(KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_the_same_in_text_and_html(render: Render, kind: str, language: str) -> None:
    words = render(kind, language)
    assert f'<html lang="{language}">' in words.html
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", words.html))
    said = re.sub(r"\s+", " ", words.text)
    for name in KINDS[kind].needs:
        value = {"url": "https://kb.example.eu/somewhere/secret-token"}.get(name, VALUES[name])
        if name not in ("role", "change", "message", "news"):  # shown in other words, or in several lines
            assert str(value) in said and str(value) in shown
    assert words.subject and all(len(line) <= 72 or "://" in line for line in words.text.splitlines())


@pytest.mark.parametrize("kind", KINDS)
def test_the_html_is_whole_and_asks_for_nothing_from_elsewhere(render: Render, kind: str) -> None:
    page = Tags(render(kind).html)
    assert page.open == []
    assert not {"img", "style", "script", "link", "iframe"} & set(page.seen)
    assert all(link.startswith("https://kb.example.eu") for link in page.links)


def test_an_address_may_be_a_path_or_whole(render: Render) -> None:
    assert "https://kb.example.eu/review/7\n" in render("practice-waiting", url="/review/7").text
    assert "https://other.example/x\n" in render("practice-waiting", url="https://other.example/x").text


def test_an_address_that_is_no_page_leads_nowhere(render: Render) -> None:
    assert 'href="javascript:' not in render("reset", url="javascript:alert(1)").html


def test_a_title_can_forge_neither_a_header_nor_a_paragraph_nor_a_tag(render: Render) -> None:
    title = "Nurses\r\nBcc: eve@example.org\n\nYour password has expired\u2028<b>now</b>"
    words = render("practice-published", title=title)
    one_line = "Nurses Bcc: eve@example.org Your password has expired <b>now</b>"
    assert words.subject == f"Your practice is public: {one_line}"
    assert "\nYour password" not in words.text and "<b>" not in words.html
    assert one_line in " ".join(words.text.split())


def test_a_percent_sign_in_a_title_is_only_a_percent_sign(render: Render) -> None:
    words = render("practice-published", title="100 %(name)s of %s 50%")
    assert words.subject.endswith("100 %(name)s of %s 50%") and "100 %(name)s of %s 50%" in words.html


def test_what_the_editor_wrote_keeps_its_paragraphs(render: Render) -> None:
    words = render("practice-changes-requested", message="How many?\n\nSince <when>?")
    assert "How many?\n\nSince <when>?" in words.text
    assert "<p>How many?</p><p>Since &lt;when&gt;?</p>" in words.html


def test_without_a_word_of_the_editor_there_is_no_empty_quotation(render: Render) -> None:
    words = render("practice-changes-requested", message="")
    assert "blockquote" not in words.html and "writes" not in words.text


@pytest.mark.parametrize("change", mails.CHANGES)
def test_each_change_of_the_second_step_is_said(render: Render, change: str) -> None:
    assert mails.CHANGES[change] in " ".join(render("second-factor-changed", change=change).text.split())


def test_an_optional_mail_says_how_to_end_it(render: Render) -> None:
    words = render("practice-waiting", unsubscribe="https://kb.example.eu/unsubscribe/abc")
    assert (
        "https://kb.example.eu/unsubscribe/abc" in words.text and "https://kb.example.eu/unsubscribe/abc" in words.html
    )


def test_the_mail_of_a_search_names_each_practice_and_how_many_more(render: Render) -> None:
    words = render("search-news")
    assert "New: Mentors (Italy)\nPairs meet.\nhttps://kb.example.eu/practices/mentors\n" in words.text
    assert "Changed: Old one (Spain)" in words.text and "… and 5 more" in words.text
    assert '<a href="https://kb.example.eu/practices/mentors">New: Mentors (Italy)</a><br>Pairs meet.' in words.html
    assert "Changed: Old one (Spain)" in words.html and "… and 5 more" in words.html


def test_the_mail_of_a_search_says_how_to_stop_this_search(render: Render) -> None:
    way_out = "https://kb.example.eu/unsubscribe/search/abc"
    words = render("search-news", unsubscribe=way_out)
    for text in (words.text, words.html):
        assert way_out in text and "because you keep this search" in text and "other people’s" not in text


def test_the_mail_of_a_search_of_which_nothing_is_public_any_more_is_not_made(bare_folder: Path) -> None:
    gone = {"practices": [{"id": str(uuid.uuid4()), "new": True}], "more": 0}
    with pytest.raises(NothingToSay):
        mails.renderer(create_app(configure(bare_folder)))("search-news", {"news": gone}, "en", None)


def test_a_practice_in_the_mail_of_a_search_can_forge_nothing(render: Render) -> None:
    hostile = {"title": "A\nB <b>", "country": "Italy", "line": "1\r\n2 <i>", "url": "/practices/x", "new": True}
    words = render("search-news", news={"practices": [hostile], "more": 0})
    assert "New: A B <b> (Italy)\n1 2 <i>\n" in words.text
    assert "<b>" not in words.html and "<i>" not in words.html and "more" not in words.text


def test_a_language_that_the_site_does_not_offer_falls_back(bare_folder: Path) -> None:
    app = create_app(configure(bare_folder, KB_LANGUAGES="de,en"))
    words = mails.renderer(app)("account-deleted", {}, "fr", None)
    assert '<html lang="de">' in words.html


def test_the_language_is_the_recipients_whatever_the_page_is_in(bare_folder: Path) -> None:
    app = create_app(configure(bare_folder, KB_LANGUAGES="de,fr,en"))
    with app.test_request_context("/?lang=fr"):
        words = mails.renderer(app)("account-deleted", {}, "en", None)
    assert '<html lang="en">' in words.html


def test_the_mails_say_how_long_their_links_work(render: Render) -> None:
    assert (RESET_LIFE.total_seconds(), ADDRESS_LIFE.total_seconds()) == (3600, 24 * 3600)
    assert "within an hour" in render("reset").text and "within 24 hours" in render("address-confirm").text
    assert "within 14 days" in render("invitation").text and "within 1 day." in render("invitation", days=1).text
