"""What was adapted from what: no practice comes from itself, and none from what came from it.

An arrow leads from a practice to each that its public version names in `adapted_from`, and, where it came of a
confirmed adoption, to the one that was adopted. A practice that was merged into another is that one. What is offline
keeps its arrows, for it may come back. Whoever adds an arrow asks here first, in the transaction that keeps it: one
writes at a time, so that no two arrows close a circle that neither sees.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from kb.models import Adoption, Practice, Record, Revision, State
from kb.services.errors import N_, Conflict, Invalid, Problem
from kb.services.record import Document

ITSELF = N_("A practice cannot be adapted from itself. Name another practice, or none.")
CIRCLE = N_("Each of these would be adapted from the next: %(chain)s. Name another practice, or none.")
UNKNOWN = N_("There is no practice at “%(slug)s”. Name another practice, or none.")
MERGED_ITSELF = N_("One of the two says that it was adapted from the other. Change that first, then merge.")
MERGED_CIRCLE = N_("Merged, each of these would be adapted from the next: %(chain)s. Change that first, then merge.")

UNNAMED = "…"
"""Stands in a chain for a practice that readers cannot see now."""

CANONICAL = func.coalesce(Practice.merged_into_id, Practice.id)
"""The practice that one is by now: the one that it was merged into, or itself."""


def check_document(session: Session, practice: Practice, document: Document) -> None:
    """Check what a version that is to be public says it was adapted from. Raises Invalid, which names the chain."""
    entries = [(n, entry["slug"]) for n, entry in enumerate(document["adapted_from"]) if entry["slug"]]
    if not entries:
        return
    ids = _by_slug(session, {slug for _n, slug in entries})
    problems = []
    for n, slug in entries:
        if slug in ids and (chain := _way(session, [ids[slug]], {practice.id})) is not None:
            title = str(document["title"] or practice.title)
            problems.append(_problem(session, f"adapted_from.{n}.slug", chain, (practice.id, title)))
    if problems:
        raise Invalid(problems)


def check_named(session: Session, practice: Practice, document: Document) -> None:
    """Check that what a submission says it was adapted from is here. Raises Invalid.

    What the public version names may stay, and so may what is offline now.
    """
    entries = [(n, entry["slug"]) for n, entry in enumerate(document["adapted_from"]) if entry["slug"]]
    kept = {entry["slug"] for entry in practice.record.adapted_from} if practice.record else set()
    known = _by_slug(session, {slug for _n, slug in entries}) if entries else {}
    problems = [
        Problem.of(f"adapted_from.{n}.slug", UNKNOWN, slug=slug)
        for n, slug in entries
        if slug not in known and slug not in kept
    ]
    if problems:
        raise Invalid(problems)


def check_adoption(session: Session, own: Practice, original: Practice) -> None:
    """Check that a practice may have come of the adoption of another. Raises Invalid for the field `own`."""
    goal = own.merged_into_id or own.id
    chain = _way(session, [original.merged_into_id or original.id], {goal})
    if chain is not None:
        title = own.record.title if own.record else UNNAMED
        raise Invalid([_problem(session, "own", chain, (goal, title))])


def check_merge(session: Session, practice: Practice, into: Practice) -> None:
    """Check that two practices may be one. Raises Conflict, which names the chain."""
    both = {practice.id, into.id}
    chain = _way(session, [each for ends in originals(session, both).values() for each in ends], both)
    if chain is None:
        return
    if len(chain) == 1:
        raise Conflict(MERGED_ITSELF)
    titles = _titles(session, chain)
    raise Conflict(MERGED_CIRCLE, chain=_said([titles.get(into.id, UNNAMED), *(titles.get(k, UNNAMED) for k in chain)]))


class Trial:
    """The arrows among the records of a file, told one after the other while nothing is kept yet."""

    def __init__(self) -> None:
        self._arrows: dict[str, set[str]] = {}

    def add(self, slug: str, document: Document) -> None:
        """Add those of a record with an address of its own. Raises Invalid where they would close a circle."""
        named = [entry["slug"] for entry in document["adapted_from"]]
        for n, each in enumerate(named):
            if chain := self._way(each, slug):
                text = ITSELF if len(chain) == 1 else CIRCLE
                raise Invalid([Problem.of(f"adapted_from.{n}.slug", text, chain=_said([slug, *chain]))])
        self._arrows[slug] = set(named)

    def _way(self, start: str, goal: str) -> list[str]:
        """A way along the arrows, both ends included; empty without one."""
        ways, seen = [[start]], {start}
        while ways:
            way = ways.pop()
            if way[-1] == goal:
                return way
            further = self._arrows.get(way[-1], set()) - seen
            seen |= further
            ways += [[*way, each] for each in sorted(further)]
        return []


def originals(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """What each of some practices was adapted from; all are named as what they are by now."""
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    of_them = or_(Practice.id.in_(ids), Practice.merged_into_id.in_(ids))
    last = select(CANONICAL, Revision.document["adapted_from"]).join(Practice, Practice.id == Revision.practice_id)
    last = last.where(of_them, Revision.version == Practice.version, Revision.redacted.is_(None))
    named = [(key, entry["slug"]) for key, entries in session.execute(last) for entry in entries or ()]
    known = _by_slug(session, {slug for _key, slug in named if slug}) if named else {}
    for key, slug in named:
        if slug in known:
            found.setdefault(key, set()).add(known[slug])
    for key, original in session.execute(_adopted().where(of_them)):
        found.setdefault(key, set()).add(original)
    return found


def circles(session: Session) -> Iterator[list[str]]:
    """The chains of practices that come from themselves, by their slugs, so many that none is left; for `check`."""
    ids = set(session.scalars(select(Adoption.own_id).where(Adoption.own_id.is_not(None))))
    naming = Revision.document["adapted_from"].as_string() != "[]"
    ids |= set(session.scalars(select(Revision.practice_id).where(Revision.version.is_not(None), naming)))
    merged = session.execute(select(Practice.id, CANONICAL).where(Practice.merged_into_id.is_not(None)))
    into = {key: now for key, now in merged}
    arrows = originals(session, {into.get(key, key) for key in ids if key}) if ids else {}
    while chain := _circle(arrows):
        arrows[chain[0]].discard(chain[1])
        named = session.execute(select(Practice.id, Practice.slug).where(Practice.id.in_(chain)))
        slugs = {key: slug for key, slug in named}
        yield [slugs[key] or str(key) for key in chain]


def _circle(arrows: dict[uuid.UUID, set[uuid.UUID]]) -> list[uuid.UUID]:
    """One way that ends where it began, each adapted from the next; nothing where there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _way(session: Session, starts: Iterable[uuid.UUID], goals: Collection[uuid.UUID]) -> list[uuid.UUID] | None:
    """The shortest way along the arrows from any of `starts` to any of `goals`, both included; None without one."""
    before: dict[uuid.UUID, uuid.UUID | None] = dict.fromkeys(starts)
    level = set(before)
    while level:
        if found := level & set(goals):
            chain = [min(found, key=str)]
            while (earlier := before[chain[-1]]) is not None:
                chain.append(earlier)
            return chain[::-1]
        further: dict[uuid.UUID, uuid.UUID] = {}
        for each, ends in originals(session, level).items():
            further |= {end: each for end in ends if end not in before}
        before |= further
        level = set(further)
    return None


