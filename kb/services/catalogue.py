"""Reading: searching and browsing what is public. Every list in the product comes from `search`."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from sqlalchemy import Select, func, select, union
from sqlalchemy.orm import Session, aliased

from kb.models import Contact, Evidence, Practice, Record, RecordRegion, State, Status, User
from kb.search.port import Page, Query, SearchEngine
from kb.search.question import Expansion
from kb.services import presenting, reading, region_likeness, versions
from kb.services.naming import thesaurus
from kb.services.permissions import can
from kb.services.presenting import Found
from kb.services.publishing import as_document, public_revision, whole
from kb.services.query import CatalogueQuery
from kb.services.record import Document
from kb.services.vocabularies import Vocabulary, country_name, fold

BATCH = 500


@dataclass(frozen=True)
class Respelling:
    """A question that may have been meant, and how many practices it finds."""

    text: str
    total: int


@dataclass(frozen=True)
class Results:
    """One page of a search, ready to show.

    `facets` maps a facet to (value, count) pairs. `expansions` is what else was searched. `suggestion` is a better
    spelling of the question; where the one asked found nothing at all, `corrected` says that this is its answer.
    """

    query: CatalogueQuery
    total: int
    page: int
    per_page: int
    items: tuple[Found, ...]
    partial: bool = False
    undated: int = 0
    untyped: int = 0
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    expansions: tuple[Expansion, ...] = ()
    suggestion: Respelling | None = None
    corrected: bool = False

    @property
    def pages(self) -> int:
        """How many pages there are; one even where nothing was found."""
        return max(1, ceil(self.total / self.per_page))

    @property
    def full(self) -> tuple[Found, ...]:
        """The items that `total` counts."""
        return tuple(item for item in self.items if not item.partial)

    @property
    def beyond(self) -> tuple[Found, ...]:
        """The items below the divider: the best that hold only some of the words."""
        return tuple(item for item in self.items if item.partial)


def search(
    session: Session,
    engine: SearchEngine,
    vocabulary: Vocabulary,
    query: CatalogueQuery,
    page: int,
    per_page: int,
    base_url: str | None = None,
    reader: str = "",
) -> Results:
    """Answer a query with one page of public practices and the facets of all of them.

    `base_url` is for who wants records whole; without it they have what a list says of them, as `reading.listed` reads
    them. `reader` is the language in which practices are shown where they were translated into it.
    """
    meant = _Meant(engine, vocabulary, query, page, per_page)
    answer, question = meant.answer, meant.question
    ids = _ids(answer)
    documents = reading.listed(session, ids) if base_url is None else reading.documents(session, ids, base_url)
    items = []
    for position, hit in enumerate(answer.hits, start=(page - 1) * per_page):
        document = documents.get(hit.id)  # an index that lags may still know what has just gone offline
        if document is not None:
            partial = position >= answer.total
            items.append(presenting.found(engine, vocabulary, question, hit, document, partial=partial, reader=reader))
    return Results(
        query=query,
        total=answer.total,
        page=page,
        per_page=per_page,
        items=tuple(items),
        partial=answer.partial,
        undated=answer.undated,
        untyped=answer.untyped,
        facets=answer.facets,
        expansions=answer.expansions,
        suggestion=meant.suggestion(session),
        corrected=meant.corrected,
    )


_MOST_OF_A_NAME = 5  # words of a question that may be one name, mistyped


class _Meant:
    """A query asked as it stands, or, where nothing at all answers it, as it may have been meant."""

    def __init__(
        self, engine: SearchEngine, vocabulary: Vocabulary, query: CatalogueQuery, page: int, per_page: int, *,
        facets: bool = True, places: bool = False, pairs: tuple[tuple[str, str], ...] = (),
    ) -> None:  # fmt: skip
        self._engine = engine
        self._query = query
        self._names = thesaurus(vocabulary)
        alike = region_likeness.alike_codes(vocabulary, query.region_like)
        self._asked = query.to_engine(
            self._names, page, per_page, facets=facets, places=places, pairs=pairs, alike=alike
        )
        self.question = self._asked.question
        self.answer = engine.search(self._asked)
        self._better = self._respelt()
        self.corrected = self.answer.empty and self._better is not None
        if self._better and self.corrected:
            self.question = self._better.question(self._names)
            self.answer = engine.search(replace(self._asked, question=self.question))

    def ids(self) -> tuple[str, ...]:
        """The ids of everything that the answer's total counts, in its order."""
        return self._engine.matching(replace(self._asked, question=self.question))

    def suggestion(self, session: Session) -> Respelling | None:
        """The question as it may have been meant, if that finds more than the one asked."""
        better, answer = self._better, self.answer
        if better is None:
            return None
        if not self.corrected:
            wanted = replace(self._asked, question=better.question(self._names), offset=0, limit=1, facets=False)
            answer = self._engine.search(wanted)
            if (answer.partial and not self.answer.partial) or answer.total <= self.answer.total * answer.partial:
                return None
        document = next(iter(reading.listed(session, _ids(answer)[:1]).values()), None)
        spelt = presenting.spelt(better.q, document) if document else better.q
        return Respelling(spelt, answer.total)

    def _respelt(self) -> CatalogueQuery | None:
        """The query with words of the index or names for words that are unknown: names first, they are spelt well."""
        words = [clause.word for clause in self.question.clauses]
        unknown = set(self.answer.unknown)
        if unknown and all(words) and 1 < len(words) <= _MOST_OF_A_NAME:
            name = self._nearest([word or "" for word in words])
            if name:
                return replace(self._query, q=name)
        meant = dict(self.answer.corrections)
        meant |= {word: name for word in unknown if (name := self._nearest([word]))}
        return replace(self._query, q=presenting.respelt(self._query.q, meant)) if meant else None

    def _nearest(self, words: list[str]) -> str | None:
        """The name that was meant, in small letters where the question is."""
        name = self._names.nearest(words)
        return name.lower() if name and self._query.q.islower() else name


