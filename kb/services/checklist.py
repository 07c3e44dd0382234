"""What an editor makes sure of before a practice is published. What can be computed is suggested, and said why.

The editor ticks; nothing is ticked by itself. What was ticked is kept with the decision.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from kb.models import Status
from kb.services.errors import N_, Message
from kb.services.record import LABELS, Document, words
from kb.services.values import partial_date

ITEMS = {
    "eligible": N_("It has run for at least a year"),
    "clear": N_("Why, what for and what was done are clear to an outsider"),
    "evidence": N_("What it says has a source, and how sure the results are is told"),
    "transferable": N_("It says what another region needs"),
    "rights": N_("Text and pictures may be published"),
}
"""Every item, by the name under which it is kept, in the order of the page."""

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Finding:
    """What the record says about an item: whether it seems to hold (None: it cannot be told), and why."""

    holds: bool | None
    why: tuple[Message, ...]


def ticked(names: Collection[str]) -> dict[str, bool]:
    """The checklist as it is kept, from the names of the items that were ticked."""
    return {item: item in names for item in ITEMS}


def findings(document: Document, today: date) -> dict[str, Finding]:
    """What a record says about each item."""
    return {
        "eligible": _eligible(document, today),
        "clear": _filled(document, "context", "objectives", "actions"),
        "evidence": _evidence(document),
        "transferable": _filled(document, "transferability"),
        "rights": _rights(document),
    }


def _eligible(document: Document, today: date) -> Finding:
    if document["status"] == Status.PLANNED:
        return Finding(False, (Message(N_("It is planned and has not begun.")),))
    if not document["start"]:
        return Finding(None, (Message(N_("When it began is not reported.")),))
    try:
        first, last = partial_date(document["start"]), partial_date(document["start"], last=True)
    except ValueError:
        return Finding(None, (Message(N_("When it began cannot be read.")),))
    holds = True if last <= today - YEAR else False if first > today - YEAR else None
    return Finding(holds, (Message(N_("It began in %(start)s."), {"start": document["start"]}),))


def _filled(document: Document, *keys: str) -> Finding:
    """Whether texts are there, and how long they are."""
    blank = [key for key in keys if not document[key]]
    if blank:
        return Finding(False, tuple(Message(N_("“%(label)s” is empty."), {"label": LABELS[key]}) for key in blank))
    said = N_("“%(label)s” has %(count)d words.")
    return Finding(True, tuple(Message(said, {"label": LABELS[key], "count": words(document[key])}) for key in keys))


def _evidence(document: Document) -> Finding:
    why = []
    sources = len(document["sources"])
    why.append(Message(N_("Sources: %(count)d."), {"count": sources}))
    if document["evidence"] is None:
        why.append(Message(N_("“%(label)s” is not reported."), {"label": LABELS["evidence"]}))
    return Finding(sources > 0 and document["evidence"] is not None, tuple(why))


def _rights(document: Document) -> Finding:
    """Rights cannot be computed; what is missing can."""
    if not document["licence"]:
        return Finding(False, (Message(N_("“%(label)s” is empty."), {"label": LABELS["licence"]}),))
    licence = Message(N_("Licence: %(licence)s."), {"licence": document["licence"]})
    nameless = sum(not image["credit"] for image in document["images"])
    if nameless:
        return Finding(False, (licence, Message(N_("Pictures without a credit: %(count)d."), {"count": nameless})))
    return Finding(None, (licence,))
