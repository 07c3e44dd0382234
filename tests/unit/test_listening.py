"""Where `run` listens: at an address and a port, or at the socket that systemd has listened at all along."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from kb.cli import main
from kb.config import SettingError, load
from tests import stack
from tests.processes import PATIENCE, free_port


def test_it_listens_on_this_machine_alone_unless_told_otherwise(tmp_path: Path) -> None:
    assert load({"KB_DATA_DIR": str(tmp_path)}).listen == "127.0.0.1"


@pytest.mark.parametrize("number", ["0.0.0.0", "::1", "10.0.0.7"])
def test_it_can_listen_on_any_address(tmp_path: Path, number: str) -> None:
    assert load({"KB_DATA_DIR": str(tmp_path), "KB_LISTEN": number}).listen == number


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1:8000", "*", "10.0.0"])
def test_what_is_no_number_of_an_address_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError, match="KB_LISTEN must be the number of an address"):
        load({"KB_DATA_DIR": str(tmp_path), "KB_LISTEN": text})


def test_an_address_of_another_machine_is_refused_in_a_sentence(tmp_path: Path) -> None:
    env = {"KB_DATA_DIR": str(tmp_path), "KB_LISTEN": "192.0.2.1", "PORT": str(free_port())}  # RFC 5737: nobody's
    said = CliRunner(env=env).invoke(main, ["run"])
    assert (said.exit_code, said.stderr) == (
        1, "Error: KB_LISTEN names 192.0.2.1, which is no address of this machine.\n",
    )  # fmt: skip


HAND_ON = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.executable, [sys.executable, "-m", "kb", "run"])
"""


class Service:
    """What systemd does for a service with a socket: it listens, and hands the socket on to whatever it starts."""

    def __init__(self, folder: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        own = {"KB_DATA_DIR": str(folder), **stack.environment(folder)}
        self._env = {**os.environ, **own, "KB_WORKERS": "1", "KB_BASE_URL": "", "PORT": "1"}
        self._log = folder.with_name("service.log")
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        number = self.listener.fileno()
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-c", HAND_ON, str(number)], env=self._env, pass_fds=(number,), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._running is not None
        if how == signal.SIGKILL and self._running.poll() is None:
            os.killpg(self._running.pid, how)
        self._running.send_signal(how)
        self._running.wait(PATIENCE)

    def ask(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * PATIENCE)
        try:
            connection.request("GET", "/healthz", headers={"Connection": "close"})
            return connection.getresponse().status
        finally:
            connection.close()


def test_nobody_is_turned_away_while_a_service_with_a_socket_is_started_anew(bare_folder: Path, tmp_path: Path) -> None:
    service = Service(stack.copy(bare_folder, tmp_path / "data"))
    said: list[object] = []
    over = threading.Event()

    def ask_on() -> None:
        while not over.is_set():
            try:
                said.append(service.ask())
            except OSError as error:
                said.append(repr(error))
            over.wait(0.01)

    service.start()
    try:
        assert service.ask() == 200
        asking = [threading.Thread(target=ask_on) for _ in range(3)]
        for each in asking:
            each.start()
        for _ in range(2):
            service.stop()
            service.start()
            assert service.ask() == 200
        over.set()
        for each in asking:
            each.join()
    finally:
        over.set()
        service.stop(signal.SIGKILL)
        service.listener.close()
    assert set(said) == {200}
