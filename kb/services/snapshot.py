"""Everything public in one file: records, every public version, vocabularies, files, and what each of them is."""

from __future__ import annotations

import hashlib
import json as stdlib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from kb.formats import csv, datapackage, json, skos, table
from kb.formats.about import About, Document
from kb.formats.datapackage import Part
from kb.formats.text import iso
from kb.models import Practice, Record, Revision, State, StoredFile
from kb.services import catalogue, concepts, files
from kb.services.files import Store
from kb.services.merged_terms import of_today, term_successors
from kb.services.progress import Progress, silent
from kb.services.publishing import public_count
from kb.services.shown_files import KEYS as FILE_KEYS
from kb.services.terms import KINDS, THEMES
from kb.services.vocabularies import Vocabulary

TABLE = "data/practices.csv"
RECORDS = "data/practices.jsonl"
VERSIONS = "data/versions.jsonl"
SUMS = "SHA256SUMS"

TITLES = {
    TABLE: "All practices as a table; its columns are in codebook.csv",
    RECORDS: "All practices as whole records, one a line",
    VERSIONS: "Every public version, the archive's too; of a version whose text was taken away, only the reason",
    "codebook.csv": "What each column means",
}

README = """\
{site}: snapshot of {day}
{url}

Everything public of this knowledge base of integration practices, as it stood at {made}.

data/practices.jsonl   {count} practices, whole records, one a line (JSON)
data/practices.csv     the same as a table (UTF-8, no byte-order mark); lists are JSON in one cell
data/versions.jsonl    every public version, one a line, those of archived practices too; where the text of one was
                       taken away, "record" is null and "redacted" says why
codebook.csv           what each column means. An empty cell says that nobody reported it, "none" that there is none.
                       Text that a spreadsheet could take for a formula has an apostrophe before it
vocabularies/          themes and target groups (JSON, and SKOS as Turtle), regions (JSON)
{files}datapackage.json       a description for programs (Frictionless Data)
SHA256SUMS             checksums: sha256sum --check SHA256SUMS

There are no contacts of people in it, and no drafts.

To read the table, in Python and in R:
  import pandas; practices = pandas.read_csv("data/practices.csv", na_values=[""], keep_default_na=False)
  practices <- read.csv("data/practices.csv", na.strings = "", encoding = "UTF-8")

To cite the whole: {site}. Snapshot of {day}. {url}. CC BY 4.0.

Licence: Creative Commons Attribution 4.0 (https://creativecommons.org/licenses/by/4.0/) unless a record says otherwise.
Name whom the field "attribution" of a record names. Files may have a credit of their own in their record.
"""

FILES = "files/                 pictures and documents that the records name, by their SHA-256\n"


@dataclass(frozen=True)
class Site:
    """Whose snapshot it is: the site's name and address, and where its files are."""

    name: str
    base_url: str
    files_dir: Path


def write(session: Session, vocabulary: Vocabulary, file: IO[bytes], site: Site, progress: Progress = silent) -> int:
    """Write a snapshot as a zip file; returns the number of practices. All of it is read in one transaction."""
    stands = mark(session)  # before any text is read: what changes meanwhile is for the next one
    made = datetime.now(UTC).replace(microsecond=0)
    count = public_count(session)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        box = _Box(archive, made)
        names = _Names()
        records = names.through(catalogue.every(session, site.base_url))
        box.put(RECORDS, json.lines(progress(records, count)))
        title = f"{site.name}: snapshot of {made.date()}"
        about = About(site.name, site.base_url, title, site.base_url, made, language="en")
        box.put(TABLE, _unmarked(csv.many(catalogue.every(session, site.base_url), about)))
        box.put(VERSIONS, json.lines(names.through_versions(_versions(session, site.base_url))))
        box.put("codebook.csv", _unmarked(csv.rows(("column", "kind", "meaning"), table.codebook())))
        for name, text in _vocabularies(vocabulary, site):
            box.put(f"vocabularies/{name}", [text])
        described = [part for part in box.parts if part.path.rpartition(".")[2] != "txt"]
        box.put(datapackage.NAME, [datapackage.one(described, about, TABLE)])
        parts = len(box.parts)
        _files(session, box, Store(site.files_dir), names.sums)
        box.put("README.txt", [_readme(site, made, count, files=len(box.parts) > parts)])
        box.put(SUMS, [f"{part.sha256}  {part.path}\n" for part in box.parts])
        archive.comment = stdlib.dumps({"made": iso(made), **asdict(stands)}).encode()
    return count


def _readme(site: Site, made: datetime, count: int, *, files: bool) -> str:
    """What is in the snapshot; the folder of files is named where there is one."""
    said = {"site": site.name, "url": site.base_url, "day": made.date(), "made": iso(made), "count": count}
    return README.format(**said, files=FILES if files else "")


