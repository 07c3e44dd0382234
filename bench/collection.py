"""A test collection in a folder, as BEIR lays it out: documents, questions, and what people judged of them.

corpus.jsonl    {"_id": "…", "title": "…", "text": "…"}, the title may be missing or either may be empty
queries.jsonl   {"_id": "…", "text": "…"}
qrels.tsv       question, document, grade, with a header that names them or without; or TREC's four columns
                (question, 0, document, grade). `qrels/test.tsv` is read where there is no qrels.tsv.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

QRELS = ("qrels.tsv", "qrels/test.tsv")

_COLUMNS = (
    ("query-id", "query_id", "qid", "query", "topic"),
    ("corpus-id", "corpus_id", "docid", "doc-id", "doc_id", "docno", "document"),
    ("score", "relevance", "grade", "rel", "label"),
)


class Text(NamedTuple):
    """A document. Both parts may be empty."""

    title: str
    text: str

    @property
    def whole(self) -> str:
        """Title and text, for engines that know one field."""
        return f"{self.title}\n{self.text}".strip()


class Collection(NamedTuple):
    """Documents by id, questions by id, and for each question the grades of its judged documents, 0 and up."""

    name: str
    documents: Mapping[str, Text]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, float]]


def read(folder: Path) -> Collection:
    """Read a collection, without the questions for which no document was judged relevant: nobody can answer those.

    Raises FileNotFoundError for a missing file, ValueError for one that cannot be read or has nothing to ask.
    """
    documents = {_id(row): Text(_text(row, "title"), _text(row, "text")) for row in _rows(folder / "corpus.jsonl")}
    asked = {_id(row): _text(row, "text") or _text(row, "query") for row in _rows(folder / "queries.jsonl")}
    judged = _grades(next((folder / name for name in QRELS if (folder / name).exists()), folder / QRELS[0]))
    questions = {key: text for key, text in asked.items() if any(judged.get(key, {}).values())}
    if not questions:
        raise ValueError(f"{folder}: no question has a relevant document")
    return Collection(folder.resolve().name, documents, questions, {key: judged[key] for key in questions})


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ValueError(f"{path.name}, line {number}: {error}") from error


def _id(row: Mapping[str, Any]) -> str:
    for key in ("_id", "id"):
        if key in row:
            return str(row[key])
    raise ValueError(f"a line has no _id: {str(row)[:80]}")


def _text(row: Mapping[str, Any], key: str) -> str:
    return str(row.get(key) or "")


def _grades(path: Path) -> dict[str, dict[str, float]]:
    """Read judgements. A grade below 0 (TREC's spam) is 0; the last of two judgements holds."""
    grades: dict[str, dict[str, float]] = {}
    with path.open(encoding="utf-8-sig") as file:
        rows = [row for row in map(_cells, file) if row]
    places = _places(rows[0]) if rows else (0, 1, 2)
    for row in rows[1:] if rows and _is_header(rows[0]) else rows:
        if len(row) <= max(places):
            raise ValueError(f"{path.name}: not a judgement: {row}")
        question, document, grade = (row[place] for place in places)
        grades.setdefault(question, {})[document] = max(0.0, float(grade))
    return grades


def _cells(line: str) -> list[str]:
    cells = line.split("\t") if "\t" in line else line.split()
    return [cell.strip() for cell in cells] if line.strip() else []


def _places(first: list[str]) -> tuple[int, int, int]:
    """Return where question, document and grade stand: by the header's names, or else by the number of columns."""
    if not _is_header(first):
        return (0, 1, 2) if len(first) < 4 else (0, 2, 3)
    names = [cell.lower() for cell in first]
    by_name = [next((names.index(name) for name in known if name in names), at) for at, known in enumerate(_COLUMNS)]
    return (by_name[0], by_name[1], by_name[2])


def _is_header(row: list[str]) -> bool:
    return not any(map(_is_number, row[2:]))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
