"""Practices made of the test data are such as an import takes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import main
from bench.records import CASES, PROJECTS, NoData, Records, cut_line, data_folder, spread, write
from kb.services.checking import check
from kb.services.record import shape, words
from kb.services.vocabularies import Vocabulary

PROJECT = {"lang": "pl", "country": "PL", "region": "", "nuts": "", "title": "Praca", "text": "", "fund": "ESF",
           "start": "29.12.2014", "end": "28.12.2013", "src": "x", "id": 1}  # fmt: skip
CASE = {"url": "https://example.org/case", "title": "Cool roofs " * 12, "text": "©\nGreen roofs cool. " * 900,
        "countries": ["United Kingdom", "Italy"]}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder as the test data are laid out, with one of each kind and one project from a region."""
    for name in (PROJECTS, CASES):
        (tmp_path / name).parent.mkdir()
    german = {**PROJECT, "country": "DE", "lang": "de", "nuts": "DED", "region": "Sachsen", "start": "2014", "id": 2}
    with gzip.open(tmp_path / PROJECTS, "wt", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in (PROJECT, german))
    (tmp_path / CASES).write_text(json.dumps(CASE) + "\n", encoding="utf-8")
    return tmp_path


def test_every_record_may_be_published(data: Path, vocabulary: Vocabulary) -> None:
    polish, german, english = (check(shape(record), vocabulary) for record in Records(data))
    assert (polish["summary"], polish["actions"], polish["start"], polish["end"]) == ("Praca", "Praca", "2014-12", None)
    assert (german["region"]["code"], german["start"], german["place"]) == ("DED", "2014", "Sachsen")
    assert (english["country"], english["other_regions"][0]["country"]) == ("GB", "IT")
    assert words(english["actions"]) == 400 and len(english["title"]) <= 100 < len(english["original_title"])


def test_the_same_data_give_the_same_file(data: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.jsonl", "two.jsonl")]
    assert [write(data, file) for file in files] == [3, 3]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_text_is_spread_in_order_and_whole_words_stay() -> None:
    text = " ".join(f"w{n}\nv{n}" for n in range(200))
    texts = spread(text)
    assert words(texts["summary"]) == 100
    assert f"{texts['summary']} {texts['actions']}" == text
    assert texts["context"] is None


@pytest.mark.parametrize(("text", "cut"), [("a  b", "a b"), ("one two three", "one two"), ("onetwothree", "onetwot")])
def test_a_line_is_cut_between_words_if_it_can_be(text: str, cut: str) -> None:
    assert cut_line(text, 7) == cut


def test_without_the_data_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KB_TEST_DATA", raising=False)
    done = CliRunner().invoke(main, ["fuzz"])
    assert done.exit_code == 1 and "Set KB_TEST_DATA" in done.output
    with pytest.raises(NoData, match="has no multilingual"):
        data_folder(tmp_path)
