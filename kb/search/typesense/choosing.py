"""Which of many documents are read, to be scored: those that hold most of what is worth most."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from kb.search.fields import title_key
from kb.search.typesense.about import MOST_HITS, Looking, documents
from kb.search.typesense.conditions import MOST_PARTS, Condition, both, either, has, parts, without, written
from kb.search.typesense.meaning import Form, Meaning
from kb.search.typesense.reading import READ
from kb.search.typesense.schema import heavy, title_term
from kb.search.weights import rarity

MOST_READ = MOST_HITS
"""Documents that are read to be scored; where no more are found than these, the order is that of all."""

FRESH = "updated:desc,title:asc"
"""The order of those that are not scored."""

_TELLING = 7  # words of a question, the rarest, by which documents are chosen
_THERE, _HEAVY = 0.4, 0.75  # the share that a word is likely to have in a document that holds it, or is about it


class _Choice(NamedTuple):
    """Something that a document may hold, and about what that scores."""

    value: float
    condition: Condition


def chosen(looking: Looking, meaning: Meaning, among: Condition) -> list[dict[str, Any]]:
    """Return the documents that are to be scored, of those that meet a condition: all of them where they are few.

    What holds the words themselves goes before what else was meant, as it does in the order of relevance.
    """
    literal = both(among, meaning.literal)
    counts = looking.counted([among, literal])
    if counts[0] <= MOST_READ:
        return looking.window(among, 0, counts[0], FRESH, READ)
    if counts[1] >= MOST_READ:
        return _best(looking, meaning, literal, MOST_READ)
    found = looking.window(literal, 0, counts[1], FRESH, READ)
    return found + _best(looking, meaning, both(among, without(literal)), MOST_READ - len(found))


def _best(looking: Looking, meaning: Meaning, among: Condition, many: int) -> list[dict[str, Any]]:
    """Return so many of more documents: those of the narrowest condition, and others of one that is wide enough."""
    title = has(title_term(title_key(meaning.question.text)))
    room = MOST_PARTS - parts(among) - 3
    steps = [both(among, either(title, step)) for step in _steps(looking, meaning, room)]
    steps.append(among)
    counts = looking.counted(steps)
    place = next((i for i, count in enumerate(counts) if count >= many), len(steps) - 1)
    wanted = [steps[place], *([steps[place - 1]] if place else [])]
    searches = [
        {
            "filter_by": written(looking.short(each)),
            "sort_by": FRESH,
            "per_page": many,
            "include_fields": ",".join(READ),
        }
        for each in reversed(wanted)
    ]
    found: dict[str, dict[str, Any]] = {}
    for answer in looking.ask(searches):
        for each in documents(answer):
            found.setdefault(each["key"], each)
    return list(found.values())[:many]


def _steps(looking: Looking, meaning: Meaning, room: int) -> list[Condition]:
    """Return conditions of up to so many parts, each wider than the one before: first of what is worth most."""
    forms = [form for form in meaning.forms() if form.terms]
    counts = looking.counted([form.condition for form in forms])
    standing = [
        (rarity(looking.about.documents, count), form) for count, form in zip(counts, forms, strict=True) if count
    ]
    telling = sorted(standing, key=lambda pair: -pair[0])[:_TELLING]
    choices = sorted(_choices(telling), key=lambda choice: -choice.value)
    steps: list[Condition] = []
    for choice in choices:
        wider = either(*steps[-1:], choice.condition)
        if parts(wider) > room:
            break
        steps.append(wider)
    return steps


def _choices(telling: list[tuple[float, Form]]) -> Iterator[_Choice]:
    """Yield ways to hold one, two or three of some words, each with how rare it is."""
    there = [_Choice(_THERE * value, form.condition) for value, form in telling]
    about = [_Choice(_HEAVY * value, _heavy(form)) for value, form in telling]
    yield from there
    yield from about
    for size in (2, 3):
        for each in combinations(range(len(telling)), size):
            yield _together([there[i] for i in each])
            yield _together([about[each[0]], *(there[i] for i in each[1:])])
            yield _together([about[i] for i in each])


def _together(choices: list[_Choice]) -> _Choice:
    return _Choice(sum(each.value for each in choices), both(*(each.condition for each in choices)))


def _heavy(form: Form) -> Condition:
    return both(form.condition, has(*map(heavy, (form.typed, *form.kin, *form.many))))
