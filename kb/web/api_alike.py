"""The API's answer to which regions are like one, how much, and why."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from kb.services import changes, query, region_likeness
from kb.services.errors import N_, Invalid, NotFound, Problem
from kb.services.region_likeness import Alike
from kb.web import context, templating
from kb.web.api import answer, bp, only


@bp.get("/regions/<code>/alike")
def regions_alike(code: str) -> ResponseReturnValue:
    """The regions like one, the most alike first; or those named `with`, however alike they are."""
    others = only("with").get("with", [])
    vocabulary = context.vocabulary()
    known = vocabulary.known_code(code) or vocabulary.country_region(code.upper())
    if not known and code.upper() not in vocabulary.successors:
        raise NotFound(N_("No region has the code “%(code)s”."), code=code[:80])
    asked = _one(code, "region_like")
    ranking = region_likeness.ranked(vocabulary, asked)
    alike = ranking.alike
    if others:
        compared = [region_likeness.compared(vocabulary, asked, _one(other, "with")) for other in others]
        alike = tuple(sorted(compared, key=lambda each: (-each.likeness, each.code)))
    body = {
        "region": _named(asked),
        "comparable": ranking.comparable,
        "enough": region_likeness.ENOUGH,
        "unknown": ranking.unknown,
        "total": len(alike),
        "items": [_item(each) for each in alike],
    }
    return answer(body, changes.latest(context.reading()))


def _one(code: str, name: str) -> str:
    """The region of levels 1 to 3 that a code means today. Raises Invalid, also where several took it over."""
    found = query.parse([("region_like", code)], context.vocabulary()).query.region_like
    if len(found) != 1:
        text = N_("“%(value)s” was retired, and several regions took over. Choose one of them: %(names)s.")
        raise Invalid([Problem.of(name, text, value=code[:80], names=", ".join(found))])
    return found[0]


def _item(alike: Alike) -> dict[str, Any]:
    rounded = {"likeness": round(alike.likeness, 3), "alike": alike.enough}
    return {**_named(alike.code), **rounded, "reasons": alike.reasons, "unknown": alike.unknown}


def _named(code: str) -> dict[str, Any]:
    region = context.vocabulary().regions[code]
    return {"code": code, "name": templating.region_name(code), "country": region.country, "level": region.level}
