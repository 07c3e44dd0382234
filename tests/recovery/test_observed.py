"""Two workers of a real server: every line of the log is JSON, and what both have counted is one."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.services import counting
from tests import stack
from tests.processes import Server, children, conversations, eventually, knows_workers, serving

pytestmark = knows_workers


@pytest.fixture(scope="module")
def server(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("observed") / "data")
    with serving(folder, KB_WORKERS="2", KB_LIMITS="off", KB_LOG="json", KB_SLOW_MS="0") as server:
        eventually(lambda: len(children(server.process.pid)) == 2)
        yield server


def requests(server: Server) -> dict[str, int]:
    """Which request, by its number, which worker answered; every line of the log is JSON."""
    lines = [json.loads(line) for line in server.said().splitlines() if line.startswith("{")]
    return {line["request"]: line["process"] for line in lines if line["message"] == "request"}


def test_two_workers_log_in_json_and_count_together(server: Server) -> None:
    workers, asked = children(server.process.pid), {}
    for pid, talk in conversations(server, workers).items():
        asked[talk.ask("GET", "/themes/housing?q=zanzibar").headers["X-Request-ID"]] = pid
        talk.close()
    eventually(lambda: requests(server) == asked)
    eventually(lambda: 'kb_requests_total{method="GET",room="catalogue",status="2xx"} 2' in server.get("/metrics")[1])
    memory = re.findall(r'kb_process_resident_bytes\{pid="(\d+)"\} \d', server.get("/metrics")[1])
    assert set(memory) == set(map(str, workers))
    assert "zanzibar" not in server.said() and "healthz" not in server.said()


def test_what_was_counted_in_the_last_second_outlives_the_server(peopled_folder: Path, tmp_path: Path) -> None:
    folder = stack.copy(peopled_folder, tmp_path / "data")
    with serving(folder, KB_WORKERS="1", KB_LIMITS="off") as server:
        for _ in range(20):
            server.get("/static/icon.svg")
        assert server.stop() == 0
    with sqlite3.connect(folder / counting.FILE) as file:
        [(amount,)] = file.execute("SELECT sum(amount) FROM counts WHERE name = 'requests' AND labels LIKE '%static%'")
    file.close()
    assert amount == 20