class _Box:
    """An archive that knows the size and checksum of everything put into it."""

    def __init__(self, archive: zipfile.ZipFile, made: datetime) -> None:
        self._archive = archive
        self._stamp = made.timetuple()[:6]
        self.parts: list[Part] = []

    def put(self, path: str, pieces: Iterable[str] | Iterable[bytes], *, packed: bool = False) -> None:
        """Add a file, a piece at a time; `packed` ones are kept as they are."""
        info = zipfile.ZipInfo(path, self._stamp)
        info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                data = piece.encode() if isinstance(piece, str) else piece
                member.write(data)
                digest.update(data)
                size += len(data)
        self.parts.append(Part(path, size, digest.hexdigest(), TITLES.get(path, path)))


class _Names:
    """Remembers which files the documents that pass by name."""

    def __init__(self) -> None:
        self.sums: set[str] = set()

    def through(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            self._note(document)
            yield document

    def through_versions(self, versions: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for version in versions:
            if version["record"]:
                self._note(version["record"])
            yield version

    def _note(self, document: Document) -> None:
        entries = (entry for key in FILE_KEYS.values() for entry in document[key])
        self.sums |= {entry["sha256"] for entry in entries if entry["sha256"]}


def _unmarked(pieces: Iterable[str]) -> Iterator[str]:
    """A table without its byte-order mark: programs read this one, and not all of them know it."""
    for piece in pieces:
        yield piece.removeprefix(csv.MARK)


def _versions(session: Session, base_url: str) -> Iterator[dict[str, Any]]:
    """Every version that readers can open: of public practices, and of archived ones neither merged nor redacted."""
    successors = term_successors(session)
    newest = aliased(Revision)
    redacted_now = select(newest.redacted).where(newest.practice_id == Practice.id, newest.version == Practice.version)
    in_archive = and_(
        Practice.state == State.ARCHIVED, Practice.merged_into_id.is_(None), redacted_now.scalar_subquery().is_(None)
    )
    statement = (
        select(Practice.id, Practice.slug, Revision)
        .join(Revision, Revision.practice_id == Practice.id)
        .outerjoin(Record, Record.practice_id == Practice.id)
        .where(Revision.version.is_not(None), or_(Record.practice_id.is_not(None), in_archive))
        .order_by(Practice.slug, Revision.version)
        .execution_options(yield_per=catalogue.BATCH)
    )
    for practice_id, slug, revision in session.execute(statement):
        redacted = (revision.redaction or "") if revision.redacted else None
        yield {
            "id": str(practice_id),
            "slug": slug,
            "version": revision.version,
            "published": iso(revision.created),
            "url": f"{base_url}/practices/{slug}/versions/{revision.version}",
            "redacted": redacted,
            "record": None if redacted is not None else of_today(revision.document, successors),
        }
        session.expunge(revision)


def _vocabularies(vocabulary: Vocabulary, site: Site) -> Iterator[tuple[str, str]]:
    """The vocabularies as files: (name, text)."""
    for kind in KINDS:
        terms = vocabulary.themes if kind is THEMES else vocabulary.target_groups
        plain = [
            {"slug": term.slug, "labels": {"en": term.label, **term.labels}, "scope_note": term.scope_note,
             "synonyms": {language: list(words) for language, words in term.synonyms.items()},
             "mappings": {name: list(values) for name, values in term.mappings.items()}}
            for term in terms.values()
        ]  # fmt: skip
        yield f"{kind.path}.json", _dump(plain)
        yield f"{kind.path}.ttl", skos.one(concepts.scheme(kind, vocabulary, site.base_url, site.name))
    yield "regions.json", _dump(
        [
            {"code": region.code, "edition": region.edition, "level": region.level, "country": region.country,
             "parent": region.parent, "name": region.name_latin, "name_en": region.name_en,
             "name_native": region.name_native, "lon": region.lon, "lat": region.lat, "types": list(region.types)}
            for region in vocabulary.regions.values()
        ]
    )  # fmt: skip


def _dump(value: Any) -> str:
    return stdlib.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _files(session: Session, box: _Box, store: Store, sums: set[str]) -> None:
    """The files that public texts name; one that is missing from the disk is left out, as on its page."""
    for sha256 in sorted(sums):
        stored, path = session.get(StoredFile, sha256), store.path(sha256)
        if stored is not None and path.is_file():
            name = files.address(sha256, stored.media_type).removeprefix("/")
            with path.open("rb") as source:
                box.put(name, iter(lambda: source.read(1 << 20), b""), packed=True)


# When it has to be made anew


@dataclass(frozen=True)
class Mark:
    """What a snapshot was made of: what came in last, and what was taken away."""

    came: str
    went: str


def mark(session: Session) -> Mark:
    """What the data is like now. A snapshot with another `went` holds what is not public any more."""
    came = session.execute(select(func.count(Record.practice_id), func.max(Record.datestamp))).one()
    gone = session.execute(select(func.count(Practice.offline), func.max(Practice.offline))).one()
    redacted = session.execute(select(func.count(Revision.redacted), func.max(Revision.redacted))).one()
    return Mark(" ".join(map(str, came)), " ".join(map(str, (*gone, *redacted))))
