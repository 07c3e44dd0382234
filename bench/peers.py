"""The engines that ours is measured beside. Each indexes title and text as one field and is asked plain words.

They are set up as their makers advise for English: SQLite FTS5 with its Porter stemmer, its words joined with OR and in
its own order (bm25); tantivy with its English stemmer and its query parser; bm25s with its English stop words, the
Snowball stemmer and the parameters it has by itself.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping

import bm25s
import Stemmer
import tantivy

from bench.measures import DEEP

Rankings = dict[str, list[str]]
"""For each question the ids of the documents, best first."""

_WORD = re.compile(r"\w+")


def sqlite_fts5(documents: Mapping[str, str], questions: Mapping[str, str]) -> Rankings:
    """Rank with SQLite's full-text index."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, text, tokenize = 'porter')")
    database.executemany("INSERT INTO texts VALUES (?, ?)", documents.items())
    ask = f"SELECT id FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT {DEEP}"  # noqa: S608 - a constant

    def answer(question: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in _WORD.findall(question))
        return [row[0] for row in database.execute(ask, (words,))] if words else []

    rankings = {key: answer(question) for key, question in questions.items()}
    database.close()
    return rankings


def tantivy_en_stem(documents: Mapping[str, str], questions: Mapping[str, str]) -> Rankings:
    """Rank with tantivy."""
    schema = tantivy.SchemaBuilder().add_text_field("id", stored=True, tokenizer_name="raw")
    index = tantivy.Index(schema.add_text_field("text", tokenizer_name="en_stem").build())
    writer = index.writer(heap_size=64 << 20, num_threads=1)
    for key, text in documents.items():
        writer.add_document(tantivy.Document(id=key, text=text))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def answer(question: str) -> list[str]:
        # Lower case, so that no word of the question is an operator.
        words = " ".join(_WORD.findall(question.lower()))
        hits = searcher.search(index.parse_query(words, ["text"]), DEEP).hits if words else []
        return [searcher.doc(address)["id"][0] for _, address in hits]

    return {key: answer(question) for key, question in questions.items()}


def bm25s_snowball(documents: Mapping[str, str], questions: Mapping[str, str]) -> Rankings:
    """Rank with bm25s."""
    stemmer = Stemmer.Stemmer("english")
    keys = list(documents)
    ranker = bm25s.BM25()
    ranker.index(_tokens(list(documents.values()), stemmer), show_progress=False)
    found, scores = ranker.retrieve(
        _tokens(list(questions.values()), stemmer), k=min(DEEP, len(keys)), show_progress=False
    )
    # It fills up with documents that hold none of the words.
    return {
        question: [keys[document] for document, score in zip(*row, strict=True) if score > 0]
        for question, *row in zip(questions, found.tolist(), scores.tolist(), strict=True)
    }


def _tokens(texts: list[str], stemmer: Stemmer.Stemmer) -> list[list[str]]:
    tokens: list[list[str]] = bm25s.tokenize(
        texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
    )
    return tokens


PEERS: Mapping[str, Callable[[Mapping[str, str], Mapping[str, str]], Rankings]] = {
    "SQLite FTS5": sqlite_fts5,
    "tantivy": tantivy_en_stem,
    "bm25s": bm25s_snowball,
}
"""What ranks, by the name it has in the table."""
