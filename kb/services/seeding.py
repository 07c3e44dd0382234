"""The seed: vocabularies, regions and the first practices, out of `seed/`. Safe to run again and again."""

from __future__ import annotations

import csv
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Origin, Practice, Region, RegionSuccessor, Revision, Theme
from kb.services import merged_terms, terms, vocabularies
from kb.services.checking import check
from kb.services.errors import Invalid, Problem
from kb.services.progress import Progress, silent
from kb.services.publishing import publish
from kb.services.record import Document, shape
from kb.services.vocabularies import Vocabulary

FOLDER = Path(__file__).parents[2] / "seed"

NAMESPACE = uuid.UUID("6a4b4d0e-5d0c-5a55-9c3f-0d6a3c1f7b52")
"""Ids of seed practices are made from their slugs in this namespace, so that every installation has the same."""


NOTE = "seed"
"""The note of every revision that the seed made; whoever else writes to a practice leaves it out."""


@dataclass(frozen=True)
class Seeded:
    """What a run of the seed did."""

    added: int
    renewed: int
    kept: int


def seed(session: Session, folder: Path = FOLDER, progress: Progress = silent) -> Seeded:
    """Load vocabularies, regions and practices.

    A practice that is there stays as it is once anything else wrote to it, an import included; untouched, it follows
    its file.
    Raises Invalid, naming the file, for a practice that breaks the rules.
    """
    load_vocabularies(session, folder)
    vocabulary = vocabularies.load(session)
    counts = {"added": 0, "renewed": 0, "kept": 0}
    paths = sorted((folder / "practices").glob("*.yaml"))
    for path in progress(paths, len(paths)):
        counts[_practice(session, path, vocabulary)] += 1
    return Seeded(**counts)


def load_vocabularies(session: Session, folder: Path = FOLDER) -> None:
    """Load themes, target groups, regions and successors of retired codes.

    Regions are brought up to date. A term that is missing is added at the end, unless it was merged into another; one
    that is there follows the seed only while nobody has edited it, and stays at its place in the list.
    """
    changed = _regions(session, folder)
    for kind in terms.KINDS:
        entries = yaml.safe_load((folder / f"{kind.key}.yaml").read_text(encoding="utf-8"))
        changed |= _terms(session, kind, entries)
    if changed:
        vocabularies.moved(session)


def _terms(session: Session, kind: terms.Kind, entries: list[dict[str, Any]]) -> bool:
    """Add the missing terms of a kind and renew those that nobody edited; whether anything changed."""
    gone = merged_terms.term_successors(session)[kind.key]
    edited = terms.edited(session, kind)
    free = terms.next_position(session, kind)
    changed = False
    for entry in entries:
        slug = entry["slug"]
        if slug in gone or slug in edited:
            continue
        values = _term(kind, entry)
        if session.get(kind.table, slug) is None:
            values["position"] = free
            free += 1
        changed |= _put(session, kind.table, slug, values)
    return changed


def fill_synonyms(database: Database, folder: Path = FOLDER) -> None:
    """Give regions that a release before synonyms loaded theirs; nothing where one has any, or no region is there."""
    with database.read() as session:
        known = session.scalar(select(Region.code).limit(1)) is not None
        filled = session.scalar(select(Region.code).where(cast(Region.synonyms, String) != "{}").limit(1)) is not None
    if known and not filled:
        with database.write() as session:
            if _synonyms(session, folder):
                vocabularies.moved(session)


def is_empty(session: Session) -> bool:
    """Whether the database holds no practice and no vocabulary yet."""
    return not any(session.scalar(select(func.count()).select_from(table)) for table in (Practice, Theme))


def _term(kind: terms.Kind, entry: dict[str, Any]) -> dict[str, Any]:
    values = {
        "label": entry["label"],
        "scope_note": entry["scope_note"].strip(),
        "labels": entry["labels"],
        "synonyms": entry["synonyms"],
    }
    if kind.table is Theme:
        values["mappings"] = entry.get("mapping") or {}
    return values


