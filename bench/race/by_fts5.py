"""SQLite FTS5: what is found goes into a temporary table with its scores, of which one statement counts all facets.

Of the ways tried this is the fastest in the median: asking a second time for the ten best, values of facets as columns
that are each grouped by, and IN for the join took longer. Prefix indexes made no query faster: counting takes its time.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from whoosh.query import And, Every, NullQuery, Or, Phrase, Prefix, Query, Term

from bench.race.asking import HITS, Answer, Asked, Prepared
from bench.race.material import FACETS, Material
from bench.race.meaning import Meaning

_PRAGMAS = """
    PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;
    PRAGMA mmap_size = 8589934592; PRAGMA cache_size = -262144;
"""
# One token of ours stays one: every letter and digit, and what stems and tags are written with.
_TABLES = """
    CREATE VIRTUAL TABLE texts USING fts5(
        words, stems, tags, content = '', tokenize = "ascii tokenchars ':=-|'"
    );
    CREATE TABLE tags (code INTEGER PRIMARY KEY, facet TEXT, value TEXT, UNIQUE (facet, value));
    CREATE TABLE tagged (record INTEGER, code INTEGER, PRIMARY KEY (record, code)) WITHOUT ROWID;
    CREATE TABLE records (number INTEGER PRIMARY KEY, id TEXT);
"""
_FIND = "INSERT INTO found SELECT rowid, NULL FROM texts WHERE texts MATCH ?"
_FIND_SCORED = "INSERT INTO found SELECT rowid, bm25(texts) FROM texts WHERE texts MATCH ?"
_FIND_ALL = "INSERT INTO found SELECT number, number FROM records WHERE ? = ''"
_BEST = "SELECT id FROM (SELECT number FROM found ORDER BY score LIMIT ?) CROSS JOIN records USING (number)"
_COUNT = "SELECT code, count(*) FROM found CROSS JOIN tagged ON record = number GROUP BY code"


class FTS5:
    """SQLite FTS5, contentless. Values of facets are tokens too, so that filters are part of the MATCH.

    It offers nothing for typos within Python's sqlite3: the word is asked as it is, and misses.
    """

    name = "fts5"
    layout = "3"
    version = sqlite3.sqlite_version
    misses: tuple[str, ...] = ("typo",)
    stays = True

    def __init__(self, folder: Path, material: Material) -> None:
        self._path = folder / "texts.sqlite"
        self._material = material
        self._meaning = Meaning(material)
        if folder.exists():
            self._open()

    def _open(self) -> None:
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.executescript(_PRAGMAS + "CREATE TEMP TABLE found (number INTEGER PRIMARY KEY, score REAL)")
        rows = self._database.execute("SELECT code, facet, value FROM tags")
        self._tags = {code: (facet, value) for code, facet, value in rows}

    def build(self) -> None:
        """Index the documents."""
        self._path.parent.mkdir(parents=True)
        with closing(sqlite3.connect(self._path, isolation_level=None)) as database:
            database.executescript(_PRAGMAS + _TABLES)
            database.execute("BEGIN")
            codes: dict[tuple[str, str], int] = {}
            for number, each in enumerate(self._material.tokens(), 1):
                pairs = [(name, value) for name, values in each.facets.items() for value in values]
                row = (number, each.words, each.stems, " ".join(map(_tag, pairs)))
                database.execute("INSERT INTO texts (rowid, words, stems, tags) VALUES (?, ?, ?, ?)", row)
                numbered = sorted(codes.setdefault(pair, len(codes)) for pair in pairs)
                database.executemany("INSERT INTO tagged VALUES (?, ?)", ((number, code) for code in numbered))
                database.execute("INSERT INTO records VALUES (?, ?)", (number, each.id))
            rows = ((code, facet, value) for (facet, value), code in codes.items())
            database.executemany("INSERT INTO tags VALUES (?, ?, ?)", rows)
            database.execute("COMMIT")
            database.execute("INSERT INTO texts (texts) VALUES ('optimize')")
            database.executescript("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")
        self._open()

    def close(self) -> None:
        """Give back files and memory."""
        self._database.close()

    def prepare(self, asked: Asked) -> Prepared:
        """Return the query, as MATCH expressions."""
        tree = self._meaning.tree(asked.question)
        whole = _match(tree, asked.filters)
        others = [(name, _match(tree, asked.but(name))) for name in asked.chosen]

        def answer() -> Answer:
            total = self._find(whole, _FIND_SCORED)
            hits = [row[0] for row in self._database.execute(_BEST, (HITS,))]
            facets = self._counts()
            for name, match in others:
                self._find(match, _FIND)
                facets[name] = self._counts()[name]
            return Answer(total, hits, facets)

        return answer

    def _find(self, match: str, finding: str) -> int:
        self._database.execute("DELETE FROM found")
        return self._database.execute(finding if match else _FIND_ALL, (match,)).rowcount

    def _counts(self) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        for code, count in self._database.execute(_COUNT):
            facet, value = self._tags[code]
            counts[facet][value] = count
        return counts


def _tag(pair: tuple[str, str]) -> str:
    return "=".join(pair)


def _match(tree: Query, filters: tuple[tuple[str, str], ...]) -> str:
    """Return a MATCH expression; an empty one where everything is asked for."""
    words = [] if isinstance(tree, Every) else [_expression(tree)]
    return " AND ".join([*words, *(f'tags : "{_tag(pair)}"' for pair in filters)])


def _expression(node: Query) -> str:
    match node:
        case And() | Or():
            return f"({f' {type(node).__name__.upper()} '.join(map(_expression, node.subqueries))})"
        case Phrase():
            return f'{node.fieldname} : "{" ".join(node.words)}"'
        case Prefix():
            return f'{node.fieldname} : "{node.text}" *'
        case Term():
            return f'{node.fieldname} : "{node.text}"'
    if node == NullQuery:
        return 'words : "||"'  # a token that no document has
    raise ValueError(f"no such query: {node!r}")
