"""Every page, in every state: no complaint of axe, no sideways scroll, one heading, a focus that is seen, no noise.

`make test` looks at a choice in which each page and each pair of kind, width, colours and language occurs;
`make check-all` at everything.
"""

from __future__ import annotations

import os
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import template_rendered

from tests.browser.matrix import checks
from tests.browser.matrix.conftest import Sites
from tests.browser.matrix.covering import combined, dealt
from tests.browser.matrix.pages import EXCEPTIONS, STATES, State
from tests.browser.matrix.visiting import Served, dress, forget
from tests.browser.matrix.world import FRESH

ALL = os.environ.get("KB_CHECK_ALL") == "1"

KEPT = os.environ.get("KB_KEEP_HTML")
"""A folder that the pages are left in as they were sent, for `scripts/validate_html.py`."""

WIDTHS = ("1280", "360", "320")
SCHEMES = ("light", "dark", "forced")
TONGUES = ("en", "de", "ro")

BY_NAME = {state.name: state for state in STATES}

CHOICE = dealt([(state.name, state.kind) for state in STATES], (WIDTHS, SCHEMES, TONGUES))

Looks = list[tuple[str, str]]

SOME = [
    pytest.param(name, language, [(width, scheme)], id=f"{name}-{width}-{scheme}-{language}")
    for name, (width, scheme, language) in CHOICE
]
EVERYTHING = [
    pytest.param(name, language, list(product(("1280", "360"), SCHEMES)), id=f"{name}-{language}")
    for name, language in product(BY_NAME, TONGUES)
]


def look(sites: Sites, tab: Any, state: State, language: str, looks: Looks) -> dict[str, list[str]]:
    """What is wrong with a state, by how it was looked at."""
    found = {}
    for place, (width, scheme) in enumerate(looks):
        recoloured = place > 0 and width == looks[place - 1][0]
        dress(tab, int(width), scheme)
        if not recoloured:  # another width is loaded anew, other colours are not
            answer = sites(state.empty).visit(tab, state, language)
            if KEPT:
                keep(Path(KEPT) / f"{state.name}, {language}.html", answer.body())
            found[f"{state.name} {language}"] = checks.of_document(tab, language)
        found[f"{state.name} {language} {width} {scheme}"] = checks.of_look(tab, recoloured=recoloured)
    if int(looks[-1][0]) != checks.NARROW:
        dress(tab, checks.NARROW, "light")
        found[f"{state.name} {language} {checks.NARROW}"] = checks.sideways(tab)
    return {where: lines for where, lines in found.items() if lines}


def keep(path: Path, page: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page)


@pytest.mark.parametrize(("name", "language", "looks"), EVERYTHING if ALL else SOME)
def test_a_page_has_no_known_barrier(
    sites: Sites, tab: Any, record_property: Any, name: str, language: str, looks: Looks
) -> None:
    wrong = look(sites, tab, BY_NAME[name], language, looks)
    record_property("matrix", (len(looks), len(wrong)))
    assert wrong == {}


def test_every_page_of_the_site_is_in_the_list(sites: Sites) -> None:
    served = sites(False)
    matched = served.site.app.url_map.bind("127.0.0.1")
    named = {**{name: name for name in FRESH}, **served.named}
    addresses = [state.address.format(**named).partition("?")[0] for state in STATES if state.status != 404]
    listed = {matched.match(address, return_rule=True)[0].rule for address in addresses}
    rules = [rule for rule in served.site.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    ours = {rule.rule for rule in rules if not rule.endpoint.endswith("static")}
    assert ours - listed - set(EXCEPTIONS) == set()
    assert listed & set(EXCEPTIONS) == set()


def test_the_choice_holds_every_page_and_every_pair() -> None:
    assert {name for name, _row in CHOICE} == set(BY_NAME) and len(BY_NAME) == len(STATES)
    seen = {(BY_NAME[name].kind, value) for name, row in CHOICE for value in row}
    assert seen == set(product({state.kind for state in STATES}, (*WIDTHS, *SCHEMES, *TONGUES)))
    rows = combined((WIDTHS, SCHEMES, TONGUES))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert len({(row[one], row[other]) for row in rows}) == 9


def test_no_two_pages_have_the_same_title(sites: Sites) -> None:
    served, titles = sites(False), {}
    for state in STATES:
        if state.status == 200 and not (state.press or state.empty):
            address = state.address.format(**served.named)
            title = client_of(served, state).get(address).text.partition("<title>")[2].partition("</title>")[0]
            titles.setdefault(title, set()).add(address.partition("?")[0])
    assert {title: where for title, where in titles.items() if len(where) > 1} == {}


def test_every_template_of_a_page_is_shown_in_some_state(sites: Sites, tab: Any) -> None:
    templates = Path(str(sites(False).site.app.root_path)) / "templates"
    pages = {
        path.relative_to(templates).as_posix()
        for path in templates.rglob("*.html")
        if re.search(r'{%-? extends "(layouts/base|catalogue/practice)\.html"', path.read_text(encoding="utf-8"))
    } - {"pages/styleguide.html"}  # off in production
    shown: set[str] = set()

    def note(_app: Any, template: Any, **_more: Any) -> None:
        shown.add(template.name)

    with template_rendered.connected_to(note):
        for state in STATES:
            if not state.press:
                client_of(sites(state.empty), state).get(state.address.format(**sites(state.empty).named))
        for state in STATES:
            if state.press and state.status != 422 and pages - shown:  # 422 is the form itself, once more
                sites(False).visit(tab, state, "en")
                forget(tab)
                tab.context.clear_cookies()
    assert pages - shown == set()


def client_of(served: Served, state: State) -> Any:
    """A client of the app itself in which the reader of a state is signed in."""
    client = served.site.app.test_client()
    if state.who:
        held = served.cookie(state.who)
        client.set_cookie(held["name"], held["value"])
    return client
