"""The site's own words for a kind of mail in a language, in place of the built-in ones.

A text names what differs from mail to mail by placeholders such as `{title}`. They are looked for and put in by a plain
search, once: nothing in a text, or in what is put in, is ever evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import MailText, User
from kb.services import audit
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.mail import KINDS
from kb.services.permissions import can
from kb.services.publishing import now
from kb.services.record import tidy

SUBJECT_LIMIT = 150
BODY_LIMIT = 10_000
"""Characters."""

SITE = "site"
"""A placeholder of every kind: the site's name."""

NEEDED = ("url", "message", "change", "news")
"""Placeholders without which a mail would miss its point, where its kind has them."""

BODY_ONLY = ("url", "message", "change", "news")
"""Placeholders that stand for a link or several lines, and fit in no subject."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Words:
    """A subject and a text, with placeholders. Paragraphs of the text are parted by blank lines."""

    subject: str
    body: str


def placeholders(kind: str) -> tuple[str, ...]:
    """What a text of this kind may name."""
    return (*KINDS[kind].needs, SITE)


def needed(kind: str) -> tuple[str, ...]:
    """What a text of this kind has to name."""
    return tuple(name for name in KINDS[kind].needs if name in NEEDED)


def fill(text: str, value: Callable[[str], str | None]) -> str:
    """Put in what `value` returns for each placeholder; where it returns None the text stays as it is."""

    def put(found: re.Match[str]) -> str:
        said = value(found.group(1))
        return found.group(0) if said is None else said

    return _PLACEHOLDER.sub(put, text)


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Put values into a text as they are."""
    return fill(text, lambda name: str(values[name]) if name in values else None)


def own(session: Session, kind: str, language: str) -> Words | None:
    """The site's own words, if it has any."""
    found = session.get(MailText, (kind, language))
    return Words(found.subject, found.body) if found else None


def changed(session: Session, actor: User) -> dict[tuple[str, str], MailText]:
    """All own words, by kind and language. Raises NotAllowed."""
    _administering(actor)
    return {(each.kind, each.language): each for each in session.scalars(select(MailText))}


def check(kind: str, words: Words) -> Words:
    """Return words as they are kept. Raises Invalid with everything that is wrong in them."""
    subject, body = " ".join(words.subject.split()), tidy(words.body) or ""
    problems: list[Problem] = []
    for field, text, limit in (("subject", subject, SUBJECT_LIMIT), ("body", body, BODY_LIMIT)):
        if not text:
            problems.append(Problem.of(field, N_("Write something here, or go back to the built-in words.")))
        elif len(text) > limit:
            problems.append(Problem.of(field, N_("Shorten this: the limit is %(limit)d characters."), limit=limit))
        else:
            problems += _misplaced(kind, field, text)
    named = _PLACEHOLDER.findall(body)
    missing = [name for name in needed(kind) if name not in named]
    if body and missing:
        text = N_("The text has to name %(names)s: without it the mail misses its point.")
        problems.append(Problem.of("body", text, names=_listed(missing)))
    if problems:
        raise Invalid(_first_of_each(problems))
    return Words(subject, body)


def keep(session: Session, actor: User, kind: str, language: str, words: Words, offered: Collection[str]) -> MailText:
    """Keep own words of a kind in one of the languages offered. Raises NotAllowed, NotFound, Invalid."""
    _known(actor, kind, language, offered)
    words = check(kind, words)
    text = session.get(MailText, (kind, language)) or MailText(kind=kind, language=language)
    text.subject, text.body, text.changed, text.changer_id = words.subject, words.body, now(), actor.id
    session.add(text)
    audit.note(session, actor, "mail-text.change", "mail-text", f"{kind}/{language}")
    return text


def reset(session: Session, actor: User, kind: str, language: str, offered: Collection[str]) -> None:
    """Go back to the built-in words. Raises NotAllowed, NotFound, Conflict where those hold already."""
    _known(actor, kind, language, offered)
    text = session.get(MailText, (kind, language))
    if text is None:
        raise Conflict(N_("This mail has its built-in words already."))
    session.delete(text)
    session.flush()
    audit.note(session, actor, "mail-text.reset", "mail-text", f"{kind}/{language}")


def _misplaced(kind: str, field: str, text: str) -> list[Problem]:
    """What is wrong with the placeholders of a text: unknown ones, ones that do not fit here, a lone brace."""
    allowed = [name for name in placeholders(kind) if field == "body" or name not in BODY_ONLY]
    unknown = [name for name in dict.fromkeys(_PLACEHOLDER.findall(text)) if name not in allowed]
    if unknown:
        sentence = N_("%(unknown)s is no placeholder here. There are: %(known)s.")
        return [Problem.of(field, sentence, unknown=_listed(unknown)[:200], known=_listed(allowed))]
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        return [Problem.of(field, N_("A brace stands alone: placeholders are written like {title}."))]
    return []


def _first_of_each(problems: list[Problem]) -> list[Problem]:
    return list({problem.field: problem for problem in reversed(problems)}.values())[::-1]


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _known(actor: User, kind: str, language: str, offered: Collection[str]) -> None:
    _administering(actor)
    if kind not in KINDS or language not in offered:
        raise NotFound(N_("There is no such mail, or the site does not offer this language."))


def _administering(actor: User) -> None:
    if not can(actor, "administer"):
        raise NotAllowed(N_("Only administrators change the texts of mail."))
