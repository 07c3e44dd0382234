"""OAI-PMH 2.0 for harvesters: all public practices as Dublin Core, what changed since, and what is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from kb.formats import oai
from kb.formats.about import About
from kb.formats.oai import Item, Resumption
from kb.services.repository import Entry, Repository
from kb.web import context, framing, labels, oai_arguments, responsible
from kb.web.oai_arguments import Refused

bp = Blueprint("oai", __name__)

LANGUAGE = "en"
"""The language of names in the records and of all that is said to harvesters."""

BEGAN = datetime(1970, 1, 1, tzinfo=UTC)
"""The date before which nothing changed where nothing was ever public."""

SAMPLE = "00000000-0000-4000-8000-000000000001"


@bp.route("/oai", methods=["GET", "POST"])
def repository() -> ResponseReturnValue:
    """Answer a harvester; what is wrong with a question is said with status 200, as the protocol wants."""
    given = request.form if request.method == "POST" else request.args
    about, asked = _about(), given.to_dict()
    try:
        oai_arguments.check(given.items(multi=True))
        body = ANSWERS[asked["verb"]](asked, about)
    except Refused as refused:
        body = oai.error(refused.code, refused.sentence)
        if refused.code in ("badVerb", "badArgument"):
            asked = {}
    return Response(
        oai.response(about, asked, body), content_type=oai.MEDIA_TYPE, headers={"Cache-Control": "no-cache"}
    )


def _identify(_asked: dict[str, str], about: About) -> str:
    config = context.config()
    return oai.identify(about, responsible.email(config) or config.mail_from, _repository().earliest() or BEGAN, SAMPLE)


def _list_formats(asked: dict[str, str], _about: About) -> str:
    if "identifier" in asked:
        _find(asked["identifier"])
    return oai.formats()


def _list_sets(asked: dict[str, str], about: About) -> str:
    if "resumptionToken" in asked:
        raise Refused("badResumptionToken", "All sets are told at once: no token goes on.")
    return oai.sets((spec, _set_name(spec, about)) for spec in _repository().sets())


def _get_record(asked: dict[str, str], about: About) -> str:
    return oai.record(_item(_find(asked["identifier"])), about)


def _list(asked: dict[str, str], about: About) -> str:
    listing = oai_arguments.listing(asked)
    wanted, practices = listing.wanted, _repository()
    entries, place = practices.read(wanted, listing.place)
    if not entries and listing.place is None:
        raise Refused("noRecordsMatch", "Nothing matches these dates and this set.")
    token = listing.token(place, len(entries))
    resumption = None
    if token or listing.place is not None:
        resumption = Resumption(token, practices.count(wanted), listing.done)
    return oai.listing(listing.verb, [_item(entry) for entry in entries], about, resumption)


ANSWERS: dict[str, Callable[[dict[str, str], About], str]] = {
    "Identify": _identify,
    "ListMetadataFormats": _list_formats,
    "ListSets": _list_sets,
    "GetRecord": _get_record,
    "ListIdentifiers": _list,
    "ListRecords": _list,
}


def _find(identifier: str) -> Entry:
    entry = _repository().get(oai_arguments.practice_id(context.config().base_url, identifier))
    if entry is None:
        raise Refused("idDoesNotExist", "No item has this identifier.")
    return entry


def _item(entry: Entry) -> Item:
    return Item(str(entry.id), entry.moment, entry.sets, entry.document)


def _set_name(spec: str, about: About) -> str:
    kind, _colon, value = spec.partition(":")
    return (
        about.term(kind, value) if value else {"theme": "Practices by theme", "country": "Practices by country"}[kind]
    )


def _repository() -> Repository:
    return Repository(context.reading(), context.vocabulary(), context.config().base_url)


def _about() -> About:
    config = context.config()
    frame = framing.frame(config.site_name, config.base_url + url_for("oai.repository"))
    return replace(frame, language=LANGUAGE, term=lambda facet, value: labels.facet(facet, value, LANGUAGE))
