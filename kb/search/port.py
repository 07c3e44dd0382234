"""The port between the services and a search engine: what goes in, what comes out.

An engine sees only public versions, as `Document`. It answers a `Query` with a `Page`: hits, totals, and facet counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kb.search.question import NOTHING, Expansion, Question

FACETS = (
    "country",
    "theme",
    "target_group",
    "status",
    "level",
    "authority_role",
    "evidence",
    "funding",
    "language",
    "region_type",
)
"""The facets of a document, in the order of the page. `region` and `year` are filters of their own."""

COMPLETED = ("place", "organisation")
"""Kinds of names that an engine completes."""

SORTS = ("relevance", "newest", "updated", "title", "adopted")
"""The orders a page can be asked for."""


class NoSearch(Exception):
    """A question cannot be answered now, for one of the two reasons below. What does not need the search goes on."""


class IndexLost(NoSearch):
    """The index is missing or damaged and has to be built anew from the database."""


class SearchUnavailable(NoSearch):
    """The search engine does not answer, or not now. What it holds is not in doubt; it is asked again later.

    The message is for whoever runs the site: it names hosts, never a key.
    """


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine does that others do not. Filters, totals, counts and visibility are alike on every one.

    `phrases`: words between quotes have to stand side by side. `prefixes`: `integr*` finds all words that begin so.
    `corrections`: `Page.corrections` names words that may have been meant. `completions`: `complete` names anything.
    """

    phrases: bool = True
    prefixes: bool = True
    corrections: bool = True
    completions: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """One public practice as the index sees it.

    `texts` maps a field of `TEXT_FIELDS` to its text in `language`; `foreign` holds (language, text) pairs such as the
    original title and translated titles. `facets` maps a name of `FACETS` to the values the document has. `regions`
    holds every region code that finds it, ancestors included; `own_regions` only those that it names. `start_year` and
    `end_year` are inclusive; both are None where the practice is undated, `end_year` alone is None while it runs.
    `published` and `updated` are ISO moments; `adopted` is the number of regions that took this one up, `completeness`
    the share of what could be said that is. The first value of a facet is the primary one. `completions` maps a kind of
    `COMPLETED` to the names the document has.
    """

    id: str
    slug: str
    title: str
    language: str
    texts: Mapping[str, str] = field(default_factory=dict)
    foreign: tuple[tuple[str, str], ...] = ()
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    own_regions: tuple[str, ...] = ()
    start_year: int | None = None
    end_year: int | None = None
    published: str = ""
    updated: str = ""
    adopted: int = 0
    completeness: float = 0.0
    completions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


