"""What templates may ask for: formats by locale, names and labels, Markdown, addresses, and who is reading."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any
from urllib.parse import urlsplit

import nh3
from babel import Locale
from babel.lists import format_list
from flask import Flask, current_app, g, request, url_for
from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.utils import safe_join

from kb.formats import telling
from kb.formats.about import Reader
from kb.models import Evidence, Practice, User
from kb.services import adoptions, moderation, permissions, presenting, titles
from kb.services.errors import Message
from kb.services.files import ADDRESS
from kb.services.query import PER_PAGE, CatalogueQuery
from kb.services.record import Document
from kb.services.values import is_web_address
from kb.services.vocabularies import by_name
from kb.services.vocabularies import country_name as name_of_country
from kb.web import accounts, catalogues, context, labels, languages, returning, saying
from kb.web.addresses import address, practice_url
from kb.web.carrying import carried
from kb.web.catalogues import gettext

log = logging.getLogger(__name__)

EVIDENCE_STEPS = (
    Evidence.MONITORING,
    Evidence.SELF_EVALUATION,
    Evidence.EXTERNAL_EVALUATION,
    Evidence.COUNTERFACTUAL,
)
"""The scale of evidence, weakest first."""

CARRYING = ("catalogue.search", "alike.choose", "atlas.map")
"""Pages of a query that lead on to practices: a visitor's shortlist goes along."""

MOST_SIGNS = 1_000
"""Signs of Markdown, and ends of lines, up to which a text is read as such; one of more is shown as it was typed.

No writer needs that many in a draft's 20,000 characters, and a text of brackets takes a hundred times as long as words.
"""

_SIGN = re.compile(r"[\[*_`<&!\\\n]")
_TAGS = {"p", "br", "hr", "em", "strong", "ul", "ol", "li", "a", "code", "pre", "blockquote", "h3"}


def init_app(app: Flask) -> None:
    """Give an app's templates their filters, functions and constants."""
    filters = (
        markdown, number, money, partial, day, host, message, country_name, region_name, theme_name, group_name,
        language_name, language_within, listed, known_as, public_title, by_name,
    )  # fmt: skip
    functions = (
        static_url, language_url, query_url, lang_attr, label, facet_label, lifespan, span, place_name, evidence_step,
        evidence_boxes, practice_url, in_readers_language, unverified, saying.said_in, saying.title_of,
        saying.public_title_of, saying.known_title_of, saying.colon,
    )  # fmt: skip
    catalogues.install(app.jinja_env)
    app.jinja_env.make_globals = functools.partial(_globals, app.jinja_env)  # type: ignore[method-assign]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update({each.__name__: each for each in filters})
    app.jinja_env.globals.update({each.__name__: each for each in functions})
    app.jinja_env.tests["linkable"] = linkable
    app.jinja_env.globals.update(LABELS=labels, EVIDENCE_STEPS=EVIDENCE_STEPS)
    app.context_processor(_page)


def _globals(environment: Environment, own: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
    """What a template may ask for beside what it is given: all have the same, in one map.

    Jinja's own chain of two maps is gone through for every import of every page.
    """
    return {**environment.globals, **own} if own else environment.globals


def _page() -> dict[str, Any]:
    """What the layout needs on every page. Whatever breaks here must not take an error page with it."""
    values: dict[str, Any] = {
        "site_name": context.config().site_name,
        "page_language": languages.chosen(),
        "offered": languages.offered(),
        "user": None,
        "waiting": None,
        "adoptions_waiting": 0,
    }
    try:
        values["user"] = user = accounts.current()
        if permissions.can(user, "review"):
            values["waiting"] = moderation.waiting(context.reading())
            values["adoptions_waiting"] = adoptions.waiting_count(context.reading())
    except Exception:
        log.exception("who is reading could not be told; the page goes out without")
    return values


# Texts


def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).disable("image")
    for rule in ("heading_open", "heading_close"):
        renderer.add_render_rule(rule, _heading)
    return renderer


def _heading(_self: Any, tokens: Any, position: int, options: Any, _env: Any) -> str:
    """A heading inside a text stands below the page's own, whatever its writer gave it."""
    return "<h3>" if tokens[position].nesting == 1 else "</h3>\n"


