"""What the text of a draft suggests: themes, target groups, its language. The writer decides; nothing is chosen here.

A term is suggested where the text names it, in any language of the vocabularies, and where public practices that read
alike bear it. Both count together: a name may stand there by the way, and a neighbour may be near by chance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import RecordTargetGroup, RecordTheme
from kb.search.language import fold, is_stop_word, spans
from kb.search.port import Hit, NoSearch, Query, SearchEngine
from kb.search.question import Clause, Question, Words
from kb.search.tongues import guess
from kb.services.checking import LANGUAGES
from kb.services.naming import thesaurus
from kb.services.presenting import plain
from kb.services.record import NARRATIVE, TERMS, Document
from kb.services.vocabularies import Vocabulary

SUGGESTED = 3
"""Terms that are suggested for one field."""

NEIGHBOURS = 20
"""Public practices that read most alike, whose terms count."""

WEIGHTS = {"title": 3.0, "summary": 2.0, "objectives": 1.5, "context": 1.0, "actions": 1.0, "results": 0.5}
"""What a name counts for, by the field that it stands in. Set on the seed: `python -m bench writing`."""

NEAR = 2.0
"""What the neighbours count for beside the names."""

_LEAST = 0.25  # of what the best term is worth
_MOST_WORDS = 400  # of one field in which names are looked for: the longest that may be submitted
_MOST_ASKED = 48  # words of title and summary by which neighbours are found
_FACETS = {"themes": "theme", "target_groups": "target_group"}
_COLUMNS = {
    "themes": (RecordTheme.practice_id, RecordTheme.theme),
    "target_groups": (RecordTargetGroup.practice_id, RecordTargetGroup.target_group),
}

Worth = dict[str, float]
"""What each term is worth."""


@dataclass(frozen=True)
class Hints:
    """What a text suggests. `terms` maps `themes` and `target_groups` to terms that are not chosen, the best first.

    `language` is what the text seems to be written in, where that is not the language chosen.
    """

    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    language: str | None = None

    def __bool__(self) -> bool:
        return self.language is not None or any(self.terms.values())


def suggest(
    session: Session, engine: SearchEngine, vocabulary: Vocabulary, document: Document, but: UUID | None = None
) -> Hints:
    """Return what the text of a draft suggests beyond what is chosen already.

    `but` is the practice that it belongs to, which is no neighbour of its own.
    """
    worth = weighed(session, engine, vocabulary, document, but)
    terms = {}
    for key in TERMS:
        best = ranked(worth[key])[:SUGGESTED]
        terms[key] = tuple(term for term in best if term not in (document[key] or []))
    return Hints(terms, language_of(document))


def language_of(document: Document) -> str | None:
    """Return the language that the text seems to be in, where it is not the one chosen and there is little doubt."""
    texts = (document[key] for key in ("title", "summary", *NARRATIVE))
    guessed = guess(" ".join(plain(str(text)) for text in texts if text), LANGUAGES)
    return guessed if guessed != document["language"] else None


def ranked(worth: Worth) -> list[str]:
    """Return the terms that are worth a suggestion, the best first."""
    most = max(worth.values(), default=0.0)
    return sorted((term for term in worth if worth[term] >= most * _LEAST), key=lambda term: (-worth[term], term))


def weighed(
    session: Session, engine: SearchEngine, vocabulary: Vocabulary, document: Document, but: UUID | None = None
) -> dict[str, Worth]:
    """Return what each term is worth by the text, for `themes` and `target_groups`."""
    named, near = _named(vocabulary, document), _near(session, engine, document, but)
    known = {"themes": vocabulary.themes, "target_groups": vocabulary.target_groups}
    worth: dict[str, Worth] = {}
    for key in TERMS:
        terms = (named[key].keys() | near[key].keys()) & known[key].keys()
        worth[key] = {term: named[key].get(term, 0.0) + NEAR * near[key].get(term, 0.0) for term in terms}
    return worth


def _named(vocabulary: Vocabulary, document: Document) -> dict[str, Worth]:
    """Return how much the text speaks of each term by a name of it; of the one named most, 1."""
    names = thesaurus(vocabulary)
    worth: dict[str, Worth] = {key: {} for key in TERMS}
    for part, weight in WEIGHTS.items():
        expansions = names.expand(_question(str(document[part] or ""), _MOST_WORDS)).expansions
        for key, facet in _FACETS.items():
            counts = Counter(value for each in expansions if each.facet == facet for value in each.values)
            for term, count in counts.items():
                worth[key][term] = worth[key].get(term, 0.0) + weight * (1 + math.log(count))
    most = {key: max(worth[key].values(), default=1.0) for key in TERMS}
    return {key: {term: value / most[key] for term, value in worth[key].items()} for key in TERMS}


def _near(session: Session, engine: SearchEngine, document: Document, but: UUID | None) -> dict[str, Worth]:
    """Return for each term which share of the practices that read alike bear it, the nearest counting most."""
    hits = {UUID(hit.id): hit.score for hit in _neighbours(engine, document) if but is None or hit.id != str(but)}
    nearest = dict(islice(hits.items(), NEIGHBOURS))
    total = sum(nearest.values()) or 1.0
    shares: dict[str, Worth] = {}
    for key, (practice_id, term) in _COLUMNS.items():
        shares[key] = {}
        for neighbour, slug in session.execute(select(practice_id, term).where(practice_id.in_(nearest))):
            shares[key][slug] = shares[key].get(slug, 0.0) + nearest[neighbour] / total
    return shares


def _neighbours(engine: SearchEngine, document: Document) -> tuple[Hit, ...]:
    """Return the public practices that read most alike; none where there is no index just now."""
    texts = [document["title"], document["summary"]]
    texts += [each[key] for each in document["translations"] for key in ("title", "summary")]
    question = _question(" ".join(str(text) for text in texts if text), _MOST_ASKED)
    if not question.clauses:
        return ()
    try:
        return engine.search(Query(question, limit=NEIGHBOURS + 1, facets=False)).hits
    except NoSearch:
        return ()


def _question(text: str, most: int) -> Question:
    """Return a text as a question of its telling words, of which any is enough."""
    words = islice(_telling(plain(text)), most)
    return Question(text, tuple(Clause((Words((word,)),), follows=True) for word in words), loose=True)


def _telling(text: str) -> Iterator[str]:
    for start, end in spans(text):
        if not is_stop_word(fold(text[start:end])):
            yield text[start:end]
