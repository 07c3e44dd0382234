"""Every component with its states on one page, for who changes them; there only where `KB_STYLEGUIDE` is on.

The examples are invented and in English: readers never see them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from kb.models import Comment, User
from kb.services import differences
from kb.services.catalogue import Results
from kb.services.comments import Thread
from kb.services.presenting import Found
from kb.services.query import CatalogueQuery
from kb.services.record import Document, shape
from kb.web import context
from kb.web.forms.practice import SECTIONS
from kb.web.forms.progress import Part
from kb.web.results import Chip, FacetGroup, FacetValue, page_numbers
from kb.web.templating import in_readers_language

bp = Blueprint("styleguide", __name__)

WHEN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

TEXT = {
    "title": "Mentors for newly arrived nurses",
    "language": "en",
    "summary": "Hospitals of the region pair newly arrived nurses with senior colleagues for a year.",
    "country": "IT",
    "region": {"code": "ITH5", "name": None},
    "level": "regional",
    "authority_role": "coordinator",
    "lead_organisation": {"name": "Regional health service", "type": "agency", "url": "https://example.org"},
    "start": "2021",
    "status": "running",
    "actions": "Pairs meet weekly; the hospital counts the hours as training.",
    "evidence": "external-evaluation",
    "indicators": [{"name": "Nurses still there after two years", "baseline": "61", "value": "86", "unit": "of 100"}],
    "beneficiaries": 320,
    "budget_eur": 1250000,
    "budget_year": 2024,
    "funding": [{"source": "ESF", "amount_eur": 800000}],
    "themes": ["labour-inclusion"],
    "target_groups": ["migrant-workers"],
    "sources": [{"title": "Programme page", "url": "https://example.org/nurses"}],
}

CHIPS = (("Country", "Germany"), ("Theme", "Housing"))

KNOWN = {"id": UUID(int=1), "slug": "example", "version": 2, "updated": WHEN.isoformat(), "url": "/practices/example"}


def record(**changes: Any) -> Document:
    """A published practice, with some fields put in place of others."""
    return {**shape({**TEXT, **changes}), "origin": {"kind": "member", "url": None}, **KNOWN}


def _found(**changes: Any) -> Found:
    said = record(**changes)
    snippet = "… pair newly arrived <mark>nurses</mark> with senior colleagues for a year …"
    return Found(said, 1.0, ("title", "actions"), snippet, "en", False, in_readers_language(said), _as_it_is)


def _as_it_is(text: str, _language: str) -> str:
    return text


def _facets() -> list[FacetGroup]:
    names = ("Spain", "Germany", "Sweden", "Austria", "Italy", "Belgium", "Switzerland", "Poland", "France")
    values = [FacetValue(name, name, 14 - i, name == "Germany") for i, name in enumerate(names)]
    evidence = (FacetValue("monitoring", "Monitoring", 41, False), FacetValue("none", "No evaluation", 0, False))
    return [
        FacetGroup("example-country", "Country", tuple(values)),
        FacetGroup("example-evidence", "Evidence", evidence, unknown=12),
    ]


def _threads() -> list[Thread]:
    editor, author = User(name="Bob Editor", email="bob@example.org"), User(name="Alice", email="alice@example.org")
    question = Comment(id=UUID(int=2), author=editor, body="How many took part?", field="results", created=WHEN)
    answer = Comment(id=UUID(int=3), author=author, body="86 pairs so far.", parent_id=question.id, created=WHEN)
    settled = Comment(id=UUID(int=4), author=editor, body="Since when?", field="start", created=WHEN, resolved=WHEN)
    return [Thread(question, (answer,)), Thread(settled)]


def _parts() -> list[Part]:
    return [
        Part(SECTIONS[0], 2, (), ()),
        Part(SECTIONS[1], 0, ("actions",), ()),
        *(Part(section, 0, (), ()) for section in SECTIONS[2:4]),
    ]


def _differences() -> list[differences.FieldDifference]:
    before = record(themes=["housing"], results="Few nurses stayed longer than a year.")
    return differences.fields(before, record(results="Most nurses stayed longer than two years."))


@bp.get("/styleguide")
def styleguide() -> ResponseReturnValue:
    """The components and their states; not found where the operator has not asked for it."""
    if not context.config().styleguide:
        abort(404)
    results = Results(CatalogueQuery(), 120, 3, 20, ())
    return render_template(
        "pages/styleguide.html",
        record=record(),
        sparse=record(evidence=None, beneficiaries=None, budget_eur=None),
        found=_found(),
        found_sparse=_found(evidence="none", beneficiaries=None, budget_eur=None),
        facets=_facets(),
        chips=[Chip(name, value, "#tags", CatalogueQuery()) for name, value in CHIPS],
        results=results,
        page_numbers=page_numbers(results.page, results.pages),
        parts=_parts(),
        threads=_threads(),
        changed=_differences(),
        when=WHEN,
    )
