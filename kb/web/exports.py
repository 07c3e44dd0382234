"""Everything that a query finds as a file: one address a format, streamed, however much there is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from slugify import slugify
from sqlalchemy.orm import Session
from werkzeug.http import dump_options_header

from kb.formats import adoptions, atom, bibtex, csv, geojson, json, jsonld, ris, table, xlsx
from kb.formats.about import About, Document
from kb.services import catalogue, following, query, snapshot, snapshots
from kb.services.errors import N_, NotFound
from kb.services.following import Standing
from kb.services.query import CatalogueQuery
from kb.web import code_values, context, framing, labels, languages, streaming

bp = Blueprint("exports", __name__)

Writer = Callable[[Iterable[Document], About], Iterator[str] | Iterator[bytes]]

WAIT = 20.0
"""Seconds that somebody waits for a snapshot which is being made."""

NAME_LIMIT = 40
"""Characters of the words of a query in the name of its file."""

PIECE = 32 * 1024
"""Bytes that are sent together."""


@dataclass(frozen=True)
class Format:
    """One format of lists. `name` is what it is called in the menu, `use` what it is good for, both translatable."""

    suffix: str
    media_type: str
    write: Writer
    name: str
    use: str

    @property
    def mimetype(self) -> str:
        """The media type without its parameters, as links name it."""
        return self.media_type.partition(";")[0]


def _workbook(documents: Iterable[Document], about: About) -> Iterator[bytes]:
    return xlsx.many(documents, about, gettext, code_values.listed("en"))


def _records(documents: Iterable[Document], _about: About) -> Iterator[str]:
    return json.array(documents)


FORMATS = {
    each.suffix: each
    for each in (
        Format("xlsx", xlsx.MEDIA_TYPE, _workbook, N_("Excel"), N_("a workbook that explains its columns")),
        Format("csv", csv.MEDIA_TYPE, csv.many, N_("CSV"), N_("a table for any spreadsheet or statistics program")),
        Format("json", "application/json", _records, N_("JSON"), N_("whole records, for programs")),
        Format("ris", "application/x-research-info-systems; charset=utf-8", ris.many, N_("RIS"),
               N_("references for Zotero, EndNote, Mendeley")),
        Format("bib", "application/x-bibtex; charset=utf-8", bibtex.many, N_("BibTeX"), N_("references for LaTeX")),
        Format("geojson", "application/geo+json", geojson.many, N_("GeoJSON"), N_("points for a map")),
        Format("jsonld", "application/ld+json", jsonld.many, N_("JSON-LD"), N_("linked data, with schema.org’s terms")),
        Format("atom", f"{atom.MEDIA_TYPE}; charset=utf-8", atom.many, N_("Atom"), N_("a feed to follow in a reader")),
    )
}  # fmt: skip
"""Formats of lists by their suffix, in the order of the menu."""

OPENED = ("atom",)
"""Formats that a browser hands on to a program rather than saving them, and that programs ask for again and again."""

EMPTY = datetime(2026, 1, 1, tzinfo=UTC)
"""When a feed with nothing in it changed."""


@bp.get("/practices.<suffix>", endpoint="practices")
def export(suffix: str) -> ResponseReturnValue:
    """Everything that the query finds, in its order."""
    if suffix not in FORMATS:
        raise NotFound(N_("Practices are not there in this format."))
    asked = query.parse(request.args.items(multi=True), context.vocabulary())
    if not asked.canonical:
        return redirect(address(suffix, asked.query))
    session = context.parts().database.reading_session()  # its own: the request's is closed before the file is sent
    config = context.config()
    found = catalogue.matching(session, context.engine(), context.vocabulary(), asked.query, config.base_url)
    stands = following.standing(context.reading(), found.ids) if suffix in OPENED else None
    about = framing.of_query(asked.query, (stands.updated if stands else EMPTY) if suffix in OPENED else None)
    pieces = FORMATS[suffix].write(_closing(session, found.documents), about)
    response = Response(stream_with_context(_together(pieces)), content_type=FORMATS[suffix].media_type)
    response.headers["Content-Disposition"] = _disposition(_stem(asked.query), suffix, datetime.now(UTC))
    response.headers["Cache-Control"] = "no-cache"
    if suffix in OPENED:
        _date(response, stands, about)
    return streaming.bounded(_open(response)) if response.status_code == 200 else _open(response)


@bp.get("/snapshot.zip")
def whole() -> ResponseReturnValue:
    """Everything public in one file, made at most once a day; where a large one is not ready, when to come again."""
    config = context.config()
    site = snapshot.Site(config.site_name, config.base_url, config.files_dir)
    path = snapshots.current(context.parts().database, context.parts().locks, config.shared_dir, site, WAIT)
    if path is None:
        return streaming.later(gettext("The snapshot is being made. Try again in a minute."))
    response = _sent(path)
    response.make_conditional(request)
    return streaming.bounded(response) if response.status_code == 200 else response


@bp.get("/codebook")
def codebook() -> ResponseReturnValue:
    """What every column of the tables means."""
    values = {name: list(each) for name, each in groupby(code_values.listed(languages.chosen()), lambda of: of.column)}
    return render_template("exports/codebook.html", columns=table.COLUMNS, values=values, everything=CatalogueQuery(),
                           adoptions=adoptions.COLUMNS)  # fmt: skip


@bp.get("/codebook.csv")
def codebook_table() -> ResponseReturnValue:
    """The same for programs, in English: a row a column."""
    pieces = csv.rows(("column", "kind", "meaning"), table.codebook())
    return _open(Response("".join(pieces), content_type=csv.MEDIA_TYPE))


def address(suffix: str, asked: CatalogueQuery) -> str:
    """The address of everything that a query finds in a format."""
    return _address(suffix, _params(asked))


def _params(asked: CatalogueQuery) -> str:
    params = asked.to_params()
    return "?" + labels.encode(params) if params else ""


def _address(suffix: str, params: str) -> str:
    return url_for("exports.practices", suffix=suffix) + params


@bp.app_template_global()
def alternates(asked: CatalogueQuery) -> list[tuple[Format, str]]:
    """Every format of a list with its address."""
    held: tuple[CatalogueQuery, list[tuple[Format, str]]] | None = g.get("alternates")
    if held is None or held[0] != asked:  # a page names them four times
        params = _params(asked)
        g.alternates = held = (asked, [(each, _address(each.suffix, params)) for each in FORMATS.values()])
    return held[1]


def name_alternates(response: Response, asked: CatalogueQuery) -> Response:
    """Say in the headers of a list's page in which other formats it is there."""
    base_url = context.config().base_url
    for each, where in alternates(asked):
        response.headers.add("Link", f'<{base_url}{where}>; rel="alternate"; type="{each.mimetype}"')
    return response