def total(engine: SearchEngine, vocabulary: Vocabulary, query: CatalogueQuery) -> int:
    """How many practices a query finds."""
    return _Meant(engine, vocabulary, query, 1, 1, facets=False).answer.total


def counted(
    engine: SearchEngine, vocabulary: Vocabulary, query: CatalogueQuery, *,
    places: bool = False, pairs: tuple[tuple[str, str], ...] = (),
) -> Page:  # fmt: skip
    """The total and the facets of a query as its page of results has them; with `places` its regions, with `pairs` the
    values of two facets together.
    """
    return _Meant(engine, vocabulary, query, 1, 1, places=places, pairs=pairs).answer


@dataclass(frozen=True)
class Matching:
    """All that a query finds. `documents` are read while they are asked for, in the order of the page, once; `ids` are
    theirs.

    Where a practice went offline after the index was asked, there is one document less than `total`.
    """

    total: int
    documents: Iterator[Document]
    ids: Sequence[str] = ()


def matching(
    session: Session, engine: SearchEngine, vocabulary: Vocabulary, asked: CatalogueQuery, base_url: str
) -> Matching:
    """Everything that the page of a query counts, in its order: what exports and feeds hold.

    `session` has to stay open until the last document was read.
    """
    ids = matching_ids(engine, vocabulary, asked)
    return Matching(len(ids), _read(session, ids, base_url), ids)


def matching_ids(engine: SearchEngine, vocabulary: Vocabulary, asked: CatalogueQuery) -> tuple[str, ...]:
    """The ids of everything that the page of a query counts, in its order."""
    return _Meant(engine, vocabulary, asked, 1, 1, facets=False).ids()


def _read(session: Session, ids: Sequence[str], base_url: str) -> Iterator[Document]:
    """The public records among some ids, in their order, in batches so that memory stays the same."""
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        documents = reading.documents(session, map(uuid.UUID, batch), base_url)
        yield from (documents[each] for each in batch if each in documents)


def get(session: Session, slug: str, base_url: str) -> Document:
    """The whole record of one practice that is public or in the archive. Raises NotFound, Moved, or Gone with why."""
    return versions.online(session, slug, base_url).document


def every(session: Session, base_url: str) -> Iterator[Document]:
    """All public records, by slug, read in batches so that memory stays the same however many there are."""
    slugs = select(Practice.slug, Practice.id).join(Record).order_by(Practice.slug)
    for batch in session.execute(slugs).partitions(BATCH):
        documents = reading.documents(session, [practice_id for _slug, practice_id in batch], base_url)
        yield from (documents[str(practice_id)] for _slug, practice_id in batch if str(practice_id) in documents)


@dataclass(frozen=True)
class Figures:
    """Counts of what is public, for the home page."""

    practices: int
    countries: int
    discontinued: int
    ended: int
    evaluated: int
    counterfactual: int


def figures(session: Session) -> Figures:
    """Count what is public."""
    statuses = _counts(session, Record.status)
    evidence = _counts(session, Record.evidence)
    return Figures(
        practices=sum(statuses.values()),
        countries=len(_counts(session, Record.country)),
        discontinued=statuses.get(Status.DISCONTINUED, 0),
        ended=statuses.get(Status.ENDED, 0),
        evaluated=evidence.get(Evidence.EXTERNAL_EVALUATION, 0) + evidence.get(Evidence.COUNTERFACTUAL, 0),
        counterfactual=evidence.get(Evidence.COUNTERFACTUAL, 0),
    )


def facet_counts(engine: SearchEngine) -> Mapping[str, dict[str, int]]:
    """For every facet, how many public practices each value finds: the numbers of the home, theme and country pages."""
    answer = engine.search(Query(limit=1))
    return {name: dict(values) for name, values in answer.facets.items()}


def newest(session: Session, base_url: str, limit: int = 3) -> list[Document]:
    """The practices published last."""
    return _some(session, base_url, select(Record).order_by(Record.published.desc(), Record.title), limit)


