"""What a question has to know of the whole collection before it can be asked, kept until the next commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kb.search.fields import FIELDS
from kb.search.moments import ALWAYS_AFTER
from kb.search.typesense.conditions import Condition, shortened, written
from kb.search.typesense.keeping import Kept, Stand

MOST_HITS = 250
"""Hits of one page that Typesense gives at most."""

_MOST_REMEMBERED = 20_000  # counts of one state of the collection


@dataclass
class About:
    """A collection as it stands: its documents, the languages with a stemmer in them, how long their fields are.

    `first_year` is the first one that any document has. `counts` remembers how many documents meet a filter, `found`
    what was looked for with more than one question.
    """

    stand: Stand
    documents: int
    languages: tuple[str, ...]
    averages: tuple[float, ...]
    first_year: int
    counts: dict[str, int] = field(default_factory=dict)
    found: dict[Any, Any] = field(default_factory=dict)


class Asked:
    """Asks a collection, and remembers what stays as it is until the next commit. Safe to use from several threads."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._about: About | None = None
        self._lock = threading.Lock()

    def look(self) -> Looking:
        """Return the collection as it stands now. Raises IndexLost, SearchUnavailable."""
        stand = self._kept.stand()
        with self._lock:
            about = self._about
            if about is None or about.stand != stand.stand or len(about.counts) > _MOST_REMEMBERED:
                about = self._about = _about(self._kept, stand.stand, stand.documents)
        return Looking(self._kept, about)


class Looking:
    """One look at a collection. `asked` counts the questions that were sent."""

    def __init__(self, kept: Kept, about: About) -> None:
        self._kept = kept
        self.about = about
        self.asked = 0

    def ask(self, searches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers to questions about all documents, sent at once."""
        self.asked += len(searches)
        return self._kept.multi_search([{"q": "*", **search} for search in searches]) if searches else []

    def short(self, condition: Condition) -> Condition:
        """Return a condition as one that the server understands, however long it was."""
        return shortened(condition, lambda part: (f"i{each['id']}" for each in self.all_of(part, ("id",))))

    def counted(self, conditions: Sequence[Condition]) -> list[int]:
        """Return how many documents meet each of some conditions."""
        filters = [written(self.short(condition)) for condition in conditions]
        known = self.about.counts
        known[""] = self.about.documents
        missing = [text for text in dict.fromkeys(filters) if text not in known]
        answers = self.ask([{"filter_by": text, "per_page": 0} for text in missing])
        known.update((text, answer["found"]) for text, answer in zip(missing, answers, strict=True))
        return [known[text] for text in filters]

    def all_of(
        self, condition: Condition, fields: Sequence[str], sort_by: str = "title:asc"
    ) -> Iterator[dict[str, Any]]:
        """Yield these fields of all documents that meet a condition, in an order."""
        wanted = {"filter_by": written(self.short(condition)), "sort_by": sort_by, "per_page": MOST_HITS}
        wanted["include_fields"] = ",".join(fields)
        first = self.ask([wanted])[0]
        yield from documents(first)
        for page in range(2, -(-first["found"] // MOST_HITS) + 1):
            yield from documents(self.ask([{**wanted, "page": page}])[0])

    def window(
        self, condition: Condition, start: int, end: int, sort_by: str, fields: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return these fields of the documents from one place to before another, among those that meet a condition."""
        wanted = {"filter_by": written(self.short(condition)), "sort_by": sort_by, "include_fields": ",".join(fields)}
        if end <= start:
            return []
        size, pages = _pages(start, end)
        answers = self.ask([{**wanted, "per_page": size, "page": page + 1} for page in pages])
        found = [each for answer in answers for each in documents(answer)]
        begin = start - pages.start * size
        return found[begin : begin + end - start]


def documents(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the documents of an answer."""
    return [hit["document"] for hit in answer["hits"]]


def _pages(start: int, end: int) -> tuple[int, range]:
    """Return the size of pages of which few hold all the places, and which of them do, the first being 0."""
    for size in range(min(end - start, MOST_HITS), MOST_HITS + 1):
        if start // size == (end - 1) // size:
            return size, range(start // size, start // size + 1)
    return MOST_HITS, range(start // MOST_HITS, (end - 1) // MOST_HITS + 1)


def _about(kept: Kept, stand: Stand, count: int) -> About:
    lengths = ",".join(f"length_{name}" for name in FIELDS)
    facets, first = kept.multi_search(
        [
            {"q": "*", "facet_by": f"tongues,{lengths}", "max_facet_values": 100, "per_page": 0},
            {"q": "*", "sort_by": "known:asc", "per_page": 1, "include_fields": "known"},
        ]
    )
    by_name = {each["field_name"]: each for each in facets["facet_counts"]}
    totals = [by_name[f"length_{name}"]["stats"].get("sum", 0.0) for name in FIELDS]
    known = [each["known"] for each in documents(first)]
    return About(
        stand=stand,
        documents=count,
        languages=tuple(sorted(each["value"] for each in by_name["tongues"]["counts"])),
        averages=tuple(max(total / max(1, count), 1.0) for total in totals),
        first_year=known[0] if known else ALWAYS_AFTER,
    )
