"""Editing the vocabularies: themes and target groups are added, edited, ordered, and merged into one another.

A slug is for ever: records, addresses and other people's links refer to it. A term that is merged leaves a row that
says where it went, so that its address leads there and old documents are understood.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from slugify import slugify
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Practice, RecordTargetGroup, RecordTheme, TargetGroup, TermSuccessor, Theme, User
from kb.services import audit, datestamps, merged_terms, publishing, vocabularies
from kb.services.errors import N_, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import can

LABEL_LIMIT = 100
NOTE_LIMIT = 2000
SYNONYM_LIMIT = 100
MOST_SYNONYMS = 100
SLUG_LIMIT = 64
ENGLISH = "en"


@dataclass(frozen=True)
class Kind:
    """Themes or target groups: their name in a query and in the audit log, their key in a record, their tables."""

    name: str
    table: type[Theme] | type[TargetGroup]
    link: type[RecordTheme] | type[RecordTargetGroup]

    @property
    def key(self) -> str:
        """The record's key that holds such terms."""
        return f"{self.name}s"

    @property
    def path(self) -> str:
        """How an address names the vocabulary."""
        return self.key.replace("_", "-")


THEMES = Kind("theme", Theme, RecordTheme)
TARGET_GROUPS = Kind("target_group", TargetGroup, RecordTargetGroup)
KINDS = (THEMES, TARGET_GROUPS)


@dataclass(frozen=True)
class Wording:
    """What an administrator typed about a term: labels and synonyms by language, English apart."""

    label: str
    scope_note: str
    labels: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)


def get(session: Session, actor: User, kind: Kind, slug: str) -> Theme | TargetGroup:
    """A term. Raises NotAllowed, NotFound."""
    _administering(actor)
    term = _find(session, kind, slug)
    if term is None:
        raise NotFound(N_("There is no such term."))
    return term


def uses(session: Session, kind: Kind) -> dict[str, int]:
    """How many public practices have each term."""
    column = _column(kind)
    return {slug: count for slug, count in session.execute(select(column, func.count()).group_by(column))}


def add(session: Session, actor: User, kind: Kind, wording: Wording) -> Theme | TargetGroup:
    """Add a term at the end of the list; its slug is made from the English label. Raises NotAllowed, Invalid."""
    _administering(actor)
    checked = _checked(session, kind, wording, None)
    slug = slugify(checked.label, max_length=SLUG_LIMIT, word_boundary=True)
    if not slug:
        raise Invalid([Problem.of("label", N_("The English label needs at least one Latin letter or digit."))])
    taken = merged_terms.term_successors(session)[kind.key]
    if slug in taken or session.get(kind.table, slug) is not None:
        text = N_("The address “%(slug)s” is taken, or was once. Choose another label.")
        raise Invalid([Problem.of("label", text, slug=slug)])
    term = kind.table(slug=slug, position=next_position(session, kind))
    _write(term, checked)
    session.add(term)
    audit.note(session, actor, "term.add", kind.name, slug)
    vocabularies.moved(session)
    return term


def edit(
    session: Session, actor: User, kind: Kind, slug: str, wording: Wording, place: int | None = None
) -> Theme | TargetGroup:
    """Change what a term is called and means, and with `place` where it stands in the list, from 1.

    Raises NotAllowed, NotFound, Invalid with everything that is wrong.
    """
    term = get(session, actor, kind, slug)
    checked = _checked(session, kind, wording, slug)
    names = ("label", "scope_note", "labels", "synonyms")
    before = {name: getattr(term, name) for name in names}
    _write(term, checked)
    changed = [name for name in names if getattr(term, name) != before[name]]
    if place is not None and _moved_to(session, kind, term, place):
        changed.append("order")
    if changed:
        audit.note(session, actor, "term.edit", kind.name, slug, changed=changed)
        vocabularies.moved(session)
    return term


def merge(session: Session, actor: User, kind: Kind, slug: str, into: str) -> int:
    """Merge a term into another: practices move, its names become synonyms, its address leads there.

    Returns how many public practices moved. Raises NotAllowed, NotFound, Invalid where `into` is no other term.
    """
    old = get(session, actor, kind, slug)
    new = _find(session, kind, into) if into != slug else None
    if new is None:
        raise Invalid([Problem.of("into", N_("Choose the term that it goes into."))])
    moved = _move(session, kind, slug, into)
    _take_names(new, old)
    same_kind = TermSuccessor.kind == kind.name
    session.execute(update(TermSuccessor).where(same_kind, TermSuccessor.successor == slug).values(successor=into))
    session.add(TermSuccessor(kind=kind.name, slug=slug, successor=into))
    session.flush()
    session.delete(old)
    audit.note(session, actor, "term.merge", kind.name, slug, into=into, practices=moved)
    audit.note(session, actor, "term.edit", kind.name, into, merged=slug)
    vocabularies.moved(session)
    session.flush()
    return moved


def edited(session: Session, kind: Kind) -> set[str]:
    """The terms that somebody added or edited here: the audit log, which nobody can change, remembers."""
    statement = select(AuditEntry.object_id).where(AuditEntry.object_kind == kind.name)
    return set(session.scalars(statement.distinct()))


def next_position(session: Session, kind: Kind) -> int:
    """The position after the last term."""
    last = session.scalar(select(func.max(kind.table.position)))
    return 0 if last is None else last + 1


# Merging


