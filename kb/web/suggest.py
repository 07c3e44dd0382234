"""Suggestions for the search box, as JSON."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from kb.services import suggesting
from kb.services.errors import N_
from kb.services.query import QUESTION_LIMIT
from kb.services.suggesting import Suggestion
from kb.services.vocabularies import country_name
from kb.web import context, languages, templating

bp = Blueprint("suggest", __name__)

KINDS = {
    "practice": N_("Practice"),
    "theme": N_("Theme"),
    "target-group": N_("For whom"),
    "country": N_("Country"),
    "region": N_("Region"),
    "place": N_("Place"),
    "organisation": N_("Organisation"),
}
"""What each kind of suggestion is called."""

FRESH_SECONDS = 60
"""How long a browser may keep an answer: whoever types, deletes and types again need not wait."""


@bp.get("/suggest")
def suggest() -> ResponseReturnValue:
    """What the words typed so far may be the beginning of."""
    text = " ".join(request.args.get("q", "").replace("\x00", " ").replace("\ufffd", " ").split())
    language = languages.chosen()
    found = suggesting.suggest(context.reading(), context.engine(), context.vocabulary(), text, language)
    answer = jsonify({"q": text[:QUESTION_LIMIT], "suggestions": [_shown(each, language) for each in found]})
    answer.cache_control.private = True  # a shared cache might show what was taken back a moment ago
    answer.cache_control.max_age = FRESH_SECONDS
    return answer


def _shown(suggestion: Suggestion, language: str) -> dict[str, Any]:
    """One suggestion in the shape of the contract, with its kind and what typed words it was found by in words."""
    found_by = {"text": suggestion.found_by, "lang": suggestion.found_in} if suggestion.found_by else None
    return {
        "kind": suggestion.kind,
        "label": suggestion.label,
        "lang": suggestion.language,
        "detail": _detail(suggestion, language),
        "url": _url(suggestion),
        "kind_label": gettext(KINDS[suggestion.kind]),
        "found_by": found_by,
    }


def _detail(suggestion: Suggestion, language: str) -> str | None:
    """Where it is and how many practices it has, as far as that says anything."""
    parts = [country_name(suggestion.country, language)] if suggestion.country else []
    if (count := suggestion.practices) is not None:
        shown = templating.number(count)
        some = ngettext("%(shown)s practice", "%(shown)s practices", count, shown=shown)
        parts.append(some if count else gettext("no practice yet"))
    return " · ".join(parts) or None


def _url(suggestion: Suggestion) -> str:
    """What to open: a page of its own, or the practices with the name in them, word for word."""
    target = suggestion.target
    if suggestion.kind == "practice":
        return url_for("catalogue.practice", slug=target)
    if suggestion.kind == "theme":
        return url_for("catalogue.theme", slug=target)
    if suggestion.kind == "target-group":
        return url_for("catalogue.search", target_group=target)
    if suggestion.kind in ("country", "region"):
        return url_for(f"catalogue.{suggestion.kind}", code=target)
    return url_for("catalogue.search", q='"{}"'.format(target.replace('"', " ")))
