"""How much a first visit fetches, from a real server, and that nothing on the page moves while it comes."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import stack
from tests.browser.conftest import new_tab
from tests.processes import PATIENCE, serving

PAGE_LIMIT = 100_000
"""Bytes of a page with all that it needs, headers and all, with an empty cache."""

HTML_LIMIT = 30_000

PAGES = ("/practices?q=work", "/practices", "/", "/practices/catalonia-acol-line", "/themes", "/coverage")

SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 0)));
})"""


@dataclass(frozen=True)
class Visit:
    """What a first visit asked for, and how far things moved on the page while it came."""

    asked: list[str]
    shift: float


@pytest.fixture(scope="module")
def visit(port: int, browser: Any) -> Callable[[str, int], Visit]:
    """A first visit of a path at a width, made once."""

    @cache
    def made(path: str, width: int) -> Visit:
        asked: list[str] = []
        page = new_tab(browser, [], viewport={"width": width, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"http://127.0.0.1:{port}{path}", wait_until="networkidle")
        shift = page.evaluate(SHIFT)
        page.context.close()
        return Visit(asked, shift)

    return made


@pytest.fixture(scope="module")
def port(town_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(stack.copy(town_folder, tmp_path_factory.mktemp("weight") / "data")) as server:
        yield server.port


def fetched(port: int, path: str) -> tuple[int, int, bytes, dict[str, str]]:
    """What comes over the line for a path: bytes of headers, of the body as sent; the body, the headers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    line.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept-Language": "en"})
    answer = line.getresponse()
    body = answer.read()
    head = sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
    line.close()
    assert answer.status == 200, path
    return head, len(body), body, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("path", PAGES)
def test_a_first_visit_fetches_little(port: int, visit: Callable[[str, int], Visit], path: str) -> None:
    sizes = {}
    for url in dict.fromkeys(visit(path, 360).asked):
        where = url.partition(str(port))[2]
        head, size, _body, said = fetched(port, where)
        sizes[where] = head + size
        if where == path:
            assert said["content-encoding"] == "gzip" and size < HTML_LIMIT
        elif re.match("/(static|bootstrap)/", where):
            assert "immutable" in said["cache-control"], where
    assert sum(sizes.values()) < PAGE_LIMIT, sizes


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_moves_while_a_page_comes(visit: Callable[[str, int], Visit], path: str, width: int) -> None:
    assert visit(path, width).shift < 0.01
