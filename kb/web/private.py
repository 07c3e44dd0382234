"""Pages that no cache may keep, and the count of guesses: what the rooms of accounts have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext
from flask_wtf import FlaskForm

from kb.models import User
from kb.services.errors import Invalid, NotFound, Problem, ServiceError, TooMany
from kb.services.limits import Asking, Failures
from kb.web import context

P = ParamSpec("P")

STEP = 0.05
"""Seconds between the moments at which an answer may leave that must not tell by its time what was found."""


def page(html: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A page that no cache may keep, though nobody is signed in yet."""
    return make_response(html, status, {"Cache-Control": "private, no-store", **(headers or {})})


def secret_page(html: str, status: int = 200) -> Response:
    """A page whose address is a secret: no cache keeps it, and no link tells it on."""
    return page(html, status, {"Referrer-Policy": "no-referrer"})


def failures() -> Failures:
    """The count of failed sign-ins, shared by the workers."""
    config = context.config()
    return Failures(context.parts().counted, on=config.limits)


@contextmanager
def counted_codes(user: User) -> Iterator[None]:
    """Count what goes wrong inside as a guess at this person's second factor. Raises TooMany after too many."""
    count, account, address = failures(), f"code of {user.id}", request.remote_addr or ""
    count.begin(account, address)
    try:
        yield
    except Invalid:
        count.failed(address)
        raise
    count.succeeded(account)


def asking(action: str) -> Asking:
    """The count of wishes for a mail, shared by the workers."""
    config = context.config()
    return Asking(context.parts().counted, action, on=config.limits)


def evened(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """Let a view's answer leave only at whole steps of time.

    What is written and hashed is the same for every address, but reading the row of an account that is there takes a
    tenth of a millisecond more than finding none.
    """

    @wraps(view)
    def waiting(*args: P.args, **kwargs: P.kwargs) -> Response:
        began = time.perf_counter()
        answer = make_response(view(*args, **kwargs))
        time.sleep((began - time.perf_counter()) % STEP)
        return answer

    return waiting


def said(form: FlaskForm, problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """What is wrong, in the order of the form, as pairs of the control's id and a sentence."""
    sentences: dict[str, str] = {}
    for problem in problems:
        sentences.setdefault(problem.field, problem.message.render(gettext))
    return [(field.id, sentences[field.id]) for field in form if field.id in sentences]


def too_many(answer: Response, refused: TooMany) -> Response:
    """Make a form's page say that it was sent too often, and when it may be sent again."""
    answer.status_code = 429
    answer.headers["Retry-After"] = str(refused.retry_after)
    return answer


def dead_link(refused: ServiceError, again: str = "") -> Response:
    """The page of a link that does not work (any more); `again` is where a new one can be asked for."""
    html = render_template("accounts/dead_link.html", refused=refused, again=again)
    return secret_page(html, 404 if isinstance(refused, NotFound) else 410)
