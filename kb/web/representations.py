"""One practice as a file: the same address with another ending, of the newest version or of any public one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.http import dump_options_header
from werkzeug.routing import BaseConverter

from kb.formats import bibtex, citation, csl, docx, jsonld, markdown, ris
from kb.formats.about import About, Document
from kb.services import lifecycle, presenting, versions
from kb.services.errors import N_, Moved, NotFound
from kb.services.versions import Online
from kb.web import context, exports, framing, templating

bp = Blueprint("representations", __name__)

Writer = Callable[[Document, About], str | bytes]

UNKNOWN = N_("This practice is not there in the format “%(suffix)s”. It is there as %(those)s.")


@dataclass(frozen=True)
class Representation:
    """One format of a practice. `name` is what links to it say, translatable; `cites` whether it is a citation."""

    suffix: str
    media_type: str
    write: Writer
    name: str
    cites: bool = False
    opened: bool = False

    @property
    def mimetype(self) -> str:
        """The media type without its parameters, as links name it."""
        return self.media_type.partition(";")[0]


def _whole(document: Document, _about: About) -> str:
    return json.dumps(document, ensure_ascii=False) + "\n"


def _briefing(document: Document, about: About) -> bytes:
    return docx.one(document, about, presenting.in_language(document, about.language))


_REFERENCES, _TEX = (exports.FORMATS[suffix].media_type for suffix in ("ris", "bib"))

FILES = {
    each.suffix: each
    for each in (
        Representation("docx", docx.MEDIA_TYPE, _briefing, N_("Word, two pages")),
        Representation("md", "text/markdown; charset=utf-8", markdown.one, N_("Markdown, the whole text"), opened=True),
        Representation("json", "application/json", _whole, N_("JSON, the whole record"), opened=True),
        Representation("jsonld", "application/ld+json", jsonld.one, N_("JSON-LD, linked data"), opened=True),
        Representation("ris", _REFERENCES, ris.one, N_("RIS, for Zotero or EndNote"), cites=True),
        Representation("bib", _TEX, bibtex.one, N_("BibTeX"), cites=True),
        Representation(
            "csl.json", "application/vnd.citationstyles.csl+json", csl.one, N_("CSL-JSON"), cites=True, opened=True
        ),
    )
}
"""Formats of a practice by their suffix, in the order of the page."""


class _Stem(BaseConverter):
    """A slug before a suffix: slugs hold no dots."""

    regex = "[^/.]+"


class _Suffix(BaseConverter):
    """What follows the dot, which may hold another."""

    regex = "[A-Za-z][A-Za-z0-9.]{0,30}"


@bp.record_once
def _know_suffixes(state: BlueprintSetupState) -> None:
    state.app.url_map.converters.update(stem=_Stem, suffix=_Suffix)


@bp.get("/practices/<stem:slug>.<suffix:suffix>")
def practice(slug: str, suffix: str) -> ResponseReturnValue:
    """The newest version of a practice in a format."""
    wanted = _format(suffix)
    try:
        online = versions.online(context.reading(), slug, context.config().base_url)
    except Moved as moved:
        return redirect(url_for("representations.practice", slug=moved.slug, suffix=suffix), 301)
    return _file(wanted, online.document, online)


@bp.get("/practices/<stem:slug>/versions/<int:number>.<suffix:suffix>")
def version(slug: str, number: int, suffix: str) -> ResponseReturnValue:
    """One public version of a practice in a format."""
    wanted = _format(suffix)
    document, online = versions.read(context.reading(), slug, number, context.config().base_url)
    return _file(wanted, document, online)


def _format(suffix: str) -> Representation:
    if suffix not in FILES:
        raise NotFound(UNKNOWN, suffix=suffix, those=templating.listed(f".{each}" for each in FILES))
    return FILES[suffix]


def _file(wanted: Representation, document: Document, online: Online) -> Response:
    """A practice in a format; nothing but 304 where the reader has it already."""
    about = replace(_about(document), notice=_notice(online))
    body = wanted.write(document, about)
    response = Response(body, content_type=wanted.media_type)
    name = f"{document['slug']}-v{document['version']}-{about.made:%Y-%m-%d}.{wanted.suffix}"
    how = "inline" if wanted.opened else "attachment"
    response.headers["Content-Disposition"] = dump_options_header(how, {"filename": name})
    response.headers["Link"] = ", ".join([f'<{document["url"]}>; rel="canonical"', *_standing(document, about)])
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def _about(document: Document) -> About:
    """What surrounds one record: its own page."""
    return replace(framing.frame(document["title"], document["url"]), say=gettext)


def _notice(online: Online) -> str | None:
    """What a reader must know first of a practice that nobody keeps any more."""
    if not online.archived:
        return None
    when = templating.day(lifecycle.archived_on(context.reading(), online.practice))
    return gettext("In the archive since %(when)s: no longer maintained.", when=when)


# On the page of the practice


def name_files(response: Response, document: Document) -> Response:
    """Say in a page's headers which files its practice is there as, how it is cited, and its licence."""
    for each, where in copies_of(document):
        response.headers.add("Link", f'<{context.config().base_url}{where}>; rel="alternate"; type="{each.mimetype}"')
    for link in _standing(document, _about(document)):
        response.headers.add("Link", link)
    return response


