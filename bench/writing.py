"""How well a writer is helped: `python -m bench writing`.

The seed is taken as drafts, each practice in turn without itself. Duplicates are made of it by what people do: another
title, another summary, a translation, another department, a larger region. A translation is imitated: every word
becomes one that stands nowhere, but for numbers and half of the names.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from hashlib import md5
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click
from sqlalchemy.orm import Session

from kb.db import Database
from kb.search import open_engine
from kb.search.port import SearchEngine
from kb.search.tongues import guess
from kb.services import catalogue, duplicates, hints, seeding, setup, vocabularies
from kb.services.checking import LANGUAGES
from kb.services.duplicates import LEAST
from kb.services.hints import SUGGESTED
from kb.services.indexing import Indexer
from kb.services.likeness import Traits
from kb.services.locks import FileLocks
from kb.services.publishing import of_record
from kb.services.record import TERMS, Document
from kb.services.vocabularies import VocabularyCache


class Base(NamedTuple):
    """A seeded base, and its practices as drafts by their ids."""

    session: Session
    engine: SearchEngine
    drafts: dict[UUID, Document]


@click.command()
@click.option("--texts", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help='JSON lines with "lang" and "text", to measure how well languages are told.')  # fmt: skip
def writing(texts: Path | None) -> None:
    """Measure what a text suggests and which duplicates are found."""
    with seeded() as base:
        for line in (*terms(base), *warnings(base)):
            click.echo(line)
    if texts:
        rows = [json.loads(line) for line in texts.read_text(encoding="utf-8").splitlines()]
        for line in languages([(row["lang"], row["text"]) for row in rows]):
            click.echo(line)


@contextmanager
def seeded() -> Iterator[Base]:
    """Make a base of the seed in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/kb.sqlite")
        setup.migrate(database)
        with database.write() as session:
            seeding.seed(session)
        engine = open_engine("whoosh:", Path(folder) / "index")
        Indexer(database, engine, VocabularyCache(), FileLocks(Path(folder))).rebuild()
        with database.read() as session:
            drafts = {UUID(each["id"]): of_record(each) for each in catalogue.every(session, "")}
            yield Base(session, engine, drafts)
        engine.close()
        database.close()


def terms(base: Base) -> Iterator[str]:
    """Say how many of the first three terms are those that the practice bears, beside the most frequent three."""
    vocabulary = vocabularies.load(base.session)
    found: dict[str, list[list[str]]] = {key: [] for key in TERMS}
    for practice_id, draft in base.drafts.items():
        blank = {**draft, **{key: [] for key in TERMS}}
        worth = hints.weighed(base.session, base.engine, vocabulary, blank, practice_id)
        for key in TERMS:
            found[key].append(hints.ranked(worth[key])[:SUGGESTED])
    for key in TERMS:
        borne = [draft[key] for draft in base.drafts.values()]
        frequent = [term for term, _count in Counter(term for each in borne for term in each).most_common(SUGGESTED)]
        yield f"{key}, from the text: {_hits(found[key], borne)}"
        yield f"{key}, the most frequent: {_hits([frequent] * len(borne), borne)}"


def _hits(suggested: list[list[str]], borne: list[list[str]]) -> str:
    right = sum(len(set(a) & set(b)) for a, b in zip(suggested, borne, strict=True))
    first = sum(bool(a) and a[0] in b for a, b in zip(suggested, borne, strict=True))
    return (f"precision {right / sum(map(len, suggested)):.2f}, recall {right / sum(map(len, borne)):.2f}, "
            f"the first right in {first / len(borne):.2f}")  # fmt: skip


def warnings(base: Base) -> Iterator[str]:
    """Say how many duplicates are found, and how many pairs of practices that are none are taken for some."""
    traits = [Traits(draft) for draft in base.drafts.values()]
    alike = sum(a.likeness(b).whole >= LEAST for i, a in enumerate(traits) for b in traits[:i])
    alarmed = sum(any(a is not b and a.likeness(b).whole >= LEAST for b in traits) for a in traits)
    pairs = len(traits) * (len(traits) - 1) // 2
    yield f"pairs of the seed taken for duplicates: {alike} of {pairs}; practices with a false alarm: {alarmed}"
    for name, change in (("", _same), ("in another language, ", _translated)):
        moved = sum(
            Traits(_moved(change(a), b)).likeness(Traits(b)).whole >= LEAST
            for i, a in enumerate(base.drafts.values())
            for b in list(base.drafts.values())[:i]
        )
        yield f"the same if all were {name}of one region and organisation: {moved} of {pairs}"
    for name, change in CHANGES.items():
        found = first = 0
        for practice_id, draft in base.drafts.items():
            ids = [each.practice_id for each in duplicates.of(base.session, base.engine, change(draft), None)]
            found += practice_id in ids
            first += ids[:1] == [practice_id]
        yield f"{name}: found {found / len(traits):.3f}, first {first / len(traits):.3f}"


