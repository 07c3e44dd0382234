"""What the pages of chosen practices share: the choice in an address (`?p=`), the way on where it does not fit.

A visitor's choice lives in addresses alone, so that it needs no cookie and no script: every link on these pages, and on
a list of practices that was opened from them, carries it along.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from flask import make_response, render_template, request
from flask.wrappers import Response
from flask_babel import gettext

from kb.formats.about import About
from kb.formats.comparison import Column
from kb.services import adoption_trail, choosing, presenting
from kb.services.adoption_trail import Taken
from kb.services.choosing import Choice, Chosen
from kb.services.errors import Gone, Message
from kb.services.record import Document
from kb.services.similar import similar
from kb.web import context, framing, labels, languages
from kb.web.carrying import PARAMETER, picking

MOST_WORDS = 40
"""Words of what a region changed; the practice's own page has all of them."""


def asked() -> Choice:
    """What the address chooses."""
    return choosing.choose(context.reading(), request.args.getlist(PARAMETER), context.config().base_url)


def columns(choice: Choice) -> list[Column]:
    """The chosen practices as they are compared, for whoever reads."""
    taken = adoption_trail.taken_up_each(context.reading(), [_id(each) for each in choice.chosen])
    return [_column(each, taken.get(_id(each), ())) for each in choice.chosen]


def _id(chosen: Chosen) -> uuid.UUID:
    return uuid.UUID(chosen.document["id"])


def _column(chosen: Chosen, taken: Iterable[Taken]) -> Column:
    """One practice; its adoptions each in a line: where, how far it has come, what was changed."""
    document = chosen.document
    notice = gettext("In the archive: no longer maintained.") if chosen.archived else None
    shown = presenting.in_language(document, languages.chosen())
    return Column(document, shown, types=_types(document), adoptions=tuple(map(_adoption, taken)), notice=notice)


def _adoption(taken: Taken) -> str:
    place = labels.facet("region", taken.region, languages.chosen()) if taken.region else ""
    country = labels.facet("country", taken.country, languages.chosen())
    parts = (place, country if country != place else "", taken.organisation)
    status = labels.label("adoption", taken.status) if taken.status else ""
    words = taken.changes.split()
    changes = " ".join(words[:MOST_WORDS]) + (" […]" if len(words) > MOST_WORDS else "")
    return ". ".join(part for part in (", ".join(part for part in parts if part), status, changes) if part)


def _types(document: Document) -> tuple[str, ...]:
    """The types of the region that a practice is from, and of those that it shares it with."""
    regions, held = context.vocabulary().regions, [document["region"], *document["other_regions"]]
    codes = [each["code"] for each in held if each and each["code"] in regions]
    return tuple(dict.fromkeys(kind for code in codes for kind in regions[code].types))


def faults(choice: Choice, fits: tuple[int, int], few: str, many: str) -> list[Message]:
    """What keeps a choice from being shown, in sentences: what is not there, or too few or too many of it.

    With an empty `few`, too few are no fault: the page asks for more.
    """
    said = [each.refused.message for each in choice.missing]
    count = len(choice.chosen)
    if count > fits[1]:
        said.append(Message(many, {"count": count}))
    elif count < fits[0] and count and few:
        said.append(Message(few, {"count": count}))
    return said


def refused(choice: Choice, said: Iterable[Message], **values: Any) -> Response:
    """The page that says why a choice cannot be shown, and lets it be mended: what is there stays chosen."""
    sentences = [languages.say(each) for each in said]
    html = render_template(
        "choosing/refused.html",
        choice=choice,
        sentences=sentences,
        near=near(choice.chosen),
        others=_others(choice),
        **values,
    )
    return make_response(html, _status(choice, bool(sentences)), {"Cache-Control": "no-store"} if sentences else {})


def _status(choice: Choice, refusing: bool) -> int:
    """404 for what there is not, 410 where all that lacks was taken away, 400 for a number that does not fit."""
    if choice.missing:
        return 410 if all(isinstance(each.refused, Gone) for each in choice.missing) else 404
    return 400 if refusing else 200


def _others(choice: Choice) -> list[Chosen]:
    """What whoever reads keeps in their account beside what is chosen."""
    picked = picking()
    if not picked.account or not picked.slugs:
        return []
    kept = choosing.choose(context.reading(), picked.slugs, context.config().base_url)
    return [each for each in kept.chosen if each.slug not in choice.slugs]


def near(chosen: Sequence[Chosen]) -> list[Document]:
    """Practices like the only one that is chosen, to be compared with it; none where there are several."""
    if len(chosen) != 1:
        return []
    return similar(context.reading(), context.engine(), context.config().base_url, chosen[0].document)


def frame(title: str, path: str) -> About:
    """The frame of several practices: the address that they were asked for at, words of the reader's language."""
    return replace(framing.frame(title, context.config().base_url + path), say=gettext)
