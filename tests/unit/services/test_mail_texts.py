"""The site's own words for mail: what is refused, what is put in, and that nothing is evaluated."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Role, User
from kb.services import accounts, mail_texts
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.services.mail import KINDS
from kb.services.mail_texts import Words

OFFERED = ("en", "de")
GOOD = Words("Public: {title}", "“{title}” is online at {site}:\n\n{url}")


@pytest.fixture
def dora(session: Session) -> User:
    return accounts.add_user(session, "dora@example.org", Role.ADMIN)


def wrong(words: Words, kind: str = "practice-published") -> dict[str, str]:
    """What is wrong with words, by field."""
    with pytest.raises(Invalid) as refused:
        mail_texts.check(kind, words)
    return {problem.field: str(problem.message) for problem in refused.value.problems}


def test_words_are_kept_and_found(session: Session, dora: User) -> None:
    mail_texts.keep(session, dora, "practice-published", "de", GOOD, OFFERED)
    assert mail_texts.own(session, "practice-published", "de") == GOOD
    assert mail_texts.own(session, "practice-published", "en") is None
    better = Words("Now public: {title}", GOOD.body)
    mail_texts.keep(session, dora, "practice-published", "de", better, OFFERED)
    assert mail_texts.own(session, "practice-published", "de") == better
    assert list(mail_texts.changed(session, dora)) == [("practice-published", "de")]


def test_the_built_in_words_come_back(session: Session, dora: User) -> None:
    mail_texts.keep(session, dora, "practice-published", "en", GOOD, OFFERED)
    mail_texts.reset(session, dora, "practice-published", "en", OFFERED)
    assert mail_texts.own(session, "practice-published", "en") is None
    with pytest.raises(Conflict):
        mail_texts.reset(session, dora, "practice-published", "en", OFFERED)


def test_only_administrators_change_words(session: Session) -> None:
    bob = accounts.add_user(session, "bob@example.org", Role.EDITOR)
    with pytest.raises(NotAllowed):
        mail_texts.keep(session, bob, "practice-published", "en", GOOD, OFFERED)
    with pytest.raises(NotAllowed):
        mail_texts.reset(session, bob, "practice-published", "en", OFFERED)


@pytest.mark.parametrize(("kind", "language"), [("unheard-of", "en"), ("reset", "fr")])
def test_a_kind_or_language_that_there_is_not_is_unknown(
    session: Session, dora: User, kind: str, language: str
) -> None:
    with pytest.raises(NotFound):
        mail_texts.keep(session, dora, kind, language, GOOD, OFFERED)


def test_an_unknown_placeholder_is_named_with_those_there_are() -> None:
    said = wrong(Words("Hello {nmae}", GOOD.body))["subject"]
    assert said == "{nmae} is no placeholder here. There are: {title}, {site}."


@pytest.mark.parametrize("body", ["It is public.", "{title}", ""])
def test_a_text_without_the_link_is_refused(body: str) -> None:
    assert "body" in wrong(Words("Public", body))


def test_the_link_fits_in_no_subject() -> None:
    assert "{url} is no placeholder here" in wrong(Words("{url}", GOOD.body))["subject"]


@pytest.mark.parametrize(
    "text", ["{url} {", "}{url}", "{url} {{title}}", "{url} {title.__class__}", "{url} {0}", "{url} {}"]
)
def test_braces_that_are_no_placeholder_are_refused(text: str) -> None:
    assert "body" in wrong(Words("Public", text))


@pytest.mark.parametrize("field", ["subject", "body"])
def test_what_is_too_long_is_refused(field: str) -> None:
    words = {"subject": GOOD.subject, "body": GOOD.body}
    words[field] += "x" * mail_texts.BODY_LIMIT
    assert "the limit is" in wrong(Words(**words))[field]


def test_a_subject_is_one_line() -> None:
    assert mail_texts.check("reset", Words("New\r\nBcc: eve@x.eu", "{url}")).subject == "New Bcc: eve@x.eu"


def test_what_is_put_in_is_not_looked_at_again() -> None:
    values = {"title": "{url} {site}", "url": "https://kb.example/x"}
    assert mail_texts.filled("{title} at {url}, {site}", values) == "{url} {site} at https://kb.example/x, {site}"


def test_nothing_in_a_text_is_evaluated() -> None:
    for text in ("{title.__class__}", "{title!r}", "{title:>99}", "%(title)s", "$title", "{{ 7 * 7 }}", "{% if 1 %}"):
        assert mail_texts.filled(text, {"title": "T"}) == text


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_needs_is_among_what_it_may_name(kind: str) -> None:
    assert set(mail_texts.needed(kind)) <= set(mail_texts.placeholders(kind))
    assert ("url" in KINDS[kind].needs) == ("url" in mail_texts.needed(kind))


def test_the_log_says_which_words_changed_not_what_they_say(session: Session, dora: User) -> None:
    mail_texts.keep(session, dora, "reset", "en", Words("Secret subject", "{url}"), OFFERED)
    mail_texts.reset(session, dora, "reset", "en", OFFERED)
    entries = list(session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "mail-text")))
    assert [(entry.action, entry.object_id, entry.detail) for entry in entries] == [
        ("mail-text.change", "reset/en", {}), ("mail-text.reset", "reset/en", {})
    ]  # fmt: skip
