"""One question asked the way the site asks it, and whether what comes back is an answer. Uses an app's own parts."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from html import unescape
from time import perf_counter, thread_time
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from flask import Flask

from bench.questions import Ask
from kb.services import catalogue, query
from kb.services.catalogue import Results
from kb.services.errors import Invalid
from kb.services.presenting import SNIPPET_CHARACTERS, Found, plain
from kb.services.query import PER_PAGE, QUESTION_LIMIT, CatalogueQuery, Request
from kb.services.record import NARRATIVE
from kb.web import context

SEARCH = "search"
"""The way past the web: parsed, searched, and shown as the services show it."""

PAGES = ("/practices", "/api/v1/practices", "/suggest")
"""Addresses that take a question. One that the app does not have is not asked."""

MOST_PARTIAL = 10
"""How many partial hits may follow the full ones of a page (`port.Query.partial_limit`)."""

_MARK = re.compile(r"</?mark>")
_INJECTED = ("<script>alert(1)", "<img src=x onerror", "</mark><b>bold")


class Malformed(Exception):
    """An answer that is none."""


class Probe(NamedTuple):
    """How one question fared one way: seconds by the clock, seconds of work, and what went wrong, if anything."""

    ask: Ask
    way: str
    seconds: float
    work: float
    fault: str | None


class Prober:
    """Asks questions of an app, on its own data."""

    def __init__(self, app: Flask) -> None:
        self._parts: context.Parts = app.extensions[context.KEY]
        self._client = app.test_client()
        known = {rule.rule for rule in app.url_map.iter_rules()}
        self.pages = tuple(page for page in PAGES if page in known)
        self._logged = _Logged()
        logging.getLogger("kb").addHandler(self._logged)

    def close(self) -> None:
        """Stop listening to what is logged. The app stays as it is."""
        logging.getLogger("kb").removeHandler(self._logged)

    def probe(self, ask: Ask, ways: tuple[str, ...]) -> Iterator[Probe]:
        """Ask one question in these ways: SEARCH or addresses of `pages`."""
        for way in ways:
            began, working = perf_counter(), thread_time()
            fault, answer = None, None
            try:
                answer = self._search(ask) if way == SEARCH else self._get(way, ask)
            except Exception as error:
                fault = repr(error)
            seconds, work = perf_counter() - began, thread_time() - working
            try:
                if isinstance(answer, Results):
                    check_results(answer)
                elif answer is not None:
                    self._check_page(way, ask, *answer)
            except Malformed as malformed:
                fault = str(malformed)
            yield Probe(ask, way, seconds, work, fault)

    def _search(self, ask: Ask) -> Results:
        with self._parts.database.read() as session:
            vocabulary = self._parts.vocabularies.get(session)
            try:
                asked = query.parse(ask.params, vocabulary)
            except Invalid:
                # What the site refuses, the search bears nevertheless: a limit may be set otherwise one day.
                asked = Request(CatalogueQuery(q=ask.text))
            return catalogue.search(
                session, self._parts.engine, vocabulary, asked.query, asked.page, asked.per_page, "https://example.org"
            )

    def _get(self, way: str, ask: Ask) -> tuple[int, str, str]:
        params = ask.params if way != "/suggest" else ask.params[:1]
        # A lone surrogate is sent as the bytes that are no UTF-8.
        sent = "&".join(f"{name}={quote_plus(value.encode('utf-8', 'surrogatepass'))}" for name, value in params)
        answer = self._client.get(way, query_string=sent)
        if answer.status_code == 302:  # to the address in canonical form
            answer = self._client.get(answer.headers["Location"])
        return answer.status_code, answer.content_type or "", answer.get_data(as_text=True)

    def _check_page(self, way: str, ask: Ask, status: int, kind: str, body: str) -> None:
        if status not in (200, 400, 404):
            raise Malformed(f"status {status}{self._logged.take()}")
        if len(ask.text.strip()) > QUESTION_LIMIT and way != "/suggest" and status != 400:
            raise Malformed(f"a question of {len(ask.text)} characters was answered with {status}")
        if "json" in kind:
            check_json(json.loads(body), status)
        elif any(code in body for code in _INJECTED):
            raise Malformed("what was asked became part of the page's code")
        elif "</html>" not in body:
            raise Malformed("the page has no end")


def check_results(results: Results) -> None:
    """Raise Malformed where a result cannot be what was found."""
    if len(results.full) > min(results.total, results.per_page):
        raise Malformed(f"{len(results.full)} items of {results.total} on a page of {results.per_page}")
    if len(results.beyond) > MOST_PARTIAL:
        raise Malformed(f"{len(results.beyond)} partial items")
    slugs = [item.record["slug"] for item in results.items]
    if len(set(slugs)) < len(slugs):
        raise Malformed("a practice stands there twice")
    if any(count < 0 for values in results.facets.values() for _, count in values):
        raise Malformed("a facet counts less than nothing")
    if results.suggestion and not results.corrected and results.suggestion.total < 1:
        raise Malformed("a suggestion finds nothing")
    for item in results.items:
        check_item(item)


def check_item(item: Found) -> None:
    """Raise Malformed where the title or the snippet of a result is not text of its record, escaped and marked."""
    title, snippet = unmarked(item.title), unmarked(item.snippet)
    if title != item.record["title"]:
        raise Malformed(f"the title {item.record['title']!r} is shown as {title!r}")
    passage = snippet.removeprefix("…\N{NO-BREAK SPACE}").removesuffix("\N{NO-BREAK SPACE}…")
    whole = "\n".join(plain(item.record[key]) for key in ("summary", *NARRATIVE) if item.record[key])
    if len(snippet) > SNIPPET_CHARACTERS or passage not in whole:
        raise Malformed(f"no passage of the text, or one of {len(snippet)} characters: {snippet!r}")


def unmarked(html: str) -> str:
    """Return the text of HTML that holds nothing but text and <mark>. Raises Malformed for any other."""
    if _MARK.findall(html) != ["<mark>", "</mark>"] * html.count("<mark>"):
        raise Malformed(f"marks that do not close: {html!r}")
    bare = _MARK.sub("", html)
    if set(bare) & set("<>\"'") or re.search(r"&(?!(?:amp|lt|gt|quot|#x27);)", bare):
        raise Malformed(f"not escaped: {html!r}")
    return unescape(bare)


def check_json(body: Any, status: int) -> None:
    """Raise Malformed where an answer of the API is neither a list of practices nor a problem."""
    if status != 200:
        if not isinstance(body, Mapping) or body.get("status") != status or not body.get("detail"):
            raise Malformed(f"no problem of RFC 9457: {str(body)[:200]}")
    elif isinstance(body, Mapping) and "total" in body:
        if len(body["items"]) > body.get("per_page", PER_PAGE) + MOST_PARTIAL:
            raise Malformed(f"{len(body['items'])} items")


class _Logged(logging.Handler):
    """Keeps what the app said of the last exception: its page does not say."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self._last = f": {record.exc_info[1]!r}" if record.exc_info else f": {record.getMessage()}"

    def take(self) -> str:
        """Return it, and forget it."""
        last, self._last = self._last, ""
        return last