TEXT_FIELDS = ("title", "summary", "story", "names")
"""Where words are looked for, weightiest first. `story` is every long text; `names`: organisations, place, region."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of an engine.

    `question` is what the reader typed, parsed. `filters` maps a facet to the chosen values: OR within a facet, AND
    between facets. `regions` are codes of which any must match (sub-regions are in the documents). `alike`, where it is
    not None, maps the codes of which any must be among the document's `own_regions` to how much each counts for the
    order of a question without words, higher first; `not_regions` are codes none of which may match. A document
    overlaps [`year_from`, `year_to`] when its own years do; undated ones never do. `updated_since` is a date, or a
    moment written as `Document.updated` is: in UTC, to the second. `offset` and `limit` count matches as `Page.total`
    does; `partial_limit` is how many partial ones may follow the last of the full ones. `places` asks for the counts of
    regions beside those of the facets; `pairs` names pairs of facets whose values are counted two by two.
    """

    question: Question = NOTHING
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    alike: Mapping[str, int] | None = None
    not_regions: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None
    updated_since: str | None = None
    sort: str = "relevance"
    offset: int = 0
    limit: int = 20
    partial_limit: int = 10
    facets: bool = True
    places: bool = False
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found. `score` is comparable within one page only.

    `matched` names text fields, weightiest first (`foreign` for a text in another language), then the facets (or
    `region`) by which what else the question means was found. `adopted` is the document's.
    """

    id: str
    slug: str
    score: float
    matched: tuple[str, ...] = ()
    adopted: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a query.

    `total` counts the documents that answer the question in full, or, where `partial`, in part. On the page on which
    the full matches end, and only there, `hits` goes on with the best partial ones, beyond the limit. `facets` maps a
    facet (and `year`, and `region` where the query asks for `places`) to (value, count) pairs, the highest count first:
    a count is the total of the same query with that facet's selection replaced by that value alone. `undated` counts
    what a year range left out because it has no dates, `untyped` what has no `region_type`, among what all other
    filters keep. `pairs` has, for each pair of facets that is asked for, the counts by a value of each of the two, by
    the same rule.

    `empty` says that nothing answers the question, not even in part, whatever the filters. `expansions` is what else
    was searched that any document has. `unknown` are plain words, folded, that stand nowhere and mean nothing.
    `corrections` are (typed, meant) pairs of folded words: such as stand nowhere,
    or hardly anywhere, and others that do.
    """

    total: int
    hits: tuple[Hit, ...] = ()
    partial: bool = False
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Mapping[tuple[str, str], int]] = field(default_factory=dict)
    undated: int = 0
    untyped: int = 0
    empty: bool = False
    expansions: tuple[Expansion, ...] = ()
    unknown: tuple[str, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index holds of a document beside its words, for comparison: `updated` in seconds since 1970, UTC."""

    slug: str
    updated: int
    adopted: int
    completeness: float


class SearchEngine(Protocol):
    """What the services ask of an engine. Safe to call from several threads.

    Whatever asks or writes raises SearchUnavailable where the engine does not answer. A write that raised it may have
    been done or may be done yet: it is to be repeated.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this engine does of what not every engine does."""

    def search(self, query: Query) -> Page:
        """Answer a query. Raises IndexLost where there is nothing to ask."""

    def matching(self, query: Query) -> tuple[str, ...]:
        """Return the ids of all documents that `search` counts as the total, in its order, whatever the page asked for.

        Raises IndexLost where there is nothing to ask.
        """

    def complete(self, kind: str, text: str, limit: int) -> tuple[str, ...]:
        """Return names of a kind of `COMPLETED`, a word of which begins with `text`, the most frequent first."""

    def mark(
        self, text: str, question: Question, language: str, *, characters: int | None = None, first: int = 0
    ) -> str:
        """Return `text` as HTML, escaped, with the words that answer `question` in <mark>.

        With `characters`, only the best passage of at most that many, with an ellipsis where text was left out;
        among passages as good, one whose words stand in the `first` characters of the text.
        """

    def answers(self, text: str, question: Question, language: str) -> bool:
        """Whether `mark` would mark anything in a text."""

    def update(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Put documents in place of those with the same id, and take out the ids in `gone`, in one commit."""

    def rebuild(
        self,
        documents: Iterable[Document],
        replay: Callable[[SearchEngine], None] | None = None,
        *,
        unite: bool = False,
    ) -> int:
        """Build a new index beside the live one and swap it in; return the number of documents.

        `replay` is called with the engine of the new index before the swap, to bring in what changed meanwhile. With
        `unite` the index becomes as quick to ask as can be, however much memory of this process that takes.
        """

    def count(self) -> int:
        """The number of documents. Raises IndexLost where the index is missing or damaged."""

    def ids(self) -> frozenset[str]:
        """The ids of all documents, for comparison with the database."""

    def entries(self) -> Mapping[str, Entry]:
        """How each document stands in the index, by id, for comparison with the database."""

    def check(self) -> None:
        """Read the whole index, which takes seconds. Raises IndexLost where a byte is not what was written."""

    def generation(self) -> str:
        """Return a word that is another after every commit, whichever process made it.

        What is found after this was called is no older than what it names. Raises IndexLost where there is no index.
        """

    def close(self) -> None:
        """Give back files and memory."""