def _sent(path: Path) -> Response:
    """A snapshot; its file is opened by whoever reads the answer."""
    about = path.stat()
    made = datetime.fromtimestamp(about.st_mtime, UTC)
    response = Response(_pieces(path), content_type="application/zip")
    response.content_length = about.st_size
    response.last_modified = made
    response.set_etag(f"{about.st_mtime_ns:x}-{about.st_size:x}")
    response.headers["Content-Disposition"] = _disposition("snapshot", "zip", made)
    response.headers["Cache-Control"] = "no-cache"
    return _open(response)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _date(response: Response, stands: Standing | None, about: About) -> None:
    """Say when a feed changed, and that it did not where its reader has it."""
    words = f"{stands.mark if stands else ''} {about.language} {about.title} {about.site}"
    response.set_etag(hashlib.sha256(words.encode()).hexdigest()[:32])
    response.last_modified = stands.written if stands else None
    response.make_conditional(request)


def _open(response: Response) -> Response:
    """An answer that any page may read, and no search engine lists."""
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _stem(asked: CatalogueQuery) -> str:
    """The beginning of a file's name: what is in it, and what was asked for."""
    words = slugify(" ".join(framing.words(asked)), max_length=NAME_LIMIT, word_boundary=True)
    return f"practices-{words}" if words else "practices"


def _disposition(stem: str, suffix: str, day: datetime) -> str:
    kind = "inline" if suffix in OPENED else "attachment"
    return dump_options_header(kind, {"filename": f"{stem}-{day.date().isoformat()}.{suffix}"})


def _closing(session: Session, documents: Iterator[Document]) -> Iterator[Document]:
    """The same documents; the session takes a connection for the first of them and gives it back after the last."""
    with session:
        yield from documents


def _together(pieces: Iterable[str] | Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of a size that is worth sending."""
    held, size = [], 0
    for piece in pieces:
        held.append(piece.encode() if isinstance(piece, str) else piece)
        size += len(held[-1])
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
