"""`bench relevance` from the folder to the figures, on a collection of a few lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import main
from bench.peers import PEERS
from bench.relevance import OURS
from tests.unit.bench.test_collection import folder

TEXTS = ["Housing for nurses", "Language courses, after work", "Mentors: a county's companies", "Sport and theatre", ""]
CORPUS = "".join(f"{json.dumps({'_id': str(n), 'text': text})}\n" for n, text in enumerate(TEXTS))
ASKED = {"h": "house a nurse?", "c": "MENTOR (company) -", "s": '"theatre', "none": "?!", "x": "unjudged"}
QUERIES = "".join(f"{json.dumps({'_id': key, 'text': text})}\n" for key, text in ASKED.items())


@pytest.mark.parametrize("language", ["en", "mt"])
def test_it_works(tmp_path: Path, language: str) -> None:
    path = folder(tmp_path, "h\t0\t2\nh\t1\t0\nc\t2\t1\ns\t3\t1\nnone\t4\t1\n", CORPUS, QUERIES)
    done = CliRunner().invoke(main, ["relevance", str(path), "--language", language], catch_exceptions=False)
    assert done.exit_code == 0
    *table, line = done.stdout.splitlines()
    assert [row.split("  ")[0] for row in table[1:]] == [OURS, *PEERS, "to the best"]
    measured = json.loads(line)
    assert (measured["documents"], measured["questions"]) == (5, 4)
    for name in PEERS:
        assert measured["engines"][name]["ndcg_at_10"] >= 0.5, name
        assert measured["engines"][name]["zero_results"] in (0.25, 0.5), name
    if language == "en":
        assert measured["engines"][OURS] == {"ndcg_at_10": 0.75, "recall_at_100": 0.75, "zero_results": 0.25}
        assert measured["ratio_to_best_peer"]["ndcg_at_10"] >= 1


def test_a_folder_that_is_no_collection_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["relevance", str(tmp_path)])
    assert done.exit_code == 1
    assert "corpus.jsonl" in done.output