def _move(session: Session, kind: Kind, slug: str, into: str) -> int:
    """Give practices the new term for the old, once, at the earlier of the two places; says how many."""
    link, column = kind.link, _column(kind)
    affected = list(session.scalars(select(link.practice_id).where(column == slug)))
    held: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = select(link.practice_id, column).where(link.practice_id.in_(select(link.practice_id).where(column == slug)))
    for practice_id, term in session.execute(rows.order_by(link.practice_id, link.position)):
        held[practice_id].append(term)
    for practice_id in affected:
        terms = list(dict.fromkeys(into if term == slug else term for term in held[practice_id]))
        # The order of terms is unique: what stood there goes before what comes.
        session.execute(delete(link).where(link.practice_id == practice_id))
        session.add_all(_row(kind, practice_id, term, n) for n, term in enumerate(terms))
        practice = session.get_one(Practice, practice_id)
        datestamps.stamp(session, practice)
        publishing.touch(session, practice)
    return len(affected)


def _row(kind: Kind, practice_id: uuid.UUID, term: str, position: int) -> RecordTheme | RecordTargetGroup:
    values: dict[str, Any] = {kind.name: term}
    return kind.link(practice_id=practice_id, position=position, **values)


def _take_names(new: Theme | TargetGroup, old: Theme | TargetGroup) -> None:
    """Let what the old term was called be synonyms of the new one: readers go on finding it by the words they know."""
    synonyms = {language: list(words) for language, words in new.synonyms.items()}
    for language in dict.fromkeys([*old.labels, *old.synonyms]):
        words = synonyms.setdefault(language, [])
        known = {word.casefold() for word in [*words, new.labels.get(language, "")]}
        for word in filter(None, [old.labels.get(language), *old.synonyms.get(language, ())]):
            if word.casefold() not in known:
                known.add(word.casefold())
                words.append(word)
    new.synonyms = {language: words for language, words in synonyms.items() if words}


def _moved_to(session: Session, kind: Kind, term: Theme | TargetGroup, place: int) -> bool:
    """Put a term at a place in the list, from 1; whether the order changed."""
    rows: list[Any] = list(session.scalars(select(kind.table).order_by(kind.table.position, kind.table.slug)))
    before = list(rows)
    rows.remove(term)
    rows.insert(min(max(place, 1), len(before)) - 1, term)
    if rows == before:
        return False
    for position, row in enumerate(rows):
        row.position = position
    return True


def _column(kind: Kind) -> Any:
    return getattr(kind.link, kind.name)


def _find(session: Session, kind: Kind, slug: str) -> Theme | TargetGroup | None:
    found: Any = session.get(kind.table, slug)
    return cast(Theme | TargetGroup | None, found)


# What a term may be


def _checked(session: Session, kind: Kind, wording: Wording, slug: str | None) -> Wording:
    """The wording as it is kept: white space single, empty entries gone. Raises Invalid with everything wrong."""
    problems: list[Problem] = []
    label, note = _single(wording.label), wording.scope_note.strip()
    if not label:
        problems.append(Problem.of("label", N_("Write what the term is called in English.")))
    elif _label_taken(session, kind, label, slug):
        problems.append(Problem.of("label", N_("Another term has this label already.")))
    labels = {language: _single(text) for language, text in wording.labels.items() if text.strip()} | {ENGLISH: label}
    for language, text in labels.items():
        if len(text) > LABEL_LIMIT:
            problems.append(_too_long("label" if language == ENGLISH else f"label-{language}", LABEL_LIMIT))
    if not note:
        problems.append(Problem.of("scope_note", N_("Say in a sentence what the term covers.")))
    elif len(note) > NOTE_LIMIT:
        problems.append(_too_long("scope_note", NOTE_LIMIT))
    synonyms = {}
    for language, words in wording.synonyms.items():
        kept = _distinct(words, labels.get(language, ""))
        problems += _synonym_problems(f"synonyms-{language}", kept)
        if kept:
            synonyms[language] = kept
    if problems:
        raise Invalid(problems)
    return Wording(label, note, labels, synonyms)


def _distinct(words: Sequence[str], label: str) -> list[str]:
    """Words once each, however they are capitalised, and without the label itself."""
    kept: dict[str, str] = {}
    for word in map(_single, words):
        if word and word.casefold() != label.casefold():
            kept.setdefault(word.casefold(), word)
    return list(kept.values())


def _synonym_problems(control: str, words: list[str]) -> list[Problem]:
    if len(words) > MOST_SYNONYMS:
        text = N_("Leave out some: there are %(count)d, the limit is %(limit)d.")
        return [Problem.of(control, text, count=len(words), limit=MOST_SYNONYMS)]
    long = next((word for word in words if len(word) > SYNONYM_LIMIT), None)
    if long is not None:
        text = N_("Shorten “%(word)s…”: the limit is %(limit)d characters a line.")
        return [Problem.of(control, text, word=long[:30], limit=SYNONYM_LIMIT)]
    return []


def _too_long(control: str, limit: int) -> Problem:
    return Problem.of(control, N_("Shorten this: the limit is %(limit)d characters."), limit=limit)


def _label_taken(session: Session, kind: Kind, label: str, slug: str | None) -> bool:
    labels = session.execute(select(kind.table.slug, kind.table.label))
    return any(other != slug and text.casefold() == label.casefold() for other, text in labels)


def _write(term: Theme | TargetGroup, wording: Wording) -> None:
    """Keep a checked wording; languages that stand already stay in their order."""
    term.label, term.scope_note = wording.label, wording.scope_note
    term.labels = _in_order(wording.labels, term.labels or {})
    term.synonyms = _in_order({key: list(words) for key, words in wording.synonyms.items()}, term.synonyms or {})


def _in_order(new: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    return {key: new[key] for key in dict.fromkeys([*before, *new]) if key in new}


def _single(text: str) -> str:
    return " ".join(text.split())


def _administering(actor: User) -> None:
    if not can(actor, "administer"):
        raise NotAllowed(N_("Only administrators do this."))