def _regions(session: Session, folder: Path) -> bool:
    changed = False
    rows = _csv(folder / "regions.csv")
    for row in sorted(rows, key=lambda each: int(each["level"])):  # parents before their children
        flags = {name: None if row[name] == "" else row[name] == "1" for name in ("mountain", "coast", "border")}
        values = {
            "edition": row["edition"],
            "level": int(row["level"]),
            "country": row["country"],
            "parent": row["parent"] or None,
            "name_en": row["name_en"] or None,
            "name_native": row["name_native"],
            "name_latin": row["name_latin"],
            "lon": float(row["lon"]) if row["lon"] else None,
            "lat": float(row["lat"]) if row["lat"] else None,
            "urban_type": row["urban_type"] or None,
            **flags,
        }
        changed |= _put(session, Region, row["code"], values)
    session.flush()
    for row in _csv(folder / "region_successors.csv"):
        if session.get(RegionSuccessor, (row["code"], row["successor"])) is None:
            session.add(RegionSuccessor(code=row["code"], successor=row["successor"], edition=row["edition"]))
            changed = True
    return changed | _synonyms(session, folder)


def _synonyms(session: Session, folder: Path) -> bool:
    """Give synonyms to the regions that have none: what an operator wrote stays."""
    held: dict[str, dict[str, list[str]]] = {}
    for row in _csv(folder / "region_synonyms.csv"):
        held.setdefault(row["code"], {}).setdefault(row["language"], []).append(row["name"])
    changed = False
    for region in session.scalars(select(Region)):
        if not region.synonyms and region.code in held:
            region.synonyms = held[region.code]
            changed = True
    return changed


def _put(session: Session, table: type[Any], key: str, values: dict[str, Any]) -> bool:
    """Add a row or bring it up to date; whether anything changed."""
    row = session.get(table, key)
    if row is None:
        primary = "slug" if hasattr(table, "slug") else "code"
        session.add(table(**{primary: key}, **values))
        return True
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _practice(session: Session, path: Path, vocabulary: Vocabulary) -> str:
    """Add, renew or keep one practice; says which of the three."""
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    practice = session.scalar(select(Practice).where(Practice.slug == data["slug"]))
    if practice is not None and (practice.origin != Origin.SEED or _touched(session, practice)):
        return "kept"
    try:
        document = check(shape(data), vocabulary)
    except Invalid as invalid:
        raise Invalid([Problem(f"{path.name}, {each.field}", each.message) for each in invalid.problems]) from None
    if practice is None:
        key = uuid.uuid5(NAMESPACE, data["slug"])
        practice = Practice(id=key, slug=data["slug"], origin=Origin.SEED, version=0, revision_count=0)
        session.add(practice)
        publish(session, practice, document, note=NOTE)
        return "added"
    if _same(session, practice, document, vocabulary):
        return "kept"
    publish(session, practice, document, note=NOTE)
    return "renewed"


def _touched(session: Session, practice: Practice) -> bool:
    """Whether anything but the seed ever wrote to a practice, somebody owns it, or it was taken offline."""
    if practice.owner_id is not None or practice.record is None:
        return True
    foreign = select(Revision.id).where(Revision.practice_id == practice.id, Revision.note.is_distinct_from(NOTE))
    return session.scalar(foreign.limit(1)) is not None


def _same(session: Session, practice: Practice, document: Document, vocabulary: Vocabulary) -> bool:
    held = session.scalar(
        select(Revision.document).where(Revision.practice_id == practice.id, Revision.version == practice.version)
    )
    held = merged_terms.renewed(held or {}, vocabulary.term_successors)
    without = {key: value for key, value in held.items() if key != "attribution"}
    return without == {key: value for key, value in document.items() if key != "attribution"}


class _Loader(yaml.SafeLoader):
    """YAML without dates and without yes and no for booleans: the country NO is no lie."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag not in ("tag:yaml.org,2002:timestamp",)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
