"""Public pages that are sent again only where something changed: their ETag, made before anything is searched.

What such a page shows follows from its address, its language and its day, from the index, from what is public, from the
vocabularies and from the software. A word is made of all of these; whoever sends it back as If-None-Match gets 304.
A page of somebody with a cookie of ours, signed in or not, has no ETag: it may say something to them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, wraps
from hashlib import blake2b
from pathlib import Path
from typing import Any, ParamSpec

from flask import Response, current_app, make_response, request, session
from flask.typing import ResponseReturnValue

from kb.search.port import SearchUnavailable
from kb.services import changes
from kb.web import context, languages

P = ParamSpec("P")

SOFTWARE = Path(__file__).parents[1]
"""The folder of everything that a page is made with."""


def editioned(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """Give a public page its ETag, and answer 304 to whoever has this edition of it."""

    @wraps(view)
    def answering(*args: P.args, **kwargs: P.kwargs) -> Response:
        edition = _edition()
        if edition is None:
            return make_response(view(*args, **kwargs))
        known = not request.if_none_match.star_tag and request.if_none_match.contains_weak(edition)
        answer = Response(status=304) if known else make_response(view(*args, **kwargs))
        if answer.status_code in (200, 304):
            answer.set_etag(edition, weak=True)
            answer.headers["Cache-Control"] = "no-cache"  # kept, and asked about each time
        return answer

    return answering


def _edition() -> str | None:
    """The word of this page as it would be made now; None where it may hold what is for its reader alone.

    None too where the search engine does not answer: such a page may be made without it. Raises IndexLost.
    """
    if request.method not in ("GET", "HEAD") or session or current_app.debug:  # then templates may change meanwhile
        return None
    try:
        index = context.engine().generation()  # first: what is read after it is no older than what it names
    except SearchUnavailable:
        return None
    stand = changes.stand(context.reading())
    context.vocabulary(stand.vocabularies)
    config = context.config()
    parts: tuple[Any, ...] = (
        index, *stand, datetime.now(UTC).date(), languages.chosen(), request.full_path, _software(), config.site_name,
        config.base_url, config.languages,
    )  # fmt: skip
    return blake2b("\n".join(map(str, parts)).encode(), digest_size=12).hexdigest()


@lru_cache(maxsize=1)
def _software() -> str:
    """A word for the code, templates, texts and files that this process was started with."""
    known = blake2b(digest_size=12)
    for path in sorted(path for path in SOFTWARE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        about = path.stat()
        known.update(f"{path.relative_to(SOFTWARE)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return known.hexdigest()