def last_updated(session: Session, base_url: str, limit: int) -> list[Document]:
    """The practices whose text changed last."""
    return _some(session, base_url, select(Record).order_by(Record.updated.desc(), Record.title), limit)


def best_evidenced(session: Session, base_url: str, limit: int = 3) -> list[Document]:
    """Practices evaluated against a comparison group, then from outside, the last updated first."""
    statement = (
        select(Record)
        .where(Record.evidence.in_((Evidence.COUNTERFACTUAL, Evidence.EXTERNAL_EVALUATION)))
        .order_by((Record.evidence == Evidence.COUNTERFACTUAL).desc(), Record.updated.desc(), Record.title)
    )
    return _some(session, base_url, statement, limit)


def discontinued(session: Session, base_url: str, limit: int = 3) -> list[Document]:
    """Practices that stopped early, the last updated first."""
    statement = select(Record).where(Record.status == Status.DISCONTINUED).order_by(Record.updated.desc(), Record.title)
    return _some(session, base_url, statement, limit)


def titles(session: Session, slugs: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Title and its language of the practices among `slugs` that readers find: public, archived; a merged one has the
    other's.
    """
    named, other = list(slugs), aliased(Practice)
    public = select(Practice.slug, Record.title, Record.language).join(Record).where(Practice.slug.in_(named))
    merged = (
        select(Practice.slug, Record.title, Record.language)
        .join(other, other.id == Practice.merged_into_id)
        .join(Record, Record.practice_id == other.id)
        .where(Practice.slug.in_(named))
    )
    kept = (Practice.state == State.ARCHIVED, Practice.merged_into_id.is_(None), Practice.slug.in_(named))
    last = {each.slug: public_revision(session, each) for each in session.scalars(select(Practice).where(*kept))}
    archived = {str(slug): (each.document["title"], each.document["language"]) for slug, each in last.items() if each}
    found = session.execute(union(public, merged))
    return {str(slug): (title, language) for slug, title, language in found} | archived


def contact(session: Session, actor: User | None, slug: str) -> dict[str, str] | None:
    """Whom to write to about a public practice; None where nobody is named, or this person may not know.

    The name is there only with its bearer's consent.
    """
    statement = select(Contact).join(Practice, Practice.id == Contact.practice_id).where(Practice.slug == slug)
    found = session.scalar(statement) if can(actor, "see-contact") else None
    if found is None or not found.email:
        return None
    return {"role": found.role, "email": found.email, "name": found.name if found.consent else ""}


def region_counts(session: Session, vocabulary: Vocabulary) -> Counter[str]:
    """How many public practices each region finds, those of its sub-regions and cross-border ones included."""
    codes: dict[uuid.UUID, set[str]] = {}
    for table in (Record, RecordRegion):
        for practice_id, country, code in session.execute(select(table.practice_id, table.country, table.region_code)):
            whole_country = vocabulary.country_region(country)
            held = codes.setdefault(practice_id, set())
            held |= set(vocabulary.lineage(code)) if code else set()
            held |= {whole_country} if whole_country else set()
    return Counter(code for held in codes.values() for code in held)


def find_regions(vocabulary: Vocabulary, text: str, language: str, limit: int = 50) -> list[str]:
    """Codes of the regions that a code or a part of a name means, the best first.

    Names are compared without accents and case, in English, the region's own language and Latin letters, and a
    country's also in `language`; of regions alike, one that the text names comes before one of which it is a synonym.
    A retired code finds the regions that took over.
    """
    wanted, code = fold(text), text.strip().upper()
    ranked = []
    for region in vocabulary.regions.values():
        names = vocabulary.folded_names[region.code]
        if region.level == 0:
            names |= {fold(country_name(region.country, language))}
        nearest = min(_nearness(wanted, names), _nearness(wanted, vocabulary.folded_synonyms[region.code]) + 1)
        if region.code.upper() == code or region.code in vocabulary.successors.get(code, ()):
            nearest = 0
        elif len(code) > 1 and region.code.upper().startswith(code):
            nearest = min(nearest, _PART)
        if nearest <= _PART + 1:
            ranked.append((nearest, region.level, region.code))
    return [code for _nearness, _level, code in sorted(ranked)][:limit]


_WHOLE, _START, _PART, _NONE = 1, 3, 5, 7
"""How near a text is to a name; a synonym is one step further."""


def _nearness(wanted: str, names: Collection[str]) -> int:
    if wanted in names:
        return _WHOLE
    within = [name for name in names if wanted in name]
    if any(name.startswith(wanted) for name in within):
        return _START
    return _PART if within else _NONE


def _ids(answer: Page) -> list[uuid.UUID]:
    return [uuid.UUID(hit.id) for hit in answer.hits]


def _counts(session: Session, column: Any) -> dict[Any, int]:
    return {value: count for value, count in session.execute(select(column, func.count()).group_by(column))}


def _some(session: Session, base_url: str, statement: Select[Record], limit: int) -> list[Document]:
    return [as_document(record, base_url) for record in session.scalars(statement.limit(limit).options(*whole()))]
