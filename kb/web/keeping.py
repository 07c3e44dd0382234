"""What somebody typed comes back to them where it cannot be kept: in boxes to copy from, or to send once more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple, ParamSpec

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import MultiDict

from kb.models import Buffer
from kb.services.errors import N_, Conflict, Gone, Message, NotAllowed, NotFound
from kb.services.record import LABELS
from kb.web import context, documents, languages, private
from kb.web.returning import here, restorers

P = ParamSpec("P")
Pairs = MultiDict[str, str]

NO_WORDS = frozenset({
    "csrf_token", "do", "add", "remove", "seen", "draft", "copy", "began", "since", "kind", "website", "check", "field",
    "editor", "tell", "suggest", "mine", "after", "contact_seen",
})  # fmt: skip
"""Fields that a form sends of itself, or that are chosen: nobody wrote them."""

NAMES = {
    "message": N_("Message to the author"),
    "note": N_("What you mended"),
    "reason": N_("Reason"),
    "answer": N_("Answer"),
    "body": N_("What is wrong"),
    "email": N_("Email"),
    "alt": documents.PARTS["alt"],
    "credit": documents.PARTS["credit"],
    "changes": N_("What you changed"),
    "topic": N_("Subject"),
}
"""What the fields are called that are none of a record."""

BUSY = Message(N_("The site is busy and could not keep this. Nothing of it is lost: send it again in a minute."))


class Word(NamedTuple):
    """One text that somebody typed: the name it was sent under, what that is called, and the text."""

    name: str
    label: str
    text: str


def words(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let a view that is sent a form lose none of what was typed into it, whatever changed meanwhile.

    Where somebody may no longer do it, or came too late, their words are shown to be copied; where the site is busy,
    to be sent once more. What the view itself catches is not asked about here.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        try:
            return view(*args, **kwargs)
        except (NotFound, NotAllowed, Conflict, Gone) as refused:
            if not typed(request.form.items(multi=True)):
                raise
            return late(refused.message)
        except OperationalError:
            return again()

    return guarded


def again() -> Response:
    """The words of this request's form, to be sent once more: the site was too busy to keep them."""
    context.release()
    return _page(request.form, BUSY, 503, again=here(), headers={"Retry-After": "60"})


def late(message: Message) -> Response:
    """The words of this request's form, to be copied: they cannot be sent any more."""
    context.release()
    return _page(request.form, message, 409)


def restorer(endpoint: str, said: str) -> None:
    """Show what was sent to an endpoint after the session had ended once more, to be sent; `said` is a sentence."""

    def restored(pairs: Pairs, **values: Any) -> ResponseReturnValue:
        return _page(pairs, Message(said), 200, again=url_for(endpoint, **values), anew=True)

    restorers[endpoint] = restored


def kept(buffer: Buffer | None) -> list[Word]:
    """The words of what somebody typed and did not save."""
    return typed((name, text) for name, text in buffer.pairs) if buffer else []


def typed(pairs: Iterable[tuple[str, str]]) -> list[Word]:
    """What was written among the fields of a form, in its order."""
    return [
        Word(name, label(name), text)
        for name, text in _opened(pairs)
        if name not in NO_WORDS and _is_written(name, text)
    ]


def label(name: str) -> str:
    """What a field of one of our forms is called; its name, where it is none."""
    mark, _dash, rest = name.partition("-")
    if mark == "comment" and rest in LABELS:
        return _("Question about: %(field)s", field=documents.field_name(rest))
    if mark == "text" and rest:
        return label(rest)
    if mark in NAMES and mark not in LABELS:
        return _(NAMES[mark])
    path = name.replace("-", ".")
    return documents.path_name(path) if path.partition(".")[0] in LABELS else name


def _is_written(name: str, text: str) -> bool:
    return bool(text.strip()) and not name.startswith("choose-") and not name.endswith("consent")


def _opened(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The fields; the whole text that the page of two texts carries, as fields of its own."""
    for name, text in pairs:
        if name != "mine":
            yield name, text
            continue
        with suppress(ValueError, RecursionError):
            yield from _leaves("", json.loads(text))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """The texts in a document, by path."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from _leaves(f"{path}.{key}" if path else str(key), entry)
    if path and isinstance(value, str | int | float) and not isinstance(value, bool):
        yield path, str(value)


def _page(
    pairs: Pairs,
    message: Message,
    status: int,
    *,
    again: str = "",
    anew: bool = False,
    headers: dict[str, str] | None = None,
) -> Response:
    """The words; with `again`, in a form that sends them there, with a token of its own where it is `anew`."""
    found = typed((name, text) for name, text in pairs.items(multi=True) if not again or name != "mine")
    shown = {(word.name, word.text) for word in found}
    hidden = [pair for pair in pairs.items(multi=True) if pair not in shown and pair[0] != "csrf_token"]
    html = render_template(
        "errors/words.html",
        status=status,
        sentence=languages.say(message),
        words=found,
        again=again,
        hidden=hidden,
        token=generate_csrf() if anew else pairs.get("csrf_token", ""),
    )
    return private.page(html, status, headers)
