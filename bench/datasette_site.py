"""The same records in datasette: a table with a full-text index and the facets of our page, on a server of its own.

Set up as its documentation advises for data that does not change: opened immutable, with an inspect file that knows
the number of rows, and no suggested facets. The time limits are lifted, or it would leave out facets and answer with
an error what takes it longer than a second.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.asked import TEXTS, Asked
from bench.serving import free_port, started

SINGLE = ("country", "status", "level", "authority_role", "evidence", "language")
MANY = ("theme", "target_group", "funding")
"""Facets with several values a record: JSON arrays. Nine in all; our page has the type of region besides."""

NO_LIMIT = 600_000  # milliseconds
SETTINGS = {
    "sql_time_limit_ms": NO_LIMIT,
    "facet_time_limit_ms": NO_LIMIT,
    "suggest_facets": "off",
}
"""Its settings where they are not its own defaults."""

PER_PAGE = 20
_KINDS = ", ".join(f"{name} TEXT" for name in (*SINGLE, *MANY))
_TABLE = f"CREATE TABLE practices (id INTEGER PRIMARY KEY, title TEXT, summary TEXT, {_KINDS}, story TEXT, names TEXT, \
foreign_texts TEXT)"
_SEARCH = """
CREATE VIRTUAL TABLE practices_fts USING fts5 (title, summary, story, names, foreign_texts, content="practices",
content_rowid="id", tokenize="unicode61 remove_diacritics 2")
"""
_FILL = "INSERT INTO practices_fts (practices_fts) VALUES ('rebuild')"


def build(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write the records into a file of datasette, with an index on each facet of one value, and its inspect file."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    database = sqlite3.connect(new)
    with contextlib.closing(database):
        database.execute(_TABLE)
        rows = (_row(record) for record in records)
        places = ", ".join("?" * (6 + len(SINGLE) + len(MANY) - 1))
        database.executemany(f"INSERT INTO practices VALUES (NULL, {places})", rows)  # noqa: S608 (only marks)
        for name in SINGLE:
            database.execute(f"CREATE INDEX {name} ON practices ({name})")
        database.execute(_SEARCH)
        database.execute(_FILL)
        database.commit()
        database.execute("PRAGMA optimize")
    new.replace(path)
    command = [sys.executable, "-m", "datasette", "inspect", str(path), "--inspect-file", str(_inspected(path))]
    subprocess.run(command, check=True)  # noqa: S603 (a program of our own requirements)


def _inspected(path: Path) -> Path:
    return path.with_suffix(".inspect.json")


def _row(record: dict[str, Any]) -> tuple[str | None, ...]:
    sources = list(dict.fromkeys(entry["source"] for entry in record["funding"]))
    many = (record["themes"], record["target_groups"], sources)
    names = [record["lead_organisation"]["name"], *(each["name"] for each in record["partners"])]
    foreign = [text for each in record["translations"] for text in (each["title"], each["summary"])]
    return (
        record["title"], record["summary"], *(record[name] for name in SINGLE), *map(json.dumps, many),
        "\n".join(text for key in TEXTS if (text := record[key])), "\n".join(names), "\n".join(foreign),
    )  # fmt: skip


def address(asked: Asked, suffix: str = "", **more: str) -> str:
    """Where its page of a question is, with all facets, without the columns of the long texts."""
    text, raw = _search(asked)
    params = [("_search", text), ("_size", str(PER_PAGE)), *more.items()]
    params += [("_searchmode", "raw")] if raw else []
    params += [("_facet", name) for name in SINGLE] + [("_facet_array", name) for name in MANY]
    params += [("_nocol", name) for name in ("story", "names", "foreign_texts")]
    params += [("country", asked.country), ("theme__arraycontains", asked.theme)] if asked.country else []
    return f"/{FILE.stem}/practices{suffix}?{urlencode(params)}"


FILE = Path("datasette.db")
"""What the file is called, and so its pages."""


def _search(asked: Asked) -> tuple[str, bool]:
    """What is typed into its search, and whether it has operators of FTS5."""
    if asked.kind == "either":
        return " OR ".join(asked.words), True
    if asked.kind == "phrase":
        return f'"{" ".join(asked.words)}"', True
    if asked.kind == "beginning":
        return f"{asked.words[0]}*", True
    return " ".join(asked.words), False


def total_and_facets(answer: dict[str, Any]) -> tuple[int, dict[str, dict[str, int]]]:
    """What a page of its JSON counts."""
    found = answer["facet_results"]
    facets = found.get("results", found)
    counts = {name: {each["value"]: each["count"] for each in facets[name]["results"]} for name in (*SINGLE, *MANY)}
    return answer["filtered_table_rows_count"], counts


def region_names(seed: Path) -> frozenset[str]:
    """Names of regions, in small letters: our index holds them with a record, this table does not."""
    with (seed / "regions.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row[key].lower() for row in csv.DictReader(file) for key in ("name_en", "name_native"))


@contextlib.contextmanager
def running(path: Path) -> Iterator[tuple[int, int]]:
    """Run datasette on a file that `build` wrote; yields its port and the id of its process."""
    port = free_port()
    command = [sys.executable, "-m", "datasette", "serve", "-i", str(path), "--inspect-file", str(_inspected(path)),
               "--port", str(port)]  # fmt: skip
    for name, value in SETTINGS.items():
        command += ["--setting", name, str(value)]
    with started(command, port, "/-/versions.json") as process:
        yield port, process
