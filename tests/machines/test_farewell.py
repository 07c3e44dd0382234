"""A server that is told to stop: a load balancer learns of it first, and what was begun is answered."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import stack
from tests.processes import Server, eventually


@pytest.fixture
def server(bare_folder: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(stack.copy(bare_folder, tmp_path / "data"), KB_FAREWELL="30", KB_WORKERS="1", KB_LIMITS="off")
    eventually(server.up)
    yield server
    server.stop(signal.SIGKILL)


def test_a_server_that_is_to_stop_is_unready_and_answers_on(server: Server) -> None:
    assert server.get("/readyz")[0] == 200
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: server.get("/readyz")[0] == 503)
    assert server.get("/practices")[0] == 200


def test_workers_are_replaced_while_the_server_answers(server: Server) -> None:
    server.process.send_signal(signal.SIGHUP)
    for _ in range(20):
        assert server.get("/practices")[0] == 200
    eventually(lambda: server.get("/readyz")[0] == 200)
