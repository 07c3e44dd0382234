"""What documents have to meet, as a tree that becomes one `filter_by`, whatever has to be negated in it.

Typesense cannot negate a group, so a condition is negated down to its terms. Each condition is made as short as can be:
the server understands no filter of more than `MOST_PARTS` parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kb.search.moments import ALWAYS_AFTER, ALWAYS_BEFORE
from kb.search.typesense.schema import UNDATED

MOST_PARTS = 90
"""Terms, operators and brackets of one filter; Typesense 0.24 refuses some more than these."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Documents that have any of some terms; or those that have `none` of them."""

    terms: tuple[str, ...]
    none: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """Documents of which a number is at least, or at most, another one."""

    field: str
    number: int
    at_least: bool


@dataclass(frozen=True, slots=True)
class Both:
    """Documents that meet all of some conditions, of which there are at least two."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Documents that meet any of some conditions, of which there are at least two."""

    parts: tuple[Condition, ...]


Condition = Terms | Number | Both | Either

NOTHING, EVERYTHING = Terms(()), Terms((), none=True)
"""What no document meets, and what all do."""


def has(*terms: str) -> Terms:
    """Return what has any of some terms."""
    return Terms(tuple(sorted(set(terms))))


def both(*parts: Condition) -> Condition:
    """Return what meets all of some conditions."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, Both) else (part,))]
    if NOTHING in flat:
        return NOTHING
    absent = {term for each in flat if isinstance(each, Terms) and each.none for term in each.terms}
    kept: list[Condition] = [each for each in flat if not (isinstance(each, Terms) and each.none)]
    if absent:
        kept.append(Terms(tuple(sorted(absent)), none=True))
    kept = list(dict.fromkeys(kept))
    return Both(tuple(kept)) if len(kept) > 1 else kept[0] if kept else EVERYTHING


def either(*parts: Condition) -> Condition:
    """Return what meets any of some conditions."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, Either) else (part,))]
    if EVERYTHING in flat:
        return EVERYTHING
    there = {term for each in flat if isinstance(each, Terms) and not each.none for term in each.terms}
    kept: list[Condition] = [each for each in flat if not (isinstance(each, Terms) and not each.none)]
    if there:
        kept.append(Terms(tuple(sorted(there))))
    kept = list(dict.fromkeys(kept))
    return Either(tuple(kept)) if len(kept) > 1 else kept[0] if kept else NOTHING


def without(condition: Condition) -> Condition:
    """Return what does not meet a condition."""
    if isinstance(condition, Terms):
        return Terms(condition.terms, not condition.none)
    if isinstance(condition, Number):
        shifted = condition.number - 1 if condition.at_least else condition.number + 1
        return Number(condition.field, shifted, not condition.at_least)
    together = either if isinstance(condition, Both) else both
    return together(*map(without, condition.parts))


def overlapping(first: int | None, last: int | None) -> Condition:
    """Return what has years that overlap [`first`, `last`], of which None is an open end."""
    if first is None and last is None:
        return Terms((UNDATED,), none=True)
    if first is not None and last is not None and first > last:
        return NOTHING
    begun = Terms((UNDATED,), none=True) if last is None else Number("start", _bounded(last), at_least=False)
    going_on = EVERYTHING if first is None else Number("end", _bounded(first), at_least=True)
    return both(begun, going_on)


def _bounded(year: int) -> int:
    return max(ALWAYS_BEFORE, min(ALWAYS_AFTER, year))


def parts(condition: Condition) -> int:
    """Return how many parts the filter of a condition has."""
    if isinstance(condition, Terms | Number):
        return 1
    return sum(parts(each) + 1 for each in condition.parts) + 1


def written(condition: Condition) -> str:
    """Return a condition as a `filter_by`; the empty one asks for everything."""
    if condition == EVERYTHING:
        return ""
    if isinstance(condition, Terms):
        return f"terms:{'!=' if condition.none else ''}[{','.join(condition.terms)}]"
    if isinstance(condition, Number):
        return f"{condition.field}:{'>=' if condition.at_least else '<='}{condition.number}"
    joint = " && " if isinstance(condition, Both) else " || "
    return f"({joint.join(map(written, condition.parts))})"


def shortened(condition: Condition, ids: Callable[[Condition], Iterable[str]]) -> Condition:
    """Return a condition as one that can be asked for: where it has too many parts, `ids` finds those of one of them.

    `ids` returns the id terms of what meets a condition that is short enough.
    """
    while parts(condition) > MOST_PARTS and isinstance(condition, Both | Either):
        together = both if isinstance(condition, Both) else either
        pieces = sorted((shortened(each, ids) for each in condition.parts), key=parts, reverse=True)
        taken = 1
        while taken < len(pieces) and sum(parts(each) + 1 for each in pieces[: taken + 1]) < MOST_PARTS:
            taken += 1
        found = has(*ids(together(*pieces[:taken])))
        condition = together(found, *pieces[taken:])
    return condition
