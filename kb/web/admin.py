"""Administration: the overview, and what the pages of administration have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from kb.models import Role
from kb.services import administration, auditing, organisations
from kb.services.errors import Problem
from kb.web import accounts, context, labels, languages
from kb.web.deeds import deed
from kb.web.forms import options

bp = Blueprint("admin", __name__)
bp.add_app_template_filter(deed)

LAST_PAGE = 1_000_000


@bp.get("/admin")
@accounts.required(Role.ADMIN)
def overview() -> ResponseReturnValue:
    """How many people there are, what waits, what was done last."""
    session = context.reading()
    found = administration.overview(session, accounts.acting(session))
    return render_template(
        "admin/overview.html",
        overview=found,
        names=auditing.names(session, found.entries),
        controller=context.config().controller,
    )


# For the other pages of administration


def page_number() -> int:
    """The number of the page asked for; the first where it is none."""
    text = request.args.get("page", "")
    return min(int(text), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def lists() -> dict[str, Any]:
    """What fields of the forms suggest: regions and organisations."""
    return {"regions": options.regions(), "organisations": organisations.names(context.reading())}


def roles(offered: Iterable[Role] = tuple(Role)) -> list[tuple[str, str]]:
    """Roles to choose from."""
    return [(role.value, labels.label("role", role)) for role in offered]


def said(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """What is wrong, as pairs of the control's id and a sentence."""
    return [(problem.field, languages.say(problem.message)) for problem in problems]
