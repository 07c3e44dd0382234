"""The public versions of a practice, each at an address of its own, and what differs between any two."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kb.services import versions as service
from kb.services.errors import N_, NotFound
from kb.web import context, representations, templating
from kb.web.catalogue import about, bp


@bp.get("/practices/<slug>/versions")
def versions(slug: str) -> ResponseReturnValue:
    """All versions with their dates and what they changed, the newest first; or on to the two that were chosen."""
    chosen = two_chosen()
    if chosen is not None:
        return redirect(url_for("catalogue.compare_versions", slug=slug, first=chosen[0], second=chosen[1]))
    online, listed = service.listed(context.reading(), slug)
    readable = [each.number for each in listed if each.redaction is None]
    return render_template("catalogue/versions.html", online=online, versions=listed, readable=readable)


@bp.get("/practices/<slug>/versions/<int:number>")
def version(slug: str, number: int) -> ResponseReturnValue:
    """The whole record as it was in one version."""
    shown, online = service.read(context.reading(), slug, number, context.config().base_url)
    page = render_template(
        "catalogue/practice.html",
        similar=[],
        version=number,
        newest=online.practice.version,
        newest_title=templating.in_readers_language(online.document),
        old=number != online.practice.version,
        archived=online.archived,
        **about(shown),
    )
    return representations.name_files(make_response(page), shown)


@bp.get("/practices/<slug>/versions/<int:first>...<int:second>")
def compare_versions(slug: str, first: int, second: int) -> ResponseReturnValue:
    """What differs between two versions, word by word; the older one comes first in the address."""
    if first > second:
        return redirect(url_for("catalogue.compare_versions", slug=slug, first=second, second=first))
    compared = service.compare(context.reading(), slug, first, second)
    _online, listed = service.listed(context.reading(), slug)
    readable = [each.number for each in listed if each.redaction is None]
    return render_template("catalogue/version_difference.html", compared=compared, readable=readable)


def two_chosen() -> tuple[int, int] | None:
    """The two numbers that were chosen to be compared, the smaller first; None where none were. Raises NotFound."""
    given = [request.args.get(name) for name in ("from", "to")]
    if given == [None, None]:
        return None
    try:
        first, second = sorted(int(each or "") for each in given)
    except ValueError:
        first = second = -1
    if first < 0:
        raise NotFound(N_("Choose two of the versions in the list."))
    return first, second
