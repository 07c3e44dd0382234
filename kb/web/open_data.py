"""The data as a whole: the page that says what there is, the catalogue of it for machines, and the vocabularies."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kb.config import Config
from kb.formats import dcat, skos, turtle
from kb.formats.dcat import Contact, File, Named, Service
from kb.services import concepts, repository
from kb.services.errors import N_, NotFound
from kb.services.terms import KINDS
from kb.web import catalogues, context, exports, limiting, responsible

bp = Blueprint("open_data", __name__)

DATA = N_("Practices of integration in the regions of Europe")
DATA_IS = N_(
    "What regions have done so that migrants and those who live there already live well together: what was done, with "
    "whom, for how much, what came of it, and what another region would need. Each record names its sources."
)
SITE_IS = N_("The open data of this knowledge base: one data set, as files and for programs.")

KEYWORDS = (N_("integration"), N_("migration"), N_("regions"), N_("good practice"))

SNAPSHOT = (N_("Everything in one file (zip)"), N_("records, versions, vocabularies and files, with checksums"))
API = (N_("API"), N_("Searches, whole records, figures and lists as JSON, without an account."))
OAI = (N_("OAI-PMH"), N_("All records as Dublin Core for harvesters, with what has changed and what is gone."))

OAI_STANDARD = "http://www.openarchives.org/OAI/openarchivesprotocol.html"
API_STANDARD = "https://spec.openapis.org/oas/v3.1.0"


@bp.get("/data")
def data() -> ResponseReturnValue:
    """What there is for researchers and programs, under which licence, and how to cite it."""
    config = context.config()
    return render_template(
        "pages/data.html",
        base_url=config.base_url,
        controller=responsible.name(config) if config.controller else "",
        formats=exports.FORMATS.values(),
        extent=_extent(),
        limits=limiting.LIMITS,
    )


@bp.get("/catalog.ttl")
def catalog() -> ResponseReturnValue:
    """The catalogue of the data, as DCAT-AP."""
    config, extent = context.config(), _extent()
    address = config.base_url + url_for("open_data.catalog")
    described = dcat.Catalogue(
        address=address,
        home=f"{config.base_url}/",
        landing=config.base_url + url_for("open_data.data"),
        codebook=config.base_url + url_for("exports.codebook"),
        site=Named({"en": config.site_name}, in_languages(SITE_IS)),
        data=Named(in_languages(DATA), in_languages(DATA_IS)),
        publisher=responsible.name(config),
        contact=Contact(responsible.name(config), responsible.email(config), config.base_url + url_for("pages.about")),
        keywords=_by_language(KEYWORDS),
        languages=extent.languages,
        pages=config.languages,
        issued=extent.issued,
        modified=extent.modified,
        begins=extent.begins,
        files=_files(config),
        services=_services(config),
        vocabularies=[concepts.address(kind, config.base_url) for kind in KINDS],
    )
    return _turtle(dcat.one(described))


@bp.get("/vocabularies/<name>.ttl")
def vocabulary(name: str) -> ResponseReturnValue:
    """A vocabulary as SKOS."""
    kind = next((each for each in KINDS if each.path == name), None)
    if kind is None:
        raise NotFound(N_("There is no such vocabulary."))
    config, held = context.config(), context.vocabulary()
    titles, meanings = (in_languages(texts[kind.name]) for texts in (concepts.TITLES, concepts.MEANINGS))
    scheme = concepts.scheme(kind, held, config.base_url, responsible.name(config), titles, meanings)
    return _turtle(skos.one(scheme))


def in_languages(text: str) -> dict[str, str]:
    """A text of the catalogues in English and in those languages of the site that have it."""
    found = {catalogues.SOURCE: text}
    for language in context.config().languages:
        if language != catalogues.SOURCE and (said := catalogues.catalogue(language).gettext(text)) != text:
            found[language] = said
    return found


def _by_language(words: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        for language, said in in_languages(word).items():
            found.setdefault(language, []).append(said)
    return found


def _files(config: Config) -> list[File]:
    lists = [
        File(
            each.suffix,
            config.base_url + url_for("exports.practices", suffix=each.suffix),
            each.mimetype,
            Named(in_languages(each.name), in_languages(each.use)),
        )
        for each in exports.FORMATS.values()
    ]
    snapshot = Named(*map(in_languages, SNAPSHOT))
    return [*lists, File("zip", config.base_url + url_for("exports.whole"), "application/zip", snapshot)]


def _services(config: Config) -> list[Service]:
    api, oai = f"{config.base_url}/api/v1", config.base_url + url_for("oai.repository")
    return [
        Service("api", api, f"{api}/openapi.json", API_STANDARD, Named(*map(in_languages, API))),
        Service("oai", oai, f"{oai}?verb=Identify", OAI_STANDARD, Named(*map(in_languages, OAI))),
    ]


def _extent() -> repository.Extent:
    return repository.extent(context.reading())


def _turtle(text: str) -> ResponseReturnValue:
    """Turtle that any page may read, asked for anew only where it changed."""
    answer = Response(
        text,
        content_type=turtle.MEDIA_TYPE,
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache", "X-Robots-Tag": "noindex"},
    )
    answer.add_etag()
    return answer.make_conditional(request)