def _standing(document: Document, about: About) -> list[str]:
    licence = citation.LICENCES.get(document["licence"])
    cited = f'<{citation.address(document, about)}>; rel="cite-as"'
    return [cited, f'<{licence}>; rel="license"'] if licence else [cited]


@bp.app_template_global()
def copies_of(document: Document) -> list[tuple[Representation, str]]:
    """Every format of a practice with its address: of the version that the record is."""
    old = document["url"].endswith(f"/versions/{document['version']}")
    if not old:
        return [
            (f, url_for("representations.practice", slug=document["slug"], suffix=f.suffix)) for f in FILES.values()
        ]
    values: dict[str, Any] = {"slug": document["slug"], "number": document["version"]}
    return [(f, url_for("representations.version", **values, suffix=f.suffix)) for f in FILES.values()]


@bp.app_template_global()
def citations(document: Document) -> list[tuple[str, str, Markup]]:
    """How to cite a record, style by style: an id, the style's name, the citation."""
    about = _about(document)
    return [
        ("apa", "APA", Markup(citation.apa_html(document, about))),  # noqa: S704 (escapes what it is given)
        ("chicago", "Chicago", Markup(citation.chicago_html(document, about))),  # noqa: S704 (likewise)
    ]


@bp.app_template_global()
def linked_data(document: Document | None = None) -> Markup:
    """A practice, or the site where none is given, as the text of a `script` element that holds data."""
    if document is not None:
        return Markup(jsonld.embedded(jsonld.node(document, _about(document))))  # noqa: S704 (escapes what it is given)
    about = framing.frame(context.config().site_name, f"{context.config().base_url}/")
    return Markup(jsonld.embedded(jsonld.catalogue(about)))  # noqa: S704 (likewise)


@bp.app_template_global()
def dublin_core(document: Document) -> list[tuple[str, str, str | None]]:
    """A record in Dublin Core, as reference managers read it from a page: name, content, language of the content."""
    about = _about(document)
    of, language = citation.cited(document, about), document["language"]
    subjects = [("DC.subject", about.term("theme", slug), None) for slug in document["themes"]]
    fields = [
        ("DC.type", "Text", None),
        ("DC.title", of.title, language),
        ("DC.creator", of.author, None),
        ("DC.publisher", of.site, None),
        ("DC.date", of.issued.isoformat(), None),
        ("DC.identifier", of.url, None),
        ("DC.language", language, None),
        ("DC.rights", citation.LICENCES.get(of.licence or ""), None),
        ("DC.description", document["summary"], language),
        *subjects,
    ]
    return [(name, value, lang) for name, value, lang in fields if value]