def _adopted() -> Select[uuid.UUID, uuid.UUID]:
    """Pairs of the practice that came of a confirmed adoption and the one that was adopted."""
    original = aliased(Practice)
    pairs = select(CANONICAL, func.coalesce(original.merged_into_id, original.id)).select_from(Adoption)
    pairs = pairs.join(Practice, Practice.id == Adoption.own_id).join(original, original.id == Adoption.practice_id)
    return pairs.where(Adoption.accepted.is_(True), Adoption.withdrawn.is_(None))


def _by_slug(session: Session, slugs: Collection[str]) -> dict[str, uuid.UUID]:
    """The practices at some addresses, each as what it is by now."""
    found = session.execute(select(Practice.slug, CANONICAL).where(Practice.slug.in_(slugs)))
    return {str(slug): key for slug, key in found}


def _problem(session: Session, field: str, chain: Sequence[uuid.UUID], itself: tuple[uuid.UUID, str]) -> Problem:
    if len(chain) == 1:
        return Problem.of(field, ITSELF)
    titles = {**_titles(session, chain), itself[0]: itself[1]}
    return Problem.of(field, CIRCLE, chain=_said([itself[1], *(titles.get(each, UNNAMED) for each in chain)]))


def _titles(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What readers call those of some practices that they can see: public ones and those of the archive."""
    title = Revision.document["title"].as_string()
    kept = select(Practice.id, title).join(Revision, Revision.practice_id == Practice.id)
    kept = kept.where(Practice.id.in_(ids), Practice.state == State.ARCHIVED, Practice.merged_into_id.is_(None))
    kept = kept.where(Revision.version == Practice.version, Revision.redacted.is_(None))
    public = select(Record.practice_id, Record.title).where(Record.practice_id.in_(ids))
    return {key: said for found in (kept, public) for key, said in session.execute(found)}


def _said(titles: Iterable[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)
