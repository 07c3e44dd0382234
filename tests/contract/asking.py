"""Short ways to make documents and to ask."""

from __future__ import annotations

from typing import Any

from kb.search.parsing import parse
from kb.search.port import FACETS, Document, Page, Query, SearchEngine


def doc(slug: str, title: str = "", **more: Any) -> Document:
    facets = {name: more.pop(name) for name in FACETS if name in more and name != "language"}
    texts = {name: more.pop(name) for name in ("summary", "story", "names") if name in more}
    language = more.pop("language", "en")
    return Document(slug, slug, title or slug, language, texts, facets={**facets, "language": (language,)}, **more)


def ask(text: str = "", *args: Any, **query: Any) -> Query:
    return Query(parse(text), *args, **query)


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


def found(engine: SearchEngine, text: str = "", **query: Any) -> set[str]:
    return set(ids(engine.search(ask(text, **query))))
