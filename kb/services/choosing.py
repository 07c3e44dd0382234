"""Practices that somebody chose to lay side by side, by the slugs in an address: which of them are there to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.formats.text import line
from kb.models import Practice, Record
from kb.services import reading, versions
from kb.services.errors import N_, Gone, Invalid, Moved, NotFound, Problem, ServiceError
from kb.services.record import Document

COMPARED = (2, 4)
"""How many practices a comparison takes."""

BRIEFED = (1, 10)
"""How many practices a briefing takes."""

LOOKED_UP = 50
"""Slugs of an address that are looked up; nobody chooses that many by hand."""

SLUG_SHOWN = 80
"""Characters of an unknown slug that a sentence repeats."""

_SLUG = re.compile(r"[a-z0-9-]{1,200}")

FEW = N_("A comparison takes two to four practices. This address names one: choose one to three more.")
MANY = N_("A comparison takes two to four practices, and this address names %(count)d. Leave some out.")
MANY_BRIEFED = N_("A briefing takes up to ten practices, and this address names %(count)d. Leave some out.")
TOO_MANY = N_("This address names more than %(most)d practices. Leave some out.")
UNKNOWN = N_("There is no practice “%(slug)s”. Perhaps its address was not copied whole, or it was taken offline.")


@dataclass(frozen=True)
class Chosen:
    """One practice that was chosen: its whole record. `archived`: no longer maintained."""

    document: Document
    archived: bool = False

    @property
    def slug(self) -> str:
        """The slug of the practice."""
        return str(self.document["slug"])


@dataclass(frozen=True)
class Missing:
    """A slug that leads to nothing that readers may see, and why."""

    slug: str
    refused: ServiceError


@dataclass(frozen=True)
class Choice:
    """What an address chooses: practices in its order, each once, and what of it is not there.

    `canonical`: the address says it in the shortest way, without repeats or practices that were merged into another.
    `led`: the slug that each slug of the address led to.
    """

    chosen: tuple[Chosen, ...] = ()
    missing: tuple[Missing, ...] = ()
    canonical: bool = True
    led: Mapping[str, str] = field(default_factory=dict)

    @property
    def slugs(self) -> list[str]:
        """The slugs of what is there."""
        return [each.slug for each in self.chosen]


def choose(session: Session, slugs: Iterable[str], base_url: str) -> Choice:
    """The practices that readers find under some slugs: public, archived; for a merged one that which it is part of.

    Raises Invalid where there are more slugs than LOOKED_UP.
    """
    asked = [slug for slug in slugs if slug.strip()]
    named = list(dict.fromkeys(slug.strip() for slug in asked))
    if len(named) > LOOKED_UP:
        raise Invalid([Problem.of("p", TOO_MANY, most=LOOKED_UP)])
    public = _public(session, named, base_url)
    found: dict[str, Chosen] = {}
    led: dict[str, str] = {}
    missing = []
    for slug in named:
        try:
            chosen = public.get(slug) or _elsewhere(session, slug, base_url)
        except (NotFound, Gone) as refused:
            missing.append(Missing(slug, refused))
        else:
            found.setdefault(chosen.slug, chosen)
            led[slug] = chosen.slug
    return Choice(tuple(found.values()), tuple(missing), bool(missing) or list(found) == asked, led)


def plausible(slugs: Iterable[str]) -> list[str]:
    """Those that may be slugs: what has other signs in it is looked up nowhere, for no database takes them all."""
    return [slug for slug in slugs if _SLUG.fullmatch(slug)]


def _public(session: Session, slugs: list[str], base_url: str) -> dict[str, Chosen]:
    """The public ones among some slugs, in two statements."""
    ids = session.scalars(select(Practice.id).join(Record).where(Practice.slug.in_(plausible(slugs)))).all()
    return {each["slug"]: Chosen(each) for each in reading.documents(session, ids, base_url).values()} if ids else {}


def _elsewhere(session: Session, asked: str, base_url: str) -> Chosen:
    """What is in the archive, or was merged into another. Raises NotFound, Gone."""
    slug = asked
    for _ in range(2 if plausible([asked]) else 0):  # what a practice is merged into is not merged itself
        try:
            online = versions.online(session, slug, base_url)
        except Moved as moved:
            slug = moved.slug
        except NotFound:
            break
        else:
            return Chosen(online.document, online.archived)
    raise NotFound(UNKNOWN, slug=line(asked)[:SLUG_SHOWN])
