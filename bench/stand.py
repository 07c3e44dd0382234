"""A whole installation on one machine, of which each part can be killed: PostgreSQL, three nodes of Typesense, two web
servers with folders of their own, a shared folder of files, and nginx as it is shipped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from bench.live import get
from bench.serving import PATIENCE, free_port
from tests import nginx, postgres, typesense_server
from tests.nginx import NAME, Nginx

KEY = "k" * 40


class Web:
    """A web server: its own data folder and port, and its processes, which form a group."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {**env, "KB_DATA_DIR": str(folder), "PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Begin to serve, without waiting for it."""
        with self.folder.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kb", "run"],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Wait until it is ready. Raises ClickException where it ends instead, or never is."""
        until = time.monotonic() + 2 * PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if get(self.port, "/readyz")[0] == 200:
                    return
            if self._process is None or self._process.poll() is not None or time.monotonic() > until:
                raise click.ClickException(f"A web server did not start: {self.said()[-3000:]}")
            time.sleep(0.1)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End all its processes at once (SIGKILL), or ask it to end."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if how == signal.SIGKILL:
                os.killpg(self._process.pid, how)
            else:
                self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this machine."""
        words = [sys.executable, "-m", "kb", *command]
        return subprocess.run(words, env=self.env, capture_output=True, text=True, check=False)  # noqa: S603 (ours)

    def said(self) -> str:
        """What it has printed so far."""
        return self.folder.with_suffix(".log").read_text(errors="replace")

    def traces(self) -> list[str]:
        """The traces of the faults in its log."""
        found = []
        for line in self.said().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line).get("exception", "") if line.startswith("{") else "")
        return [each for each in found if each]


class Stand:
    """The installation. `cluster` is None where each machine searches with Whoosh, which is for one machine only."""

    def __init__(self, folder: Path, database: postgres.Server, cluster: typesense_server.Cluster | None) -> None:
        self.folder, self.database, self.cluster = folder, database, cluster
        self.files = folder / "files"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
        self.url = database.create("practices")
        env = {
            **kept, "KB_DATABASE_URL": self.url, "KB_FILES_DIR": str(self.files), "KB_SECRET_KEY": KEY,
            "KB_BASE_URL": f"https://{NAME}", "KB_TRUSTED_PROXIES": "1", "KB_LIMITS": "off", "KB_WORKERS": "2",
        }  # fmt: skip
        if cluster is not None:
            env["KB_SEARCH_URL"] = cluster.url("practices")
        self.webs = [Web(folder / ("web" if cluster is None else f"web{number}"), env) for number in (1, 2)]
        self.nginx: Nginx | None = None

    def serve(self) -> Nginx:
        """Start both web servers, and nginx before them, which is returned."""
        for web in self.webs:
            web.start()
            web.wait()
        ports = [web.port for web in self.webs]
        self.nginx = Nginx(self.folder / "nginx", free_port(), free_port(), ports, (free_port(), free_port()))
        self.nginx.start()
        return self.nginx

    def stop(self) -> None:
        """End nginx and the web servers."""
        if self.nginx is not None:
            self.nginx.stop()
        for web in self.webs:
            web.kill()


def why_not(search: str) -> str | None:
    """Why there can be no such installation here, as a sentence; None where there can."""
    missing = [postgres.available(), nginx.available()]
    if search == "typesense":
        missing.append(typesense_server.available())
    return next(filter(None, missing), None)


@contextlib.contextmanager
def standing(folder: Path, search: str) -> Iterator[Stand]:
    """PostgreSQL and the search cluster of a new installation running, nothing of it made yet; all ends with it."""
    with contextlib.ExitStack() as ending:
        tuned = {"autovacuum": "on", "shared_buffers": "256MB", "max_connections": "100"}
        database = ending.enter_context(postgres.cluster(free_port(), **tuned))
        cluster = None
        if search == "typesense":
            (folder / "typesense").mkdir()
            cluster = typesense_server.cluster(folder / "typesense")
            ending.callback(cluster.stop)
        stand = Stand(folder, database, cluster)
        ending.callback(stand.stop)
        yield stand