_MARKDOWN = _renderer()
_PLAIN = MarkdownIt("zero")  # paragraphs, and nothing else


def markdown(text: str | None) -> Markup:
    """A record's Markdown as HTML: no raw HTML, no images, links to the web and to addresses of mail only."""
    written = text or ""
    renderer = _MARKDOWN if len(_SIGN.findall(written)) <= MOST_SIGNS else _PLAIN
    html = nh3.clean(
        renderer.render(written),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",  # a text is read in exports too, where a relative address leads nowhere
        link_rel="noopener nofollow",
    )
    return Markup(html)  # noqa: S704 (nh3 has just cleaned it)


def message(said: Message | str) -> str:
    """A service's sentence in the language of the page."""
    return said.render(gettext) if isinstance(said, Message) else gettext(said)


def listed(items: Iterable[str]) -> str:
    """Words as a list in the language of the page: "a, b and c"."""
    return _listed(tuple(map(str, items)), languages.chosen())


@lru_cache(maxsize=1024)
def _listed(items: tuple[str, ...], language: str) -> str:
    return format_list(items, locale=telling.locale(_readers(language)))


def known_as(person: User) -> str:
    """Somebody's name, or their address where they gave none; whoever deleted their account has neither."""
    return gettext("someone who left") if person.deleted else person.name or person.email


def public_title(practice: Practice) -> str:
    """What readers call a practice; its address where its text was removed."""
    return titles.public(context.reading(), practice) or practice.slug or ""


def linkable(url: str | None) -> bool:
    """Whether what was typed as an address may be a link: to the web, or to a file here."""
    return is_web_address(url or "") or ADDRESS.fullmatch(url or "") is not None


def host(url: str) -> str:
    """The host of an address, without `www.`; nothing where it is no address."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def lang_attr(language: str | None) -> Markup:
    """` lang="ca"` where a text is not in the language of the page; nothing where it is, or where nobody knows."""
    if not language or language == languages.chosen():
        return Markup("")
    return Markup(' lang="{}"').format(language)


def in_readers_language(record: Document) -> dict[str, Any]:
    """A record's title and summary as the reader can best read them: see `presenting.in_language`."""
    return presenting.in_language(record, languages.chosen())


# Numbers and dates


@dataclass(frozen=True)
class _Reader:
    """Whoever reads the page."""

    language: str
    say: Callable[[str], str] = gettext


_readers = lru_cache(maxsize=64)(_Reader)


def reader() -> Reader:
    """Whoever reads the page, for what `telling` says."""
    return _readers(languages.chosen())


def _locale() -> Locale:
    return telling.locale(reader())


def number(value: float) -> str:
    """A number as the reader writes it: 2,596."""
    return telling.number(value, reader())


def money(value: float) -> str:
    """An amount in euro: €526,000, €19 million; the sign stands where the reader's language puts it."""
    return telling.money(value, reader(), short=True)


def partial(text: str) -> str:
    """A partial date in words: "2016", "May 2016"."""
    return telling.partial(text, reader())


def day(value: date | datetime | str) -> str:
    """A day in words: "23 November 2026". Takes a date, a moment, or either as ISO text."""
    return telling.day(str(value), reader())


def unverified(record: Document) -> str:
    """That nobody has verified a practice for too long, in words; nothing where somebody has, or nobody need."""
    due, last = record.get("review_due"), record.get("last_verified")
    if not due or due > datetime.now(UTC).date().isoformat():
        return ""
    return gettext("Not verified since %(when)s", when=day(last)) if last else gettext("Not verified yet")


# Names


def country_name(code: str) -> str:
    """A country's name in the language of the page."""
    return name_of_country(code, languages.chosen())


def region_name(code: str) -> str:
    """A region's name for the reader; the code itself where the list does not hold it."""
    return labels.facet("region", code, languages.chosen())


def theme_name(slug: str) -> str:
    """A theme's name in the language of the page."""
    return labels.facet("theme", slug, languages.chosen())


def group_name(slug: str) -> str:
    """A target group's name in the language of the page."""
    return labels.facet("target_group", slug, languages.chosen())


