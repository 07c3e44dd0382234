"""What the engines index: made-up practices, as our engine takes them and cut into tokens for the others.

Everything is kept in a folder, so that an index is built from a file and neither making nor cutting is timed with it.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from bench.generate import Generator
from kb.db import Database
from kb.models import Practice, Record, RecordTargetGroup, RecordTheme
from kb.search.language import analyse, language_of
from kb.search.port import TEXT_FIELDS, Document
from kb.services import importing, indexing, publishing, setup, vocabularies
from kb.services.record import completeness, shape
from kb.services.values import partial_date
from kb.services.vocabularies import Vocabulary

FACETS = (
    "country", "theme", "target_group", "status", "level", "authority_role", "evidence", "funding", "language",
)  # fmt: skip
"""The nine facets that every engine counts. Ours counts region types and years besides."""

SEVERAL = ("country", "theme", "target_group", "funding")
"""Those of which a practice may have several values."""

BREAK = "|"
"""The token between two texts, so that no phrase begins in one and ends in the other."""


class Tokens(NamedTuple):
    """A document for an engine that knows no languages: tokens with a blank between them, and values of `FACETS`."""

    id: str
    words: str
    stems: str
    facets: Mapping[str, list[str]]


class Material:
    """So many documents in a folder, made when they are first asked for."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        folder.mkdir(parents=True, exist_ok=True)

    def documents(self) -> Iterator[Document]:
        """Yield what our engine indexes."""
        for row in _kept(self.folder / "documents.jsonl", lambda: map(asdict, _made(self.count))):
            yield _read(row)

    def tokens(self) -> Iterator[Tokens]:
        """Yield what the others index: the same words and stems, made by our own analysis."""
        for row in _kept(self.folder / "tokens.jsonl", lambda: (_cut(each) for each in self.documents())):
            yield Tokens(*row)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the documents, in their order."""
        return [each.id for each in self.tokens()]

    @cached_property
    def words(self) -> Mapping[str, int]:
        """In how many documents each folded word stands."""
        return self._counts[0]

    @cached_property
    def stems(self) -> Mapping[str, int]:
        """In how many documents each stem stands, as `language:stem`."""
        return self._counts[1]

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages of the texts."""
        return frozenset(stem.partition(":")[0] for stem in self.stems)

    @cached_property
    def _counts(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        words, stems = next(_kept(self.folder / "counts.jsonl", self._counted))
        return words, stems

    def _counted(self) -> Iterator[tuple[Mapping[str, int], Mapping[str, int]]]:
        words: Counter[str] = Counter()
        stems: Counter[str] = Counter()
        for each in self.tokens():
            words.update(set(each.words.split()))
            stems.update(set(each.stems.split()))
        del words[BREAK]
        yield words, stems


def _kept(path: Path, make: Any) -> Iterator[Any]:
    """Yield the rows of a file of JSON lines, written first where it is missing."""
    if not path.exists():
        unfinished = path.with_suffix(".new")
        with unfinished.open("w", encoding="utf-8") as file:
            for row in make():
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
        unfinished.rename(path)
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _read(row: dict[str, Any]) -> Document:
    """Return the document of a row of JSON, with tuples where JSON has lists."""
    for key in ("facets", "completions"):
        row[key] = {name: tuple(values) for name, values in row[key].items()}
    row["foreign"] = tuple(map(tuple, row["foreign"]))
    return Document(**{**row, "regions": tuple(row["regions"])})


def _made(count: int) -> Iterator[Document]:
    """Make documents of generated records by the site's own code.

    `services.record` gives a record its shape, `services.indexing` makes the document of it. Between them stands no
    database but one of the vocabularies: the row that a publication would write is filled in here.
    """
    vocabulary = _vocabulary()
    for record in islice(Generator(1).records(count), count):
        yield indexing._document(_row(record), vocabulary, {})


def _vocabulary() -> Vocabulary:
    with tempfile.TemporaryDirectory(prefix="kb-speed-") as folder:
        database = Database(f"sqlite:///{folder}/kb.sqlite")
        setup.migrate(database)
        importing.prepare(database)
        with database.read() as session:
            vocabulary = vocabularies.load(session)
        database.close()
    return vocabulary


def _row(record: Mapping[str, Any]) -> Record:
    document = shape(record)
    row = Record(practice_id=uuid.UUID(record["id"]), practice=Practice(slug=record["slug"], version=record["version"]))
    for key in publishing._PLAIN + publishing._JSON:
        setattr(row, key, document[key])
    row.lead_organisation_name = document["lead_organisation"]["name"]
    row.region_code = document["region"]["code"]
    row.start_min = partial_date(document["start"]) if document["start"] else None
    row.end_max = partial_date(document["end"], last=True) if document["end"] else None
    row.completeness = completeness(document)
    row.published, row.updated = (datetime.fromisoformat(record[key]) for key in ("published", "updated"))
    row.themes = [RecordTheme(theme=slug, position=n) for n, slug in enumerate(document["themes"])]
    row.target_groups = [
        RecordTargetGroup(target_group=slug, position=n) for n, slug in enumerate(document["target_groups"])
    ]
    return row


def _cut(document: Document) -> Tokens:
    texts = [(document.language, {"title": document.title, **document.texts}.get(name, "")) for name in TEXT_FIELDS]
    texts += [(document.language if tag == "und" else tag, text) for tag, text in document.foreign]
    words: list[str] = []
    stems: list[str] = []
    for tag, text in texts:
        code = language_of(tag)
        for word in analyse(text, tag):
            words.append(word.folded or BREAK)
            stems += [f"{code}:{stem}" for stem in word.stems]
        words.append(BREAK)
    facets = {name: list(dict.fromkeys(document.facets.get(name, ()))) for name in FACETS}
    return Tokens(document.id, " ".join(words), " ".join(stems), facets)
