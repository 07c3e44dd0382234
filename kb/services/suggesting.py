"""Suggestions while somebody types: practices, themes, people, regions and names, of nothing but what is public.

Each is there because every word typed begins a word of a name of it. At most so many go out, best first, of all kinds.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from kb.models import Practice, Record
from kb.search.beginnings import WORDS, Beginnings, folds
from kb.search.language import fold, is_stop_word, spans
from kb.search.port import COMPLETED, Query, SearchEngine
from kb.search.question import Clause, Question, Words
from kb.search.thesaurus import Name, Value
from kb.services import naming
from kb.services.query import QUESTION_LIMIT
from kb.services.vocabularies import Vocabulary, country_name

LIMIT = 10
"""Suggestions that a reader can look through."""

LEAST_LETTERS = 2
"""Letters before anything is suggested."""

_LEAST_OTHER = (
    3  # letters before a name counts that is not the label; one more in a foreign language, of which there are many
)
_MOST_WORDS = 8  # more than that is a text, not the beginning of a name
_MOST_TITLES = 40  # looked at, the most relevant ones
_MOST_COUNTED = 30  # values of a vocabulary whose practices are counted, the nearest ones
_MOST_ALIKE = 3  # suggestions of one kind, twice as many of practices
_OTHER = WORDS + 1  # how much farther a name is that is not the label

_KINDS = {"theme": "theme", "target_group": "target-group", "country": "country", "region": "region"}
_TURNS = ("practice", "theme", "country", "region", "practice", "target-group", "place", "organisation")
"""Whose turn it is to be suggested, round after round."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that what was typed may be the beginning of.

    `kind` is one of practice, theme, target-group, country, region, place, organisation. `target` is what to open: the
    slug of a practice, theme or target group, the code of a country or region, the name itself of a place or an
    organisation. `language` is that of the label, None where nobody knows. `country` is where a practice or a region
    is; `practices` how many a theme, target group, country or region has. Where the label does not show what was
    typed, `found_by` is the name that does, `found_in` its language.
    """

    kind: str
    label: str
    target: str
    language: str | None = None
    country: str | None = None
    practices: int | None = None
    found_by: str | None = None
    found_in: str | None = None


Ranked = tuple[int, Suggestion]
"""A suggestion, after how far what was typed is from it."""


def suggest(
    session: Session, engine: SearchEngine, vocabulary: Vocabulary, text: str, language: str, limit: int = LIMIT
) -> list[Suggestion]:
    """Return what a text may be the beginning of, the nearest first. Nothing for one letter, nor for a whole text."""
    typed = folds(text[: QUESTION_LIMIT + 1])
    if len(text) > QUESTION_LIMIT or len(typed) > _MOST_WORDS or len("".join(typed)) < LEAST_LETTERS:
        return []
    found = _of_vocabulary(engine, vocabulary, text, language)
    found["practice"] = _practices(session, engine, text, language)
    shown = {_key(suggestion.label) for several in found.values() for _, suggestion in several}
    for kind in COMPLETED:
        names = [name for name in engine.complete(kind, text, limit) if _key(name) not in shown]
        near = Beginnings(names).find(text)
        found[kind] = [(distance, Suggestion(kind, names[place], names[place])) for distance, place in near]
    return _mixed(found, limit)


def _key(name: str) -> str:
    return "".join(folds(name))


def _mixed(found: Mapping[str, Sequence[Ranked]], limit: int) -> list[Suggestion]:
    """Let each kind have its turns, then what has no practice yet but begins so, and put the nearest of them first."""
    empty = [each for several in found.values() for each in several if each[1].practices == 0]
    begun = sorted((each for each in empty if each[0] % _OTHER < WORDS), key=_distance)
    chosen = islice(chain(_in_turn(found), begun[:_MOST_ALIKE]), limit)
    ranked = sorted(chosen, key=lambda each: (each[1].practices == 0, each[0], -(each[1].practices or 1)))
    return [suggestion for _, suggestion in ranked]


def _in_turn(found: Mapping[str, Sequence[Ranked]]) -> Iterator[Ranked]:
    queues = {}
    for kind in _TURNS:
        several = [each for each in found.get(kind, ()) if each[1].practices != 0]
        queues[kind] = deque(several[: _MOST_ALIKE * _TURNS.count(kind)])
    while any(queues.values()):
        for kind in _TURNS:
            if queues[kind]:
                yield queues[kind].popleft()


def _distance(ranked: Ranked) -> int:
    return ranked[0]


# Themes, target groups, countries, regions


@lru_cache(maxsize=4)
def _known(vocabulary: Vocabulary) -> tuple[tuple[Name, ...], Beginnings]:
    """Return the names of a vocabulary, sorted by their words; made once. Of codes, only those of regions."""
    names = tuple(
        name
        for name in naming.names(vocabulary)
        if not name.code or name.facet == "country" or (name.facet == "region" and vocabulary.regions[name.value].level)
    )
    return names, Beginnings(name.text for name in names)


def _of_vocabulary(
    engine: SearchEngine, vocabulary: Vocabulary, text: str, language: str
) -> dict[str, Sequence[Ranked]]:
    """Return by kind what bears a name that a text begins, what has practices first."""
    found: dict[str, list[Ranked]] = {kind: [] for kind in _KINDS.values()}
    for (facet, value), (distance, name) in _nearest(vocabulary, text, language):
        kind = _KINDS[facet]
        if len(found[kind]) < _MOST_COUNTED:
            practices = _count(engine, facet, value)
            if practices or facet != "country" or value in vocabulary.european:
                found[kind].append((distance, _suggestion(vocabulary, name, language, practices)))
    return {kind: sorted(several, key=_by_practices) for kind, several in found.items()}


def _nearest(vocabulary: Vocabulary, text: str, language: str) -> list[tuple[Value, tuple[int, Name]]]:
    """Return the values that a text may mean, each with the name that is nearest, nearest first."""
    names, beginnings = _known(vocabulary)
    letters = len(_key(text))
    nearest: dict[Value, tuple[int, Name]] = {}
    for distance, place in beginnings.find(text):
        name = names[place]
        other = name.text != _label(vocabulary, name, language)[0]
        if other and letters < _LEAST_OTHER + (name.language not in (language, "und")):
            continue
        value, found = (name.facet, name.value), (distance + other * _OTHER, name)
        nearest[value] = min(nearest.get(value, found), found, key=lambda each: (each[0], each[1].language != language))
    return sorted(nearest.items(), key=lambda item: (item[1][0], _level(vocabulary, item[0]), item[0]))


def _level(vocabulary: Vocabulary, value: Value) -> int:
    return vocabulary.regions[value[1]].level if value[0] == "region" else 0


def _count(engine: SearchEngine, facet: str, value: str) -> int:
    only = Query(regions=(value,)) if facet == "region" else Query(filters={facet: (value,)})
    return engine.search(replace(only, limit=1, facets=False)).total


def _by_practices(ranked: Ranked) -> tuple[bool, int, int, str]:
    distance, suggestion = ranked
    return not suggestion.practices, distance, -(suggestion.practices or 0), suggestion.label


def _suggestion(vocabulary: Vocabulary, name: Name, language: str, practices: int) -> Suggestion:
    label, label_language = _label(vocabulary, name, language)
    other = name if name.text != label else None
    return Suggestion(
        kind=_KINDS[name.facet],
        label=label,
        target=name.value,
        language=label_language,
        country=vocabulary.regions[name.value].country if name.facet == "region" else None,
        practices=practices,
        found_by=other.text if other else None,
        found_in=other.language if other and other.language != "und" else None,
    )


def _label(vocabulary: Vocabulary, name: Name, language: str) -> tuple[str, str | None]:
    """Return what the value of a name is called in a language, and the language that this is in, if known."""
    if name.facet == "country":
        return country_name(name.value, language), language
    if name.facet == "region":
        label = vocabulary.region_name(name.value, language)
        return label, "en" if language == "en" and vocabulary.regions[name.value].name_en else None
    term = (vocabulary.themes if name.facet == "theme" else vocabulary.target_groups)[name.value]
    return term.name(language), language if language in term.labels else "en"


# Practices


def _practices(session: Session, engine: SearchEngine, text: str, language: str) -> list[Ranked]:
    """Return practices with the words typed in one of their titles, the nearest and most relevant first."""
    page = engine.search(Query(_question(text), limit=_MOST_TITLES, partial_limit=0, facets=False))
    ids = [] if page.partial else [uuid.UUID(hit.id) for hit in page.hits]
    columns = (Record.practice_id, Record.title, Record.original_title, Record.language, Record.translations)
    statement = select(*columns, Record.country, Practice.slug).join(Practice).where(Record.practice_id.in_(ids))
    rows = {row.practice_id: row for row in session.execute(statement)}  # what just went offline is in the index still
    titles = {practice_id: _titles(rows[practice_id], language) for practice_id in ids if practice_id in rows}
    near = _near(text, [title for several in titles.values() for title, _ in several])
    found = []
    for practice_id, several in titles.items():
        distances = [(near[title] + (_OTHER if i else 0), i) for i, (title, _) in enumerate(several) if title in near]
        if distances:
            distance, i = min(distances)
            (label, spoken), other = several[0], several[i] if i else (None, None)
            row = rows[practice_id]
            found.append((distance, Suggestion("practice", label, row.slug, spoken, row.country, None, *other)))
    return sorted(found, key=_distance)


def _question(text: str) -> Question:
    """Ask for each word of a text, in any form or as a beginning, in titles; the last is a beginning for certain."""
    typed = [word for start, end in spans(text) if len(fold(word := text[start:end])) >= LEAST_LETTERS]
    words = [word for word in typed[:-1] if not is_stop_word(fold(word))] + typed[-1:]
    starts = [Words((word,), begins=True, field="title") for word in words]
    whole = [Clause((Words((word,), field="title"), start)) for word, start in zip(words, starts[:-1], strict=False)]
    return Question(text, (*whole, *(Clause((start,)) for start in starts[-1:])))


def _titles(row: Row[Any], language: str) -> list[tuple[str, str | None]]:
    """Return the titles of a practice with their languages, the one for the reader first."""
    titles: list[tuple[str, str | None]] = [(row.title, row.language)]
    titles += [(each["title"], each["language"]) for each in row.translations if each["title"]]
    titles.sort(key=lambda title: title[1] != language)
    return [*titles, (row.original_title, None)] if row.original_title else titles


def _near(text: str, titles: Sequence[str]) -> dict[str, int]:
    """Return how far a text is from the titles it begins; words before the last may have another form there."""
    beginnings = Beginnings(titles)
    near = {titles[place]: WORDS for _, place in beginnings.find(folds(text)[-1])}
    return near | {titles[place]: distance for distance, place in beginnings.find(text)}