def languages(texts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Say how often the language of a text is told, and told wrong, by how much of it there is."""
    texts = list(texts)
    for most in (12, 20, 50):
        told = [(tongue, guess(" ".join(text.split()[:most]), LANGUAGES)) for tongue, text in texts
                if len(text.split()) >= most]  # fmt: skip
        named = [(tongue, guessed) for tongue, guessed in told if guessed]
        wrong = Counter(pair for pair in named if pair[0] != pair[1])
        yield (f"language of {most} words: told in {len(named) / len(told):.3f} of {len(told)} texts, "
               f"of these wrong {wrong.total() / len(named):.4f} {dict(wrong)}")  # fmt: skip


# What people do to a text


def _same(draft: Document) -> Document:
    return draft


def _moved(draft: Document, to: Document) -> Document:
    return {**draft, **{key: to[key] for key in ("country", "region", "lead_organisation")}}


def _shorter_title(draft: Document) -> Document:
    words = re.split("[:;,]", draft["title"])[0].split()
    return {**draft, "title": " ".join(words[: max(3, len(words) * 2 // 3)])}


def _other_summary(draft: Document) -> Document:
    return {**draft, "summary": " ".join(filter(None, (draft["objectives"], draft["actions"])))}


def _translated(draft: Document) -> Document:
    title = draft["original_title"] or _other_words(draft["title"])
    return {**draft, "title": title, "original_title": None, "language": "mt", "translations": [],
            "summary": _other_words(draft["summary"])}  # fmt: skip


def _other_sources(draft: Document) -> Document:
    return {**draft, "links": [], "sources": [{"title": "Page", "url": "https://example.org/page"}]}


def _other_lead(draft: Document) -> Document:
    return {**draft, "lead_organisation": {"name": "Another department", "type": None, "url": None}}


def _other_tags(draft: Document) -> Document:
    return {**draft, "themes": draft["themes"][:1], "target_groups": draft["target_groups"][-1:], "start": None}


def _larger_region(draft: Document) -> Document:
    region = deepcopy(draft["region"])
    return {**draft, "region": region and {**region, "code": region["code"][:-1]}}


def _other_words(text: str) -> str:
    parts, begins = [], True
    for part in re.findall(r"\w+|\W+", text):
        name = part[:1].isdigit() or (part[:1].isupper() and not begins and _digest(part)[0] in "01234567")
        parts.append(part if name or not part[:1].isalnum() else _unheard(part))
        begins = bool(re.search(r"[.:]", part)) if not part[:1].isalnum() else False
    return "".join(parts)


def _unheard(word: str) -> str:
    made = "".join(chr(ord("a") + int(digit, 16)) for digit in _digest(word)[: max(2, len(word))])
    return made.title() if word[0].isupper() else made


def _digest(word: str) -> str:
    return md5(word.lower().encode(), usedforsecurity=False).hexdigest()


def _all(*steps: Callable[[Document], Document]) -> Callable[[Document], Document]:
    def change(draft: Document) -> Document:
        for step in steps:
            draft = step(draft)
        return draft

    return change


_ELSEWHERE = (_other_sources, _other_lead, _other_tags)

CHANGES: dict[str, Callable[[Document], Document]] = {
    "shorter title": _all(_shorter_title, *_ELSEWHERE),
    "other summary": _all(_other_summary, *_ELSEWHERE),
    "shorter title, other summary": _all(_shorter_title, _other_summary, *_ELSEWHERE),
    "shorter title, other summary, larger region": _all(_shorter_title, _other_summary, _larger_region, *_ELSEWHERE),
    "translated": _all(_translated, *_ELSEWHERE),
    "translated, the same organisation": _all(_translated, _other_sources, _other_tags),
    "translated, the same sources": _all(_translated, _other_lead, _other_tags),
    "translated, larger region": _all(_translated, _larger_region, *_ELSEWHERE),
}
"""Ways to write a practice anew; all but those that say so name other sources, another organisation, other terms."""
