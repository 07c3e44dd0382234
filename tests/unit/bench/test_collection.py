"""Collections as they come: BEIR's layout, TREC's, and what lies between."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.collection import Text, read

CORPUS = '{"_id": "a", "title": "One", "text": "Word."}\n{"_id": "b", "text": "Other."}\n'
QUERIES = '{"_id": "1", "text": "word"}\n{"_id": "2", "text": "other"}\n'


def folder(path: Path, qrels: str, corpus: str = CORPUS, queries: str = QUERIES) -> Path:
    for name, text in (("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels.tsv", qrels)):
        (path / name).write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "qrels",
    [
        "query-id\tcorpus-id\tscore\n1\ta\t2\n2\tb\t1\n",
        "query-id\tcorpus-id\tscore\torig_code\n1\ta\t2\t3\n2\tb\t1\t4\n",
        "score\tcorpus-id\tquery-id\n2\ta\t1\n1\tb\t2\n",
        "first\tsecond\tthird\n1\ta\t2\n2\tb\t1\n",
        "1\ta\t2\n2\tb\t1\n",
        "1 0 a 2\n2 0 b 1\n",
        "1\t0\ta\t2\r\n\r\n2\t0\tb\t1.0\r\n",
        "\ufeff1\ta\t2\n2\tb\t1",
    ],
)
def test_judgements_with_a_header_or_none_in_three_columns_or_four(tmp_path: Path, qrels: str) -> None:
    read_in = read(folder(tmp_path, qrels))
    assert read_in.grades == {"1": {"a": 2.0}, "2": {"b": 1.0}}
    assert read_in.questions == {"1": "word", "2": "other"}
    assert read_in.documents == {"a": Text("One", "Word."), "b": Text("", "Other.")}
    assert read_in.name == tmp_path.name


def test_numbers_as_ids_empty_texts_and_further_keys(tmp_path: Path) -> None:
    corpus = '{"_id": 7, "title": null, "text": "", "metadata": {"x": 1}}\n\n{"id": 8, "title": "T", "url": "x"}\n'
    read_in = read(folder(tmp_path, "1\t7\t1\n", corpus, '{"_id": 1, "text": "word", "orig": 3}\n'))
    assert read_in.documents == {"7": Text("", ""), "8": Text("T", "")}
    assert read_in.questions == {"1": "word"}


def test_a_question_without_a_relevant_document_is_left_out(tmp_path: Path) -> None:
    read_in = read(folder(tmp_path, "1\ta\t1\n1\tb\t-1\n2\ta\t0\n3\ta\t1\n"))
    assert read_in.questions.keys() == read_in.grades.keys() == {"1"}
    assert read_in.grades["1"] == {"a": 1.0, "b": 0.0}


def test_judgements_in_a_folder_of_their_own(tmp_path: Path) -> None:
    folder(tmp_path, "1\ta\t1\n")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels.tsv").rename(tmp_path / "qrels" / "test.tsv")
    assert read(tmp_path).grades == {"1": {"a": 1.0}}


@pytest.mark.parametrize(
    ("qrels", "corpus"), [("", CORPUS), ("1\ta\n", CORPUS), ("1\ta\t1\n", "{"), ("1\ta\t1\n", '{"text": "x"}\n')]
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, qrels: str, corpus: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(folder(tmp_path, qrels, corpus))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path)
