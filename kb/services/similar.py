"""Practices like one: by what they say and by what they are tagged with, whatever language they are written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from kb.search.language import fold, is_stop_word, spans
from kb.search.port import NoSearch, Query, SearchEngine
from kb.search.question import Clause, Expansion, Question, Tagged, Words
from kb.services import reading
from kb.services.record import Document

MOST_WORDS = 24
"""Words of a title and a summary by which texts are compared; the engine knows which of them are telling."""

CANDIDATES = 50
"""Practices of each ranking that are considered."""

_EVEN = 60  # what evens out the first places of a ranking; the value of Cormack, Clarke and Büttcher


def similar(session: Session, engine: SearchEngine, base_url: str, record: Document, limit: int = 3) -> list[Document]:
    """Return public practices like one that is given whole, the most alike first.

    Two rankings, by words and by tags, are made one by reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR
    2009): words only compare within a language, and tags say little where many practices share them. No region is there
    twice, unless there are too few others.
    """
    try:
        ranks = _ranks(engine, record)
    except NoSearch:  # a practice's page does not need the index
        return []
    ranks.pop(record["id"], None)
    best = sorted(ranks, key=lambda practice_id: (-ranks[practice_id], practice_id))[:CANDIDATES]
    documents = reading.documents(session, map(UUID, best[: limit * 5]), base_url)
    found = [documents[practice_id] for practice_id in best if practice_id in documents]
    return list(islice(_varied(found, record), limit))


def _ranks(engine: SearchEngine, record: Document) -> dict[str, float]:
    """Return what each candidate is worth, by both rankings together. Raises NoSearch."""
    ranks: dict[str, float] = {}
    for question in (worded(record), _by_tags(record)):
        hits = engine.search(Query(question, limit=CANDIDATES, facets=False)).hits
        for rank, hit in enumerate(hits, start=1):
            ranks[hit.id] = ranks.get(hit.id, 0.0) + 1 / (_EVEN + rank)
    return ranks


def worded(record: Document) -> Question:
    """Return the question that finds practices which read like one: its telling words, of which any is enough."""
    texts = (record["title"], record["original_title"] or "", record["summary"])
    words = list(islice(_telling(texts), MOST_WORDS))
    return Question(text=record["title"], clauses=tuple(Clause((Words((word,)),)) for word in words), loose=True)


def _telling(texts: Iterable[str]) -> Iterator[str]:
    """Yield the words of texts that are no stop words, each once."""
    seen: set[str] = set()
    for text in texts:
        for start, end in spans(text):
            folded = fold(text[start:end])
            if folded and folded not in seen and not is_stop_word(folded):
                seen.add(folded)
                yield text[start:end]


def _by_tags(record: Document) -> Question:
    """Ask for the same themes and target groups; the primary theme counts twice."""
    tags = [("theme", slug) for slug in (*record["themes"][:1], *record["themes"])]
    tags += [("target_group", slug) for slug in record["target_groups"]]
    return Question(
        text=record["title"],
        clauses=tuple(Clause((Tagged(facet, (value,)),)) for facet, value in tags),
        expansions=tuple(Expansion(facet, (value,), i, i + 1) for i, (facet, value) in enumerate(tags)),
        loose=True,
    )


def _varied(found: list[Document], record: Document) -> Iterator[Document]:
    """Yield practices so that each region is there once, the rest after them."""
    seen = {_region(record)}
    late = []
    for each in found:
        if _region(each) in seen:
            late.append(each)
        else:
            seen.add(_region(each))
            yield each
    yield from late


def _region(record: Document) -> str:
    region = record["region"]
    return str(region["code"] if region else record["country"])