def language_name(code: str) -> str:
    """A language's name in the language of the page."""
    return labels.language_name(code, languages.chosen())


def language_within(code: str) -> str:
    """A language's name in the language of the page, as it stands inside a sentence."""
    return str(_locale().languages.get(code, code))


def label(table: str, value: str | None) -> str:
    """What a value of an enum is called: `label('status', record.status)`."""
    return labels.label(table, value)


def facet_label(name: str, value: str) -> str:
    """What a value of a filter is called in the language of the page."""
    return labels.facet(name, value, languages.chosen())


def lifespan(record: Document) -> str:
    """A practice's status and years: "Running since 2018"."""
    return labels.lifespan(record["status"], record["start"], record["end"])


def span(record: Document) -> str:
    """When a practice ran, as exactly as is known: "since May 2016", "2016 to June 2018"; empty where nothing is."""
    return telling.span(record, reader())


def place_name(record: Document) -> str:
    """Where a practice is, as its people say: the place, else the region, else the country; a draft may not say."""
    if record["place"]:
        return str(record["place"])
    if not record["country"]:
        return gettext("Place not chosen yet")
    return region_name(record["region"]["code"]) if record["region"] else country_name(record["country"])


def evidence_step(value: str | None) -> int:
    """How many of the four steps of evidence are reached; 0 for none and for not reported."""
    return EVIDENCE_STEPS.index(Evidence(value)) + 1 if value in EVIDENCE_STEPS else 0


@lru_cache(maxsize=len(EVIDENCE_STEPS) + 1)
def evidence_boxes(step: int) -> Markup:
    """A box for each step of evidence, those that are reached filled: for lists, where there are many."""
    look = (Markup(' class="on"'), Markup(' fill="none" stroke="currentColor"'))
    box = Markup('<rect x="{}" y=".5" width="15" height="7"{}/>')
    return Markup("").join(box.format(x, look[at >= step]) for at, x in enumerate(("0.5", "19", "37.5", "56")))


# Addresses


def static_url(filename: str, endpoint: str = "static") -> str:
    """The address of a file in `static/`, with a hash of its content, so that browsers may keep it for a year."""
    return address(endpoint, filename=filename, v=content_hash(endpoint, filename))


def content_hash(endpoint: str, filename: str) -> str | None:
    """The hash in the address of a file in `static/`; None where there is no such file."""
    app = current_app.blueprints[endpoint.partition(".")[0]] if "." in endpoint else current_app
    path = safe_join(str(app.static_folder), filename) or ""
    try:
        about = os.stat(path)
    except (OSError, ValueError):
        return None
    return _hash(path, about.st_mtime_ns) if S_ISREG(about.st_mode) else None


@lru_cache(maxsize=64)
def _hash(path: str, _changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]


def language_url(code: str) -> str:
    """The address at which a browser is told to remember a language; it leads back to the present one."""
    if "language_urls" not in g:  # a page has each of them twice
        back = _back()
        g.language_urls = {each: _language_url(each, back) for each, _name in languages.offered()}
    return str(g.language_urls.get(code) or _language_url(code, _back()))


def _back() -> str | None:
    """Where whoever chose a language goes back to."""
    kept = labels.encode([(name, value) for name, value in request.args.items(multi=True) if name != "lang"])
    back = f"{request.path}?{kept}" if kept else request.path
    return back if request.method == "GET" or returning.route(request.path, "GET") else None


def _language_url(code: str, back: str | None) -> str:
    return url_for("pages.language", code=code, to=back)


def query_url(
    query: CatalogueQuery, page: int = 1, per_page: int = PER_PAGE, endpoint: str = "catalogue.search", **changes: Any
) -> str:
    """The address of a list of practices: a query, with some of its fields changed, at one page of it."""
    params = replace(query, **changes).to_params()
    if per_page != PER_PAGE:
        params.append(("per_page", str(per_page)))
    if page != 1:
        params.append(("page", str(page)))
    if endpoint in CARRYING:
        params += carried()
    if endpoint == "catalogue.search" and "lang" in request.args:
        params.append(("lang", languages.chosen()))
    return address(endpoint) + ("?" + labels.encode(params) if params else "")
